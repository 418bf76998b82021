/** What the configuration says that bounds a forecast. */
import type { AbandonmentConfig } from '../config/abandonment.schema.ts';
import { dialableTrunks } from '../config/dialable-trunks.ts';
import type { RingfenceConfig } from '../config/ringfence.schema.ts';
import { dialerSettings } from '../dialer/dialer-settings.ts';
import type { TrunkCapacity } from '../dialer/forecast/forecast-input.ts';

export interface ForecastSettings {
  /** By name. */
  readonly trunks: Readonly<Record<string, TrunkCapacity>>;
  readonly numberGapMs: number;
  readonly abandonment: AbandonmentConfig;
}

export function forecastSettings(config: RingfenceConfig): ForecastSettings {
  const trunks = dialableTrunks(config.gateway).map(({ name, channelsMax, callsPerSecondMax }) => {
    return [name, { channels: channelsMax, callsPerSecond: callsPerSecondMax }] as const;
  });
  const { numberGapMinMs: numberGapMs } = dialerSettings(config).limits;
  return { trunks: Object.fromEntries(trunks), numberGapMs, abandonment: config.abandonment };
}
