/**
 * The SIP profile `drachtio_mrf` and its dial plan: a call whose User-Agent is drachtio-fsmrf's is
 * answered, then handed to the event socket named in X-esl-outbound. Anything else finds no route.
 */
import { AudioNegotiation } from '../media/audio-negotiation.ts';
import { MediaError } from '../media/media-error.ts';
import { RtpSession, type RtpRemote, type RtpSessionOptions } from '../media/rtp-session.ts';
import type { SecureMedia } from '../media/audio-stream.ts';
import type { CallEndCause } from '../sip/call-leg.ts';
import type { IncomingCall } from '../sip/incoming-call.ts';
import { headerOf, headersOf, type SipRequest } from '../sip/message.ts';
import { sdpOf } from '../sip/session-description.ts';
import { Channel, type CallerProfile } from './channel.ts';
import { ChannelMedia } from './channel-media.ts';
import { causeOfReason, reasonHeader, type HangupCause } from './hangup-cause.ts';
import { dialController } from './outbound-socket.ts';
import type { SwitchCore } from './switch-core.ts';

export interface SipEndpointOptions {
  readonly core: SwitchCore;
  /** What every session is opened with, at the core's address. */
  readonly rtp: Pick<RtpSessionOptions, 'clock' | 'pool' | 'rest'>;
  /** FreeSWITCH's `rtp_secure_media`. */
  readonly secureMedia: SecureMedia;
}

const FSMRF = /^drachtio-fsmrf:/;

/** Takes one INVITE from arrival to a controlled channel. */
export async function acceptCall(call: IncomingCall, options: SipEndpointOptions): Promise<void> {
  const { core, rtp, secureMedia } = options;
  const controller = headerOf(call.request, 'X-esl-outbound');
  if (!FSMRF.test(headerOf(call.request, 'User-Agent') ?? '') || controller === undefined) {
    call.reject(404, 'Not Found', [reason('NO_ROUTE_DESTINATION')]);
    return;
  }
  if (!core.rate.admit()) {
    call.reject(503, 'Maximum Calls In Progress', [{ name: 'Retry-After', value: '1' }]);
    return;
  }
  const session = await openSession({ host: core.host, ...rtp });
  if (call.state === 'ended') {
    await session?.close(); // cancelled meanwhile
    return;
  }
  if (session === undefined) {
    call.reject(503, 'Service Unavailable', [reason('NORMAL_CIRCUIT_CONGESTION')]);
    return;
  }
  const negotiation = new AudioNegotiation({
    address: core.host,
    port: session.localPort,
    originUser: 'FreeSWITCH',
    // The dialplan's: what asks for SRTP gets that or nothing, whatever the profile is set to.
    secureMedia: headerOf(call.request, 'X-Secure-RTP') === 'true' ? 'mandatory' : secureMedia,
  });
  new Endpoint(call, core, new ChannelMedia(session, negotiation), controller).begin();
}

/** Undefined when no port is left. */
async function openSession(options: RtpSessionOptions): Promise<RtpSession | undefined> {
  try {
    return await RtpSession.open(options);
  } catch (error) {
    if (error instanceof MediaError) return undefined;
    throw error;
  }
}

/** One call and its channel, tied together. */
class Endpoint {
  readonly #call: IncomingCall;
  readonly #core: SwitchCore;
  readonly #media: ChannelMedia;
  readonly #controller: string;
  readonly #channel: Channel;
  /** Our last SDP was an offer: the ACK brings the answer. */
  #offered = false;
  /** The dial plan has begun; for a call without SDP it waits for the ACK. */
  #entered = false;

