/**
 * The events of one channel. FreeSWITCH puts some 180 headers into each; these are the ones that
 * clients read. What never changes during a call, and the two SDPs, by far the longest, are left to
 * CHANNEL_DATA and `uuid_dump`: drachtio's event-socket library looks through all earlier headers for
 * each one it adds, so every header of an event costs both sides.
 */
import type { AppRequest } from './app-run.ts';
import { CALL_STATES, CHANNEL_STATES } from './channel-state.ts';
import type { Channel } from './channel.ts';
import { headerLines } from './event.ts';

type Headers = Record<string, string>;

/** Set when the call arrives or its media change, and known to whoever asked for CHANNEL_DATA. */
const CALL_VARIABLES = new Set(
  `switch_r_sdp rtp_local_sdp_str local_media_ip local_media_port remote_media_ip remote_media_port
   dtmf_type read_codec write_codec read_rate write_rate direction session_id uuid endpoint_disposition
   hangup_after_bridge socket_host sip_local_network_addr sip_user_agent sip_from_user sip_to_user`.split(
    /\s+/,
  ),
);
const isNews = (name: string): boolean =>
  !CALL_VARIABLES.has(name) && !name.startsWith('sip_h_') && !name.startsWith('rtp_audio_');
const isAny = (): boolean => true;

/** Events that FreeSWITCH sends without the channel's variables. */
const WITHOUT_VARIABLES = new Set([
  'CHANNEL_CALLSTATE',
  'CHANNEL_STATE',
  'DTMF',
  'CHANNEL_DESTROY',
  'CUSTOM',
]);

export class ChannelEvents {
  readonly #channel: Channel;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  /** `subclass` on CUSTOM events, which carry no variables. */
  fire(name: string, more?: Readonly<Headers>, subclass?: string): void {
    const channel = this.#channel;
    channel.core.bus.fire({
      name,
      ...(subclass === undefined ? {} : { subclass }),
      uuid: channel.uuid,
      fill: (headers) => {
        addBasicHeaders(channel, headers);
        if (!WITHOUT_VARIABLES.has(name)) channel.variables.addTo(headers, isNews);
        if (more !== undefined) Object.assign(headers, more);
      },
    });
  }

  applicationStarted(request: AppRequest): void {
    this.fire('CHANNEL_EXECUTE', applicationHeaders(request));
  }

  /** Application-Response is what the application left, or `_none_`. */
  applicationEnded(request: AppRequest): void {
    const response = this.#channel.variables.get('current_application_response') ?? '_none_';
    this.fire('CHANNEL_EXECUTE_COMPLETE', {
      ...applicationHeaders(request),
      'Application-Response': response,
    });
  }

  callStateChanged(from: string): void {
    this.fire('CHANNEL_CALLSTATE', {
      'Original-Channel-Call-State': from,
      'Channel-Call-State-Number': String(CALL_STATES.indexOf(this.#channel.callState)),
    });
  }

  /** Duration goes out in samples of 8 kHz, as FreeSWITCH counts it. */
  digit(digit: string, durationMs: number): void {
    this.fire('DTMF', {
      'DTMF-Digit': digit,
      'DTMF-Duration': String(Math.round(durationMs * 8)),
      'DTMF-Source': 'RTP',
    });
  }
}

function applicationHeaders({ name, argument, uuid }: AppRequest): Headers {
  return {
    Application: name,
    ...(argument === '' ? {} : { 'Application-Data': argument }),
    'Application-UUID': uuid,
  };
}

/** Everything about a channel, as `uuid_dump` and the answer to `connect` show it. */
export function channelData(channel: Channel): Headers {
  const headers: Headers = { 'Event-Name': 'CHANNEL_DATA', 'Core-UUID': channel.core.uuid };
  headers['FreeSWITCH-Hostname'] = channel.core.hostname;
  headers['FreeSWITCH-IPv4'] = channel.core.host;
  headers['Event-Date-Timestamp'] = String(Math.round(channel.core.nowMs() * 1_000));
  addChannelHeaders(channel, headers);
  channel.variables.addTo(headers, isAny);
  return headers;
}

/** The answer to `connect`: one block of headers, the caller's profile twice, no body. */
export function connectReply(channel: Channel): string {
  const data = channelData(channel);
  const reply: Headers = {
    'Channel-Unique-ID': channel.uuid,
    'Channel-Direction': 'inbound',
    'Channel-Destination-Number': channel.profile.destination,
    'Channel-Network-Addr': channel.profile.networkAddress,
    ...data,
    'Content-Type': 'command/reply',
    'Reply-Text': '+OK\n',
    'Socket-Mode': 'async',
    Control: 'full',
  };
  return `${headerLines(reply)}\n`;
}

/** State, identity and codec: in every event. */
function addBasicHeaders(channel: Channel, headers: Headers): void {
  const { profile, codec } = channel;
  headers['Channel-State'] = channel.state;
  headers['Channel-Call-State'] = channel.callState;
  headers['Channel-State-Number'] = String(CHANNEL_STATES.indexOf(channel.state));
  headers['Channel-Name'] = channel.name;
  headers['Unique-ID'] = channel.uuid;
  headers['Call-Direction'] = 'inbound';
  headers['Channel-Call-UUID'] = channel.variables.get('call_uuid') ?? channel.uuid;
  headers['Answer-State'] = channel.answerState;
  if (channel.hangupCause !== undefined) headers['Hangup-Cause'] = channel.hangupCause;
  if (codec !== undefined) headers['Channel-Read-Codec-Name'] = codec;
  headers['Caller-Caller-ID-Number'] = profile.callerIdNumber;
  headers['Caller-Destination-Number'] = profile.destination;
}

/** And what only a full description of the channel has. */
function addChannelHeaders(channel: Channel, headers: Headers): void {
  const { profile, codec } = channel;
  addBasicHeaders(channel, headers);
  headers['Channel-HIT-Dialplan'] = 'true';
  if (codec !== undefined) {
    headers['Channel-Write-Codec-Name'] = codec;
    headers['Channel-Read-Codec-Rate'] = headers['Channel-Write-Codec-Rate'] = '8000';
  }
  headers['Caller-Network-Addr'] = profile.networkAddress;
  headers['Caller-Unique-ID'] = channel.uuid;
  headers['Caller-Source'] = 'mod_sofia';
  headers['Caller-Channel-Created-Time'] = microseconds(channel.createdAtMs);
  headers['Caller-Channel-Answered-Time'] = microseconds(channel.answeredAtMs);
}

function microseconds(epochMs: number | undefined): string {
  return epochMs === undefined ? '0' : String(Math.round(epochMs * 1_000));
}
