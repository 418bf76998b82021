/**
 * Nonces of the registrar (RFC 7616 §3.3): each says by itself until when it is good, signed, so that
 * asking costs us no memory. Only those that were answered rightly are remembered, with their highest
 * nonce count: a request that is heard on the wire cannot be sent again.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** fresh: may be used. stale: was one of ours, too old or used before. */
export type NonceState = 'fresh' | 'stale' | 'foreign';

/** Of as many phones as register within a nonce's life; older ones are forgotten, and so refused. */
const REMEMBERED_MAX = 20_000;

export class Nonces {
  readonly #secret = randomBytes(32);
  readonly #lifetimeMs: number;
  readonly #now: () => number;
  /** Highest nonce count by nonce, in the order of first use. */
  readonly #counts = new Map<string, number>();
  /** Nonces made before this are refused: what was forgotten of them could be replayed. */
  #goodSinceMs = 0;

  constructor(lifetimeMs: number, now: () => number) {
    this.#lifetimeMs = lifetimeMs;
    this.#now = now;
  }

  make(): string {
    const body = `${this.#now().toString(36)}.${randomBytes(9).toString('base64url')}`;
    return `${body}.${this.#sign(body)}`;
  }

  check(nonce: string, nonceCount: number): NonceState {
    const madeAtMs = this.#madeAtMs(nonce);
    if (madeAtMs === undefined) return 'foreign';
    const isOld = madeAtMs + this.#lifetimeMs < this.#now() || madeAtMs < this.#goodSinceMs;
    return isOld || nonceCount <= (this.#counts.get(nonce) ?? 0) ? 'stale' : 'fresh';
  }

  /** It was answered rightly with that count. */
  use(nonce: string, nonceCount: number): void {
    this.#counts.set(nonce, nonceCount);
    if (this.#counts.size <= REMEMBERED_MAX) return;
    const [oldest] = this.#counts.keys();
    if (oldest === undefined) return;
    this.#counts.delete(oldest);
    this.#goodSinceMs = Math.max(this.#goodSinceMs, (this.#madeAtMs(oldest) ?? 0) + 1);
  }

  #madeAtMs(nonce: string): number | undefined {
    const at = nonce.lastIndexOf('.');
    const body = nonce.slice(0, at);
    const [given, ours] = [Buffer.from(nonce.slice(at + 1)), Buffer.from(this.#sign(body))];
    if (at < 0 || given.length !== ours.length || !timingSafeEqual(given, ours)) return undefined;
    return Number.parseInt(body, 36);
  }

  #sign(body: string): string {
    return createHmac('sha256', this.#secret).update(body).digest('base64url').slice(0, 22);
  }
}
