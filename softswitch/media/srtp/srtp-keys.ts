/** Session keys of SRTP (RFC 3711 §4.3), for AES in counter mode with 128 bits and HMAC-SHA1. */
import assert from 'node:assert/strict';
import { createCipheriv } from 'node:crypto';

export const MASTER_KEY_BYTES = 16;
export const MASTER_SALT_BYTES = 14;
const AUTH_KEY_BYTES = 20;
const BLOCK_BYTES = 16;

export interface SessionKeys {
  readonly cipherKey: Buffer;
  readonly authKey: Buffer;
  readonly salt: Buffer;
}

/** What each derived key is for (§4.3.1, §4.3.2). */
const LABELS = {
  rtp: { cipherKey: 0, authKey: 1, salt: 2 },
  rtcp: { cipherKey: 3, authKey: 4, salt: 5 },
} as const;

/**
 * From the 30 octets that SDES carries: master key, then master salt. The key derivation rate is 0, as
 * for every SDES key without a KDR parameter: derived once, never again.
 */
export function sessionKeys(master: Buffer, use: 'rtp' | 'rtcp'): SessionKeys {
  assert(master.length === MASTER_KEY_BYTES + MASTER_SALT_BYTES, 'an SDES key has 30 octets');
  const labels = LABELS[use];
  return {
    cipherKey: derive(master, labels.cipherKey, MASTER_KEY_BYTES),
    authKey: derive(master, labels.authKey, AUTH_KEY_BYTES),
    salt: derive(master, labels.salt, MASTER_SALT_BYTES),
  };
}

/** AES-CM as pseudo-random function (§4.3.3): key stream from salt XOR label, at octet 7. */
function derive(master: Buffer, label: number, bytes: number): Buffer {
  const counter = Buffer.alloc(BLOCK_BYTES);
  master.copy(counter, 0, MASTER_KEY_BYTES);
  counter[7] = (counter[7] as number) ^ label;
  return keyStream(master.subarray(0, MASTER_KEY_BYTES), counter, bytes);
}

/** The first `bytes` of AES-CM's key stream (§4.1.1). */
export function keyStream(key: Buffer, counter: Buffer, bytes: number): Buffer {
  return createCipheriv('aes-128-ctr', key, counter).update(Buffer.alloc(bytes));
}
