/** Journeys: all their routes, which answer only while journeys are switched on. */
import { HttpError } from '../../http-error.ts';
import type { ApiApp, ApiContext } from '../api-context.ts';
import { journeyAnalyticsRoutes } from './analytics.routes.ts';
import { journeyOutcomeRoutes } from './outcomes.routes.ts';

type Routes = (app: ApiApp, context: ApiContext) => void;

const ROUTES: readonly Routes[] = [journeyAnalyticsRoutes, journeyOutcomeRoutes];

/** To be registered apart: only here is a definition taken as it was written. */
export function journeyRoutes(app: ApiApp, context: ApiContext): void {
  const { isEnabled = true } = context.journeys ?? {};
  if (!isEnabled) {
    app.addHook('preValidation', (_request, _reply, done) => {
      done(new HttpError('JOURNEYS_OFF', 'set journeys.enabled to switch them on'));
    });
  }
  for (const routes of ROUTES) routes(app, context);
}
