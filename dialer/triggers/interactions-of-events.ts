/** From the event log to interaction triggers: which events are one, and what it carries. */
import type { Transaction } from 'kysely';
import {
  CONVERSATION_RESULTS,
  conversationOutcomeOf,
} from '../../journey-core/interpreter/conversation-outcome.ts';
import { textIn, type Values } from '../../journey-core/interpreter/json-value.ts';
import type { StoredEvent } from '../store/event-reader.ts';
import type { Database } from '../store/schema/database.ts';
import type { DeliveryRow, TaskRow } from '../store/schema/task-tables.ts';
import type { NewOccurrence } from './add-occurrences.ts';
import type { InteractionTriggerName } from './interaction-triggers.ts';

export interface Interaction extends NewOccurrence {
  readonly businessUnitId: string;
}

/** The events that become an interaction, and as which. */
const TRIGGER_OF_EVENT: Readonly<Record<string, InteractionTriggerName>> = {
  'attempt.recorded': 'callEnded',
  'delivery.dispositionsRecorded': 'dispositionsRecorded',
  'aiAgent.returned': 'attributesReturned',
  'task.finished': 'deliveryTaskEnded',
  'contactPoint.optedOut': 'optedOut',
  'consent.changed': 'consentChanged',
};

interface Read {
  readonly event: StoredEvent;
  readonly trigger: InteractionTriggerName;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** In the order of the events. Those of tasks and deliveries that are gone are left out. */
export async function interactionsOf(
  tx: Transaction<Database>,
  events: readonly StoredEvent[],
): Promise<readonly Interaction[]> {
  const reads = events.flatMap((event): Read[] => {
    const trigger = TRIGGER_OF_EVENT[event.type];
    if (trigger === undefined) return [];
    return [{ event, trigger, payload: JSON.parse(event.payload) as Read['payload'] }];
  });
  if (reads.length === 0) return [];
  const found = await recordsOf(tx, reads);
  return reads.flatMap((read): Interaction[] => {
    const told = read.trigger === 'consentChanged' ? consent(read) : ofCall(read, found);
    if (told === undefined) return [];
    const { event, trigger } = read;
    return [
      {
        ...{ businessUnitId: event.business_unit_id, kind: 'interaction', trigger },
        ...{ occurredAtMs: event.at_ms, ...told },
      },
    ];
  });
}

type Told = Pick<NewOccurrence, 'contactId' | 'payload'>;

/** Whose contact point it is, is known where the person was named; else nobody is told. */
function consent({ event, payload }: Read): Told | undefined {
  const contactId = textIn(payload, 'contactId');
  if (contactId === undefined) return undefined;
  const after = JSON.parse(event.after ?? '{}') as Readonly<Record<string, unknown>>;
  return {
    contactId,
    payload: given({
      Channel: textIn(payload, 'channel'),
      Status: textIn(after, 'status'),
      Source: textIn(payload, 'source'),
      ContactPointId: textIn(payload, 'contactPointId'),
      PurposeId: textIn(payload, 'purposeId'),
      TopicId: textIn(payload, 'topicId'),
    }),
  };
}

interface Records {
  readonly tasks: ReadonlyMap<string, TaskRow>;
  readonly deliveries: ReadonlyMap<string, DeliveryRow>;
  readonly lastDeliveries: ReadonlyMap<string, DeliveryRow>;
  readonly deliveryOfAttempt: ReadonlyMap<string, string>;
  /** What AI agents returned, by delivery. */
  readonly returned: ReadonlyMap<string, Values>;
}

function ofCall(read: Read, records: Records): Told | undefined {
  const { trigger, payload } = read;
  if (trigger === 'deliveryTaskEnded') return ofTask(read, records);
  const attemptId = idOf(read.event, 'attempt') ?? textIn(payload, 'attemptId') ?? '';
  const id = textIn(payload, 'deliveryId') ?? records.deliveryOfAttempt.get(attemptId) ?? '';
  const delivery = records.deliveries.get(id);
  if (delivery === undefined || payload['wasTried'] === false) return undefined;
  const { contact_id: contactId } = delivery;
  return { contactId, payload: { ...ofDelivery(trigger, delivery, payload, records) } };
}

function ofDelivery(
  trigger: InteractionTriggerName,
  delivery: DeliveryRow,
  payload: Read['payload'],
  { returned }: Records,
): Values {
  const ids = {
    DeliveryId: delivery.id,
    DeliveryTaskId: delivery.task_id,
    EngagementId: delivery.engagement_id,
  };
  switch (trigger) {
    case 'callEnded':
      return {
        ...ids,
        ...given({ Result: textIn(payload, 'result'), SubReason: textIn(payload, 'subReason') }),
        Answered: delivery.customer_connected_at_ms !== null,
      };
    case 'dispositionsRecorded':
      return { ...ids, DispositionCodes: (payload['codes'] ?? []) as readonly string[] };
    case 'attributesReturned':
      return { ...returned.get(delivery.id), ...ids };
    case 'optedOut':
      return {
        ...ids,
        Channel: delivery.channel,
        ...given({ ContactPointId: delivery.contact_point_id ?? undefined }),
      };
    default:
      return ids;
  }
}

/** Spec E.5: after all retries; which of attempted and not attempted, its Result decides. */
function ofTask({ event, payload }: Read, records: Records): Told | undefined {
  const task = records.tasks.get(idOf(event, 'task') ?? '');
  if (task === undefined) return undefined;
  const last = records.lastDeliveries.get(task.id);
  const result = textIn(payload, 'result') ?? task.last_result ?? 'Cancelled';
  const known = CONVERSATION_RESULTS.find((name) => name === result);
  return {
    contactId: last?.contact_id ?? task.contact_id,
    payload: {
      ...(last === undefined ? {} : records.returned.get(last.id)),
      ...given({ Reason: textIn(payload, 'subReason'), DeliveryId: last?.id }),
      DeliveryTaskId: task.id,
      EngagementId: task.engagement_id,
      Attempted: known !== undefined && conversationOutcomeOf(known) === 'attempted',
      Result: result,
      Attempts: task.attempt_count,
      DispositionCodes: dispositionsOf(last),
    },
  };
}

/** As they are stored: each in quotes, with commas between. */
function dispositionsOf(delivery: DeliveryRow | undefined): readonly string[] {
  const stored = delivery?.disposition_codes ?? null;
  return stored === null ? [] : (JSON.parse(`[${stored}]`) as string[]);
}

function given(values: Readonly<Record<string, string | undefined>>): Values {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function idOf({ stream_id: stream }: StoredEvent, kind: string): string | undefined {
  return stream.startsWith(`${kind}:`) ? stream.slice(kind.length + 1) : undefined;
}

async function recordsOf(tx: Transaction<Database>, reads: readonly Read[]): Promise<Records> {
  const attempts = reads.flatMap(({ event }) => idOf(event, 'attempt') ?? []);
  const deliveryOfAttempt = await deliveriesOfAttempts(tx, attempts);
  const ended = reads.filter(({ trigger }) => trigger === 'deliveryTaskEnded');
  const taskIds = [...new Set(ended.flatMap(({ event }) => idOf(event, 'task') ?? []))];
  const named = reads.flatMap(({ payload }) => textIn(payload, 'deliveryId') ?? []);
  const deliveryIds = [...new Set([...named, ...deliveryOfAttempt.values()])];
  const tasks = taskIds.length === 0 ? [] : await rowsIn(tx, 'tasks', 'id', taskIds);
  const ofTasks = taskIds.length === 0 ? [] : await rowsIn(tx, 'deliveries', 'task_id', taskIds);
  const byId = deliveryIds.length === 0 ? [] : await rowsIn(tx, 'deliveries', 'id', deliveryIds);
  const lastDeliveries = new Map<string, DeliveryRow>();
  for (const row of ofTasks) {
    const before = lastDeliveries.get(row.task_id);
    if (before === undefined || before.seq_no < row.seq_no) lastDeliveries.set(row.task_id, row);
  }
  const shown = [...byId, ...lastDeliveries.values()].map(({ id }) => id);
  return {
    tasks: new Map(tasks.map((row) => [row.id, row])),
    deliveries: new Map(byId.map((row) => [row.id, row])),
    ...{ lastDeliveries, deliveryOfAttempt },
    returned: await returnedOf(tx, [...new Set(shown)]),
  };
}

async function rowsIn<T extends 'tasks' | 'deliveries'>(
  tx: Transaction<Database>,
  table: T,
  column: string,
  ids: readonly string[],
): Promise<Database[T][]> {
  const rows = await tx
    .selectFrom(table as 'deliveries')
    .selectAll()
    .where(column as 'id', 'in', [...ids])
    .execute();
  return rows as unknown as Database[T][];
}

async function deliveriesOfAttempts(
  tx: Transaction<Database>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await tx
    .selectFrom('attempts')
    .select(['id', 'delivery_id'])
    .where('id', 'in', [...ids])
    .execute();
  return new Map(rows.map((row) => [row.id, row.delivery_id]));
}

async function returnedOf(
  tx: Transaction<Database>,
  deliveryIds: readonly string[],
): Promise<ReadonlyMap<string, Values>> {
  if (deliveryIds.length === 0) return new Map();
  const rows = await tx
    .selectFrom('delivery_attributes')
    .select(['delivery_id', 'keyword', 'value'])
    .where('delivery_id', 'in', [...deliveryIds])
    .where('type', '=', 'Result')
    .execute();
  const returned = new Map<string, Record<string, string>>();
  for (const { delivery_id: id, keyword, value } of rows) {
    returned.set(id, { ...returned.get(id), [keyword]: value });
  }
  return returned;
}
