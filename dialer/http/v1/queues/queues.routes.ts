/** Queues: opening hours in a time zone of their own. */
import { Type } from 'typebox';
import { changeQueue, queueInput } from '../../../engagements/change-settings.ts';
import { createQueueIn } from '../../../engagements/create-engagement.ts';
import { QueueInput } from '../../../engagements/engagement-inputs.schema.ts';
import type { QueueRow } from '../../../store/schema/engagement-tables.ts';
import { callerOfRequest } from '../../access.ts';
import { once } from '../../idempotency.ts';
import { notFound, writerOf, type ApiApp, type ApiContext } from '../api-context.ts';
import { tagged, versionAsked } from '../entity-tag.ts';
import { created, patchSchema, tellEngagements } from '../settings-resource.ts';
import { newestFirst } from '../newest-first.ts';
import {
  CreatingHeaders,
  EditingHeaders,
  Id,
  IdParams,
  PAGE,
  paged,
  pageOf,
  problems,
  Time,
  timeText,
} from '../wire-types.ts';

const example = {
  name: 'Daytime',
  hours: {
    ...Object.fromEntries(
      ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'].map((day) => [
        day,
        [{ from: '09:00', to: '17:00' }],
      ]),
    ),
    ...{ saturday: [], sunday: [], closedOn: ['2026-12-25'] },
  },
  timeZone: 'America/New_York',
};

const NewQueue = Type.Object(QueueInput.properties, {
  additionalProperties: false,
  examples: [example],
});

const Queue = Type.Object(
  {
    id: Id,
    ...QueueInput.properties,
    version: Type.Integer(),
    createdAt: Time,
    updatedAt: Time,
  },
  {
    examples: [
      {
        id: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a12',
        ...example,
        version: 1,
        createdAt: '2026-03-02T15:00:00.000Z',
        updatedAt: '2026-03-02T15:00:00.000Z',
      },
    ],
  },
);
const List = Type.Object(PAGE, { additionalProperties: false });
const tags = ['queues'];

export function queueRoutes(app: ApiApp, context: ApiContext): void {
  const create = {
    ...{ operationId: 'createQueue', tags, headers: CreatingHeaders, body: NewQueue },
    response: { 201: Queue, ...problems },
  };
  app.post('/v1/queues', { config: { access: 'operate' }, schema: create }, (request, reply) => {
    const writer = writerOf(context, request);
    const work = async (tx: Parameters<typeof createQueueIn>[0]) => {
      return { status: 201, body: queueBody(await createQueueIn(tx, writer, request.body)) };
    };
    return created(reply, '/v1/queues', once(request, { ...context, ...writer, work }));
  });

  queueReadRoutes(app, context);
}

function queueReadRoutes(app: ApiApp, context: ApiContext): void {
  const { db } = context.database;
  const list = {
    ...{ operationId: 'listQueues', tags, querystring: List },
    response: { 200: pageOf(Queue), ...problems },
  };
  app.get('/v1/queues', { config: { access: 'read' }, schema: list }, async (request) => {
    const { businessUnitId } = callerOfRequest(request);
    const rows = await db
      .selectFrom('queues')
      .selectAll()
      .$call(newestFirst(businessUnitId, request.query))
      .execute();
    return paged(rows, request.query.limit, { key: ({ id }) => id, body: queueBody });
  });

  const read = {
    ...{ operationId: 'getQueue', tags, params: IdParams },
    response: { 200: Queue, ...problems },
  };
  app.get(
    '/v1/queues/:id',
    { config: { access: 'read' }, schema: read },
    async (request, reply) => {
      const { id } = request.params;
      const row = await db
        .selectFrom('queues')
        .selectAll()
        .where('id', '=', id)
        .where('business_unit_id', '=', callerOfRequest(request).businessUnitId)
        .executeTakeFirst();
      if (row === undefined) throw notFound('queue', id);
      tagged(reply, row);
      return queueBody(row);
    },
  );

  const change = {
    ...{ operationId: 'changeQueue', tags, params: IdParams, headers: EditingHeaders },
    body: patchSchema({ hours: null }),
    response: { 200: Queue, ...problems },
  };
  app.patch(
    '/v1/queues/:id',
    { config: { access: 'operate' }, schema: change },
    async (request, reply) => {
      const version = versionAsked(request);
      const { id } = request.params;
      const row = await db
        .transaction()
        .execute((tx) =>
          changeQueue(tx, writerOf(context, request), { id, version, patch: request.body }),
        );
      await tellEngagements(context, 'queue_id', id);
      tagged(reply, row);
      return queueBody(row);
    },
  );
}

function queueBody(row: QueueRow) {
  return {
    id: row.id,
    ...queueInput(row),
    version: row.version,
    createdAt: timeText(row.created_at_ms),
    updatedAt: timeText(row.updated_at_ms),
  };
}
