/**
 * The switch of a rig: the embedded one, on free ports; or the servers that the environment names, which
 * stay when the rig has stopped. A rig that needs a switch of a certain kind has the embedded one.
 */
import { startSoftswitch, type Softswitch } from '../../softswitch/start-softswitch.ts';
import { namedServers, type NamedServers } from './named-servers.ts';
import { SrfClient } from './srf-client.ts';

export interface RigSwitch extends NamedServers {
  /** Where it takes SIP from trunks and phones. */
  readonly sipPort: number;
  stats: Softswitch['stats'];
  stop(): Promise<void>;
}

export interface SwitchWishes {
  /** RFC 3261 T1; timer B is 64 of it. Default 500, as on the wire. */
  readonly t1Ms?: number;
  /** RTP ports of the switch, and their rest after a call. Default: many, and 5 s. */
  readonly media?: { rtpPortMin: number; rtpPortMax: number; rtpQuarantineMs: number };
}

const HOST = '127.0.0.1';

export async function rigSwitch(wishes: SwitchWishes): Promise<RigSwitch> {
  const named = namedServers();
  const isAny = wishes.t1Ms === undefined && wishes.media === undefined;
  if (named !== undefined && isAny) return runningSwitch(named);
  const softswitch = await startSoftswitch({
    host: HOST,
    sip: { port: 0, protocols: ['udp', 'tcp'] },
    control: { port: 0, secret: 'rig-secret' },
    media: {
      ...{ sipPort: 0, rtpPortMin: 20_000, rtpPortMax: 29_998, rtpQuarantineMs: 5_000 },
      ...wishes.media,
    },
    esl: { port: 0, password: 'rig-password' },
    ...(wishes.t1Ms === undefined ? {} : { t1Ms: wishes.t1Ms }),
  });
  const { controlPort, eslPort, sipPort } = softswitch;
  return {
    control: { host: HOST, port: controlPort, secret: 'rig-secret' },
    esl: { host: HOST, port: eslPort, password: 'rig-password' },
    sipPort,
    stats: () => softswitch.stats(),
    stop: () => softswitch.stop(),
  };
}

async function runningSwitch(named: NamedServers): Promise<RigSwitch> {
  const client = await SrfClient.connect(named.control, 'probe');
  client.close();
  return {
    ...named,
    sipPort: Number(/udp\/[^,]*:(\d+)/.exec(client.hostPorts)?.[1]),
    stats: () => Promise.reject(new Error('only the embedded switch counts')),
    stop: () => Promise.resolve(),
  };
}
