/** Batches: how far a file has come, and what of it was refused. */
import { readBatch, readFailedRows } from '../../../intake/batch.ts';
import { callerOfRequest } from '../../access.ts';
import { DialerError } from '../../../../machines/errors.ts';
import type { ApiApp, ApiContext } from '../api-context.ts';
import { findEngagement } from '../engagements/engagements.routes.ts';
import { newestFirst } from '../newest-first.ts';
import { IdParams, paged, problems } from '../wire-types.ts';
import { Batch, batchBody, BatchPage, failedRowBody, FailedRowPage, List } from './batch.shapes.ts';

const tags = ['batches'];
const config = { access: 'read' } as const;

export function batchRoutes(app: ApiApp, context: ApiContext): void {
  const { database } = context;
  const list = {
    ...{ operationId: 'listBatches', tags, params: IdParams, querystring: List },
    response: { 200: BatchPage, ...problems },
  };
  app.get('/v1/engagements/:id/batches', { config, schema: list }, async (request) => {
    const { id } = await findEngagement(context, request, request.params.id);
    const { businessUnitId } = callerOfRequest(request);
    const rows = await database.db
      .selectFrom('batches')
      .selectAll()
      .where('engagement_id', '=', id)
      .$call(newestFirst(businessUnitId, request.query))
      .execute();
    return paged(rows, request.query.limit, { key: (row) => row.id, body: batchBody });
  });

  const read = {
    ...{ operationId: 'getBatch', tags, params: IdParams },
    response: { 200: Batch, ...problems },
  };
  app.get('/v1/batches/:id', { config, schema: read }, async (request) => {
    const { businessUnitId } = callerOfRequest(request);
    return batchBody(await readBatch(database, businessUnitId, request.params.id));
  });

  const failed = {
    ...{ operationId: 'listFailedRows', tags, params: IdParams, querystring: List },
    response: { 200: FailedRowPage, ...problems },
  };
  app.get('/v1/batches/:id/failed-rows', { config, schema: failed }, async (request) => {
    const { businessUnitId } = callerOfRequest(request);
    const { limit, cursor = '0' } = request.query;
    if (!/^\d{1,9}$/.test(cursor)) {
      throw new DialerError('REQUEST_INVALID', 'cursor is none of this list');
    }
    const { id } = await readBatch(database, businessUnitId, request.params.id);
    const asked = { afterLine: Number(cursor), limit: limit + 1 };
    const rows = await readFailedRows(database, businessUnitId, id, asked);
    return paged(rows, limit, { key: ({ line }) => String(line), body: failedRowBody });
  });
}
