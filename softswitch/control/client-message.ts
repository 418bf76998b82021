/**
 * What a client sends: `<message id>|<type>|<arguments...>`, then for SIP a CRLF and a message that
 * is deliberately incomplete (no Via, often no From, To, Call-ID or CSeq), because the server fills
 * in the rest. The strict SIP parser therefore does not apply here.
 */
import { canonicalHeaderName } from '../sip/header-names.ts';
import type { SipHeaderField } from '../sip/message.ts';

/** A start line, the header fields that make sense, and the rest as body. */
export interface SipDraft {
  readonly start:
    | { readonly kind: 'request'; readonly method: string; readonly uri: string }
    | { readonly kind: 'response'; readonly statusCode: number; readonly reason: string };
  readonly headers: readonly SipHeaderField[];
  readonly body: Buffer;
}

export interface ClientMessage {
  /** Chosen by the client; the answer carries it back. */
  readonly id: string;
  readonly type: string;
  readonly args: readonly string[];
  /** Everything after the first CRLF; absent when there is none. */
  readonly sip: Buffer | undefined;
}

const CRLF = Buffer.from('\r\n');
const BLANK_LINE = Buffer.from('\r\n\r\n');

/** RFC 3261 §25.1 token: what a header field name may consist of. */
const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/;

export function parseClientMessage(message: Buffer): ClientMessage {
  const end = message.indexOf(CRLF);
  const head = end < 0 ? message.toString() : message.toString('utf8', 0, end);
  const [id = '', type = '', ...args] = head.split('|');
  return { id, type, args, sip: end < 0 ? undefined : message.subarray(end + CRLF.length) };
}

/**
 * Reads the SIP part, or says why it cannot be read. A line that is no header field is left out
 * rather than sent, as drachtio-server does: it must never reach the wire as something else.
 */
export function parseSipDraft(text: Buffer): SipDraft | undefined {
  const blank = text.indexOf(BLANK_LINE);
  const head = blank < 0 ? text.toString() : text.toString('utf8', 0, blank);
  const body = blank < 0 ? Buffer.alloc(0) : text.subarray(blank + BLANK_LINE.length);
  const [startLine = '', ...lines] = head.split(/[\r\n]+/);
  const start = parseStartLine(startLine);
  if (start === undefined) return undefined;
  const headers: SipHeaderField[] = [];
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const name = line.slice(0, colon).trim();
    if (!TOKEN.test(name)) continue;
    headers.push({ name: headerName(name), value: line.slice(colon + 1).trim() });
  }
  return { start, headers, body };
}

function parseStartLine(line: string): SipDraft['start'] | undefined {
  const response = /^SIP\/2\.0 ([1-6]\d\d)(?: (.*))?$/.exec(line);
  if (response) {
    return { kind: 'response', statusCode: Number(response[1]), reason: response[2] ?? '' };
  }
  const request = /^([A-Za-z0-9\-.!%*_+`'~]+) (\S+) SIP\/2\.0$/.exec(line);
  if (request?.[1] === undefined || request[2] === undefined) return undefined;
  return { kind: 'request', method: request[1], uri: request[2] };
}

/** drachtio-srf writes most names in lower case; they go out as drachtio-server writes them. */
function headerName(name: string): string {
  const canonical = canonicalHeaderName(name);
  if (canonical !== name) return canonical;
  if (name.startsWith('x-')) return name; // a private header's spelling is its owner's business
  return name.replace(/(^|-)([a-z])/g, (_, hyphen: string, letter: string) => {
    return hyphen + letter.toUpperCase();
  });
}
