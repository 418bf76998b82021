/** The `response` of digest credentials (RFC 7616 §3.4.1 to 3.4.3). */
import { createHash } from 'node:crypto';
import type { DigestChallenge } from './digest-challenge.ts';

export interface DigestInput {
  readonly challenge: Pick<DigestChallenge, 'algorithm' | 'nonce' | 'qop' | 'realm'>;
  readonly username: string;
  readonly password: string;
  readonly method: string;
  /** Exactly as in the request line. */
  readonly uri: string;
  /** Only `auth-int` looks at it. */
  readonly body: string;
  /** Ours: eight hexadecimal digits, and what no one can guess. */
  readonly nonceCount: string;
  readonly cnonce: string;
}

const HASH_NAMES = { MD5: 'md5', 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256' } as const;

/** 32 or 64 hexadecimal digits. */
export function digestResponse(input: DigestInput): string {
  const { challenge, username, password, method, uri, nonceCount, cnonce } = input;
  const { algorithm, nonce, qop, realm } = challenge;
  const isSession = algorithm.endsWith('-sess');
  const name = HASH_NAMES[algorithm.replace('-sess', '') as keyof typeof HASH_NAMES];
  const hash = (text: string): string => createHash(name).update(text, 'utf8').digest('hex');
  const secret = hash(`${username}:${realm}:${password}`);
  const a1 = isSession ? hash(`${secret}:${nonce}:${cnonce}`) : secret;
  const a2 = hash(`${method}:${uri}${qop === 'auth-int' ? `:${hash(input.body)}` : ''}`);
  if (qop === undefined) return hash(`${a1}:${nonce}:${a2}`);
  return hash(`${a1}:${nonce}:${nonceCount}:${cnonce}:${qop}:${a2}`);
}
