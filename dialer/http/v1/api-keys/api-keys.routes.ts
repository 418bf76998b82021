/** Keys: made and revoked by whoever has an admin key. A key itself is shown once, when it is made. */
import { Type } from 'typebox';
import { ROLES } from '../../../api-keys/api-key.ts';
import { adminKeys, createKeyIn, findKey, revokeKeyIn } from '../../../api-keys/api-keys.ts';
import { Name } from '../../../checked-input.ts';
import { lockUnit } from '../../../store/lock-unit.ts';
import type { ApiKeyRow } from '../../../store/schema/access-tables.ts';
import { callerOfRequest } from '../../access.ts';
import { HttpError } from '../../http-error.ts';
import { once } from '../../idempotency.ts';
import { writerOf, type ApiApp, type ApiContext } from '../api-context.ts';
import { created } from '../settings-resource.ts';
import { newestFirst } from '../newest-first.ts';
import {
  CreatingHeaders,
  Id,
  IdParams,
  orNull,
  PAGE,
  paged,
  pageOf,
  problems,
  Time,
  timeOrNull,
  timeText,
} from '../wire-types.ts';

const tags = ['api-keys'];
const example = { name: 'Journeys', role: 'deliver', showsNumbers: false };

const NewKey = Type.Object(
  {
    name: Name,
    role: Type.Enum([...ROLES], {
      description:
        'Each may do what those before it may: `read` sees, `deliver` feeds tasks, contacts and files ' +
        'and cancels, `operate` makes and runs engagements, `admin` makes keys.',
    }),
    showsNumbers: Type.Boolean({
      description: 'Telephone numbers are answered in full, not masked.',
      default: false,
    }),
  },
  { additionalProperties: false, examples: [example] },
);

const KEY = {
  id: Id,
  name: Type.String(),
  prefix: Type.String({ description: 'The beginning of the key.' }),
  role: orNull(Type.Enum([...ROLES])),
  showsNumbers: Type.Boolean(),
  origin: Type.Enum(['firstStart', 'configuration', 'api']),
  createdBy: Type.String(),
  createdAt: Time,
  revokedAt: orNull(Time),
};
const shown = {
  ...{ id: '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a18', ...example, prefix: 'rf_9vQ2mX0a' },
  ...{ origin: 'api', createdBy: 'key:rf_Kd83hf0_', createdAt: '2026-03-02T15:00:00.000Z' },
  revokedAt: null,
};
const ApiKey = Type.Object(KEY, { examples: [shown] });
const CreatedKey = Type.Object(
  {
    ...KEY,
    key: Type.Optional(
      Type.String({ description: 'Shown now and never again, not even to a repeated request.' }),
    ),
  },
  { examples: [{ ...shown, key: 'rf_9vQ2mX0a…' }] },
);
const List = Type.Object(PAGE, { additionalProperties: false });

export function apiKeyRoutes(app: ApiApp, context: ApiContext): void {
  const { db } = context.database;
  const config = { access: 'admin' } as const;
  const create = {
    ...{ operationId: 'createApiKey', tags, headers: CreatingHeaders, body: NewKey },
    response: { 201: CreatedKey, ...problems },
  };
  app.post('/v1/api-keys', { config, schema: create }, (request, reply) => {
    const writer = writerOf(context, request);
    const answering = once<ReturnType<typeof keyBody> & { key?: string }>(request, {
      ...{ database: context.database, nowMs: writer.nowMs },
      work: async (tx) => {
        const made = await createKeyIn(tx, writer, { ...request.body, origin: 'api' });
        return { status: 201, body: { ...keyBody(made.row), key: made.key } };
      },
      // Only its hash is kept, here as everywhere.
      kept: ({ key: _, ...body }) => body,
    });
    void reply.header('cache-control', 'no-store');
    return created(reply, '/v1/api-keys', answering);
  });

  const list = {
    ...{ operationId: 'listApiKeys', tags, querystring: List },
    response: { 200: pageOf(ApiKey), ...problems },
  };
  app.get('/v1/api-keys', { config, schema: list }, async (request) => {
    const { businessUnitId } = callerOfRequest(request);
    const rows = await db
      .selectFrom('api_keys')
      .selectAll()
      .$call(newestFirst(businessUnitId, request.query))
      .execute();
    return paged(rows, request.query.limit, { key: ({ id }) => id, body: keyBody });
  });

  const read = {
    ...{ operationId: 'getApiKey', tags, params: IdParams },
    response: { 200: ApiKey, ...problems },
  };
  app.get('/v1/api-keys/:id', { config, schema: read }, async (request) => {
    const { businessUnitId } = callerOfRequest(request);
    return keyBody(await findKey(db, businessUnitId, request.params.id));
  });

  const revoke = {
    ...{ operationId: 'revokeApiKey', tags, params: IdParams },
    description: 'It holds no more from now on. The last admin key cannot be revoked.',
    response: { 200: ApiKey, ...problems },
  };
  app.delete('/v1/api-keys/:id', { config, schema: revoke }, async (request) => {
    const writer = writerOf(context, request);
    const { id } = request.params;
    return db.transaction().execute(async (tx) => {
      // Two admins that revoke each other at once would leave nobody.
      await lockUnit(context.database, tx, writer.businessUnitId);
      const row = await findKey(tx, writer.businessUnitId, id);
      const admins = await adminKeys(tx, writer.businessUnitId);
      if (admins.length === 1 && admins[0]?.id === id) {
        throw new HttpError('LAST_ADMIN_KEY', 'make another admin key first');
      }
      await revokeKeyIn(tx, writer, row.id);
      return keyBody(await findKey(tx, writer.businessUnitId, id));
    });
  });
}

function keyBody(row: ApiKeyRow) {
  return {
    id: row.id,
    name: row.name,
    prefix: row.prefix,
    role: row.role as (typeof ROLES)[number] | null,
    showsNumbers: row.shows_numbers === 1,
    origin: row.origin as 'firstStart' | 'configuration' | 'api',
    createdBy: row.created_by,
    createdAt: timeText(row.created_at_ms),
    revokedAt: timeOrNull(row.revoked_at_ms),
  };
}
