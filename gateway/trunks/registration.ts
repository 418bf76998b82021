/** The REGISTERs of one trunk: one binding of ours, kept alive by its machine (RFC 3261 §10). */
import { randomUUID } from 'node:crypto';
import type { RegisterOutcome } from '../../machines/trunk.events.ts';
import { originOf } from '../sip/sip-final.ts';
import type { SipLink } from '../sip/sip-link.ts';
import type { SipResponse } from '../sip/srf.port.ts';
import { retryAfterMsOf } from './retry-after.ts';
import type { Trunk } from './trunk.ts';

export interface RegistrationParts {
  readonly link: SipLink;
  /** In [0, 1): spreads the tries of many gateways after a registrar's outage. */
  readonly random: () => number;
}

export class Registration {
  readonly #parts: RegistrationParts;
  /** The same for all registrations of one boot, with a rising CSeq (§10.2). */
  readonly #callId = `${randomUUID()}@ringfence`;
  readonly #fromTag = randomUUID().slice(0, 8);
  #cseq = 0;

  constructor(parts: RegistrationParts) {
    this.#parts = parts;
  }

  /** 0 seconds: takes the binding back. Never rejects. */
  async register(trunk: Trunk, seconds: number): Promise<RegisterOutcome> {
    const { link, random } = this.#parts;
    const { username = '', domain = trunk.address.host } = trunk.config;
    const record = `sip:${encodeURIComponent(username)}@${bracketed(domain)}`;
    const outcome = await link.request(
      trunk.uriOf(),
      {
        method: 'REGISTER',
        headers: {
          From: `<${record}>;tag=${this.#fromTag}`,
          To: `<${record}>`,
          'Call-ID': this.#callId,
          CSeq: `${this.#nextCSeq()} REGISTER`,
          // The host `localhost` is replaced by the switch with its own address and port.
          Contact: `<sip:${encodeURIComponent(username)}@localhost>`,
          Expires: String(seconds),
          'User-Agent': 'Ringfence',
        },
      },
      {
        ...(trunk.account === undefined ? {} : { account: trunk.account }),
        onSent: (request) => this.#noteCSeq(request.get('CSeq')),
      },
    );
    if (outcome.kind === 'response') return outcomeOf(outcome.response, seconds, random());
    const detail = outcome.kind === 'refused' ? outcome.error.message : NOT_ASKED[outcome.kind];
    return {
      kind: 'failed',
      detail: `not registered: ${detail}`,
      lot: random(),
      retryAfterMs: null,
    };
  }

  #nextCSeq(): number {
    this.#cseq += 1;
    return this.#cseq;
  }

  /** The repetition with credentials counted on. */
  #noteCSeq(header: string | undefined): void {
    this.#cseq = Math.max(this.#cseq, Number.parseInt(header ?? '0', 10) || 0);
  }
}

const NOT_ASKED = {
  lost: 'our own switch is not connected',
  timeout: 'the registrar is silent',
} as const;

function outcomeOf(response: SipResponse, asked: number, lot: number): RegisterOutcome {
  const { status, reason } = response;
  const said = `${status} ${reason}`.trim();
  if (originOf(response) === 'network') {
    if (status < 300) {
      const seconds = grantedSeconds(response, asked);
      return { kind: 'registered', seconds, detail: `registered for ${seconds} s` };
    }
    const minSeconds = Number(/^\s*(\d{1,9})/.exec(response.get('Min-Expires') ?? '')?.[1] ?? '0');
    if (status === 423 && minSeconds > 0) return { kind: 'tooBrief', seconds: minSeconds };
    if (status === 401 || status === 407 || status === 403) {
      const detail = `the registrar did not accept our credentials (${said})`;
      return { kind: 'authRefused', detail, lot };
    }
  }
  const retryAfterMs = retryAfterMsOf(response) ?? null;
  return { kind: 'failed', detail: `not registered: ${said}`, lot, retryAfterMs };
}

/**
 * §10.2.4: the registrar's word counts, per Contact before that of the whole response. Which of
 * several Contacts is ours cannot be told here (the switch wrote it): the shortest keeps all alive.
 */
function grantedSeconds(response: SipResponse, asked: number): number {
  const ofContacts = [
    ...(response.get('Contact') ?? '').matchAll(/;\s*expires\s*=\s*"?(\d{1,9})/gi),
  ]
    .map(([, seconds]) => Number(seconds))
    .filter((seconds) => seconds > 0);
  if (ofContacts.length > 0) return Math.min(...ofContacts);
  const ofAll = /^\s*(\d{1,9})/.exec(response.get('Expires') ?? '')?.[1];
  return ofAll === undefined ? asked : Number(ofAll);
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
