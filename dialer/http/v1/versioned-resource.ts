/** The four routes of everything that is made once and then edited: make, list, read, change. */
import type { Transaction } from 'kysely';
import { Type, type TObject } from 'typebox';
import type { Role } from '../../api-keys/api-key.ts';
import type { Writer } from '../../engagements/create-engagement.ts';
import { keepingWhatIsNamed } from '../../journeys/lifecycle/assets-in-use.ts';
import { lockUnit } from '../../store/lock-unit.ts';
import type { Database } from '../../store/schema/database.ts';
import {
  rowOf,
  type Change,
  type VersionedRows,
  type VersionedTable,
} from '../../store/versioned-row.ts';
import { callerOfRequest } from '../access.ts';
import { once } from '../idempotency.ts';
import { writerOf, type ApiApp, type ApiContext } from './api-context.ts';
import { tagged, versionAsked } from './entity-tag.ts';
import { newestFirst } from './newest-first.ts';
import { created, patchSchema } from './settings-resource.ts';
import {
  CreatingHeaders,
  EditingHeaders,
  IdParams,
  PAGE,
  paged,
  pageOf,
  problems,
} from './wire-types.ts';

type Tx = Transaction<Database>;
type Db = Pick<Tx, 'selectFrom'>;

interface Body {
  readonly id: string;
  readonly version: number;
}

export interface VersionedResource<T extends VersionedTable> {
  readonly url: string;
  readonly tag: string;
  /** In the names of the operations: `Segment`, `Segments`. */
  readonly one: string;
  readonly many: string;
  readonly table: T;
  /** Whoever may make and change it; reading takes the role `read`. */
  readonly access: Role;
  readonly description: string;
  readonly input: TObject;
  readonly shape: TObject;
  readonly patchExample: Readonly<Record<string, unknown>>;
  readonly create: (tx: Tx, writer: Writer, input: unknown) => Promise<VersionedRows[T]>;
  readonly change: (tx: Tx, writer: Writer, change: Change) => Promise<VersionedRows[T]>;
  readonly bodyOf: (db: Db, row: VersionedRows[T]) => Body | Promise<Body>;
}

const List = Type.Object(PAGE, { additionalProperties: false });

export function versionedRoutes<T extends VersionedTable>(
  app: ApiApp,
  context: ApiContext,
  resource: VersionedResource<T>,
): void {
  const { url, tag, one, access, input, shape, description, bodyOf } = resource;
  const tags = [tag];
  const create = {
    ...{ operationId: `create${one}`, tags, description, headers: CreatingHeaders, body: input },
    response: { 201: shape, ...problems },
  };
  app.post(url, { config: { access }, schema: create }, (request, reply) => {
    const writer = writerOf(context, request);
    const work = async (tx: Tx) => {
      // What it names itself is not renamed meanwhile.
      await lockUnit(context.database, tx, writer.businessUnitId);
      const row = await resource.create(tx, writer, request.body);
      return { status: 201, body: await bodyOf(tx, row) };
    };
    return created(reply, url, once(request, { ...context, ...writer, work }));
  });

  const change = {
    ...{ operationId: `change${one}`, tags, params: IdParams, headers: EditingHeaders },
    body: patchSchema(resource.patchExample),
    response: { 200: shape, ...problems },
  };
  app.patch(`${url}/:id`, { config: { access }, schema: change }, async (request, reply) => {
    const version = versionAsked(request);
    const writer = writerOf(context, request);
    const { id } = request.params;
    const body = await context.database.db.transaction().execute(async (tx) => {
      const asked = { id, version, patch: request.body };
      const row = await keepingWhatIsNamed(tx, writer, () => resource.change(tx, writer, asked));
      return bodyOf(tx, row);
    });
    tagged(reply, body);
    return body;
  });
  readRoutes(app, context, resource);
}

function readRoutes<T extends VersionedTable>(
  app: ApiApp,
  { database: { db } }: ApiContext,
  { url, tag, one, many, table, shape, bodyOf }: VersionedResource<T>,
): void {
  const config = { access: 'read' } as const;
  const tags = [tag];
  const list = {
    ...{ operationId: `list${many}`, tags, querystring: List },
    response: { 200: pageOf(shape), ...problems },
  };
  app.get(url, { config, schema: list }, async (request) => {
    const { businessUnitId } = callerOfRequest(request);
    const { limit } = request.query;
    const rows = (await db
      .selectFrom(table as 'topics')
      .selectAll()
      .$call(newestFirst(businessUnitId, request.query))
      .execute()) as unknown as readonly VersionedRows[T][];
    const { items, nextCursor } = paged(rows, limit, {
      key: ({ id }) => id,
      body: async (row) => bodyOf(db, row),
    });
    return { items: await Promise.all(items), nextCursor };
  });

  const read = {
    ...{ operationId: `get${one}`, tags, params: IdParams },
    response: { 200: shape, ...problems },
  };
  app.get(`${url}/:id`, { config, schema: read }, async (request, reply) => {
    const { businessUnitId } = callerOfRequest(request);
    const body = await bodyOf(db, await rowOf(db, businessUnitId, table, request.params.id));
    tagged(reply, body);
    return body;
  });
}
