/** What people said of being contacted: taken down, listed, edited, asked about. */
import type { FastifyRequest } from 'fastify';
import type { Selectable, Transaction } from 'kysely';
import { Type } from 'typebox';
import { DialerError } from '../../../../machines/errors.ts';
import { CONSENT_STATUSES } from '../../../consent/consent.schema.ts';
import {
  addressKey,
  addressOfContact,
  findPoints,
  pointKindOf,
  readAddress,
  type Address,
  type ContactField,
} from '../../../consent/contact-address.ts';
import type { Channel } from '../../../../journey-core/definition/sending.schema.ts';
import { decideForPoint } from '../../../consent/decide-for-point.ts';
import { consentOfContact, pointIdsOfContact, pointsById } from '../../../consent/read-consent.ts';
import { recordStatements, type ConsentStatement } from '../../../consent/record-statements.ts';
import type { ConsentRecordRow } from '../../../store/schema/consent-tables.ts';
import type { Database } from '../../../store/schema/database.ts';
import { rowOf, rowToChange, writeChange } from '../../../store/versioned-row.ts';
import { callerOfRequest } from '../../access.ts';
import { once } from '../../idempotency.ts';
import { notFound, writerOf, type ApiApp, type ApiContext } from '../api-context.ts';
import { rulesOfAnyTrunk } from '../destination-rules.ts';
import { tagged, versionAsked } from '../entity-tag.ts';
import { newestFirst } from '../newest-first.ts';
import { created } from '../settings-resource.ts';
import {
  CreatingHeaders,
  EditingHeaders,
  IdParams,
  PAGE,
  paged,
  problems,
  timeMs,
} from '../wire-types.ts';
import {
  ConsentRecordBody,
  ContactConsent,
  NewStatement,
  optOutBody,
  Question,
  recordBody,
  RecordList,
  RecordPage,
  statementBody,
  StatementPage,
  Verdict,
} from './consent.shapes.ts';

const tags = ['consent'];
const url = '/v1/consent/records';
type Tx = Transaction<Database>;
type Db = Pick<Tx, 'selectFrom'>;

export function consentRecordRoutes(app: ApiApp, context: ApiContext): void {
  const create = {
    ...{ operationId: 'recordConsent', tags, headers: CreatingHeaders, body: NewStatement },
    description: 'Takes down what somebody said; answers the record as it stands then.',
    response: { 201: ConsentRecordBody, ...problems },
  };
  app.post(url, { config: { access: 'deliver' }, schema: create }, (request, reply) => {
    const writer = writerOf(context, request);
    const work = async (tx: Tx) => {
      const statement = await statementOf(context, request, tx, request.body);
      const [recorded] = await recordStatements(tx, writer, [statement]);
      if (recorded === undefined) throw new Error('one statement has one record');
      return { status: 201, body: await shown(tx, request, recorded.record) };
    };
    return created(reply, url, once(request, { ...context, ...writer, work }));
  });
  changeRoute(app, context);
  readRoutes(app, context);
  questionRoutes(app, context);
}

const RecordChange = Type.Object(
  {
    status: Type.Optional(Type.Enum([...CONSENT_STATUSES])),
    source: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    reason: Type.Optional(
      Type.Union([Type.String({ minLength: 1, maxLength: 1_000 }), Type.Null()]),
    ),
    active: Type.Optional(
      Type.Boolean({ description: 'Put aside, or taken up again; it counts either way.' }),
    ),
  },
  { additionalProperties: false, minProperties: 1, examples: [{ status: 'optedIn' }] },
);

function changeRoute(app: ApiApp, context: ApiContext): void {
  const change = {
    ...{ operationId: 'changeConsent', tags, params: IdParams, headers: EditingHeaders },
    body: RecordChange,
    description: 'A changed status counts as said now.',
    response: { 200: ConsentRecordBody, ...problems },
  };
  app.patch(
    `${url}/:id`,
    { config: { access: 'deliver' }, schema: change },
    async (request, reply) => {
      const version = versionAsked(request);
      const body = await context.database.db
        .transaction()
        .execute(async (tx) =>
          shown(
            tx,
            request,
            await changed(context, request, tx, { id: request.params.id, version }),
          ),
        );
      tagged(reply, body);
      return body;
    },
  );
}

interface RecordPatch {
  readonly status?: (typeof CONSENT_STATUSES)[number];
  readonly source?: string;
  readonly reason?: string | null;
  readonly active?: boolean;
}

