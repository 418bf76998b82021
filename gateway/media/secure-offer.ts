/**
 * How an endpoint that speaks SRTP alone is made. Without SDP the media server would offer what its own
 * setting says, before its dialplan is asked; so it is offered SRTP, with a key that nobody uses and a
 * place that nobody listens at, and its answer has its key: our offer to the trunk. The trunk's answer
 * is then given to it as the answer to an offer of its own, by which it keeps that key (media-endpoint.ts).
 */
import { randomBytes } from 'node:crypto';
import type { TrunkConfig } from '../../config/trunk.schema.ts';

export type Codec = TrunkConfig['codecs'][number];

/** Tells the dialplan that nothing but SRTP will do; drachtio-fsmrf's own header for it. */
const SECURE = 'X-Secure-RTP';
/** From here to `withSecureOffer`: drachtio-fsmrf takes any SRTP for DTLS, and refuses to offer it. */
const CODEC = 'X-Secure-Codec';

export function secureHeaders(codec: Codec): Record<string, string> {
  return { [SECURE]: 'true', [CODEC]: codec };
}

/** The INVITE to the media server with the offer that its headers ask for. */
export function withSecureOffer(invite: EndpointInvite): EndpointInvite {
  const { [CODEC]: codec, ...headers } = invite.headers;
  if (codec === undefined) return invite;
  return { ...invite, headers, localSdp: secureOffer(codec === 'PCMA' ? 'PCMA' : 'PCMU') };
}

interface EndpointInvite {
  readonly headers: Record<string, string>;
  readonly localSdp?: string;
}

/** AES_CM_128: a master key of 128 bits and a salt of 112 (RFC 4568 §6.1). */
const KEY_BYTES = 30;
/** Discard (RFC 863), on the media server's own host. */
const NOBODY = { address: '127.0.0.1', port: 9 };

/** One codec: the answer names one, and it is all that the trunk can be offered. */
function secureOffer(codec: Codec): string {
  const payload = codec === 'PCMU' ? 0 : 8;
  const key = randomBytes(KEY_BYTES).toString('base64');
  return [
    'v=0',
    `o=Ringfence 1 1 IN IP4 ${NOBODY.address}`,
    's=-',
    `c=IN IP4 ${NOBODY.address}`,
    't=0 0',
    `m=audio ${NOBODY.port} RTP/SAVP ${payload} 101`,
    `a=rtpmap:${payload} ${codec}/8000`,
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-16',
    `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${key}`,
    '',
  ].join('\r\n');
}
