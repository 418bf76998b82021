/** Triggers: made, made ready, and raised; and what people have done. */
import type { Transaction } from 'kysely';
import { Type } from 'typebox';
import { INTERACTION_TRIGGERS } from '../../../triggers/interaction-triggers.ts';
import { raiseTrigger } from '../../../triggers/raise-trigger.ts';
import {
  changeTrigger,
  createTriggerIn,
  triggerInput,
  TriggerInput,
} from '../../../triggers/trigger-settings.ts';
import type { Occurrence } from '../../../triggers/trigger-inbox.ts';
import type { Database } from '../../../store/schema/database.ts';
import type { TriggerRow } from '../../../store/schema/segment-tables.ts';
import { rowOf } from '../../../store/versioned-row.ts';
import { callerOfRequest } from '../../access.ts';
import { once } from '../../idempotency.ts';
import { writerOf, type ApiApp, type ApiContext } from '../api-context.ts';
import { newestFirst } from '../newest-first.ts';
import { versionedRoutes, type VersionedResource } from '../versioned-resource.ts';
import {
  closed,
  CreatingHeaders,
  exampleId,
  Id,
  IdParams,
  orNull,
  PAGE,
  paged,
  pageOf,
  problems,
  Time,
  timeMs,
  timeOrNull,
  timeText,
} from '../wire-types.ts';

const tag = 'triggers';
const url = '/v1/triggers';
const example = {
  ...{ name: 'deliveryCancelled', description: 'The order was withdrawn', kind: 'custom' },
  state: 'ready',
  attributes: [
    { name: 'OrderNumber', type: 'text', required: true },
    { name: 'Refund', type: 'number', required: false },
  ],
  conditions: { from: 'trigger', attribute: 'Refund', operator: 'greaterThan', value: 0 },
  keptDays: 30,
};

const NewTrigger = Type.Object(TriggerInput.properties, { ...closed, examples: [example] });
const Trigger = Type.Object(
  {
    id: Id,
    ...TriggerInput.properties,
    version: Type.Integer(),
    createdAt: Time,
    updatedAt: Time,
  },
  {
    examples: [
      {
        ...{ id: exampleId('61'), ...example, version: 1 },
        ...{ createdAt: '2026-03-02T15:00:00.000Z', updatedAt: '2026-03-02T15:00:00.000Z' },
      },
    ],
  },
);

const triggers: VersionedResource<'triggers'> = {
  ...{ url, tag, access: 'operate', table: 'triggers', one: 'Trigger', many: 'Triggers' },
  description: 'Something that will happen to people, told by code or by another system.',
  ...{ input: NewTrigger, shape: Trigger, patchExample: { state: 'ready' } },
  ...{ create: createTriggerIn, change: changeTrigger },
  bodyOf: (_, row) => triggerBody(row),
};

function triggerBody(row: TriggerRow) {
  return {
    ...{ id: row.id, ...triggerInput(row), version: row.version },
    createdAt: timeText(row.created_at_ms),
    updatedAt: timeText(row.updated_at_ms),
  };
}

export function triggerRoutes(app: ApiApp, context: ApiContext): void {
  versionedRoutes(app, context, triggers);
  interactionRoute(app);
  raiseRoute(app, context);
  occurrenceRoutes(app, context);
}

const Interactions = Type.Object(
  {
    items: Type.Array(
      Type.Object({
        name: Type.String(),
        description: Type.String(),
        attributes: Type.Record(Type.String(), Type.String(), { description: 'Types by name.' }),
      }),
    ),
  },
  {
    examples: [
      { items: [{ name: 'callEnded', description: 'A call …', attributes: { Result: 'text' } }] },
    ],
  },
);

function interactionRoute(app: ApiApp): void {
  const schema = {
    ...{ operationId: 'listInteractionTriggers', tags: [tag] },
    description: 'Those of the dialer’s own: there without being made.',
    response: { 200: Interactions, ...problems },
  };
  app.get(`${url}/interactions`, { config: { access: 'read' }, schema }, () => ({
    items: Object.entries(INTERACTION_TRIGGERS).map(([name, one]) => ({ name, ...one })),
  }));
}

