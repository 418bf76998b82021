/** Journeys: all their routes, which answer only while journeys are switched on. */
import { HttpError } from '../../http-error.ts';
import type { ApiApp, ApiContext } from '../api-context.ts';
import { journeyActivityRoutes } from './activities.routes.ts';
import { journeyAnalyticsRoutes } from './analytics.routes.ts';
import { journeyAssetRoutes } from './assets.routes.ts';
import { journeyDraftRoutes } from './drafts.routes.ts';
import { journeySettingRoutes } from './journeys.routes.ts';
import { journeyLifecycleRoutes } from './lifecycle.routes.ts';
import { journeyMessageRoutes } from './messages.routes.ts';
import { journeyOutcomeRoutes } from './outcomes.routes.ts';
import { journeyRunRoutes } from './runs.routes.ts';
import { journeyTestRoutes } from './test-mode.routes.ts';
import { journeyVersionRoutes } from './versions.routes.ts';

type Routes = (app: ApiApp, context: ApiContext) => void;

const ROUTES: readonly Routes[] = [
  // Those of all journeys stand before `/v1/journeys/{id}` and what is below it.
  journeyAssetRoutes,
  journeyActivityRoutes,
  journeyDraftRoutes,
  journeyMessageRoutes,
  journeyAnalyticsRoutes,
  journeyTestRoutes,
  journeySettingRoutes,
  journeyLifecycleRoutes,
  journeyVersionRoutes,
  journeyRunRoutes,
  journeyOutcomeRoutes,
];

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
