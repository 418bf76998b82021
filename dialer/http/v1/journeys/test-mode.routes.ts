/** Test mode: who may be sent through a draft, with real calls, and sending them. */
import type { Transaction } from 'kysely';
import { Type } from 'typebox';
import type { Values } from '../../../../journey-core/interpreter/json-value.ts';
import {
  nameTestContact,
  removeTestContact,
  startTestRun,
  TEST_CONTACTS_MAX,
} from '../../../journeys/lifecycle/test-mode.ts';
import type { Database } from '../../../store/schema/database.ts';
import type { JourneyTestContactRow } from '../../../store/schema/journey-tables.ts';
import { callerOfRequest } from '../../access.ts';
import { once } from '../../idempotency.ts';
import { notFound, writerOf, type ApiApp, type ApiContext } from '../api-context.ts';
import { created } from '../settings-resource.ts';
import {
  closed,
  CreatingHeaders,
  exampleId,
  Id,
  IdParams,
  pageOf,
  problems,
  Time,
  timeText,
} from '../wire-types.ts';
import { READ, tags, url, WRITE } from './journey.shapes.ts';
import { checkOptionsOf } from './journeys.routes.ts';
import { Run, runBody } from './run.shapes.ts';

const contactsUrl = `${url}/test-contacts`;
const TestContact = Type.Object(
  { contactId: Id, createdAt: Time, createdBy: Type.String() },
  {
    examples: [
      {
        ...{ contactId: exampleId('14'), createdAt: '2026-03-02T15:00:00.000Z' },
        createdBy: 'key:rf_9vQ2mX0a',
      },
    ],
  },
);
const ContactParams = Type.Object({ contactId: Id }, closed);
const Removed = Type.Object({ contactId: Id }, { examples: [{ contactId: exampleId('14') }] });

function testContactBody(row: JourneyTestContactRow) {
  const { contact_id: contactId, created_at_ms: at, created_by: createdBy } = row;
  return { contactId, createdAt: timeText(at), createdBy };
}

export function journeyTestRoutes(app: ApiApp, context: ApiContext): void {
  const { db } = context.database;
  const list = {
    ...{ operationId: 'listTestContacts', tags },
    description: `Up to ${TEST_CONTACTS_MAX}, on one page.`,
    response: { 200: pageOf(TestContact), ...problems },
  };
  app.get(contactsUrl, { config: READ, schema: list }, async (request) => {
    const { businessUnitId } = callerOfRequest(request);
    const rows = await db
      .selectFrom('journey_test_contacts')
      .selectAll()
      .where('business_unit_id', '=', businessUnitId)
      .orderBy('contact_id')
      .execute();
    return { items: rows.map(testContactBody), nextCursor: null };
  });

  const name = {
    ...{ operationId: 'nameTestContact', tags, params: ContactParams },
    description: 'Drafts may call this contact from now on, as far as consent and hours allow.',
    response: { 200: TestContact, ...problems },
  };
  app.put(`${contactsUrl}/:contactId`, { config: WRITE, schema: name }, async (request) => {
    const writer = writerOf(context, request);
    const { contactId } = request.params;
    const row = await db.transaction().execute((tx) => nameTestContact(tx, writer, contactId));
    return testContactBody(row);
  });

  const remove = {
    ...{ operationId: 'removeTestContact', tags, params: ContactParams },
    description: 'It is no test contact any more; a test run that is under way goes on.',
    response: { 200: Removed, ...problems },
  };
  app.delete(`${contactsUrl}/:contactId`, { config: WRITE, schema: remove }, async (request) => {
    const writer = writerOf(context, request);
    const { contactId } = request.params;
    await db.transaction().execute(async (tx) => {
      const isGone = await removeTestContact(tx, writer, contactId);
      if (!isGone) throw notFound('test contact', contactId);
    });
    return { contactId };
  });
  testRunRoute(app, context);
}

const NewTestRun = Type.Object(
  {
    contactId: Id,
    attributes: Type.Record(Type.String(), Type.Unknown(), {
      description: 'What the entry trigger is to have carried.',
      maxProperties: 200,
      default: {},
    }),
  },
  { ...closed, examples: [{ contactId: exampleId('14'), attributes: {} }] },
);

function testRunRoute(app: ApiApp, context: ApiContext): void {
  const start = {
    ...{ operationId: 'startTestRun', tags, params: IdParams, headers: CreatingHeaders },
    description:
      'Lets a test contact into the draft, or into the latest version where nothing is edited, at ' +
      'once: what the entry asks of others is not asked. Calls are made, and no report counts them.',
    body: NewTestRun,
    response: { 201: Run, ...problems },
  };
  app.post(`${url}/:id/test-runs`, { config: WRITE, schema: start }, (request, reply) => {
    const writer = writerOf(context, request);
    const { id: journeyId } = request.params;
    const { contactId, attributes } = request.body;
    const work = async (tx: Transaction<Database>) => {
      const asked = { journeyId, contactId, attributes: attributes as Values };
      const row = await startTestRun(tx, writer, asked, checkOptionsOf(context));
      return { status: 201, body: runBody(row) };
    };
    const answering = once(request, { ...context, ...writer, work });
    return created(reply, `${url}/${journeyId}/runs`, answering);
  });
}
