/** A stretch of pacing that is still going on: what was decided in it, and what came of it. Pure. */
import type { NewsOf } from '../dialer-news.ts';
import type { PacerDecision } from '../pacing/pacer-events.ts';

/** Shorter ones are made one, so that limits that alternate are no flood of rows. */
export const SPAN_MIN_MS = 5_000;
/** Without any change it is written down this often. */
export const SPAN_MAX_MS = 60_000;

type Counts = Record<string, number>;

export interface ClosedSpan {
  readonly engagementId: string;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly binding: string;
  readonly decisions: number;
  readonly wanted: number;
  readonly started: number;
  readonly recalled: number;
  readonly limits: Readonly<Counts>;
  readonly claims: Readonly<Counts>;
  readonly inputs: Readonly<Record<string, unknown>> | null;
}

export class PacingSpan {
  readonly #engagementId: string;
  readonly #fromMs: number;
  readonly #limits: Counts = {};
  readonly #claims: Counts = {};
  #untilMs: number;
  #last: string | undefined;
  #decision: PacerDecision | undefined;
  #decisions = 0;
  #wanted = 0;
  #started = 0;
  #recalled = 0;

  constructor(engagementId: string, atMs: number) {
    this.#engagementId = engagementId;
    this.#fromMs = atMs;
    this.#untilMs = atMs;
  }

  /** Whether what happens next belongs to another stretch. */
  isOver(atMs: number, binding: string): boolean {
    const ageMs = atMs - this.#fromMs;
    return ageMs >= SPAN_MAX_MS || (ageMs >= SPAN_MIN_MS && this.#last !== binding);
  }

  /** A pacer decides, and not the claims alone. */
  get isPaced(): boolean {
    return this.#decisions > 0;
  }

  isReadable(atMs: number): boolean {
    return atMs - this.#fromMs >= SPAN_MIN_MS;
  }

  decided(atMs: number, decision: PacerDecision): void {
    const { binding, start, cancel } = decision;
    this.#untilMs = atMs;
    this.#last = binding;
    this.#decision = decision;
    this.#decisions += 1;
    this.#wanted += start;
    this.#recalled += cancel.length;
    this.#limits[binding] = (this.#limits[binding] ?? 0) + 1;
  }

  claimed(atMs: number, { limiter, started }: NewsOf<'claim.made'>): void {
    this.#untilMs = atMs;
    if (this.#decisions === 0) this.#last = limiter;
    this.#started += started;
    this.#claims[limiter] = (this.#claims[limiter] ?? 0) + 1;
  }

  closed(): ClosedSpan {
    return {
      engagementId: this.#engagementId,
      ...{ fromMs: this.#fromMs, untilMs: this.#untilMs },
      binding: mostOf(this.#decisions > 0 ? this.#limits : this.#claims),
      ...{ decisions: this.#decisions, wanted: this.#wanted },
      ...{ started: this.#started, recalled: this.#recalled },
      ...{ limits: this.#limits, claims: this.#claims },
      inputs: this.#decision === undefined ? null : shortened({ ...this.#decision.explanation }),
    };
  }
}

/** The first of those that came most often. */
function mostOf(counts: Readonly<Counts>): string {
  const [most] = Object.entries(counts).sort(([, one], [, other]) => other - one);
  return most?.[0] ?? '';
}

/** Four digits tell what sixteen do, in a quarter of the room. */
function shortened(inputs: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [
      name,
      typeof value === 'number' ? Number(value.toPrecision(4)) : value,
    ]),
  );
}
