/** Every row and log entry that an account of a delivery, or of a task, rests on. */
import type { OpenDatabase } from '../store/open-database.ts';
import type { ContactRow } from '../store/schema/contact-tables.ts';
import type { EngagementRow } from '../store/schema/engagement-tables.ts';
import type {
  AttemptRow,
  DeliveryAttributeRow,
  DeliveryRow,
  TaskRow,
} from '../store/schema/task-tables.ts';

export interface LoggedEvent {
  readonly type: string;
  readonly atMs: number;
  readonly actor: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

export interface History {
  readonly task: TaskRow;
  readonly delivery: DeliveryRow | undefined;
  readonly attempt: AttemptRow | undefined;
  readonly contact: ContactRow | undefined;
  /** What is dialled; empty when it was erased. */
  readonly number: string | undefined;
  readonly engagement: EngagementRow;
  readonly workstreamName: string;
  readonly taskEvents: readonly LoggedEvent[];
  readonly attemptEvents: readonly LoggedEvent[];
  readonly engagementEvents: readonly LoggedEvent[];
  readonly attributes: readonly DeliveryAttributeRow[];
}

/** By the id of a delivery, else of a task; undefined when it is neither. */
export async function readHistory(
  database: Pick<OpenDatabase, 'db'>,
  id: string,
): Promise<History | undefined> {
  const { db } = database;
  const delivery = await db
    .selectFrom('deliveries')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst();
  const task = await db
    .selectFrom('tasks')
    .selectAll()
    .where('id', '=', delivery?.task_id ?? id)
    .executeTakeFirst();
  if (task === undefined) return undefined;
  const attempt = delivery === undefined ? undefined : await attemptOf(database, delivery);
  const engagement = await db
    .selectFrom('engagements')
    .selectAll()
    .where('id', '=', task.engagement_id)
    .executeTakeFirstOrThrow();
  const workstream = await db
    .selectFrom('workstreams')
    .select('name')
    .where('id', '=', engagement.workstream_id)
    .executeTakeFirst();
  return {
    ...{ task, delivery, attempt, engagement, workstreamName: workstream?.name ?? '' },
    contact: await contactOf(database, delivery?.contact_id ?? task.contact_id),
    number: await numberOf(database, delivery?.contact_point_id ?? null),
    taskEvents: await eventsOf(database, task.business_unit_id, `task:${task.id}`),
    attemptEvents:
      attempt === undefined
        ? []
        : await eventsOf(database, task.business_unit_id, `attempt:${attempt.id}`),
    engagementEvents: await eventsOf(
      database,
      task.business_unit_id,
      `engagement:${engagement.id}`,
    ),
    attributes: delivery === undefined ? [] : await attributesOf(database, delivery.id),
  };
}

type Db = Pick<OpenDatabase, 'db'>;

function attemptOf({ db }: Db, delivery: DeliveryRow): Promise<AttemptRow | undefined> {
  return db
    .selectFrom('attempts')
    .selectAll()
    .where('business_unit_id', '=', delivery.business_unit_id)
    .where('delivery_id', '=', delivery.id)
    .executeTakeFirst();
}

function contactOf({ db }: Db, id: string): Promise<ContactRow | undefined> {
  return db.selectFrom('contacts').selectAll().where('id', '=', id).executeTakeFirst();
}

async function numberOf({ db }: Db, id: string | null): Promise<string | undefined> {
  if (id === null) return undefined;
  const point = await db
    .selectFrom('contact_points')
    .select('value')
    .where('id', '=', id)
    .executeTakeFirst();
  return point?.value;
}

function attributesOf({ db }: Db, deliveryId: string): Promise<DeliveryAttributeRow[]> {
  return db
    .selectFrom('delivery_attributes')
    .selectAll()
    .where('delivery_id', '=', deliveryId)
    .orderBy('keyword')
    .execute();
}

async function eventsOf(
  { db }: Db,
  businessUnitId: string,
  streamId: string,
): Promise<LoggedEvent[]> {
  const rows = await db
    .selectFrom('events')
    .select(['type', 'at_ms', 'actor', 'payload'])
    .where('business_unit_id', '=', businessUnitId)
    .where('stream_id', '=', streamId)
    .orderBy('stream_seq')
    .execute();
  return rows.map(({ type, at_ms: atMs, actor, payload }) => {
    return { type, atMs, actor, payload: JSON.parse(payload) as LoggedEvent['payload'] };
  });
}
