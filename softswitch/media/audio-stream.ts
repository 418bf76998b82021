/** What an audio stream of somebody's SDP offers us: codec, address, events, direction, keys. */
import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { PCMA_PAYLOAD_TYPE, PCMU_PAYLOAD_TYPE } from './g711.ts';
import { MediaError } from './media-error.ts';
import type { MediaDirection, RtpRemote } from './rtp-session.ts';
import type { SdpFormat, SdpMedia } from './sdp.ts';
import { readCrypto, type CryptoAttribute } from './srtp/crypto-attribute.ts';

export type AudioCodec = 'PCMU' | 'PCMA';

/**
 * FreeSWITCH's `rtp_secure_media`: `mandatory` speaks SRTP or not at all, `forbidden` never does, and
 * `optional` offers both and takes either.
 */
export type SecureMedia = 'forbidden' | 'optional' | 'mandatory';

export const PAYLOAD_TYPES = { PCMU: PCMU_PAYLOAD_TYPE, PCMA: PCMA_PAYLOAD_TYPE } as const;

/** A stream that we can take. */
export interface UsableStream {
  readonly media: SdpMedia;
  readonly codec: AudioCodec;
  /** Present for RTP/SAVP. */
  readonly crypto: CryptoAttribute | undefined;
}

/** The first codec of a stream that is among `codecs`; undefined when we cannot take the stream. */
export function usable(
  media: SdpMedia | undefined,
  codecs: readonly AudioCodec[],
  secureMedia: SecureMedia,
): UsableStream | undefined {
  if (media?.kind !== 'audio' || media.port === 0) return undefined;
  const protocol = media.protocol.toUpperCase();
  const isSecure = protocol === 'RTP/SAVP';
  if (!isSecure && protocol !== 'RTP/AVP') return undefined;
  if (isSecure ? secureMedia === 'forbidden' : secureMedia === 'mandatory') return undefined;
  const crypto = isSecure ? firstCrypto(media) : undefined;
  if (isSecure && crypto === undefined) return undefined;
  for (const { payloadType, encoding } of media.formats) {
    // Both are static types, to which nobody may give another meaning.
    const codec = codecs.find((candidate) => PAYLOAD_TYPES[candidate] === payloadType);
    if (codec === encoding) return { media, codec, crypto };
  }
  return undefined;
}

/** In the order of who wrote it, who put the best one first (RFC 4568 §6.1). */
function firstCrypto(media: SdpMedia): CryptoAttribute | undefined {
  for (const value of media.crypto) {
    const crypto = readCrypto(value);
    if (crypto !== undefined) return crypto;
  }
  return undefined;
}

export function eventFormat(media: SdpMedia): SdpFormat | undefined {
  return media.formats.find(
    ({ encoding, clockRateHz }) => encoding === 'TELEPHONE-EVENT' && clockRateHz === 8_000,
  );
}

/** `c=0.0.0.0` is the old way to say hold (RFC 2543; RFC 3264 §8.4): we have nowhere to send to. */
export function heldDirection(media: SdpMedia): MediaDirection {
  if (media.address !== '0.0.0.0' && media.address !== '::') return media.direction;
  return media.direction === 'sendrecv' || media.direction === 'sendonly' ? 'sendonly' : 'inactive';
}

/**
 * Where the stream wants to be sent: a literal in the form sockets report it, or a host name, which is
 * still to be looked up. Literals of the other family cannot be reached from our socket.
 */
export function mediaAddress(media: SdpMedia, family: 'IP4' | 'IP6'): string {
  const { address, addressType } = media;
  if (address === undefined) throw new MediaError('INVALID_SDP', 'SDP: no c= line for the audio');
  const isLiteral = isIPv4(address) || isIPv6(address);
  const matches = family === 'IP4' ? isIPv4(address) : isIPv6(address);
  if (addressType !== family || (isLiteral ? !matches : !HOST_NAME.test(address))) {
    throw new MediaError(
      'SDP_NOT_ACCEPTABLE',
      `SDP: the audio's address is no ${family} address or host name: ${JSON.stringify(address)}`,
    );
  }
  return isIPv6(address) ? new SocketAddress({ address, family: 'ipv6' }).address : address;
}

/** RFC 8866 §5.7 allows a fully qualified name; one word such as `localhost` is a name as well. */
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,62})(?:\.[a-z0-9-]{1,63})*\.?$/i;

export function remoteOf(
  { media, codec }: UsableStream,
  address: string,
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
