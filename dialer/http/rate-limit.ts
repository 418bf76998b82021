/** Requests per key: a bucket that fills at a steady rate, so that a burst is taken and a flood is not. */
import { HttpError } from './http-error.ts';

export interface RateLimitOptions {
  readonly requestsPerSecondMax: number;
  readonly nowMs: () => number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** A bucket holds this many seconds' worth. */
const BURST_SECONDS = 4;

export class RateLimit {
  readonly #options: RateLimitOptions;
  /** One for each key that was ever valid here: as many as there are keys. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: RateLimitOptions) {
    this.#options = options;
  }

  /** Throws TOO_MANY_REQUESTS with the time after which the next request is taken. */
  take(keyId: string): void {
    const { requestsPerSecondMax: perSecond, nowMs } = this.#options;
    const now = nowMs();
    const full = perSecond * BURST_SECONDS;
    const before = this.#buckets.get(keyId) ?? { tokens: full, atMs: now };
    const gained = (Math.max(0, now - before.atMs) * perSecond) / 1_000;
    const tokens = Math.min(full, before.tokens + gained);
    this.#buckets.set(keyId, { tokens: Math.max(0, tokens - 1), atMs: now });
    if (tokens >= 1) return;
    this.#buckets.set(keyId, { tokens, atMs: now });
    const seconds = Math.max(1, Math.ceil((1 - tokens) / perSecond));
    throw new HttpError('TOO_MANY_REQUESTS', `more than ${perSecond} requests per second`, {
      'retry-after': String(seconds),
    });
  }
}
