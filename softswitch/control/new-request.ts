/**
 * Turns what a client asked for into a complete request outside a dialog. drachtio-srf leaves out
 * nearly everything; what it does give (a digest retry repeats Call-ID, From and CSeq) is honoured.
 */
import type { SipHeaderField, SipRequest } from '../sip/message.ts';
import { withTag } from '../sip/name-addr.ts';
import { newCallId, newTag } from '../sip/sip-ids.ts';
import type { SipAddress } from '../sip/sip-address.ts';
import type { SipDraft } from './client-message.ts';
import { bracketed, defaultContact, replaceLocalhost } from './party-header.ts';

/** Thrown for what the client did wrong; the text is its answer, in drachtio-server's words. */
export class ClientFault extends Error {
  override readonly name = 'ClientFault';
}

/** Header fields a client may not set, because they are the transaction's or the dialog's own. */
const RESERVED = new Set(['Via', 'Route', 'Record-Route', 'RSeq', 'Content-Length']);

/** Header fields whose `localhost` stands for the switch's own address. */
const OWN_ADDRESS = new Set(['From', 'To', 'Contact', 'P-Asserted-Identity']);

/** The client's header fields that go out as they are, `localhost` apart. */
export function ownHeaders(draft: SipDraft, local: SipAddress): SipHeaderField[] {
  const kept: SipHeaderField[] = [];
  for (const field of draft.headers) {
    if (RESERVED.has(field.name)) continue;
    if (!OWN_ADDRESS.has(field.name)) kept.push(field);
    else kept.push({ name: field.name, value: replaceLocalhost(field.value, local) });
  }
  return kept;
}

/** Takes the first field of that name out of `headers`. */
export function takeHeader(headers: SipHeaderField[], name: string): string | undefined {
  const index = headers.findIndex((field) => field.name === name);
  return index < 0 ? undefined : headers.splice(index, 1)[0]?.value;
}

/** A body says what it is, except SDP, which is recognised. */
export function contentTypeOf(given: string | undefined, body: Buffer): string | undefined {
  if (given !== undefined || body.length === 0) return given;
  if (body.subarray(0, 3).toString('latin1') === 'v=0') return 'application/sdp';
  throw new ClientFault('missing content-type');
}

/** Methods whose requests carry a Contact, because the far end will call back on it (RFC 3261 §8.1.1.8). */
const DIALOG_FORMING = new Set(['INVITE', 'SUBSCRIBE']);

export function formsDialog(method: string): boolean {
  return DIALOG_FORMING.has(method);
}

/** Via and Max-Forwards are the transaction layer's to add. */
export function newRequest(draft: SipDraft, local: SipAddress): SipRequest {
  const { start } = draft;
  if (start.kind !== 'request') throw new ClientFault('invalid request');
  if (!/^(?:sips?|tel):\S+$/i.test(start.uri)) {
    throw new ClientFault(`invalid request-uri: ${start.method} ${start.uri} SIP/2.0`);
  }
  const rest = ownHeaders(draft, local);
  const contact = takeHeader(rest, 'Contact');
  const contentType = contentTypeOf(takeHeader(rest, 'Content-Type'), draft.body);
  const from = party('from', takeHeader(rest, 'From') ?? defaultContact(local));
  const headers: SipHeaderField[] = [
    { name: 'From', value: withTag(from, newTag()) },
    { name: 'To', value: party('to', takeHeader(rest, 'To') ?? `<${start.uri}>`) },
    { name: 'Call-ID', value: takeHeader(rest, 'Call-ID') ?? newCallId() },
    { name: 'CSeq', value: `${cseqNumber(takeHeader(rest, 'CSeq')) ?? 1} ${start.method}` },
  ];
  if (contact !== undefined) headers.push({ name: 'Contact', value: party('contact', contact) });
  else if (formsDialog(start.method)) {
    headers.push({ name: 'Contact', value: defaultContact(local) });
  }
  if (contentType !== undefined) headers.push({ name: 'Content-Type', value: contentType });
  headers.push(...rest);
  return { kind: 'request', method: start.method, uri: start.uri, headers, body: draft.body };
}

function party(name: 'from' | 'to' | 'contact', value: string): string {
  const text = bracketed(value);
  if (text === undefined)
    throw new ClientFault(`invalid ${name} value provided by client: ${value}`);
  return text;
}

/** The number of a CSeq value; undefined when there is none to honour (RFC 3261 §8.1.1.5: < 2^31). */
export function cseqNumber(value: string | undefined): number | undefined {
  const digits = /^\s*(\d{1,10})\b/.exec(value ?? '')?.[1];
  const number = digits === undefined ? NaN : Number(digits);
  return number < 2 ** 31 ? number : undefined;
}
