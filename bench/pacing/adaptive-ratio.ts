/**
 * The multiplicative adaptive rule of VICIdial (bin/AST_VDadapt.pl and AST_VDauto_dial.pl, version
 * 2.4), re-implemented from its description: lines = level × representatives signed in, less
 * calls that exist. Once a minute the level is multiplied by the excess of ready representatives
 * over waiting calls; when more than the limit was dropped today, it is halved (ADAPT_AVERAGE).
 */
import type { PacerEvent } from '../../dialer/pacing/pacer-events.ts';
import type { SimulatedPacer } from '../../simulator/simulated-pacer.ts';

const LEVEL_MAX = 3;
const SAMPLE_MS = 4_000;
const SAMPLES = 15;
/** The rule is blind before so many calls today. */
const CALLS_MIN = 50;

export class AdaptiveRatioPacer implements SimulatedPacer {
  readonly #dropRatioMax: number;
  readonly #ready = new Set<string>();
  readonly #signedIn = new Set<string>();
  readonly #calls = new Set<string>();
  readonly #waiting = new Set<string>();
  #samples: { difference: number; signedIn: number }[] = [];
  #sampledAtMs = 0;
  #adaptedAtMs = 0;
  #level = 1;
  #answersToday = 0;
  #dropsToday = 0;
  #recent: { atMs: number; dropped: boolean }[] = [];

  constructor(dropRatioMax: number) {
    this.#dropRatioMax = dropRatioMax;
  }

  note(atMs: number, event: PacerEvent): void {
    switch (event.event) {
      case 'rep.ready':
        this.#signedIn.add(event.rep);
        this.#ready.add(event.rep);
        return;
      case 'rep.busy':
      case 'rep.wrapUp':
        this.#ready.delete(event.rep);
        return;
      case 'rep.gone':
        this.#signedIn.delete(event.rep);
        this.#ready.delete(event.rep);
        return;
      case 'attempt.started':
        this.#calls.add(event.attempt);
        return;
      case 'attempt.answered':
        this.#waiting.add(event.attempt);
        return;
      case 'attempt.connected':
        this.#ready.delete(event.rep);
        return this.#answered(atMs, event.attempt, false);
      case 'attempt.abandoned':
        return this.#answered(atMs, event.attempt, true);
      case 'attempt.ended':
        this.#calls.delete(event.attempt);
        this.#waiting.delete(event.attempt);
        return;
      default:
        return;
    }
  }

  tick(atMs: number): { start: number; cancel: readonly string[]; binding: string } {
    if (atMs - this.#sampledAtMs >= SAMPLE_MS) {
      this.#sampledAtMs = atMs;
      const difference = this.#ready.size - this.#waiting.size;
      this.#samples.push({ difference, signedIn: this.#signedIn.size });
      this.#samples = this.#samples.slice(-SAMPLES);
    }
    if (atMs - this.#adaptedAtMs >= 60_000) {
      this.#adaptedAtMs = atMs;
      this.#adapt(atMs);
    }
    const goal = Math.floor(this.#level * this.#signedIn.size);
    return { start: Math.max(0, goal - this.#calls.size), cancel: [], binding: 'level' };
  }

  #answered(atMs: number, attempt: string, dropped: boolean): void {
    this.#waiting.delete(attempt);
    this.#answersToday += 1;
    this.#dropsToday += Number(dropped);
    this.#recent.push({ atMs, dropped });
  }

  #adapt(atMs: number): void {
    const sum = (of: (sample: { difference: number; signedIn: number }) => number): number =>
      this.#samples.reduce((total, sample) => total + of(sample), 0);
    const signedIn = sum((sample) => sample.signedIn);
    const percent = signedIn === 0 ? 0 : sum((sample) => sample.difference) / signedIn;
    this.#level *= 1 + percent;
    this.#recent = this.#recent.filter((call) => call.atMs > atMs - 60_000);
    const dropped = this.#recent.filter((call) => call.dropped).length;
    if (this.#recent.length > 20 && dropped > this.#recent.length / 2) this.#level /= 2;
    const isOver = this.#dropsToday > this.#dropRatioMax * this.#answersToday;
    if (this.#answersToday > CALLS_MIN && isOver) this.#level /= 2;
    this.#level = Math.max(1, Math.min(LEVEL_MAX, this.#level));
  }
}
