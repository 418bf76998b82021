/** Session descriptions, read as far as audio calls need them (RFC 8866). */
import { MediaError } from './media-error.ts';
import type { MediaDirection } from './rtp-session.ts';

export interface SdpFormat {
  readonly payloadType: number;
  /** Upper case: PCMU, PCMA, TELEPHONE-EVENT. Static types have a name without an rtpmap. */
  readonly encoding: string;
  readonly clockRateHz: number;
  readonly fmtp?: string;
}

export interface SdpMedia {
  /** `audio`, `video`, `image` ... */
  readonly kind: string;
  /** 0 = rejected or removed (RFC 3264 §6, §8.2). */
  readonly port: number;
  readonly protocol: string;
  /** The m-line's formats as written, to be echoed when the stream is rejected. */
  readonly formatList: readonly string[];
  /** Formats that have a name; empty for protocols that are not RTP. */
  readonly formats: readonly SdpFormat[];
  /** From its own c= line or the session's; undefined when neither is there. */
  readonly address: string | undefined;
  readonly addressType: 'IP4' | 'IP6' | undefined;
  /** From `a=rtcp` (RFC 3605). */
  readonly rtcpPort?: number;
  readonly ptimeMs?: number;
  /** Seen from the party that wrote it. */
  readonly direction: MediaDirection;
  /** Values of `a=crypto` (RFC 4568), in their order. */
  readonly crypto: readonly string[];
}

export interface SdpSession {
  readonly origin: {
    readonly user: string;
    readonly sessionId: string;
    readonly version: string;
    readonly address: string;
  };
  readonly sessionName: string;
  readonly media: readonly SdpMedia[];
}

/** More than any call has; a bound on what a hostile offer makes us keep. */
const MEDIA_MAX = 16;
const BYTES_MAX = 32_768;
const ORIGIN_FIELDS = 6;

/** Static payload types of RFC 3551 that occur without an rtpmap. */
const STATIC_FORMATS: Readonly<Record<number, { encoding: string; clockRateHz: number }>> = {
  0: { encoding: 'PCMU', clockRateHz: 8_000 },
  3: { encoding: 'GSM', clockRateHz: 8_000 },
  4: { encoding: 'G723', clockRateHz: 8_000 },
  8: { encoding: 'PCMA', clockRateHz: 8_000 },
  9: { encoding: 'G722', clockRateHz: 8_000 },
  13: { encoding: 'CN', clockRateHz: 8_000 },
  18: { encoding: 'G729', clockRateHz: 8_000 },
};

interface Connection {
  readonly address: string;
  readonly addressType: 'IP4' | 'IP6';
}

/** The lines of one level: the session's, or those below one m-line. */
interface Section {
  media: string | undefined;
  connection: Connection | undefined;
  direction: MediaDirection | undefined;
  attributes: Map<string, string[]>;
}

/**
 * Reads a description. Lines end in CRLF, LF or CR; unknown lines are passed over. Throws
 * `INVALID_SDP` with the line at fault.
 */
export function parseSdp(text: string): SdpSession {
  if (text.length > BYTES_MAX) throw invalid(`longer than ${BYTES_MAX} characters`);
  const session = emptySection(undefined);
  const sections: Section[] = [];
  let section = session;
  let origin: SdpSession['origin'] | undefined;
  let sessionName = '-';
  let sawVersion = false;
  for (const line of text.split(/\r\n|\n|\r/)) {
    if (line === '') continue;
    if (line[1] !== '=') throw invalid(`not a line of SDP: ${quoted(line)}`);
    const value = line.slice(2).trim();
    if (line.startsWith('v')) sawVersion = readVersion(value);
    else if (line.startsWith('o')) origin = readOrigin(value);
    else if (line.startsWith('s')) sessionName = value;
    else if (line.startsWith('m')) {
      if (sections.length === MEDIA_MAX) throw invalid(`more than ${MEDIA_MAX} m-lines`);
      section = emptySection(value);
      sections.push(section);
    } else if (line.startsWith('c')) section.connection = readConnection(value);
    else if (line.startsWith('a')) readAttribute(section, value);
  }
  if (!sawVersion) throw invalid('no v= line');
  if (origin === undefined) throw invalid('no o= line');
  return { origin, sessionName, media: sections.map((part) => readMedia(part, session)) };
}

function emptySection(media: string | undefined): Section {
  return { media, connection: undefined, direction: undefined, attributes: new Map() };
}

function readVersion(value: string): true {
  if (value !== '0') throw invalid(`version is not 0: ${quoted(value)}`);
  return true;
}

