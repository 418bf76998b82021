/** What whoever draws a journey can choose from, step by step. */
import { Type } from 'typebox';
import { OPERATORS_OF } from '../../../../journey-core/definition/condition.schema.ts';
import { CONTACT_ATTRIBUTES } from '../../../../journey-core/definition/assets.schema.ts';
import { Step, type StepType } from '../../../../journey-core/definition/step.schemas.ts';
import {
  SMS_RESULTS,
  SMS_RETURN_CODES,
} from '../../../../journey-core/interpreter/conversation-outcome.ts';
import { createBranches } from '../../../../journey-core/definition/create-branches.ts';
import {
  Journey as JourneySchema,
  type Journey,
} from '../../../../journey-core/definition/journey.schema.ts';
import { RESULTS } from '../../../../machines/result.ts';
import { DialerError } from '../../../../machines/errors.ts';
import { checkShape } from '../../../checked-shape.ts';
import { checkAgainst } from '../../../journeys/lifecycle/check-journey.ts';
import { storedAssets } from '../../../journeys/lifecycle/journey-assets.ts';
import { callerOfRequest } from '../../access.ts';
import type { ApiApp, ApiContext } from '../api-context.ts';
import { closed, problems } from '../wire-types.ts';
import { exampleDefinition, Fault, faultsBody, READ, tags, url } from './journey.shapes.ts';
import { checkOptionsOf } from './journeys.routes.ts';

const assetState = Type.Enum(['ready', 'draft'], {
  description: 'A draft can be named already, and blocks publishing.',
});
const Named = Type.Object({ name: Type.String(), state: assetState });
const ValueTypes = Type.Array(Type.Object({ name: Type.String(), type: Type.String() }));
const Profile = Type.Object({
  name: Type.String(),
  state: assetState,
  purposes: Type.Array(
    Type.Object({
      name: Type.String(),
      type: Type.Enum(['commercial', 'transactional'], {
        description: 'Nothing is sent for tracking: such purposes are not here.',
      }),
      topics: Type.Array(Type.String(), { description: 'One has to be chosen if there are any.' }),
    }),
  ),
});

const Assets = Type.Object(
  {
    stepTypes: Type.Array(Type.String(), {
      description: 'Conversations only while they are switched on, and for contacts alone.',
    }),
    voice: Type.Object({
      engagements: Type.Array(Named, { description: 'Of type voice, and not fed by files.' }),
      complianceProfiles: Type.Array(Profile, { description: 'Those that are meant for calls.' }),
      results: Type.Array(Type.String()),
    }),
    sms: Type.Object({
      engagements: Type.Array(Named),
      complianceProfiles: Type.Array(Profile, { description: 'For the messages of a journey.' }),
      results: Type.Array(Type.String()),
      returnCodes: Type.Array(Type.String()),
    }),
    quietTimes: Type.Array(Type.String(), {
      description: '`inherit` is that of the profile, `none` sends at once.',
    }),
    segments: Type.Array(
      Type.Object({ name: Type.String(), kind: Type.Enum(['static', 'dynamic']) }),
    ),
    triggers: Type.Array(
      Type.Object({
        name: Type.String(),
        kind: Type.Enum(['interaction', 'business', 'custom']),
        state: assetState,
        attributes: ValueTypes,
      }),
    ),
    webhooks: Type.Array(Type.String(), { description: 'Those that are configured.' }),
    contactAttributes: Type.Array(Type.String(), {
      description: 'Every contact has them, as text; others are declared by the definition.',
    }),
    operators: Type.Record(Type.String(), Type.Array(Type.String()), {
      description: 'By type of value.',
    }),
  },
  {
    examples: [
      {
        ...{ stepTypes: ['voice', 'waitFor', 'branch', 'exit'], quietTimes: ['inherit', 'none'] },
        voice: {
          engagements: [{ name: 'Appointments', state: 'ready' }],
          complianceProfiles: [
            {
              ...{ name: 'Deliveries', state: 'ready' },
              purposes: [{ name: 'Transactional', type: 'transactional', topics: [] }],
            },
          ],
          results: ['LiveAnswer', 'Busy'],
        },
        sms: {
          ...{ engagements: [], complianceProfiles: [], results: ['ConversationClosed'] },
          returnCodes: ['ConversationCancelled'],
        },
        segments: [{ name: 'Delivery tomorrow', kind: 'dynamic' }],
        triggers: [
          {
            ...{ name: 'deliveryCancelled', kind: 'business', state: 'ready' },
            attributes: [{ name: 'OrderId', type: 'text' }],
          },
        ],
        ...{
          webhooks: ['emailProvider'],
          contactAttributes: ['firstName'],
          operators: { boolean: ['isTrue', 'isFalse'] },
        },
      },
    ],
  },
);

