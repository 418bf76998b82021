/** FreeSWITCH's role, put together: SIP profile, event socket, RTP. Runs in the media worker. */
import { isMainThread } from 'node:worker_threads';
import { MediaClock } from '../media/media-clock.ts';
import { ReceiveRest } from '../media/receive-rest.ts';
import { RtpPortPool } from '../media/rtp-port-pool.ts';
import { SipStack } from '../sip/sip-stack.ts';
import { UserAgent } from '../sip/user-agent.ts';
import { realTimerWheel } from '../timers/timer-wheel.ts';
import {
  INNER_HOST_DEFAULT,
  type MediaPorts,
  type MediaWorkerOptions,
  type WorkerStats,
} from '../worker-messages.ts';
import { startHeartbeat } from './heartbeat.ts';
import { InboundServer } from './inbound-server.ts';
import { acceptCall } from './sip-endpoint.ts';
import { SwitchCore } from './switch-core.ts';

export interface MediaServer extends MediaPorts {
  stats(): WorkerStats;
  /** Hangs every channel up (cause SYSTEM_SHUTDOWN) and closes every socket. */
  close(): Promise<void>;
}

const PORTS_PER_LEG = 2;

/** Resolves when the SIP profile and the event socket listen. */
export async function startMediaServer(options: MediaWorkerOptions): Promise<MediaServer> {
  const { host, innerHost = INNER_HOST_DEFAULT, media, esl } = options;
  const secureMedia = media.secureMedia ?? 'forbidden';
  const timers = realTimerWheel();
  const clock = new MediaClock();
  const { rtpPortMin: portMin, rtpPortMax: portMax, rtpQuarantineMs: quarantineMs } = media;
  const pool = new RtpPortPool({ portMin, portMax, quarantineMs, nowMs: () => timers.nowMs() });
  const core = new SwitchCore({
    host,
    timers,
    clock,
    sessionsPerSecondMax: media.sessionsPerSecondMax,
    sessionsMax: Math.floor((portMax - portMin + 1) / PORTS_PER_LEG),
  });
  const stack = await SipStack.open({
    timers,
    listen: [
      { protocol: 'udp', host: innerHost, port: media.sipPort },
      { protocol: 'tcp', host: innerHost, port: media.sipPort },
    ],
  });
  const mediaSipPort = stack.listening[0]?.port ?? media.sipPort;
  core.profileAddress = `sip:mod_sofia@${innerHost}:${mediaSipPort}`;
  const userAgent = new UserAgent(stack, {
    timers,
    contactUser: 'mod_sofia',
    userAgent: 'ringfence-softswitch',
    supported: ['100rel', 'timer'],
  });
  const rtp = { clock, pool, ...restIn(clock) };
  userAgent.onInvite = (call) => void acceptCall(call, { core, rtp, secureMedia });
  let inbound: InboundServer;
  try {
    inbound = await InboundServer.listen({ core, host: innerHost, ...esl });
  } catch (error) {
    await stack.close();
    timers.stop();
    throw error;
  }
  startHeartbeat(core);
  return {
    mediaSipPort,
    eslPort: inbound.port,
    stats: () => ({
      channels: core.channels.size,
      channelsPeak: core.sessionsPeak,
      channelsTotal: core.sessionsTotal,
      eventSockets: inbound.connections,
      rtpPortsTaken: pool.takenCount,
      rtpPortsFree: pool.freeCount,
      rtpPortsResting: pool.restingCount,
      sipRequestsReceived: stack.counters.requestsReceived,
      sipRequestsMalformed: stack.counters.malformed,
      timersPending: timers.pending,
      transactionsClient: stack.transactionCounts.client,
      transactionsServer: stack.transactionCounts.server,
    }),
    close: async () => {
      for (const channel of [...core.channels.values()]) channel.hangUp('SYSTEM_SHUTDOWN');
      await core.idle();
      await inbound.close();
      await stack.close();
      clock.stop();
      timers.stop();
    },
  };
}

/** None in a main thread, which has others' work to do. */
function restIn(clock: MediaClock): { readonly rest?: ReceiveRest } {
  return isMainThread ? {} : { rest: new ReceiveRest(clock) };
}
