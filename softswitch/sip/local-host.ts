import { networkInterfaces } from 'node:os';
import type { SipAddress } from './sip-address.ts';

const LOOPBACK = /^(?:127\.|::1$)/;

/**
 * The host by which `destination` reaches a socket bound to `bound`: the bound address itself
 * unless that is a wildcard; then loopback for loopback, else `advertised`, else the first
 * address of an outer interface.
 */
export function localHostFor(
  bound: SipAddress,
  destination: string,
  advertised: string | undefined,
): string {
  const isWildcard = bound.host === '0.0.0.0' || bound.host === '::';
  if (!isWildcard) return advertised ?? bound.host;
  const isIpv6 = bound.host === '::';
  if (LOOPBACK.test(destination) || destination === 'localhost') {
    return isIpv6 ? '::1' : '127.0.0.1';
  }
  return advertised ?? firstOuterAddress(isIpv6) ?? (isIpv6 ? '::1' : '127.0.0.1');
}

function firstOuterAddress(isIpv6: boolean): string | undefined {
  const family = isIpv6 ? 'IPv6' : 'IPv4';
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find((address) => !address.internal && address.family === family)?.address;
}
