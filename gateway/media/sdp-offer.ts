/** SDP between the media server and a trunk: only as much of it as the gateway must change. */
import type { TrunkConfig } from '../../config/trunk.schema.ts';

type Codec = TrunkConfig['codecs'][number];

/** Static payload types, RFC 3551 §6. */
const PAYLOAD_TYPES: Readonly<Record<Codec, number>> = { PCMU: 0, PCMA: 8 };

/**
 * The media server's SDP as an offer to a trunk: one audio stream with the trunk's codecs in the
 * trunk's order, and telephone-event. Everything else is left out: comfort noise, and the SRTP twin
 * that FreeSWITCH adds by default and that would turn encryption on *(measured)*. A media server that
 * offers SRTP alone means it: its keys go along, and nothing is ever offered in clear beside them.
 * Undefined when the media server offers none of the trunk's codecs.
 */
export function offerFor(mediaSdp: string, codecs: readonly Codec[]): string | undefined {
  const [session = [], ...streams] = sections(mediaSdp);
  const over = (protocol: string): string[] | undefined =>
    streams.find((stream) => new RegExp(`^m=audio [1-9]\\d* ${protocol} `).test(stream[0] ?? ''));
  const plain = over('RTP/AVP');
  const audio = plain ?? over('RTP/SAVP');
  if (audio === undefined) return undefined;
  const [port = '', protocol = '', ...payloads] = (audio[0] ?? '')
    .slice('m=audio '.length)
    .split(' ');
  const wanted = codecs.map((codec) => String(PAYLOAD_TYPES[codec]));
  const offered = wanted.filter((payload) => payloads.includes(payload));
  if (offered.length === 0) return undefined;
  const events = payloads.filter((payload) => isTelephoneEvent(audio, payload));
  const kept = [...offered, ...events];
  const media = `m=audio ${port} ${protocol} ${kept.join(' ')}`;
  const lines = [...session, media, ...audio.slice(1)].filter((line) => {
    // The endpoint was made without a partner; towards the trunk it sends and receives.
    if (/^a=(?:recvonly|sendonly|inactive)$/.test(line)) return false;
    const payload = /^a=(?:rtpmap|fmtp|rtcp-fb):(\d+)/.exec(line)?.[1];
    return payload === undefined || kept.includes(payload);
  });
  return `${lines.join('\r\n')}\r\n`;
}

/**
 * Two descriptions that ask the same of the media server. The origin line counts versions and may
 * differ between a 183 and its 200 (RFC 3264 §8), which is no reason for another re-INVITE.
 */
export function sameMedia(one: string, other: string): boolean {
  return one === other || withoutOrigin(one) === withoutOrigin(other);
}

/** An audio stream that is not refused (port 0, RFC 3264 §6). */
export function hasUsableAudio(sdp: string | undefined): sdp is string {
  return sdp !== undefined && /^m=audio [1-9]/m.test(sdp);
}

/** An endpoint that never speaks in clear. */
export function isSecureOnly(sdp: string | undefined): boolean {
  return (
    sdp !== undefined &&
    /^m=audio \d+ RTP\/SAVP /m.test(sdp) &&
    !/^m=audio \d+ RTP\/AVP /m.test(sdp)
  );
}

function sections(sdp: string): string[][] {
  const found: string[][] = [[]];
  for (const line of sdp.split(/\r?\n/)) {
    if (line === '') continue;
    if (line.startsWith('m=')) found.push([]);
    found.at(-1)?.push(line);
  }
  return found;
}

function isTelephoneEvent(stream: readonly string[], payload: string): boolean {
  return stream.some((line) =>
    line.toLowerCase().startsWith(`a=rtpmap:${payload} telephone-event/8000`),
  );
}

function withoutOrigin(sdp: string): string {
  return sdp
    .replace(/^o=.*$/m, '')
    .replace(/\r/g, '')
    .trim();
}
