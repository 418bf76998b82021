/** The log of a command: silent unless something is wrong, everything with `--verbose`. */
import { destination, pino } from 'pino';
import type { GatewayLog } from '../gateway/gateway-log.ts';

export function commandLog(isVerbose: boolean): GatewayLog {
  return pino({ level: isVerbose ? 'debug' : 'error' }, destination({ fd: 2, sync: true }));
}
