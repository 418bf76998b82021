/** Request-URIs towards a trunk. */
import { isIP } from 'node:net';
import type { TrunkAddress } from '../../config/trunk-address.ts';

/** Without a user part for OPTIONS to the trunk itself. UDP is the default (RFC 3261 §19.1.2). */
export function uriAt(address: TrunkAddress, user?: string): string {
  const { host, port, transport, leftToDns } = address;
  const written = isIP(host) === 6 ? `[${host}]` : host;
  // A port in the URI would keep the switch from asking for SRV records (RFC 3263 §4.2).
  const hostport = leftToDns === undefined ? `${written}:${port}` : written;
  const target = user === undefined ? hostport : `${user}@${hostport}`;
  const isDefault = transport === 'udp' && leftToDns !== 'port';
  return `sip:${target}${isDefault ? '' : `;transport=${transport}`}`;
}
