/**
 * The way of one call to the network: the trunk it is on, and the others of its group should that one
 * fail before anything can be ringing. Holds the channel of the trunk in use until it is released.
 */
import type { AttemptEnded } from '../../machines/attempt-ended.ts';
import type { GatewayClock } from '../clock.ts';
import { sharesEndpoints } from '../media/endpoint-pools.ts';
import { offerFor } from '../media/sdp-offer.ts';
import type { Reroute } from '../sip/reroute.ts';
import type { SipResponse } from '../sip/srf.port.ts';
import { canHaveRung } from './can-have-rung.ts';
import type { Trunk } from './trunk.ts';

/** A call on one trunk, ready to leave. */
export interface TrunkWay {
  readonly trunk: Trunk;
  readonly uri: string;
  readonly headers: Record<string, string>;
  /** When the trunk's rate lets the INVITE go, epoch ms. */
  readonly momentMs: number;
}

/** The same call on a trunk, if it may take it by then; what is not used is not taken. */
export type WayOn = (trunk: Trunk, nowMs: number, notAfterMs: number) => TrunkWay | undefined;

export interface CallRouteParts {
  readonly first: TrunkWay;
  readonly others: readonly Trunk[];
  readonly wayOn: WayOn;
  readonly clock: GatewayClock;
  /** Nobody may be called then or later. Epoch ms; infinite: there is no such time. */
  readonly windowEndMs: number;
}

interface Departure {
  readonly go: (way: TrunkWay) => void;
  /** Nobody may be called any more by the time the rate allows it. */
  readonly giveUp: () => void;
}

/** Nobody rings and nobody is told anything while a call waits for the rate of another trunk. */
const FAILOVER_WAIT_MAX_MS = 2_000;

export class CallRoute {
  readonly #parts: CallRouteParts;
  #others: readonly Trunk[];
  #way: TrunkWay;
  /** The trunk of the last INVITE. */
  #used: Trunk;
  #freeChannel: () => void;
  #timer: unknown;
  #isReleased = false;

  constructor(parts: CallRouteParts) {
    this.#parts = parts;
    this.#others = parts.others;
    this.#way = parts.first;
    this.#used = parts.first.trunk;
    this.#freeChannel = parts.first.trunk.takeChannel();
  }

  get way(): TrunkWay {
    return this.#way;
  }

  get trunk(): Trunk {
    return this.#way.trunk;
  }

  /** For the leg whose endpoint has this SDP. */
  reroute(localSdp: string): Reroute {
    return {
      next: (response, go, giveUp) => {
        const leave = ({ trunk, uri, headers }: TrunkWay): void => {
          const offer = offerFor(localSdp, trunk.config.codecs) ?? '';
          go({ uri, headers, offer, account: trunk.account });
        };
        return this.#next(response, leave, giveUp);
      },
      withdraw: () => this.#parts.clock.clearTimeout(this.#timer),
    };
  }

  /** What became of the INVITE on the trunk that was used last. */
  ended(ended: AttemptEnded): void {
    this.#used.callEnded(ended);
  }

  /** Nothing of the call is left on the wire. */
  release(): void {
    this.#isReleased = true;
    this.#freeChannel();
  }

  #next(
    response: SipResponse | undefined,
    go: (way: TrunkWay) => void,
    giveUp: () => void,
  ): boolean {
    const { clock, wayOn, windowEndMs } = this.#parts;
    if (response !== undefined && canHaveRung(response, this.trunk.address.transport)) return false;
    const nowMs = clock.now();
    const notAfterMs = Math.min(nowMs + FAILOVER_WAIT_MAX_MS, windowEndMs - 1);
    if (nowMs > notAfterMs) return false;
    for (const [index, trunk] of this.#others.entries()) {
      // The endpoint is there already, and must speak as that trunk wants it.
      if (!sharesEndpoints(trunk.config, this.trunk.config)) continue;
      const way = wayOn(trunk, nowMs, notAfterMs);
      if (way === undefined) continue;
      this.trunk.inviteFailed(response);
      this.#others = this.#others.slice(index + 1);
      this.#take(way);
      const waitMs = way.momentMs - nowMs;
      this.#leave(way, waitMs > 0 ? waitMs : trunk.leave(nowMs), { go, giveUp });
      return true;
    }
    return false;
  }

  #leave(way: TrunkWay, waitMs: number, to: Departure): void {
    const { clock, windowEndMs } = this.#parts;
    const nowMs = clock.now();
    if (waitMs <= 0) {
      this.#used = way.trunk;
      to.go(way);
    } else if (nowMs + waitMs >= windowEndMs) to.giveUp();
    else {
      const again = (): void => this.#leave(way, way.trunk.leave(clock.now()), to);
      this.#timer = clock.setTimeout(again, waitMs);
    }
  }

  #take(way: TrunkWay): void {
    this.#freeChannel();
    this.#way = way;
    this.#freeChannel = way.trunk.takeChannel();
    if (this.#isReleased) this.#freeChannel();
  }
}
