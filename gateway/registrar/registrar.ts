/**
 * REGISTER of representatives' phones (RFC 3261 §10), with digest: SHA-256 and MD5 are offered, in that
 * order (RFC 8760 §2.4). Bindings live in the directory, so that any gateway can call any phone.
 */
import type {
  PhoneBinding,
  RepresentativeDirectory,
} from '../../machines/representative-directory.port.ts';
import type { GatewayClock } from '../clock.ts';
import type { GatewayLog } from '../gateway-log.ts';
import type { PhoneAddress, RegisteredPhones } from '../lobby/phone-addresses.ts';
import type { SipRequest, SipResponse } from '../sip/srf.port.ts';
import {
  bindingsAfter,
  readContacts,
  type ExpiryLimits,
  type RegisterMessage,
} from './contacts.ts';
import { isAnswered, readCredentials } from './digest-verification.ts';
import { Nonces } from './nonces.ts';

export interface RegistrarOptions {
  /** Of the digest, and host of the addresses of record. */
  readonly realm: string;
  readonly expires: ExpiryLimits;
  readonly nonceLifetimeMs: number;
}

export interface RegistrarParts {
  readonly options: RegistrarOptions;
  readonly directory: RepresentativeDirectory;
  readonly clock: GatewayClock;
  readonly log: GatewayLog;
}

/** Phones of one representative that register at one moment, at several gateways. */
const BIND_TRIES_MAX = 10;

type Incoming = SipRequest & { readonly protocol?: string };

export class Registrar implements RegisteredPhones {
  readonly #parts: RegistrarParts;
  readonly #nonces: Nonces;

  constructor(parts: RegistrarParts) {
    this.#parts = parts;
    this.#nonces = new Nonces(parts.options.nonceLifetimeMs, () => parts.clock.now());
  }

  get realm(): string {
    return this.#parts.options.realm;
  }

  /** The latest first. */
  async bindingsOf(
    who: { readonly sipUser: string } | { readonly representativeId: string },
  ): Promise<readonly PhoneAddress[] | undefined> {
    const { directory, clock } = this.#parts;
    const account = await directory.accountOf(who);
    if (account === undefined) return undefined;
    const nowMs = clock.now();
    const { bindings } = await directory.bindingsOf(account.representativeId);
    const live = bindings.filter(({ expiresAtMs }) => expiresAtMs > nowMs);
    return [...live]
      .sort((one, other) => other.registeredAtMs - one.registeredAtMs)
      .map(({ contact, received }) => ({
        uri: contact,
        ...(received === null ? {} : { proxy: received }),
      }));
  }

  /** Never rejects: what goes wrong on our side is answered 500. */
  async handle(request: SipRequest, response: SipResponse): Promise<void> {
    try {
      await this.#handle(request, response);
    } catch (error) {
      this.#parts.log.error({ err: error }, 'a REGISTER could not be served');
      response.send(500);
    }
  }

  async #handle(request: Incoming, response: SipResponse): Promise<void> {
    const { directory, log, options, clock } = this.#parts;
    const credentials = readCredentials(request.get('Authorization'));
    if (credentials === undefined || credentials.realm !== options.realm) {
      this.#challenge(response);
      return;
    }
    const { nonce, username } = credentials;
    const count = Number.parseInt(credentials.nc, 16);
    const state = this.#nonces.check(nonce, count);
    const account = await directory.accountOf({ sipUser: username });
    const isRight = isAnswered(credentials, 'REGISTER', account);
    if (!isRight || state === 'foreign' || account === undefined) {
      const { source_address: source } = request;
      if (state !== 'foreign') log.warn({ username, source }, 'REGISTER with wrong credentials');
      this.#challenge(response);
      return;
    }
    // Only to who knows the password is it said that nothing but the nonce was wrong (§3.3).
    if (state === 'stale' || credentials.uri !== request.uri) {
      this.#challenge(response, state === 'stale');
      return;
    }
    this.#nonces.use(nonce, count);
    if (userIn(request.get('To')) !== account.sipUser) {
      response.send(403); // §10.3 step 4: nobody registers for another
      return;
    }
    const { expires } = options;
    const asked = readContacts(request.get('Contact'), request.get('Expires'), expires);
    if (asked.kind === 'invalid') response.send(400);
    else if (asked.kind === 'tooBrief') {
      response.send(423, { headers: { 'Min-Expires': String(expires.minS) } });
    } else {
      const { representativeId } = account;
      const message = { ...identityOf(request), nowMs: clock.now(), source: sourceOf(request) };
      const isInOrder =
        asked.kind === 'none' || (await this.#bind(representativeId, asked, message));
      if (!isInOrder) response.send(500);
      else this.#answer(response, (await directory.bindingsOf(representativeId)).bindings);
    }
  }

  /** False when the message is older than what is known of its client. */
  async #bind(
    representativeId: string,
    asked: Parameters<typeof bindingsAfter>[1],
    message: RegisterMessage,
  ): Promise<boolean> {
    const { directory } = this.#parts;
    for (let turn = 0; turn < BIND_TRIES_MAX; turn += 1) {
      const { version, bindings } = await directory.bindingsOf(representativeId);
      const after = bindingsAfter(bindings, asked, message);
      if (after === undefined) return false;
      if (await directory.replaceBindings(representativeId, version, after)) return true;
    }
    throw new Error(`the bindings of ${representativeId} change all the time`);
  }

  #answer(response: SipResponse, bindings: readonly PhoneBinding[]): void {
    const nowMs = this.#parts.clock.now();
    const contacts = bindings
      .filter(({ expiresAtMs }) => expiresAtMs > nowMs)
      .map(({ contact, expiresAtMs }) => {
        return `<${contact}>;expires=${Math.ceil((expiresAtMs - nowMs) / 1_000)}`;
      });
    const headers = contacts.length === 0 ? {} : { Contact: contacts.join(', ') };
    response.send(200, { headers });
  }

  #challenge(response: SipResponse, isStale = false): void {
    const { realm } = this.#parts.options;
    const [strong, old] = ['SHA-256', 'MD5'].map((algorithm) => {
      const stale = isStale ? ', stale=true' : '';
      const nonce = this.#nonces.make();
      return `Digest realm="${realm}", nonce="${nonce}", algorithm=${algorithm}, qop="auth"${stale}`;
    });
    // Challenges must not be joined with commas (RFC 3261 §7.3.1), and srf sends each name once.
    const both = `${strong ?? ''}\r\nWWW-Authenticate: ${old ?? ''}`;
    response.send(401, { headers: { 'WWW-Authenticate': both } });
  }
}

function identityOf(request: SipRequest): { callId: string; cseq: number } {
  const cseq = Number.parseInt(request.get('CSeq') ?? '0', 10) || 0;
  return { callId: request.get('Call-ID') ?? '', cseq };
}

function sourceOf({ source_address: address, source_port: port, protocol }: Incoming): string {
  const host = address.includes(':') ? `[${address}]` : address;
  const transport = protocol === undefined || protocol === 'udp' ? '' : `;transport=${protocol}`;
  return `sip:${host}:${String(port ?? 5060)}${transport}`;
}

function userIn(header: string | undefined): string | undefined {
  return /sips?:([^@>;]*)@/i.exec(header ?? '')?.[1];
}
