/** `ringfence simulate --engagement ID`: the forecast of `/v1`, for whoever has the store at hand. */
import { existsSync } from 'node:fs';
import { loadProcessConfig } from '../config/process-config.ts';
import { storeLocation } from '../dialer/dialer-settings.ts';
import { readForecastInput } from '../dialer/forecast/forecast-input.ts';
import type { Forecast, ForecastRequest } from '../dialer/forecast/forecast.schema.ts';
import { RulePacks } from '../dialer/rule-packs/rule-packs.ts';
import { openStore } from '../dialer/store/open-store.ts';
import { DialerError } from '../machines/errors.ts';
import { forecast } from '../simulator/forecast/forecast.ts';
import { CliError } from './cli-error.ts';
import { forecastSettings } from './forecast-settings.ts';

export interface StoreForecastOptions extends Omit<ForecastRequest, 'at'> {
  readonly engagement: string;
  readonly atMs: number;
  readonly config?: string;
  readonly store?: string;
}

/** Reads and writes nothing else; it may run beside the service. */
export async function forecastOfStore(options: StoreForecastOptions): Promise<Forecast> {
  const { engagement: engagementId, config: configFile, store, ...request } = options;
  const { config } = loadProcessConfig(configFile);
  const location = store === undefined ? storeLocation(config) : { file: store, url: '' };
  // Opening would make an empty store, in which nothing can be found.
  if (!location.url && !existsSync(location.file)) {
    throw new CliError('STORE_MISSING', `There is no store at ${location.file}.`);
  }
  const database = await openStore(location, () => Date.now());
  try {
    const row = await database.db
      .selectFrom('engagements')
      .select('business_unit_id as businessUnitId')
      .where('id', '=', engagementId)
      .executeTakeFirst();
    if (row === undefined) {
      throw new DialerError('NOT_FOUND', `there is no engagement ${engagementId} in this store`);
    }
    const job = { ...request, ...row, engagementId };
    const { trunks, numberGapMs, abandonment } = forecastSettings(config);
    const rulePacks = new RulePacks(abandonment);
    const source = { database, numberGapMs, rulePacks, trunkOf: (name: string) => trunks[name] };
    return forecast(await readForecastInput(source, job), job);
  } finally {
    await database.close();
  }
}

export function forecastInWords(found: Forecast): readonly string[] {
  const { finishAt, utilization, abandonmentRatio, dialed, confidence } = found;
  const percent = (ratio: number): string => `${(100 * ratio).toFixed(1)} %`;
  const when = (text: string | null): string => text ?? 'not within a year';
  return [
    `${found.pendingTasks} tasks, ${found.representatives} representatives, ${found.mode}: done ` +
      `${when(finishAt.median)}, between ${when(finishAt.low)} and ${when(finishAt.high)} ` +
      `(${percent(confidence)} of ${found.runs} futures)`,
    `${percent(utilization.median)} utilised (${percent(utilization.low)} to ` +
      `${percent(utilization.high)}), ${percent(abandonmentRatio.median)} abandoned ` +
      `(${percent(abandonmentRatio.low)} to ${percent(abandonmentRatio.high)}), ` +
      `${dialed.median} calls (${dialed.low} to ${dialed.high})`,
    ...found.notes,
  ];
}