async function changed(
  context: ApiContext,
  request: FastifyRequest,
  tx: Tx,
  asked: { readonly id: string; readonly version: number },
): Promise<Selectable<ConsentRecordRow>> {
  const writer = writerOf(context, request);
  const patch = request.body as RecordPatch;
  const { active, status } = patch;
  const row = await rowToChange(tx, writer, 'consent_records', asked);
  const isActive = active ?? row.is_active === 1;
  const after =
    isActive === (row.is_active === 1)
      ? row
      : await writeChange(tx, writer, 'consent_records', row, {
          is_active: isActive ? 1 : 0,
          updated_by: writer.actor,
        });
  if (status === undefined) return after;
  const point = (await pointsById(tx, [row.contact_point_id])).get(row.contact_point_id);
  if (point === undefined) throw notFound('contact point', row.contact_point_id);
  const [recorded] = await recordStatements(tx, writer, [
    {
      address: { kind: point.kind as Address['kind'], value: point.value },
      ...{ channel: row.channel as Channel, purposeId: row.purpose_id },
      ...{ topicId: row.topic_id || null, profileId: row.profile_id, contactId: row.contact_id },
      ...{ status, source: patch.source ?? 'api', reason: patch.reason ?? null },
      statedAtMs: writer.nowMs,
    },
  ]);
  return recorded?.record ?? after;
}

function readRoutes(app: ApiApp, context: ApiContext): void {
  const { db } = context.database;
  const config = { access: 'read' } as const;
  const list = {
    ...{ operationId: 'listConsent', tags, querystring: RecordList },
    response: { 200: RecordPage, ...problems },
  };
  app.get(url, { config, schema: list }, async (request) => {
    const { limit, contactPointId, contactId, ...equal } = request.query;
    const caller = callerOfRequest(request);
    let query = db
      .selectFrom('consent_records')
      .selectAll()
      .where('version', '>', 0)
      .$call(newestFirst(caller.businessUnitId, request.query));
    const points = await pointsAsked(db, caller.businessUnitId, { contactPointId, contactId });
    if (points !== undefined) query = query.where('contact_point_id', 'in', points);
    if (equal.purposeId !== undefined) query = query.where('purpose_id', '=', equal.purposeId);
    if (equal.channel !== undefined) query = query.where('channel', '=', equal.channel);
    if (equal.status !== undefined) query = query.where('status', '=', equal.status);
    const rows = points?.length === 0 ? [] : await query.execute();
    const known = await pointsById(
      db,
      rows.map((row) => row.contact_point_id),
    );
    const body = (row: Selectable<ConsentRecordRow>) =>
      recordBody(row, known.get(row.contact_point_id), caller);
    return paged(rows, limit, { key: ({ id }) => id, body });
  });

  const read = {
    ...{ operationId: 'getConsent', tags, params: IdParams },
    response: { 200: ConsentRecordBody, ...problems },
  };
  app.get(`${url}/:id`, { config, schema: read }, async (request, reply) => {
    const { businessUnitId } = callerOfRequest(request);
    const row = await rowOf(db, businessUnitId, 'consent_records', request.params.id);
    tagged(reply, row);
    return shown(db, request, row);
  });

  const history = {
    ...{ operationId: 'listConsentStatements', tags, params: IdParams },
    querystring: Type.Object(PAGE, { additionalProperties: false }),
    description: 'Everything that was ever said, newest first.',
    response: { 200: StatementPage, ...problems },
  };
  app.get(`${url}/:id/statements`, { config, schema: history }, async (request) => {
    const { businessUnitId } = callerOfRequest(request);
    const { id } = await rowOf(db, businessUnitId, 'consent_records', request.params.id);
    const rows = await db
      .selectFrom('consent_statements')
      .selectAll()
      .where('record_id', '=', id)
      .$call(newestFirst(businessUnitId, request.query))
      .execute();
    return paged(rows, request.query.limit, { key: (row) => row.id, body: statementBody });
  });
}

async function pointsAsked(
  db: Db,
  businessUnitId: string,
  asked: {
    readonly contactPointId: string | undefined;
    readonly contactId: string | undefined;
  },
): Promise<string[] | undefined> {
  const { contactPointId, contactId } = asked;
  if (contactId === undefined) return contactPointId === undefined ? undefined : [contactPointId];
  const points = await pointIdsOfContact(db, await contactRow(db, businessUnitId, contactId));
  return contactPointId === undefined ? points : points.filter((id) => id === contactPointId);
}

async function contactRow(db: Db, businessUnitId: string, id: string) {
  const row = await db
    .selectFrom('contacts')
    .selectAll()
    .where('id', '=', id)
    .where('business_unit_id', '=', businessUnitId)
    .executeTakeFirst();
  if (row === undefined) throw notFound('contact', id);
  return row;
}

