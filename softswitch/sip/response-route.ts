/** Where responses go (RFC 3261 §18.2, RFC 3581). */
import type { SipHeaderField, SipRequest } from './message.ts';
import { indexOutsideQuotes } from './quoted-text.ts';
import { defaultPortOf, type SipAddress } from './sip-address.ts';
import { formatVia, parseVia, type Via } from './via.ts';

export interface ResponseRoute {
  readonly primary: SipAddress;
  /** Streams: tried when the connection the request came over is gone (§18.2.2). */
  readonly fallback: SipAddress;
}

/**
 * Notes in the request's top Via where it came from: `received` when that differs from sent-by or
 * rport was asked for, and the port in `rport` (§18.2.1, RFC 3581 §4). Returns that Via as it is
 * now; undefined when there is none to read.
 */
export function stampTopVia(request: SipRequest, source: SipAddress): Via | undefined {
  const index = request.headers.findIndex(({ name }) => name === 'Via');
  const field = request.headers[index];
  if (field === undefined) return undefined;
  const comma = indexOutsideQuotes(field.value, ',');
  const via = parseVia(comma < 0 ? field.value : field.value.slice(0, comma).trimEnd());
  if (via === undefined) return undefined;
  const params = new Map(via.params);
  const wantsPort = params.has('rport');
  if (!wantsPort && via.host === source.host) {
    params.delete('received'); // a sender's own claim is not believed
    if (!via.params.has('received')) return via;
  } else params.set('received', source.host);
  if (wantsPort) params.set('rport', String(source.port));
  const stamped: Via = { ...via, params };
  const rest = comma < 0 ? '' : field.value.slice(comma);
  const replaced: SipHeaderField = { name: 'Via', value: `${formatVia(stamped)}${rest}` };
  request.headers[index] = replaced;
  return stamped;
}

export function responseRouteOf(via: Via, source: SipAddress): ResponseRoute {
  const { protocol } = source;
  const sentByPort = via.port ?? defaultPortOf(protocol);
  const host = via.params.get('received') ?? via.host;
  const fallback: SipAddress = { protocol, host, port: sentByPort };
  if (protocol !== 'udp') return { primary: source, fallback };
  const maddr = via.params.get('maddr');
  if (maddr !== undefined) return { primary: { ...fallback, host: maddr }, fallback };
  const rport = via.params.get('rport');
  return { primary: rport === undefined ? fallback : source, fallback };
}
