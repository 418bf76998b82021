/** Server transaction of every method but INVITE and ACK (RFC 3261 §17.2.2). */
import type { Timer } from '../timers/timer-wheel.ts';
import { EMPTY_BODY, type SipRequest, type SipResponse } from './message.ts';
import type { ResponsePath } from './response-path.ts';
import { LocalTag, type ServerTransaction } from './server-transaction.ts';
import type { SipAddress } from './sip-address.ts';
import type { TransactionContext } from './transaction-context.ts';

type State = 'trying' | 'proceeding' | 'completed' | 'terminated';

export class ServerNonInviteTransaction implements ServerTransaction {
  readonly id: string;
  readonly request: SipRequest;
  /** Never called: they belong to INVITE. */
  onCancel: ServerTransaction['onCancel'];
  onAck: ServerTransaction['onAck'];
  onTimeout: ServerTransaction['onTimeout'];
  readonly #context: TransactionContext;
  readonly #path: ResponsePath;
  readonly #onTerminated: (transaction: ServerNonInviteTransaction) => void;
  readonly #localTag: LocalTag;
  #state: State = 'trying';
  #lastSent: Buffer = EMPTY_BODY;
  #stateTimer: Timer | undefined; // J

  constructor(
    context: TransactionContext,
    id: string,
    request: SipRequest,
    path: ResponsePath,
    onTerminated: (transaction: ServerNonInviteTransaction) => void,
  ) {
    this.#context = context;
    this.id = id;
    this.request = request;
    this.#path = path;
    this.#onTerminated = onTerminated;
    this.#localTag = new LocalTag(request);
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
    if (this.#state !== 'trying' && this.#state !== 'proceeding') return EMPTY_BODY;
    if (response.statusCode > 100) this.#localTag.stamp(response);
    this.#lastSent = this.#path.send(response);
    if (response.statusCode < 200) this.#state = 'proceeding';
    else {
      this.#state = 'completed';
      const { settings, timers } = this.#context;
      const jMs = this.#path.isReliable ? 0 : 64 * settings.t1Ms;
      this.#stateTimer = timers.schedule(jMs, () => {
        this.abandon();
        this.#onTerminated(this);
      });
    }
    return this.#lastSent;
  }

  /** §17.2.2: nothing is sent while the TU has said nothing. */
  receiveRetransmission(): void {
    this.#context.counters.retransmissionsReceived += 1;
    if (this.#lastSent.length > 0) this.#path.resend(this.#lastSent);
  }

  abandon(): void {
    this.#stateTimer?.cancel();
    this.#state = 'terminated';
  }
}
