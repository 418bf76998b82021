/** Server INVITE transaction (RFC 3261 §17.2.1 with the Accepted state of RFC 6026 §7.1). */
import type { Timer } from '../timers/timer-wheel.ts';
import { createResponse } from './create-response.ts';
import { EMPTY_BODY, type SipRequest, type SipResponse } from './message.ts';
import type { ResponsePath } from './response-path.ts';
import { LocalTag, type ServerTransaction } from './server-transaction.ts';
import type { SipAddress } from './sip-address.ts';
import type { TransactionContext } from './transaction-context.ts';

type State = 'proceeding' | 'accepted' | 'completed' | 'confirmed' | 'terminated';

export class ServerInviteTransaction implements ServerTransaction {
  readonly id: string;
  readonly request: SipRequest;
  onCancel: ((cancel: SipRequest) => void) | undefined;
  onAck: ((ack: SipRequest | undefined) => void) | undefined;
  onTimeout: (() => void) | undefined;
  readonly #context: TransactionContext;
  readonly #path: ResponsePath;
  readonly #onTerminated: (transaction: ServerInviteTransaction) => void;
  readonly #localTag: LocalTag;
  #state: State = 'proceeding';
  #lastSent: Buffer = EMPTY_BODY;
  #tryingTimer: Timer | undefined;
  #retransmitTimer: Timer | undefined; // G
  #stateTimer: Timer | undefined; // H, then I; or L

  constructor(
    context: TransactionContext,
    id: string,
    request: SipRequest,
    path: ResponsePath,
    onTerminated: (transaction: ServerInviteTransaction) => void,
  ) {
    this.#context = context;
    this.id = id;
    this.request = request;
    this.#path = path;
    this.#onTerminated = onTerminated;
    this.#localTag = new LocalTag(request);
    this.#tryingTimer = context.timers.schedule(context.settings.tryingAfterMs, () => {
      if (this.#lastSent.length === 0) this.respond(createResponse(request, 100));
    });
  }

  get source(): SipAddress {
    return this.#path.source;
  }

  get local(): SipAddress {
    return this.#path.local;
  }

  get state(): State {
    return this.#state;
  }

  get localTag(): string {
    return this.#localTag.value;
  }

  respond(response: SipResponse): Buffer {
    const { statusCode } = response;
    const isSuccess = statusCode >= 200 && statusCode < 300;
    // In Accepted the TU repeats its 2xx until the ACK (§13.3.1.4); nothing else may follow a final one.
    const isAllowed = this.#state === 'proceeding' || (this.#state === 'accepted' && isSuccess);
    if (!isAllowed) return EMPTY_BODY;
    if (statusCode > 100) this.#localTag.stamp(response);
    this.#tryingTimer?.cancel();
    if (this.#state === 'accepted') this.#context.counters.retransmissionsSent += 1;
    this.#lastSent = this.#path.send(response);
    if (this.#state === 'proceeding' && statusCode >= 200) {
      if (isSuccess) this.#accept();
      else this.#complete();
    }
    return this.#lastSent;
  }

  receiveRetransmission(): void {
    this.#context.counters.retransmissionsReceived += 1;
    const repeats = this.#state === 'proceeding' || this.#state === 'completed';
    if (repeats && this.#lastSent.length > 0) this.#path.resend(this.#lastSent);
  }

  /** False when this ACK is for a 2xx after all, and so the TU's. */
  receiveAck(ack: SipRequest): boolean {
    if (this.#state === 'accepted') return false;
    if (this.#state !== 'completed') return true; // a repeated or premature one: absorbed
    this.#state = 'confirmed';
    this.#retransmitTimer?.cancel();
    const { settings } = this.#context;
    this.#terminateAfter(this.#path.isReliable ? 0 : settings.t4Ms); // I
    this.onAck?.(ack);
    return true;
  }

  /** The CANCEL has been answered; once a final response is out it has no effect (§9.2). */
  receiveCancel(cancel: SipRequest): void {
    if (this.#state !== 'proceeding') return;
    if (this.onCancel === undefined) this.respond(createResponse(this.request, 487));
    else this.onCancel(cancel);
  }

  abandon(): void {
    this.#tryingTimer?.cancel();
    this.#retransmitTimer?.cancel();
    this.#stateTimer?.cancel();
    this.#state = 'terminated';
  }

  #accept(): void {
    this.#state = 'accepted';
    this.#terminateAfter(64 * this.#context.settings.t1Ms); // L
  }

  #complete(): void {
    this.#state = 'completed';
    const { settings, timers, counters } = this.#context;
    if (!this.#path.isReliable) this.#retransmitAfter(settings.t1Ms);
    this.#stateTimer = timers.schedule(64 * settings.t1Ms, () => {
      counters.timeouts += 1;
      this.#terminate();
      this.onTimeout?.(); // H
    });
  }

  #retransmitAfter(delayMs: number): void {
    this.#retransmitTimer = this.#context.timers.schedule(delayMs, () => {
      this.#context.counters.retransmissionsSent += 1;
      this.#path.resend(this.#lastSent);
      this.#retransmitAfter(Math.min(2 * delayMs, this.#context.settings.t2Ms)); // G
    });
  }

  #terminateAfter(delayMs: number): void {
    this.#stateTimer?.cancel();
    this.#stateTimer = this.#context.timers.schedule(delayMs, () => this.#terminate());
  }

  #terminate(): void {
    this.abandon();
    this.#onTerminated(this);
  }
}
