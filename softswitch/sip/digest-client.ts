import { randomBytes } from 'node:crypto';
import {
  digestAlgorithmOf,
  digestResponse,
  formatDigestParams,
  parseDigestParams,
  type DigestAlgorithm,
  type DigestCredentials,
} from './digest.ts';
import { headersOf, type SipHeaderField, type SipResponse } from './message.ts';

interface AcceptedChallenge {
  readonly headerName: 'Authorization' | 'Proxy-Authorization';
  readonly algorithm: DigestAlgorithm;
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  readonly hasQop: boolean;
  /** As the challenge spelt it; echoed only when it was there (RFC 2617 peers). */
  readonly algorithmName: string | undefined;
  nonceCount: number;
}

/**
 * Answers challenges with one set of credentials, and goes on using their nonces for later requests
 * (with a rising nonce count), so that only the first request of a call is challenged.
 */
export class DigestClient {
  readonly #credentials: DigestCredentials;
  readonly #challenges = new Map<string, AcceptedChallenge>(); // by header name and realm

  constructor(credentials: DigestCredentials) {
    this.#credentials = credentials;
  }

  /**
   * Takes the challenges of a 401 or 407. False when none can be answered, or when the credentials
   * have just been refused: the same nonce again, or a new one without stale (RFC 7616 §3.3).
   */
  accept(response: SipResponse): boolean {
    const isProxy = response.statusCode === 407;
    const headerName = isProxy ? 'Proxy-Authorization' : 'Authorization';
    const answered = new Set<string>();
    for (const value of headersOf(response, isProxy ? 'Proxy-Authenticate' : 'WWW-Authenticate')) {
      const params = parseDigestParams(value);
      const challenge = params === undefined ? undefined : readChallenge(params, headerName);
      if (params === undefined || challenge === undefined) continue;
      const { realm } = challenge;
      if (realm !== (this.#credentials.realm ?? realm)) continue;
      if (answered.has(realm)) continue; // the topmost one understood wins (RFC 8760 §2.4)
      const key = `${headerName} ${realm}`;
      const isStale = params.get('stale')?.toLowerCase() === 'true';
      if (this.#challenges.has(key) && !isStale) return false;
      answered.add(realm);
      this.#challenges.set(key, challenge);
    }
    return answered.size > 0;
  }

  /** Credentials for a request, one field per realm that has challenged us; none before. */
  headersFor(method: string, uri: string): SipHeaderField[] {
    return [...this.#challenges.values()].map((challenge) => ({
      name: challenge.headerName,
      value: this.#answer(challenge, method, uri),
    }));
  }

  #answer(challenge: AcceptedChallenge, method: string, uri: string): string {
    const { username, password } = this.#credentials;
    const { algorithm, realm, nonce, opaque, hasQop, algorithmName } = challenge;
    challenge.nonceCount += 1;
    const qop = {
      nonceCount: challenge.nonceCount.toString(16).padStart(8, '0'),
      cnonce: randomBytes(8).toString('hex'),
    };
    const input = { algorithm, username, realm, password, method, uri, nonce };
    const response = digestResponse(hasQop ? { ...input, qop } : input);
    const params: [string, string][] = [
      ['username', username],
      ['realm', realm],
      ['nonce', nonce],
      ['uri', uri],
      ['response', response],
    ];
    if (algorithmName !== undefined) params.push(['algorithm', algorithmName]);
    if (hasQop) params.push(['qop', 'auth'], ['nc', qop.nonceCount], ['cnonce', qop.cnonce]);
    if (opaque !== undefined) params.push(['opaque', opaque]);
    return formatDigestParams(params, false);
  }
}

function readChallenge(
  params: ReadonlyMap<string, string>,
  headerName: AcceptedChallenge['headerName'],
): AcceptedChallenge | undefined {
  const algorithmName = params.get('algorithm');
  const algorithm = digestAlgorithmOf(algorithmName);
  const realm = params.get('realm');
  const nonce = params.get('nonce');
  if (algorithm === undefined || realm === undefined || nonce === undefined) return undefined;
  const qops = params
    .get('qop')
    ?.toLowerCase()
    .split(/[\s,]+/);
  if (qops !== undefined && !qops.includes('auth')) return undefined; // auth-int alone
  const opaque = params.get('opaque');
  const hasQop = qops !== undefined;
  return { headerName, algorithm, realm, nonce, opaque, hasQop, algorithmName, nonceCount: 0 };
}
