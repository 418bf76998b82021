/** Who was reached and who was held back, person by person, also as files; and a person's timeline. */
import type { Static } from 'typebox';
import { DialerError } from '../../../../machines/errors.ts';
import type { Caller } from '../../../api-keys/api-keys.ts';
import {
  cursorOf,
  findOutcomes,
  placeOf,
  type FoundOutcome,
  type OutcomeQuery,
  type PathPlace,
} from '../../../journeys/analytics/find-outcomes.ts';
import { journeyOf } from '../../../journeys/analytics/journey-version.ts';
import { personTimeline } from '../../../journeys/analytics/person-timeline.ts';
import { callerOfRequest } from '../../access.ts';
import { notFound, type ApiApp, type ApiContext } from '../api-context.ts';
import { csvResponse, EXPORT_PAGE, PRODUCES_CSV, sendCsv } from '../csv-reply.ts';
import { IdParams, paged, problems, timeMs } from '../wire-types.ts';
import {
  BLOCKED_HEADER,
  blockedBody,
  BlockedExport,
  BlockedFilters,
  blockedLine,
  BlockedPage,
  DELIVERIES_HEADER,
  DeliveriesExport,
  DeliveriesFilters,
  DeliveriesPage,
  deliveryBody,
  deliveryLine,
  timelineBody,
  TimelineFilters,
  TimelinePage,
} from './outcome.shapes.ts';

const tags = ['journeys'];
const url = '/v1/journeys/:id';
const config = { access: 'read' } as const;
const configCsv = { ...config, ...PRODUCES_CSV } as const;

export function journeyOutcomeRoutes(app: ApiApp, context: ApiContext): void {
  blockedRoutes(app, context);
  deliveriesRoutes(app, context);
  timelineRoute(app, context);
}

function blockedRoutes(app: ApiApp, context: ApiContext): void {
  const list = {
    ...{ operationId: 'listJourneyBlocked', tags, params: IdParams, querystring: BlockedFilters },
    description: 'Who was not called or written to, and why; the newest first.',
    response: { 200: BlockedPage, ...problems },
  };
  app.get(`${url}/blocked`, { config, schema: list }, async (request) => {
    const caller = callerOfRequest(request);
    const query = await blockedQuery(context, caller, request.params.id, request.query);
    return outcomePage(context, query, request.query, (found) => blockedBody(found, caller));
  });
  const file = {
    ...{ operationId: 'exportJourneyBlocked', tags, params: IdParams, querystring: BlockedExport },
    response: csvResponse(BLOCKED_HEADER),
  };
  app.get(`${url}/blocked.csv`, { config: configCsv, schema: file }, async (request, reply) => {
    const caller = callerOfRequest(request);
    const query = await blockedQuery(context, caller, request.params.id, request.query);
    const lines = csvLines(context, query, BLOCKED_HEADER, (found) => blockedLine(found, caller));
    return sendCsv(reply, 'blocked.csv', lines);
  });
}

function deliveriesRoutes(app: ApiApp, context: ApiContext): void {
  const list = {
    ...{ operationId: 'listJourneyDeliveries', tags, params: IdParams },
    querystring: DeliveriesFilters,
    description: 'What came of each conversation and message, also of blocked ones; newest first.',
    response: { 200: DeliveriesPage, ...problems },
  };
  app.get(`${url}/deliveries`, { config, schema: list }, async (request) => {
    const caller = callerOfRequest(request);
    const query = await deliveriesQuery(context, caller, request.params.id, request.query);
    return outcomePage(context, query, request.query, (found) => deliveryBody(found, caller));
  });
  const file = {
    ...{ operationId: 'exportJourneyDeliveries', tags, params: IdParams },
    ...{ querystring: DeliveriesExport, response: csvResponse(DELIVERIES_HEADER) },
  };
  app.get(`${url}/deliveries.csv`, { config: configCsv, schema: file }, async (request, reply) => {
    const caller = callerOfRequest(request);
    const query = await deliveriesQuery(context, caller, request.params.id, request.query);
    const line = (found: FoundOutcome): string => deliveryLine(found, caller);
    return sendCsv(reply, 'deliveries.csv', csvLines(context, query, DELIVERIES_HEADER, line));
  });
}

