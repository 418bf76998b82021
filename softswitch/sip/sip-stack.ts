import type { TimerWheel } from '../timers/timer-wheel.ts';
import type { ClientHandlers, ClientTransaction } from './client-transaction.ts';
import { ClientTransactions } from './client-transactions.ts';
import { createResponse } from './create-response.ts';
import { headerOf, type SipRequest, type SipResponse } from './message.ts';
import { systemNameService, type NameService } from './name-service.ts';
import { nextHopOf } from './next-hop.ts';
import { openTransports, socketTransports } from './open-transports.ts';
import { parseSipMessage, type ParseOutcome } from './parse-message.ts';
import { RequestHop } from './request-hop.ts';
import type { ServerTransaction } from './server-transaction.ts';
import { ServerTransactions } from './server-transactions.ts';
import type { SipAddress } from './sip-address.ts';
import { newBranch } from './sip-ids.ts';
import { SIP_TIMERS, type SipTimerSettings } from './sip-timers.ts';
import { newStackCounters, type SipStackCounters } from './stack-counters.ts';
import { StackNetwork } from './stack-network.ts';
import type { OpenTransport, SipTransport, TransportEvents } from './transport.ts';
import type { SipTlsOptions } from './tls-sockets.ts';
import { parseVia } from './via.ts';

export interface SipStackOptions {
  timers: TimerWheel;
  /** Hosts are IP literals. Port 0 = any free one; UDP and TCP of one host get the same. */
  listen: readonly SipAddress[];
  /** Host for Via and Contact. Default: the bound one; behind a wildcard the first outer address. */
  advertisedHost?: string;
  settings?: Partial<SipTimerSettings>;
  /** Longer requests go over TCP if the peer accepts it (RFC 3261 §18.1.1). Default 1300 bytes. */
  udpRequestBytesMax?: number;
  /** Sees every message as it comes and goes, for logs and tests. */
  trace?: (event: SipTraceEvent) => void;
  /** For host names in URIs. Default: what the machine is set up to ask. */
  names?: NameService;
  /** Needed to listen on TLS. */
  tls?: SipTlsOptions;
  /** Default: real sockets. */
  openTransport?: OpenTransport;
}

export interface SipTraceEvent {
  readonly direction: 'received' | 'sent';
  readonly peer: SipAddress;
  readonly bytes: Buffer;
}

const UDP_REQUEST_BYTES_MAX = 1_300; // RFC 3261 §18.1.1: path MTU unknown
const MAX_FORWARDS = '70'; // RFC 3261 §8.1.1.6

/** Transports and transactions of RFC 3261 §17 and §18, with RFC 6026 and RFC 3581. */
export class SipStack {
  /** All new requests except ACK and CANCEL; an unmatched CANCEL is answered 481 by the stack. */
  onRequest: (transaction: ServerTransaction) => void = (transaction) => {
    transaction.respond(createResponse(transaction.request, 503));
  };
  /** ACK to a 2xx. */
  onAck: (ack: SipRequest, source: SipAddress) => void = () => undefined;
  /** A response no transaction waits for, such as a 2xx after the transaction ended. */
  onStrayResponse: (response: SipResponse, source: SipAddress) => void = () => undefined;
  readonly counters: SipStackCounters = newStackCounters();
  readonly settings: SipTimerSettings;
  readonly #trace: SipStackOptions['trace'];
  readonly #network: StackNetwork;
  readonly #clients: ClientTransactions;
  readonly #servers: ServerTransactions;

