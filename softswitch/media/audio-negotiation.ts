/** Offer and answer of one audio stream in one dialog (RFC 3264). */
import { randomInt } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { FRAME_MS } from './audio-format.ts';
import { PCMA_PAYLOAD_TYPE, PCMU_PAYLOAD_TYPE } from './g711.ts';
import { MediaError } from './media-error.ts';
import type { MediaDirection, RtpRemote } from './rtp-session.ts';
import { parseSdp, type SdpFormat, type SdpMedia, type SdpSession } from './sdp.ts';

export type AudioCodec = 'PCMU' | 'PCMA';

export interface AudioNegotiationOptions {
  /** IPv4 address and even RTP port that we receive on. */
  readonly address: string;
  readonly port: number;
  /** In the order we offer them; default PCMU, PCMA. */
  readonly codecs?: readonly AudioCodec[];
  /** User of the o= line and name of the s= line. Default `Ringfence`. */
  readonly originUser?: string;
  /** Offer and accept RFC 4733 events. Default true. */
  readonly telephoneEvents?: boolean;
}

export interface AudioAnswer {
  readonly sdp: string;
  readonly remote: RtpRemote;
}

const PAYLOAD_TYPES = { PCMU: PCMU_PAYLOAD_TYPE, PCMA: PCMA_PAYLOAD_TYPE } as const;
/** What most equipment uses, some of it without reading the rtpmap. */
const TELEPHONE_EVENT_PAYLOAD_TYPE = 101;

/** Direction of the answer by that of the offer, before what we ourselves want (RFC 3264 §6.1). */
const ANSWERED_DIRECTION: Readonly<Record<MediaDirection, MediaDirection>> = {
  sendrecv: 'sendrecv',
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  inactive: 'inactive',
};

/** Our part of the description, from which the text is made. */
interface LocalAudio {
  readonly codecs: readonly AudioCodec[];
  readonly eventPayloadType: number | undefined;
  readonly direction: MediaDirection;
}

/**
 * Keeps what RFC 3264 asks of a party over the life of a dialog: one session id, a version that
 * goes up by one whenever the description changes (§8), the position of the audio stream among the
 * m-lines, and payload types that keep their meaning.
 */
export class AudioNegotiation {
  readonly #options: Required<AudioNegotiationOptions>;
  readonly #sessionId = randomInt(1, 2 ** 31);
  #version: number;
  #localSdp: string | undefined;
  #localBody: string | undefined;
  #remoteSdp: string | undefined;
  #remote: RtpRemote | undefined;
  #offered: LocalAudio | undefined;
  #eventPayloadType = TELEPHONE_EVENT_PAYLOAD_TYPE;
  /** The far end's m-lines, which a later offer of ours has to keep in place (§8). */
  #streams: { audioIndex: number; media: readonly SdpMedia[] } = { audioIndex: 0, media: [] };

