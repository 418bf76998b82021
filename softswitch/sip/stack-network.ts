/** A stack's view of the outside: its transports, its own addresses, names, and who refused TCP. */
import { isIpLiteral, type ResolveHost } from './host-resolver.ts';
import { localHostFor } from './local-host.ts';
import type { HopNetwork } from './request-hop.ts';
import { addressKey, type SipAddress, type SipProtocol } from './sip-address.ts';
import type { SipTransport } from './transport.ts';

const TCP_REFUSED_MS = 60_000; // how long a refusal spares the next long request the attempt
const TCP_REFUSALS_MAX = 1_000;

export interface StackNetworkOptions {
  readonly nowMs: () => number;
  readonly advertisedHost: string | undefined;
  readonly udpRequestBytesMax: number;
  readonly resolveHost: ResolveHost;
  readonly onSent: (bytes: Buffer, destination: SipAddress) => void;
}

export class StackNetwork implements HopNetwork {
  transports: readonly SipTransport[] = [];
  readonly #options: StackNetworkOptions;
  readonly #tcpRefusedUntilMs = new Map<string, number>();

  constructor(options: StackNetworkOptions) {
    this.#options = options;
  }

  get udpRequestBytesMax(): number {
    return this.#options.udpRequestBytesMax;
  }

  /** For a destination that names no transport: UDP where we have it (RFC 3263 §4.1). */
  get preferredProtocol(): SipProtocol {
    return this.transportOf('udp') === undefined ? 'tcp' : 'udp';
  }

  transportOf(protocol: SipProtocol): SipTransport | undefined {
    return this.transports.find(({ local }) => local.protocol === protocol);
  }

  sentBy(destination: SipAddress): SipAddress {
    const local = this.transportOf(destination.protocol)?.local ??
      this.transports[0]?.local ?? { ...destination, host: '0.0.0.0', port: 0 };
    return { ...local, host: localHostFor(local, destination.host, this.#options.advertisedHost) };
  }

  resolve(host: string): Promise<string> | undefined {
    return isIpLiteral(host) ? undefined : this.#options.resolveHost(host);
  }

  isTcpRefused(destination: SipAddress): boolean {
    const untilMs = this.#tcpRefusedUntilMs.get(addressKey(destination));
    return untilMs !== undefined && untilMs > this.#options.nowMs();
  }

  rememberTcpRefused(destination: SipAddress): void {
    if (this.#tcpRefusedUntilMs.size >= TCP_REFUSALS_MAX) this.#tcpRefusedUntilMs.clear();
    const untilMs = this.#options.nowMs() + TCP_REFUSED_MS;
    this.#tcpRefusedUntilMs.set(addressKey(destination), untilMs);
  }

  onSent(bytes: Buffer, destination: SipAddress): void {
    this.#options.onSent(bytes, destination);
  }
}
