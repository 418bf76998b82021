/** Whether credentials in a request are those of an account (RFC 7616 §3.4, RFC 8760). */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { RepresentativeAccount } from '../../machines/representative-directory.port.ts';

export interface DigestCredentials {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  readonly response: string;
  readonly algorithm: 'MD5' | 'SHA-256';
  readonly cnonce: string;
  /** As it was written: eight digits. */
  readonly nc: string;
}

const CHARACTERS_MAX = 4_096;
const PARAMETER = /([A-Za-z][A-Za-z0-9-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g;

/** Undefined when it is no digest of ours: other scheme, no qop, an algorithm we did not offer. */
export function readCredentials(header: string | undefined): DigestCredentials | undefined {
  const text = (header ?? '').slice(0, CHARACTERS_MAX);
  if (!/^\s*Digest\s/i.test(text)) return undefined;
  const found = new Map<string, string>();
  for (const [, name = '', quoted, plain] of text.matchAll(PARAMETER)) {
    const value = quoted === undefined ? (plain ?? '') : quoted.replace(/\\(.)/g, '$1');
    if (!found.has(name.toLowerCase())) found.set(name.toLowerCase(), value);
  }
  const of = (name: string): string => found.get(name) ?? '';
  const algorithm = (found.get('algorithm') ?? 'MD5').toUpperCase();
  if (algorithm !== 'MD5' && algorithm !== 'SHA-256') return undefined;
  if (of('qop').toLowerCase() !== 'auth' || !/^[0-9a-f]{8}$/i.test(of('nc'))) return undefined;
  if ([of('username'), of('nonce'), of('uri'), of('cnonce')].includes('')) return undefined;
  const [username, realm, nonce, uri] = [of('username'), of('realm'), of('nonce'), of('uri')];
  const [response, cnonce, nc] = [of('response').toLowerCase(), of('cnonce'), of('nc')];
  return { username, realm, nonce, uri, response, algorithm, cnonce, nc };
}

/** An account that is not there is reckoned with too, so that the time tells nobody which there are. */
export function isAnswered(
  credentials: DigestCredentials,
  method: string,
  account: Pick<RepresentativeAccount, 'ha1'> | undefined,
): boolean {
  const { algorithm, nonce, nc, cnonce, uri, response } = credentials;
  const hash = (text: string): string =>
    createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
      .update(text)
      .digest('hex');
  const ha1 = account?.ha1[algorithm] ?? null;
  const ha2 = hash(`${method}:${uri}`);
  const expected = hash(`${(ha1 ?? '').toLowerCase()}:${nonce}:${nc}:${cnonce}:auth:${ha2}`);
  const [given, ours] = [Buffer.from(response), Buffer.from(expected)];
  const isSame = given.length === ours.length && timingSafeEqual(given, ours);
  return isSame && ha1 !== null;
}