function readOrigin(value: string): SdpSession['origin'] {
  const fields = value.split(/ +/);
  if (fields.length !== ORIGIN_FIELDS) throw invalid(`o= needs 6 fields: ${quoted(value)}`);
  const [user = '', sessionId = '', version = '', , , address = ''] = fields;
  return { user, sessionId, version, address };
}

function readConnection(value: string): Connection {
  const match = /^IN +(IP4|IP6) +([^ /]+)(?:\/\S*)?$/i.exec(value);
  if (match === null) throw invalid(`c= is not "IN IP4 address": ${quoted(value)}`);
  const [, type = '', address = ''] = match;
  return { address, addressType: type.toUpperCase() === 'IP6' ? 'IP6' : 'IP4' };
}

function readAttribute(section: Section, value: string): void {
  const colon = value.indexOf(':');
  const name = (colon < 0 ? value : value.slice(0, colon)).toLowerCase();
  if (name === 'sendrecv' || name === 'sendonly' || name === 'recvonly' || name === 'inactive') {
    section.direction = name;
    return;
  }
  const values = section.attributes.get(name) ?? [];
  values.push(colon < 0 ? '' : value.slice(colon + 1).trim());
  section.attributes.set(name, values);
}

function readMedia(section: Section, session: Section): SdpMedia {
  const line = section.media ?? '';
  const match = /^(\S+) +(\d+)(?:\/\d+)? +(\S+)((?: +\S+)*)$/.exec(line);
  if (match === null) throw invalid(`m= is not "media port protocol formats": ${quoted(line)}`);
  const [, kind = '', portText = '', protocol = '', formatsText = ''] = match;
  const port = Number(portText);
  if (port > 65_535) throw invalid(`m= port above 65535: ${quoted(line)}`);
  const formatList = formatsText.trim().split(/ +/).filter(Boolean);
  const connection = section.connection ?? session.connection;
  const rtcpPort = integerIn(section.attributes.get('rtcp')?.[0], 1, 65_535);
  const ptimeMs = integerIn(
    (section.attributes.get('ptime') ?? session.attributes.get('ptime'))?.[0],
    1,
    1_000,
  );
  return {
    kind: kind.toLowerCase(),
    port,
    protocol,
    formatList,
    formats: /RTP\//i.test(protocol) ? readFormats(formatList, section) : [],
    address: connection?.address,
    addressType: connection?.addressType,
    ...(rtcpPort === undefined ? {} : { rtcpPort }),
    ...(ptimeMs === undefined ? {} : { ptimeMs }),
    direction: section.direction ?? session.direction ?? 'sendrecv',
    crypto: section.attributes.get('crypto') ?? [],
  };
}

function readFormats(formatList: readonly string[], section: Section): SdpFormat[] {
  const maps = new Map<number, { encoding: string; clockRateHz: number }>();
  for (const value of section.attributes.get('rtpmap') ?? []) {
    const match = /^(\d{1,3}) +([^/ ]+)\/(\d{1,6})/.exec(value);
    if (match === null) throw invalid(`a=rtpmap: ${quoted(value)}`);
    const [, payloadType, encoding = '', clockRate] = match;
    maps.set(Number(payloadType), {
      encoding: encoding.toUpperCase(),
      clockRateHz: Number(clockRate),
    });
  }
  const formats: SdpFormat[] = [];
  for (const text of formatList) {
    const payloadType = integerIn(text, 0, 127);
    if (payloadType === undefined) throw invalid(`payload type outside 0-127: ${quoted(text)}`);
    const named = maps.get(payloadType) ?? STATIC_FORMATS[payloadType];
    if (named === undefined) continue; // a dynamic type without an rtpmap has no meaning
    const fmtp = fmtpOf(section, payloadType);
    formats.push({ payloadType, ...named, ...(fmtp === undefined ? {} : { fmtp }) });
  }
  return formats;
}

function fmtpOf(section: Section, payloadType: number): string | undefined {
  const prefix = `${payloadType} `;
  const line = section.attributes.get('fmtp')?.find((value) => value.startsWith(prefix));
  return line?.slice(prefix.length).trim();
}

function integerIn(text: string | undefined, min: number, max: number): number | undefined {
  const match = /^(\d{1,6})(?: |$)/.exec(text ?? '');
  const value = Number(match?.[1]);
  return value >= min && value <= max ? value : undefined;
}

function invalid(detail: string): MediaError {
  return new MediaError('INVALID_SDP', `SDP: ${detail}`);
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
