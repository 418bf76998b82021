/** The embedded switch as children of a test use it, in their own process or beside them. */
import type { SoftswitchOptions } from '../../softswitch/start-softswitch.ts';

export const SWITCH_SECRET = 'secret-of-a-test';

export function switchOptions(): SoftswitchOptions {
  return {
    host: '127.0.0.1',
    sip: { port: 0, protocols: ['udp', 'tcp'] },
    control: { port: 0, secret: SWITCH_SECRET },
    media: { sipPort: 0, rtpPortMin: 20_000, rtpPortMax: 29_998, rtpQuarantineMs: 5_000 },
    esl: { port: 0, password: SWITCH_SECRET },
  };
}
