/** `ringfence start --lab`: a demo carrier beside the service, so that it can be tried without a trunk. */
import { Value } from 'typebox/value';
import type { RingfenceConfig } from '../config/ringfence.schema.ts';
import { TrunkConfig } from '../config/trunk.schema.ts';
import { startLab } from '../lab/start-lab.ts';

export interface ServiceLab {
  /** The configuration with the carrier as its one trunk, `lab`: no telephone can be rung. */
  onlyTrunk(config: RingfenceConfig): RingfenceConfig;
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';

/** Reserved for fiction (NANP 555-01XX). */
const CALLER_ID = '+12025550100';

export async function startServiceLab(): Promise<ServiceLab> {
  const lab = await startLab({ host: HOST, sipPort: 0 });
  const trunk = Value.Parse(
    TrunkConfig,
    Value.Default(TrunkConfig, {
      ...{ name: 'lab', address: `sip:${HOST}:${String(lab.sipPort)};transport=udp` },
      ...{ callerId: CALLER_ID, channelsMax: 500, callsPerSecondMax: 50 },
    }),
  );
  return {
    onlyTrunk: (config) => ({ ...config, gateway: { ...config.gateway, trunks: [trunk] } }),
    stop: () => lab.stop(),
  };
}
