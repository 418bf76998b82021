/**
 * Members of segments on their way in: the rounds of every version that is entered by one. A page of
 * members and the place behind it are one transaction, under the lock of the version's row: a worker
 * that dies leaves a round where its last page ended.
 */
import type { Selectable, Transaction } from 'kysely';
import {
  ratePeriodAtMs,
  roomToEnter,
  roundsAt,
} from '../../../journey-core/entry/entry-schedule.ts';
import type { Journey } from '../../../journey-core/definition/journey.schema.ts';
import type { DialerLog } from '../../dialer-log.ts';
import type { IdSource } from '../../ids/uuid7.ts';
import type { OpenDatabase } from '../../store/open-database.ts';
import type { Database } from '../../store/schema/database.ts';
import type { JourneyVersionRow } from '../../store/schema/journey-tables.ts';
import { isDefect } from '../../store/store-defect.ts';
import { inTransaction } from '../in-transaction.ts';
import type { JourneyChore } from '../journey-chore.ts';
import { versionKey, type JourneyDefinitions } from '../runs/journey-definitions.ts';
import { letPeopleIn } from './let-people-in.ts';

type Tx = Transaction<Database>;
type Version = Selectable<JourneyVersionRow>;

export interface EntryRoundOptions {
  readonly database: OpenDatabase;
  readonly ids: IdSource;
  readonly log: DialerLog;
  readonly nowMs: () => number;
  readonly definitions: JourneyDefinitions;
  /** Members of one transaction. Default 500. */
  readonly pageSize?: number;
}

const PAGE_SIZE = 500;
const RETRY_MS = 60_000;

export class EntryRounds implements JourneyChore {
  readonly name = 'entry rounds';
  readonly #options: EntryRoundOptions;

  constructor(options: EntryRoundOptions) {
    this.#options = options;
  }

  /** A page of the version that has been due for longest; 1 also when that let nobody in. */
  async turn(): Promise<number> {
    const { database, nowMs } = this.#options;
    const atMs = nowMs();
    let taken: Version | undefined;
    try {
      return await inTransaction(database, async (tx) => {
        taken = await this.#take(tx, atMs);
        return taken === undefined ? 0 : this.#work(tx, taken, atMs);
      });
    } catch (error) {
      if (taken === undefined || !isDefect(error)) throw error;
      await this.#noteFault(taken, error, atMs);
      return 1;
    }
  }

  async nextAtMs(): Promise<number | null> {
    const next = await this.#options.database.db
      .selectFrom('journey_versions')
      .select('entry_due_at_ms')
      .where('entry_due_at_ms', 'is not', null)
      .orderBy('entry_due_at_ms')
      .limit(1)
      .executeTakeFirst();
    return next?.entry_due_at_ms ?? null;
  }

  async #take(tx: Tx, atMs: number): Promise<Version | undefined> {
    const due = tx
      .selectFrom('journey_versions')
      .selectAll()
      .where('entry_due_at_ms', '<=', atMs)
      .orderBy('entry_due_at_ms')
      .limit(1);
    const { kind } = this.#options.database;
    return (kind === 'postgres' ? due.forUpdate().skipLocked() : due).executeTakeFirst();
  }

  async #work(tx: Tx, version: Version, atMs: number): Promise<number> {
    const key = { journeyId: version.journey_id, version: version.number };
    const known = (await this.#options.definitions.read(tx, [key])).get(versionKey(key));
    const journey = known?.journey;
    const isOver = version.closes_at_ms !== null && version.closes_at_ms <= atMs;
    if (version.state !== 'live' || isOver || journey?.entry.kind !== 'segment') {
      await write(tx, version, { entry_due_at_ms: null, scan_after_id: null });
      return 1;
    }
    const { currentAtMs, nextAtMs } = roundsAt(journey, await firstPublishedAt(tx, version), atMs);
    if (currentAtMs === null) {
      await write(tx, version, { entry_due_at_ms: nextAtMs });
      return 1;
    }
    const isNew = version.round_at_ms === null || version.round_at_ms < currentAtMs;
    const round = isNew
      ? { atMs: currentAtMs, afterId: '' }
      : { atMs: version.round_at_ms ?? currentAtMs, afterId: version.scan_after_id };
    if (round.afterId === null) {
      await write(tx, version, { entry_due_at_ms: nextAtMs });
      return 1;
    }
    const { afterId } = round;
    return this.#page(tx, version, { journey, atMs, nextAtMs, roundAtMs: round.atMs, afterId });
  }

  async #page(tx: Tx, version: Version, round: Round): Promise<number> {
    const { pageSize = PAGE_SIZE, ids } = this.#options;
    const { journey, atMs, roundAtMs, afterId } = round;
    const room = await roomNow(tx, version, round);
    const begun = { round_at_ms: roundAtMs, scan_after_id: afterId, fault: null };
    if (room !== null && room.count === 0) {
      await write(tx, version, { ...begun, entry_due_at_ms: room.nextAtMs });
      return 1;
    }
    const limit = Math.min(pageSize, room?.count ?? pageSize);
    const members = await membersAfter(tx, version, round, limit);
    const segment = version.entry_name;
    const open = {
      ...{ businessUnitId: version.business_unit_id, journeyId: version.journey_id },
      ...{ version: version.number, journey, roundAtMs },
    };
    const comers = members.map((contactId) => ({ contactId, by: { segment }, atMs }));
    const entered = await letPeopleIn(tx, { ids, nowMs: atMs }, open, comers);
    const last = members.length < limit ? null : (members.at(-1) ?? null);
    const dueAtMs = last === null ? round.nextAtMs : atMs;
    await write(tx, version, { ...begun, scan_after_id: last, entry_due_at_ms: dueAtMs });
    return Math.max(1, entered.length);
  }

  /** It is tried again later; why is shown with the version. */
  async #noteFault({ journey_id, number }: Version, error: unknown, atMs: number): Promise<void> {
    const { database, log } = this.#options;
    log.warn(
      { error, journeyId: journey_id, version: number },
      'nobody could be let into a journey',
    );
    const fault = error instanceof Error ? error.message : String(error);
    await inTransaction(database, (tx) =>
      write(
        tx,
        { journey_id, number },
        {
          fault: fault.slice(0, 500),
          entry_due_at_ms: atMs + RETRY_MS,
        },
      ),
    );
  }
}

