/**
 * One future of an engagement. Call by call, pacer and all, as far as the calls of a run go; what is
 * left of a long list goes on task by task at the rate that was found.
 */
import type { ForecastInput } from '../../dialer/forecast/forecast-input.ts';
import { PacerCore } from '../../dialer/pacing/pacer-core.ts';
import type { PacerConfig } from '../../dialer/pacing/pacer-config.ts';
import type { Scenario } from '../scenario.schema.ts';
import { SeededRandom } from '../seeded-random.ts';
import { simulate, type SimulatedWork } from '../simulated-world.ts';
import type { SimulationResult } from '../world-report.ts';
import { drawScenario } from './presumed-world.ts';
import { TaskList, type CallFate, type DialedTask } from './task-list.ts';

export interface ForecastRun {
  /** Null: not within a year. */
  readonly finishAtMs: number | null;
  readonly workedMs: number;
  readonly utilization: number;
  readonly liveAnswers: number;
  readonly abandoned: number;
  readonly dialed: number;
  readonly reached: number;
  readonly expired: number;
  /** Of the calls, those that were simulated one by one. */
  readonly simulated: number;
}

const YEAR_MS = 366 * 86_400_000;
/** A call's length where it is not simulated: what is retried is due so much later. */
const COARSE_CALL_MS = 30_000;
const COARSE_STEP_MS = 60_000;

/** What the world calls the end of a call, in the words of docs/outcomes.md. */
const FATES: Readonly<Record<string, CallFate>> = {
  Connected: { result: 'LiveAnswer', retryClass: 'connected' },
  AgentDone: { result: 'LiveAnswer', retryClass: 'connected' },
  Abandoned: { result: 'LiveAnswer', retryClass: 'failed' },
  AnsweringMachineHangup: { result: 'AnsweringMachineHangup', retryClass: 'answeringMachine' },
  NoAnswer: { result: 'NoAnswer', retryClass: 'noAnswer' },
  Cancelled: { result: 'NoAnswer', retryClass: 'noAnswer' },
  LineBusy: { result: 'Busy', retryClass: 'busy' },
  InvalidAddress: { result: 'InvalidAddress', retryClass: 'permanent' },
  CallFailed: { result: 'CallFailed', retryClass: 'failed' },
};

/** What one run may simulate call by call. */
export interface RunBounds {
  readonly callsMax: number;
  /** Time with somebody to dial: pacers decide all along. */
  readonly workedMsMax: number;
}

export function forecastRun(input: ForecastInput, seed: number, bounds: RunBounds): ForecastRun {
  const { facts, tasks, atMs: nowMs, numberGapMs } = input;
  const scenario = drawScenario(input, new SeededRandom(seed, 'world'));
  const list = new TaskList({ facts, tasks, nowMs, numberGapMs });
  const calls = new Map<string, DialedTask>();
  const work: SimulatedWork = {
    isOpen: (atMs) => list.isOpen(nowMs + atMs),
    hasReady: (atMs) => list.hasReady(nowMs + atMs),
    nextStartMs: (atMs) => {
      const startMs = list.nextStartMs(nowMs + atMs);
      return startMs === undefined || startMs > nowMs + YEAR_MS ? undefined : startMs - nowMs;
    },
    take: (call, atMs) => {
      const dialed = list.take(nowMs + atMs);
      if (dialed !== undefined) calls.set(call, dialed);
      return dialed !== undefined;
    },
    ended: (call, result, atMs) => {
      const dialed = calls.get(call);
      calls.delete(call);
      const fate = FATES[result];
      if (dialed !== undefined && fate !== undefined) list.ended(dialed, fate, nowMs + atMs);
    },
  };
  const config = atZero(input.pacer, nowMs);
  const pacer = (): PacerCore => new PacerCore(config);
  const found = simulate(scenario, { seed, pacer, work, ...bounds });
  const random = new SeededRandom(seed, 'coarse');
  const rest = goOn(list, scenario, found, nowMs, random);
  if (!list.isOver) list.giveUp();
  const isWithin = list.lastEndMs <= nowMs + YEAR_MS;
  const share = rest.dialed / Math.max(1, found.dialed);
  const total = (count: number): number => Math.round(count * (1 + share));
  return {
    finishAtMs: isWithin ? list.lastEndMs : null,
    workedMs: found.hours * 3_600_000 + rest.workedMs,
    utilization: found.utilization,
    liveAnswers: total(found.liveAnswers),
    abandoned: total(found.abandoned),
    dialed: found.dialed + rest.dialed,
    reached: list.reached,
    expired: list.expired,
    simulated: found.dialed,
  };
}

/** The rest of the list at the rate of before, as long as the queue is open and somebody is due. */
function goOn(
  list: TaskList,
  scenario: Scenario,
  found: SimulationResult,
  nowMs: number,
  random: SeededRandom,
): { readonly dialed: number; readonly workedMs: number } {
  const callsPerMs = found.dialed / Math.max(1, found.hours * 3_600_000);
  const abandonment = found.abandonmentRatio;
  let dialed = 0;
  let workedMs = 0;
  let owed = 0;
  let atMs = Math.max(nowMs + found.endedAtMs, nowMs);
  while (!list.isOver && callsPerMs > 0) {
    const startMs = list.nextStartMs(atMs);
    if (startMs === undefined || startMs > nowMs + YEAR_MS) break;
    atMs = Math.max(atMs, startMs);
    owed = Math.min(owed + callsPerMs * COARSE_STEP_MS, callsPerMs * 2 * COARSE_STEP_MS);
    for (; owed >= 1; owed -= 1) {
      const task = list.take(atMs);
      if (task === undefined) break;
      dialed += 1;
      const result = fateOf(scenario, abandonment, random);
      list.ended(task, FATES[result] ?? UNANSWERED, atMs + COARSE_CALL_MS);
    }
    workedMs += COARSE_STEP_MS;
    atMs += COARSE_STEP_MS;
  }
  return { dialed, workedMs };
}

const UNANSWERED: CallFate = { result: 'NoAnswer', retryClass: 'noAnswer' };

function fateOf(scenario: Scenario, abandonment: number, random: SeededRandom): string {
  const { answerProbability, machineShare, busyShare, invalidShare, failedShare } = scenario;
  let draw = random.uniform();
  const shares: readonly (readonly [share: number, result: string])[] = [
    [answerProbability as number, 'Connected'],
    [machineShare as number, 'AnsweringMachineHangup'],
    [busyShare, 'LineBusy'],
    [invalidShare, 'InvalidAddress'],
    [failedShare, 'CallFailed'],
  ];
  const result = shares.find(([share]) => (draw -= share) < 0)?.[1] ?? 'NoAnswer';
  return result === 'Connected' && random.uniform() < abandonment ? 'Abandoned' : result;
}

/** The same pacer in a time that begins at 0. */
function atZero({ past = [], limits, ...config }: PacerConfig, nowMs: number): PacerConfig {
  return {
    ...config,
    past: past.map((outcome) => ({ ...outcome, atMs: outcome.atMs - nowMs })),
    ...(limits === undefined
      ? {}
      : {
          limits: limits.map((limit) => {
            const { period } = limit;
            switch (period.kind) {
              case 'tumbling':
                return { ...limit, period: { ...period, startAtMs: period.startAtMs - nowMs } };
              case 'calendar':
                return {
                  ...limit,
                  period: { ...period, startsAtMs: period.startsAtMs.map((at) => at - nowMs) },
                };
              case 'rolling':
                return limit;
            }
          }),
        }),
  };
}
