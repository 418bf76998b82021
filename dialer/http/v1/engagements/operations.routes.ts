/** Start, suspend, resume, and how an engagement stands. */
import type { FastifyRequest } from 'fastify';
import { DialerError } from '../../../../machines/errors.ts';
import { countOutcomes, lastSuspension } from '../../../engagements/engagement-reports.ts';
import { orderInForce } from '../../../tasks/order-places.ts';
import type { EngagementRow } from '../../../store/schema/engagement-tables.ts';
import { callerOfRequest } from '../../access.ts';
import { actorOf, dialerOf, type ApiApp, type ApiContext } from '../api-context.ts';
import { IdParams, problems, timeText } from '../wire-types.ts';
import { EngagementReport, EngagementStatus, Suspend } from './engagement.shapes.ts';
import { findEngagement } from './engagements.routes.ts';

const tags = ['engagements'];

export function engagementOperationRoutes(app: ApiApp, context: ApiContext): void {
  const response = { 200: EngagementStatus, ...problems };
  const status = { operationId: 'getEngagementStatus', tags, params: IdParams, response };
  app.get(
    '/v1/engagements/:id/status',
    { config: { access: 'read' }, schema: status },
    async (request) =>
      statusBody(context, await findEngagement(context, request, request.params.id)),
  );

  const report = {
    ...{ operationId: 'getEngagementReport', tags, params: IdParams },
    response: { 200: EngagementReport, ...problems },
  };
  app.get(
    '/v1/engagements/:id/report',
    { config: { access: 'read' }, schema: report },
    async (request) => {
      const row = await findEngagement(context, request, request.params.id);
      const { businessUnitId } = callerOfRequest(request);
      const counts = await countOutcomes(context.database, businessUnitId, row.id);
      const at = timeText(context.nowMs());
      return { engagementId: row.id, at, ...counts, attempts: row.attempts_total };
    },
  );

  const config = { access: 'operate' } as const;
  const suspend = {
    ...{ operationId: 'suspendEngagement', tags, params: IdParams, body: Suspend, response },
    description: 'No new call starts; live calls go on. A second time changes nothing.',
  };
  app.post('/v1/engagements/:id/suspend', { config, schema: suspend }, async (request) => {
    const { id: engagementId } = await findActive(context, request, request.params.id);
    const suspension = { type: 'apiAction', reason: request.body.reason } as const;
    await dialerOf(context).suspend({ engagementId, suspension, actor: actorOf(request) });
    return statusBody(context, await findEngagement(context, request, engagementId));
  });

  // Two names for one thing: the first time it is started, later it is resumed.
  for (const [word, operationId] of [
    ['start', 'startEngagement'],
    ['resume', 'resumeEngagement'],
  ] as const) {
    const resume = {
      ...{ operationId, tags, params: IdParams, response },
      description: 'Ends a suspension of whatever type. Of one that runs it changes nothing.',
    };
    app.post(`/v1/engagements/:id/${word}`, { config, schema: resume }, async (request) => {
      const { id: engagementId } = await findActive(context, request, request.params.id);
      await dialerOf(context).resume({ engagementId, actor: actorOf(request) });
      return statusBody(context, await findEngagement(context, request, engagementId));
    });
  }
}

async function findActive(
  context: ApiContext,
  request: FastifyRequest,
  id: string,
): Promise<EngagementRow> {
  const row = await findEngagement(context, request, id);
  if (row.status !== 'inactive') return row;
  throw new DialerError('ENGAGEMENT_INACTIVE', `engagement ${id} is inactive`);
}

async function statusBody({ database }: ApiContext, row: EngagementRow) {
  const last = await lastSuspension(database, row.id);
  const isSuspended = row.status === 'suspended';
  const shown =
    last === null ? null : { type: last.type, reason: last.reason, at: timeText(last.atMs) };
  return {
    engagementId: row.id,
    status: row.status as 'running' | 'suspended' | 'inactive',
    suspended: isSuspended,
    suspension: isSuspended ? shown : null,
    lastSuspension: shown,
    callOrderInForce: orderInForce(row).order,
    tasks: {
      waiting: row.tasks_waiting,
      ready: row.tasks_ready,
      working: row.tasks_working,
      final: row.tasks_final,
    },
    attempts: row.attempts_total,
    callsInFlight: row.in_flight,
    aiAgent: { handled: row.ai_handled_total, failed: row.ai_failed_total },
  };
}
