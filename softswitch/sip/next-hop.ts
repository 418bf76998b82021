import { headersOf, type SipRequest } from './message.ts';
import { isIpLiteral } from './name-service.ts';
import { parseNameAddr } from './name-addr.ts';
import { defaultPortOf, type SipAddress, type SipProtocol } from './sip-address.ts';
import { parseSipUri, type SipUri } from './sip-uri.ts';

/**
 * Where a request goes: its first Route, else its Request-URI (RFC 3261 §8.1.2). Undefined when the
 * URI is not sip: or sips:, or asks for a transport we do not speak.
 */
export function nextHopOf(request: SipRequest, preferred: SipProtocol): SipAddress | undefined {
  const route = headersOf(request, 'Route')[0];
  const target = route === undefined ? request.uri : parseNameAddr(route)?.uri;
  return target === undefined ? undefined : addressOfUri(target, preferred);
}

/**
 * The address a URI names, as far as it does (RFC 3263 §4.1): the transport is its parameter, TLS for
 * sips, else `preferred`; maddr overrides the host. What a URI with a host name leaves open is for
 * SRV records to say, and noted in `leftOpen`.
 */
export function addressOfUri(text: string, preferred: SipProtocol): SipAddress | undefined {
  const uri = parseSipUri(text);
  if (uri === undefined) return undefined;
  const named = uri.params.get('transport')?.toLowerCase();
  const protocol = protocolOf(uri, named, preferred);
  if (protocol === undefined) return undefined;
  const host = uri.params.get('maddr') ?? uri.host;
  const address = { protocol, host, port: uri.port ?? defaultPortOf(protocol) };
  if (uri.port !== undefined || isIpLiteral(host)) return address;
  const isProtocolOpen = named === undefined && uri.scheme === 'sip';
  return { ...address, leftOpen: isProtocolOpen ? 'protocolAndPort' : 'port' };
}

function protocolOf(
  uri: SipUri,
  named: string | undefined,
  preferred: SipProtocol,
): SipProtocol | undefined {
  // sips over TCP means TLS over TCP (RFC 3261 §26.2.2); over UDP there is none.
  if (uri.scheme === 'sips') {
    return named === undefined || named === 'tcp' || named === 'tls' ? 'tls' : undefined;
  }
  if (named === undefined) return preferred;
  return named === 'udp' || named === 'tcp' || named === 'tls' ? named : undefined;
}
