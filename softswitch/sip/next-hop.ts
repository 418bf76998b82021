import { headersOf, type SipRequest } from './message.ts';
import { parseNameAddr } from './name-addr.ts';
import type { SipAddress } from './sip-address.ts';
import { parseSipUri } from './sip-uri.ts';

export const SIP_PORT = 5_060;

/**
 * Where a request goes: its first Route, else its Request-URI (RFC 3261 §8.1.2). The transport is
 * the URI's parameter, else `preferred`; maddr overrides the host. Undefined when the URI is not
 * sip: or asks for a transport we do not speak.
 */
export function nextHopOf(
  request: SipRequest,
  preferred: SipAddress['protocol'],
): SipAddress | undefined {
  const route = headersOf(request, 'Route')[0];
  const target = route === undefined ? request.uri : parseNameAddr(route)?.uri;
  return target === undefined ? undefined : addressOfUri(target, preferred);
}

export function addressOfUri(
  text: string,
  preferred: SipAddress['protocol'],
): SipAddress | undefined {
  const uri = parseSipUri(text);
  if (uri?.scheme !== 'sip') return undefined;
  const protocol = uri.params.get('transport')?.toLowerCase() ?? preferred;
  if (protocol !== 'udp' && protocol !== 'tcp') return undefined;
  return { protocol, host: uri.params.get('maddr') ?? uri.host, port: uri.port ?? SIP_PORT };
}
