/** Client transaction of every method but INVITE and ACK (RFC 3261 §17.1.2). */
import type { Timer } from '../timers/timer-wheel.ts';
import type { ClientHandlers, ClientTransaction } from './client-transaction.ts';
import { madeUpResponse } from './derived-messages.ts';
import type { SipRequest, SipResponse } from './message.ts';
import type { HopEvents, RequestHop } from './request-hop.ts';
import type { SipAddress } from './sip-address.ts';
import type { TransactionContext } from './transaction-context.ts';

type State = 'trying' | 'proceeding' | 'completed' | 'terminated';

export class ClientNonInviteTransaction implements ClientTransaction, HopEvents {
  readonly #context: TransactionContext;
  readonly #hop: RequestHop;
  readonly #handlers: ClientHandlers;
  readonly #onTerminated: (transaction: ClientNonInviteTransaction) => void;
  #state: State = 'trying';
  #retransmitTimer: Timer | undefined; // E
  #stateTimer: Timer | undefined; // F, then K

  constructor(
    context: TransactionContext,
    hop: RequestHop,
    handlers: ClientHandlers,
    onTerminated: (transaction: ClientNonInviteTransaction) => void,
  ) {
    this.#context = context;
    this.#hop = hop;
    this.#handlers = handlers;
    this.#onTerminated = onTerminated;
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

  /** Requests are repeated until the final response, so any ICMP error meanwhile tells of this one. */
  get awaitsFirstResponse(): boolean {
    return this.#state === 'trying' || this.#state === 'proceeding';
  }

  start(): void {
    const { timers, settings, counters } = this.#context;
    this.#stateTimer = timers.schedule(64 * settings.t1Ms, () => {
      counters.timeouts += 1;
      this.#failWith(408); // F
    });
    this.#hop.start(this);
  }

  onTransport(isReliable: boolean): void {
    this.#retransmitTimer?.cancel();
    if (!isReliable && this.awaitsFirstResponse) this.#retransmitAfter(this.#context.settings.t1Ms);
  }

  onFailure(problem: string): void {
    if (!this.awaitsFirstResponse) return;
    this.#context.counters.transportErrors += 1;
    this.#failWith(503, problem);
  }

  receive(response: SipResponse, address: SipAddress): void {
    if (!this.awaitsFirstResponse) {
      this.#context.counters.retransmissionsReceived += 1;
      return;
    }
    if (response.statusCode < 200) this.#state = 'proceeding';
    else {
      this.#state = 'completed';
      this.#retransmitTimer?.cancel();
      this.#stateTimer?.cancel();
      const kMs = this.#hop.isReliable ? 0 : this.#context.settings.t4Ms;
      this.#stateTimer = this.#context.timers.schedule(kMs, () => {
        this.#terminate();
        this.#handlers.onTerminated?.();
      });
    }
    this.#handlers.onResponse(response, { source: 'network', address });
  }

  /** Only an INVITE can be cancelled with any effect (§9.1). */
  cancel(): void {
    return;
  }

  abandon(): void {
    this.#retransmitTimer?.cancel();
    this.#stateTimer?.cancel();
    this.#state = 'terminated';
  }

  #retransmitAfter(delayMs: number): void {
    this.#retransmitTimer = this.#context.timers.schedule(delayMs, () => {
      this.#context.counters.retransmissionsSent += 1;
      this.#hop.transmit(this);
      if (!this.awaitsFirstResponse) return;
      const { t2Ms } = this.#context.settings;
      // E: a peer known to be alive is asked every T2, another T1, 2*T1 ... T2.
      this.#retransmitAfter(this.#state === 'proceeding' ? t2Ms : Math.min(2 * delayMs, t2Ms));
    });
  }

  #failWith(statusCode: 408 | 503, problem?: string): void {
    const response = madeUpResponse(this.#hop.request, statusCode, problem);
    this.#terminate();
    this.#handlers.onResponse(response, { source: 'stack', ...(problem && { problem }) });
    this.#handlers.onTerminated?.();
  }

  #terminate(): void {
    this.abandon();
    this.#onTerminated(this);
  }
}