  constructor(options: AudioNegotiationOptions) {
    this.#options = {
      codecs: ['PCMU', 'PCMA'],
      originUser: 'Ringfence',
      telephoneEvents: true,
      ...options,
    };
    this.#version = this.#sessionId;
  }

  /** The description last sent. */
  get localSdp(): string | undefined {
    return this.#localSdp;
  }

  /** The description last taken from the far end. */
  get remoteSdp(): string | undefined {
    return this.#remoteSdp;
  }

  /** What was agreed last. */
  get remote(): RtpRemote | undefined {
    return this.#remote;
  }

  /** A new offer, of all our codecs. Put the far end on hold with `sendonly`. */
  offer(direction: MediaDirection = 'sendrecv'): string {
    this.#offered = {
      codecs: this.#options.codecs,
      eventPayloadType: this.#options.telephoneEvents ? this.#eventPayloadType : undefined,
      direction,
    };
    return this.#write(this.#offered);
  }

  /**
   * Answers an offer: the first audio stream that we can take, with the first of its codecs that
   * is one of ours (§6.1 wants its order kept); every other stream is rejected with port 0. Nothing is changed when it throws
   * `SDP_NOT_ACCEPTABLE` (to be answered 488) or `INVALID_SDP` (400).
   */
  answer(offerSdp: string, direction: MediaDirection = 'sendrecv'): AudioAnswer {
    const session = parseSdp(offerSdp);
    const audioIndex = session.media.findIndex((stream) => codecOf(stream, this.#options.codecs));
    const media = session.media[audioIndex];
    const codec = media && codecOf(media, this.#options.codecs);
    if (media === undefined || codec === undefined) throw notAcceptable(session, this.#options);
    const address = mediaAddress(media);
    const event = this.#options.telephoneEvents ? eventFormat(media) : undefined;
    const local: LocalAudio = {
      codecs: [codec],
      eventPayloadType: event?.payloadType,
      direction: bothWant(ANSWERED_DIRECTION[heldDirection(media)], direction),
    };
    if (event !== undefined) this.#eventPayloadType = event.payloadType;
    this.#streams = { audioIndex, media: session.media };
    this.#offered = undefined;
    this.#remoteSdp = offerSdp;
    this.#remote = remoteOf(media, address, codec, event, event?.payloadType, local.direction);
    return { sdp: this.#write(local), remote: this.#remote };
  }

  /** Takes the answer to our last offer. Throws as `answer` does. */
  accept(answerSdp: string): RtpRemote {
    const offered = this.#offered;
    if (offered === undefined) {
      throw new MediaError('SDP_NOT_ACCEPTABLE', 'SDP: an answer without an offer of ours');
    }
    const session = parseSdp(answerSdp);
    const media = session.media[this.#streams.audioIndex];
    const codec = media && codecOf(media, offered.codecs);
    if (media === undefined || codec === undefined) throw notAcceptable(session, this.#options);
    const address = mediaAddress(media);
    const event = offered.eventPayloadType === undefined ? undefined : eventFormat(media);
    const direction = bothWant(ANSWERED_DIRECTION[heldDirection(media)], offered.direction);
    this.#remoteSdp = answerSdp;
    this.#offered = undefined;
    this.#remote = remoteOf(media, address, codec, event, offered.eventPayloadType, direction);
    return this.#remote;
  }

  #write(local: LocalAudio): string {
    const { address, originUser } = this.#options;
    const { audioIndex, media } = this.#streams;
    const count = Math.max(1, media.length);
    const streams = Array.from({ length: count }, (_, index) => {
      const other = media[index];
      return index === audioIndex || other === undefined
        ? this.#audioLines(local)
        : [`m=${other.kind} 0 ${other.protocol} ${other.formatList.join(' ') || '0'}`];
    });
    const body = [`s=${originUser}`, `c=IN IP4 ${address}`, 't=0 0', ...streams.flat(), ''].join(
      '\r\n',
    );
    if (this.#localBody !== undefined && body !== this.#localBody) this.#version += 1;
    this.#localBody = body;
    const origin = `o=${originUser} ${this.#sessionId} ${this.#version} IN IP4 ${address}`;
    this.#localSdp = `v=0\r\n${origin}\r\n${body}`;
    return this.#localSdp;
  }

  #audioLines(local: LocalAudio): string[] {
    const types = local.codecs.map((codec) => PAYLOAD_TYPES[codec]);
    const { eventPayloadType, direction } = local;
    const events = eventPayloadType === undefined ? [] : [eventPayloadType];
    return [
      `m=audio ${this.#options.port} RTP/AVP ${[...types, ...events].join(' ')}`,
      ...local.codecs.map((codec) => `a=rtpmap:${PAYLOAD_TYPES[codec]} ${codec}/8000`),
      ...events.flatMap((type) => [`a=rtpmap:${type} telephone-event/8000`, `a=fmtp:${type} 0-16`]),
      `a=ptime:${FRAME_MS}`,
      `a=${direction}`,
    ];
  }
}

/** RTP without encryption or feedback profile, not rejected by its writer. */
function isPlainAudio(media: SdpMedia): boolean {
  return media.kind === 'audio' && media.port > 0 && media.protocol.toUpperCase() === 'RTP/AVP';
}

/** The first codec of a stream that is among `codecs`; undefined when we cannot take the stream. */
function codecOf(media: SdpMedia, codecs: readonly AudioCodec[]): AudioCodec | undefined {
  if (!isPlainAudio(media)) return undefined;
  for (const { payloadType, encoding } of media.formats) {
    // Both are static types, to which nobody may give another meaning.
    const codec = codecs.find((candidate) => PAYLOAD_TYPES[candidate] === payloadType);
    if (codec === encoding) return codec;
  }
  return undefined;
}

function eventFormat(media: SdpMedia): SdpFormat | undefined {
  return media.formats.find(
    ({ encoding, clockRateHz }) => encoding === 'TELEPHONE-EVENT' && clockRateHz === 8_000,
  );
}

/** `c=0.0.0.0` is the old way to say hold (RFC 2543; RFC 3264 §8.4): we have nowhere to send to. */
function heldDirection(media: SdpMedia): MediaDirection {
  if (media.address !== '0.0.0.0') return media.direction;
  return media.direction === 'sendrecv' || media.direction === 'sendonly' ? 'sendonly' : 'inactive';
}

function bothWant(possible: MediaDirection, wanted: MediaDirection): MediaDirection {
  const sends = canSend(possible) && canSend(wanted);
  const receives = canReceive(possible) && canReceive(wanted);
  if (sends) return receives ? 'sendrecv' : 'sendonly';
  return receives ? 'recvonly' : 'inactive';
}

function canSend(direction: MediaDirection): boolean {
  return direction === 'sendrecv' || direction === 'sendonly';
}

function canReceive(direction: MediaDirection): boolean {
  return direction === 'sendrecv' || direction === 'recvonly';
}

function mediaAddress(media: SdpMedia): string {
  const { address, addressType } = media;
  if (address === undefined) throw new MediaError('INVALID_SDP', 'SDP: no c= line for the audio');
  if (addressType !== 'IP4' || !isIPv4(address)) {
    throw new MediaError(
      'SDP_NOT_ACCEPTABLE',
      `SDP: the audio's address is not an IPv4 literal: ${JSON.stringify(address)}`,
    );
  }
  return address;
}

function remoteOf(
  media: SdpMedia,
  address: string,
  codec: AudioCodec,
  event: SdpFormat | undefined,
  receiveEventType: number | undefined,
  direction: MediaDirection,
): RtpRemote {
  return {
    address,
    port: media.port,
    ...(media.rtcpPort === undefined ? {} : { rtcpPort: media.rtcpPort }),
    payloadType: PAYLOAD_TYPES[codec],
    ...(event === undefined ? {} : { telephoneEventPayloadType: event.payloadType }),
    ...(receiveEventType === undefined
      ? {}
      : { telephoneEventReceivePayloadType: receiveEventType }),
    direction,
  };
}

function notAcceptable(
  session: SdpSession,
  { codecs }: Required<AudioNegotiationOptions>,
): MediaError {
  const seen = session.media.map(
    ({ kind, port, protocol, formats }) =>
      `${kind} ${port} ${protocol} ${formats.map(({ encoding }) => encoding).join(',')}`,
  );
  return new MediaError(
    'SDP_NOT_ACCEPTABLE',
    `SDP: no audio over RTP/AVP with ${codecs.join(' or ')}; there is: ${seen.join('; ') || 'none'}`,
  );
}
