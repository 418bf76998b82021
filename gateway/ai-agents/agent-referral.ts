/**
 * A REFER of the agent: it asks for a human (RFC 3515). We take it, and tell by NOTIFY what became of
 * it. Where to, is the dialer's decision: Refer-To is passed on as a wish and dialled by nobody.
 */
import type { GatewayClock } from '../clock.ts';
import type { SecondLeg } from '../sip/second-leg.ts';
import type { SipRequest, SipResponse } from '../sip/srf.port.ts';

/** After this nobody was found: the agent hears so and can go on with the customer. */
const REFERRAL_LIMIT_MS = 30_000;
const REFER_TO_MAX = 512;

export class AgentReferral {
  readonly #leg: Pick<SecondLeg, 'request'>;
  readonly #clock: GatewayClock;
  #pending = false;
  #silent = false;
  #timer: unknown;

  constructor(leg: Pick<SecondLeg, 'request'>, clock: GatewayClock) {
    this.#leg = leg;
    this.#clock = clock;
  }

  /** Answers the REFER. Its Refer-To when it was taken, else undefined. */
  take(refer: SipRequest, response: SipResponse): string | undefined {
    const referTo = refer.get('Refer-To');
    // RFC 3515 §2.4.1: exactly one. One at a time: a second while the first is open is glare.
    if (referTo === undefined || referTo.length > REFER_TO_MAX) {
      response.send(400);
      return undefined;
    }
    if (this.#pending) {
      response.send(491);
      return undefined;
    }
    this.#pending = true;
    // RFC 4488: the agent may not want to hear of it.
    this.#silent = /^\s*false\b/i.test(refer.get('Refer-Sub') ?? '');
    response.send(202, this.#silent ? { headers: { 'Refer-Sub': 'false' } } : {});
    this.#notify(`active;expires=${REFERRAL_LIMIT_MS / 1_000}`, '100 Trying');
    this.#timer = this.#clock.setTimeout(() => {
      this.#settle('480 Temporarily Unavailable');
    }, REFERRAL_LIMIT_MS);
    return referTo;
  }

  /** A human has the customer. */
  served(): void {
    this.#settle('200 OK');
  }

  /** The call ends with the referral still open. */
  end(): void {
    this.#settle('487 Request Terminated');
  }

  #settle(outcome: string): void {
    if (!this.#pending) return;
    this.#pending = false;
    this.#clock.clearTimeout(this.#timer);
    this.#notify('terminated;reason=noresource', outcome);
  }

  #notify(state: string, outcome: string): void {
    if (this.#silent) return;
    const headers = {
      Event: 'refer',
      'Subscription-State': state,
      'Content-Type': 'message/sipfrag;version=2.0',
    };
    // Whatever the agent answers, or whether it does, changes nothing here.
    void this.#leg.request('NOTIFY', { headers, body: `SIP/2.0 ${outcome}\r\n` });
  }
}