const NewOccurrence = Type.Object(
  {
    contactId: Id,
    attributes: Type.Record(Type.String({ maxLength: 850 }), Type.Unknown(), {
      description: 'As the trigger declares them.',
      default: {},
    }),
    occurredAt: Type.Optional(Time),
  },
  {
    ...closed,
    examples: [{ contactId: exampleId('14'), attributes: { OrderNumber: 'A-7', Refund: 12.5 } }],
  },
);
const Raised = Type.Object(
  {
    id: Id,
    recorded: Type.Boolean({ description: 'False: the trigger’s conditions are not met.' }),
  },
  { examples: [{ id: exampleId('62'), recorded: true }] },
);

function raiseRoute(app: ApiApp, context: ApiContext): void {
  const raise = {
    ...{ operationId: 'raiseTrigger', tags: [tag], params: IdParams, headers: CreatingHeaders },
    body: NewOccurrence,
    description: 'It happened to this person. With an Idempotency-Key it happens once.',
    response: { 202: Raised, ...problems },
  };
  app.post(
    `${url}/:id/occurrences`,
    { config: { access: 'deliver' }, schema: raise },
    async (request, reply) => {
      const writer = writerOf(context, request);
      const { contactId, attributes, occurredAt } = request.body;
      const work = async (tx: Transaction<Database>) => {
        const { businessUnitId } = writer;
        const trigger = await rowOf(tx, businessUnitId, 'triggers', request.params.id);
        const { id, isRecorded } = await raiseTrigger(tx, writer, trigger, {
          ...{ contactId, attributes },
          ...(occurredAt === undefined ? {} : { occurredAtMs: timeMs(occurredAt) }),
        });
        return { status: 202, body: { id, recorded: isRecorded } };
      };
      const { status, body, isReplay } = await once(request, { ...context, ...writer, work });
      if (isReplay) void reply.header('idempotent-replayed', 'true');
      void reply.code(status);
      return body;
    },
  );
}

const OccurrenceBody = Type.Object(
  {
    id: Id,
    trigger: Type.String(),
    kind: Type.Enum(['custom', 'business', 'interaction', 'segment']),
    contactId: Id,
    attributes: Type.Record(Type.String(), Type.Unknown()),
    occurredAt: Time,
    recordedAt: Time,
    recordedBy: Type.String(),
    consumedAt: orNull(Time),
  },
  {
    examples: [
      {
        ...{ id: exampleId('62'), trigger: 'deliveryCancelled', kind: 'custom' },
        ...{ contactId: exampleId('14'), attributes: { OrderNumber: 'A-7' } },
        ...{ occurredAt: '2026-03-02T15:00:00.000Z', recordedAt: '2026-03-02T15:00:00.100Z' },
        ...{ recordedBy: 'key:rf_8Lk2Qa1', consumedAt: null },
      },
    ],
  },
);
const List = Type.Object({ ...PAGE, contactId: Id }, closed);

function occurrenceRoutes(app: ApiApp, context: ApiContext): void {
  const list = {
    ...{ operationId: 'listOccurrences', tags: [tag], querystring: List },
    description: 'What happened to one person, newest first, for as long as it is kept.',
    response: { 200: pageOf(OccurrenceBody), ...problems },
  };
  app.get(`${url}/occurrences`, { config: { access: 'read' }, schema: list }, async (request) => {
    const rows = await context.database.db
      .selectFrom('trigger_occurrences')
      .selectAll()
      .where('contact_id', '=', request.query.contactId)
      .$call(newestFirst(callerOfRequest(request).businessUnitId, request.query))
      .execute();
    return paged(rows, request.query.limit, { key: ({ id }) => id, body: occurrenceBody });
  });
}

function occurrenceBody(row: Occurrence) {
  return {
    ...{ id: row.id, trigger: row.trigger_name, kind: row.kind, contactId: row.contact_id },
    attributes: JSON.parse(row.payload) as Readonly<Record<string, unknown>>,
    occurredAt: timeText(row.occurred_at_ms),
    recordedAt: timeText(row.recorded_at_ms),
    recordedBy: row.recorded_by,
    consumedAt: timeOrNull(row.consumed_at_ms),
  };
}
