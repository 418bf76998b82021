import { randomFillSync } from 'node:crypto';

const ID_BYTES = 12; // 96 bits; RFC 3261 §19.3 asks for 32 in a tag
const POOL = Buffer.allocUnsafe(ID_BYTES * 512); // one system call for 512 ids
let used = POOL.length;

function randomId(): string {
  if (used + ID_BYTES > POOL.length) {
    randomFillSync(POOL);
    used = 0;
  }
  used += ID_BYTES;
  return POOL.toString('hex', used - ID_BYTES, used);
}

/** With the magic cookie that marks the branch as unique in space and time (RFC 3261 §8.1.1.7). */
export function newBranch(): string {
  return `z9hG4bK${randomId()}`;
}

export function newTag(): string {
  return randomId();
}

/** No host part: it would tell the far end our inner address (RFC 3261 §8.1.1.4). */
export function newCallId(): string {
  return `${randomId()}-${randomId().slice(0, 8)}`;
}
