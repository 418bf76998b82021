/** The customer whom a representative has on the line, or had until the wrap-up: what a screen shows. */
import type { Kysely } from 'kysely';
import type { ContactRow } from '../store/schema/contact-tables.ts';
import type { Database } from '../store/schema/database.ts';
import type { EngagementRow } from '../store/schema/engagement-tables.ts';
import type { AttemptRow, DeliveryRow } from '../store/schema/task-tables.ts';

export interface CurrentCall {
  readonly attempt: AttemptRow;
  readonly delivery: DeliveryRow;
  readonly engagement: EngagementRow;
  readonly contact: ContactRow;
  /** E.164: the number that was dialled. */
  readonly number: string;
  /** JSON object, text to text: what came with the request. */
  readonly inputAttributes: string;
  /** What an AI agent has learnt so far, by name. */
  readonly returnedAttributes: Readonly<Record<string, string>>;
}

/** Undefined when there is no such attempt in this business unit. */
export async function readCurrentCall(
  db: Kysely<Database>,
  businessUnitId: string,
  attemptId: string,
): Promise<CurrentCall | undefined> {
  return db.transaction().execute(async (tx) => {
    const attempt = await tx
      .selectFrom('attempts')
      .selectAll()
      .where('id', '=', attemptId)
      .where('business_unit_id', '=', businessUnitId)
      .executeTakeFirst();
    if (attempt === undefined) return undefined;
    const delivery = await tx
      .selectFrom('deliveries')
      .selectAll()
      .where('id', '=', attempt.delivery_id)
      .executeTakeFirstOrThrow();
    const engagement = await tx
      .selectFrom('engagements')
      .selectAll()
      .where('id', '=', attempt.engagement_id)
      .executeTakeFirstOrThrow();
    const task = await tx
      .selectFrom('tasks')
      .select('input_attributes')
      .where('id', '=', attempt.task_id)
      .executeTakeFirstOrThrow();
    const point = await tx
      .selectFrom('contact_points')
      .select('value')
      .where('id', '=', attempt.contact_point_id)
      .executeTakeFirstOrThrow();
    const attributes = await tx
      .selectFrom('delivery_attributes')
      .select(['keyword', 'value'])
      .where('delivery_id', '=', attempt.delivery_id)
      .where('type', '=', 'Result')
      .orderBy('keyword')
      .execute();
    const contact = await tx
      .selectFrom('contacts')
      .selectAll()
      .where('id', '=', delivery.contact_id)
      .executeTakeFirstOrThrow();
    const returned = attributes.map(({ keyword, value }) => [keyword, value] as const);
    return {
      ...{ attempt, delivery, engagement, contact },
      number: point.value,
      inputAttributes: task.input_attributes,
      returnedAttributes: Object.fromEntries(returned),
    };
  });
}
