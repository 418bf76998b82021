/**
 * The tokens that describe a SIP message in a frame: source, bytes, protocol, address, port, time.
 * A branded string, so that only the functions below can make one.
 */
import type { SipAddress } from '../sip/sip-address.ts';
import { stackTime } from './stack-time.ts';

export type MessageMeta = string & { readonly brand: 'MessageMeta' };

/** Sent by the switch for a client, or on its own account: where it left from. */
export function sentMeta(bytes: number, local: SipAddress): MessageMeta {
  return meta('application', bytes, local.protocol, local.host, local.port);
}

/** Received from the network: where it came from. */
export function receivedMeta(bytes: number, remote: SipAddress): MessageMeta {
  return meta('network', bytes, remote.protocol, remote.host, remote.port);
}

/**
 * A final response the stack made up because nobody answered. drachtio-server calls its source
 * `network` too; what tells it from a real one is 0 bytes, no address and port 0.
 */
export function synthesisedMeta(protocol: SipAddress['protocol']): MessageMeta {
  return meta('network', 0, protocol, '', 0);
}

function meta(
  source: 'application' | 'network',
  bytes: number,
  protocol: string,
  host: string,
  port: number,
): MessageMeta {
  return `${source}|${bytes}|${protocol}|${host}|${port}|${stackTime()}` as MessageMeta;
}
