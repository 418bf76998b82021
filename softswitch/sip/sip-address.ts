/** A transport address: where a message came from, goes to, or is listened for. */
export type SipProtocol = 'udp' | 'tcp';

export interface SipAddress {
  readonly protocol: SipProtocol;
  /** IP literal without brackets, or a host name where it is still to be resolved. */
  readonly host: string;
  readonly port: number;
}

/** Key of connection and transaction tables; also reads well in a log. */
export function addressKey(address: SipAddress): string {
  return `${address.protocol}/${address.host}:${address.port}`;
}

/** Of two IP literals; far cheaper than `isIPv6`, which also judges what is no literal. */
export function isSameFamily(one: string, other: string): boolean {
  return one.includes(':') === other.includes(':');
}
