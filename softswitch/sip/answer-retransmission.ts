import type { Timer, TimerWheel } from '../timers/timer-wheel.ts';
import type { SipTimerSettings } from './sip-timers.ts';

export interface AnswerRetransmissionOptions {
  readonly timers: TimerWheel;
  readonly settings: SipTimerSettings;
  /** Sends the 2xx once more. */
  readonly resend: () => void;
  /** 64*T1 without an ACK: the dialog should be ended with a BYE. */
  readonly onGiveUp: () => void;
}

/**
 * Repeats a 2xx to an INVITE until it is acknowledged: after T1, 2*T1 ... T2, over every transport,
 * for 64*T1 (RFC 3261 §13.3.1.4). The TU's duty, since the transaction is over for RFC 3261.
 */
export class AnswerRetransmission {
  readonly #options: AnswerRetransmissionOptions;
  #resendTimer: Timer | undefined;
  readonly #giveUpTimer: Timer;

  constructor(options: AnswerRetransmissionOptions) {
    this.#options = options;
    const { timers, settings } = options;
    this.#giveUpTimer = timers.schedule(64 * settings.t1Ms, () => {
      this.stop();
      options.onGiveUp();
    });
    this.#resendAfter(settings.t1Ms);
  }

  /** The ACK has come, or the call is over. */
  stop(): void {
    this.#resendTimer?.cancel();
    this.#giveUpTimer.cancel();
  }

  #resendAfter(delayMs: number): void {
    const { timers, settings, resend } = this.#options;
    this.#resendTimer = timers.schedule(delayMs, () => {
      resend();
      this.#resendAfter(Math.min(2 * delayMs, settings.t2Ms));
    });
  }
}
