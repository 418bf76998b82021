/** What a representative's phone proves itself by: taken, never shown. */
import type { Transaction } from 'kysely';
import {
  changeAccessIn,
  credentialsChange,
  DialInAccess,
  dialInChange,
  NO_CREDENTIALS,
  NO_DIAL_IN,
  PhoneCredentials,
  type AccessChange,
} from '../../../representatives/phone-access.ts';
import type { Database } from '../../../store/schema/database.ts';
import { notFound, writerOf, type ApiApp, type ApiContext } from '../api-context.ts';
import { tagged } from '../entity-tag.ts';
import { IdParams, problems } from '../wire-types.ts';
import { Representative, representativeBody } from './representative.shapes.ts';
import type { FastifyReply, FastifyRequest } from 'fastify';

const tags = ['representatives'];
const shared = { tags, params: IdParams, response: { 200: Representative, ...problems } };

export function phoneRoutes(app: ApiApp, context: ApiContext): void {
  const config = { access: 'operate' } as const;
  const setCredentials = { ...shared, operationId: 'setPhoneCredentials', body: PhoneCredentials };
  app.put(
    '/v1/representatives/:id/phone-credentials',
    { config, schema: setCredentials },
    (request, reply) => {
      const change = credentialsChange(request.body, context.registrarRealm ?? '');
      return changed(context, request, reply, request.params.id, change);
    },
  );
  const removeCredentials = { ...shared, operationId: 'removePhoneCredentials' };
  app.delete(
    '/v1/representatives/:id/phone-credentials',
    { config, schema: removeCredentials },
    (request, reply) => changed(context, request, reply, request.params.id, NO_CREDENTIALS),
  );

  const setDialIn = { ...shared, operationId: 'setDialIn', body: DialInAccess };
  app.put(
    '/v1/representatives/:id/dial-in',
    { config, schema: setDialIn },
    async (request, reply) => {
      const change = await dialInChange(request.body);
      return changed(context, request, reply, request.params.id, change);
    },
  );
  const removeDialIn = { ...shared, operationId: 'removeDialIn' };
  app.delete(
    '/v1/representatives/:id/dial-in',
    { config, schema: removeDialIn },
    (request, reply) => changed(context, request, reply, request.params.id, NO_DIAL_IN),
  );
}

async function changed(
  context: ApiContext,
  request: FastifyRequest,
  reply: FastifyReply,
  id: string,
  change: AccessChange,
) {
  const writer = writerOf(context, request);
  const work = async (tx: Transaction<Database>) => {
    const row = await changeAccessIn(tx, writer, id, change);
    if (row === undefined) throw notFound('representative', id);
    return { row, body: await representativeBody(tx, row) };
  };
  const { row, body } = await context.database.db.transaction().execute(work);
  await context.dialer()?.desk.changed(id);
  tagged(reply, row);
  return body;
}
