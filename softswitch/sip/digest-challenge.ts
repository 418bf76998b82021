import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import {
  digestAlgorithmOf,
  digestResponse,
  formatDigestParams,
  parseDigestParams,
} from './digest.ts';
import type { DigestAlgorithm } from './digest.ts';
import { createResponse } from './create-response.ts';
import { headersOf, type SipHeaderField, type SipRequest, type SipResponse } from './message.ts';

/** How a UAS demands credentials. */
export interface DigestChallenge {
  readonly realm: string;
  /** Password of a user, or undefined when there is no such user. */
  passwordOf(username: string): string | undefined;
  /** One challenge per algorithm, in this order. Default MD5 alone. */
  readonly algorithms?: readonly DigestAlgorithm[];
  /** Default true; false gives the form of RFC 2069, without qop. */
  readonly qop?: boolean;
  /** 401 with WWW-Authenticate (default), or 407 with Proxy-Authenticate. */
  readonly statusCode?: 401 | 407;
  /** A nonce older than this is answered with stale=true. Default 300 000. */
  readonly nonceLifeMs?: number;
}

export type DigestVerdict = 'accepted' | 'missing' | 'stale' | 'refused';

const NONCE_LIFE_MS = 300_000;
const NONCES_REMEMBERED_MAX = 10_000;

/**
 * The UAS side. A nonce carries its own time and a signature, so that none has to be stored before
 * it is used; afterwards its highest nonce count is kept, so that captured credentials cannot be
 * used twice (RFC 7616 §5.4).
 */
export class DigestVerifier {
  readonly #challenge: DigestChallenge;
  readonly #nowMs: () => number;
  readonly #secret = randomBytes(32);
  readonly #highestCount = new Map<string, number>();

  constructor(challenge: DigestChallenge, nowMs: () => number) {
    this.#challenge = challenge;
    this.#nowMs = nowMs;
  }

  verify(request: SipRequest): DigestVerdict {
    const name = this.#challenge.statusCode === 407 ? 'Proxy-Authorization' : 'Authorization';
    for (const value of headersOf(request, name)) {
      const params = parseDigestParams(value);
      if (params?.get('realm') === this.#challenge.realm) return this.#judge(params, request);
    }
    return 'missing';
  }

  /** The 401 or 407 for a request that was not accepted. */
  refuse(request: SipRequest, verdict: DigestVerdict): SipResponse {
    const { realm, algorithms = ['MD5'], qop = true, statusCode = 401 } = this.#challenge;
    const name = statusCode === 407 ? 'Proxy-Authenticate' : 'WWW-Authenticate';
    const headers = algorithms.map((algorithm): SipHeaderField => {
      const params: [string, string][] = [
        ['realm', realm],
        ['nonce', this.#newNonce()],
        ['algorithm', algorithm],
      ];
      if (qop) params.push(['qop', 'auth']);
      if (verdict === 'stale') params.push(['stale', 'true']);
      return { name, value: formatDigestParams(params, true) };
    });
    return createResponse(request, statusCode, { headers });
  }

  #judge(params: ReadonlyMap<string, string>, request: SipRequest): DigestVerdict {
    const { algorithms = ['MD5'], qop: wantsQop = true } = this.#challenge;
    const [username, nonce, uri] = [params.get('username'), params.get('nonce'), params.get('uri')];
    const algorithm = digestAlgorithmOf(params.get('algorithm'));
    if (username === undefined || nonce === undefined || uri === undefined) return 'refused';
    if (algorithm === undefined || !algorithms.includes(algorithm)) return 'refused';
    const password = this.#challenge.passwordOf(username);
    const hasQop = params.get('qop') !== undefined;
    if (password === undefined || (wantsQop && !hasQop)) return 'refused';

    const qop = { nonceCount: params.get('nc') ?? '', cnonce: params.get('cnonce') ?? '' };
    const { realm } = this.#challenge;
    const input = { algorithm, username, realm, password, method: request.method, uri, nonce };
    const expected = digestResponse(hasQop ? { ...input, qop } : input);
    if (!isSameText(expected, params.get('response') ?? '')) return 'refused';
    if (!this.#isFresh(nonce)) return 'stale'; // right password, old nonce
    return hasQop && !this.#countsUp(nonce, qop.nonceCount) ? 'stale' : 'accepted';
  }

  #countsUp(nonce: string, nonceCount: string): boolean {
    const count = /^[0-9a-f]{8}$/i.test(nonceCount) ? Number.parseInt(nonceCount, 16) : 0;
    if (count <= (this.#highestCount.get(nonce) ?? 0)) return false;
    if (this.#highestCount.size >= NONCES_REMEMBERED_MAX) {
      const [oldest] = this.#highestCount.keys();
      if (oldest !== undefined) this.#highestCount.delete(oldest);
    }
    this.#highestCount.set(nonce, count);
    return true;
  }

  #newNonce(): string {
    const made = `${Math.floor(this.#nowMs())}.${randomBytes(6).toString('hex')}`;
    return `${made}.${this.#sign(made)}`;
  }

  #isFresh(nonce: string): boolean {
    const lastDot = nonce.lastIndexOf('.');
    const made = nonce.slice(0, lastDot);
    if (!isSameText(this.#sign(made), nonce.slice(lastDot + 1))) return false;
    const ageMs = this.#nowMs() - Number(made.slice(0, made.indexOf('.')));
    return ageMs <= (this.#challenge.nonceLifeMs ?? NONCE_LIFE_MS);
  }

  #sign(text: string): string {
    return createHmac('sha256', this.#secret).update(text).digest('hex').slice(0, 24);
  }
}

function isSameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
