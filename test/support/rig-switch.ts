/**
 * The switch of a rig: the embedded one, on free ports; or the servers that the environment names, which
 * stay when the rig has stopped. A rig that needs timers of its own has the embedded one.
 */
import { connect } from 'node:net';
import { startSoftswitch, type Softswitch } from '../../softswitch/start-softswitch.ts';
import { namedServers, type NamedServers } from './named-servers.ts';
import { SrfClient } from './srf-client.ts';

export interface RigSwitch extends NamedServers {
  readonly isEmbedded: boolean;
  /** Where it takes SIP from trunks and phones. */
  readonly sipPort: number;
  /** Of named servers: the channels of FreeSWITCH, which are everybody's who uses it. */
  stats: Softswitch['stats'];
  stop(): Promise<void>;
}

export interface SwitchWishes {
  /** RFC 3261 T1; timer B is 64 of it. Default 500, as on the wire. */
  readonly t1Ms?: number;
  /**
   * RTP ports of the embedded switch, and their rest after a call; named servers have those of their
   * own configuration. Default: many, and 5 s.
   */
  readonly media?: { rtpPortMin: number; rtpPortMax: number; rtpQuarantineMs: number };
}

const HOST = '127.0.0.1';

export async function rigSwitch(wishes: SwitchWishes): Promise<RigSwitch> {
  const named = namedServers();
  if (named !== undefined && wishes.t1Ms === undefined) return runningSwitch(named);
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
    isEmbedded: true,
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
    isEmbedded: false,
    sipPort: Number(/udp\/[^,]*:(\d+)/.exec(client.hostPorts)?.[1]),
    stats: async () => ({ signalling: {}, media: { channels: await channelsOf(named) } }),
    stop: () => Promise.resolve(),
  };
}

/** By `status` over an event socket: the servers keep no tables that could be asked. */
function channelsOf({ esl: { host, port, password } }: NamedServers): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    let said = '';
    socket.setEncoding('utf8').on('error', reject);
    socket.write(`auth ${password}\n\napi status\n\n`);
    socket.on('end', () => reject(new Error(`FreeSWITCH tells no sessions: ${said}`)));
    socket.on('data', (text: string) => {
      said += text;
      const channels = /^(\d+) session\(s\) - peak/m.exec(said)?.[1];
      if (channels === undefined) return;
      socket.destroy();
      resolve(Number(channels));
    });
  });
}