  private constructor(options: SipStackOptions) {
    const { timers } = options;
    this.settings = { ...SIP_TIMERS, ...options.settings };
    const context = { timers, counters: this.counters, settings: this.settings };
    const nowMs = (): number => timers.nowMs();
    this.#trace = options.trace;
    this.#network = new StackNetwork({
      nowMs,
      advertisedHost: options.advertisedHost,
      udpRequestBytesMax: options.udpRequestBytesMax ?? UDP_REQUEST_BYTES_MAX,
      names: options.names ?? systemNameService({ nowMs }),
      onSent: (bytes, destination) => {
        this.counters.requestsSent += 1;
        this.#trace?.({ direction: 'sent', peer: destination, bytes });
      },
    });
    this.#clients = new ClientTransactions(context, this.#network);
    this.#servers = new ServerTransactions(context, {
      onRequest: (transaction) => this.onRequest(transaction),
      onAck: (ack, source) => this.onAck(ack, source),
      onSent: (bytes, destination) => {
        this.counters.responsesSent += 1;
        this.#trace?.({ direction: 'sent', peer: destination, bytes });
      },
    });
  }

  /** Rejects with the first socket's error (EADDRINUSE ...), everything closed again. */
  static async open(options: SipStackOptions): Promise<SipStack> {
    const stack = new SipStack(options);
    const open = options.openTransport ?? socketTransports(options.timers, options.tls);
    stack.#network.transports = await openTransports(options.listen, stack.#events(), open);
    return stack;
  }

  get listening(): readonly SipAddress[] {
    return this.#network.transports.map(({ local }) => local);
  }

  /** Open transactions; a test's way to see that nothing is left behind. */
  get transactionCounts(): { client: number; server: number } {
    return { client: this.#clients.size, server: this.#servers.size };
  }

  /**
   * Puts Via (with rport) on top and Max-Forwards where missing, and starts the transaction. Next
   * hop: `destination`, else the first Route, else the Request-URI. A next hop that cannot be
   * reached, or read, ends in a 503 of the stack's own; nothing throws.
   */
  send(
    request: SipRequest,
    options: { destination?: SipAddress },
    handlers: ClientHandlers,
  ): ClientTransaction {
    addMaxForwards(request);
    return this.#clients.start(
      request,
      this.#destinationOf(request, options.destination),
      handlers,
    );
  }

  /**
   * ACK to a 2xx: outside any transaction, with a branch of its own, which it keeps when it is sent
   * again for a repeated 2xx. Returns the bytes sent.
   */
  sendAck(ack: SipRequest, destination?: SipAddress): Buffer {
    addMaxForwards(ack);
    const hop = new RequestHop(
      this.#network,
      ack,
      branchOf(ack) ?? newBranch(),
      this.#destinationOf(ack, destination),
    );
    hop.start({
      onTransport: () => undefined,
      onFailure: () => (this.counters.transportErrors += 1), // the 2xx comes again and asks for it
    });
    return hop.bytes;
  }

  /** Where a peer at `destination` reaches us over that protocol: for Contact. */
  contactAddress(destination: SipAddress): SipAddress {
    return this.#network.sentBy(destination);
  }

  async close(): Promise<void> {
    this.#clients.abandonAll();
    this.#servers.abandonAll();
    await Promise.all(this.#network.transports.map((transport) => transport.close()));
  }

  /** An unreadable next hop becomes one no transport can serve, and so a 503 (§8.1.3.1). */
  #destinationOf(request: SipRequest, given: SipAddress | undefined): SipAddress {
    const protocol = this.#network.preferredProtocol;
    return given ?? nextHopOf(request, protocol) ?? { protocol, host: '0.0.0.0', port: 0 };
  }

  #events(): TransportEvents {
    return {
      onMessage: (bytes, source, transport) => this.#receive(bytes, source, transport),
      onUnreachable: (destination, problem) =>
        this.#clients.destinationUnreachable(destination, problem),
      onBrokenFrame: (head, source, problem, transport) => {
        this.#trace?.({ direction: 'received', peer: source, bytes: head });
        const outcome = parseSipMessage(head);
        const statusCode = problem.includes('too long') ? 513 : 400;
        const request = outcome.ok ? outcome.message : outcome.salvage;
        this.counters.malformed += 1;
        if (request?.kind !== 'request') return;
        this.#servers.respondStateless(request, statusCode, undefined, source, transport);
      },
    };
  }

  #receive(bytes: Buffer, source: SipAddress, transport: SipTransport): void {
    this.#trace?.({ direction: 'received', peer: source, bytes });
    const outcome = parseSipMessage(bytes);
    if (!outcome.ok) {
      this.#refuse(outcome, source, transport);
      return;
    }
    const { message } = outcome;
    if (message.kind === 'request') {
      this.counters.requestsReceived += 1;
      this.#servers.receive(message, source, transport);
      return;
    }
    this.counters.responsesReceived += 1;
    if (this.#clients.receive(message, source)) return;
    this.counters.strayResponses += 1;
    this.onStrayResponse(message, source);
  }

  #refuse(
    outcome: Extract<ParseOutcome, { ok: false }>,
    source: SipAddress,
    transport: SipTransport,
  ): void {
    this.counters.malformed += 1;
    if (outcome.salvage === undefined) return;
    // RFC 3261 §21.4.1: the phrase should say what is wrong.
    const reason = outcome.statusCode === 400 ? `Bad Request: ${outcome.problem}` : undefined;
    this.#servers.respondStateless(outcome.salvage, outcome.statusCode, reason, source, transport);
  }
}

function addMaxForwards(request: SipRequest): void {
  if (headerOf(request, 'Max-Forwards') !== undefined) return;
  request.headers.push({ name: 'Max-Forwards', value: MAX_FORWARDS });
}

function branchOf(ack: SipRequest): string | undefined {
  const via = headerOf(ack, 'Via');
  return via === undefined ? undefined : parseVia(via)?.params.get('branch');
}
