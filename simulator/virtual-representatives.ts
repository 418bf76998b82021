/** The representatives of a simulated queue: they talk, wrap up, go to lunch and come back. */
import type { VirtualClock } from '../machines/virtual-clock.ts';
import type { Scenario } from './scenario.schema.ts';
import type { SeededRandom } from './seeded-random.ts';

type Phase = 'idle' | 'talking' | 'wrappingUp' | 'gone';

interface Representative {
  readonly name: string;
  phase: Phase;
  sinceMs: number;
  leaves: boolean;
}

export interface RepresentativeNews {
  /** Free: may be given somebody who waits, at once. */
  ready(rep: string): void;
  wrapUp(rep: string): void;
  gone(rep: string): void;
  talkEnded(rep: string): void;
}

export class VirtualRepresentatives {
  readonly #clock: VirtualClock;
  readonly #random: SeededRandom;
  readonly #scenario: Scenario;
  readonly #news: RepresentativeNews;
  readonly #all = new Map<string, Representative>();
  /** Longest idle first. */
  readonly #idle: Representative[] = [];
  readonly #measuredFromMs: number;
  #busyMs = 0;
  #presentMs = 0;

  constructor(
    world: { clock: VirtualClock; random: SeededRandom; scenario: Scenario },
    news: RepresentativeNews,
  ) {
    this.#clock = world.clock;
    this.#random = world.random;
    this.#scenario = world.scenario;
    this.#news = news;
    this.#measuredFromMs = world.scenario.warmUpMinutes * 60_000;
  }

  signIn(): void {
    const { reps, breaks } = this.#scenario;
    for (let i = 0; i < reps; i += 1) this.#arrive(`rep-${i}`);
    for (const { fromMinute, toMinute, reps: count } of breaks) {
      const names = Array.from({ length: Math.min(count, reps) }, (_, i) => `rep-${i}`);
      this.#clock.setTimeout(() => {
        for (const name of names) this.#leave(name);
      }, fromMinute * 60_000);
      this.#clock.setTimeout(() => {
        for (const name of names) this.#arrive(name);
      }, toMinute * 60_000);
    }
  }

  get idle(): number {
    return this.#idle.length;
  }

  /** Nothing is left for them for now: they go, as soon as they are done. */
  rest(): void {
    for (const name of [...this.#all.keys()]) this.#leave(name);
  }

  /** There is work again. */
  resume(): void {
    for (const name of [...this.#all.keys()]) this.#arrive(name);
  }

  /** Takes the one who has been idle longest. */
  take(): string | undefined {
    const representative = this.#idle.shift();
    if (representative === undefined) return undefined;
    this.#enter(representative, 'talking');
    const talkMs = this.#talkMs();
    this.#clock.setTimeout(() => this.#endTalk(representative), talkMs);
    return representative.name;
  }

  /** Talk and wrap-up over time present, from the end of the warm-up on. */
  utilization(): number {
    for (const representative of this.#all.values()) {
      this.#enter(representative, representative.phase);
    }
    return this.#presentMs === 0 ? 0 : this.#busyMs / this.#presentMs;
  }

  #arrive(name: string): void {
    const known = this.#all.get(name);
    if (known !== undefined && known.phase !== 'gone') {
      known.leaves = false; // still on the call that kept them from lunch
      return;
    }
    const sinceMs = this.#clock.now();
    const representative: Representative = { name, phase: 'gone', sinceMs, leaves: false };
    this.#all.set(name, representative);
    this.#becomeIdle(representative);
  }

  #leave(name: string): void {
    const representative = this.#all.get(name);
    if (representative === undefined || representative.phase === 'gone') return;
    representative.leaves = true;
    if (representative.phase === 'idle') this.#becomeIdle(representative);
  }

  #endTalk(representative: Representative): void {
    this.#news.talkEnded(representative.name);
    const { wrapUpMs } = this.#scenario;
    if (wrapUpMs <= 0) return this.#becomeIdle(representative);
    this.#enter(representative, 'wrappingUp');
    this.#news.wrapUp(representative.name);
    this.#clock.setTimeout(() => this.#becomeIdle(representative), wrapUpMs);
  }

  #becomeIdle(representative: Representative): void {
    const at = this.#idle.indexOf(representative);
    if (at >= 0) this.#idle.splice(at, 1);
    if (representative.leaves) {
      this.#enter(representative, 'gone');
      return this.#news.gone(representative.name);
    }
    this.#enter(representative, 'idle');
    this.#idle.push(representative);
    this.#news.ready(representative.name);
  }

  #enter(representative: Representative, phase: Phase): void {
    const nowMs = this.#clock.now();
    const lastedMs = Math.max(0, nowMs - Math.max(representative.sinceMs, this.#measuredFromMs));
    if (representative.phase !== 'gone') this.#presentMs += lastedMs;
    const isBusy = representative.phase === 'talking' || representative.phase === 'wrappingUp';
    if (isBusy) this.#busyMs += lastedMs;
    representative.phase = phase;
    representative.sinceMs = nowMs;
  }

  #talkMs(): number {
    const { handle } = this.#scenario;
    if (!Array.isArray(handle)) return this.#random.logNormal(handle.meanMs, handle.cv);
    let left = this.#random.uniform() * handle.reduce((sum, { share }) => sum + share, 0);
    const kind = handle.find(({ share }) => (left -= share) < 0) ?? handle[0];
    return this.#random.logNormal(kind?.meanMs ?? 1, kind?.cv ?? 0);
  }
}
