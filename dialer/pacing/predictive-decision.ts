/**
 * Predictive pacing: the budgeted, chance-constrained rule. Forecasts who becomes free and who
 * answers, takes back calls that would mostly be abandoned, and starts as many as the permitted
 * risk allows.
 */
import type { AbandonmentBudget } from './abandonment-budget.ts';
import type { AnswerTable } from './answer-hazard.ts';
import { BlockingRisk, type EventGroup } from './blocking-risk.ts';
import type { PacerConfig } from './pacer-config.ts';
import type { BindingLimit, PacerDecision, PredictiveExplanation } from './pacer-events.ts';
import { PACING_CONSTANTS as C } from './pacing-constants.ts';
import type { PacingModel } from './pacing-model.ts';
import { predictiveStarts } from './predictive-starts.ts';

export interface DecisionInput {
  readonly atMs: number;
  readonly model: PacingModel;
  readonly config: PacerConfig;
  readonly budget: AbandonmentBudget;
  /** Ordered, and not reported as started yet. */
  readonly pending: number;
}

export function predictiveDecision(input: DecisionInput): PacerDecision {
  const { atMs, model, config, budget, pending } = input;
  const { attempts, representatives } = model;
  if (representatives.total === 0 && attempts.inFlight === 0) return nobody(config.mode);
  const table = model.answers.table(atMs);
  const busy = representatives.busyGroups(atMs, model.frees(atMs));
  const { risk, cancel } = riskAfterCancelling(input, table, busy);
  for (let i = 0; i < pending; i += 1) risk.add();
  const { ratio, trim, window } = budget.at(atMs);
  const isAlarmed = model.answers.isAlarmed(atMs);
  const isWarm = config.believed?.answerProbability !== undefined;
  const ramp = isWarm ? 1 : rampOf(budget.liveAnswers);
  const caution = ramp * (isAlarmed ? C.alarmedCaution : 1);
  const riskMax = Math.min(C.riskMax, C.riskPerRatio * ratio * trim * caution);
  const perRepMax = C.callsPerRepMax * representatives.total;
  const starts = predictiveStarts(risk, {
    idle: representatives.idle,
    inFlight: attempts.inFlight + pending,
    inFlightMax: Math.min(config.inFlightMax ?? perRepMax, perRepMax),
    startsMax: config.startsPerTickMax ?? C.startsPerTickMax,
    riskMax,
    exhausted: (over, answers) => budget.exhausted(atMs, over, answers) !== undefined,
  });
  const p = model.answers.probability(atMs);
  const explanation: PredictiveExplanation = {
    mode: config.mode,
    idle: representatives.idle,
    busy: representatives.talking,
    wrappingUp: representatives.wrappingUp,
    ringing: attempts.ringing,
    waiting: attempts.waiting,
    freesExpected: expectedOf(busy, model.horizonS),
    answersExpected: risk.expectedAnswers(),
    overExpected: risk.expectedOver(),
    answerProbability: p.mean,
    answerProbabilityUpper: p.upper,
    risk: starts.risk,
    riskMax,
    horizonS: starts.horizonS,
    ratioAimedAt: ratio,
    window,
    alarm: isAlarmed,
  };
  return {
    start: starts.start,
    cancel,
    binding: bindingOf(starts.binding, input, ramp),
    explanation,
  };
}

function nobody(mode: string): PacerDecision {
  const none = { idle: 0, busy: 0, wrappingUp: 0, ringing: 0, waiting: 0 };
  return { start: 0, cancel: [], binding: 'noRepresentatives', explanation: { mode, ...none } };
}

function bindingOf(binding: BindingLimit, { model }: DecisionInput, ramp: number): BindingLimit {
  if (model.representatives.total === 0) return 'noRepresentatives';
  return ramp === 0 && binding === 'representatives' ? 'warmUp' : binding;
}

/** Nothing known: progressive at first, then bolder with every answer that was seen. */
function rampOf(liveAnswers: number): number {
  const { warmUpAnswers, rampAnswers, rampStart } = C;
  if (liveAnswers < warmUpAnswers) return 0;
  return Math.min(1, rampStart + ((1 - rampStart) * (liveAnswers - warmUpAnswers)) / rampAnswers);
}

function riskNow(
  { atMs, model }: DecisionInput,
  table: AnswerTable,
  busy: readonly EventGroup[],
): BlockingRisk {
  const { attempts, representatives, horizonS } = model;
  const taken = representatives.takenGroup(horizonS);
  const demand = attempts.demandGroups(atMs, table);
  return new BlockingRisk({
    horizonS,
    spare: representatives.idle - attempts.waiting,
    ringing: taken === undefined ? demand : [...demand, taken],
    busy,
    fresh: { count: 1, within: table.within, offset: 0 },
    answersCv: model.answers.cv,
  });
}

/**
 * Takes back calls that have rung as long as the law asks and would more likely than not be
 * abandoned, or cost another one a representative, if they were answered now. The longest ringing
 * first, and no more than needed.
 */
function riskAfterCancelling(
  input: DecisionInput,
  table: AnswerTable,
  busy: readonly EventGroup[],
): { readonly risk: BlockingRisk; readonly cancel: readonly string[] } {
  const { atMs, model, config } = input;
  const cancel: string[] = [];
  let risk = riskNow(input, table, busy);
  if (config.cancelRinging === false) return { risk, cancel };
  const ringMinMs = Math.max(C.ringMinDefaultMs, config.ringMinMs ?? 0);
  for (const group of model.attempts.alertingFor(atMs, ringMinMs, table)) {
    if (risk.riskOf(group).risk <= C.cancelRisk) continue;
    for (const id of group.ids) model.attempts.cancelling(id);
    cancel.push(...group.ids);
    risk = riskNow(input, table, busy);
  }
  return { risk, cancel };
}

function expectedOf(groups: readonly EventGroup[], horizonS: number): number {
  return groups.reduce((sum, { count, within, offset }) => {
    return sum + count * (within[offset + horizonS] ?? 0);
  }, 0);
}
