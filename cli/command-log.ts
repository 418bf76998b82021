/** The log of a command, on stderr beside what it tells people. */
import { destination, pino } from 'pino';
import type { RingfenceConfig } from '../config/ringfence.schema.ts';
import type { GatewayLog } from '../gateway/gateway-log.ts';

export function commandLog(isVerbose: boolean, { log }: RingfenceConfig): GatewayLog {
  return pino({ level: isVerbose ? 'debug' : log.level }, destination({ fd: 2, sync: true }));
}
