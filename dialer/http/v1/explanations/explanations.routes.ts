/** Why somebody was called, or was not: the account that `ringfence explain` prints, as JSON. */
import { explain } from '../../../explain/explain.ts';
import { callerOfRequest } from '../../access.ts';
import { notFound, type ApiApp, type ApiContext } from '../api-context.ts';
import { IdParams, problems } from '../wire-types.ts';
import { Explanation } from './explanation.shapes.ts';

export function explanationRoutes(app: ApiApp, context: ApiContext): void {
  for (const [table, kind, operationId] of [
    ['deliveries', 'delivery', 'explainDelivery'],
    ['tasks', 'task', 'explainTask'],
  ] as const) {
    const schema = {
      ...{ operationId, tags: [table], params: IdParams },
      response: { 200: Explanation, ...problems },
    };
    const config = { access: 'read' } as const;
    app.get(`/v1/${table}/:id/explanation`, { config, schema }, async (request) => {
      const { id } = request.params;
      const { businessUnitId } = callerOfRequest(request);
      const own = await context.database.db
        .selectFrom(table)
        .select('id')
        .where('id', '=', id)
        .where('business_unit_id', '=', businessUnitId)
        .executeTakeFirst();
      const account = own === undefined ? undefined : await explain(context.database, id);
      if (account === undefined) throw notFound(kind, id);
      return account;
    });
  }
}
