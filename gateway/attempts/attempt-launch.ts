/**
 * From an accepted dial to the moment its INVITE may leave: the trunk's rate, an endpoint, and one
 * last look at the clock. Until then the attempt can be withdrawn without a trace on the wire.
 */
import type { RefusalCode } from '../../machines/command-reply.ts';
import type { AttemptDial } from '../../machines/telephony-commands.ts';
import type { GatewayClock } from '../clock.ts';
import type { EndpointPool } from '../media/endpoint-pool.ts';
import type { MediaEndpoint } from '../media/media-endpoint.ts';
import { offerFor } from '../media/sdp-offer.ts';
import type { Trunk } from '../trunks/trunk.ts';

export interface LaunchParts {
  readonly dial: AttemptDial;
  readonly trunk: Trunk;
  /** When the trunk's rate lets this INVITE go, epoch ms. */
  readonly momentMs: number;
  readonly pool: EndpointPool<MediaEndpoint>;
  readonly clock: GatewayClock;
}

export interface LaunchHandlers {
  onReady(endpoint: MediaEndpoint, offer: string): void;
  onRefused(code: RefusalCode, detail: string): void;
}

export class AttemptLaunch {
  readonly #parts: LaunchParts;
  readonly #handlers: LaunchHandlers;
  #withdraw: (() => void) | undefined;
  #over = false;

  constructor(parts: LaunchParts, handlers: LaunchHandlers) {
    this.#parts = parts;
    this.#handlers = handlers;
  }

  start(): void {
    const { momentMs, clock } = this.#parts;
    const waitMs = momentMs - clock.now();
    if (waitMs <= 0) {
      this.#takeEndpoint();
      return;
    }
    const timer = clock.setTimeout(() => this.#takeEndpoint(), waitMs);
    this.#withdraw = () => clock.clearTimeout(timer);
  }

  /** No INVITE leaves after this. */
  withdraw(): void {
    this.#over = true;
    this.#withdraw?.();
  }

  /** The switch is gone: refused, since no INVITE has left. */
  switchLost(problem: string): void {
    const withdraw = this.#withdraw;
    this.#refuse('SWITCH_DOWN', problem);
    withdraw?.();
  }

  #takeEndpoint(): void {
    const { pool, clock, dial } = this.#parts;
    const limitMs = Math.max(0, dial.notAfterMs - clock.now());
    this.#withdraw = undefined;
    const withdraw = pool.acquire(limitMs, (acquired) => {
      this.#withdraw = undefined;
      if (acquired.kind === 'none') this.#refuse('SWITCH_DOWN', acquired.problem);
      else if (this.#over) pool.giveBack(acquired.endpoint);
      else this.#ready(acquired.endpoint);
    });
    if (!this.#over) this.#withdraw = withdraw;
  }

  #ready(endpoint: MediaEndpoint): void {
    const { trunk, clock, dial, pool } = this.#parts;
    this.#withdraw = undefined;
    const lateMs = clock.now() - dial.notAfterMs;
    if (lateMs > 0) {
      pool.giveBack(endpoint);
      this.#refuse('TOO_LATE', `${Math.round(lateMs)} ms past notAfterMs`);
      return;
    }
    const waitMs = trunk.leave(clock.now());
    if (waitMs > 0) {
      const timer = clock.setTimeout(() => this.#ready(endpoint), waitMs);
      this.#withdraw = () => {
        clock.clearTimeout(timer);
        pool.giveBack(endpoint);
      };
      return;
    }
    const offer = offerFor(endpoint.localSdp, trunk.config.codecs);
    if (offer === undefined) {
      endpoint.release();
      const codecs = trunk.config.codecs.join(', ');
      this.#refuse('SWITCH_DOWN', `the media server offers none of ${codecs}`);
      return;
    }
    this.#over = true;
    this.#handlers.onReady(endpoint, offer);
  }

  #refuse(code: RefusalCode, detail: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#handlers.onRefused(code, detail);
  }
}
