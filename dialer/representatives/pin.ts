/**
 * The PIN of the dial-in lobby, as it is kept: scrypt (RFC 7914) with a salt of its own. A PIN has few
 * digits, so what keeps a thief of the store busy is the price of each guess, and what keeps a caller
 * from guessing is the lock-out (dial-in-locks.ts).
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** 16 MiB and some 50 ms of a core for each guess. */
const COST = 16_384;
const BLOCK_SIZE = 8;
const PARALLELISM = 1;
const HASH_BYTES = 32;
const SALT_BYTES = 16;

/** `scrypt$<cost>$<block size>$<parallelism>$<salt>$<hash>`, salt and hash in hex. */
export async function hashPin(pin: string, salt = randomBytes(SALT_BYTES)): Promise<string> {
  const hash = await derive(pin, salt, COST, BLOCK_SIZE, PARALLELISM);
  const parts = [COST, BLOCK_SIZE, PARALLELISM, salt.toString('hex'), hash.toString('hex')];
  return `scrypt$${parts.join('$')}`;
}

/** Against nothing it takes as long, so that the time tells nobody which numbers there are. */
export async function isPin(pin: string, kept: string | null): Promise<boolean> {
  const [, cost, blockSize, parallelism, salt = '', hash = ''] =
    /^scrypt\$(\d+)\$(\d+)\$(\d+)\$([0-9a-f]+)\$([0-9a-f]+)$/.exec(kept ?? '') ?? [];
  const known = Buffer.from(hash, 'hex');
  const found = await derive(
    pin,
    Buffer.from(salt, 'hex'),
    Number(cost ?? COST),
    Number(blockSize ?? BLOCK_SIZE),
    Number(parallelism ?? PARALLELISM),
  );
  return known.length === found.length && timingSafeEqual(known, found);
}

/** What whoever tries would try first: one digit, or digits in a row. */
export function isObviousPin(pin: string): boolean {
  const digits = Array.from(pin, Number);
  const steps = new Set(digits.slice(1).map((digit, at) => digit - (digits[at] ?? 0)));
  return steps.size <= 1 && [...steps].every((step) => Math.abs(step) <= 1);
}

function derive(
  pin: string,
  salt: Buffer,
  cost: number,
  blockSize: number,
  parallelization: number,
): Promise<Buffer> {
  const maxmem = 256 * cost * blockSize;
  return new Promise((resolve, reject) => {
    scrypt(pin, salt, HASH_BYTES, { cost, blockSize, parallelization, maxmem }, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
