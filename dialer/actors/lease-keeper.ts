/** Holds the lease of a queue group while this process works it, and says so when it is lost. */
import { DialerError } from '../../machines/errors.ts';
import type { DialerClock } from '../clock.ts';
import type { DialerLog } from '../dialer-log.ts';
import { acquireLease, releaseLease, renewLease, type Lease } from '../store/leases.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { WorkInHand } from '../work-in-hand.ts';

export interface LeaseOptions {
  readonly database: OpenDatabase;
  readonly clock: DialerClock;
  readonly log: DialerLog;
  readonly name: string;
  readonly owner: string;
  /** An owner that is silent for this long may be replaced. */
  readonly leaseMs: number;
  /** How long to wait for a lease that another holds; 0: not at all. */
  readonly waitMs: number;
}

const ASK_AGAIN_MS = 1_000;
/** Renewals in the life of a lease: two may fail before it lapses. */
const RENEWALS = 3;

/** Rejects with LEASE_HELD when another process keeps it for as long as we wait. */
export async function takeLease(options: LeaseOptions): Promise<Lease> {
  const { database, clock, log, name, owner, leaseMs, waitMs } = options;
  const giveUpAtMs = clock.now() + waitMs;
  for (let isFirst = true; ; isFirst = false) {
    const nowMs = clock.now();
    const lease = await acquireLease(database.db, { name, owner, nowMs, leaseMs });
    if (lease !== undefined) return lease;
    if (nowMs >= giveUpAtMs) {
      throw new DialerError('LEASE_HELD', `another dialer works the queue group ${name}`);
    }
    if (isFirst) log.info({ lease: name }, 'another dialer works this queue group: waiting for it');
    await new Promise<void>((resolve) => clock.setTimeout(resolve, ASK_AGAIN_MS));
  }
}

export class LeaseKeeper {
  readonly #options: LeaseOptions;
  readonly #lease: Lease;
  readonly #work: WorkInHand;
  readonly #onLost: (error: unknown) => void;
  #expiresAtMs: number;
  #timer: unknown;
  #isOver = false;

  constructor(
    lease: Lease,
    options: LeaseOptions & {
      readonly work: WorkInHand;
      readonly onLost: (error: unknown) => void;
    },
  ) {
    this.#lease = lease;
    this.#options = options;
    this.#work = options.work;
    this.#onLost = options.onLost;
    this.#expiresAtMs = lease.expiresAtMs;
    this.#sleep();
  }

  /** Gives it back, so that a successor need not wait. */
  async release(): Promise<void> {
    this.#end();
    await releaseLease(this.#options.database.db, this.#lease);
  }

  /** It is another's: nothing is given back. */
  drop(): void {
    this.#end();
  }

  #end(): void {
    this.#isOver = true;
    this.#options.clock.clearTimeout(this.#timer);
  }

  #sleep(): void {
    const { clock, leaseMs } = this.#options;
    if (this.#isOver) return;
    this.#timer = clock.setTimeout(() => this.#work.run(() => this.#renew()), leaseMs / RENEWALS);
  }

  async #renew(): Promise<void> {
    const { database, clock, log, leaseMs, name } = this.#options;
    const nowMs = clock.now();
    try {
      if (!(await renewLease(database.db, this.#lease, nowMs, leaseMs))) {
        this.#lose(new DialerError('LEASE_LOST', `${name} was granted to another dialer`));
        return;
      }
      this.#expiresAtMs = nowMs + leaseMs;
    } catch (error) {
      log.warn({ lease: name, error }, 'the lease could not be renewed');
      // Another may have it from now on, and we could not know.
      if (clock.now() >= this.#expiresAtMs) this.#lose(error);
    }
    this.#sleep();
  }

  #lose(error: unknown): void {
    if (this.#isOver) return;
    this.#end();
    this.#onLost(error);
  }
}
