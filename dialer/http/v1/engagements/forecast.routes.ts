/** What will become of an engagement: several simulated futures, from its state in the store. */
import { Forecast, ForecastRequest } from '../../../forecast/forecast.schema.ts';
import { callerOfRequest } from '../../access.ts';
import type { ApiApp, ApiContext } from '../api-context.ts';
import { IdParams, problems, timeMs } from '../wire-types.ts';

export function forecastRoutes(app: ApiApp, { forecast, nowMs }: ApiContext): void {
  const schema = {
    ...{ operationId: 'forecastEngagement', tags: ['engagements'], params: IdParams },
    description:
      'When will its list be done, how busy will representatives be, how many people are abandoned: ' +
      'several futures, simulated with its own pacer. Changes nothing; takes seconds.',
    body: ForecastRequest,
    response: { 200: Forecast, ...problems },
  };
  const config = { access: 'read' } as const;
  app.post('/v1/engagements/:id/forecast', { config, schema }, (request) => {
    const { businessUnitId } = callerOfRequest(request);
    const { id: engagementId } = request.params;
    const { at } = request.body;
    const atMs = at === undefined ? nowMs() : timeMs(at);
    return forecast({ ...request.body, businessUnitId, engagementId, atMs });
  });
}
