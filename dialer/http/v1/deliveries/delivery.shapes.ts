/** Deliveries as `/v1` shows them: every published column of spec A.6, and each can be asked for. */
import { Type } from 'typebox';
import { RESULTS } from '../../../../machines/result.ts';
import { TranscriptTurn } from '../../../../machines/transcription.ts';
import { DIAL_MODES, type FoundDelivery } from '../../../deliveries/find-deliveries.ts';
import type { Caller } from '../../../api-keys/api-keys.ts';
import { turnsOf, withoutNumbers } from '../../../recordings/transcripts.ts';
import type { RecordingRow } from '../../../store/schema/edge-tables.ts';
import { Id, orNull, PAGE, pageOf, shownNumber, Time, timeOrNull } from '../wire-types.ts';

export const DELIVERY_STATUSES = [
  'Pending',
  'InProcess',
  'Complete',
  'Expired',
  'Cancelled',
  'Error',
] as const;

export const TRANSCRIPTIONS = ['waiting', 'asked', 'done', 'failed', 'erased'] as const;

const text = orNull(Type.String());

const DELIVERY = {
  id: Id,
  conversationId: orNull(
    Type.String({ description: 'Of the conversation that it became: somebody answered.' }),
  ),
  callId: orNull(Type.String({ description: 'SIP Call-ID.' })),
  engagementId: Id,
  taskId: Id,
  batchId: orNull(Id),
  journeyId: text,
  journeyRunId: text,
  contactId: Id,
  channel: Type.Enum(['voice', 'sms']),
  status: Type.Enum([...DELIVERY_STATUSES]),
  queueId: Id,
  trackingId: orNull(Type.String({ description: 'The `requestId` of its task.' })),
  dialMode: Type.Enum([...DIAL_MODES]),
  toAddress: orNull(Type.String({ description: 'Masked unless the key may see numbers.' })),
  fromAddress: text,
  phoneType: text,
  windowStart: orNull(Time),
  windowEnd: orNull(Time),
  startedAt: orNull(Time),
  endedAt: orNull(Time),
  customerConnectedAt: orNull(Time),
  result: orNull(Type.Enum([...RESULTS])),
  subReason: text,
  resultAt: orNull(Time),
  dispositionCodes: text,
  sequence: Type.Integer({ description: 'Within its task, from 1.' }),
  exceededCustomerWaitThreshold: Type.Boolean(),
  sipDiagnostics: orNull(Type.Record(Type.String(), Type.Unknown())),
};

