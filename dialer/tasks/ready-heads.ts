/** Reading the head of an engagement's ready tasks, with everything that eligibility asks about. */
import { sql, type Transaction } from 'kysely';
import type { Result } from '../../machines/result.ts';
import type { PhoneType } from '../engagements/engagement-config.schema.ts';
import { readNumberFacts, type NumberFacts } from '../store/number-guards.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { ContactPointRow } from '../store/schema/contact-tables.ts';
import type { Database } from '../store/schema/database.ts';
import type { TaskRow } from '../store/schema/task-tables.ts';
import { readContactIds, readProgress, readWindows } from './chain-progress.codec.ts';
import type { ChainContact } from './chain-walk.ts';
import type { StartCandidate } from './decide-start.ts';

export interface ReadyHead extends StartCandidate {
  readonly task: TaskRow;
}

export interface ReadyHeads {
  readonly heads: readonly ReadyHead[];
  /** Every contact point of the heads' contacts, by id. */
  readonly points: ReadonlyMap<string, ContactPointRow>;
  /** By number. */
  readonly numbers: ReadonlyMap<string, NumberFacts>;
}

export interface ReadyHeadsQuery {
  readonly businessUnitId: string;
  readonly engagementId: string;
  readonly phoneTypes: readonly PhoneType[];
  readonly limit: number;
}

/** The first `limit` ready tasks in the call order; on PostgreSQL locked, past those locked already. */
export async function readReadyHeads(
  { lockForClaim }: Pick<OpenDatabase, 'lockForClaim'>,
  tx: Transaction<Database>,
  query: ReadyHeadsQuery,
): Promise<ReadyHeads> {
  const tasks = await lockForClaim(
    tx
      .selectFrom('tasks')
      .selectAll()
      .where('state', '=', sql.lit('ready')) // a bound value would not match the partial index
      .where('engagement_id', '=', query.engagementId)
      .orderBy('retry_class')
      .orderBy('order_key')
      .orderBy('id')
      .limit(query.limit),
  ).execute();
  return describeTasks(tx, tasks, query);
}

/** The same facts for tasks already in hand: a working chain going on to its next number. */
export async function describeTasks(
  tx: Transaction<Database>,
  tasks: readonly TaskRow[],
  query: Pick<ReadyHeadsQuery, 'businessUnitId' | 'phoneTypes'>,
): Promise<ReadyHeads> {
  const idsByTask = tasks.map((task) => readContactIds(task.contact_ids));
  const contacts = await readContacts(tx, query.businessUnitId, [...new Set(idsByTask.flat())]);
  const pointIds = [...contacts.values()].flatMap((contact) =>
    query.phoneTypes.map((type) => contact[POINT_COLUMN[type]]).filter((id) => id !== null),
  );
  const points = await readPoints(tx, query.businessUnitId, [...new Set(pointIds)]);
  const numbers = await readNumberFacts(
    tx,
    [...points.values()].map(({ value }) => value),
  );
  const heads = tasks.map((task, index): ReadyHead => {
    const chain = (idsByTask[index] ?? []).map((contactId): ChainContact => {
      const contact = contacts.get(contactId);
      return { contactId, numbers: contact === undefined ? [] : numbersOf(contact, query) };
    });
    return {
      task,
      chain,
      progress: readProgress(task.progress),
      windows: readWindows(task.windows),
      expiresAtMs: task.expires_at_ms,
      isCancelled: task.cancel_requested_at_ms !== null,
      isQuarantined: task.quarantined === 1,
      lastResult: task.last_result as Result | null,
    };
  });
  return { heads, points, numbers };
}

const POINT_COLUMN = {
  mobile: 'mobile_point_id',
  business: 'business_point_id',
  home: 'home_point_id',
} as const satisfies Record<PhoneType, string>;

interface ContactPoints {
  readonly id: string;
  readonly mobile_point_id: string | null;
  readonly business_point_id: string | null;
  readonly home_point_id: string | null;
}

function numbersOf(
  contact: ContactPoints,
  { phoneTypes }: Pick<ReadyHeadsQuery, 'phoneTypes'>,
): ChainContact['numbers'] {
  return phoneTypes.flatMap((phoneType) => {
    const contactPointId = contact[POINT_COLUMN[phoneType]];
    return contactPointId === null ? [] : [{ phoneType, contactPointId }];
  });
}

async function readContacts(
  tx: Transaction<Database>,
  businessUnitId: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ContactPoints>> {
  if (ids.length === 0) return new Map();
  const rows = await tx
    .selectFrom('contacts')
    .select(['id', 'mobile_point_id', 'business_point_id', 'home_point_id'])
    .where('business_unit_id', '=', businessUnitId)
    .where('id', 'in', [...ids])
    .execute();
  return new Map(rows.map((row) => [row.id, row]));
}

async function readPoints(
  tx: Transaction<Database>,
  businessUnitId: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ContactPointRow>> {
  if (ids.length === 0) return new Map();
  const rows = await tx
    .selectFrom('contact_points')
    .selectAll()
    .where('business_unit_id', '=', businessUnitId)
    .where('id', 'in', [...ids])
    .execute();
  return new Map(rows.map((row) => [row.id, row]));
}
