/** Engagements as `/v1` takes and shows them. */
import { Type } from 'typebox';
import { engagementInput } from '../../../engagements/change-settings.ts';
import { storedConfig } from '../../../engagements/complete-config.ts';
import { configWarnings, WARNING_CODES } from '../../../engagements/config-warnings.ts';
import { CALL_ORDERS, EngagementConfig } from '../../../engagements/engagement-config.schema.ts';
import {
  CHANNELS,
  INTAKES,
  SmsEngagementInput,
  VoiceEngagementInput,
} from '../../../engagements/engagement-inputs.schema.ts';
import { SmsEngagementConfig } from '../../../engagements/sms-engagement.schema.ts';
import type { RulePacks } from '../../../rule-packs/rule-packs.ts';
import type { EngagementRow } from '../../../store/schema/engagement-tables.ts';
import { Id, orNull, pageOf, Time, timeText } from '../wire-types.ts';

const WORKSTREAM = '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a11';
const voiceExample = {
  name: 'Appointments of tomorrow',
  description: 'Reminds people, who may then confirm',
  channel: 'voice',
  intake: 'file',
  queueId: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a12',
  config: {
    mode: { kind: 'copilot', maxConcurrentCalls: 20, ignoreQueueHours: false },
    callOrder: 'firstInFirstOut',
    reattempt: { reasons: ['busy', 'noAnswer'], retriesMax: 2, waitMinutes: 60 },
  },
  startsSuspended: true,
};
const repLedExample = {
  name: 'Renewals',
  channel: 'voice',
  intake: 'api',
  queueId: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a12',
  config: {
    engagementType: 'repLed',
    mode: { kind: 'predictive', queueAllotmentPercent: 50 },
    answering: {
      amdAction: 'leaveMessageOnLastAttemptOnly',
      amdMessage: 'This is Example Ltd about your contract. Please call +1 202 555 0100.',
      customerWaitThresholdSeconds: 2,
      waitFrom: 'greetingEnd',
      abandonedMessage: {
        text: 'This is Example Ltd, +1 202 555 0100. Press 9 not to be called again.',
        optOutDigits: '9',
      },
      stopRule: { percent: 3, lookbackMinutes: 60 },
    },
  },
  startsSuspended: true,
};
const throttledExample = {
  name: 'Surveys',
  channel: 'voice',
  intake: 'api',
  queueId: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a12',
  config: {
    mode: { kind: 'progressive', maxCallsPerRep: 2 },
    throttle: {
      rules: [{ metric: 'averageWaitTime', threshold: 20, periodMinutes: 15 }],
      adjustPercent: 10,
    },
  },
  startsSuspended: true,
};
const smsExample = {
  name: 'Delivery notices',
  channel: 'sms',
  queueId: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a12',
  config: { firstResponseTimeout: { value: 2, unit: 'hours' }, template: 'Your parcel is here.' },
};
/** OpenAPI 3.1: which of the two shapes is meant. It decides whose faults are told. */
const discriminator = { propertyName: 'channel' };

const EXAMPLES = [voiceExample, repLedExample, throttledExample, smsExample];

const closed = { additionalProperties: false };
const { workstreamId } = VoiceEngagementInput.properties;
const voice = Type.Omit(VoiceEngagementInput, ['workstreamId']).properties;
const sms = Type.Omit(SmsEngagementInput, ['workstreamId']).properties;

export const NewEngagement = Type.Union(
  [Type.Object({ ...voice, workstreamId }, closed), Type.Object({ ...sms, workstreamId }, closed)],
  {
    discriminator,
    examples: EXAMPLES.map((one) => ({ ...one, workstreamId: WORKSTREAM })),
  },
);

/** Where the address names the workstream, the body does not. */
export const NewEngagementOfWorkstream = Type.Union(
  [Type.Object(voice, closed), Type.Object(sms, closed)],
  { discriminator, examples: EXAMPLES },
);

export const STATUSES = ['running', 'suspended', 'inactive'] as const;