interface Round {
  readonly journey: Journey;
  readonly atMs: number;
  readonly roundAtMs: number;
  /** Null: none. */
  readonly nextAtMs: number | null;
  readonly afterId: string;
}

type Change = Partial<
  Pick<JourneyVersionRow, 'entry_due_at_ms' | 'round_at_ms' | 'scan_after_id' | 'fault'>
>;

async function write(
  tx: Tx,
  { journey_id, number }: Pick<Version, 'journey_id' | 'number'>,
  change: Change,
): Promise<void> {
  await tx
    .updateTable('journey_versions')
    .set(change)
    .where('journey_id', '=', journey_id)
    .where('number', '=', number)
    .execute();
}

/** The beat of rounds is the journey's, whichever version lets people in. */
async function firstPublishedAt(tx: Tx, version: Version): Promise<number> {
  const first = await tx
    .selectFrom('journey_versions')
    .select((eb) => eb.fn.min('published_at_ms').as('at'))
    .where('journey_id', '=', version.journey_id)
    .where('number', '>', 0)
    .executeTakeFirst();
  return first?.at ?? version.published_at_ms;
}

/** Null: the journey has no rate. */
async function roomNow(tx: Tx, version: Version, { journey, roundAtMs, atMs }: Round) {
  const { entry, timeZone } = journey;
  const rate = entry.kind === 'segment' ? entry.rate : undefined;
  if (rate === undefined) return null;
  const { entered } = await tx
    .selectFrom('journey_runs')
    .select((eb) => eb.fn.countAll<number>().as('entered'))
    .where('journey_id', '=', version.journey_id)
    .where('entered_at_ms', '>=', ratePeriodAtMs(rate, roundAtMs, atMs))
    .where('is_test', '=', 0)
    .executeTakeFirstOrThrow();
  return roomToEnter(rate, timeZone, roundAtMs, entered, atMs);
}

/** Who joined after the round began waits for the next one; ongoing segments tell of them at once. */
async function membersAfter(
  tx: Tx,
  { business_unit_id: unit, entry_name: name }: Version,
  { journey, afterId, roundAtMs }: Round,
  limit: number,
): Promise<readonly string[]> {
  const members = tx
    .selectFrom('segment_members as m')
    .innerJoin('segments as s', 's.id', 'm.segment_id')
    .select('m.contact_id as id')
    .where('s.business_unit_id', '=', unit)
    .where('s.name', '=', name)
    .where('m.contact_id', '>', afterId)
    .orderBy('m.contact_id')
    .limit(limit);
  const { entry } = journey;
  const isOngoing = entry.kind === 'segment' && entry.frequency === 'ongoing';
  const rows = await (
    isOngoing ? members : members.where('m.entered_at_ms', '<=', roundAtMs)
  ).execute();
  return rows.map(({ id }) => id);
}
