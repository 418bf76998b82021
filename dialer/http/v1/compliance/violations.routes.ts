/** What the audit of calls found. */
import { callerOfRequest } from '../../access.ts';
import type { ApiApp, ApiContext } from '../api-context.ts';
import { newestFirst } from '../newest-first.ts';
import { paged, problems } from '../wire-types.ts';
import { violationBody, ViolationFilters, ViolationPage } from './violation.shapes.ts';

export function violationRoutes(app: ApiApp, { database }: ApiContext): void {
  const schema = {
    ...{ operationId: 'listComplianceViolations', tags: ['compliance'] },
    querystring: ViolationFilters,
    response: { 200: ViolationPage, ...problems },
  };
  const url = '/v1/compliance/violations';
  app.get(url, { config: { access: 'read' }, schema }, async (request) => {
    const { rule, engagementId, ...page } = request.query;
    let query = database.db.selectFrom('compliance_violations').selectAll();
    if (rule !== undefined) query = query.where('rule', '=', rule);
    if (engagementId !== undefined) query = query.where('engagement_id', '=', engagementId);
    const { businessUnitId } = callerOfRequest(request);
    const rows = await query.$call(newestFirst(businessUnitId, page)).execute();
    return paged(rows, page.limit, { key: ({ id }) => id, body: violationBody });
  });
}
