/** Reading the head of an engagement's ready tasks, with everything that eligibility asks about. */
import { sql, type SelectQueryBuilder, type Transaction } from 'kysely';
import type { Result } from '../../machines/result.ts';
import type { PhoneType } from '../engagements/engagement-config.schema.ts';
import type { NumberFacts } from '../store/number-guards.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { ContactPointRow } from '../store/schema/contact-tables.ts';
import { runTogether } from '../store/run-together.ts';
import type { Database } from '../store/schema/database.ts';
import type { TaskRow } from '../store/schema/task-tables.ts';
import { readContactIds, readProgress, readWindows } from './chain-progress.codec.ts';
import { withoutRepeats, type ChainContact } from './chain-walk.ts';
import type { StartCandidate } from './decide-start.ts';
import { KEY_COLUMN, type OrderSlot } from './order-places.ts';
import { readRestrictions, withdrawnPoints } from './task-restrictions.ts';

export interface ReadyHead extends StartCandidate {
  readonly task: TaskRow;
}

export interface ReadyHeads {
  readonly heads: readonly ReadyHead[];
  /** Every contact point of the heads' contacts, by id. */
  readonly points: ReadonlyMap<string, ContactPointRow>;
  /** By number. */
  readonly numbers: ReadonlyMap<string, NumberFacts>;
  /** Contact points whose number is on the do-not-call list. */
  readonly optedOut: ReadonlySet<string>;
}

export interface ReadyHeadsQuery {
  readonly businessUnitId: string;
  readonly engagementId: string;
  readonly phoneTypes: readonly PhoneType[];
  /** Where the keys in force are. */
  readonly slot: OrderSlot;
  readonly limit: number;
}

/** The first `limit` ready tasks in the call order; on PostgreSQL locked, past those locked already. */
export async function readReadyHeads(
  database: Pick<OpenDatabase, 'lockForClaim'>,
  tx: Transaction<Database>,
  query: ReadyHeadsQuery,
): Promise<ReadyHeads> {
  return describeTasks(tx, await readyHeadsQuery(database, tx, query).execute(), query);
}

/** For those who ask something else beside it; `describeTasks` takes its rows. */
export function readyHeadsQuery(
  { lockForClaim }: Pick<OpenDatabase, 'lockForClaim'>,
  tx: Transaction<Database>,
  { engagementId, slot, limit }: Pick<ReadyHeadsQuery, 'engagementId' | 'slot' | 'limit'>,
) {
  const ready = tx
    .selectFrom('tasks')
    .selectAll()
    .where('state', '=', sql.lit('ready')) // a bound value would not match the partial index
    .where('engagement_id', '=', engagementId)
    .orderBy('retry_class')
    .orderBy(KEY_COLUMN[slot])
    .orderBy('id')
    .limit(limit);
  return lockForClaim(slot === 0 ? ready : ready.where('order_key_other', 'is not', null));
}

/** The same facts for tasks already in hand: a working chain going on to its next number. */
export async function describeTasks(
  tx: Transaction<Database>,
  tasks: readonly TaskRow[],
  query: Pick<ReadyHeadsQuery, 'businessUnitId' | 'phoneTypes'>,
): Promise<ReadyHeads> {
  const idsByTask = tasks.map((task) => readContactIds(task.contact_ids));
  const facts = await readFacts(tx, query, [...new Set(idsByTask.flat())]);
  const { contacts, ...ofNumbers } = facts;
  const withdrawnOf = await withdrawnPoints(tx, tasks);
  const heads = tasks.map((task, index): ReadyHead => {
    const allowed = readRestrictions(task)?.contactPointIds;
    const withdrawn = withdrawnOf.get(task.id);
    const all = (idsByTask[index] ?? []).map((contactId): ChainContact => {
      const contact = contacts.get(contactId);
      const numbers = contact === undefined ? [] : numbersOf(contact, query);
      if (allowed === undefined) return { contactId, numbers };
      return { contactId, numbers: numbers.filter((one) => allowed.includes(one.contactPointId)) };
    });
    return {
      task,
      chain: withoutRepeats(all),
      progress: readProgress(task.progress),
      windows: readWindows(task.windows),
      expiresAtMs: task.expires_at_ms,
      isCancelled: task.cancel_requested_at_ms !== null,
      isQuarantined: task.quarantined === 1,
      lastResult: task.last_result as Result | null,
      ...(withdrawn === undefined ? {} : { withdrawn }),
    };
  });
  return { heads, ...ofNumbers };
}

