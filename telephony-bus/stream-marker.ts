/**
 * Tells whether a stream is still the one we knew. Redis may be flushed at any moment, or a replica
 * that had not heard of everything may take over: then the key beside the stream is another one.
 */
import { randomUUID } from 'node:crypto';
import type { BusKey } from './bus-keys.ts';
import type { RedisLink } from './redis-link.ts';

/** Longer than any process is without Redis and still has something to say. */
const KEPT_MS = 24 * 3_600_000;

/**
 * KEYS[1] the marker
 * ARGV    value should there be none, ms to keep it
 * Reply   the marker's value
 */
const SCRIPT = `
local value = redis.call('GET', KEYS[1])
if not value then
  value = ARGV[1]
  redis.call('SET', KEYS[1], value)
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return value`;

export class StreamMarker {
  readonly #key: string;
  #value: unknown;

  constructor({ marker }: BusKey) {
    this.#key = marker;
  }

  /** True when what was in the stream the last time is gone. Rejects when Redis cannot be asked. */
  async isLost(link: RedisLink): Promise<boolean> {
    const words = ['EVAL', SCRIPT, '1', this.#key, randomUUID(), String(KEPT_MS)];
    const value = await link.send(this.#key, words);
    const before = this.#value;
    this.#value = value;
    return before !== undefined && before !== value;
  }
}
