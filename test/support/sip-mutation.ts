/**
 * Damaged SIP, by seed: the torture messages of RFC 4475 and what a carrier really sends, with bytes
 * and whole header fields changed. A failing run is replayed with its seed.
 */
import { INVALID, ODD, VALID } from './rfc4475.ts';
import { sipText } from './sip-text.ts';

/** A whole number from 0 up to, not including, `below`. */
export type Random = (below: number) => number;

/** xorshift32. */
export function randomOf(seed: number): Random {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const TORTURE = [...VALID, ...INVALID, ...ODD].map(({ bytes }) => bytes);

const SDP = [
  ...['v=0', 'o=- 20518 0 IN IP4 203.0.113.1', 's=-', 'c=IN IP4 203.0.113.1', 't=0 0'],
  ...['m=audio 54400 RTP/SAVPF 0 8 101', 'a=rtpmap:101 telephone-event/8000', 'a=fmtp:101 0-16'],
  ...['a=ptime:20', 'a=sendrecv', ''],
].join('\r\n');

/** What is said to a switch in the course of calls, by it or by others. */
const USUAL = [
  request('INVITE', [
    ...['Supported: 100rel, timer, replaces', 'Session-Expires: 1800;refresher=uas', 'Min-SE: 90'],
    ...['P-Asserted-Identity: "A" <sip:+12025550100@carrier.test>', 'Privacy: none'],
    ...['Record-Route: <sip:192.0.2.1;lr>, <sip:192.0.2.2;lr>', 'Content-Type: application/sdp'],
  ]),
  request('INVITE', ['Require: 100rel', 'Content-Type: application/sdp'], ';tag=in-a-dialog'),
  request('UPDATE', ['Session-Expires: 20', 'Contact: <sip:a@192.0.2.1>'], ';tag=in-a-dialog'),
  request('PRACK', ['RAck: 1 1 INVITE'], ';tag=in-a-dialog'),
  request('BYE', ['Reason: Q.850;cause=16;text="x", SIP;cause=200'], ';tag=in-a-dialog'),
  request('ACK', [], ';tag=in-a-dialog'),
  request('CANCEL', ['Reason: SIP;cause=200;text="Call completed elsewhere"']),
  request('OPTIONS', ['Accept: application/sdp']),
  request('NOTIFY', ['Event: refer', 'Subscription-State: terminated;reason=noresource']),
  request('REFER', ['Refer-To: <sip:b@c.test?Replaces=1%3Bto-tag%3D2>', 'Referred-By: <sip:a@b>']),
  request(
    'INFO',
    ['Content-Type: application/dtmf-relay'],
    ';tag=x',
    'Signal=5\r\nDuration=160\r\n',
  ),
  request('REGISTER', ['Authorization: Digest username="a", realm="b", nonce="c", uri="sip:d"']),
  response(183, 'Session Progress', ['Require: 100rel', 'RSeq: 988789']),
  response(200, 'OK', ['Session-Expires: 1800;refresher=uac', 'Record-Route: <sip:192.0.2.1;lr>']),
  response(302, 'Moved', ['Contact: <sip:a@192.0.2.1>;q=0.5, <tel:+1>']),
  response(407, 'Proxy Authentication Required', [
    'Proxy-Authenticate: Digest realm="a", nonce="b", qop="auth,auth-int", algorithm=SHA-256',
  ]),
  response(503, 'Service Unavailable', ['Retry-After: 18000;duration=3600 (x)']),
];

/** What the media half takes calls from: drachtio-fsmrf, with an event socket that nobody answers at. */
export const ENDPOINT_INVITES: readonly Buffer[] = [SDP, ''].map((body) =>
  request(
    'INVITE',
    [
      'User-Agent: drachtio-fsmrf:6ad6d0b4-6b2c-4b8c-9d2d-8d5c0f6f0b1a',
      'X-esl-outbound: 127.0.0.1:9',
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
    ],
    '',
    body.replace('RTP/SAVPF', 'RTP/AVP'),
  ),
);

export const CORPUS: readonly Buffer[] = [...TORTURE, ...USUAL];

function request(
  method: string,
  headers: readonly string[],
  tag = '',
  body = method === 'INVITE' ? SDP : '',
): Buffer {
  return sipText(
    [
      `${method} sip:+12065550123@127.0.0.1:5060;transport=udp;user=phone SIP/2.0`,
      'Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bKnashds8, SIP/2.0/TCP b.test;received=1.2.3.4',
      'Max-Forwards: 68',
      'From: "A. G. Bell" <sip:+12025550100@carrier.test;user=phone>;tag=1928301774',
      `To: <sip:+12065550123@127.0.0.1>${tag}`,
      'Call-ID: a84b4c76e66710@pc33.carrier.test',
      `CSeq: 314159 ${method}`,
      'Contact: <sip:+12025550100@192.0.2.1:5060;transport=udp>;expires=60',
      ...headers,
      `Content-Length: ${Buffer.byteLength(body)}`,
    ],
    body,
  );
}

function response(statusCode: number, reason: string, headers: readonly string[]): Buffer {
  return sipText([
    `SIP/2.0 ${statusCode} ${reason}`,
    'Via: SIP/2.0/UDP 127.0.0.1:5060;rport=5060;branch=z9hG4bK776asdhds;received=127.0.0.1',
    'From: <sip:ringfence@127.0.0.1>;tag=1',
    'To: <sip:b@192.0.2.1>;tag=2',
    'Call-ID: 1@127.0.0.1',
    'CSeq: 1 INVITE',
    ...headers,
    'Content-Length: 0',
  ]);
}

const NASTY = [
  ...['\r\n', '\r\n\r\n', '\0', '"', '<', '>', ';', ',', ':', '=', '%', '@', '\\', '?', ' ', '\t'],
  ...[
    '-1',
    '99999999999999999999',
    '[',
    ']',
    '[::',
    '\ufeff',
    '💥',
    'z9hG4bK',
    'SIP/2.0',
    '127.0.0.1',
  ],
  ...['Content-Length: 7\r\n', 'Via: \r\n', 'Require: x\r\n', 'l:', 'CSeq: 4294967296 INVITE\r\n'],
  ...[
    'Route: <sip:127.0.0.1;lr>\r\n',
    'Record-Route: <sip:\r\n',
    'RAck: a b c\r\n',
    'RSeq: -1\r\n',
  ],
  ...[
    'Session-Expires: 99999999999\r\n',
    'Contact: *\r\n',
    'To: ;tag=\r\n',
    'From: "\\\r\n',
    'm:\r\n',
  ],
];

/** One edit mostly, so that many messages get past the parser and try what lies behind it. */
export function mutate(original: Buffer, random: Random): Buffer {
  let bytes: Buffer = Buffer.from(original);
  for (let edits = random(3) === 0 ? 1 + random(4) : 1; edits > 0; edits -= 1) {
    bytes = random(3) === 0 ? editFields(bytes, random) : editBytes(bytes, random);
  }
  return bytes;
}

function editBytes(bytes: Buffer, random: Random): Buffer {
  const position = random(bytes.length + 1);
  const length = random(Math.min(12, bytes.length - position + 1));
  const [before, after] = [bytes.subarray(0, position), bytes.subarray(position + length)];
  const piece = bytes.subarray(position, position + length);
  switch (random(7)) {
    case 0: // a byte becomes another
    case 1: {
      const changed = Buffer.from(bytes);
      if (position < bytes.length) changed[position] = random(256);
      return changed;
    }
    case 2: // a piece is lost
      return Buffer.concat([before, after]);
    case 3: // a piece comes twice
      return Buffer.concat([before, piece, piece, after]);
    case 4: // the rest is lost
      return random(4) === 0 ? Buffer.from(before) : bytes;
    default:
      return Buffer.concat([before, Buffer.from(NASTY[random(NASTY.length)] ?? ''), after]);
  }
}

const REPEATS_MAX = 200;

/** Lines change places, get lost, come often, or say something else. */
function editFields(bytes: Buffer, random: Random): Buffer {
  const lines = bytes.toString('latin1').split('\r\n');
  const [one, other] = [random(lines.length), random(lines.length)];
  const [oneLine, otherLine] = [lines[one] ?? '', lines[other] ?? ''];
  const name = oneLine.slice(0, oneLine.indexOf(':') + 1);
  switch (random(7)) {
    case 0:
      [lines[one], lines[other]] = [otherLine, oneLine];
      break;
    case 1:
      lines.splice(one, 1);
      break;
    case 2:
      lines.splice(one, 0, ...Array.from({ length: 1 + random(REPEATS_MAX) }, () => oneLine));
      break;
    case 3: // the value of another field
      lines[one] = `${name}${otherLine.slice(otherLine.indexOf(':') + 1)}`;
      break;
    case 4:
      lines[one] = `${name} ${NASTY[random(NASTY.length)] ?? ''}`;
      break;
    case 5: // one value, very long, or nested
      lines[one] =
        `${oneLine}${(['"', '<', '(', ';a', ',', '%00', 'x'][random(7)] ?? '').repeat(1 + random(3_000))}`;
      break;
    default: // numbers
      lines[one] = oneLine.replace(/\d+/g, () => String(2 ** random(70) - random(3)));
  }
  return Buffer.from(lines.join('\r\n'), 'latin1');
}
