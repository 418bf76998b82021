/**
 * Channels of the embedded FreeSWITCH without a network: time is moved by hand, packets go nowhere,
 * and every event is written down in the order it was raised.
 */
import { AudioNegotiation } from '../../softswitch/media/audio-negotiation.ts';
import { MediaClock } from '../../softswitch/media/media-clock.ts';
import { RtpSession } from '../../softswitch/media/rtp-session.ts';
import type { RtpTransport } from '../../softswitch/media/rtp-transport.ts';
import { ManualTimerWheel } from '../../softswitch/timers/manual-timer-wheel.ts';
import { Channel } from '../../softswitch/esl/channel.ts';
import { ChannelMedia } from '../../softswitch/esl/channel-media.ts';
import type { EslEvent } from '../../softswitch/esl/event.ts';
import type { HangupCause } from '../../softswitch/esl/hangup-cause.ts';
import { Subscription } from '../../softswitch/esl/subscription.ts';
import { SwitchCore } from '../../softswitch/esl/switch-core.ts';

export interface VirtualSwitch {
  readonly core: SwitchCore;
  readonly timers: ManualTimerWheel;
  readonly events: EslEvent[];
  /** A parked channel, as after `connect`. */
  channel: () => VirtualChannel;
  /** Moves time in frames of 20 ms and lets applications go on after each. */
  advance: (ms: number) => Promise<void>;
  /** `NAME application` of the events raised since the last call, oldest first. */
  told: (names?: RegExp) => string[];
}

export interface VirtualChannel {
  readonly channel: Channel;
  /** Cause of each hang-up that reached SIP. */
  readonly byes: HangupCause[];
  /** RTP packets sent. */
  sentPackets: () => number;
  run: (line: string, options?: { uuid?: string; eventLock?: boolean }) => boolean;
  digit: (digit: string) => void;
}

const FAR_END_SDP = [
  'v=0',
  'o=- 1 1 IN IP4 127.0.0.1',
  's=-',
  'c=IN IP4 127.0.0.1',
  't=0 0',
  'm=audio 40000 RTP/AVP 0 101',
  'a=rtpmap:101 telephone-event/8000',
  '',
].join('\r\n');

export function virtualSwitch(options: { sessionsPerSecondMax?: number } = {}): VirtualSwitch {
  const timers = new ManualTimerWheel();
  const core = new SwitchCore({
    host: '127.0.0.1',
    timers,
    sessionsPerSecondMax: options.sessionsPerSecondMax,
    sessionsMax: 100,
    nowMs: () => 1_700_000_000_000 + timers.nowMs(),
  });
  const clock = new MediaClock(timers);
  const events: EslEvent[] = [];
  const subscription = new Subscription();
  subscription.add(['plain', 'ALL']);
  core.bus.place({ subscription, deliver: (event) => events.push(event) });
  let reported = 0;
  return {
    core,
    timers,
    events,
    channel: () => parkedChannel(core, clock),
    advance: async (ms) => {
      await settled();
      for (let left = ms; left > 0; left -= 20) {
        timers.advance(Math.min(20, left));
        await settled();
      }
    },
    told: (names = /./) => {
      const fresh = events.slice(reported);
      reported = events.length;
      return fresh
        .filter(({ name }) => names.test(name))
        .map(({ name, headers }) => [name, headers['Application']].filter(Boolean).join(' '));
    },
  };
}

/** Lets every promise that can settle do so. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function parkedChannel(core: SwitchCore, clock: MediaClock): VirtualChannel {
  let packets = 0;
  const transport: RtpTransport = {
    localPort: 20_000,
    errorCount: 0,
    onRtp: () => undefined,
    onRtcp: () => undefined,
    sendRtp: () => (packets += 1),
    sendRtcp: () => undefined,
    close: () => Promise.resolve(),
  };
  const session = new RtpSession(transport, { clock });
  const negotiation = new AudioNegotiation({ address: '127.0.0.1', port: 20_000 });
  session.setRemote(negotiation.answer(FAR_END_SDP).remote);
  const byes: HangupCause[] = [];
  const channel = new Channel({
    core,
    media: new ChannelMedia(session, negotiation),
    leg: { hangUp: (cause) => byes.push(cause), renegotiate: () => undefined },
    profile: { callerIdNumber: '1000', destination: 'drachtio', networkAddress: '127.0.0.1' },
  });
  core.add(channel);
  channel.setCallState('RINGING');
  channel.answered();
  channel.enterBase('socket', '127.0.0.1:1 full async');
  channel.park();
  return {
    channel,
    byes,
    sentPackets: () => packets,
    run: (line, { uuid = 'app-1', eventLock = false } = {}) => {
      const [name = '', ...rest] = line.split(' ');
      return channel.execute({ name, argument: rest.join(' '), uuid, eventLock });
    },
    digit: (digit) => channel.digitReceived(digit, 100),
  };
}
