/** Machine verdicts that were drawn for an audit: who was there, and what that says of all of them. */
import { DialerError } from '../../../../machines/errors.ts';
import { amdAuditOf, answerAmdAudit } from '../../../amd-audit/answer-audit.ts';
import {
  AUDIT_SOURCES,
  AUDIT_WINDOW_MS,
  readAmdSample,
} from '../../../amd-audit/false-positives.ts';
import { callerOfRequest } from '../../access.ts';
import { writerOf, type ApiApp, type ApiContext } from '../api-context.ts';
import { tagged, versionAsked } from '../entity-tag.ts';
import { newestFirst } from '../newest-first.ts';
import { EditingHeaders, IdParams, paged, problems, timeMs, timeText } from '../wire-types.ts';
import {
  AmdAudit,
  AmdAuditAnswer,
  amdAuditBody,
  AmdAuditFilters,
  AmdAuditPage,
  AmdAuditSummary,
  AmdAuditSummaryFilters,
  sourceSummaryBody,
} from './amd-audit.shapes.ts';

const PATH = '/v1/compliance/amd-audits';
const tags = ['compliance'];

export function amdAuditRoutes(app: ApiApp, context: ApiContext): void {
  const { db } = context.database;
  const config = { access: 'read' } as const;
  const list = {
    ...{ operationId: 'listAmdAudits', tags, querystring: AmdAuditFilters },
    description:
      'Machine verdicts that were drawn by `abandonment.amdAuditShare`, newest attempts first.',
    response: { 200: AmdAuditPage, ...problems },
  };
  app.get(PATH, { config, schema: list }, async (request) => {
    const { state, engagementId, ...page } = request.query;
    let query = db.selectFrom('amd_audits').selectAll();
    if (state === 'pending') query = query.where('heard', 'is', null);
    if (state === 'answered') query = query.where('heard', 'is not', null);
    if (engagementId !== undefined) query = query.where('engagement_id', '=', engagementId);
    const { businessUnitId } = callerOfRequest(request);
    const rows = await query.$call(newestFirst(businessUnitId, page)).execute();
    return paged(rows, page.limit, { key: ({ id }) => id, body: amdAuditBody });
  });

  const read = {
    ...{ operationId: 'getAmdAudit', tags, params: IdParams },
    response: { 200: AmdAudit, ...problems },
  };
  app.get(`${PATH}/:id`, { config, schema: read }, async (request, reply) => {
    const { businessUnitId } = callerOfRequest(request);
    const row = await amdAuditOf(db, businessUnitId, request.params.id);
    tagged(reply, row);
    return amdAuditBody(row);
  });

  const answer = {
    ...{ operationId: 'answerAmdAudit', tags, params: IdParams, headers: EditingHeaders },
    description:
      'Says who was there. An answer may be given anew; each is in the log of events ' +
      '(`amdAudit.answered`). The answer that stands, sent again, changes nothing.',
    body: AmdAuditAnswer,
    response: { 200: AmdAudit, ...problems },
  };
  app.put(
    `${PATH}/:id`,
    { config: { access: 'operate' }, schema: answer },
    async (request, reply) => {
      const version = versionAsked(request);
      const writer = writerOf(context, request);
      const given = { id: request.params.id, version, heard: request.body.heard };
      const row = await db.transaction().execute((tx) => answerAmdAudit(tx, writer, given));
      tagged(reply, row);
      return amdAuditBody(row);
    },
  );
  summaryRoute(app, context);
}

function summaryRoute(app: ApiApp, { database, nowMs, rulePacks }: ApiContext): void {
  const schema = {
    ...{ operationId: 'getAmdAuditSummary', tags, querystring: AmdAuditSummaryFilters },
    description:
      'The share of machine verdicts that were people, with its exact 95 % interval; auditors and AI ' +
      'agents apart (docs/operations.md).',
    response: { 200: AmdAuditSummary, ...problems },
  };
  app.get(`${PATH}/summary`, { config: { access: 'read' }, schema }, async (request) => {
    const { from, before, engagementId } = request.query;
    const beforeMs = before === undefined ? nowMs() : timeMs(before);
    const fromMs = from === undefined ? beforeMs - AUDIT_WINDOW_MS : timeMs(from);
    if (fromMs >= beforeMs) {
      const detail = 'from must be before before';
      throw new DialerError('REQUEST_INVALID', detail, { faults: [{ pointer: '/from', detail }] });
    }
    const { businessUnitId } = callerOfRequest(request);
    const sample = await readAmdSample(database, {
      ...{ fromMs, beforeMs, businessUnitId, engagementId },
    });
    const { amdFalsePositiveRatio: chargedRatio } = rulePacks;
    return {
      ...{ from: timeText(fromMs), before: timeText(beforeMs) },
      ...{ engagementId: engagementId ?? null, chargedRatio },
      sources: AUDIT_SOURCES.map((source) =>
        sourceSummaryBody(source, sample[source], chargedRatio),
      ),
    };
  });
}