function questionRoutes(app: ApiApp, context: ApiContext): void {
  const { db } = context.database;
  const check = {
    ...{ operationId: 'checkConsent', tags, body: Question },
    description: 'Whether it may be used now, and which record decides. Nothing is written.',
    response: { 200: Verdict, ...problems },
  };
  app.post('/v1/consent/check', { config: { access: 'read' }, schema: check }, async (request) => {
    const { businessUnitId } = callerOfRequest(request);
    const { channel, profileId, purposeId, topicId } = request.body;
    const profile = await rowOf(db, businessUnitId, 'compliance_profiles', profileId);
    const names = await subjectNames(db, businessUnitId, { purposeId, topicId });
    const address = await addressAsked(context, db, businessUnitId, request.body);
    const found = await findPoints(db, businessUnitId, [address]);
    const contactPointId = found.get(addressKey(address)) ?? null;
    const compliance = { profile: profile.name, ...names };
    const decision = await decideForPoint(db, {
      ...{ businessUnitId, profile, compliance, channel, contactPointId },
    });
    return { ...decision, contactPointId };
  });

  const ofContact = {
    ...{ operationId: 'exportContactConsent', tags, params: IdParams },
    description: 'All that is kept of one person’s consent, for the person.',
    response: { 200: ContactConsent, ...problems },
  };
  app.get(
    '/v1/contacts/:id/consent',
    { config: { access: 'read' }, schema: ofContact },
    async (request) => {
      const caller = callerOfRequest(request);
      const contact = await contactRow(db, caller.businessUnitId, request.params.id);
      const { records, statements, optOuts } = await consentOfContact(db, contact);
      const points = await pointsById(
        db,
        records.map((row) => row.contact_point_id),
      );
      return {
        contactId: contact.id,
        records: records.map((row) => ({
          record: recordBody(row, points.get(row.contact_point_id), caller),
          statements: statements.filter((one) => one.record_id === row.id).map(statementBody),
        })),
        optOuts: optOuts.map(optOutBody),
      };
    },
  );
}

async function shown(db: Db, request: FastifyRequest, row: Selectable<ConsentRecordRow>) {
  const points = await pointsById(db, [row.contact_point_id]);
  return recordBody(row, points.get(row.contact_point_id), callerOfRequest(request));
}

interface PointAsked {
  readonly channel: Channel;
  readonly address?: string;
  readonly contactId?: string;
  readonly field?: ContactField;
}

/** The address that was given, or the one of the contact's field. */
async function addressAsked(
  { trunks }: ApiContext,
  db: Db,
  businessUnitId: string,
  { channel, address, contactId, field }: PointAsked,
): Promise<Address> {
  if (contactId !== undefined) await contactRow(db, businessUnitId, contactId);
  if (address !== undefined) {
    return readAddress(channel, address, rulesOfAnyTrunk(trunks), 'the address');
  }
  const faults = [{ pointer: '/address', detail: 'is missing: give it, or contactId and field' }];
  if (contactId === undefined || field === undefined) {
    throw new DialerError('REQUEST_INVALID', 'whose consent it is, is missing', { faults });
  }
  const found = await addressOfContact(db, businessUnitId, contactId, field);
  if (found?.kind === pointKindOf(channel)) return found;
  const detail = `the contact has no ${field} that ${channel} could use`;
  const fault = { pointer: '/field', detail };
  throw new DialerError('REQUEST_INVALID', detail, { faults: [fault] });
}

async function subjectNames(
  db: Db,
  businessUnitId: string,
  { purposeId, topicId }: { readonly purposeId: string; readonly topicId: string | null },
): Promise<{ readonly purpose: string; readonly topic?: string }> {
  const purpose = await rowOf(db, businessUnitId, 'purposes', purposeId);
  if (topicId === null) return { purpose: purpose.name };
  const topic = await rowOf(db, businessUnitId, 'topics', topicId);
  if (topic.purpose_id === purpose.id) return { purpose: purpose.name, topic: topic.name };
  const detail = 'the topic belongs to another purpose';
  const fault = { pointer: '/topicId', detail };
  throw new DialerError('REQUEST_INVALID', detail, { faults: [fault] });
}

interface StatementAsked extends PointAsked {
  readonly purposeId: string;
  readonly topicId: string | null;
  readonly profileId?: string;
  readonly status: ConsentStatement['status'];
  readonly source: string;
  readonly reason: string | null;
  readonly statedAt?: string;
}

async function statementOf(
  context: ApiContext,
  request: FastifyRequest,
  tx: Tx,
  asked: StatementAsked,
): Promise<ConsentStatement> {
  const { businessUnitId, nowMs } = writerOf(context, request);
  const { channel, purposeId, topicId, profileId, status, source, reason, statedAt } = asked;
  await subjectNames(tx, businessUnitId, { purposeId, topicId });
  if (profileId !== undefined) await rowOf(tx, businessUnitId, 'compliance_profiles', profileId);
  return {
    address: await addressAsked(context, tx, businessUnitId, asked),
    ...{ channel, purposeId, topicId, status, source, reason },
    profileId: profileId ?? null,
    contactId: asked.contactId ?? null,
    statedAtMs: statedAt === undefined ? nowMs : timeMs(statedAt),
  };
}
