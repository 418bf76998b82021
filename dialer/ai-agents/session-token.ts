/** The secret that lets an AI agent speak for one call: 256 random bits, of which only a hash is kept. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const TOKEN_BYTES = 32;

/** Base64url, 43 characters. */
export function newToken(random: (bytes: number) => Buffer = randomBytes): string {
  return random(TOKEN_BYTES).toString('base64url');
}

/** SHA-256, hexadecimal. A random token needs no salt and no slow hash. */
export function hashOfToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** In constant time: how long it takes says nothing about how much of a guess was right. */
export function isToken(token: string, hash: string): boolean {
  return timingSafeEqual(Buffer.from(hashOfToken(token), 'hex'), Buffer.from(hash, 'hex'));
}
