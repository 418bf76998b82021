/** Whoever reckons what will become of an engagement: the simulator, in a thread of its own. */
import type { Forecast, ForecastRequest } from './forecast.schema.ts';

export interface ForecastJob extends ForecastRequest {
  readonly businessUnitId: string;
  readonly engagementId: string;
  /** From when on, epoch ms. */
  readonly atMs: number;
}

/**
 * Throws NOT_FOUND, NOT_PACED, NOTHING_PENDING, NO_REPRESENTATIVES; FORECASTS_BUSY and
 * FORECAST_TIMEOUT where its time is bounded.
 */
export type ForecastPort = (job: ForecastJob) => Promise<Forecast>;
