/**
 * A transfer key on the representative's phone (REFER, RFC 3515; RFC 5589 §6). It is taken, told, and
 * answered by NOTIFY with what became of it: the dialer decides whether and where the customer goes.
 */
import type { SipRequest, SipResponse } from '../sip/srf.port.ts';
import type { LobbyParts } from './lobby-parts.ts';
import type { LobbyPhone } from './lobby-way.ts';

/** After this nothing came of it: the phone hears so and has its customer still. */
const REFERRAL_LIMIT_MS = 60_000;
const REFER_TO_MAX = 512;

export class LobbyReferral {
  readonly #parts: Pick<LobbyParts, 'services' | 'outlet'>;
  readonly #attemptId: () => string | null;
  #pending: LobbyPhone | undefined;
  #silent = false;
  #timer: unknown;

  constructor(parts: Pick<LobbyParts, 'services' | 'outlet'>, attemptId: () => string | null) {
    this.#parts = parts;
    this.#attemptId = attemptId;
  }

  take(refer: SipRequest, response: SipResponse, leg: LobbyPhone): void {
    const { outlet, services } = this.#parts;
    const referTo = refer.get('Refer-To');
    const attemptId = this.#attemptId();
    // RFC 3515 §2.4.1: exactly one Refer-To. One at a time, and only of a customer who is there.
    if (referTo === undefined || referTo.length > REFER_TO_MAX) {
      response.send(400);
      return;
    }
    if (attemptId === null || this.#pending !== undefined) {
      response.send(attemptId === null ? 603 : 491);
      return;
    }
    this.#pending = leg;
    this.#silent = /^\s*false\b/i.test(refer.get('Refer-Sub') ?? ''); // RFC 4488
    response.send(202, this.#silent ? { headers: { 'Refer-Sub': 'false' } } : {});
    this.#notify(`active;expires=${REFERRAL_LIMIT_MS / 1_000}`, '100 Trying');
    const expire = (): void => this.settle('480 Temporarily Unavailable');
    this.#timer = services.clock.setTimeout(expire, REFERRAL_LIMIT_MS);
    outlet.emit({ type: 'lobby.referred', attemptId, referTo });
  }

  /** `200 OK` when the customer has gone where the phone wanted. */
  settle(outcome: string): void {
    if (this.#pending === undefined) return;
    this.#parts.services.clock.clearTimeout(this.#timer);
    this.#notify('terminated;reason=noresource', outcome);
    this.#pending = undefined;
  }

  end(): void {
    this.settle('487 Request Terminated');
  }

  #notify(state: string, outcome: string): void {
    if (this.#silent) return;
    const headers = {
      Event: 'refer',
      'Subscription-State': state,
      'Content-Type': 'message/sipfrag;version=2.0',
    };
    this.#pending?.notify(headers, `SIP/2.0 ${outcome}\r\n`);
  }
}
