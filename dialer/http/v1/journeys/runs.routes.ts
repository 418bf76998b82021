/** People inside: found, read one by one, and taken out by hand. */
import { Type } from 'typebox';
import { journeyRow } from '../../../journeys/lifecycle/journey-row.ts';
import { runOf, takeOut } from '../../../journeys/lifecycle/people-inside.ts';
import type { JourneyRunRow } from '../../../store/schema/journey-tables.ts';
import { callerOfRequest } from '../../access.ts';
import { writerOf, type ApiApp, type ApiContext } from '../api-context.ts';
import { closed, Id, IdParams, PAGE, paged, pageOf, problems } from '../wire-types.ts';
import { READ, tags, url, WORK } from './journey.shapes.ts';
import { Run, runBody, RunInFull, runInFull } from './run.shapes.ts';

const List = Type.Object(
  {
    ...PAGE,
    status: Type.Optional(Type.Enum(['active', 'exited'], { examples: ['active'] })),
    version: Type.Optional(Type.Integer({ minimum: -1_000_000, maximum: 1_000_000 })),
    stepId: Type.Optional(
      Type.String({ minLength: 1, maxLength: 64, description: 'Where it stands, or stood last.' }),
    ),
    contactId: Type.Optional(Id),
    isTest: Type.Optional(Type.Boolean({ description: 'Default: both.' })),
  },
  closed,
);
const RunParams = Type.Object({ id: Id, runId: Id }, closed);
const Exit = Type.Object(
  { reason: Type.String({ minLength: 1, maxLength: 200, default: 'taken out by hand' }) },
  { ...closed, default: {}, examples: [{ reason: 'Asked by telephone' }] },
);

export function journeyRunRoutes(app: ApiApp, context: ApiContext): void {
  const { db } = context.database;
  const list = {
    ...{ operationId: 'listJourneyRuns', tags, params: IdParams, querystring: List },
    description: 'Newest first. Whoever enters twice has two.',
    response: { 200: pageOf(Run), ...problems },
  };
  app.get(`${url}/:id/runs`, { config: READ, schema: list }, async (request) => {
    const { businessUnitId } = callerOfRequest(request);
    const { id } = await journeyRow(db, businessUnitId, request.params.id);
    const { limit, cursor, status, version, stepId, contactId, isTest } = request.query;
    let query = db
      .selectFrom('journey_runs')
      .selectAll()
      .where('journey_id', '=', id)
      .where('status', '<>', 'forgotten')
      .orderBy('id', 'desc')
      .limit(limit + 1);
    if (cursor !== undefined) query = query.where('id', '<', cursor);
    if (status !== undefined) query = query.where('status', '=', status);
    if (version !== undefined) query = query.where('version', '=', version);
    if (stepId !== undefined) query = query.where('step_id', '=', stepId);
    if (contactId !== undefined) query = query.where('contact_id', '=', contactId);
    if (isTest !== undefined) query = query.where('is_test', '=', isTest ? 1 : 0);
    const rows = await query.execute();
    return paged(rows, limit, { key: (row: JourneyRunRow) => row.id, body: runBody });
  });

  const read = {
    ...{ operationId: 'getJourneyRun', tags, params: RunParams },
    response: { 200: RunInFull, ...problems },
  };
  app.get(`${url}/:id/runs/:runId`, { config: READ, schema: read }, async (request) => {
    const { businessUnitId } = callerOfRequest(request);
    const row = await journeyRow(db, businessUnitId, request.params.id);
    return runInFull(await runOf(db, row, request.params.runId));
  });

  const exit = {
    ...{ operationId: 'exitJourneyRun', tags, params: RunParams, body: Exit },
    description:
      'Takes one person out where they stand, within moments; a call that has not started is ' +
      'withdrawn.',
    response: { 200: Run, ...problems },
  };
  app.post(`${url}/:id/runs/:runId/exit`, { config: WORK, schema: exit }, async (request) => {
    const writer = writerOf(context, request);
    const { id, runId } = request.params;
    return db.transaction().execute(async (tx) => {
      const run = await runOf(tx, await journeyRow(tx, writer.businessUnitId, id), runId);
      await takeOut(tx, writer, run, request.body.reason);
      return runBody(run);
    });
  });
}
