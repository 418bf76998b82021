/** The contact that a representative is shown: who it is, which numbers there are, what was passed in. */
import type { Kysely } from 'kysely';
import type { PhoneType } from '../engagements/engagement-config.schema.ts';
import { storedConfig } from '../engagements/complete-config.ts';
import type { Database } from '../store/schema/database.ts';
import type { ContactRow } from '../store/schema/contact-tables.ts';
import type { EngagementRow } from '../store/schema/engagement-tables.ts';
import type { TaskRow } from '../store/schema/task-tables.ts';
import { mayDial } from '../tasks/chain-walk.ts';
import { describeTasks } from '../tasks/ready-heads.ts';
import type { ShownNumber } from './decide-shown.ts';

export interface OfferedNumber {
  readonly contactPointId: string;
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

/**
 * Undefined when the task or its contact is gone. `next` is what is dialled unless another one is chosen;
 * null: the number at which the walk stands. Numbers that may not be dialled are left out.
 */
export async function readOfferedContact(
  db: Kysely<Database>,
  businessUnitId: string,
  taskId: string,
  next: ShownNumber | null,
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
    const { heads, points, optedOut } = await describeTasks(tx, [task], {
      businessUnitId,
      phoneTypes,
    });
    const [head] = heads;
    if (head === undefined) return undefined;
    const { progress, withdrawn } = head;
    const shown = head.chain[progress.contactIndex];
    if (shown === undefined) return undefined;
    const contact = await tx
      .selectFrom('contacts')
      .selectAll()
      .where('id', '=', shown.contactId)
      .executeTakeFirst();
    if (contact === undefined) return undefined;
    const nextId = next?.contactPointId ?? shown.numbers[progress.numberIndex]?.contactPointId;
    const numbers = shown.numbers.flatMap((one): OfferedNumber[] => {
      const { phoneType, contactPointId } = one;
      const point = points.get(contactPointId);
      if (point === undefined || point.value === '' || point.invalid_since_ms !== null) return [];
      if (optedOut.has(contactPointId) || withdrawn?.has(contactPointId) === true) return [];
      if (!mayDial(one, { ...progress, triedInLoop: [] })) return [];
      const isNext = contactPointId === nextId;
      return [{ contactPointId, phoneType, number: point.value, isNext }];
    });
    return { task, engagement, contact, numbers };
  });
}
