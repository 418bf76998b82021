/** Contacts: made or brought up to date by their unique identifier (spec A.9), listed, read, edited. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Transaction } from 'kysely';
import { Type } from 'typebox';
import { contactEntry, type ContactEntry } from '../../../contacts/contact-entry.ts';
import { upsertContacts } from '../../../contacts/upsert-contacts.ts';
import type { ContactRow } from '../../../store/schema/contact-tables.ts';
import type { Database } from '../../../store/schema/database.ts';
import { versionConflict } from '../../../store/version-conflict.ts';
import { callerOfRequest } from '../../access.ts';
import { once } from '../../idempotency.ts';
import { notFound, writerOf, type ApiApp, type ApiContext } from '../api-context.ts';
import { rulesOfAnyTrunk } from '../destination-rules.ts';
import { tagged, versionAsked } from '../entity-tag.ts';
import { created } from '../settings-resource.ts';
import { newestFirst } from '../newest-first.ts';
import { CreatingHeaders, EditingHeaders, IdParams, PAGE, paged, problems } from '../wire-types.ts';
import {
  Contact,
  contactBody,
  editableContactFields,
  ContactPage,
  NewContact,
} from './contact.shapes.ts';

const tags = ['contacts'];
const List = Type.Object(
  { ...PAGE, uniqueIdentifier: Type.Optional(Type.String({ maxLength: 300 })) },
  { additionalProperties: false },
);
const ContactChange = Type.Object(editableContactFields, {
  additionalProperties: false,
  minProperties: 1,
  description: 'What is given replaces what is stored; the rest stays. Attributes are added.',
  examples: [{ phones: { mobile: '+12025550144' } }],
});

export function contactRoutes(app: ApiApp, context: ApiContext): void {
  const create = {
    ...{ operationId: 'putContact', tags, headers: CreatingHeaders, body: NewContact },
    description: 'Creates the contact, or updates the one with this unique identifier.',
    response: { 200: Contact, 201: Contact, ...problems },
  };
  app.post('/v1/contacts', { config: { access: 'deliver' }, schema: create }, (request, reply) => {
    const { nowMs } = writerOf(context, request);
    const work = (tx: Transaction<Database>) => put(context, request, tx, request.body);
    return created(reply, '/v1/contacts', once(request, { ...context, nowMs, work }));
  });

  contactReadRoutes(app, context);
}

function contactReadRoutes(app: ApiApp, context: ApiContext): void {
  const { db } = context.database;
  const list = {
    ...{ operationId: 'listContacts', tags, querystring: List },
    response: { 200: ContactPage, ...problems },
  };
  app.get('/v1/contacts', { config: { access: 'read' }, schema: list }, async (request) => {
    const { limit, uniqueIdentifier } = request.query;
    const caller = callerOfRequest(request);
    let query = db
      .selectFrom('contacts')
      .selectAll()
      .$call(newestFirst(caller.businessUnitId, request.query));
    if (uniqueIdentifier !== undefined) {
      query = query.where('unique_identifier', '=', uniqueIdentifier);
    }
    const rows = await query.execute();
    const numbers = await numbersOf(db, rows);
    const body = (row: ContactRow) => contactBody(row, numbers, caller);
    return paged(rows, limit, { key: ({ id }) => id, body });
  });

  const read = {
    ...{ operationId: 'getContact', tags, params: IdParams },
    response: { 200: Contact, ...problems },
  };
  app.get(
    '/v1/contacts/:id',
    { config: { access: 'read' }, schema: read },
    async (request, reply) =>
      answer(db, request, reply, await find(db, request, request.params.id)),
  );

  const change = {
    ...{ operationId: 'changeContact', tags, params: IdParams, headers: EditingHeaders },
    body: ContactChange,
    response: { 200: Contact, ...problems },
  };
  app.patch(
    '/v1/contacts/:id',
    { config: { access: 'deliver' }, schema: change },
    async (request, reply) => {
      const version = versionAsked(request);
      const row = await db.transaction().execute(async (tx) => {
        const before = await find(
          tx,
          request,
          request.params.id,
          context.database.kind === 'postgres',
        );
        if (before.version !== version) {
          throw versionConflict('contact', before.id, before.version);
        }
        const entry = { ...request.body, uniqueIdentifier: before.unique_identifier };
        return (await written(context, request, tx, entry)).row;
      });
      return answer(db, request, reply, row);
    },
  );
}

async function put(
  context: ApiContext,
  request: FastifyRequest,
  tx: Transaction<Database>,
  entry: ContactEntry,
) {
  const { row, isNew } = await written(context, request, tx, entry);
  const numbers = await numbersOf(tx, [row]);
  const body = contactBody(row, numbers, callerOfRequest(request));
  return { status: isNew ? 201 : 200, body };
}

async function written(
  context: ApiContext,
  request: FastifyRequest,
  tx: Transaction<Database>,
  entry: ContactEntry,
): Promise<{ readonly row: ContactRow; readonly isNew: boolean }> {
  const input = contactEntry(entry, rulesOfAnyTrunk(context.trunks), 'the contact');
  const [contact] = await upsertContacts(tx, writerOf(context, request), [input]);
  const row = await tx
    .selectFrom('contacts')
    .selectAll()
    .where('id', '=', contact?.id ?? '')
    .executeTakeFirstOrThrow();
  return { row, isNew: contact?.isNew === true };
}

type Db = Pick<Transaction<Database>, 'selectFrom'>;

async function answer(db: Db, request: FastifyRequest, reply: FastifyReply, row: ContactRow) {
  tagged(reply, row);
  return contactBody(row, await numbersOf(db, [row]), callerOfRequest(request));
}

async function find(
  db: Db,
  request: FastifyRequest,
  id: string,
  locks = false,
): Promise<ContactRow> {
  const query = db
    .selectFrom('contacts')
    .selectAll()
    .where('id', '=', id)
    .where('business_unit_id', '=', callerOfRequest(request).businessUnitId);
  const row = await (locks ? query.forUpdate() : query).executeTakeFirst();
  if (row === undefined) throw notFound('contact', id);
  return row;
}

async function numbersOf(db: Db, rows: readonly ContactRow[]): Promise<Map<string, string>> {
  const ids = rows
    .flatMap((row) => [row.mobile_point_id, row.business_point_id, row.home_point_id])
    .filter((id) => id !== null);
  if (ids.length === 0) return new Map();
  const points = await db
    .selectFrom('contact_points')
    .select(['id', 'value'])
    .where('id', 'in', ids)
    .execute();
  return new Map(points.map(({ id, value }) => [id, value]));
}
