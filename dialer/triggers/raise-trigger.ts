/** Raising a trigger for a person, as code does over the API and journeys do in a step. */
import type { Transaction } from 'kysely';
import { DialerError } from '../../machines/errors.ts';
import type { Writer } from '../engagements/create-engagement.ts';
import type { Database } from '../store/schema/database.ts';
import type { TriggerRow } from '../store/schema/segment-tables.ts';
import { addOccurrences } from './add-occurrences.ts';
import { checkAttributeValues } from './trigger-attributes.ts';
import { attributesOf, meetsConditions } from './trigger-settings.ts';

export interface Raised {
  readonly contactId: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Default: now. */
  readonly occurredAtMs?: number;
  /** Given twice it happens once. Default: a new one. */
  readonly id?: string;
}

export interface RaisedTrigger {
  readonly id: string;
  /** False: its conditions are not met, and nothing was recorded. */
  readonly isRecorded: boolean;
}

/** Clocks differ, but what is to come has not happened. */
const FUTURE_MAX_MS = 300_000;

/** Throws NOT_CHANGEABLE when it is not ready, REQUEST_INVALID, NOT_FOUND without the contact. */
export async function raiseTrigger(
  tx: Transaction<Database>,
  writer: Writer,
  trigger: TriggerRow,
  { contactId, attributes, occurredAtMs = writer.nowMs, id = writer.ids.id() }: Raised,
): Promise<RaisedTrigger> {
  if (trigger.state !== 'ready') {
    const detail = `trigger ${trigger.id} is ${trigger.state}: it is raised while it is ready`;
    throw new DialerError('NOT_CHANGEABLE', detail);
  }
  if (occurredAtMs > writer.nowMs + FUTURE_MAX_MS) {
    const fault = { pointer: '/occurredAt', detail: 'is in the future' };
    throw new DialerError('REQUEST_INVALID', 'occurredAt is in the future', { faults: [fault] });
  }
  const payload = checkAttributeValues(attributesOf(trigger), attributes);
  const contact = await tx
    .selectFrom('contacts')
    .select('id')
    .where('id', '=', contactId)
    .where('business_unit_id', '=', writer.businessUnitId)
    .executeTakeFirst();
  if (contact === undefined) throw new DialerError('NOT_FOUND', `there is no contact ${contactId}`);
  if (!meetsConditions(trigger, payload, writer.nowMs)) return { id, isRecorded: false };
  await addOccurrences(tx, writer, [
    {
      ...{ id, trigger: trigger.name, kind: trigger.kind as 'custom' | 'business' },
      ...{ contactId, payload, occurredAtMs, keptDays: trigger.kept_days },
    },
  ]);
  return { id, isRecorded: true };
}
