/**
 * Digest credentials of one request and its repetitions (RFC 3261 §22, RFC 7616, RFC 8760). srf's own
 * answer knows MD5 alone, takes the first of several challenges and repeats as long as it is asked.
 */
import { randomBytes } from 'node:crypto';
import { readChallenges, type DigestChallenge } from './digest-challenge.ts';
import { digestResponse } from './digest-response.ts';
import type { SipResponse } from './srf.port.ts';

export interface DigestAccount {
  readonly username: string;
  readonly password: string;
  /** Credentials go to nobody but the realm they belong to (RFC 3261 §22.3); any when left out. */
  readonly realm?: string;
}

/** What the credentials are for. */
export interface ChallengedRequest {
  readonly method: string;
  readonly uri: string;
  readonly body: string;
}

interface Answered {
  readonly header: 'Authorization' | 'Proxy-Authorization';
  readonly challenge: DigestChallenge;
  nonceCount: number;
  wasStale: boolean;
}

/** A proxy and the server behind it may ask, each for itself; nobody has more realms on one way. */
const REALMS_MAX = 4;

export class Authorization {
  readonly #account: DigestAccount;
  readonly #newNonce: () => string;
  readonly #answered = new Map<string, Answered>();

  constructor(account: DigestAccount, newNonce = () => randomBytes(12).toString('hex')) {
    this.#account = account;
    this.#newNonce = newNonce;
  }

  /**
   * Takes the challenges of a 401 or 407. False: they cannot be answered, or our answer was refused,
   * and the response is the end. Each realm is answered once, and once more when it says that only
   * the nonce was stale: a wrong password never makes a loop.
   */
  accept(response: Pick<SipResponse, 'status' | 'get'>): boolean {
    if (response.status !== 401 && response.status !== 407) return false;
    const isProxy = response.status === 407;
    const header = isProxy ? 'Proxy-Authorization' : 'Authorization';
    const asked = response.get(isProxy ? 'Proxy-Authenticate' : 'WWW-Authenticate') ?? '';
    let isWorthwhile = false;
    for (const challenge of readChallenges(asked)) {
      const { realm, isStale } = challenge;
      if (realm !== (this.#account.realm ?? realm)) continue;
      const key = `${header} ${realm}`;
      const before = this.#answered.get(key);
      if (before !== undefined && (!isStale || before.wasStale)) return false;
      if (before === undefined && this.#answered.size >= REALMS_MAX) return false;
      const wasStale = before !== undefined;
      this.#answered.set(key, { header, challenge, nonceCount: 0, wasStale });
      isWorthwhile = true;
    }
    return isWorthwhile;
  }

  /**
   * The credentials as header fields. Several of one name stand in one value with the line break and
   * the name between them: they must not be joined with commas (RFC 3261 §7.3.1), and srf has no
   * other way to send a name twice.
   */
  headersFor(request: ChallengedRequest): Record<string, string> {
    const headers: Record<string, string> = {};
    for (const answered of this.#answered.values()) {
      const { header } = answered;
      const value = this.#credentials(answered, request);
      const others = headers[header];
      headers[header] = others === undefined ? value : `${others}\r\n${header}: ${value}`;
    }
    return headers;
  }

  #credentials(answered: Answered, request: ChallengedRequest): string {
    const { challenge } = answered;
    const { realm, nonce, opaque, algorithmName, qop } = challenge;
    const { username, password } = this.#account;
    answered.nonceCount += 1;
    const nonceCount = answered.nonceCount.toString(16).padStart(8, '0');
    const cnonce = this.#newNonce();
    const response = digestResponse({
      ...{ challenge, username, password, nonceCount, cnonce },
      ...request,
    });
    return [
      `Digest username=${quoted(username)}`,
      `realm=${quoted(realm)}`,
      `nonce=${quoted(nonce)}`,
      `uri=${quoted(request.uri)}`,
      `response="${response}"`,
      ...(algorithmName === undefined ? [] : [`algorithm=${algorithmName}`]),
      // RFC 3261 §25.1: neither qop nor nc is quoted in credentials.
      ...(qop === undefined ? [] : [`qop=${qop}`, `nc=${nonceCount}`, `cnonce="${cnonce}"`]),
      ...(opaque === undefined ? [] : [`opaque=${quoted(opaque)}`]),
    ].join(', ');
  }
}

/** Without line breaks: what a far end sent must not become a header field of ours. */
function quoted(text: string): string {
  return `"${text.replace(/[\r\n]+/g, ' ').replace(/["\\]/g, '\\$&')}"`;
}
