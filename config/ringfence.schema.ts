/** The whole configuration. Every section has defaults: an empty file is a valid one. */
import { Type, type Static } from 'typebox';
import { AbandonmentConfig } from './abandonment.schema.ts';
import { BusConfig } from './bus.schema.ts';
import { DialerConfig } from './dialer.schema.ts';
import { DialingConfig } from './dialing.schema.ts';
import { GatewayConfig } from './gateway.schema.ts';
import { HttpConfig } from './http.schema.ts';
import { JourneysConfig } from './journeys.schema.ts';
import { MetricsConfig, TracesConfig } from './observability.schema.ts';
import { SoftswitchConfig } from './softswitch.schema.ts';

const LogConfig = Type.Object(
  {
    level: Type.Enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
      description:
        'Log entries below this level are not written. A command with `--verbose` writes debug.',
      default: 'warn',
      env: 'RINGFENCE_LOG_LEVEL',
    }),
  },
  { additionalProperties: false, default: {}, description: 'Logs, as JSON lines on stderr.' },
);

export const RingfenceConfig = Type.Object(
  {
    log: LogConfig,
    bus: BusConfig,
    dialer: DialerConfig,
    dialing: DialingConfig,
    abandonment: AbandonmentConfig,
    gateway: GatewayConfig,
    journeys: JourneysConfig,
    http: HttpConfig,
    metrics: MetricsConfig,
    traces: TracesConfig,
    softswitch: SoftswitchConfig,
  },
  { additionalProperties: false, default: {}, description: 'The configuration of Ringfence.' },
);

export type RingfenceConfig = Static<typeof RingfenceConfig>;
