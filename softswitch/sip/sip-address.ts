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
