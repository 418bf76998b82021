import { parseCSeq } from './cseq.ts';
import type { SipMessage, SipRequest } from './message.ts';
import { parseNameAddr } from './name-addr.ts';
import { isToken, splitCommaList } from './quoted-text.ts';
import { parseSipUri } from './sip-uri.ts';
import { parseVia } from './via.ts';

const REQUIRED = ['Via', 'From', 'To', 'Call-ID', 'CSeq'];

/** Header fields RFC 3261 §20 allows once; two of them leave the meaning to chance. */
const ONLY_ONCE = new Set([
  ...['From', 'To', 'Call-ID', 'CSeq', 'Max-Forwards', 'Content-Type', 'Content-Length'],
]);

const MAX_FORWARDS_MAX = 255; // RFC 3261 §20.22

/**
 * Why a message that could be split into parts is none the less no SIP message; undefined when it
 * is one. Checks what the stack itself relies on (RFC 3261 §8.1.1), nothing a TU may want to judge.
 */
export function problemOf(message: SipMessage): string | undefined {
  const seen = new Map<string, string>();
  for (const { name, value } of message.headers) {
    if (seen.has(name)) {
      if (ONLY_ONCE.has(name)) return `more than one ${name}`;
    } else seen.set(name, value);
    const problem = problemOfField(name, value);
    if (problem !== undefined) return problem;
  }
  for (const name of REQUIRED) if (!seen.has(name)) return `no ${name}`;
  if (message.kind === 'response') return undefined;
  const cseqMethod = parseCSeq(seen.get('CSeq') ?? '')?.method;
  if (cseqMethod !== message.method) return 'CSeq names another method than the request line';
  return problemOfRequestLine(message);
}

function problemOfField(name: string, value: string): string | undefined {
  switch (name) {
    case 'Via':
      return value.includes(',') ? problemOfViaList(value) : problemOfVia(value);
    case 'From':
    case 'To':
      return parseNameAddr(value) === undefined ? `${name} cannot be read` : undefined;
    case 'CSeq':
      return parseCSeq(value) === undefined ? 'CSeq is no number below 2^32 and method' : undefined;
    case 'Call-ID':
      return value === '' || /\s/.test(value) ? 'Call-ID is not one word' : undefined;
    case 'Max-Forwards':
      return /^\d{1,3}$/.test(value) && Number(value) <= MAX_FORWARDS_MAX
        ? undefined
        : 'Max-Forwards is no number from 0 to 255';
    default:
      return undefined;
  }
}

function problemOfVia(value: string): string | undefined {
  return parseVia(value) === undefined ? 'Via cannot be read' : undefined;
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
