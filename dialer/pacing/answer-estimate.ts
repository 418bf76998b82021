/** The answers to expect of ringing calls: the learnt curve, at the level of the moment. */
import { AnswerHazard, answerTable, RING_BIN_MS, type AnswerTable } from './answer-hazard.ts';
import { AnswerLevel } from './answer-level.ts';
import type { EventGroup } from './blocking-risk.ts';
import { DurationSurvival } from './duration-survival.ts';
import { ForgettingShare } from './forgetting-share.ts';
import type { PacerConfig } from './pacer-config.ts';
import { PACING_CONSTANTS as C } from './pacing-constants.ts';

export class AnswerEstimate {
  #horizonS: number;
  readonly #config: PacerConfig;
  #hazard: AnswerHazard;
  #level: AnswerLevel;
  readonly #isRepLed: boolean;
  /** Persons among those whose detection is over. */
  readonly #persons: ForgettingShare;
  /** Talks with the AI agent that led to a representative; how long they last either way. */
  readonly #escalations: ForgettingShare;
  readonly #agentTalk: DurationSurvival;
  /** Seconds of ringing in each bin that the curve has not been told yet. */
  #exposureS: Float64Array;
  /** Answers that the curve expected since the detector last looked. */
  #expected = 0;
  #advancedAtMs: number | undefined;
  #alarmUntilMs = Number.NEGATIVE_INFINITY;
  #table: AnswerTable | undefined;
  #tableAtMs = Number.NEGATIVE_INFINITY;

