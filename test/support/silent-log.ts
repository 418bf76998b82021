import type { GatewayLog } from '../../gateway/gateway-log.ts';

/** For tests that are not about the log. */
export const silentLog: GatewayLog = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
