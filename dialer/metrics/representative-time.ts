/**
 * How long representatives do what: states as they are entered, time as it passes. Kept apart from the
 * desk, so that nothing that dials depends on being measured.
 */
import type { RepresentativeWork } from '../../machines/representative.events.ts';
import { OFFLINE } from '../representatives/representative-rules.schema.ts';

/** `away`: signed on, with a presence that nobody dials for. */
export type RepresentativeState = 'offline' | 'away' | RepresentativeWork;

export interface TimeTaken {
  /** Signed on and in that state, s. */
  readonly inState: (state: RepresentativeState, seconds: number) => void;
  /** Available to connected, s. */
  readonly idle: (seconds: number) => void;
  readonly wrapUp: (seconds: number) => void;
}

interface Person {
  work: RepresentativeWork;
  presence: string;
  /** Up to when their time has been told. */
  countedMs: number;
  workSinceMs: number;
  /** Since when they could have been given a call; null: they cannot. */
  availableSinceMs: number | null;
}

const AVAILABLE: readonly RepresentativeState[] = ['free', 'invited', 'joining', 'reserved'];

export class RepresentativeTime {
  readonly #taken: TimeTaken;
  readonly #nowMs: () => number;
  readonly #mayWork: (presence: string) => boolean;
  readonly #people = new Map<string, Person>();

  constructor(taken: TimeTaken, nowMs: () => number, mayWork: (presence: string) => boolean) {
    this.#taken = taken;
    this.#nowMs = nowMs;
    this.#mayWork = mayWork;
  }

  /** Who is there, and how they are signed on. What they do is told by `entered`, in its order. */
  present(id: string, presence: string, work: RepresentativeWork): void {
    const nowMs = this.#nowMs();
    const known = this.#people.get(id);
    const person = known ?? {
      ...{ work, presence, countedMs: nowMs, workSinceMs: nowMs, availableSinceMs: null },
    };
    if (known !== undefined) this.#count(known, nowMs);
    else this.#people.set(id, person);
    person.presence = presence;
    this.#noteAvailable(person, nowMs);
  }

  entered(id: string, work: RepresentativeWork): void {
    const nowMs = this.#nowMs();
    const person = this.#people.get(id);
    if (person === undefined) return;
    this.#count(person, nowMs);
    if (person.work === 'wrapUp' && work !== 'wrapUp') {
      this.#taken.wrapUp((nowMs - person.workSinceMs) / 1_000);
    }
    if (work === 'connected' && person.availableSinceMs !== null) {
      this.#taken.idle((nowMs - person.availableSinceMs) / 1_000);
    }
    person.work = work;
    person.workSinceMs = nowMs;
    this.#noteAvailable(person, nowMs);
  }

  /** What they do as it was told last; undefined: nobody knows them. */
  workOf(id: string): RepresentativeWork | undefined {
    return this.#people.get(id)?.work;
  }

  /** Counts everybody's time up to now, and how many are in each state. */
  states(): ReadonlyMap<RepresentativeState, number> {
    const nowMs = this.#nowMs();
    const states = new Map<RepresentativeState, number>(ALL.map((state) => [state, 0]));
    for (const person of this.#people.values()) {
      this.#count(person, nowMs);
      const state = this.#stateOf(person);
      states.set(state, (states.get(state) ?? 0) + 1);
    }
    return states;
  }

  #count(person: Person, nowMs: number): void {
    const state = this.#stateOf(person);
    if (state !== 'offline') this.#taken.inState(state, (nowMs - person.countedMs) / 1_000);
    person.countedMs = nowMs;
  }

  #noteAvailable(person: Person, nowMs: number): void {
    if (AVAILABLE.includes(this.#stateOf(person))) person.availableSinceMs ??= nowMs;
    else person.availableSinceMs = null;
  }

  #stateOf({ work, presence }: Person): RepresentativeState {
    if (work !== 'free') return work;
    if (presence === OFFLINE) return 'offline';
    return this.#mayWork(presence) ? 'free' : 'away';
  }
}

const ALL: readonly RepresentativeState[] = [
  ...([
    'offline',
    'away',
    'free',
    'invited',
    'joining',
    'reserved',
    'connected',
    'wrapUp',
  ] as const),
];
