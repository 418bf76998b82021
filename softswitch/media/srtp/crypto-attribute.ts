/** `a=crypto` of SDP security descriptions (RFC 4568): which suite, which key. */
import { MASTER_KEY_BYTES, MASTER_SALT_BYTES } from './srtp-keys.ts';

export const CRYPTO_SUITES = ['AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32'] as const;
export type CryptoSuite = (typeof CRYPTO_SUITES)[number];

export interface CryptoAttribute {
  /** Pairs an answer with its line of the offer (§6.1). */
  readonly tag: number;
  readonly suite: CryptoSuite;
  /** Master key and salt of who wrote the line: what that party encrypts with. */
  readonly master: Buffer;
}

const MASTER_BYTES = MASTER_KEY_BYTES + MASTER_SALT_BYTES;

/**
 * Undefined for what cannot be used: another suite, a key of the wrong length, a master key identifier
 * (it would be in every packet), or session parameters, which must not be passed over (§6.3).
 */
export function readCrypto(value: string): CryptoAttribute | undefined {
  const [tag, suiteText, key, ...parameters] = value.trim().split(/\s+/);
  const suite = CRYPTO_SUITES.find((known) => known === suiteText?.toUpperCase());
  const inline = /^inline:([A-Za-z0-9+/]{40})(?:\|(?:2\^)?\d+)?$/i.exec(key ?? '');
  if (tag === undefined || !/^\d{1,9}$/.test(tag)) return undefined;
  if (suite === undefined || inline === null || parameters.length > 0) return undefined;
  const master = Buffer.from(inline[1] as string, 'base64');
  return master.length === MASTER_BYTES ? { tag: Number(tag), suite, master } : undefined;
}

export function cryptoLine({ tag, suite, master }: CryptoAttribute): string {
  return `a=crypto:${tag} ${suite} inline:${master.toString('base64')}`;
}
