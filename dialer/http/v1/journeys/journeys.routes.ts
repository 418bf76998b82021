/** Journeys: made, listed, read, edited, and deleted while nobody was ever in them. */
import type { FastifyRequest } from 'fastify';
import type { Transaction } from 'kysely';
import { Type } from 'typebox';
import { checkDefinition, type CheckOptions } from '../../../journeys/lifecycle/check-journey.ts';
import { definitionToShow } from '../../../journeys/lifecycle/copy-journey.ts';
import {
  createJourneyIn,
  deleteDraft,
  discardDraft,
  editLightly,
  LightEdit,
  liveVersionOf,
  saveDraft,
  uneditable,
  type EditedJourney,
} from '../../../journeys/lifecycle/edit-journey.ts';
import { JOURNEY_STATES, journeyRow } from '../../../journeys/lifecycle/journey-row.ts';
import type { Database } from '../../../store/schema/database.ts';
import type { JourneyRow } from '../../../store/schema/journey-tables.ts';
import { Name } from '../../../checked-input.ts';
import { callerOfRequest } from '../../access.ts';
import { once } from '../../idempotency.ts';
import { writerOf, type ApiApp, type ApiContext } from '../api-context.ts';
import { tagged, versionAsked } from '../entity-tag.ts';
import { newestFirst } from '../newest-first.ts';
import { created } from '../settings-resource.ts';
import {
  closed,
  CreatingHeaders,
  EditingHeaders,
  exampleId,
  Id,
  IdParams,
  PAGE,
  paged,
  pageOf,
  problems,
} from '../wire-types.ts';
import {
  DEFINITION_BODY,
  definitionOfBody,
  takeDefinitions,
  validatorButOfBody,
} from './definition-body.ts';
import {
  exampleFault,
  Fault,
  faultsBody,
  journeyBody,
  JourneyShape,
  JourneySummary,
  LISTED,
  READ,
  summaryBody,
  tags,
  url,
  WRITE,
  type ShownJourney,
} from './journey.shapes.ts';

type Db = Pick<Transaction<Database>, 'selectFrom'>;

export function journeySettingRoutes(app: ApiApp, context: ApiContext): void {
  // Apart: only there is a body kept as text.
  void app.register((own, _, done) => {
    takeDefinitions(own);
    definitionRoutes(own, context);
    done();
  });
  readRoutes(app, context);
  editRoutes(app, context);
}

export function checkOptionsOf({ journeys }: ApiContext): CheckOptions {
  const { hasConversations = true, sending } = journeys ?? {};
  if (sending === undefined) return { hasConversations };
  return { hasConversations, webhooks: sending.webhooks.targets.map(({ name }) => name) };
}

/** `number`: of a version; without one the draft, else the latest. */
export async function shownJourney(
  context: ApiContext,
  db: Db,
  row: JourneyRow,
  number?: number,
  edited?: EditedJourney,
): Promise<ShownJourney> {
  const definition = await definitionToShow(db, row, number);
  const check =
    edited?.check ??
    (await checkDefinition(db, row.business_unit_id, definition, checkOptionsOf(context)));
  const isDraft = number === undefined && row.draft !== null;
  const whyNotEditable = uneditable(row, await liveVersionOf(db, row), context.nowMs());
  const definitionVersion = isDraft ? null : (number ?? row.latest_version);
  return { row, whyNotEditable, definition, definitionVersion, check };
}

const NewJourney = Type.Object(
  {
    owner: Type.Optional(
      Type.String({
        ...Name,
        description: 'Whom activities without an assignee are for. Default: the key.',
        examples: ['planning'],
      }),
    ),
  },
  closed,
);
const Checked = Type.Object(
  { isPublishable: Type.Boolean(), faults: Type.Array(Fault) },
  { examples: [{ isPublishable: false, faults: [exampleFault] }] },
);

function definitionRoutes(app: ApiApp, context: ApiContext): void {
  const { db } = context.database;
  const validatorCompiler = validatorButOfBody;
  const create = {
    ...{ operationId: 'createJourney', tags, headers: CreatingHeaders, querystring: NewJourney },
    description:
      'A draft, kept with its faults. They are listed with line and column of what was sent.',
    body: DEFINITION_BODY,
    response: { 201: JourneyShape, ...problems },
  };
  app.post(url, { config: WRITE, schema: create, validatorCompiler }, (request, reply) => {
    const writer = writerOf(context, request);
    const { owner } = request.query as { readonly owner?: string };
    const written = definitionOfBody(request.body);
    const work = async (tx: Transaction<Database>) => {
      const input = { definition: written.value, owner };
      const made = await createJourneyIn(tx, writer, input, checkOptionsOf(context));
      const shown = await shownJourney(context, tx, made.row, undefined, made);
      return { status: 201, body: journeyBody(shown, written) };
    };
    return created(reply, url, once(request, { ...context, ...writer, work }));
  });

  const check = {
    ...{ operationId: 'checkJourney', tags, body: DEFINITION_BODY },
    description:
      'Everything that is wrong with a definition, as things stand here. Nothing is kept.',
    response: { 200: Checked, ...problems },
  };
  app.post(`${url}/check`, { config: WRITE, schema: check, validatorCompiler }, async (request) => {
    const { businessUnitId } = callerOfRequest(request);
    const written = definitionOfBody(request.body);
    const options = checkOptionsOf(context);
    const checked = await checkDefinition(db, businessUnitId, written.value, options);
    const { isPublishable } = checked;
    return { isPublishable, faults: faultsBody(checked, written) };
  });

  const save = {
    ...{ operationId: 'saveJourneyDraft', tags, params: IdParams, headers: EditingHeaders },
    description:
      'Replaces the draft. Of a live journey it opens the draft of its next version; nobody inside ' +
      'notices before it is published.',
    body: DEFINITION_BODY,
    response: { 200: JourneyShape, ...problems },
  };
  app.put(
    `${url}/:id/draft`,
    { config: WRITE, schema: save, validatorCompiler },
    async (request, reply) => {
      const asked = askedOf(request);
      const writer = writerOf(context, request);
      const written = definitionOfBody(request.body);
      const body = await db.transaction().execute(async (tx) => {
        const options = checkOptionsOf(context);
        const saved = await saveDraft(tx, writer, asked, written.value, options);
        const shown = await shownJourney(context, tx, saved.row, undefined, saved);
        return journeyBody(shown, written);
      });
      tagged(reply, body);
      return body;
    },
  );
}

