/** What a 401 or 407 asks for: WWW-Authenticate and Proxy-Authenticate (RFC 7616 §3.3, RFC 8760). */

/** The strongest first: RFC 8760 §2.4 leaves the choice to whoever answers. */
export const DIGEST_ALGORITHMS = [
  'SHA-512-256-sess',
  'SHA-512-256',
  'SHA-256-sess',
  'SHA-256',
  'MD5-sess',
  'MD5',
] as const;
export type DigestAlgorithm = (typeof DIGEST_ALGORITHMS)[number];

export type DigestQop = 'auth' | 'auth-int';

export interface DigestChallenge {
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  readonly algorithm: DigestAlgorithm;
  /** As it was spelt; undefined when it was left out, and is then left out of the answer too. */
  readonly algorithmName: string | undefined;
  /** Undefined: the form of RFC 2069, without qop. */
  readonly qop: DigestQop | undefined;
  /** The password was right, only the nonce is too old (RFC 7616 §3.3). */
  readonly isStale: boolean;
}

/** Challenges have a few hundred characters; a far end must not keep us busy with more. */
const CHARACTERS_MAX = 8_192;
/** One scheme or one parameter; several header fields reach us as one, joined with commas. */
const TOKEN = /([A-Za-z0-9!#$%&'*+.^_`|~-]+)(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]+))?/gs;

/** Those that can be answered, one for each realm: of several algorithms the strongest. */
export function readChallenges(header: string): DigestChallenge[] {
  const byRealm = new Map<string, DigestChallenge>();
  for (const parameters of digestParameters(header.slice(0, CHARACTERS_MAX))) {
    const challenge = challengeOf(parameters);
    if (challenge === undefined) continue;
    const other = byRealm.get(challenge.realm);
    if (other === undefined || rankOf(challenge) < rankOf(other)) {
      byRealm.set(challenge.realm, challenge);
    }
  }
  return [...byRealm.values()];
}

function rankOf({ algorithm }: DigestChallenge): number {
  return DIGEST_ALGORITHMS.indexOf(algorithm);
}

/** The parameters of each `Digest` challenge; of other schemes nothing. */
function digestParameters(header: string): Map<string, string>[] {
  const found: Map<string, string>[] = [];
  let current: Map<string, string> | undefined;
  for (const [, name = '', value] of header.matchAll(TOKEN)) {
    if (value !== undefined) current?.set(name.toLowerCase(), unquoted(value));
    else {
      current = name.toLowerCase() === 'digest' ? new Map() : undefined;
      if (current !== undefined) found.push(current);
    }
  }
  return found;
}

function challengeOf(parameters: ReadonlyMap<string, string>): DigestChallenge | undefined {
  const [realm, nonce] = [parameters.get('realm'), parameters.get('nonce')];
  const algorithmName = parameters.get('algorithm');
  const wanted = (algorithmName ?? 'MD5').toLowerCase();
  const algorithm = DIGEST_ALGORITHMS.find((one) => one.toLowerCase() === wanted);
  if (realm === undefined || nonce === undefined || algorithm === undefined) return undefined;
  const qop = qopOf(parameters.get('qop'));
  if (qop === 'unknown') return undefined;
  // RFC 7616 §3.4.2: the -sess forms are made with our own nonce, which needs a qop to travel with.
  if (algorithm.endsWith('-sess') && qop === undefined) return undefined;
  return {
    ...{ realm, nonce, algorithm, algorithmName, qop },
    opaque: parameters.get('opaque'),
    isStale: parameters.get('stale')?.toLowerCase() === 'true',
  };
}

/** `auth` where it is offered: a body that a proxy changes on the way would break `auth-int`. */
function qopOf(offered: string | undefined): DigestQop | 'unknown' | undefined {
  if (offered === undefined) return undefined;
  const options = offered.toLowerCase().split(/[\s,]+/);
  return (['auth', 'auth-int'] as const).find((one) => options.includes(one)) ?? 'unknown';
}

function unquoted(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/gs, '$1') : value;
}