const STEP_TYPES = (
  Step as unknown as {
    readonly anyOf: readonly { properties: { type: { const: StepType } } }[];
  }
).anyOf.map(({ properties }) => properties.type.const);

export function journeyAssetRoutes(app: ApiApp, context: ApiContext): void {
  const { db } = context.database;
  const read = {
    ...{ operationId: 'getJourneyAssets', tags },
    description: 'What a journey can name here, and what its conditions can ask.',
    response: { 200: Assets, ...problems },
  };
  app.get(`${url}/assets`, { config: READ, schema: read }, async (request) => {
    const { hasConversations, webhooks } = checkOptionsOf(context);
    const stored = await storedAssets(db, callerOfRequest(request).businessUnitId, webhooks);
    const profilesFor = (channel: 'voice' | 'sms') =>
      stored.complianceProfiles
        .filter(({ channels }) => channels.includes(channel))
        .map(({ name, state = 'ready', purposes }) => ({
          ...{ name, state },
          purposes: purposes
            .filter(({ type }) => type !== 'tracking')
            .map(({ name: purpose, type, topics = [] }) => ({ name: purpose, type, topics })),
        }));
    const engagementsOf = (channel: 'voice' | 'sms') =>
      stored.engagements
        .filter((engagement) => hasConversations && engagement.channel === channel)
        .map(({ name, state = 'ready' }) => ({ name, state }));
    return {
      stepTypes: STEP_TYPES.filter(
        (type) => hasConversations || (type !== 'voice' && type !== 'sms'),
      ),
      voice: {
        engagements: engagementsOf('voice'),
        complianceProfiles: profilesFor('voice'),
        results: RESULTS,
      },
      sms: {
        engagements: engagementsOf('sms'),
        complianceProfiles: profilesFor('sms'),
        results: SMS_RESULTS,
        returnCodes: SMS_RETURN_CODES,
      },
      quietTimes: ['inherit', 'none', ...stored.quietTimes.map(({ name }) => name)],
      segments: stored.segments.map(({ name, kind }) => ({ name, kind })),
      triggers: stored.triggers.map(({ name, kind, state = 'ready', attributes = [] }) => ({
        ...{ name, kind, state },
        attributes: attributes.map((one) => ({ name: one.name, type: one.type })),
      })),
      webhooks: (stored.webhooks ?? []).map(({ name }) => name),
      contactAttributes: CONTACT_ATTRIBUTES,
      operators: OPERATORS_OF,
    };
  });
  branchesRoute(app, context);
}

const smsDefinition = {
  ...exampleDefinition,
  steps: [
    { id: 'ask', type: 'sms', engagement: 'Slots', message: 'whichDay', next: 'done' },
    { id: 'done', type: 'exit' },
  ],
};
const Branches = Type.Object(
  {
    definition: Type.Record(Type.String(), Type.Unknown()),
    stepId: Type.String({ minLength: 1, maxLength: 64, description: 'A conversation by text.' }),
  },
  { ...closed, examples: [{ definition: smsDefinition, stepId: 'ask' }] },
);
const Branched = Type.Object(
  {
    definition: Type.Record(Type.String(), Type.Unknown()),
    addedStepIds: Type.Array(Type.String()),
    faults: Type.Array(Fault, { description: 'Of that definition.' }),
  },
  { examples: [{ definition: smsDefinition, addedStepIds: ['askOutcome'], faults: [] }] },
);

function branchesRoute(app: ApiApp, context: ApiContext): void {
  const { db } = context.database;
  const schema = {
    ...{ operationId: 'createJourneyBranches', tags, body: Branches },
    description:
      'Puts the two levels behind a text conversation: a wait for its end, with a time-out, and a ' +
      'branch on how it ended. Nothing is kept: save what comes back as the draft.',
    response: { 200: Branched, ...problems },
  };
  app.post(`${url}/create-branches`, { config: READ, schema }, async (request) => {
    const { businessUnitId } = callerOfRequest(request);
    const { definition, stepId } = request.body;
    const options = checkOptionsOf(context);
    const stored = await storedAssets(db, businessUnitId, options.webhooks);
    checkShape(JourneySchema, definition, '/definition');
    const made = createBranches(definition as unknown as Journey, stepId);
    if (typeof made === 'string') {
      const faults = [{ pointer: '/stepId', detail: made }];
      throw new DialerError('REQUEST_INVALID', `stepId ${made}`, { faults });
    }
    const check = checkAgainst(stored, made.journey, options);
    const { journey, addedStepIds } = made;
    return { definition: journey, addedStepIds, faults: faultsBody(check) };
  });
}
