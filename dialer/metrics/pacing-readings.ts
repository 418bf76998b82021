/** Pacing as it stands at a scrape, in Prometheus' words. */
import type { SetReading } from '../../machines/meter.port.ts';
import type { DialerStanding } from '../dialer-standing.ts';
import { readWaitWindow } from '../engagements/stop-rule.ts';
import type { WindowStanding } from '../pacing/abandonment-budget.ts';
import type {
  PacerDecision,
  PacerExplanation,
  PredictiveExplanation,
} from '../pacing/pacer-events.ts';
import type { PacingStanding } from '../pacing/pacing-standing.ts';
import type { CompetitorStanding } from '../representatives/representative-shares.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import { CombinedReadings } from './combined-readings.ts';
import type { EngagementLabels } from './engagement-labels.ts';
import { PACING_METRICS as metrics } from './pacing-metrics.ts';

/** What is read of a dialer that runs; the stop rule's shares are read from the store, apart. */
export const PACING_READINGS = [
  ...[metrics.target, metrics.calls, metrics.overDial, metrics.answerProbability],
  ...[metrics.overAnswers, metrics.risk, metrics.alarmed, metrics.throttle],
  ...[metrics.abandonment, metrics.abandonmentLimit, metrics.abandonmentAnswers],
  ...[metrics.abandonmentBudget, metrics.abandonmentAim],
  ...[metrics.qualified, metrics.pending, metrics.competitionHeld, metrics.competitionMax],
  ...[metrics.offers, metrics.escalations],
];
export const STOP_RULE_READINGS = [
  ...[metrics.exceededWait, metrics.exceededWaitLimit, metrics.exceededWaitAnswers],
];

const PRIORITIES: Readonly<Record<number, string>> = { 1: 'critical', 2: 'high', 3: 'normal' };

interface Place {
  readonly engagement: string;
  readonly mode: string;
}

export async function readPacing(
  { pacing, competition, escalationsOpen }: DialerStanding,
  labels: EngagementLabels,
  set: SetReading,
): Promise<void> {
  const readings = new CombinedReadings();
  for (const standing of pacing) {
    const { engagement, mode } = await labels.of(standing.engagementId);
    readStanding(standing, { engagement, mode }, readings);
  }
  for (const one of competition) {
    const { engagement } = await labels.of(one.engagementId);
    readCompetitor(one, engagement, readings);
  }
  readings.sum(metrics.escalations, {}, escalationsOpen);
  readings.setAll(set);
}

function readStanding(standing: PacingStanding, place: Place, readings: CombinedReadings): void {
  const { engagement } = place;
  const { callsTarget, decision, windows, throttleFactor, representatives, offers } = standing;
  if (callsTarget !== null) readings.sum(metrics.target, place, callsTarget);
  if (decision !== null) readDecision(decision, place, readings);
  for (const window of windows) readWindow(window, engagement, readings);
  readings.lowest(metrics.throttle, { engagement }, throttleFactor);
  for (const [state, count] of Object.entries(representatives) as [string, number][]) {
    readings.sum(metrics.qualified, { engagement, state }, count);
  }
  for (const [state, count] of Object.entries(offers ?? {})) {
    readings.sum(metrics.offers, { engagement, state }, count);
  }
}

function readDecision({ explanation }: PacerDecision, place: Place, readings: CombinedReadings) {
  const { ringing, waiting } = explanation;
  readings.sum(metrics.calls, { ...place, phase: 'ringing' }, ringing);
  readings.sum(metrics.calls, { ...place, phase: 'waiting' }, waiting);
  const hands = explanation.idle + ('freesExpected' in explanation ? explanation.freesExpected : 0);
  if (hands > 0) readings.highest(metrics.overDial, place, (ringing + waiting) / hands);
  if (isPredictive(explanation)) readPrediction(explanation, place.engagement, readings);
}

function readPrediction(
  explained: PredictiveExplanation,
  engagement: string,
  readings: CombinedReadings,
): void {
  const { answerProbability: mean, answerProbabilityUpper: upper } = explained;
  readings.highest(metrics.answerProbability, { engagement, estimate: 'mean' }, mean);
  readings.highest(metrics.answerProbability, { engagement, estimate: 'upper' }, upper);
  readings.sum(metrics.overAnswers, { engagement }, explained.overExpected);
  readings.highest(metrics.risk, { engagement, of: 'nextCall' }, explained.risk);
  readings.lowest(metrics.risk, { engagement, of: 'permitted' }, explained.riskMax);
  readings.highest(metrics.alarmed, { engagement }, explained.alarm ? 1 : 0);
  readings.lowest(metrics.abandonmentAim, { engagement }, explained.ratioAimedAt);
}

function isPredictive(explanation: PacerExplanation): explanation is PredictiveExplanation {
  return 'ratioAimedAt' in explanation;
}

function readWindow(
  { window, live, abandoned, ratioMax }: WindowStanding,
  engagement: string,
  readings: CombinedReadings,
): void {
  const place = { engagement, window };
  if (live > 0) readings.highest(metrics.abandonment, place, abandoned / live);
  readings.lowest(metrics.abandonmentLimit, place, ratioMax);
  readings.sum(metrics.abandonmentAnswers, place, live);
  readings.lowest(metrics.abandonmentBudget, place, ratioMax * live - abandoned);
}

function readCompetitor(
  { priority, pending, idle, busy, heldMax }: CompetitorStanding,
  engagement: string,
  readings: CombinedReadings,
): void {
  const named = PRIORITIES[priority] ?? 'normal';
  readings.sum(metrics.pending, { engagement, priority: named }, pending);
  readings.sum(metrics.competitionHeld, { engagement, state: 'idle' }, idle);
  readings.sum(metrics.competitionHeld, { engagement, state: 'busy' }, busy);
  readings.sum(metrics.competitionMax, { engagement }, heldMax);
}

/** By the rule's own query, so that what is alerted on is what suspends. */
export async function readStopRules(
  { pacing }: DialerStanding,
  { db }: Pick<OpenDatabase, 'db'>,
  labels: EngagementLabels,
  nowMs: number,
  set: SetReading,
): Promise<void> {
  const readings = new CombinedReadings();
  for (const { engagementId, stopRule, isDialing } of pacing) {
    if (stopRule === null || !isDialing) continue;
    const { engagement } = await labels.of(engagementId);
    const { live, exceeded } = await readWaitWindow(db, engagementId, stopRule, nowMs);
    if (live > 0) readings.highest(metrics.exceededWait, { engagement }, exceeded / live);
    readings.lowest(metrics.exceededWaitLimit, { engagement }, stopRule.percent / 100);
    readings.sum(metrics.exceededWaitAnswers, { engagement }, live);
  }
  readings.setAll(set);
}
