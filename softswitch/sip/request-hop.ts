/**
 * One request on its way to its next hop: which transport carries it, with which top Via. A request
 * too long for UDP tries TCP first and comes back to UDP when nobody listens there (RFC 3261
 * §18.1.1); the branch stays, the Via changes.
 */
import { serializeSipMessage, type SipRequest } from './message.ts';
import type { SipAddress } from './sip-address.ts';
import { formatHostPort } from './sip-uri.ts';
import type { SipTransport } from './transport.ts';

/** What the stack offers a hop. */
export interface HopNetwork {
  transportFor(destination: SipAddress): SipTransport | undefined;
  /** Host and port for our Via. */
  sentBy(destination: SipAddress): SipAddress;
  /** Servers of a host name, in the order to try them. Undefined when it is an IP literal already. */
  locate(target: SipAddress): Promise<[SipAddress, ...SipAddress[]]> | undefined;
  readonly udpRequestBytesMax: number;
  /** Whether TCP was refused there a moment ago. */
  isTcpRefused(destination: SipAddress): boolean;
  rememberTcpRefused(destination: SipAddress): void;
  onSent(bytes: Buffer, destination: SipAddress): void;
}

export interface HopEvents {
  /** The transport is known, perhaps another than before: (re)start the retransmission timer. */
  onTransport(isReliable: boolean): void;
  onFailure(problem: string): void;
}

export class RequestHop {
  readonly request: SipRequest;
  readonly branch: string;
  readonly #network: HopNetwork;
  #destination: SipAddress;
  #fallback: SipAddress | undefined;
  #alternatives: readonly SipAddress[] = [];
  #bytes: Buffer;

  constructor(network: HopNetwork, request: SipRequest, branch: string, destination: SipAddress) {
    this.request = request;
    this.branch = branch;
    this.#network = network;
    this.#destination = destination;
    this.#bytes = this.#build();
    const tcp: SipAddress = { ...destination, protocol: 'tcp' };
    const isTooLong = this.#bytes.length > network.udpRequestBytesMax;
    if (destination.protocol !== 'udp' || !isTooLong) return;
    if (network.transportFor(tcp) === undefined || network.isTcpRefused(tcp)) return;
    this.#fallback = destination;
    this.#destination = tcp;
    this.#bytes = this.#build();
  }

  get destination(): SipAddress {
    return this.#destination;
  }

  /** Other servers of the same name, for when this one fails (RFC 3263 §4.3). */
  get alternatives(): readonly SipAddress[] {
    return this.#alternatives;
  }

  get bytes(): Buffer {
    return this.#bytes;
  }

  get isReliable(): boolean {
    return this.#network.transportFor(this.#destination)?.reliable ?? false;
  }

  /** First transmission; servers of a host name looked up, transport chosen. */
  start(events: HopEvents): void {
    const locating = this.#network.locate(this.#fallback ?? this.#destination);
    if (locating === undefined) {
      this.#startLocated(events);
      return;
    }
    locating.then(
      ([first, ...others]) => {
        this.#alternatives = others;
        const isTcpTry = this.#fallback !== undefined && first.protocol === 'udp';
        this.#fallback = isTcpTry ? first : undefined;
        this.#destination = isTcpTry ? { ...first, protocol: 'tcp' } : first;
        this.#bytes = this.#build(); // Via may name another transport, or address of ours
        this.#startLocated(events);
      },
      () => events.onFailure('ENOTFOUND'),
    );
  }

  /** Sends the same bytes again. A failure counts: an unreachable peer stays unreachable. */
  transmit(events: HopEvents): void {
    const transport = this.#network.transportFor(this.#destination);
    const sentTo = this.#destination;
    if (transport === undefined || sentTo.port === 0) {
      queueMicrotask(() => events.onFailure('EPROTONOSUPPORT')); // also a next hop nobody can read
      return;
    }
    transport.send(this.#bytes, sentTo, true, (problem) => {
      if (this.#destination === sentTo) this.#fail(problem, events);
    });
    this.#network.onSent(this.#bytes, sentTo);
  }

  /** The same hop for CANCEL, or for the ACK of a failure: same branch, same way (§9.1, §17.1.1.3). */
  follow(request: SipRequest): RequestHop {
    const hop = new RequestHop(this.#network, request, this.branch, this.#destination);
    hop.#destination = this.#destination;
    hop.#fallback = undefined;
    hop.#bytes = hop.#build();
    return hop;
  }

  #startLocated(events: HopEvents): void {
    events.onTransport(this.isReliable);
    this.transmit(events);
  }

  #fail(problem: string, events: HopEvents): void {
    if (this.#fallback === undefined) {
      events.onFailure(problem);
      return;
    }
    this.#network.rememberTcpRefused(this.#destination);
    this.#destination = this.#fallback;
    this.#fallback = undefined;
    this.#bytes = this.#build();
    this.#startLocated(events);
  }

  #build(): Buffer {
    const { protocol } = this.#destination;
    const sentBy = this.#network.sentBy(this.#destination);
    const hostPort = formatHostPort(sentBy.host, sentBy.port);
    const via = `SIP/2.0/${protocol.toUpperCase()} ${hostPort};rport;branch=${this.branch}`;
    const { request } = this;
    const ownVia = request.headers[0];
    // Ours is the first, and only ours has our branch.
    if (ownVia?.name === 'Via' && ownVia.value.includes(this.branch)) {
      request.headers[0] = { name: 'Via', value: via };
    } else request.headers = [{ name: 'Via', value: via }, ...request.headers];
    return serializeSipMessage(request);
  }
}
