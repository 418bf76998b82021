import type { SipTimerSettings } from '../sip/sip-timers.ts';
import type { Timer, TimerWheel } from '../timers/timer-wheel.ts';

/**
 * Repeats what only an end-to-end acknowledgement can stop: a 2xx until its ACK (RFC 3261
 * §13.3.1.4), a reliable provisional response until its PRACK (RFC 3262 §3). The interval starts at
 * T1 and doubles, up to `longestMs`; after 64*T1 the other side is given up.
 */
export class AnswerRepetition {
  readonly #timers: TimerWheel;
  readonly #longestMs: number;
  #repeat: Timer | undefined;
  #giveUp: Timer | undefined;

  constructor(
    timers: TimerWheel,
    timing: SipTimerSettings,
    options: {
      /** Absent over a reliable transport, which loses nothing. */
      readonly repeat: (() => void) | undefined;
      readonly longestMs: number;
      readonly giveUp: () => void;
    },
  ) {
    this.#timers = timers;
    this.#longestMs = options.longestMs;
    this.#giveUp = timers.schedule(64 * timing.t1Ms, () => {
      this.stop();
      options.giveUp();
    });
    if (options.repeat !== undefined) this.#schedule(timing.t1Ms, options.repeat);
  }

  stop(): void {
    this.#repeat?.cancel();
    this.#giveUp?.cancel();
    this.#repeat = undefined;
    this.#giveUp = undefined;
  }

  #schedule(delayMs: number, repeat: () => void): void {
    this.#repeat = this.#timers.schedule(delayMs, () => {
      repeat();
      this.#schedule(Math.min(2 * delayMs, this.#longestMs), repeat);
    });
  }
}
