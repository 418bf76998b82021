/** Deliveries: what was dialled and what came of it, with what was passed in and returned. */
import type { FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import {
  deliveryAttributes,
  findDeliveries,
  type DeliveryQuery,
  type FoundDelivery,
} from '../../../deliveries/find-deliveries.ts';
import { recordingsOf } from '../../../recordings/recordings.ts';
import { eraseTranscripts } from '../../../recordings/transcripts.ts';
import { callerOfRequest } from '../../access.ts';
import { actorOf, notFound, type ApiApp, type ApiContext } from '../api-context.ts';
import { IdParams, paged, problems, timeMs } from '../wire-types.ts';
import {
  DeliveryAttributes,
  deliveryBody,
  DeliveryFilters,
  DeliveryPage,
  DeliveryWithAttributes,
  recordingBody,
  transcriptBody,
  Transcripts,
} from './delivery.shapes.ts';

const tags = ['deliveries'];
const config = { access: 'read' } as const;

export function deliveryRoutes(app: ApiApp, context: ApiContext): void {
  const list = {
    ...{ operationId: 'listDeliveries', tags, querystring: DeliveryFilters },
    response: { 200: DeliveryPage, ...problems },
  };
  app.get('/v1/deliveries', { config, schema: list }, async (request) => {
    const caller = callerOfRequest(request);
    const { limit } = request.query;
    const query = deliveryQuery(request.query, caller.businessUnitId);
    const rows = await findDeliveries(context.database, { ...query, limit: limit + 1 });
    const body = (row: FoundDelivery) => deliveryBody(row, caller);
    return paged(rows, limit, { key: ({ id }) => id, body });
  });

  const read = {
    ...{ operationId: 'getDelivery', tags, params: IdParams },
    response: { 200: DeliveryWithAttributes, ...problems },
  };
  app.get('/v1/deliveries/:id', { config, schema: read }, async (request) => {
    const { id } = request.params;
    const caller = callerOfRequest(request);
    const row = await findDelivery(context, request, id);
    const attributes = await deliveryAttributes(context.database, caller.businessUnitId, id);
    const recordings = (await recordingsOf(context.database.db, id)).map(recordingBody);
    return { ...deliveryBody(row, caller), attributes, recordings };
  });

  const attributes = {
    ...{ operationId: 'listDeliveryAttributes', tags, params: IdParams },
    response: { 200: DeliveryAttributes, ...problems },
  };
  app.get('/v1/deliveries/:id/attributes', { config, schema: attributes }, async (request) => {
    const { id } = await findDelivery(context, request, request.params.id);
    const { businessUnitId } = callerOfRequest(request);
    return { items: await deliveryAttributes(context.database, businessUnitId, id) };
  });

  transcriptRoutes(app, context);
}

function transcriptRoutes(app: ApiApp, context: ApiContext): void {
  const path = '/v1/deliveries/:id/transcripts';
  const transcriptsOf = async (request: FastifyRequest, id: string) => {
    const caller = callerOfRequest(request);
    await findDelivery(context, request, id);
    const rows = await recordingsOf(context.database.db, id);
    const wished = rows.filter(({ transcription }) => transcription !== null);
    return { items: wished.map((row) => transcriptBody(row, caller)) };
  };
  const list = {
    ...{ operationId: 'listDeliveryTranscripts', tags, params: IdParams },
    response: { 200: Transcripts, ...problems },
  };
  app.get(path, { config, schema: list }, (request) => transcriptsOf(request, request.params.id));

  const erase = { ...list, operationId: 'eraseDeliveryTranscripts' };
  app.delete(path, { config: { access: 'operate' }, schema: erase }, async (request) => {
    const { id } = request.params;
    await findDelivery(context, request, id);
    await eraseTranscripts(context.database.db, {
      ...{ deliveryId: id, businessUnitId: callerOfRequest(request).businessUnitId },
      ...{ actor: actorOf(request), nowMs: context.nowMs() },
    });
    return transcriptsOf(request, id);
  });
}

async function findDelivery(
  { database }: ApiContext,
  request: FastifyRequest,
  id: string,
): Promise<FoundDelivery> {
  const { businessUnitId } = callerOfRequest(request);
  const [row] = await findDeliveries(database, {
    ...{ businessUnitId, id, order: 'newest', limit: 1, spans: {} },
  });
  if (row === undefined) throw notFound('delivery', id);
  return row;
}

type Filters = Static<typeof DeliveryFilters>;

function deliveryQuery(filters: Filters, businessUnitId: string): DeliveryQuery {
  const { toAddress, fromAddress } = filters;
  return {
    ...filters,
    businessUnitId,
    ...(toAddress === undefined ? {} : { toAddress: numberAsked(toAddress) }),
    ...(fromAddress === undefined ? {} : { fromAddress: numberAsked(fromAddress) }),
    spans: {
      windowStart: span(filters.windowStartFrom, filters.windowStartBefore),
      windowEnd: span(filters.windowEndFrom, filters.windowEndBefore),
      started: span(filters.startedFrom, filters.startedBefore),
      ended: span(filters.endedFrom, filters.endedBefore),
      result: span(filters.resultFrom, filters.resultBefore),
    },
  };
}

/** A plus that was not written as %2B arrives as a space. */
function numberAsked(written: string): string {
  return written.replace(/^ /, '+');
}

function span(from: string | undefined, before: string | undefined) {
  return {
    ...(from === undefined ? {} : { fromMs: timeMs(from) }),
    ...(before === undefined ? {} : { beforeMs: timeMs(before) }),
  };
}
