/** Workstreams: a trunk, a number to show, and who or what talks to people. */
import { Type } from 'typebox';
import { isMapping } from '../../../../config/config-path.ts';
import { DialerError } from '../../../../machines/errors.ts';
import { changeWorkstream } from '../../../engagements/change-settings.ts';
import { createWorkstreamIn } from '../../../engagements/create-engagement.ts';
import type { WorkstreamRow } from '../../../store/schema/engagement-tables.ts';
import { answerSettingsOf } from '../../../tasks/plan-after-answer.ts';
import { callerOfRequest } from '../../access.ts';
import { once } from '../../idempotency.ts';
import { notFound, writerOf, type ApiApp, type ApiContext } from '../api-context.ts';
import { created, patchSchema, tellEngagements } from '../settings-resource.ts';
import { tagged, versionAsked } from '../entity-tag.ts';
import { newestFirst } from '../newest-first.ts';
import { CreatingHeaders, EditingHeaders, IdParams, PAGE, paged, problems } from '../wire-types.ts';
import { NewWorkstream, Workstream, workstreamBody, WorkstreamPage } from './workstream.shapes.ts';

const tags = ['workstreams'];
const List = Type.Object(PAGE, { additionalProperties: false });

export function workstreamRoutes(app: ApiApp, context: ApiContext): void {
  const create = {
    ...{ operationId: 'createWorkstream', tags, headers: CreatingHeaders, body: NewWorkstream },
    response: { 201: Workstream, ...problems },
  };
  app.post(
    '/v1/workstreams',
    { config: { access: 'operate' }, schema: create },
    (request, reply) => {
      requireTrunk(context, request.body);
      const writer = writerOf(context, request);
      const work = async (tx: Parameters<typeof createWorkstreamIn>[0]) => {
        const row = await createWorkstreamIn(tx, writer, request.body);
        requireTranscriber(context, row);
        return { status: 201, body: workstreamBody(row) };
      };
      return created(reply, '/v1/workstreams', once(request, { ...context, ...writer, work }));
    },
  );

  workstreamReadRoutes(app, context);
}

function workstreamReadRoutes(app: ApiApp, context: ApiContext): void {
  const { db } = context.database;
  const list = {
    ...{ operationId: 'listWorkstreams', tags, querystring: List },
    response: { 200: WorkstreamPage, ...problems },
  };
  app.get('/v1/workstreams', { config: { access: 'read' }, schema: list }, async (request) => {
    const { businessUnitId } = callerOfRequest(request);
    const rows = await db
      .selectFrom('workstreams')
      .selectAll()
      .$call(newestFirst(businessUnitId, request.query))
      .execute();
    return paged(rows, request.query.limit, { key: ({ id }) => id, body: workstreamBody });
  });

  const read = {
    ...{ operationId: 'getWorkstream', tags, params: IdParams },
    response: { 200: Workstream, ...problems },
  };
  app.get(
    '/v1/workstreams/:id',
    { config: { access: 'read' }, schema: read },
    async (request, reply) => {
      const { id } = request.params;
      const row = await findWorkstream(context, callerOfRequest(request).businessUnitId, id);
      tagged(reply, row);
      return workstreamBody(row);
    },
  );

  const change = {
    ...{ operationId: 'changeWorkstream', tags, params: IdParams, headers: EditingHeaders },
    body: patchSchema({ settings: { prompts: [] } }),
    response: { 200: Workstream, ...problems },
  };
  app.patch(
    '/v1/workstreams/:id',
    { config: { access: 'operate' }, schema: change },
    async (request, reply) => {
      const version = versionAsked(request);
      const { id } = request.params;
      if ('trunk' in request.body) requireTrunk(context, { channel: 'voice', ...request.body });
      const row = await db.transaction().execute(async (tx) => {
        const writer = writerOf(context, request);
        const changed = await changeWorkstream(tx, writer, { id, version, patch: request.body });
        requireTranscriber(context, changed);
        return changed;
      });
      await tellEngagements(context, 'workstream_id', id);
      tagged(reply, row);
      return workstreamBody(row);
    },
  );
}

export async function findWorkstream(
  { database }: ApiContext,
  businessUnitId: string,
  id: string,
): Promise<WorkstreamRow> {
  const row = await database.db
    .selectFrom('workstreams')
    .selectAll()
    .where('id', '=', id)
    .where('business_unit_id', '=', businessUnitId)
    .executeTakeFirst();
  if (row === undefined) throw notFound('workstream', id);
  return row;
}

/** What was asked for and cannot be had is said where it is asked for, and not by silence later. */
function requireTranscriber({ hasTranscriber = false }: ApiContext, row: WorkstreamRow): void {
  const { transcription, recording } = answerSettingsOf(row);
  if (!transcription) return;
  if (!recording) {
    const detail = 'settings.transcription needs settings.recording: recordings are transcribed';
    throw new DialerError('REQUEST_INVALID', detail);
  }
  if (hasTranscriber) return;
  const detail =
    'settings.transcription: no transcriber is configured; set gateway.transcription.engine';
  throw new DialerError('REQUEST_INVALID', detail);
}

/** Nothing can be dialled through a trunk that is not configured. */
function requireTrunk({ trunks }: ApiContext, body: unknown): void {
  if (!isMapping(body) || body['channel'] === 'sms') return;
  if (trunks.some(({ name }) => name === body['trunk'])) return;
  const names = trunks.map(({ name }) => name).join(', ');
  const known = names === '' ? 'none is configured' : `configured: ${names}`;
  throw new DialerError(
    'REQUEST_INVALID',
    `a voice workstream needs a trunk that exists: ${known}`,
  );
}
