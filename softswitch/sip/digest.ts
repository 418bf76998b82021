/** Digest authentication (RFC 3261 §22, RFC 7616, RFC 8760): MD5 and SHA-256, qop=auth or none. */
import { createHash } from 'node:crypto';
import { quote, unquote } from './quoted-text.ts';

export type DigestAlgorithm = 'MD5' | 'SHA-256';

export interface DigestCredentials {
  username: string;
  password: string;
  /** Answer only challenges of this realm; any when left out. */
  realm?: string;
}

const HASH_NAMES: Readonly<Record<DigestAlgorithm, string>> = { MD5: 'md5', 'SHA-256': 'sha256' };

export function digestAlgorithmOf(name: string | undefined): DigestAlgorithm | undefined {
  if (name === undefined) return 'MD5'; // RFC 7616 §3.3
  const upper = name.toUpperCase();
  return upper === 'MD5' || upper === 'SHA-256' ? upper : undefined;
}

export interface DigestInput {
  readonly algorithm: DigestAlgorithm;
  readonly username: string;
  readonly realm: string;
  readonly password: string;
  readonly method: string;
  readonly uri: string;
  readonly nonce: string;
  /** Absent: the form of RFC 2069. */
  readonly qop?: { readonly nonceCount: string; readonly cnonce: string };
}

/** The `response` value (RFC 7616 §3.4.1), 32 or 64 hex digits. */
export function digestResponse(input: DigestInput): string {
  const hash = (text: string): string =>
    createHash(HASH_NAMES[input.algorithm]).update(text, 'utf8').digest('hex');
  const a1 = hash(`${input.username}:${input.realm}:${input.password}`);
  const a2 = hash(`${input.method}:${input.uri}`);
  if (input.qop === undefined) return hash(`${a1}:${input.nonce}:${a2}`);
  const { nonceCount, cnonce } = input.qop;
  return hash(`${a1}:${input.nonce}:${nonceCount}:${cnonce}:auth:${a2}`);
}

const CHARACTERS_MAX = 4_096; // real ones have a few hundred; PARAM is slow on long nonsense
const PARAM = /([A-Za-z0-9_-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]+)/gs;

/** Parameters of a challenge or of credentials; undefined when the scheme is not Digest. */
export function parseDigestParams(value: string): Map<string, string> | undefined {
  const scheme = /^\s*digest\s+/i.exec(value);
  if (scheme === null || value.length > CHARACTERS_MAX) return undefined;
  const params = new Map<string, string>();
  for (const match of value.slice(scheme[0].length).matchAll(PARAM)) {
    if (match[1] !== undefined) params.set(match[1].toLowerCase(), unquote(match[2] ?? ''));
  }
  return params;
}

/** RFC 3261 §25.1 fixes which of them are quoted and which must not be. */
const UNQUOTED = new Set(['algorithm', 'stale', 'nc']);

export function formatDigestParams(
  params: readonly (readonly [string, string])[],
  isChallenge: boolean,
): string {
  const list = params.map(([name, value]) => {
    // qop is quoted in a challenge (a list) and bare in credentials (one token).
    const isBare = UNQUOTED.has(name) || (name === 'qop' && !isChallenge);
    return `${name}=${isBare ? value : quote(value)}`;
  });
  return `Digest ${list.join(', ')}`;
}