const POINT_COLUMN = {
  mobile: 'mobile_point_id',
  business: 'business_point_id',
  home: 'home_point_id',
} as const satisfies Record<PhoneType, string>;

interface ContactPoints {
  readonly id: string;
  readonly business_unit_id: string;
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

interface Facts extends Omit<ReadyHeads, 'heads'> {
  readonly contacts: ReadonlyMap<string, ContactPoints>;
}

/**
 * Contacts, and in a second statement their numbers with what guards them. Found by their ids alone,
 * and held against the business unit afterwards: named in the statement, it tempts a planner without
 * statistics to read all contacts of the business unit.
 */
async function readFacts(
  tx: Transaction<Database>,
  { businessUnitId, phoneTypes }: Pick<ReadyHeadsQuery, 'businessUnitId' | 'phoneTypes'>,
  contactIds: readonly string[],
): Promise<Facts> {
  if (contactIds.length === 0)
    return { contacts: new Map(), points: new Map(), numbers: new Map(), optedOut: new Set() };
  const ofContacts = tx.selectFrom('contacts').where('id', 'in', [...contactIds]);
  const contacts = ofContacts.select([
    'id',
    'business_unit_id',
    'mobile_point_id',
    'business_point_id',
    'home_point_id',
  ]);
  const [firstType = 'mobile', ...otherTypes] = phoneTypes;
  const pointIds = otherTypes.reduce<CompilablePointIds>(
    (ids, type) => ids.unionAll(ofContacts.select(`${POINT_COLUMN[type]} as id`)),
    ofContacts.select(`${POINT_COLUMN[firstType]} as id`),
  );
  const points = tx
    .selectFrom('contact_points')
    .leftJoin('number_guards', 'number_guards.number', 'contact_points.value')
    .leftJoin('opt_outs', (join) =>
      join
        .onRef('opt_outs.number', '=', 'contact_points.value')
        .onRef('opt_outs.business_unit_id', '=', 'contact_points.business_unit_id')
        .on('opt_outs.removed_at_ms', 'is', null),
    )
    .selectAll('contact_points')
    .select(['number_guards.in_flight_attempt_id', 'number_guards.last_attempt_at_ms'])
    .select('opt_outs.id as opt_out_id')
    .where('contact_points.id', 'in', pointIds);
  const [contactRows = [], pointRows = []] = await runTogether(tx, [contacts, points]);
  const isOurs = (row: { readonly business_unit_id: string }): boolean =>
    row.business_unit_id === businessUnitId;
  const known = (contactRows as readonly ContactPoints[]).filter(isOurs);
  const guarded = (pointRows as readonly GuardedPoint[]).filter(isOurs);
  return {
    contacts: new Map(known.map((row) => [row.id, row])),
    points: new Map(guarded.map((row) => [row.id, row])),
    optedOut: new Set(guarded.filter((row) => row.opt_out_id !== null).map(({ id }) => id)),
    numbers: new Map(
      guarded.flatMap((row) => {
        const { value, in_flight_attempt_id: attemptId, last_attempt_at_ms: lastAttemptAtMs } = row;
        if (lastAttemptAtMs === null) return [];
        return [[value, { isInFlight: attemptId !== null, lastAttemptAtMs }] as const];
      }),
    ),
  };
}

type CompilablePointIds = SelectQueryBuilder<Database, 'contacts', { id: string | null }>;

type GuardedPoint = ContactPointRow & {
  readonly in_flight_attempt_id: string | null;
  readonly last_attempt_at_ms: number | null;
  readonly opt_out_id: string | null;
};
