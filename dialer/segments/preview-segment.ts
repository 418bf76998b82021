/** Who a condition finds, before anything is made of it. */
import type { Writer } from '../engagements/create-engagement.ts';
import { feedContacts } from './contact-feed.ts';
import { fitting, holdsOf } from './evaluate-segments.ts';
import { readCondition } from './segment-condition.ts';

export interface Preview {
  readonly count: number;
  /** False: contacts are still being read, or there are more than are counted. */
  readonly isExact: boolean;
  readonly contactIds: readonly string[];
}

const COUNTED_MAX = 100_000;
const SHOWN = 10;
/** Contacts that nobody has asked about before are read first, for this long. */
const FEED_LIMIT_MS = 2_000;

/** Throws REQUEST_INVALID with every fault of the condition. */
export async function previewSegment(writer: Writer, written: unknown): Promise<Preview> {
  const { database, businessUnitId } = writer;
  const { db } = database;
  const { condition } = await readCondition(db, businessUnitId, written);
  const untilMs = performance.now() + FEED_LIMIT_MS;
  const { isComplete } = await feedContacts(writer, {
    stopped: () => performance.now() > untilMs,
  });
  const holds = await holdsOf(db, writer, condition);
  const found = fitting(db, businessUnitId, holds).select('c.id as id');
  const { count } = await db
    .selectFrom(found.limit(COUNTED_MAX + 1).as('found'))
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  const first = await found.orderBy('c.id').limit(SHOWN).execute();
  return {
    count: Math.min(count, COUNTED_MAX),
    isExact: isComplete && count <= COUNTED_MAX,
    contactIds: first.map(({ id }) => id),
  };
}
