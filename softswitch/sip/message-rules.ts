import { parseCSeq } from './cseq.ts';
import type { SipMessage, SipRequest } from './message.ts';
import { isNameAddr } from './name-addr.ts';
import { isToken, splitCommaList } from './quoted-text.ts';
import { parseSipUri } from './sip-uri.ts';
import { isVia } from './via.ts';

/** A bit per header field RFC 3261 §20 allows once: two of them leave the meaning to chance. */
const ONLY_ONCE: ReadonlyMap<string, number> = new Map([
  ['From', 1],
  ['To', 2],
  ['Call-ID', 4],
  ['CSeq', 8],
  ['Max-Forwards', 16],
  ['Content-Type', 32],
  ['Content-Length', 64],
]);
const REQUIRED_BITS = 1 | 2 | 4 | 8;

const MAX_FORWARDS_MAX = 255; // RFC 3261 §20.22

/**
 * Why a message that could be split into parts is none the less no SIP message; undefined when it
 * is one. Checks what the stack itself relies on (RFC 3261 §8.1.1), nothing a TU may want to judge.
 */
export function problemOf(message: SipMessage): string | undefined {
  let seen = 0;
  let hasVia = false;
  for (const { name, value } of message.headers) {
    const bit = ONLY_ONCE.get(name) ?? 0;
    if ((seen & bit) !== 0) return `more than one ${name}`;
    seen |= bit;
    hasVia ||= name === 'Via';
    const problem = problemOfField(name, value, message);
    if (problem !== undefined) return problem;
  }
  if (!hasVia) return 'no Via';
  if ((seen & REQUIRED_BITS) !== REQUIRED_BITS) {
    const missing = [...ONLY_ONCE].find(([, bit]) => (bit & REQUIRED_BITS & ~seen) !== 0);
    return `no ${missing?.[0] ?? ''}`;
  }
  return message.kind === 'response' ? undefined : problemOfRequestLine(message);
}

function problemOfField(name: string, value: string, message: SipMessage): string | undefined {
  switch (name) {
    case 'Via':
      return value.includes(',') ? problemOfViaList(value) : problemOfVia(value);
    case 'From':
    case 'To':
      return isNameAddr(value) ? undefined : `${name} cannot be read`;
    case 'CSeq': {
      const cseq = parseCSeq(value);
      if (cseq === undefined) return 'CSeq is no number below 2^32 and method';
      const isOther = message.kind === 'request' && cseq.method !== message.method;
      return isOther ? 'CSeq names another method than the request line' : undefined;
    }
    case 'Call-ID':
      return value === '' || /\s/.test(value) ? 'Call-ID is not one word' : undefined;
    case 'Max-Forwards':
      return /^0*\d{1,3}$/.test(value) && Number(value) <= MAX_FORWARDS_MAX
        ? undefined
        : 'Max-Forwards is no number from 0 to 255';
    default:
      return undefined;
  }
}

function problemOfVia(value: string): string | undefined {
  return isVia(value) ? undefined : 'Via cannot be read';
}

function problemOfViaList(value: string): string | undefined {
  for (const element of splitCommaList(value)) {
    if (problemOfVia(element) !== undefined) return 'Via cannot be read';
  }
  return undefined;
}

function problemOfRequestLine(request: SipRequest): string | undefined {
  if (!isToken(request.method)) return 'the method is no token';
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"]+$/.test(request.uri)) return 'the Request-URI is no URI';
  if (!/^sips?:/i.test(request.uri)) return undefined; // another scheme: 416 is the TU's to say
  const uri = parseSipUri(request.uri);
  if (uri === undefined) return 'the Request-URI cannot be read';
  if (uri.headers !== undefined) return 'the Request-URI carries headers';
  return undefined;
}
