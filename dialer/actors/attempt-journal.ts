/**
 * Writes what the gateway says of open attempts: every event into the log, and what recovery needs
 * (phase, Call-ID, dialog, channel) into the attempt's row. Events that arrive while one
 * transaction is being written share the next; a store that fails is tried again with all of them.
 */
import type { Transaction } from 'kysely';
import type { AttemptEvent } from '../../machines/telephony-events.ts';
import { writeRecordings } from '../recordings/recordings.ts';
import { appendEvents } from '../store/event-log.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { Database } from '../store/schema/database.ts';
import type { AttemptRow } from '../store/schema/task-tables.ts';

export interface OpenAttempt {
  readonly businessUnitId: string;
  readonly fence: number;
}

export interface AttemptJournalOptions {
  readonly database: OpenDatabase;
  /** The attempt's tenant while it is open here; undefined for another process's. */
  readonly openAttempt: (attemptId: string) => OpenAttempt | undefined;
  /** The same for an attempt whose end was recorded a short time ago. */
  readonly closedAttempt: (attemptId: string) => OpenAttempt | undefined;
  /** `machine:callAttempt@<version>`. */
  readonly actor: string;
  readonly wait: (ms: number) => Promise<void>;
  readonly retryMs: number;
  readonly onFailure: (error: unknown) => void;
}

const MAY_COME_LATE: ReadonlySet<AttemptEvent['type']> = new Set([
  'aiAgent.returned',
  'recording.ended',
  'recording.failed',
]);

interface Noted {
  readonly businessUnitId: string;
  readonly event: AttemptEvent;
}

export class AttemptJournal {
  readonly #options: AttemptJournalOptions;
  #noted: Noted[] = [];
  #writing: Promise<void> | undefined;
  #isClosed = false;
  #notedCount = 0;
  #writtenCount = 0;
  #flushes: { readonly upTo: number; readonly resolve: () => void }[] = [];

  constructor(options: AttemptJournalOptions) {
    this.#options = options;
  }

  /**
   * Takes one event of the gateway's. Those of attempts that are not open here are left alone, but for
   * what an AI agent returned, which may come until 10 s after the end, and what became of a recording.
   */
  note(event: AttemptEvent): void {
    const { openAttempt, closedAttempt } = this.#options;
    const { attemptId, type } = event;
    const open =
      openAttempt(attemptId) ?? (MAY_COME_LATE.has(type) ? closedAttempt(attemptId) : undefined);
    if (open === undefined || event.fence !== open.fence) return;
    this.#noted.push({ businessUnitId: open.businessUnitId, event });
    this.#notedCount += 1;
    this.#writing ??= this.#write();
  }

  /** Resolves once everything noted so far is on disk. */
  async settled(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  /** Resolves once what has been noted until now is on disk, whatever is noted meanwhile. */
  flushed(): Promise<void> {
    if (this.#writtenCount >= this.#notedCount || this.#isClosed) return Promise.resolve();
    const upTo = this.#notedCount;
    return new Promise((resolve) => this.#flushes.push({ upTo, resolve }));
  }

  /** Gives up what a failing store has not taken. */
  close(): void {
    this.#isClosed = true;
    this.#endFlushes(Number.POSITIVE_INFINITY);
  }

  async #write(): Promise<void> {
    await Promise.resolve(); // what else arrives in this turn goes into the same transaction
    while (this.#noted.length > 0 && !this.#isClosed) {
      const batch = this.#noted;
      this.#noted = [];
      try {
        await this.#options.database.db
          .transaction()
          .execute((tx) => writeBatch(tx, batch, this.#options.actor));
        this.#writtenCount += batch.length;
        this.#endFlushes(this.#writtenCount);
      } catch (error) {
        this.#noted = [...batch, ...this.#noted];
        this.#options.onFailure(error);
        await this.#options.wait(this.#options.retryMs);
      }
    }
    this.#writing = undefined;
  }

  #endFlushes(written: number): void {
    const done = this.#flushes.filter(({ upTo }) => upTo <= written);
    this.#flushes = this.#flushes.filter(({ upTo }) => upTo > written);
    for (const { resolve } of done) resolve();
  }
}

async function writeBatch(
  tx: Transaction<Database>,
  batch: readonly Noted[],
  actor: string,
): Promise<void> {
  for (const [attemptId, changes] of changesByAttempt(batch)) {
    // `ended` is written by the record of the end, together with the Result.
    await tx
      .updateTable('attempts')
      .set(changes)
      .where('id', '=', attemptId)
      .where('ended_at_ms', 'is', null)
      .execute();
  }
  await writeRecordings(
    tx,
    batch.map(({ event }) => event),
  );
  for (const [businessUnitId, events] of eventsByBusinessUnit(batch)) {
    const rows = events.map((event) => ({
      streamId: `attempt:${event.attemptId}`,
      type: event.type,
      actor,
      payload: loggable(event),
    }));
    const atMs = events.reduce((latest, event) => Math.max(latest, event.atMs), 0);
    await appendEvents(tx, businessUnitId, atMs, rows);
  }
}

/**
 * The Request-URI holds the number that was dialled, and what an AI agent returned is personal: both
 * are stored where they can be erased, and the log names them only.
 */
function loggable(event: AttemptEvent): Readonly<Record<string, unknown>> {
  const entries = Object.entries(event).filter(([field]) => field !== 'sipUri');
  return Object.fromEntries(
    entries.map(([field, value]): [string, unknown] =>
      field === 'attributes' ? ['names', Object.keys(value as object)] : [field, value],
    ),
  );
}

type Changes = Partial<AttemptRow>;

function changesByAttempt(batch: readonly Noted[]): ReadonlyMap<string, Changes> {
  const changes = new Map<string, Changes>();
  for (const { event } of batch) {
    const change = changeOf(event);
    if (change === undefined) continue;
    changes.set(event.attemptId, { ...changes.get(event.attemptId), ...change });
  }
  return changes;
}

function changeOf(event: AttemptEvent): Changes | undefined {
  const { atMs } = event;
  switch (event.type) {
    case 'attempt.sent':
      return {
        ...{ phase: 'sent', call_id: event.callId, invites: event.invites, sent_at_ms: atMs },
        ...(event.dialogId === undefined ? {} : { dialog_id: event.dialogId }),
      };
    case 'attempt.alerting':
    case 'attempt.earlyMedia':
      return { phase: 'alerting', alerting_at_ms: atMs };
    case 'attempt.answered':
      return {
        phase: 'answered',
        answered_at_ms: atMs,
        dialog_id: event.dialogId,
        channel_id: event.channelId,
      };
    case 'attempt.connected':
      return event.target === 'lobby'
        ? { connected_at_ms: atMs, joined_at_ms: atMs }
        : { connected_at_ms: atMs };
    case 'aiAgent.escalated':
      return { escalated_at_ms: atMs };
    case 'attempt.ended':
      return { invites: event.invites };
    default:
      return undefined;
  }
}

function eventsByBusinessUnit(batch: readonly Noted[]): ReadonlyMap<string, AttemptEvent[]> {
  const events = new Map<string, AttemptEvent[]>();
  for (const { businessUnitId, event } of batch) {
    const known = events.get(businessUnitId);
    if (known === undefined) events.set(businessUnitId, [event]);
    else known.push(event);
  }
  return events;
}
