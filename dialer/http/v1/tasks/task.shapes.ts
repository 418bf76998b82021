/** Delivery tasks as `/v1` takes and shows them (spec A.5, F.1). */
import { Type } from 'typebox';
import { readContactIds, readProgress, readWindows } from '../../../tasks/chain-progress.codec.ts';
import type { TaskRow } from '../../../store/schema/task-tables.ts';
import { AttributeMap, contactExample, contactFields } from '../contacts/contact.shapes.ts';
import { Id, orNull, pageOf, Time, timeOrNull, timeText } from '../wire-types.ts';

const Window = Type.Object(
  { start: Time, end: Time },
  { additionalProperties: false, description: 'A call may start from `start`, and before `end`.' },
);
const Windows = Type.Array(Window, { maxItems: 50 });

const ENGAGEMENT = '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a13';
const window = { start: '2026-03-02T17:00:00.000Z', end: '2026-03-02T23:00:00.000Z' };

export const NewTask = Type.Object(
  {
    engagementId: Id,
    contacts: Type.Array(
      Type.Object(
        { ...contactFields, windows: Type.Optional(Windows) },
        { additionalProperties: false },
      ),
      {
        description: 'One, or a chain in dial order: it ends with whoever is reached.',
        minItems: 1,
        maxItems: 5,
      },
    ),
    windows: Type.Optional(Windows),
    priority: Type.Optional(
      Type.String({
        description: 'A number or a date, for the custom call orders.',
        maxLength: 100,
      }),
    ),
    requestId: Type.Optional(
      Type.String({ description: 'Yours, to find it again.', minLength: 1, maxLength: 400 }),
    ),
    inputAttributes: Type.Optional(AttributeMap),
    onlyGivenNumbers: Type.Optional(
      Type.Boolean({
        description:
          'Only the numbers in this request are dialled, whatever others are known of its contacts.',
        default: false,
      }),
    ),
    journey: Type.Optional(
      Type.Object(
        {
          journeyId: Type.String({ minLength: 1, maxLength: 200 }),
          journeyRunId: Type.String({ minLength: 1, maxLength: 200 }),
        },
        {
          additionalProperties: false,
          description: 'Of the journey that asks; its deliveries carry both.',
        },
      ),
    ),
  },
  {
    additionalProperties: false,
    description: 'Without windows a call may start from now on, for a day.',
    examples: [
      {
        engagementId: ENGAGEMENT,
        requestId: 'crm-4711',
        contacts: [contactExample],
        windows: [window],
        inputAttributes: { orderNumber: '9' },
      },
    ],
  },
);

export const TASK_STATUSES = [
  'Pending',
  'InProcess',
  'Complete',
  'Expired',
  'Cancelled',
  'Error',
] as const;

const count = Type.Integer({ minimum: 0 });
const text = orNull(Type.String());

const TASK = {
  id: Id,
  engagementId: Id,
  status: Type.Enum([...TASK_STATUSES]),
  state: Type.Enum(['waiting', 'ready', 'working', 'final']),
  channel: Type.Literal('voice'),
  source: Type.Enum(['file', 'api', 'mcp', 'journey']),
  requestId: text,
  batchId: orNull(Id),
  journeyId: text,
  journeyRunId: text,
  contactIds: Type.Array(Id),
  windows: Windows,
  priority: text,
  priorityIsFallback: Type.Boolean({
    description: 'The custom order found no usable value: it goes behind those with one.',
  }),
  inputAttributes: Type.Record(Type.String(), Type.String()),
  attempts: count,
  loop: Type.Integer({ description: 'From 1.', minimum: 1 }),
  contactIndex: count,
  numberIndex: count,
  lastResult: text,
  lastSubReason: text,
  customerReached: Type.Boolean(),
  cancelRequested: Type.Boolean(),
  quarantined: Type.Boolean(),
  nextScheduledAt: orNull(Time),
  lastAttemptedAt: orNull(Time),
  expiresAt: Time,
  createdAt: Time,
  updatedAt: Time,
};

const example = {
  ...{ id: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a15', engagementId: ENGAGEMENT },
  ...{ status: 'Pending', state: 'waiting', channel: 'voice', source: 'api' },
  ...{
    requestId: 'crm-4711',
    batchId: null,
    journeyId: null,
    journeyRunId: null,
    priority: null,
    priorityIsFallback: false,
  },
  contactIds: ['019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a14'],
  ...{ windows: [window], inputAttributes: { orderNumber: '9' } },
  ...{ attempts: 0, loop: 1, contactIndex: 0, numberIndex: 0 },
  ...{ lastResult: null, lastSubReason: null, customerReached: false },
  ...{ cancelRequested: false, quarantined: false },
  ...{ nextScheduledAt: window.start, lastAttemptedAt: null, expiresAt: window.end },
  ...{ createdAt: '2026-03-02T15:00:00.000Z', updatedAt: '2026-03-02T15:00:00.000Z' },
};

export const Task = Type.Object(TASK, { examples: [example] });
export const TaskPage = pageOf(Task);

export const TaskWithDeliveries = Type.Object(
  {
    ...TASK,
    isSettled: Type.Boolean({
      description:
        'It has ended, and nothing more will be said of it: no wrap-up, no AI agent that returns.',
    }),
    deliveries: Type.Array(Type.Object({ id: Id, status: Type.String(), result: text })),
  },
  { examples: [{ ...example, isSettled: false, deliveries: [] }] },
);

export function taskBody(row: TaskRow) {
  const progress = readProgress(row.progress);
  const windows = readWindows(row.windows);
  const shown = [...windows.request, ...Object.values(windows.byContact).flat()];
  return {
    id: row.id,
    engagementId: row.engagement_id,
    status: row.status,
    state: row.state,
    channel: 'voice',
    source: row.source,
    requestId: row.request_id,
    batchId: row.batch_id,
    journeyId: row.journey_id,
    journeyRunId: row.journey_run_id,
    contactIds: readContactIds(row.contact_ids),
    windows: shown.map(({ startMs, endMs }) => ({
      start: timeText(startMs),
      end: timeText(endMs),
    })),
    priority: row.priority_value,
    priorityIsFallback: row.priority_fallback === 1,
    inputAttributes: JSON.parse(row.input_attributes) as Record<string, string>,
    attempts: row.attempt_count,
    loop: row.loop,
    contactIndex: progress.contactIndex,
    numberIndex: progress.numberIndex,
    lastResult: row.last_result,
    lastSubReason: row.last_sub_reason,
    customerReached: row.customer_reached === 1,
    cancelRequested: row.cancel_requested_at_ms !== null,
    quarantined: row.quarantined === 1,
    nextScheduledAt: row.state === 'waiting' ? timeText(row.due_at_ms) : null,
    lastAttemptedAt: timeOrNull(row.last_attempt_at_ms),
    expiresAt: timeText(row.expires_at_ms),
    createdAt: timeText(row.created_at_ms),
    updatedAt: timeText(row.updated_at_ms),
  };
}
