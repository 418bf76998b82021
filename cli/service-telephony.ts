/**
 * What the service's dialer speaks to: a gateway beside it in the same process, or over the bus those
 * in processes of their own.
 */
import type { RingfenceConfig } from '../config/ringfence.schema.ts';
import { StoreDirectory } from '../dialer/representatives/store-directory.ts';
import type { OpenDatabase } from '../dialer/store/open-database.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { TelephonyPort } from '../machines/telephony.port.ts';
import { DialerBus } from '../telephony-bus/dialer-bus.ts';
import { CliError } from './cli-error.ts';
import type { CommandLog } from './command-log.ts';
import { GATEWAY_GROUP } from './gateway-group.ts';
import { startTelephony, type Telephony } from './start-telephony.ts';

export interface ServiceTelephony extends Pick<Telephony, 'sipPort' | 'switchStats' | 'broken'> {
  readonly port: TelephonyPort;
  /** The one beside us. */
  readonly gateway: Gateway | undefined;
  /** To those elsewhere. */
  readonly bus: DialerBus | undefined;
  close(): Promise<void>;
}

export async function startServiceTelephony(options: {
  readonly config: RingfenceConfig;
  readonly database: OpenDatabase;
  readonly log: CommandLog;
  /** Its gateways are in other processes. */
  readonly isDialerOnly: boolean;
}): Promise<ServiceTelephony> {
  const { config, database, log, isDialerOnly } = options;
  if (isDialerOnly) return overBus(config, database, log);
  const { trunks } = config.gateway;
  const representatives = new StoreDirectory(database, () => Date.now());
  const beside = { config, trunks, log, isolated: false, watchesTrunks: true, representatives };
  const telephony = await startTelephony(beside);
  return { ...telephony, port: telephony.gateway, bus: undefined };
}

async function overBus(
  config: RingfenceConfig,
  database: OpenDatabase,
  log: CommandLog,
): Promise<ServiceTelephony> {
  requireNodes(config);
  const bus = new DialerBus({
    ...{ config: config.bus, dialerId: config.dialer.id, queueGroup: GATEWAY_GROUP, log },
    nowMs: () => Date.now(),
    placeOf: (attemptId) => gatewayOf(database, attemptId),
    directory: new StoreDirectory(database, () => Date.now()),
  });
  bus.open();
  try {
    await bus.ready(config.gateway.connectTimeoutMs);
  } catch (error) {
    await bus.close();
    throw error;
  }
  return {
    ...{ port: bus, gateway: undefined, bus, sipPort: undefined, switchStats: undefined },
    broken: new Promise<never>(() => undefined),
    close: () => bus.close(),
  };
}

/** As it was written before the dial. */
async function gatewayOf({ db }: OpenDatabase, attemptId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('attempts')
    .select('gateway_id')
    .where('id', '=', attemptId)
    .executeTakeFirst();
  return row?.gateway_id;
}

export function requireNodes({ bus }: RingfenceConfig): void {
  if (bus.nodes.length > 0) return;
  throw new CliError('CONFIG_INVALID', 'bus.nodes names no Redis, and --only needs one.');
}
