/**
 * Rounds: a segment's whole business unit, page by page. One process works a segment at a time, under
 * a lease in its row; where it dies, the next goes on behind the last page that was settled.
 */
import type { Transaction } from 'kysely';
import type { Condition } from '../../journey-core/definition/condition.schema.ts';
import type { Writer } from '../engagements/create-engagement.ts';
import { appendEvents } from '../store/event-log.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { Database } from '../store/schema/database.ts';
import type { SegmentRow } from '../store/schema/segment-tables.ts';
import { holdsOf, pageOfDifferences, settleDifferences, type Moved } from './evaluate-segments.ts';

export interface RoundOptions {
  /** Who holds the lease. */
  readonly owner: string;
  readonly leaseMs: number;
  /** Contacts of a page. Default 2,000. */
  readonly pageSize?: number;
  readonly nowMs: () => number;
  readonly stopped?: () => boolean;
}

const PAGE_SIZE = 2_000;

/** Takes the segment that has been due for longest, unless another process has it. */
export async function takeDueSegment(
  { db, kind }: Pick<OpenDatabase, 'db' | 'kind'>,
  { owner, leaseMs, nowMs }: RoundOptions,
): Promise<SegmentRow | undefined> {
  const atMs = nowMs();
  return db.transaction().execute(async (tx) => {
    const due = tx
      .selectFrom('segments')
      .select('id')
      .where('due_at_ms', '<=', atMs)
      .where((eb) =>
        eb.or([
          eb('lease_until_ms', 'is', null),
          eb('lease_until_ms', '<', atMs),
          eb('lease_owner', '=', owner),
        ]),
      )
      .orderBy('due_at_ms')
      .limit(1);
    const found = await (
      kind === 'postgres' ? due.forUpdate().skipLocked() : due
    ).executeTakeFirst();
    if (found === undefined) return undefined;
    return tx
      .updateTable('segments')
      .set({ lease_owner: owner, lease_until_ms: atMs + leaseMs })
      .where('id', '=', found.id)
      .returningAll()
      .executeTakeFirst();
  });
}

/** Undefined: it was changed, taken over, or stopped, before it came to its end. */
export async function runRound(
  writer: Omit<Writer, 'nowMs'>,
  taken: SegmentRow,
  options: RoundOptions,
): Promise<Moved | undefined> {
  const { database } = writer;
  const { pageSize: limit = PAGE_SIZE, stopped = () => false } = options;
  const condition = JSON.parse(taken.condition ?? '') as Condition;
  const total = { entered: 0, left: 0 };
  let afterId = taken.scan_after_id ?? '';
  for (;;) {
    if (stopped()) return undefined;
    const at = { ...writer, nowMs: options.nowMs() };
    const holds = await holdsOf(database.db, at, condition);
    const page = await pageOfDifferences(database.db, taken, holds, { afterId, limit });
    const moved = await database.db.transaction().execute(async (tx) => {
      const isOurs = await keepPlace(tx, taken, options, page.lastId);
      return isOurs ? settleDifferences(tx, at, taken, holds, page) : undefined;
    });
    if (moved === undefined) return undefined;
    total.entered += moved.entered;
    total.left += moved.left;
    if (page.lastId !== null) {
      afterId = page.lastId;
      continue;
    }
    const isDone = await database.db
      .transaction()
      .execute((tx) => endRound(tx, at, taken, options, total));
    return isDone ? total : undefined;
  }
}

/** False when it is not the segment that was taken any more, or somebody else's. */
async function keepPlace(
  tx: Transaction<Database>,
  { id, version }: SegmentRow,
  { owner, leaseMs, nowMs }: RoundOptions,
  lastId: string | null,
): Promise<boolean> {
  const kept = await tx
    .updateTable('segments')
    .set({
      lease_until_ms: nowMs() + leaseMs,
      ...(lastId === null ? {} : { scan_after_id: lastId }),
    })
    .where('id', '=', id)
    .where('version', '=', version)
    .where('lease_owner', '=', owner)
    .returning('id')
    .execute();
  return kept.length === 1;
}

async function endRound(
  tx: Transaction<Database>,
  { nowMs, businessUnitId, actor }: Writer,
  taken: SegmentRow,
  { owner }: RoundOptions,
  moved: Moved,
): Promise<boolean> {
  const next = taken.every_ms === null ? null : nextDue(taken, taken.every_ms, nowMs);
  const ended = await tx
    .updateTable('segments')
    .set((eb) => ({
      ...{ due_at_ms: next, scan_after_id: null, evaluated_at_ms: nowMs, fault: null },
      round: eb('round', '+', 1),
      ...{ lease_owner: null, lease_until_ms: null },
    }))
    .where('id', '=', taken.id)
    .where('version', '=', taken.version)
    .where('lease_owner', '=', owner)
    .returning(['round', 'member_count'])
    .executeTakeFirst();
  if (ended === undefined) return false;
  await appendEvents(tx, businessUnitId, nowMs, [
    {
      streamId: `segment:${taken.id}`,
      type: 'segment.evaluated',
      actor,
      payload: { round: ended.round, members: ended.member_count, ...moved },
    },
  ]);
  return true;
}

/** By its own beat, so that rounds do not slip; those that were missed are not made up for. */
function nextDue({ due_at_ms: dueAtMs }: SegmentRow, everyMs: number, nowMs: number): number {
  const from = dueAtMs ?? nowMs;
  return from + everyMs * (Math.floor(Math.max(0, nowMs - from) / everyMs) + 1);
}

/** It is tried again later; why is shown with the segment. */
export async function noteFault(
  { db }: Pick<OpenDatabase, 'db'>,
  { id }: SegmentRow,
  { message, retryAtMs }: { readonly message: string; readonly retryAtMs: number },
): Promise<void> {
  await db
    .updateTable('segments')
    .set({
      ...{ fault: message.slice(0, 500), due_at_ms: retryAtMs },
      ...{ lease_owner: null, lease_until_ms: null },
    })
    .where('id', '=', id)
    .execute();
}
