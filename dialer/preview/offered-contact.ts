/** The contact that a representative is shown: who it is, which numbers there are, what was passed in. */
import type { Kysely } from 'kysely';
import type { PhoneType } from '../engagements/engagement-config.schema.ts';
import { storedConfig } from '../engagements/complete-config.ts';
import type { Database } from '../store/schema/database.ts';
import type { ContactRow } from '../store/schema/contact-tables.ts';
import type { EngagementRow } from '../store/schema/engagement-tables.ts';
import type { TaskRow } from '../store/schema/task-tables.ts';
import { describeTasks } from '../tasks/ready-heads.ts';

export interface OfferedNumber {
  readonly phoneType: PhoneType;
  /** E.164. */
  readonly number: string;
  /** The next in order: dialled unless another one is chosen. */
  readonly isNext: boolean;
}

export interface OfferedContact {
  readonly task: TaskRow;
  readonly engagement: EngagementRow;
  readonly contact: ContactRow;
  readonly numbers: readonly OfferedNumber[];
}

/** Undefined when the task or its contact is gone. */
export async function readOfferedContact(
  db: Kysely<Database>,
  businessUnitId: string,
  taskId: string,
): Promise<OfferedContact | undefined> {
  return db.transaction().execute(async (tx) => {
    const task = await tx
      .selectFrom('tasks')
      .selectAll()
      .where('id', '=', taskId)
      .where('business_unit_id', '=', businessUnitId)
      .executeTakeFirst();
    if (task === undefined) return undefined;
    const engagement = await tx
      .selectFrom('engagements')
      .selectAll()
      .where('id', '=', task.engagement_id)
      .executeTakeFirstOrThrow();
    const { phoneTypes } = storedConfig(engagement.config);
    const { heads, points } = await describeTasks(tx, [task], { businessUnitId, phoneTypes });
    const [head] = heads;
    if (head === undefined) return undefined;
    const { progress } = head;
    const shown = head.chain[progress.contactIndex];
    if (shown === undefined) return undefined;
    const contact = await tx
      .selectFrom('contacts')
      .selectAll()
      .where('id', '=', shown.contactId)
      .executeTakeFirst();
    if (contact === undefined) return undefined;
    const numbers = shown.numbers.flatMap(({ phoneType, contactPointId }, index) => {
      const point = points.get(contactPointId);
      const isGone = progress.droppedForGood.includes(contactPointId);
      if (isGone || point === undefined || point.value === '') return [];
      if (point.invalid_since_ms !== null) return [];
      return [{ phoneType, number: point.value, isNext: index === progress.numberIndex }];
    });
    return { task, engagement, contact, numbers };
  });
}
