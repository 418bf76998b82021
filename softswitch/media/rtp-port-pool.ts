/** Even UDP ports for RTP, each with the odd one above it for RTCP (RFC 3550 §11). */
import assert from 'node:assert/strict';
import { MediaError } from './media-error.ts';

export interface RtpPortPoolOptions {
  /** First and last port that may be used, both included. An odd first port is rounded up. */
  readonly portMin: number;
  readonly portMax: number;
  /** How long a released port rests: packets of the old call are still on their way to it. */
  readonly quarantineMs: number;
  /** Monotonic clock, ms. */
  readonly nowMs: () => number;
}

/**
 * Hands out ports oldest-first, so that a port is re-used as late as the range allows, and never
 * before its quarantine is over: a late packet of call A must not be heard in call B.
 */
export class RtpPortPool {
  readonly #options: RtpPortPoolOptions;
  /** Never used or rested, in the order to be taken; a Map-free ring would save nothing here. */
  readonly #free: number[] = [];
  readonly #resting: { port: number; untilMs: number }[] = [];
  readonly #taken = new Set<number>();

  constructor(options: RtpPortPoolOptions) {
    const { portMin, portMax, quarantineMs } = options;
    assert(
      portMin >= 1_024 && portMax <= 65_535,
      `RTP ports outside 1024-65535: ${portMin}-${portMax}`,
    );
    assert(quarantineMs >= 0, `quarantineMs is negative: ${quarantineMs}`);
    this.#options = options;
    for (let port = portMin + (portMin % 2); port + 1 <= portMax; port += 2) this.#free.push(port);
    assert(this.#free.length > 0, `no pair of RTP and RTCP port in ${portMin}-${portMax}`);
  }

  /** Ports in use now. */
  get takenCount(): number {
    return this.#taken.size;
  }

  /** Ports of calls that have ended a moment ago. */
  get restingCount(): number {
    this.#endQuarantines();
    return this.#resting.length;
  }

  /** Ports that could be taken now. */
  get freeCount(): number {
    this.#endQuarantines();
    return this.#free.length;
  }

  /** The even port of a free pair. Throws `RTP_PORTS_EXHAUSTED` when all are in use or resting. */
  take(): number {
    this.#endQuarantines();
    const port = this.#free.shift();
    if (port === undefined) {
      const { portMin, portMax } = this.#options;
      throw new MediaError(
        'RTP_PORTS_EXHAUSTED',
        `no free RTP port in ${portMin}-${portMax}: ${this.#taken.size} in use, ` +
          `${this.#resting.length} resting; widen the range`,
      );
    }
    this.#taken.add(port);
    return port;
  }

  /** Gives a port back, to rest. Releasing what is not taken is a bug of the caller. */
  release(port: number): void {
    assert(this.#taken.delete(port), `RTP port ${port} was not taken`);
    this.#resting.push({ port, untilMs: this.#options.nowMs() + this.#options.quarantineMs });
  }

  #endQuarantines(): void {
    const nowMs = this.#options.nowMs();
    let ended = 0;
    // Released in order of time with one quarantine for all: the list is sorted by `untilMs`.
    while (ended < this.#resting.length && (this.#resting[ended]?.untilMs ?? Infinity) <= nowMs) {
      this.#free.push((this.#resting[ended] as { port: number }).port);
      ended += 1;
    }
    if (ended > 0) this.#resting.splice(0, ended);
  }
}
