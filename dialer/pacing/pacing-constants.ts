/** Settings of the algorithm that no operator needs to know; chosen by `npm run bench -- pacing`. */
export const PACING_CONSTANTS = {
  /** Calls are foreseen this far, s: most rings are over by then. */
  horizonMaxS: 24,
  /** Calls that a believed answer probability counts for. */
  believedCalls: 50,
  answerProbabilityDefault: 0.3,
  ringCvDefault: 0.5,
  ringMemoryCalls: 3_000,
  levelMemoryAnswers: 250,
  fastMemoryAnswers: 20,
  jumpRatio: 1.5,
  alarmThreshold: 4,
  alarmMs: 60_000,
  /** Standard deviations above the mean: 0.52 is the 0.7 quantile, 0.84 the 0.8, 1.28 the 0.9. */
  levelZ: 0.52,
  /** Factor on the permitted risk while alarmed. */
  alarmedCaution: 0.5,
  alarmedZ: 1.28,
  handleDefault: { meanMs: 180_000, cv: 1 },
  handlePriorCount: 20,
  wrapUpDefaultMs: 15_000,
  wrapUpCvDefault: 0.7,
  wrapUpPriorCount: 5,
  durationMemoryCount: 1_000,
  agentTalkDefault: { meanMs: 60_000, cv: 1 },
  personShareDefault: 0.5,
  shareMemoryCount: 300,
  answerTableEveryMs: 1_000,
  freeTableEveryMs: 5_000,
  /** Live answers to see before over-dialing, when nothing was believed. */
  warmUpAnswers: 30,
  rampAnswers: 200,
  rampStart: 0.25,
  setPointShare: 0.88,
  recoveryAnswers: 400,
  trimPerCall: 0.2,
  creditMax: 4,
  debtMax: 8,
  riskPerRatio: 1.6,
  riskMax: 0.5,
  /** Calls in flight per representative at most, whatever the answer rate. */
  callsPerRepMax: 25,
  startsPerTickMax: 500,
  /** Ordered starts that were not reported by then are not coming, ms. */
  orderMs: 1_000,
  ringMinDefaultMs: 15_000,
  cancelRisk: 0.5,
};
