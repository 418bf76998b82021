/** Request-URIs towards a trunk. */
import { isIP } from 'node:net';
import type { TrunkAddress } from '../../config/trunk-address.ts';

/** Without a user part for OPTIONS to the trunk itself. UDP is the default (RFC 3261 §19.1.2). */
export function uriAt({ host, port, transport }: TrunkAddress, user?: string): string {
  const hostport = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  const target = user === undefined ? hostport : `${user}@${hostport}`;
  return `sip:${target}${transport === 'udp' ? '' : `;transport=${transport}`}`;
}