const example = {
  id: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a16',
  ...{ conversationId: null, callId: '7d1f0c6a@192.0.2.10' },
  engagementId: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a13',
  taskId: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a15',
  ...{ batchId: null, journeyId: null, journeyRunId: null },
  contactId: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a14',
  ...{ channel: 'voice', status: 'Complete', queueId: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a12' },
  ...{
    trackingId: 'crm-4711',
    dialMode: 'copilot',
    toAddress: '+1…43',
    fromAddress: '+12025550100',
  },
  phoneType: 'mobile',
  ...{ windowStart: '2026-03-02T17:00:00.000Z', windowEnd: '2026-03-02T23:00:00.000Z' },
  ...{ startedAt: '2026-03-02T17:00:00.120Z', endedAt: '2026-03-02T17:00:04.731Z' },
  ...{ customerConnectedAt: null, result: 'Busy', subReason: null },
  ...{ resultAt: '2026-03-02T17:00:04.731Z', dispositionCodes: null, sequence: 1 },
  exceededCustomerWaitThreshold: false,
  sipDiagnostics: { sipCode: 486, sipReason: 'Busy Here', q850: 17 },
};

export const Delivery = Type.Object(DELIVERY, { examples: [example] });
export const DeliveryPage = pageOf(Delivery);

const Attribute = Type.Object({
  type: Type.Enum(['Input', 'Result'], {
    description: 'Passed in with the request, or returned by the AI agent.',
  }),
  keyword: Type.String(),
  value: Type.String(),
});
const attributesExample = [{ type: 'Input', keyword: 'orderNumber', value: '9' }];

const Recording = Type.Object({
  id: Type.String(),
  attemptId: Id,
  status: Type.Enum(['started', 'ended', 'failed']),
  location: orNull(
    Type.String({ description: 'Name of the file in the gateway’s folder of recordings.' }),
  ),
  lengthMs: orNull(Type.Integer()),
  problem: orNull(Type.String({ description: 'Why there is none.' })),
  startedAt: orNull(Time),
  endedAt: orNull(Time),
  transcription: orNull(
    Type.Enum([...TRANSCRIPTIONS], {
      description:
        'Whether it is there in writing; asked: a gateway is at it. Null: the workstream did not ask.',
    }),
  ),
});

const Transcript = Type.Object({
  recordingId: Type.String(),
  attemptId: Id,
  status: Type.Enum([...TRANSCRIPTIONS]),
  language: text,
  tries: Type.Integer(),
  problem: orNull(Type.String({ description: 'Why the last try failed.' })),
  queuedAt: orNull(Time),
  transcribedAt: orNull(Time),
  turns: Type.Array(TranscriptTurn, {
    description: 'Numbers in them are masked unless the key may see numbers.',
  }),
});

export const Transcripts = Type.Object(
  { items: Type.Array(Transcript) },
  {
    examples: [
      {
        items: [
          {
            recordingId: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a17',
            attemptId: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a17',
            ...{ status: 'done', language: 'en', tries: 1, problem: null },
            queuedAt: '2026-03-02T17:02:11.000Z',
            transcribedAt: '2026-03-02T17:02:19.400Z',
            turns: [
              { speaker: 'customer', startMs: 420, endMs: 1_150, text: 'Hello?' },
              { speaker: 'representative', startMs: 1_300, endMs: 3_900, text: 'Good evening.' },
            ],
          },
        ],
      },
    ],
  },
);

export const DeliveryWithAttributes = Type.Object(
  { ...DELIVERY, attributes: Type.Array(Attribute), recordings: Type.Array(Recording) },
  { examples: [{ ...example, attributes: attributesExample, recordings: [] }] },
);
export const DeliveryAttributes = Type.Object(
  { items: Type.Array(Attribute) },
  { examples: [{ items: attributesExample }] },
);

const same = (description: string, maxLength = 300) =>
  Type.Optional(Type.String({ description, minLength: 1, maxLength }));
const from = (what: string) =>
  Type.Optional(Type.String({ ...Time, description: `${what} at or after this.` }));
const before = (what: string) =>
  Type.Optional(Type.String({ ...Time, description: `${what} before this.` }));

/** One for every published column, all of them optional and all to be met. */
export const DeliveryFilters = Type.Object(
  {
    ...PAGE,
    order: Type.Enum(['newest', 'oldest'], { default: 'newest' }),
    id: Type.Optional(Id),
    conversationId: same('Of the conversation.'),
    callId: same('SIP Call-ID.'),
    engagementId: Type.Optional(Id),
    taskId: Type.Optional(Id),
    batchId: Type.Optional(Id),
    journeyId: same('Of the journey.'),
    journeyRunId: same('Of the run of the journey.'),
    contactId: Type.Optional(Id),
    channel: Type.Optional(Type.Enum(['voice', 'sms'])),
    status: Type.Optional(Type.Enum([...DELIVERY_STATUSES])),
    queueId: Type.Optional(Id),
    trackingId: same('The `requestId` of the task.', 400),
    dialMode: Type.Optional(Type.Enum([...DIAL_MODES])),
    toAddress: same('The whole number dialled; write the plus as %2B.', 64),
    fromAddress: same('The whole number shown; write the plus as %2B.', 64),
    result: Type.Optional(Type.Enum([...RESULTS])),
    dispositionCode: same('One of its codes.', 100),
    windowStartFrom: from('The window opened'),
    windowStartBefore: before('The window opened'),
    windowEndFrom: from('The window closes'),
    windowEndBefore: before('The window closes'),
    startedFrom: from('Started'),
    startedBefore: before('Started'),
    endedFrom: from('Ended'),
    endedBefore: before('Ended'),
    resultFrom: from('The Result came'),
    resultBefore: before('The Result came'),
  },
  { additionalProperties: false },
);

export function recordingBody(row: RecordingRow) {
  return {
    id: row.recording_id,
    attemptId: row.attempt_id,
    status: row.status,
    location: row.location,
    lengthMs: row.length_ms,
    problem: row.detail,
    startedAt: timeOrNull(row.started_at_ms),
    endedAt: timeOrNull(row.ended_at_ms),
    transcription: row.transcription,
  };
}

export function transcriptBody(row: RecordingRow, { showsNumbers }: Caller) {
  const turns = turnsOf(row);
  return {
    recordingId: row.recording_id,
    attemptId: row.attempt_id,
    status: row.transcription,
    language: row.language,
    tries: row.transcription_tries,
    problem: row.transcription_problem,
    queuedAt: timeOrNull(row.transcription_queued_at_ms),
    transcribedAt: timeOrNull(row.transcribed_at_ms),
    turns: showsNumbers
      ? turns
      : turns.map((turn) => ({ ...turn, text: withoutNumbers(turn.text) })),
  };
}

export function deliveryBody(row: FoundDelivery, caller: Caller) {
  const { number, sip_diagnostics: diagnostics } = row;
  const isConversation = row.customer_connected_at_ms !== null;
  return {
    id: row.id,
    conversationId: isConversation ? row.attempt_id : null,
    callId: row.call_id,
    engagementId: row.engagement_id,
    taskId: row.task_id,
    batchId: row.batch_id,
    journeyId: row.journey_id,
    journeyRunId: row.journey_run_id,
    contactId: row.contact_id,
    channel: row.channel,
    status: row.status,
    queueId: row.queue_id,
    trackingId: row.tracking_id,
    dialMode: row.dial_mode,
    toAddress: number === null || number === '' ? null : shownNumber(caller, number),
    fromAddress: row.from_address,
    phoneType: row.phone_type,
    windowStart: timeOrNull(row.window_start_ms),
    windowEnd: timeOrNull(row.window_end_ms),
    startedAt: timeOrNull(row.start_at_ms),
    endedAt: timeOrNull(row.end_at_ms),
    customerConnectedAt: timeOrNull(row.customer_connected_at_ms),
    result: row.result,
    subReason: row.sub_reason,
    resultAt: timeOrNull(row.result_at_ms),
    dispositionCodes: row.disposition_codes,
    sequence: row.seq_no,
    exceededCustomerWaitThreshold: row.exceeded_customer_wait_threshold === 1,
    sipDiagnostics:
      diagnostics === null ? null : (JSON.parse(diagnostics) as Record<string, unknown>),
  };
}
