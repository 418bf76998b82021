/**
 * When the greeting of a machine is over, so that a message can be left: at its beep, or after a silence
 * in which a beep would have come. It errs towards waiting: a text that begins too early is not recorded,
 * one that begins late has a pause before it.
 */
import { elapsedMs, type GatewayClock } from '../clock.ts';

/** The recorder has begun to record by then. */
const AFTER_BEEP_MS = 250;
/** Speech's end to the message, when no beep comes: beeps come within two seconds of the greeting. */
const NO_BEEP_SILENCE_MS = 2_500;
/** Longer greetings exist, but nobody records a message after one. */
const WAIT_MAX_MS = 60_000;
/** Voice for so long while our text plays: the greeting goes on, this is no click and no cough. */
const RESUMED_AFTER_MS = 700;

/** beep, silence: now is the time. limit: it never ended. deaf: nobody can tell. */
export type GreetingEnd = 'beep' | 'silence' | 'limit' | 'deaf';

export class GreetingWatch {
  readonly #clock: GatewayClock;
  /** Of the last voice; undefined while there is voice, or nothing was heard yet. */
  #quietSinceMs: number | undefined;
  /** Not since the last voice that came after one. */
  #beepedAtMs: number | undefined;
  #isDeaf = false;
  #waiting: ((end: GreetingEnd) => void) | undefined;
  #limitAtMs = 0;
  #resumed: (() => void) | undefined;
  #timer: unknown;
  #resumedTimer: unknown;

  constructor(clock: GatewayClock) {
    this.#clock = clock;
  }

  beep(): void {
    this.#beepedAtMs = this.#clock.now();
    this.#quietSinceMs ??= this.#beepedAtMs;
    this.#resume(); // a beep while our text plays: it began before the recording did
    this.#look();
  }

  /** `atMs`: the end of the speech. */
  greetingEnded(atMs: number): void {
    this.#quietSinceMs ??= atMs;
    this.#look();
  }

  voice(speaking: boolean): void {
    this.#clock.clearTimeout(this.#resumedTimer);
    if (speaking) {
      this.#quietSinceMs = undefined;
      this.#beepedAtMs = undefined;
      this.#resumedTimer = this.#clock.setTimeout(() => this.#resume(), RESUMED_AFTER_MS);
    } else this.#quietSinceMs = this.#clock.now();
    this.#look();
  }

  /** Nothing more will be heard: what is known already stands. */
  deaf(): void {
    this.#isDeaf = true;
    this.#look();
  }

  over(): Promise<GreetingEnd> {
    this.#limitAtMs = this.#clock.now() + WAIT_MAX_MS;
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.#look();
    });
  }

  /** Calls back once when the greeting goes on after all. Returns the function that stops watching. */
  whenResumed(listener: () => void): () => void {
    this.#resumed = listener;
    return () => (this.#resumed = undefined);
  }

  stop(): void {
    this.#waiting = this.#resumed = undefined;
    this.#clock.clearTimeout(this.#timer);
    this.#clock.clearTimeout(this.#resumedTimer);
  }

  #resume(): void {
    const listener = this.#resumed;
    this.#resumed = undefined;
    listener?.();
  }

  /** Decides now, or when the next moment has come in which it could be decided. */
  #look(): void {
    this.#clock.clearTimeout(this.#timer);
    if (this.#waiting === undefined) return;
    const [end, atMs] = this.#nextEnd();
    if (atMs <= this.#clock.now()) {
      const resolve = this.#waiting;
      this.#waiting = undefined;
      resolve(end);
      return;
    }
    const waitMs = elapsedMs(this.#clock.now(), atMs);
    this.#timer = this.#clock.setTimeout(() => this.#look(), waitMs);
  }

  #nextEnd(): readonly [GreetingEnd, number] {
    if (this.#beepedAtMs !== undefined) return ['beep', this.#beepedAtMs + AFTER_BEEP_MS];
    if (this.#quietSinceMs !== undefined) {
      return ['silence', this.#quietSinceMs + NO_BEEP_SILENCE_MS];
    }
    return this.#isDeaf ? ['deaf', 0] : ['limit', this.#limitAtMs];
  }
}
