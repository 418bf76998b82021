/** Representatives: who they are, and what they can. */
import { Type } from 'typebox';
import { mergePatch } from '../../../merge-patch.ts';
import {
  changeRepresentativeIn,
  createRepresentativeIn,
  representativeInput,
} from '../../../representatives/write-representative.ts';
import { versionConflict } from '../../../store/version-conflict.ts';
import type { RepresentativeRow } from '../../../store/schema/representative-tables.ts';
import { callerOfRequest } from '../../access.ts';
import { once } from '../../idempotency.ts';
import { notFound, writerOf, type ApiApp, type ApiContext } from '../api-context.ts';
import { tagged, versionAsked } from '../entity-tag.ts';
import { newestFirst } from '../newest-first.ts';
import { created, patchSchema } from '../settings-resource.ts';
import { CreatingHeaders, EditingHeaders, IdParams, PAGE, paged, problems } from '../wire-types.ts';
import {
  NewRepresentative,
  Representative,
  representativeBody,
  RepresentativePage,
} from './representative.shapes.ts';

const tags = ['representatives'];
const List = Type.Object(PAGE, { additionalProperties: false });

export function representativeRoutes(app: ApiApp, context: ApiContext): void {
  const { db } = context.database;
  const create = {
    ...{ operationId: 'createRepresentative', tags },
    ...{ headers: CreatingHeaders, body: NewRepresentative },
    response: { 201: Representative, ...problems },
  };
  app.post(
    '/v1/representatives',
    { config: { access: 'operate' }, schema: create },
    async (request, reply) => {
      const writer = writerOf(context, request);
      const work = async (tx: Parameters<typeof createRepresentativeIn>[0]) => {
        const row = await createRepresentativeIn(tx, writer, request.body);
        return { status: 201, body: await representativeBody(tx, row) };
      };
      const answering = once(request, { ...context, ...writer, work });
      const body = await created(reply, '/v1/representatives', answering);
      await context.dialer()?.desk.changed(body.id);
      return body;
    },
  );

  const change = {
    ...{ operationId: 'changeRepresentative', tags, params: IdParams, headers: EditingHeaders },
    body: patchSchema({ skills: [] }),
    response: { 200: Representative, ...problems },
  };
  app.patch(
    '/v1/representatives/:id',
    { config: { access: 'operate' }, schema: change },
    async (request, reply) => {
      const version = versionAsked(request);
      const { id } = request.params;
      const writer = writerOf(context, request);
      const before = await findRepresentative(context, writer.businessUnitId, id);
      const { row, body } = await db.transaction().execute(async (tx) => {
        if (before.version !== version) throw versionConflict('representative', id, before.version);
        const input = mergePatch(await representativeInput(tx, before), request.body);
        const row = await changeRepresentativeIn(tx, writer, { id, version, input });
        return { row, body: await representativeBody(tx, row) };
      });
      await context.dialer()?.desk.changed(id);
      tagged(reply, row);
      return body;
    },
  );

  representativeReadRoutes(app, context);
}

function representativeReadRoutes(app: ApiApp, context: ApiContext): void {
  const { db } = context.database;
  const list = {
    ...{ operationId: 'listRepresentatives', tags, querystring: List },
    response: { 200: RepresentativePage, ...problems },
  };
  app.get('/v1/representatives', { config: { access: 'read' }, schema: list }, async (request) => {
    const { businessUnitId } = callerOfRequest(request);
    const rows = await db
      .selectFrom('representatives')
      .selectAll()
      .$call(newestFirst(businessUnitId, request.query))
      .execute();
    const { items, nextCursor } = paged(rows, request.query.limit, {
      key: ({ id }) => id,
      body: (row) => representativeBody(db, row),
    });
    return { items: await Promise.all(items), nextCursor };
  });

  const read = {
    ...{ operationId: 'getRepresentative', tags, params: IdParams },
    response: { 200: Representative, ...problems },
  };
  app.get(
    '/v1/representatives/:id',
    { config: { access: 'read' }, schema: read },
    async (request, reply) => {
      const { businessUnitId } = callerOfRequest(request);
      const row = await findRepresentative(context, businessUnitId, request.params.id);
      tagged(reply, row);
      return representativeBody(db, row);
    },
  );
}

export async function findRepresentative(
  { database }: ApiContext,
  businessUnitId: string,
  id: string,
): Promise<RepresentativeRow> {
  const row = await database.db
    .selectFrom('representatives')
    .selectAll()
    .where('id', '=', id)
    .where('business_unit_id', '=', businessUnitId)
    .executeTakeFirst();
  if (row === undefined) throw notFound('representative', id);
  return row;
}
