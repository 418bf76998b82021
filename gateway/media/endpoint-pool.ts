/**
 * Endpoints made before they are needed. Each serves one call and is then destroyed, so that no call
 * ever hears what another left behind; the pool makes up for the time that costs by keeping some
 * warm and refilling in the background. Longest warm goes first.
 */
import { Backoff } from '../backoff.ts';
import type { GatewayClock } from '../clock.ts';
import type { OneTimeSignal } from '../one-time-signal.ts';

export interface PoolEndpoint {
  readonly gone: OneTimeSignal<string>;
  release(): void;
}

export interface EndpointPoolOptions {
  /** Kept ready. */
  readonly warm: number;
  /** Warm, being made and in calls, together. */
  readonly max: number;
  /** A warm endpoint is replaced after this: media servers end channels that hear nothing. */
  readonly warmAgeMaxMs: number;
  /** Being made at once. More would only queue in the media server. */
  readonly creatingMax: number;
  readonly retryDelayMinMs: number;
  readonly retryDelayMaxMs: number;
}

export type Acquired<E> =
  | { readonly kind: 'endpoint'; readonly endpoint: E }
  | { readonly kind: 'none'; readonly problem: string };

interface Waiter<E> {
  readonly done: (acquired: Acquired<E>) => void;
  readonly limit: unknown;
}

export class EndpointPool<E extends PoolEndpoint> {
  readonly #options: EndpointPoolOptions;
  readonly #create: () => Promise<E>;
  readonly #clock: GatewayClock;
  readonly #backoff: Backoff;
  /** In the order they were made; the value is when. */
  readonly #warm = new Map<E, number>();
  readonly #inCalls = new Set<E>();
  readonly #waiters = new Set<Waiter<E>>();
  #creating = 0;
  #paused = true;
  #retryTimer: unknown;
  #ageTimer: unknown;
  #lastProblem = 'the media server is not connected';

  constructor(create: () => Promise<E>, options: EndpointPoolOptions, clock: GatewayClock) {
    this.#create = create;
    this.#options = options;
    this.#clock = clock;
    this.#backoff = new Backoff({
      minMs: options.retryDelayMinMs,
      maxMs: options.retryDelayMaxMs,
    });
  }

  get counts(): { warm: number; creating: number; inCalls: number; waiting: number } {
    return {
      warm: this.#warm.size,
      creating: this.#creating,
      inCalls: this.#inCalls.size,
      waiting: this.#waiters.size,
    };
  }

  /**
   * `done` runs at once when an endpoint is warm, else when one is made, or after `limitMs` with what
   * kept it from being made. Returns the function that withdraws the wish.
   */
  acquire(limitMs: number, done: (acquired: Acquired<E>) => void): () => void {
    for (const endpoint of this.#warm.keys()) {
      this.#take(endpoint, done);
      return () => undefined;
    }
    if (this.#paused) {
      done({ kind: 'none', problem: this.#lastProblem });
      return () => undefined;
    }
    const waiter: Waiter<E> = {
      done,
      limit: this.#clock.setTimeout(() => {
        this.#waiters.delete(waiter);
        done({ kind: 'none', problem: this.#whyNone(limitMs) });
      }, limitMs),
    };
    this.#waiters.add(waiter);
    this.#fill();
    return () => {
      this.#clock.clearTimeout(waiter.limit);
      this.#waiters.delete(waiter);
    };
  }

  /** Takes back an endpoint that no call has used: it is as warm as it was. */
  giveBack(endpoint: E): void {
    if (!this.#inCalls.delete(endpoint)) return;
    if (this.#paused) endpoint.release();
    else this.#offer(endpoint);
  }

  /** The media server is there (again). */
  resume(): void {
    this.#paused = false;
    this.#backoff.reset();
    this.#fill();
  }

  /** It is not: what is warm cannot be trusted, and whoever waits is told. */
  pause(problem: string): void {
    this.#paused = true;
    this.#lastProblem = problem;
    this.#clock.clearTimeout(this.#retryTimer);
    this.#clock.clearTimeout(this.#ageTimer);
    this.#retryTimer = undefined;
    this.#ageTimer = undefined;
    for (const endpoint of [...this.#warm.keys()]) this.#dropWarm(endpoint);
    for (const waiter of [...this.#waiters]) {
      this.#clock.clearTimeout(waiter.limit);
      this.#waiters.delete(waiter);
      waiter.done({ kind: 'none', problem });
    }
  }

  #fill(): void {
    if (this.#paused || this.#retryTimer !== undefined) return;
    const { warm, max, creatingMax } = this.#options;
    const total = this.#warm.size + this.#creating + this.#inCalls.size;
    const wished = warm + this.#waiters.size - this.#warm.size - this.#creating;
    const count = Math.min(wished, max - total, creatingMax - this.#creating);
    for (let index = 0; index < count; index += 1) this.#createOne();
  }

  #createOne(): void {
    this.#creating += 1;
    this.#create().then(
      (endpoint) => {
        this.#creating -= 1;
        this.#backoff.reset();
        if (this.#paused) endpoint.release();
        else if (!endpoint.gone.fired) this.#welcome(endpoint);
        this.#fill();
      },
      (error: unknown) => {
        this.#creating -= 1;
        this.#lastProblem = (error as Error).message;
        if (this.#paused || this.#retryTimer !== undefined) return;
        this.#retryTimer = this.#clock.setTimeout(() => {
          this.#retryTimer = undefined;
          this.#fill();
        }, this.#backoff.take());
      },
    );
  }

  #welcome(endpoint: E): void {
    endpoint.gone.onFire(() => {
      this.#inCalls.delete(endpoint);
      this.#warm.delete(endpoint);
      this.#fill();
    });
    this.#offer(endpoint);
  }

  /** To who waits longest, else on the shelf. */
  #offer(endpoint: E): void {
    for (const waiter of this.#waiters) {
      this.#clock.clearTimeout(waiter.limit);
      this.#waiters.delete(waiter);
      this.#take(endpoint, waiter.done);
      return;
    }
    this.#warm.set(endpoint, this.#clock.now());
    this.#watchAge();
  }

  #take(endpoint: E, done: (acquired: Acquired<E>) => void): void {
    this.#warm.delete(endpoint);
    this.#inCalls.add(endpoint);
    done({ kind: 'endpoint', endpoint });
    this.#fill();
  }

  #dropWarm(endpoint: E): void {
    this.#warm.delete(endpoint);
    endpoint.release();
  }

  /** One timer, for the oldest. */
  #watchAge(): void {
    if (this.#ageTimer !== undefined) return;
    const [oldest] = this.#warm.values();
    if (oldest === undefined) return;
    const dueMs = Math.max(0, oldest + this.#options.warmAgeMaxMs - this.#clock.now());
    this.#ageTimer = this.#clock.setTimeout(() => {
      this.#ageTimer = undefined;
      const madeBefore = this.#clock.now() - this.#options.warmAgeMaxMs;
      for (const [endpoint, madeAtMs] of [...this.#warm]) {
        if (madeAtMs <= madeBefore) this.#dropWarm(endpoint);
      }
      this.#fill();
      this.#watchAge();
    }, dueMs);
  }

  #whyNone(limitMs: number): string {
    const { max } = this.#options;
    if (this.#inCalls.size >= max) return `all ${max} endpoints are in calls`;
    return `no endpoint within ${limitMs} ms (${this.#lastProblem})`;
  }
}
