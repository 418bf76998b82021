/** Calls a representative's phone: an endpoint, then the addresses one after the other. */
import type { TrunkConfig } from '../../config/trunk.schema.ts';
import type { Acquired } from '../media/endpoint-pool.ts';
import type { MediaEndpoint } from '../media/media-endpoint.ts';
import { offerFor } from '../media/sdp-offer.ts';
import type { SipLadder } from '../sip/sip-ladder.ts';
import type { LobbyParts } from './lobby-parts.ts';
import type { LobbyWay, LobbyWayHandlers } from './lobby-way.ts';
import type { PhoneAddress } from './phone-addresses.ts';
import { PhoneLeg } from './phone-leg.ts';

const CODECS: TrunkConfig['codecs'] = ['PCMU', 'PCMA'];

/**
 * Refreshed half-way by the switch (RFC 4028 §10): when the switch and every gateway die, the phone
 * is free again after this. A phone that wants longer intervals answers 422 and is called without.
 */
const SESSION_EXPIRES_S = 600;

export class LobbyCall implements LobbyWay {
  readonly #parts: Pick<LobbyParts, 'open' | 'services' | 'phones'>;
  readonly #ladder: SipLadder;
  readonly #handlers: LobbyWayHandlers;
  #withdraw: (() => void) | undefined;
  #endpoint: MediaEndpoint | undefined;
  #leg: PhoneLeg | undefined;
  #timer: unknown;
  #answered = false;
  #over = false;

  constructor(
    parts: Pick<LobbyParts, 'open' | 'services' | 'phones'>,
    ladder: SipLadder,
    handlers: LobbyWayHandlers,
  ) {
    this.#parts = parts;
    this.#ladder = ladder;
    this.#handlers = handlers;
  }

  start(): void {
    const { open, services } = this.#parts;
    const { ringLimitMs } = open;
    this.#timer = services.clock.setTimeout(
      () => this.#refuse(null, `not answered within ${ringLimitMs} ms`),
      ringLimitMs,
    );
    void this.#find();
  }

  async end(): Promise<void> {
    this.#over = true;
    this.#parts.services.clock.clearTimeout(this.#timer);
    this.#withdraw?.();
    this.#leg?.end();
    this.#endpoint?.release();
    await this.#leg?.released;
  }

  async #find(): Promise<void> {
    const { open, services, phones } = this.#parts;
    const found = await phones.find(open.sipUri, open.representativeId).catch((error: unknown) => ({
      ok: false as const,
      problem: `the directory of phones: ${String(error)}`,
    }));
    if (this.#over) return;
    if (!found.ok) {
      this.#refuse(null, found.problem);
      return;
    }
    const withdraw = services.pool.acquire(open.ringLimitMs, (acquired) => {
      this.#withdraw = undefined;
      this.#onEndpoint(acquired, found.addresses);
    });
    if (this.#endpoint === undefined && !this.#isOver()) this.#withdraw = withdraw;
  }

  #onEndpoint(acquired: Acquired<MediaEndpoint>, addresses: readonly PhoneAddress[]): void {
    const { pool } = this.#parts.services;
    if (acquired.kind === 'none') {
      this.#refuse(null, acquired.problem);
      return;
    }
    const { endpoint } = acquired;
    if (this.#over) {
      pool.giveBack(endpoint);
      return;
    }
    this.#endpoint = endpoint;
    endpoint.gone.onFire((problem) => {
      if (!this.#over) this.#handlers.onLost(`the media channel: ${problem}`);
    });
    const offer = offerFor(endpoint.localSdp, CODECS);
    if (offer === undefined) this.#refuse(null, 'the media server offers neither PCMU nor PCMA');
    else this.#callNext(endpoint, offer, [...addresses]);
  }

  #callNext(
    endpoint: MediaEndpoint,
    offer: string,
    addresses: PhoneAddress[],
    withTimer = true,
  ): void {
    const [address, ...others] = addresses;
    if (this.#over || address === undefined) return;
    const leg = new PhoneLeg({
      ...{ services: this.#parts.services, endpoint, ladder: this.#ladder, offer },
      ...address,
      headers: headersOf(withTimer),
      handlers: {
        onAnswered: () => void this.#onAnswered(endpoint, leg),
        onRefused: (statusCode, detail) => {
          if (statusCode === 422 && withTimer) this.#callNext(endpoint, offer, addresses, false);
          else if (others.length > 0 && statusCode !== 603) this.#callNext(endpoint, offer, others);
          else this.#refuse(statusCode, detail);
        },
        onLost: () => {
          if (!this.#over) this.#handlers.onLost('drachtio was lost');
        },
        onLeft: (bySwitch) => {
          if (this.#over) return;
          if (this.#answered) this.#handlers.onLeft(bySwitch);
          else this.#refuse(null, 'hung up at once');
        },
        onMediaProblem: (problem) => {
          if (!this.#over) this.#handlers.onLost(problem);
        },
        onDigit: (digit) => this.#handlers.onDigit(digit),
        onRefer: (refer, response) => this.#handlers.onRefer(refer, response, leg),
      },
    });
    this.#leg = leg;
    leg.start();
  }

  async #onAnswered(endpoint: MediaEndpoint, leg: PhoneLeg): Promise<void> {
    await leg.mediaReady;
    if (this.#over) return;
    this.#parts.services.clock.clearTimeout(this.#timer);
    this.#answered = true;
    this.#handlers.onAnswered(endpoint, leg);
  }

  #refuse(statusCode: number | null, detail: string): void {
    if (!this.#over && !this.#answered) this.#handlers.onRefused(statusCode, detail);
  }

  /** A function, since it changes while something is awaited or told. */
  #isOver(): boolean {
    return this.#over;
  }
}

function headersOf(withTimer: boolean): Record<string, string> {
  return {
    From: '"Ringfence" <sip:ringfence@localhost>',
    'User-Agent': 'Ringfence',
    ...(withTimer
      ? { Supported: 'timer', 'Session-Expires': `${SESSION_EXPIRES_S};refresher=uac` }
      : {}),
  };
}
