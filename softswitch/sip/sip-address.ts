/** A transport address: where a message came from, goes to, or is listened for. */
export type SipProtocol = 'udp' | 'tcp' | 'tls';

export interface SipAddress {
  readonly protocol: SipProtocol;
  /** IP literal without brackets, or a host name where it is still to be resolved. */
  readonly host: string;
  readonly port: number;
  /** Of a host name: what its URI left to DNS, SRV records first (RFC 3263 §4). */
  readonly leftOpen?: 'port' | 'protocolAndPort';
  /** TLS: the name its certificate must carry, when that is not the address itself (RFC 5922). */
  readonly serverName?: string;
}

/** RFC 3261 §19.1.2. */
export function defaultPortOf(protocol: SipProtocol): number {
  return protocol === 'tls' ? 5_061 : 5_060;
}

/** Key of connection and transaction tables; also reads well in a log. */
export function addressKey(address: SipAddress): string {
  return `${address.protocol}/${address.host}:${address.port}`;
}

/** Of two IP literals; far cheaper than `isIPv6`, which also judges what is no literal. */
export function isSameFamily(one: string, other: string): boolean {
  return one.includes(':') === other.includes(':');
}
