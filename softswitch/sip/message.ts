/**
 * A SIP message in memory (RFC 3261 §7): header fields in wire order, values unfolded and trimmed,
 * otherwise as they came. Nothing is interpreted here; `via.ts`, `name-addr.ts` and the like read
 * single values. `parse-message.ts` makes one from bytes.
 */
import { canonicalHeaderName, isCommaList, isKnownHeaderName } from './header-names.ts';
import { splitCommaList } from './quoted-text.ts';

/** Compact names are expanded and known names spelt canonically, so `name` compares with ===. */
export interface SipHeaderField {
  readonly name: string;
  readonly value: string;
}

export interface SipRequest {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: string;
  headers: SipHeaderField[];
  body: Buffer;
}

export interface SipResponse {
  readonly kind: 'response';
  readonly statusCode: number;
  readonly reason: string;
  headers: SipHeaderField[];
  body: Buffer;
}

export type SipMessage = SipRequest | SipResponse;

export const EMPTY_BODY: Buffer = Buffer.alloc(0);

/** The first header field of that name (any spelling, compact too), whole line value. */
export function headerOf(message: SipMessage, name: string): string | undefined {
  const wanted = canonicalHeaderName(name);
  for (const field of message.headers) if (field.name === wanted) return field.value;
  if (isKnownHeaderName(wanted)) return undefined;
  const lower = wanted.toLowerCase(); // known to nobody: compare as §7.3.1 demands
  return message.headers.find((field) => field.name.toLowerCase() === lower)?.value;
}

/** All values of that name in order; comma lists are split where the grammar is a list. */
export function headersOf(message: SipMessage, name: string): string[] {
  const wanted = canonicalHeaderName(name);
  const isKnown = isKnownHeaderName(wanted);
  const lower = isKnown ? '' : wanted.toLowerCase();
  const values: string[] = [];
  for (const field of message.headers) {
    const isWanted = isKnown ? field.name === wanted : field.name.toLowerCase() === lower;
    if (!isWanted) continue;
    if (isKnown && field.value.includes(',') && isCommaList(wanted)) {
      values.push(...splitCommaList(field.value));
    } else values.push(field.value);
  }
  return values;
}

/** Replaces the first header field of that name and drops the others; appends when there is none. */
export function setHeader(message: SipMessage, name: string, value: string): void {
  const canonical = canonicalHeaderName(name);
  const index = message.headers.findIndex((field) => field.name === canonical);
  if (index < 0) {
    message.headers.push({ name: canonical, value });
    return;
  }
  message.headers = message.headers.filter(
    (field, position) => position <= index || field.name !== canonical,
  );
  message.headers[index] = { name: canonical, value };
}

export function removeHeader(message: SipMessage, name: string): void {
  const canonical = canonicalHeaderName(name);
  message.headers = message.headers.filter((field) => field.name !== canonical);
}

/**
 * Wire form, always with one Content-Length that is the body's length in bytes (RFC 3261 §20.14).
 * CR and LF inside a value would let a value smuggle a header field in; they become spaces.
 */
export function serializeSipMessage(message: SipMessage): Buffer {
  let head =
    message.kind === 'request'
      ? `${message.method} ${oneLine(message.uri)} SIP/2.0\r\n`
      : `SIP/2.0 ${message.statusCode} ${oneLine(message.reason)}\r\n`;
  for (const { name, value } of message.headers) {
    if (name !== 'Content-Length') head += `${name}: ${oneLine(value)}\r\n`;
  }
  head += `Content-Length: ${message.body.length}\r\n\r\n`;
  if (message.body.length === 0) return Buffer.from(head, 'utf8');
  const headLength = Buffer.byteLength(head, 'utf8');
  const bytes = Buffer.allocUnsafe(headLength + message.body.length);
  bytes.write(head, 0, headLength, 'utf8');
  message.body.copy(bytes, headLength);
  return bytes;
}

function oneLine(text: string): string {
  return text.includes('\n') || text.includes('\r') ? text.replace(/[\r\n]+/g, ' ') : text;
}