export const Engagement = Type.Object(
  {
    id: Id,
    name: Type.String(),
    description: Type.String(),
    channel: Type.Enum([...CHANNELS]),
    intake: Type.Enum([...INTAKES]),
    workstreamId: Id,
    queueId: Id,
    config: Type.Union([EngagementConfig, SmsEngagementConfig]),
    status: Type.Enum([...STATUSES], {
      description: '`inactive` takes no work: SMS engagements, for now.',
    }),
    awaitsFile: Type.Boolean({
      description: 'Fed by file, and none was uploaded yet: POST one to its batches.',
    }),
    warnings: Type.Array(
      Type.Object({
        code: Type.Enum([...WARNING_CODES]),
        pointer: Type.String({ description: 'JSON pointer to the setting that it is about.' }),
        detail: Type.String(),
      }),
      { description: 'What to have confirmed before it is started. Nothing is refused for them.' },
    ),
    version: Type.Integer(),
    createdAt: Time,
    updatedAt: Time,
  },
  {
    examples: [
      {
        id: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a13',
        name: 'Delivery notices',
        description: '',
        channel: 'sms',
        intake: 'file',
        workstreamId: WORKSTREAM,
        queueId: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a12',
        config: {
          priority: 'normal',
          callOrder: 'earliestScheduledDate',
          uniqueIdentifier: 'contactid',
          skillIds: [],
          firstResponseTimeout: { value: 2, unit: 'hours' },
          template: 'Your parcel is here.',
        },
        status: 'inactive',
        awaitsFile: true,
        warnings: [],
        version: 1,
        createdAt: '2026-03-02T15:00:00.000Z',
        updatedAt: '2026-03-02T15:00:00.000Z',
      },
    ],
  },
);
export const EngagementPage = pageOf(Engagement);

export function engagementBody(row: EngagementRow, hasBatch: boolean, rulePacks: RulePacks) {
  return {
    id: row.id,
    ...engagementInput(row),
    status: row.status,
    awaitsFile: row.intake === 'file' && !hasBatch,
    warnings: warningsOf(row, rulePacks),
    version: row.version,
    createdAt: timeText(row.created_at_ms),
    updatedAt: timeText(row.updated_at_ms),
  };
}

function warningsOf({ channel, config }: EngagementRow, rulePacks: RulePacks) {
  if (channel !== 'voice') return [];
  const stored = storedConfig(config);
  return [...configWarnings(stored, rulePacks.of(stored.rulePacks))];
}

const Suspension = Type.Object({
  type: Type.Enum(['botFailure', 'adminAction', 'apiAction', 'exceededCustomerWaitThreshold']),
  reason: Type.String(),
  at: Time,
});

const count = Type.Integer({ minimum: 0 });

export const EngagementStatus = Type.Object(
  {
    engagementId: Id,
    status: Type.Enum([...STATUSES]),
    suspended: Type.Boolean(),
    suspension: orNull(Suspension),
    lastSuspension: orNull(Suspension),
    callOrderInForce: Type.Enum([...CALL_ORDERS], {
      description: 'The one before, while the tasks are put into another: seconds, as a rule.',
    }),
    tasks: Type.Object({ waiting: count, ready: count, working: count, final: count }),
    attempts: count,
    callsInFlight: count,
    aiAgent: Type.Object({ handled: count, failed: count }),
  },
  {
    examples: [
      {
        engagementId: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a13',
        status: 'running',
        suspended: false,
        suspension: null,
        lastSuspension: {
          type: 'apiAction',
          reason: 'made without being started',
          at: '2026-03-02T15:00:00.000Z',
        },
        callOrderInForce: 'earliestScheduledDate',
        tasks: { waiting: 0, ready: 31, working: 20, final: 9 },
        attempts: 29,
        callsInFlight: 20,
        aiAgent: { handled: 0, failed: 0 },
      },
    ],
  },
);

const Counts = Type.Record(Type.String(), count);

export const EngagementReport = Type.Object(
  {
    engagementId: Id,
    at: Time,
    tasks: Counts,
    deliveries: Counts,
    results: Counts,
    attempts: count,
    abandonment: Type.Object({
      attempted: Type.Integer({ minimum: 0, description: 'Calls that were sent and are over.' }),
      abandoned: Type.Integer({
        minimum: 0,
        description: 'A person was there, and it was over before anybody was there for them.',
      }),
      abandonedOfAttempted: orNull(
        Type.Number({
          minimum: 0,
          maximum: 1,
          description: 'The dashboard’s rate; the legal one is over live answers.',
        }),
      ),
    }),
  },
  {
    description: 'Counted when it is asked for: tasks and deliveries by status, and by Result.',
    examples: [
      {
        engagementId: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a13',
        at: '2026-03-02T15:10:00.000Z',
        tasks: { Complete: 60 },
        deliveries: { Complete: 60 },
        results: { Undetermined: 35, Busy: 8, NoAnswer: 7, InvalidAddress: 6, CallFailed: 4 },
        attempts: 60,
        abandonment: { attempted: 60, abandoned: 3, abandonedOfAttempted: 0.05 },
      },
    ],
  },
);

export const Suspend = Type.Object(
  { reason: Type.String({ minLength: 1, maxLength: 200, default: 'asked for over the API' }) },
  {
    additionalProperties: false,
    default: {},
    description: 'May be left out.',
    examples: [{ reason: 'The script is being changed' }],
  },
);
