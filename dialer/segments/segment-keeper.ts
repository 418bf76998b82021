/** Keeps segments up to date while the service runs: changed contacts first, then what is due. */
import type { DialerLog } from '../dialer-log.ts';
import type { IdSource } from '../ids/uuid7.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import { feedContacts } from './contact-feed.ts';
import { noteFault, runRound, takeDueSegment } from './segment-rounds.ts';

export interface SegmentKeeperOptions {
  readonly database: OpenDatabase;
  readonly ids: IdSource;
  readonly log: DialerLog;
  readonly nowMs: () => number;
}

const POLL_MS = 1_000;
const LEASE_MS = 60_000;
const RETRY_MS = 60_000;
const ACTOR = 'system';

export class SegmentKeeper {
  readonly #options: SegmentKeeperOptions;
  readonly #owner: string;
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> | undefined;
  #isStopped = false;

  constructor(options: SegmentKeeperOptions) {
    this.#options = options;
    this.#owner = options.ids.id();
  }

  start(): void {
    this.#isStopped = false;
    this.#timer ??= setInterval(() => this.wake(), POLL_MS).unref();
    this.wake();
  }

  /** Something may be due. Does nothing while a turn is under way: that one will not be the last. */
  wake(): void {
    if (this.#isStopped || this.#turn !== undefined) return;
    this.#turn = this.turn()
      .catch((error: unknown) => {
        this.#options.log.warn({ error }, 'segments could not be brought up to date');
      })
      .finally(() => (this.#turn = undefined));
  }

  /** Resolves when nothing is written any more. What was begun goes on where it stood. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#turn;
  }

  /** One look at everything. Without segments it reads one row. */
  async turn(): Promise<void> {
    const { database } = this.#options;
    const units = await database.db
      .selectFrom('segments')
      .select('business_unit_id')
      .distinct()
      .where('kind', '=', 'dynamic')
      .execute();
    const stopped = () => this.#isStopped;
    for (const { business_unit_id: businessUnitId } of units) {
      await feedContacts({ ...this.#writer(businessUnitId) }, { stopped });
    }
    if (units.length > 0) await this.#rounds(stopped);
  }

  async #rounds(stopped: () => boolean): Promise<void> {
    const { database, nowMs, log } = this.#options;
    const options = { owner: this.#owner, leaseMs: LEASE_MS, nowMs, stopped };
    while (!stopped()) {
      const taken = await takeDueSegment(database, options);
      if (taken === undefined) return;
      try {
        const moved = await runRound(this.#writer(taken.business_unit_id), taken, options);
        if (moved === undefined) return; // changed meanwhile: it is due again at the next turn
      } catch (error) {
        log.warn({ error, segmentId: taken.id }, 'a segment could not be evaluated');
        const message = error instanceof Error ? error.message : String(error);
        await noteFault(database, taken, { message, retryAtMs: nowMs() + RETRY_MS });
      }
    }
  }

  #writer(businessUnitId: string) {
    const { database, ids, nowMs } = this.#options;
    return { database, ids, nowMs: nowMs(), businessUnitId, actor: ACTOR };
  }
}
