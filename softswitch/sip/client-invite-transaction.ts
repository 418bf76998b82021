/** Client INVITE transaction (RFC 3261 §17.1.1 with the Accepted state of RFC 6026 §7.2). */
import type { Timer } from '../timers/timer-wheel.ts';
import type { ClientHandlers, ClientTransaction } from './client-transaction.ts';
import { ackOfFailure, madeUpResponse } from './derived-messages.ts';
import type { SipHeaderField, SipRequest, SipResponse } from './message.ts';
import type { HopEvents, RequestHop } from './request-hop.ts';
import type { SipAddress } from './sip-address.ts';
import type { TransactionContext } from './transaction-context.ts';

type State = 'calling' | 'proceeding' | 'completed' | 'accepted' | 'terminated';

export interface ClientInviteOwner {
  /** Sends a CANCEL for this transaction as one of its own (§9.1). */
  sendCancel(hop: RequestHop, headers: readonly SipHeaderField[] | undefined): void;
  onTerminated(transaction: ClientInviteTransaction): void;
}

export class ClientInviteTransaction implements ClientTransaction, HopEvents {
  readonly #context: TransactionContext;
  readonly #hop: RequestHop;
  readonly #handlers: ClientHandlers;
  readonly #owner: ClientInviteOwner;
  #state: State = 'calling';
  #retransmitTimer: Timer | undefined; // A
  #stateTimer: Timer | undefined; // B; after a CANCEL §9.1's 64*T1; then D or M
  #ackHop: RequestHop | undefined;
  #cancel: { headers: readonly SipHeaderField[] | undefined } | undefined;

  constructor(
    context: TransactionContext,
    hop: RequestHop,
    handlers: ClientHandlers,
    owner: ClientInviteOwner,
  ) {
    this.#context = context;
    this.#hop = hop;
    this.#handlers = handlers;
    this.#owner = owner;
  }

  get id(): string {
    return this.#hop.branch;
  }

  get request(): SipRequest {
    return this.#hop.request;
  }

  get destination(): SipAddress {
    return this.#hop.destination;
  }

  get bytesSent(): Buffer {
    return this.#hop.bytes;
  }

  get state(): State {
    return this.#state;
  }

  /** Still waiting for a first sign of life, so that an ICMP error tells of this request. */
  get awaitsFirstResponse(): boolean {
    return this.#state === 'calling';
  }

  start(): void {
    this.#stateTimer = this.#context.timers.schedule(64 * this.#context.settings.t1Ms, () =>
      this.#timedOut(),
    );
    this.#hop.start(this);
  }

  onTransport(isReliable: boolean): void {
    this.#retransmitTimer?.cancel();
    if (!isReliable && this.#state === 'calling') {
      this.#retransmitAfter(this.#context.settings.t1Ms);
    }
  }

  onFailure(problem: string): void {
    if (this.#state !== 'calling') return; // an answer has come after all
    this.#context.counters.transportErrors += 1;
    this.#failWith(503, problem);
  }

  receive(response: SipResponse, address: SipAddress): void {
    const isFinal = response.statusCode >= 200;
    if (this.#state === 'completed') {
      this.#context.counters.retransmissionsReceived += 1;
      if (response.statusCode >= 300) this.#ackHop?.transmit(IGNORE_FAILURE);
      return;
    }
    if (this.#state === 'terminated') return;
    if (this.#state === 'accepted') {
      // RFC 6026 §7.2: every further 2xx, a repeated one or another branch's, is the TU's to ACK.
      if (isFinal && response.statusCode < 300) {
        this.#handlers.onResponse(response, { source: 'network', address });
      }
      return;
    }
    if (!isFinal) this.#provisional();
    else if (response.statusCode < 300) this.#accept();
    else this.#complete(response);
    this.#handlers.onResponse(response, { source: 'network', address });
  }

  cancel(headers?: readonly SipHeaderField[]): void {
    if (this.#cancel !== undefined) return;
    if (this.#state !== 'calling' && this.#state !== 'proceeding') return;
    this.#cancel = { headers };
    if (this.#state === 'proceeding') this.#sendCancel();
  }

  /** The stack closes: no timers, no more events. */
  abandon(): void {
    this.#retransmitTimer?.cancel();
    this.#stateTimer?.cancel();
    this.#state = 'terminated';
  }

  #provisional(): void {
    if (this.#state !== 'calling') return;
    this.#state = 'proceeding';
    this.#retransmitTimer?.cancel();
    this.#stateTimer?.cancel(); // B guards Calling only; how long it may ring is the TU's to say
    if (this.#cancel !== undefined) this.#sendCancel();
  }

  #sendCancel(): void {
    this.#owner.sendCancel(this.#hop, this.#cancel?.headers);
    // §9.1: no final response within 64*T1 of the CANCEL, and the INVITE counts as cancelled.
    this.#stateTimer?.cancel();
    this.#stateTimer = this.#context.timers.schedule(64 * this.#context.settings.t1Ms, () =>
      this.#timedOut(),
    );
  }

  #accept(): void {
    this.#state = 'accepted';
    this.#retransmitTimer?.cancel();
    this.#terminateAfter(64 * this.#context.settings.t1Ms); // M
  }

  #complete(response: SipResponse): void {
    this.#state = 'completed';
    this.#retransmitTimer?.cancel();
    this.#ackHop = this.#hop.follow(ackOfFailure(this.#hop.request, response));
    this.#ackHop.transmit(IGNORE_FAILURE);
    const { timerDMs } = this.#context.settings;
    this.#terminateAfter(this.#hop.isReliable ? 0 : timerDMs); // D
  }

  #retransmitAfter(delayMs: number): void {
    this.#retransmitTimer = this.#context.timers.schedule(delayMs, () => {
      this.#context.counters.retransmissionsSent += 1;
      this.#hop.transmit(this);
      if (this.#state === 'calling') this.#retransmitAfter(2 * delayMs); // A: no upper bound
    });
  }

  #timedOut(): void {
    this.#context.counters.timeouts += 1;
    this.#failWith(408);
  }

  #failWith(statusCode: 408 | 503, problem?: string): void {
    const response = madeUpResponse(this.#hop.request, statusCode, problem);
    this.#terminate();
    this.#handlers.onResponse(response, { source: 'stack', ...(problem && { problem }) });
    this.#handlers.onTerminated?.();
  }

  #terminateAfter(delayMs: number): void {
    this.#stateTimer?.cancel();
    this.#stateTimer = this.#context.timers.schedule(delayMs, () => {
      this.#terminate();
      this.#handlers.onTerminated?.();
    });
  }

  #terminate(): void {
    this.abandon();
    this.#owner.onTerminated(this);
  }
}

/** A lost ACK of a failure is asked for again by the retransmitted failure. */
const IGNORE_FAILURE: HopEvents = { onTransport: () => undefined, onFailure: () => undefined };
