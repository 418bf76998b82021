/**
 * Which numbers a task may dial, and for which purpose: a journey asks for consent per contact point,
 * and the dialer keeps to it until the last attempt. What is taken back after the request is not
 * dialled any more (spec G.6: right before sending).
 */
import type { Transaction } from 'kysely';
import type { Enforcement } from '../../journey-core/definition/assets.schema.ts';
import type { PurposeType } from '../../journey-core/definition/quiet-time.schema.ts';
import {
  defaultEnforcement,
  isConsentEnough,
  type ConsentStatus,
} from '../../journey-core/sending/consent.ts';
import type { Database } from '../store/schema/database.ts';
import type { TaskRow } from '../store/schema/task-tables.ts';

type Db = Pick<Transaction<Database>, 'selectFrom'>;

/** Kept with the task as JSON. */
export interface TaskRestrictions {
  /** Nothing else is dialled, whatever numbers its contacts have or get. */
  readonly contactPointIds: readonly string[];
  /** Asked about again before each start; null: the opt-out list alone is. */
  readonly consent: { readonly purposeId: string; readonly topicId: string | null } | null;
}

export function readRestrictions({
  restrictions,
}: Pick<TaskRow, 'restrictions'>): TaskRestrictions | null {
  return restrictions === null ? null : (JSON.parse(restrictions) as TaskRestrictions);
}

/** By task, the contact points that may not be called for its purpose any more. */
export async function withdrawnPoints(
  db: Db,
  tasks: readonly Pick<TaskRow, 'id' | 'restrictions'>[],
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const asked = tasks.flatMap((task) => {
    const restrictions = readRestrictions(task);
    if (restrictions === null || restrictions.consent === null) return [];
    const { contactPointIds, consent } = restrictions;
    return [{ taskId: task.id, contactPointIds, ...consent }];
  });
  if (asked.length === 0) return new Map();
  const known = await consentOf(db, {
    purposeIds: [...new Set(asked.map(({ purposeId }) => purposeId))],
    contactPointIds: [...new Set(asked.flatMap(({ contactPointIds }) => contactPointIds))],
  });
  return new Map(
    asked.map(({ taskId, contactPointIds, purposeId, topicId }) => {
      const enforcement = known.enforcementOf(purposeId);
      const passes = (pointId: string, topic: string): boolean =>
        isConsentEnough(enforcement, known.statusOf(pointId, purposeId, topic));
      const withdrawn = contactPointIds.filter(
        (id) => !passes(id, '') || (topicId !== null && !passes(id, topicId)),
      );
      return [taskId, new Set(withdrawn)];
    }),
  );
}

interface Known {
  enforcementOf(purposeId: string): Enforcement;
  /** Of the purpose as a whole with an empty topic. */
  statusOf(contactPointId: string, purposeId: string, topicId: string): ConsentStatus;
}

async function consentOf(
  db: Db,
  {
    purposeIds,
    contactPointIds,
  }: { readonly purposeIds: readonly string[]; readonly contactPointIds: readonly string[] },
): Promise<Known> {
  const purposes = await db
    .selectFrom('purposes')
    .select(['id', 'type', 'enforcement'])
    .where('id', 'in', [...purposeIds])
    .execute();
  const records = await db
    .selectFrom('consent_records')
    .select(['contact_point_id', 'purpose_id', 'topic_id', 'status'])
    .where('contact_point_id', 'in', [...contactPointIds])
    .where('channel', '=', 'voice')
    .where('purpose_id', 'in', [...purposeIds])
    .where('version', '>', 0)
    .execute();
  const enforcements = new Map(
    purposes.map(({ id, type, enforcement }) => [
      id,
      (enforcement as Enforcement | null) ?? defaultEnforcement(type as PurposeType, 'voice'),
    ]),
  );
  const statuses = new Map(
    records.map((row) => [
      `${row.contact_point_id} ${row.purpose_id} ${row.topic_id}`,
      row.status as ConsentStatus,
    ]),
  );
  return {
    // A purpose that is gone lets nobody be called.
    enforcementOf: (id) => enforcements.get(id) ?? 'restrictive',
    statusOf: (point, purpose, topic) => statuses.get(`${point} ${purpose} ${topic}`) ?? 'notSet',
  };
}
