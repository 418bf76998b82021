/** Ids that sort by creation: UUIDv7 (RFC 9562 §5.7), monotonic within one source. */
import { randomBytes } from 'node:crypto';

export interface IdSource {
  /** UUIDv7, lower case. Each sorts after the one before, also within a millisecond. */
  id(): string;
  /** Grows with every call: milliseconds times 1000, plus a count within the millisecond. */
  sequence(): number;
}

/** 12 bits of `rand_a` count within a millisecond (RFC 9562 §6.2, method 1). */
const COUNTER_MAX = 0xfff;
/** A new millisecond starts below this, so that there is room to count. */
const COUNTER_START_MASK = 0x1ff;
const SEQUENCES_PER_MS = 1_000;

const POOL_BYTES = 4_096;

/** Random bytes in large helpings: asking the system for ten at a time costs more than the id. */
function pooledRandom(): (bytes: number) => Buffer {
  let pool = Buffer.alloc(0);
  return (bytes) => {
    if (pool.length < bytes) pool = randomBytes(POOL_BYTES);
    const taken = pool.subarray(0, bytes);
    pool = pool.subarray(bytes);
    return taken;
  };
}

/** `nowMs` may stand still or step back (a corrected clock): order is kept by staying ahead of it. */
export function idSource(
  nowMs: () => number,
  random: (bytes: number) => Buffer = pooledRandom(),
): IdSource {
  let lastMs = 0;
  let counter = 0;
  let lastSequence = 0;

  const id = (): string => {
    const now = Math.floor(nowMs());
    const bytes = random(10);
    if (now > lastMs) {
      lastMs = now;
      counter = bytes.readUInt16BE(8) & COUNTER_START_MASK;
    } else if (counter < COUNTER_MAX) counter += 1;
    else {
      lastMs += 1;
      counter = bytes.readUInt16BE(8) & COUNTER_START_MASK;
    }
    const time = lastMs.toString(16).padStart(12, '0');
    const countHex = counter.toString(16).padStart(3, '0');
    const variant = ((bytes.readUInt8(0) & 0x3f) | 0x80).toString(16).padStart(2, '0');
    const rest = bytes.toString('hex', 1, 8);
    return `${time.slice(0, 8)}-${time.slice(8)}-7${countHex}-${variant}${rest.slice(0, 2)}-${rest.slice(2)}`;
  };

  const sequence = (): number => {
    lastSequence = Math.max(Math.floor(nowMs()) * SEQUENCES_PER_MS, lastSequence + 1);
    return lastSequence;
  };

  return { id, sequence };
}