  constructor(call: IncomingCall, core: SwitchCore, media: ChannelMedia, controller: string) {
    this.#call = call;
    this.#core = core;
    this.#media = media;
    this.#controller = controller;
    this.#channel = new Channel({
      core,
      media,
      leg: {
        hangUp: (cause) => this.#hangUp(cause),
        renegotiate: () => void this.#offerAnew(),
      },
      profile: profileOf(call.request),
    });
    for (const [name, value] of signallingVariables(call, core.host)) {
      this.#channel.variables.set(name, value);
    }
    this.#channel.variables.set('uuid', this.#channel.uuid);
    media.session.onDtmf = (digit, durationMs) => this.#channel.digitReceived(digit, durationMs);
  }

  begin(): void {
    const call = this.#call;
    const channel = this.#channel;
    call.onEnded = (cause) => channel.hangUp(causeOfEnd(cause), true);
    call.onBye = (bye) => channel.hangUp(causeOfReason(headersOf(bye, 'Reason')), true);
    call.onAck = (sdp) => this.#acknowledged(sdp);
    call.onReinvite = (sdp) => this.#renegotiate(sdp);
    const sdp = this.#negotiate(call.sdp);
    if (typeof sdp !== 'string') {
      call.reject(sdp.statusCode, undefined, [reason('INCOMPATIBLE_DESTINATION')]);
      this.#media.close();
      return;
    }
    this.#core.add(channel);
    channel.state = 'CS_INIT';
    channel.events.fire('CHANNEL_CREATE');
    channel.setCallState('RINGING');
    call.answer({ sdp });
    if (!this.#offered) this.#enterDialPlan();
  }

  #enterDialPlan(): void {
    this.#entered = true;
    this.#channel.variables.set('hangup_after_bridge', 'false');
    this.#channel.answered();
    dialController(this.#channel, this.#controller);
  }

  #acknowledged(sdp: string | undefined): void {
    if (!this.#offered || this.#channel.isDown) return;
    this.#offered = false;
    if (this.#accept(sdp) && !this.#entered) this.#enterDialPlan();
  }

  /** Re-INVITE of ours. One that is refused changes nothing. */
  async #offerAnew(): Promise<void> {
    const offer = this.#media.negotiation.offer();
    const response = await this.#call.sendRequest('INVITE', { sdp: offer });
    if (response.statusCode === 200 && !this.#channel.isDown) this.#accept(sdpOf(response));
  }

  /** The answer to an offer of ours. False: the call is over by it. */
  #accept(sdp: string | undefined): boolean {
    try {
      this.#connect(this.#media.negotiation.accept(sdp ?? ''));
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      this.#channel.hangUp('INCOMPATIBLE_DESTINATION');
      return false;
    }
    this.#describeMedia();
    return true;
  }

  /** Re-INVITE: our answer, or our offer when it brought none. */
  #renegotiate(offer: string | undefined): string | { statusCode: number } {
    if (this.#channel.isDown) return { statusCode: 481 };
    const sdp = this.#negotiate(offer);
    if (typeof sdp === 'string' && offer !== undefined) this.#noticeHold();
    return sdp;
  }

  #negotiate(offer: string | undefined): string | { statusCode: number } {
    const { negotiation } = this.#media;
    if (offer === undefined) {
      this.#offered = true;
      return negotiation.offer();
    }
    try {
      const { sdp, remote } = negotiation.answer(offer);
      this.#offered = false;
      this.#connect(remote);
      this.#describeMedia();
      return sdp;
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      return { statusCode: error.code === 'INVALID_SDP' ? 400 : 488 };
    }
  }

  #connect(remote: RtpRemote): void {
    this.#media.connect(remote, () => this.#channel.hangUp('DESTINATION_OUT_OF_ORDER'));
  }

  /** The far end holds us when it no longer wants to hear us (RFC 3264 §8.4). */
  #noticeHold(): void {
    const channel = this.#channel;
    const direction = this.#media.negotiation.remote?.direction;
    const held = direction === 'recvonly' || direction === 'inactive';
    if (held === (channel.callState === 'HELD')) return;
    channel.events.fire(held ? 'CHANNEL_HOLD' : 'CHANNEL_UNHOLD');
    channel.setCallState(held ? 'HELD' : 'UNHELD');
    if (!held) channel.setCallState('ACTIVE');
  }

  /** The variables from which drachtio-fsmrf learns both ends of the media. */
  #describeMedia(): void {
    const { variables } = this.#channel;
    const { negotiation, session } = this.#media;
    const remote = negotiation.remote;
    variables.set('switch_r_sdp', negotiation.remoteSdp);
    variables.set('rtp_local_sdp_str', negotiation.localSdp);
    variables.set('local_media_ip', this.#core.host);
    variables.set('local_media_port', String(session.localPort));
    variables.set('remote_media_ip', remote?.address);
    variables.set('remote_media_port', remote && String(remote.port));
    variables.set('rtp_has_crypto', remote?.srtp?.send?.suite);
    variables.set('dtmf_type', 'rfc2833');
    variables.set('read_codec', this.#media.codec);
    variables.set('write_codec', this.#media.codec);
    variables.set('read_rate', '8000');
    variables.set('write_rate', '8000');
  }

  #hangUp(cause: HangupCause): void {
    if (this.#call.state === 'ended') return;
    if (this.#call.state === 'received' || this.#call.state === 'alerting') {
      this.#call.reject(480, undefined, [reason(cause)]);
    } else this.#call.bye([reason(cause)]);
  }
}

function reason(cause: HangupCause): { name: string; value: string } {
  return { name: 'Reason', value: reasonHeader(cause) };
}

/** A BYE was already noted with its Reason; the rest is what ends a call without one. */
function causeOfEnd(cause: CallEndCause): HangupCause {
  switch (cause) {
    case 'cancelled':
      return 'ORIGINATOR_CANCEL';
    case 'ackTimeout':
    case 'sessionExpired':
    case 'peerLost':
      return 'RECOVERY_ON_TIMER_EXPIRE';
    case 'byeReceived':
    case 'byeSent':
    case 'rejected':
      return 'NORMAL_CLEARING';
  }
}

function profileOf(request: SipRequest): CallerProfile {
  const from = userAndHost(headerOf(request, 'From') ?? '');
  return {
    callerIdNumber: from.user,
    destination: userAndHost(request.uri).user,
    networkAddress: from.host,
  };
}

/** Display names and parameters are not looked at: only what becomes a channel's name. */
function userAndHost(uri: string): { user: string; host: string } {
  const [, user = '', host = ''] = /sips?:(?:([^@>;]*)@)?([^;>?:\s]+|\[[^\]]+\])/i.exec(uri) ?? [];
  return { user, host };
}

/** Headers that begin with `X-` become `sip_h_` variables, by which dial plans and clients find them. */
function* signallingVariables(call: IncomingCall, host: string): Generator<[string, string]> {
  const { request } = call;
  yield ['direction', 'inbound'];
  yield ['sip_call_id', call.callId];
  yield ['sip_local_network_addr', host];
  yield ['sip_user_agent', headerOf(request, 'User-Agent') ?? ''];
  yield ['sip_from_user', userAndHost(headerOf(request, 'From') ?? '').user];
  yield ['sip_to_user', userAndHost(headerOf(request, 'To') ?? '').user];
  for (const { name, value } of request.headers) {
    if (/^X-/i.test(name)) yield [`sip_h_${name}`, value];
  }
}