  constructor(config: PacerConfig) {
    const { repLed, ringTimeoutMs, believed = {} } = config;
    this.#config = config;
    this.#isRepLed = repLed;
    ({
      horizonS: this.#horizonS,
      hazard: this.#hazard,
      level: this.#level,
    } = curveOf(config, ringTimeoutMs));
    this.#exposureS = new Float64Array(this.#hazard.bins);
    this.#persons = new ForgettingShare(C.personShareDefault, 10, C.shareMemoryCount);
    const escalates = believed.escalationProbability ?? 1;
    this.#escalations = new ForgettingShare(escalates, 10, C.shareMemoryCount);
    this.#agentTalk = new DurationSurvival({
      prior: believed.agentTalk ?? C.agentTalkDefault,
      priorWeight: C.handlePriorCount,
      memoryCount: C.durationMemoryCount,
    });
  }

  /** Calls are foreseen this far, s. */
  get horizonS(): number {
    return this.#horizonS;
  }

  /** Calls ring for another time from here on; what is known of the seconds that stay is kept. */
  ringUntil(ringTimeoutMs: number): void {
    if (Math.ceil(ringTimeoutMs / RING_BIN_MS) === this.#hazard.bins) return;
    this.#tellExposure();
    const { horizonS, hazard, level } = curveOf(this.#config, ringTimeoutMs);
    hazard.learnFrom(this.#hazard);
    level.learnFrom(this.#level);
    this.#horizonS = horizonS;
    this.#hazard = hazard;
    this.#level = level;
    this.#exposureS = new Float64Array(hazard.bins);
    this.#tableAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Standard deviation over mean of the level: an error that all calls share. */
  get cv(): number {
    return this.#level.cv;
  }

  /** A call went on ringing from one age to another, ms. */
  exposed(fromMs: number, toMs: number): void {
    const bins = this.#exposureS.length;
    for (let bin = Math.floor(fromMs / RING_BIN_MS); bin < bins; bin += 1) {
      const startMs = Math.max(fromMs, bin * RING_BIN_MS);
      const endMs = Math.min(toMs, (bin + 1) * RING_BIN_MS);
      if (endMs <= startMs) return;
      this.#exposureS[bin] = (this.#exposureS[bin] ?? 0) + (endMs - startMs) / 1_000;
    }
  }

  answered(atMs: number, ageMs: number): void {
    const bin = this.#binOf(ageMs);
    this.#tellExposure();
    this.#watch(atMs, this.#hazard.trust(bin));
    this.#hazard.answered(bin);
    this.#level.answered(bin);
  }

  /** Ended unanswered at that age. */
  failed(ageMs: number): void {
    this.#hazard.failed(this.#binOf(ageMs));
  }

  /** Something that answered has been told apart. */
  detected(isPerson: boolean): void {
    this.#persons.note(isPerson);
  }

  /** A talk with the AI agent is over. */
  agentDone(lastedMs: number, isEscalated: boolean): void {
    this.#agentTalk.exposed(0, lastedMs);
    this.#agentTalk.ended(lastedMs);
    this.#escalations.note(isEscalated);
  }

  /** Calls under detection: persons or not, known within moments. */
  detectionGroup(count: number): EventGroup {
    const share = this.#persons.value * this.#demandShare;
    return { count, within: new Float64Array(this.horizonS + 1).fill(share), offset: 0 };
  }

  /** Persons who have talked to the AI agent for so long. */
  agentGroup(second: number, count: number): EventGroup {
    const within = Float64Array.from({ length: this.horizonS + 1 }, (_, k) => {
      return this.#agentTalk.endsWithin(second * 1_000, k * 1_000) * this.#escalations.value;
    });
    return { count, within, offset: 0 };
  }

  /** Time has passed, and everybody's exposure up to now has been told. */
  advance(atMs: number): void {
    this.#hazard.elapsed(atMs - (this.#advancedAtMs ?? atMs));
    this.#advancedAtMs = atMs;
    this.#tellExposure();
    this.#watch(atMs, 0);
  }

  /** The answer rate has risen lately, and is not well known yet. */
  isAlarmed(atMs: number): boolean {
    return atMs < this.#alarmUntilMs;
  }

  /**
   * P(wants a representative within k s | rings for a s), at the quantile that is paced with. In an
   * AI-led engagement the agent's talk is not foreseen, only whether it leads to one: pessimistic.
   */
  table(atMs: number): AnswerTable {
    if (this.#table === undefined || atMs - this.#tableAtMs >= C.answerTableEveryMs) {
      this.#level.refresh(this.#hazard);
      const level = this.#level.upper(this.isAlarmed(atMs) ? C.alarmedZ : C.levelZ);
      this.#table = answerTable(this.#hazard, level, this.horizonS);
      if (!this.#isRepLed) scale(this.#table.within, this.#demandShare);
      this.#tableAtMs = atMs;
    }
    return this.#table;
  }

  /** P(a new call is answered): the best estimate, and the quantile that is paced with. */
  probability(atMs: number): { readonly mean: number; readonly upper: number } {
    const upper = (this.table(atMs).within[this.horizonS] ?? 0) / this.#demandShare;
    const level = this.#level.upper(this.isAlarmed(atMs) ? C.alarmedZ : C.levelZ);
    return { mean: (upper * this.#level.mean) / level, upper };
  }

  get #demandShare(): number {
    return this.#isRepLed ? 1 : this.#escalations.value;
  }

  #binOf(ageMs: number): number {
    return Math.min(this.#hazard.bins - 1, Math.floor(ageMs / RING_BIN_MS));
  }

  /** All calls of a bin at once: there may be hundreds. */
  #tellExposure(): void {
    for (let bin = 0; bin < this.#exposureS.length; bin += 1) {
      const seconds = this.#exposureS[bin] ?? 0;
      if (seconds === 0) continue;
      this.#expected += seconds * this.#hazard.hazard(bin) * this.#hazard.trust(bin);
      this.#hazard.exposed(bin, seconds);
      this.#level.exposed(bin, seconds);
      this.#exposureS[bin] = 0;
    }
  }

  #watch(atMs: number, answers: number): void {
    const alarm = this.#level.watch(answers, this.#expected);
    this.#expected = 0;
    if (alarm === undefined) return;
    this.#tableAtMs = Number.NEGATIVE_INFINITY;
    if (alarm === 'rise') this.#alarmUntilMs = atMs + C.alarmMs;
  }
}

function curveOf({ believed = {} }: PacerConfig, ringTimeoutMs: number) {
  const p = believed.answerProbability ?? C.answerProbabilityDefault;
  const calls = believed.weightCalls ?? C.believedCalls;
  const ring = believed.ringToAnswer ?? { meanMs: ringTimeoutMs / 2, cv: C.ringCvDefault };
  const hazard = new AnswerHazard({
    prior: { answerProbability: p, ...ring },
    priorWeight: calls,
    ringTimeoutMs,
    memoryCount: C.ringMemoryCalls,
  });
  const level = new AnswerLevel({
    bins: hazard.bins,
    priorAnswers: calls * p,
    memoryAnswers: C.levelMemoryAnswers,
    fastMemoryAnswers: C.fastMemoryAnswers,
    jumpRatio: C.jumpRatio,
    alarmThreshold: C.alarmThreshold,
  });
  return { horizonS: Math.min(C.horizonMaxS, Math.ceil(ringTimeoutMs / 1_000)), hazard, level };
}

function scale(values: Float64Array, factor: number): void {
  for (let i = 0; i < values.length; i += 1) values[i] = (values[i] ?? 0) * factor;
}
