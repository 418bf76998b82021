/** Hang-ups set for later (`sched_hangup`): the switch's own end of a call whose gateway died. */
import type { Timer, TimerWheel } from '../timers/timer-wheel.ts';
import type { Channel } from './channel.ts';
import { causeNamed } from './hangup-cause.ts';
import { toInteger } from './arguments.ts';

export class Scheduler {
  readonly #timers: TimerWheel;
  readonly #nowMs: () => number;
  readonly #hangups = new Map<Channel, Set<Timer>>();

  constructor(timers: TimerWheel, nowMs: () => number) {
    this.#timers = timers;
    this.#nowMs = nowMs;
  }

  /**
   * `when` is `+<seconds>` from now or epoch seconds; `+0` hangs up at once. Several may be set for one
   * channel, and each stands: as in FreeSWITCH the earliest ends the call.
   */
  hangUp(channel: Channel, when: string, cause = 'ALLOTTED_TIMEOUT'): void {
    const hangUp = (): void => channel.hangUp(causeNamed(cause));
    const seconds = toInteger(when.slice(1));
    if (seconds === 0) {
      hangUp();
      return;
    }
    const delayMs = when.startsWith('+')
      ? seconds * 1_000
      : toInteger(when) * 1_000 - this.#nowMs();
    const timers = this.#hangups.get(channel) ?? new Set();
    const timer = this.#timers.schedule(Math.max(0, delayMs), () => {
      timers.delete(timer);
      hangUp();
    });
    this.#hangups.set(channel, timers.add(timer));
  }

  /** `sched_del <uuid>`: how many were cancelled. */
  cancel(channel: Channel): number {
    const timers = this.#hangups.get(channel);
    this.forget(channel);
    return timers?.size ?? 0;
  }

  forget(channel: Channel): void {
    for (const timer of this.#hangups.get(channel) ?? []) timer.cancel();
    this.#hangups.delete(channel);
  }
}
