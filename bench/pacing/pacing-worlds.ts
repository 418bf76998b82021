/** The worlds of the pacing benchmark: the shipped ones, at the sizes and lengths that are compared. */
import type { AbandonmentLimit } from '../../dialer/pacing/abandonment-window.ts';
import { readScenario } from '../../simulator/read-scenario.ts';
import type { Scenario } from '../../simulator/scenario.schema.ts';

export interface PacingCell {
  readonly name: string;
  readonly scenario: Scenario;
  readonly seeds: number;
}

const HOUR_MS = 3_600_000;
const DAY_MINUTES = 1_440;

/** Twenty minutes of warm-up are not measured: the field compares running floors. */
export function referenceCells(seeds: number): PacingCell[] {
  return [
    { reps: 10, hours: 4.33 },
    { reps: 50, hours: 2.33 },
    { reps: 200, hours: 1.33 },
  ].map(({ reps, hours }) => ({
    name: `reference${reps}`,
    scenario: { ...readScenario('reference-50'), reps, hours, warmUpMinutes: 20 },
    seeds,
  }));
}

/** Nothing is left out of the measured hour, the jump's minutes least of all. */
export function jumpCells(seeds: number): PacingCell[] {
  return [50, 200].map((reps) => ({
    name: `jump${reps}`,
    scenario: { ...readScenario('answer-rate-jump'), reps },
    seeds,
  }));
}

export function otherCells(seeds: number): PacingCell[] {
  return [
    'drift',
    'short-talks',
    'heavy-tail',
    'bimodal',
    'lunch-break',
    'trunk-outage',
    'amd-false-positives',
    'tiny-pool',
    'two-priorities',
    'wrong-belief',
  ].map((name) => {
    const scenario = readScenario(name);
    return { name, scenario: { ...scenario, hours: Math.min(3, scenario.hours) }, seeds };
  });
}

/** Thirty working days of ten hours, 20 representatives; the answer rate drifts and jumps. */
export function thirtyDays(): Scenario {
  const answerProbability: { fromMinute: number; value: number }[] = [];
  const breaks: { fromMinute: number; toMinute: number; reps: number }[] = [];
  for (let day = 0; day < 30; day += 1) {
    const startMinute = day * DAY_MINUTES;
    for (let hour = 0; hour < 10; hour += 1) {
      const season = 0.24 + 0.08 * Math.sin(day / 4);
      const ofDay = 1 + 0.35 * Math.sin(((hour + 3) / 10) * 2 * Math.PI);
      // Every fifth day a new list answers twice as often, or half as often, from noon on.
      const list = day % 5 !== 2 || hour < 5 ? 1 : day % 10 === 2 ? 1.8 : 0.5;
      const value = Math.min(0.6, season * ofDay * list);
      answerProbability.push({ fromMinute: startMinute + 60 * hour, value });
    }
    breaks.push({ fromMinute: startMinute + 600, toMinute: startMinute + DAY_MINUTES, reps: 20 });
  }
  return { ...readScenario('reference-50'), reps: 20, hours: 720, answerProbability, breaks };
}

export function thirtyDayLimits(): readonly AbandonmentLimit[] {
  const shared = {
    ratioMax: 0.03,
    numerator: ['noRepresentative', 'amdFalsePositive'],
    denominator: 'liveAnswers',
  } as const;
  return [
    {
      name: '30 days',
      period: { kind: 'tumbling', lengthMs: 720 * HOUR_MS, startAtMs: 0 },
      ...shared,
    },
    { name: '24 hours', period: { kind: 'rolling', lengthMs: 24 * HOUR_MS }, ...shared },
    // The simulation begins on the 21st of a month of 30 days.
    { name: 'month', period: { kind: 'calendar', startsAtMs: [0, 240 * HOUR_MS] }, ...shared },
  ];
}
