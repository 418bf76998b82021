/** Journeys in numbers: one version, versions side by side, the flow, all journeys. */
import { Type } from 'typebox';
import { flowOf } from '../../../journeys/analytics/flow.ts';
import { versionOf } from '../../../journeys/analytics/journey-version.ts';
import { overviewOf } from '../../../journeys/analytics/overview.ts';
import {
  compareVersions,
  readAnalytics,
  type VersionAnalytics,
} from '../../../journeys/analytics/version-analytics.ts';
import { callerOfRequest } from '../../access.ts';
import type { ApiApp, ApiContext } from '../api-context.ts';
import { newestFirst } from '../newest-first.ts';
import { closed, IdParams, PAGE, paged, problems } from '../wire-types.ts';
import {
  Analytics,
  Flow,
  OverviewPage,
  summaryBody,
  VersionAsked,
  VersionPage,
} from './analytics.shapes.ts';

const tags = ['journeys'];
const url = '/v1/journeys';
const config = { access: 'read' } as const;

export function journeyAnalyticsRoutes(app: ApiApp, context: ApiContext): void {
  const { database } = context;
  const read = {
    ...{ operationId: 'getJourneyAnalytics', tags, params: IdParams, querystring: VersionAsked },
    description: 'One version in numbers. Tests are not counted.',
    response: { 200: Analytics, ...problems },
  };
  app.get(`${url}/:id/analytics`, { config, schema: read }, async (request) => {
    const { businessUnitId } = callerOfRequest(request);
    const asked = { businessUnitId, journeyId: request.params.id, ...request.query };
    const analytics = await readAnalytics(database, asked);
    return { ...summaryBody(analytics), steps: analytics.steps };
  });

  const flow = {
    ...{ operationId: 'getJourneyFlow', tags, params: IdParams, querystring: VersionAsked },
    description: 'How many went which way: nodes and edges, and the same as a Mermaid flowchart.',
    response: { 200: Flow, ...problems },
  };
  app.get(`${url}/:id/flow`, { config, schema: flow }, async (request) => {
    const { businessUnitId } = callerOfRequest(request);
    const { id } = request.params;
    const { journey, number: version } = await versionOf(
      ...[database.db, businessUnitId, id, request.query.version],
    );
    const asked = { businessUnitId, journeyId: id, version };
    return flowOf(journey, await readAnalytics(database, asked));
  });

  comparisonRoute(app, context);
  overviewRoute(app, context);
}

const NUMBER = Type.String({
  ...{ pattern: '^[0-9]{1,9}$', examples: ['2'] },
  description: '`nextCursor` of the page before.',
});

function comparisonRoute(app: ApiApp, { database }: ApiContext): void {
  const schema = {
    ...{ operationId: 'compareJourneyVersions', tags, params: IdParams },
    querystring: Type.Object({ ...PAGE, cursor: Type.Optional(NUMBER) }, closed),
    description: 'Versions side by side, the latest first; each counts its own people.',
    response: { 200: VersionPage, ...problems },
  };
  app.get(`${url}/:id/analytics/versions`, { config, schema }, async (request) => {
    const { businessUnitId } = callerOfRequest(request);
    const { limit, cursor } = request.query;
    const before = cursor === undefined ? undefined : Number(cursor);
    const asked = { businessUnitId, journeyId: request.params.id };
    const versions = await compareVersions(database, asked, { limit: limit + 1, before });
    const key = ({ version }: VersionAnalytics): string => String(version);
    return paged(versions, limit, { key, body: summaryBody });
  });
}

function overviewRoute(app: ApiApp, { database }: ApiContext): void {
  const schema = {
    ...{ operationId: 'getJourneysOverview', tags, querystring: Type.Object(PAGE, closed) },
    description: 'All journeys in numbers, the newest first, each over all its versions.',
    response: { 200: OverviewPage, ...problems },
  };
  app.get(`${url}/overview`, { config, schema }, async (request) => {
    const { businessUnitId } = callerOfRequest(request);
    const rows = await database.db
      .selectFrom('journeys')
      .selectAll()
      .$call(newestFirst(businessUnitId, request.query))
      .execute();
    const { items, nextCursor } = paged(rows, request.query.limit, {
      ...{ key: ({ id }) => id, body: (row) => row },
    });
    return { items: await overviewOf(database, items), nextCursor };
  });
}
