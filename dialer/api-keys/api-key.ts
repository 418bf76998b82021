/** A key as its owner holds it: made at random, shown once, kept as a hash. */
import { createHash, randomBytes } from 'node:crypto';

export const ROLES = ['read', 'deliver', 'operate', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** Each role may do all that the ones before it may. */
export function mayActAs(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

export interface NewKey {
  /** `rf_` and 43 signs: 256 random bits, so that a plain hash is enough and nobody guesses one. */
  readonly key: string;
  readonly prefix: string;
  readonly hash: string;
}

const KEY_BYTES = 32;
/** Of what is shown: tells keys apart, and leaves 208 bits unknown. */
const PREFIX_CHARS = 11;

export function newKey(bytes = randomBytes(KEY_BYTES)): NewKey {
  return keyOf(`rf_${bytes.toString('base64url')}`);
}

export function keyOf(key: string): NewKey {
  return { key, prefix: key.slice(0, PREFIX_CHARS), hash: hashOf(key) };
}

/** Looked up as it is: to find one by its hash, one would have to know what hashes to it. */
export function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