type Asked = Omit<OutcomeQuery, 'limit' | 'after'>;
type Filters = Pick<
  Static<typeof DeliveriesExport>,
  'version' | 'stepId' | 'from' | 'before' | 'tests'
>;

async function blockedQuery(
  context: ApiContext,
  caller: Caller,
  id: string,
  { reason: code, ...filters }: Static<typeof BlockedExport>,
): Promise<Asked> {
  return { ...(await asked(context, caller, id, filters)), outcome: 'blocked', code };
}

async function deliveriesQuery(
  context: ApiContext,
  caller: Caller,
  id: string,
  { outcome, result: code, ...filters }: Static<typeof DeliveriesExport>,
): Promise<Asked> {
  return { ...(await asked(context, caller, id, filters)), outcome, code };
}

async function asked(
  { database }: ApiContext,
  { businessUnitId }: Caller,
  id: string,
  { version, stepId, from, before, tests }: Filters,
): Promise<Asked> {
  const { id: journeyId } = await journeyOf(database.db, businessUnitId, id);
  const fromMs = from === undefined ? undefined : timeMs(from);
  const beforeMs = before === undefined ? undefined : timeMs(before);
  return { journeyId, version, stepId, fromMs, beforeMs, tests };
}

interface PageAsked {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

async function outcomePage<T>(
  { database }: ApiContext,
  query: Asked,
  { limit, cursor }: PageAsked,
  body: (found: FoundOutcome) => T,
) {
  const after = placeAsked(cursor);
  const found = await findOutcomes(database, { ...query, limit: limit + 1, after });
  return paged(found, limit, { key: cursorOf, body });
}

async function* csvLines(
  { database }: ApiContext,
  query: Asked,
  header: string,
  line: (found: FoundOutcome) => string,
): AsyncGenerator<string> {
  let head = header;
  let after: PathPlace | undefined;
  for (;;) {
    const found = await findOutcomes(database, { ...query, limit: EXPORT_PAGE, after });
    yield head + found.map(line).join('');
    head = '';
    if (found.length < EXPORT_PAGE) return;
    after = found.at(-1);
  }
}

function placeAsked(cursor: string | undefined): PathPlace | undefined {
  if (cursor === undefined) return undefined;
  const place = placeOf(cursor);
  if (place !== undefined) return place;
  throw new DialerError('REQUEST_INVALID', 'the cursor is none of this list');
}

function timelineRoute(app: ApiApp, { database }: ApiContext): void {
  const schema = {
    ...{ operationId: 'getContactJourneyTimeline', tags, params: IdParams },
    querystring: TimelineFilters,
    description:
      'What journeys did with this person, the newest first: entries, steps and why each was left, ' +
      'what was asked for with the verdict and the record that decided, results, goals, exits.',
    response: { 200: TimelinePage, ...problems },
  };
  app.get('/v1/contacts/:id/journey-timeline', { config, schema }, async (request) => {
    const { businessUnitId } = callerOfRequest(request);
    const { id: contactId } = request.params;
    const contact = await database.db
      .selectFrom('contacts')
      .select('id')
      .where('id', '=', contactId)
      .where('business_unit_id', '=', businessUnitId)
      .executeTakeFirst();
    if (contact === undefined) throw notFound('contact', contactId);
    const { limit, cursor, journeyId, runId } = request.query;
    const query = { businessUnitId, contactId, journeyId, runId, after: placeAsked(cursor) };
    const entries = await personTimeline(database, { ...query, limit: limit + 1 });
    return paged(entries, limit, { key: cursorOf, body: timelineBody });
  });
}
