/**
 * From, To and Contact as clients write them: often an address without brackets, and with
 * `localhost` in place of an address only the switch knows.
 */
import { formatNameAddr, parseNameAddr } from '../sip/name-addr.ts';
import type { SipAddress } from '../sip/sip-address.ts';
import { formatHostPort } from '../sip/sip-uri.ts';

const LOCALHOST = /(@|sips?:)localhost(?::\d+)?(?=[;>?,\s]|$)/gi;

/** `sip:1555@localhost` becomes `sip:1555@<our host>:<our port>`. */
export function replaceLocalhost(value: string, local: SipAddress): string {
  if (!value.includes('localhost')) return value;
  return value.replace(LOCALHOST, `$1${formatHostPort(local.host, local.port)}`);
}

/** Puts a bare address in brackets, so that a tag can follow; undefined when it is no address. */
export function bracketed(value: string): string | undefined {
  const address = parseNameAddr(value);
  if (address === undefined || value.includes('<')) return address && value;
  return formatNameAddr(address.uri, { params: address.params });
}

/** Where the far end reaches us, as the switch writes it when the client does not say. */
export function defaultContact(local: SipAddress): string {
  const transport = local.protocol === 'udp' ? '' : `;transport=${local.protocol}`;
  return `<sip:${formatHostPort(local.host, local.port)}${transport}>`;
}
