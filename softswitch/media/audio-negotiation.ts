/** Offer and answer of one audio stream in one dialog (RFC 3264). */
import { randomBytes, randomInt } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { FRAME_MS } from './audio-format.ts';
import {
  eventFormat,
  heldDirection,
  mediaAddress,
  PAYLOAD_TYPES,
  remoteOf,
  usable,
  type AudioCodec,
  type SecureMedia,
} from './audio-stream.ts';
import { MediaError } from './media-error.ts';
import type { MediaDirection, RtpRemote } from './rtp-session.ts';
import { parseSdp, type SdpMedia, type SdpSession } from './sdp.ts';
import { CRYPTO_SUITES, cryptoLine, type CryptoAttribute } from './srtp/crypto-attribute.ts';
import { MASTER_KEY_BYTES, MASTER_SALT_BYTES } from './srtp/srtp-keys.ts';
import type { SrtpKeys } from './srtp/secure-transport.ts';

export type { AudioCodec } from './audio-stream.ts';

export interface AudioNegotiationOptions {
  /** IPv4 or IPv6 address and even RTP port that we receive on. */
  readonly address: string;
  readonly port: number;
  /** In the order we offer them; default PCMU, PCMA. */
  readonly codecs?: readonly AudioCodec[];
  /** User of the o= line and name of the s= line. Default `Ringfence`. */
  readonly originUser?: string;
  /** Offer and accept RFC 4733 events. Default true. */
  readonly telephoneEvents?: boolean;
  /** Default `forbidden`: plain RTP. */
  readonly secureMedia?: SecureMedia;
}

