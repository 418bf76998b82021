/** The representatives of one pacer: who is free, who talks, who wraps up, and for how long. */
import type { DurationSurvival } from './duration-survival.ts';
import type { EventGroup } from './blocking-risk.ts';
import { ForgettingShare } from './forgetting-share.ts';
import { BUCKETS, bucketOf, type FreeForecast, type FreeTable } from './free-forecast.ts';

/** Idle seconds of representatives after which evidence of other work counts for 1/e. */
const IDLE_MEMORY_S = 7_200;

type Phase = 'idle' | 'talking' | 'wrappingUp';

interface Representative {
  phase: Phase;
  sinceMs: number;
  /** Exposure has been told to the survival curves up to here. */
  notedMs: number;
  /** Became busy then without a call of ours, from idle. */
  takenAtMs: number | undefined;
}

export class RepresentativeBoard {
  readonly #representatives = new Map<string, Representative>();
  readonly #counts: Record<Phase, number> = { idle: 0, talking: 0, wrappingUp: 0 };
  readonly #talk: DurationSurvival;
  readonly #wrapUp: DurationSurvival;
  readonly #wrapUps: ForgettingShare;
  readonly #reserved: boolean;
  /** Idle representatives taken by other work, and the idle seconds in which it happened. */
  #taken = 0;
  #idleS = 600;

  constructor(
    curves: { readonly talk: DurationSurvival; readonly wrapUp: DurationSurvival },
    options: { wrapUpShare: number; memoryCount: number; reserved: boolean },
  ) {
    this.#talk = curves.talk;
    this.#wrapUp = curves.wrapUp;
    this.#wrapUps = new ForgettingShare(options.wrapUpShare, 5, options.memoryCount);
    this.#reserved = options.reserved;
  }

  get idle(): number {
    return this.#counts.idle;
  }

  get talking(): number {
    return this.#counts.talking;
  }

  get wrappingUp(): number {
    return this.#counts.wrappingUp;
  }

  get total(): number {
    return this.#representatives.size;
  }

  /** Share of talks that end in wrap-up, as seen lately. */
  get wrapUpShare(): number {
    return this.#wrapUps.value;
  }

  ready(atMs: number, rep: string): void {
    this.#enter(atMs, rep, 'idle');
  }

  /**
   * Talking, for us or for others. An idle representative whom nobody has reserved is lost to other
   * work at times: that is learnt, as demand like any other.
   */
  busy(atMs: number, rep: string, forUs: boolean): void {
    const representative = this.#representatives.get(rep);
    if (forUs && representative?.takenAtMs === atMs) this.#taken -= 1; // told in the other order
    const isTaken = representative?.phase === 'idle' && !forUs && !this.#reserved;
    if (isTaken) this.#taken += 1;
    this.#enter(atMs, rep, 'talking');
    const now = this.#representatives.get(rep);
    if (now !== undefined) now.takenAtMs = isTaken ? atMs : undefined;
  }

  wrapUp(atMs: number, rep: string): void {
    this.#enter(atMs, rep, 'wrappingUp');
  }

  /** Left in the middle of something: how long it would have lasted stays unknown. */
  gone(atMs: number, rep: string): void {
    const representative = this.#representatives.get(rep);
    if (representative === undefined) return;
    this.#expose(representative, atMs);
    this.#counts[representative.phase] -= 1;
    this.#representatives.delete(rep);
  }

  /** Tells the curves how long everybody has gone on. O(representatives). */
  advance(atMs: number): void {
    for (const representative of this.#representatives.values()) {
      this.#expose(representative, atMs);
    }
  }

  /** Busy representatives by how long they have been at it. */
  busyGroups(atMs: number, forecast: FreeForecast): EventGroup[] {
    const talking = new Float64Array(BUCKETS);
    const wrappingUp = new Float64Array(BUCKETS);
    for (const { phase, sinceMs } of this.#representatives.values()) {
      if (phase === 'idle') continue;
      const counts = phase === 'talking' ? talking : wrappingUp;
      const bucket = bucketOf(atMs - sinceMs);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
    return [...groupsOf(talking, forecast.talking), ...groupsOf(wrappingUp, forecast.wrappingUp)];
  }

  /** Idle representatives whom other work may take before our calls do; none when reserved. */
  takenGroup(horizonS: number): EventGroup | undefined {
    if (this.#reserved || this.idle === 0 || this.#taken === 0) return undefined;
    const perS = this.#taken / this.#idleS;
    const within = Float64Array.from({ length: horizonS + 1 }, (_, k) => -Math.expm1(-perS * k));
    return { count: this.idle, within, offset: 0 };
  }

  #enter(atMs: number, rep: string, phase: Phase): void {
    const before = this.#representatives.get(rep);
    if (before !== undefined) {
      if (before.phase === phase) return;
      this.#expose(before, atMs);
      this.#counts[before.phase] -= 1;
      this.#finish(before, atMs, phase);
    }
    this.#counts[phase] += 1;
    this.#representatives.set(rep, {
      phase,
      sinceMs: atMs,
      notedMs: atMs,
      takenAtMs: undefined,
    });
  }

  #finish(before: Representative, atMs: number, next: Phase): void {
    const lastedMs = atMs - before.sinceMs;
    if (before.phase === 'wrappingUp') this.#wrapUp.ended(lastedMs);
    if (before.phase !== 'talking') return;
    this.#talk.ended(lastedMs);
    this.#wrapUps.note(next === 'wrappingUp');
  }

  #expose(representative: Representative, atMs: number): void {
    const { phase, sinceMs, notedMs } = representative;
    if (phase === 'idle') {
      this.#forgetIdleness((atMs - notedMs) / 1_000);
      representative.notedMs = atMs;
      return;
    }
    const curve = phase === 'talking' ? this.#talk : this.#wrapUp;
    curve.exposed(notedMs - sinceMs, atMs - sinceMs);
    representative.notedMs = atMs;
  }

  #forgetIdleness(seconds: number): void {
    const keep = Math.exp(-seconds / IDLE_MEMORY_S);
    this.#taken *= keep;
    this.#idleS = this.#idleS * keep + seconds;
  }
}

function groupsOf(counts: Float64Array, { columns, within }: FreeTable): EventGroup[] {
  const groups: EventGroup[] = [];
  counts.forEach((count, bucket) => {
    if (count > 0) groups.push({ count, within, offset: bucket * columns });
  });
  return groups;
}
