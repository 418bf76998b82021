/** Several futures of an engagement from its state in the store, and what they have in common. */
import type { ForecastInput } from '../../dialer/forecast/forecast-input.ts';
import type { ForecastJob } from '../../dialer/forecast/forecast.port.ts';
import type { Forecast, ForecastInterval } from '../../dialer/forecast/forecast.schema.ts';
import { forecastRun, type ForecastRun, type RunBounds } from './forecast-run.ts';
import { presumed, PRIORS } from './presumed-world.ts';

/** What all runs may simulate call by call, together: some ten seconds of one core. */
export const FORECAST_BOUNDS: RunBounds = { callsMax: 60_000, workedMsMax: 12 * 3_600_000 };
const CONFIDENCE = 0.8;

export function forecast(
  input: ForecastInput,
  { seed, runs }: ForecastJob,
  bounds = FORECAST_BOUNDS,
): Forecast {
  const callsMax = Math.ceil(bounds.callsMax / runs);
  const workedMsMax = Math.ceil(bounds.workedMsMax / runs);
  // Seeds of runs are apart for every two seeds of forecasts.
  const done = Array.from({ length: runs }, (_, n) =>
    forecastRun(input, seed * 64 + n, { callsMax, workedMsMax }),
  );
  const { facts, atMs, representatives, pendingTasks } = input;
  const sum = (of: (run: ForecastRun) => number): number =>
    done.reduce((all, run) => all + of(run), 0);
  return {
    engagementId: facts.engagement.id,
    at: timeText(atMs),
    ...{ seed, runs },
    mode: facts.config.mode.kind as Forecast['mode'],
    engagementType: facts.config.engagementType,
    ...{ pendingTasks, representatives },
    confidence: CONFIDENCE,
    finishAt: finishOf(done),
    dialingHours: interval(done, ({ workedMs }) => workedMs / 3_600_000, 2),
    utilization: interval(done, ({ utilization }) => utilization, 4),
    abandonmentRatio: interval(
      done,
      ({ abandoned, liveAnswers }) => {
        return liveAnswers === 0 ? 0 : abandoned / liveAnswers;
      },
      4,
    ),
    dialed: interval(done, ({ dialed }) => dialed, 0),
    liveAnswers: interval(done, ({ liveAnswers }) => liveAnswers, 0),
    tasksReached: interval(done, ({ reached }) => reached, 0),
    tasksExpired: interval(done, ({ expired }) => expired, 0),
    simulatedShare: rounded(
      sum((run) => run.simulated) /
        Math.max(
          1,
          sum((run) => run.dialed),
        ),
      4,
    ),
    presumed: presumed(input),
    notes: notesOf(input),
  };
}

/** Of so many values the quantile, between neighbours by their distance (Hyndman & Fan, type 7). */
export function quantile(sorted: readonly number[], q: number): number {
  const at = q * (sorted.length - 1);
  const low = sorted[Math.floor(at)] ?? 0;
  const high = sorted[Math.ceil(at)] ?? low;
  return low === high ? low : low + (high - low) * (at - Math.floor(at));
}

const TAIL = (1 - CONFIDENCE) / 2;

function interval(
  runs: readonly ForecastRun[],
  of: (run: ForecastRun) => number,
  digits: number,
): ForecastInterval {
  const sorted = runs.map(of).sort((a, b) => a - b);
  const [low, median, high] = [TAIL, 0.5, 1 - TAIL].map((q) =>
    rounded(quantile(sorted, q), digits),
  );
  return { low: low ?? 0, median: median ?? 0, high: high ?? 0 };
}

function finishOf(runs: readonly ForecastRun[]): Forecast['finishAt'] {
  const sorted = runs
    .map(({ finishAtMs }) => finishAtMs ?? Number.POSITIVE_INFINITY)
    .sort((a, b) => a - b);
  const at = (q: number): string | null => {
    const ms = quantile(sorted, q);
    return Number.isFinite(ms) ? timeText(Math.round(ms / 1_000) * 1_000) : null;
  };
  return { low: at(TAIL), median: at(0.5), high: at(1 - TAIL) };
}

function notesOf({ facts, observed, isRoster, tasks, pendingTasks }: ForecastInput): string[] {
  const { status } = facts.engagement;
  const isAiLed = facts.config.engagementType === 'aiLed';
  const notes: (string | undefined)[] = [
    'Other engagements on the queue are not reckoned with, nor who signs on or off later.',
    status === 'running' ? undefined : `It is ${status}: reckoned as if it were resumed now.`,
    isRoster
      ? 'Nobody is there now: everybody of the queue who has the skills is presumed.'
      : undefined,
    observed.calls < 2 * PRIORS.answer.weight
      ? `Only ${observed.calls} calls were seen: much of it rests on what is usual elsewhere.`
      : undefined,
    tasks.length < pendingTasks
      ? `Of ${pendingTasks} tasks ${tasks.length} were read, each for several like it.`
      : undefined,
    isAiLed ? 'Whoever waits for a representative is presumed to wait for a minute.' : undefined,
  ];
  return notes.filter((note) => note !== undefined);
}

function rounded(value: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}

function timeText(atMs: number): string {
  return new Date(atMs).toISOString();
}