export interface AudioAnswer {
  readonly sdp: string;
  readonly remote: RtpRemote;
}

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
  /** Our keys; one of them in an answer. Empty: plain RTP. */
  readonly cryptos: readonly CryptoAttribute[];
  /** Both an SRTP and a plain stream are offered, on one port. */
  readonly alsoPlain: boolean;
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
  /**
   * One key for each suite. It stays until the far end offers another key of its own: then FreeSWITCH
   * takes a new one too *(measured)*, as RFC 4568 §7.1.4 allows.
   */
  #ownCryptos: readonly CryptoAttribute[] | undefined;
  /** The far end's m-lines, which a later offer of ours has to keep in place (§8). */
  #streams: { audioIndex: number; media: readonly SdpMedia[] } = { audioIndex: 0, media: [] };

  constructor(options: AudioNegotiationOptions) {
    this.#options = {
      codecs: ['PCMU', 'PCMA'],
      originUser: 'Ringfence',
      telephoneEvents: true,
      secureMedia: 'forbidden',
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
      cryptos: this.#options.secureMedia === 'forbidden' ? [] : this.#cryptos(),
      alsoPlain: this.#options.secureMedia === 'optional' && this.#remote === undefined,
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
    const { codecs, secureMedia } = this.#options;
    const audioIndex = session.media.findIndex((stream) => usable(stream, codecs, secureMedia));
    const stream = usable(session.media[audioIndex], codecs, secureMedia);
    if (stream === undefined) throw notAcceptable(session, this.#options);
    const { media, codec, crypto } = stream;
    const address = mediaAddress(media, this.family);
    const event = this.#options.telephoneEvents ? eventFormat(media) : undefined;
    if (this.#isAnotherKey(crypto)) this.#ownCryptos = undefined;
    const own = crypto && { ...this.#ownCrypto(crypto.suite), tag: crypto.tag };
    const local: LocalAudio = {
      codecs: [codec],
      eventPayloadType: event?.payloadType,
      direction: bothWant(ANSWERED_DIRECTION[heldDirection(media)], direction),
      cryptos: own === undefined ? [] : [own],
      alsoPlain: false,
    };
    if (event !== undefined) this.#eventPayloadType = event.payloadType;
    this.#streams = { audioIndex, media: session.media };
    this.#offered = undefined;
    this.#remoteSdp = offerSdp;
    this.#remote = this.#withKeys(
      remoteOf(stream, address, event, event?.payloadType, local.direction),
      own,
      crypto,
    );
    return { sdp: this.#write(local), remote: this.#remote };
  }

  /** Takes the answer to our last offer. Throws as `answer` does. */
  accept(answerSdp: string): RtpRemote {
    const offered = this.#offered;
    if (offered === undefined) {
      throw new MediaError('SDP_NOT_ACCEPTABLE', 'SDP: an answer without an offer of ours');
    }
    const session = parseSdp(answerSdp);
    const { secureMedia } = this.#options;
    const audioIndex = offered.alsoPlain
      ? session.media.findIndex((stream) => usable(stream, offered.codecs, secureMedia))
      : this.#streams.audioIndex;
    const stream = usable(session.media[audioIndex], offered.codecs, secureMedia);
    const own = offered.cryptos.find(({ tag }) => tag === stream?.crypto?.tag);
    if (stream === undefined || own?.suite !== stream.crypto?.suite) {
      throw notAcceptable(session, this.#options);
    }
    const { media, crypto } = stream;
    const address = mediaAddress(media, this.family);
    const event = offered.eventPayloadType === undefined ? undefined : eventFormat(media);
    const direction = bothWant(ANSWERED_DIRECTION[heldDirection(media)], offered.direction);
    if (offered.alsoPlain) this.#streams = { audioIndex, media: session.media };
    this.#remoteSdp = answerSdp;
    this.#offered = undefined;
    this.#remote = this.#withKeys(
      remoteOf(stream, address, event, offered.eventPayloadType, direction),
      own,
      crypto,
    );
    return this.#remote;
  }

  /** Of our address, and so of every address that we can send to. */
  get family(): 'IP4' | 'IP6' {
    return isIPv6(this.#options.address) ? 'IP6' : 'IP4';
  }

  #cryptos(): readonly CryptoAttribute[] {
    return (this.#ownCryptos ??= CRYPTO_SUITES.map((suite, index) => ({
      tag: index + 1,
      suite,
      master: randomBytes(MASTER_KEY_BYTES + MASTER_SALT_BYTES),
    })));
  }

  #isAnotherKey(crypto: CryptoAttribute | undefined): boolean {
    const before = this.#remote?.srtp?.receive;
    return crypto !== undefined && before !== undefined && !before.master.equals(crypto.master);
  }

  #ownCrypto(suite: CryptoAttribute['suite']): CryptoAttribute {
    return this.#cryptos().find((crypto) => crypto.suite === suite) as CryptoAttribute;
  }

  /**
   * FreeSWITCH's trap: where SRTP is optional and was once agreed, a later plain description does not
   * take it off the receiving side, and all that comes is dropped without a word *(measured)*.
   */
  #withKeys(
    remote: RtpRemote,
    own: CryptoAttribute | undefined,
    theirs: CryptoAttribute | undefined,
  ): RtpRemote {
    const before = this.#remote?.srtp;
    const srtp: SrtpKeys | undefined =
      own !== undefined && theirs !== undefined
        ? { send: own, receive: theirs }
        : before && { receive: before.receive };
    return srtp === undefined ? remote : { ...remote, srtp };
  }

  #write(local: LocalAudio): string {
    const { address, originUser } = this.#options;
    const { audioIndex, media } = this.#streams;
    const count = Math.max(1, media.length);
    const streams = Array.from({ length: count }, (_, index) => {
      const other = media[index];
      return index === audioIndex || other === undefined
        ? this.#streamLines(local)
        : [`m=${other.kind} 0 ${other.protocol} ${other.formatList.join(' ') || '0'}`];
    });
    const body = [
      `s=${originUser}`,
      `c=IN ${this.family} ${address}`,
      't=0 0',
      ...streams.flat(),
      '',
    ].join('\r\n');
    if (this.#localBody !== undefined && body !== this.#localBody) this.#version += 1;
    this.#localBody = body;
    const origin = `o=${originUser} ${this.#sessionId} ${this.#version} IN ${this.family} ${address}`;
    this.#localSdp = `v=0\r\n${origin}\r\n${body}`;
    return this.#localSdp;
  }

  #streamLines(local: LocalAudio): string[] {
    const first = this.#audioLines(local);
    return local.alsoPlain ? [...first, ...this.#audioLines({ ...local, cryptos: [] })] : first;
  }

  #audioLines(local: LocalAudio): string[] {
    const protocol = local.cryptos.length > 0 ? 'RTP/SAVP' : 'RTP/AVP';
    const types = local.codecs.map((codec) => PAYLOAD_TYPES[codec]);
    const { eventPayloadType, direction } = local;
    const events = eventPayloadType === undefined ? [] : [eventPayloadType];
    return [
      `m=audio ${this.#options.port} ${protocol} ${[...types, ...events].join(' ')}`,
      ...local.codecs.map((codec) => `a=rtpmap:${PAYLOAD_TYPES[codec]} ${codec}/8000`),
      ...events.flatMap((type) => [`a=rtpmap:${type} telephone-event/8000`, `a=fmtp:${type} 0-16`]),
      ...local.cryptos.map(cryptoLine),
      `a=ptime:${FRAME_MS}`,
      `a=${direction}`,
    ];
  }
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

function notAcceptable(
  session: SdpSession,
  { codecs, secureMedia }: Required<AudioNegotiationOptions>,
): MediaError {
  const seen = session.media.map(
    ({ kind, port, protocol, formats }) =>
      `${kind} ${port} ${protocol} ${formats.map(({ encoding }) => encoding).join(',')}`,
  );
  const wanted = { forbidden: 'RTP/AVP', optional: 'RTP/AVP or RTP/SAVP', mandatory: 'RTP/SAVP' };
  return new MediaError(
    'SDP_NOT_ACCEPTABLE',
    `SDP: no audio over ${wanted[secureMedia]} with ${codecs.join(' or ')}; ` +
      `there is: ${seen.join('; ') || 'none'}`,
  );
}
