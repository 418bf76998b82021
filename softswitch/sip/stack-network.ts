/** A stack's view of the outside: its transports, its own addresses, names, and who refused TCP. */
import { localHostFor } from './local-host.ts';
import { locateServers, type Locator } from './locate-servers.ts';
import { isIpLiteral, type NameService } from './name-service.ts';
import type { HopNetwork } from './request-hop.ts';
import { addressKey, isSameFamily, type SipAddress, type SipProtocol } from './sip-address.ts';
import type { SipTransport } from './transport.ts';

const TCP_REFUSED_MS = 60_000; // how long a refusal spares the next long request the attempt
const TCP_REFUSALS_MAX = 1_000;
const PROTOCOLS: readonly SipProtocol[] = ['udp', 'tcp', 'tls'];

export interface StackNetworkOptions {
  readonly nowMs: () => number;
  readonly advertisedHost: string | undefined;
  readonly udpRequestBytesMax: number;
  readonly names: NameService;
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
    return this.#protocols[0] ?? 'udp';
  }

  /** Of several of one protocol the one of the destination's family. */
  transportFor({
    protocol,
    host,
  }: Pick<SipAddress, 'protocol' | 'host'>): SipTransport | undefined {
    let other: SipTransport | undefined;
    for (const transport of this.transports) {
      if (transport.local.protocol !== protocol) continue;
      if (isSameFamily(transport.local.host, host)) return transport;
      other ??= transport;
    }
    return other;
  }

  sentBy(destination: SipAddress): SipAddress {
    const local = this.transportFor(destination)?.local ??
      this.transports[0]?.local ?? { protocol: destination.protocol, host: '0.0.0.0', port: 0 };
    return { ...local, host: localHostFor(local, destination.host, this.#options.advertisedHost) };
  }

  locate(target: SipAddress): Promise<[SipAddress, ...SipAddress[]]> | undefined {
    return isIpLiteral(target.host) ? undefined : locateServers(target, this.#locator());
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

  get #protocols(): SipProtocol[] {
    const ours = new Set(this.transports.map(({ local }) => local.protocol));
    return PROTOCOLS.filter((protocol) => ours.has(protocol));
  }

  #locator(): Locator {
    return {
      names: this.#options.names,
      protocols: this.#protocols,
      canReach: (protocol, address) => {
        const transport = this.transportFor({ protocol, host: address });
        return transport !== undefined && isSameFamily(transport.local.host, address);
      },
      random: Math.random,
    };
  }
}