function askedOf(request: FastifyRequest) {
  const { id } = request.params as { readonly id: string };
  return { id, version: versionAsked(request) };
}

const List = Type.Object(
  { ...PAGE, state: Type.Optional(Type.Enum([...JOURNEY_STATES], { examples: ['live'] })) },
  closed,
);
const OfVersion = Type.Object(
  {
    number: Type.Optional(
      Type.Integer({
        ...{ minimum: 1, maximum: 1_000_000, examples: [1] },
        description: 'Of a version. Default: the draft if there is one, else the latest.',
      }),
    ),
  },
  closed,
);

function readRoutes(app: ApiApp, context: ApiContext): void {
  const { db } = context.database;
  const list = {
    ...{ operationId: 'listJourneys', tags, querystring: List },
    description: 'Without their definitions.',
    response: { 200: pageOf(JourneySummary), ...problems },
  };
  app.get(url, { config: READ, schema: list }, async (request) => {
    const { businessUnitId } = callerOfRequest(request);
    const { limit, state } = request.query;
    const query = db
      .selectFrom('journeys')
      .select(LISTED)
      // A page of drafts would be megabytes.
      .select((eb) => eb('draft', 'is not', null).$castTo<number | boolean>().as('hasDraft'))
      .$call(newestFirst(businessUnitId, request.query));
    const rows = await (state === undefined ? query : query.where('state', '=', state)).execute();
    return paged(rows, limit, {
      key: ({ id }) => id,
      body: ({ hasDraft, ...row }) => summaryBody({ ...row, hasDraft: Boolean(hasDraft) }),
    });
  });

  const read = {
    ...{ operationId: 'getJourney', tags, params: IdParams, querystring: OfVersion },
    response: { 200: JourneyShape, ...problems },
  };
  app.get(`${url}/:id`, { config: READ, schema: read }, async (request, reply) => {
    const { businessUnitId } = callerOfRequest(request);
    const row = await journeyRow(db, businessUnitId, request.params.id);
    const body = journeyBody(await shownJourney(context, db, row, request.query.number));
    tagged(reply, body);
    return body;
  });
}

const lightExample = { name: 'Delivery the day after', goal: { targetPercent: 40 } };
const Light = Type.Object(LightEdit.properties, {
  ...{ ...closed, minProperties: 1, examples: [lightExample] },
});
const Deleted = Type.Object({ id: Id }, { examples: [{ id: exampleId('61') }] });

function editRoutes(app: ApiApp, context: ApiContext): void {
  const { db } = context.database;
  const change = {
    ...{ operationId: 'changeJourney', tags, params: IdParams, headers: EditingHeaders },
    description:
      'What touches nobody inside: it takes effect at once, in the live version and in the draft, ' +
      'and makes no version.',
    body: Light,
    response: { 200: JourneyShape, ...problems },
  };
  app.patch(`${url}/:id`, { config: WRITE, schema: change }, async (request, reply) => {
    const asked = askedOf(request);
    const writer = writerOf(context, request);
    const body = await db.transaction().execute(async (tx) => {
      const row = await editLightly(tx, writer, asked, request.body);
      return journeyBody(await shownJourney(context, tx, row));
    });
    tagged(reply, body);
    return body;
  });

  const discard = {
    ...{ operationId: 'discardJourneyDraft', tags, params: IdParams, headers: EditingHeaders },
    description: 'Of what was published: it goes on as it is.',
    response: { 200: JourneyShape, ...problems },
  };
  app.delete(`${url}/:id/draft`, { config: WRITE, schema: discard }, async (request, reply) => {
    const asked = askedOf(request);
    const writer = writerOf(context, request);
    const body = await db.transaction().execute(async (tx) => {
      return journeyBody(await shownJourney(context, tx, await discardDraft(tx, writer, asked)));
    });
    tagged(reply, body);
    return body;
  });

  const remove = {
    ...{ operationId: 'deleteJourney', tags, params: IdParams, headers: EditingHeaders },
    description: 'One that was never published, with its test runs. Others are stopped, and kept.',
    response: { 200: Deleted, ...problems },
  };
  app.delete(`${url}/:id`, { config: WRITE, schema: remove }, async (request) => {
    const asked = askedOf(request);
    const writer = writerOf(context, request);
    await db.transaction().execute((tx) => deleteDraft(tx, writer, asked));
    return { id: asked.id };
  });
}
