/** Engagements: made from the settings or from a workstream (CFG-01), listed, read, edited. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { DialerError } from '../../../../machines/errors.ts';
import { changeEngagement } from '../../../engagements/change-settings.ts';
import { createEngagementIn } from '../../../engagements/create-engagement.ts';
import { withBatch } from '../../../engagements/engagement-reports.ts';
import { keepingWhatIsNamed } from '../../../journeys/lifecycle/assets-in-use.ts';
import type { EngagementRow } from '../../../store/schema/engagement-tables.ts';
import { callerOfRequest } from '../../access.ts';
import { once } from '../../idempotency.ts';
import { notFound, writerOf, type ApiApp, type ApiContext } from '../api-context.ts';
import { tagged, versionAsked } from '../entity-tag.ts';
import { created, patchSchema } from '../settings-resource.ts';
import { newestFirst } from '../newest-first.ts';
import {
  CreatingHeaders,
  EditingHeaders,
  Id,
  IdParams,
  PAGE,
  paged,
  problems,
} from '../wire-types.ts';
import {
  Engagement,
  engagementBody,
  EngagementPage,
  NewEngagement,
  NewEngagementOfWorkstream,
  STATUSES,
} from './engagement.shapes.ts';

const tags = ['engagements'];
const List = Type.Object(
  {
    ...PAGE,
    status: Type.Optional(Type.Enum([...STATUSES])),
    workstreamId: Type.Optional(Id),
    name: Type.Optional(Type.String({ description: 'The whole name.', maxLength: 100 })),
  },
  { additionalProperties: false },
);

export function engagementRoutes(app: ApiApp, context: ApiContext): void {
  const operate = { access: 'operate' } as const;
  const response = { 201: Engagement, ...problems };
  const create = {
    ...{ operationId: 'createEngagement', tags, headers: CreatingHeaders, body: NewEngagement },
    response,
  };
  app.post('/v1/engagements', { config: operate, schema: create }, (request, reply) =>
    makeEngagement(context, request, reply, request.body),
  );

  const createHere = {
    ...{ operationId: 'createEngagementOfWorkstream', tags, params: IdParams, response },
    ...{ headers: CreatingHeaders, body: NewEngagementOfWorkstream },
  };
  app.post(
    '/v1/workstreams/:id/engagements',
    { config: operate, schema: createHere },
    (request, reply) => {
      const input = { ...request.body, workstreamId: request.params.id };
      return makeEngagement(context, request, reply, input);
    },
  );

  engagementReadRoutes(app, context);
}

function engagementReadRoutes(app: ApiApp, context: ApiContext): void {
  const operate = { access: 'operate' } as const;
  const list = {
    ...{ operationId: 'listEngagements', tags, querystring: List },
    response: { 200: EngagementPage, ...problems },
  };
  app.get('/v1/engagements', { config: { access: 'read' }, schema: list }, async (request) => {
    const { limit, status, workstreamId, name } = request.query;
    const { businessUnitId } = callerOfRequest(request);
    let query = context.database.db
      .selectFrom('engagements')
      .selectAll()
      .$call(newestFirst(businessUnitId, request.query));
    if (status !== undefined) query = query.where('status', '=', status);
    if (workstreamId !== undefined) query = query.where('workstream_id', '=', workstreamId);
    if (name !== undefined) query = query.where('name', '=', name);
    const rows = await query.execute();
    const ids = rows.map(({ id }) => id);
    const fed = await withBatch(context.database, businessUnitId, ids);
    const body = (row: EngagementRow) => engagementBody(row, fed.has(row.id), context.rulePacks);
    return paged(rows, limit, { key: ({ id }) => id, body });
  });

  const read = {
    ...{ operationId: 'getEngagement', tags, params: IdParams },
    response: { 200: Engagement, ...problems },
  };
  app.get(
    '/v1/engagements/:id',
    { config: { access: 'read' }, schema: read },
    async (request, reply) =>
      answer(context, reply, await findEngagement(context, request, request.params.id)),
  );

  const change = {
    ...{ operationId: 'changeEngagement', tags, params: IdParams, headers: EditingHeaders },
    body: patchSchema({ config: { mode: { maxConcurrentCalls: 40 } } }),
    response: { 200: Engagement, ...problems },
  };
  app.patch('/v1/engagements/:id', { config: operate, schema: change }, async (request, reply) => {
    const version = versionAsked(request);
    const { id } = request.params;
    const writer = writerOf(context, request);
    const asked = { id, version, patch: request.body };
    const row = await context.database.db
      .transaction()
      .execute((tx) => keepingWhatIsNamed(tx, writer, () => changeEngagement(tx, writer, asked)));
    await told(context, id);
    return answer(context, reply, row);
  });
}

/** Nothing would ever feed it. */
function refuseJourneysOff({ journeys }: ApiContext, input: unknown): void {
  const { intake } = input as { readonly intake?: unknown };
  if (intake !== 'journeys' || journeys?.isEnabled !== false) return;
  const detail = 'journeys are switched off here: set journeys.enabled';
  throw new DialerError('REQUEST_INVALID', detail, { faults: [{ pointer: '/intake', detail }] });
}

async function makeEngagement(
  context: ApiContext,
  request: FastifyRequest,
  reply: FastifyReply,
  input: unknown,
) {
  const writer = writerOf(context, request);
  refuseJourneysOff(context, input);
  const body = await created(
    reply,
    '/v1/engagements',
    once(request, {
      ...{ database: context.database, nowMs: writer.nowMs },
      work: async (tx) => {
        const row = await createEngagementIn(tx, writer, input);
        return { status: 201, body: engagementBody(row, false, context.rulePacks) };
      },
    }),
  );
  await told(context, body.id);
  return body;
}

/** It is stored by now: a dialer that cannot read it yet finds it by itself, a little later. */
async function told({ dialer, log }: ApiContext, id: string): Promise<void> {
  try {
    await dialer()?.engagementChanged(id);
  } catch (error) {
    log.warn({ error, engagementId: id }, 'an engagement was not told of');
  }
}

async function answer(
  { database, rulePacks }: ApiContext,
  reply: FastifyReply,
  row: EngagementRow,
) {
  tagged(reply, row);
  const fed = await withBatch(database, row.business_unit_id, [row.id]);
  return engagementBody(row, fed.has(row.id), rulePacks);
}

/** Throws NOT_FOUND, also for those of another business unit. */
export async function findEngagement(
  { database }: ApiContext,
  request: FastifyRequest,
  id: string,
): Promise<EngagementRow> {
  const row = await database.db
    .selectFrom('engagements')
    .selectAll()
    .where('id', '=', id)
    .where('business_unit_id', '=', callerOfRequest(request).businessUnitId)
    .executeTakeFirst();
  if (row === undefined) throw notFound('engagement', id);
  return row;
}
