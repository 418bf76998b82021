/** What came of a simulated world, counted by the world itself, not by the pacer. */
import type { Scenario } from './scenario.schema.ts';

export interface SimulationResult {
  readonly mode: string;
  readonly reps: number;
  readonly hours: number;
  /** Time of the world at which it was measured, ms. */
  readonly endedAtMs: number;
  /** Talk and wrap-up over time present. */
  readonly utilization: number;
  /** Abandoned over live answers; persons whom detection hung up on are among both. */
  readonly abandonmentRatio: number;
  readonly liveAnswers: number;
  readonly abandoned: number;
  /** Of these: persons whom detection took for machines. */
  readonly falsePositives: number;
  readonly dialed: number;
  readonly cancelled: number;
  readonly connectedPerHour: number;
  /** Decisions by what limited them. */
  readonly decisions: Readonly<Record<string, number>>;
  /** The worst hour that had at least 50 live answers; null when there was none. */
  readonly worstHourRatio: number | null;
  /** Live answers and abandoned of each hour. */
  readonly hourly: readonly { readonly live: number; readonly abandoned: number }[];
}

const HOUR_MS = 3_600_000;
const JUDGED_ANSWERS_MIN = 50;

export class WorldReport {
  readonly #scenario: Scenario;
  readonly #fromMs: number;
  readonly #hourly: { live: number; abandoned: number }[] = [];
  readonly #decisions: Record<string, number> = {};
  #live = 0;
  #abandoned = 0;
  #falsePositives = 0;
  #dialed = 0;
  #cancelled = 0;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#fromMs = scenario.warmUpMinutes * 60_000;
  }

  decided(atMs: number, binding: string): void {
    if (atMs >= this.#fromMs) this.#decisions[binding] = (this.#decisions[binding] ?? 0) + 1;
  }

  dialed(atMs: number): void {
    if (atMs >= this.#fromMs) this.#dialed += 1;
  }

  connected(atMs: number): void {
    this.#answered(atMs, 0);
  }

  abandoned(atMs: number): void {
    this.#answered(atMs, 1);
  }

  ended(atMs: number, result: string, wronged: boolean): void {
    if (atMs < this.#fromMs) return;
    if (result === 'Cancelled') this.#cancelled += 1;
    if (!wronged) return;
    this.#falsePositives += 1;
    this.#answered(atMs, 1);
  }

  /** `workedMs`: of a list, the time in which there was somebody to dial or to serve. */
  result(utilization: number, endedAtMs: number, workedMs: number): SimulationResult {
    const { mode, reps, hours } = this.#scenario;
    const measuredHours = workedMs > 0 ? workedMs / HOUR_MS : hours - this.#fromMs / HOUR_MS;
    const judged = this.#hourly.filter(({ live }) => live >= JUDGED_ANSWERS_MIN);
    const ratios = judged.map(({ live, abandoned }) => abandoned / live);
    return {
      mode,
      reps,
      hours: workedMs > 0 ? measuredHours : hours,
      endedAtMs,
      utilization,
      abandonmentRatio: this.#live === 0 ? 0 : this.#abandoned / this.#live,
      liveAnswers: this.#live,
      abandoned: this.#abandoned,
      falsePositives: this.#falsePositives,
      dialed: this.#dialed,
      cancelled: this.#cancelled,
      connectedPerHour: (this.#live - this.#abandoned) / measuredHours,
      decisions: this.#decisions,
      worstHourRatio: ratios.length === 0 ? null : Math.max(...ratios),
      hourly: this.#hourly,
    };
  }

  #answered(atMs: number, abandoned: 0 | 1): void {
    if (atMs < this.#fromMs) return;
    const hour = Math.floor(atMs / HOUR_MS);
    while (this.#hourly.length <= hour) this.#hourly.push({ live: 0, abandoned: 0 });
    const counts = this.#hourly[hour];
    if (counts !== undefined) {
      counts.live += 1;
      counts.abandoned += abandoned;
    }
    this.#live += 1;
    this.#abandoned += abandoned;
  }
}
