import type { CallHost } from './call-host.ts';
import { CallLeg } from './call-leg.ts';
import { createResponse, type ResponseOptions } from './create-response.ts';
import { Dialog } from './dialog.ts';
import { headerOf, type SipHeaderField, type SipRequest } from './message.ts';
import type { ServerTransaction } from './server-transaction.ts';
import { sdpOf } from './session-description.ts';

export type IncomingCallState = 'received' | 'alerting' | 'answered' | 'confirmed' | 'ended';

/** A call whose INVITE came to us. */
export class IncomingCall extends CallLeg {
  /** The 487 is sent by the call itself after this returns; onEnded('cancelled') follows. */
  onCancel: (cancel: SipRequest) => void = () => undefined;
  readonly request: SipRequest;
  readonly callId: string;
  readonly localTag: string;
  readonly #transaction: ServerTransaction;
  #state: Exclude<IncomingCallState, 'ended'> = 'received';
  #postponedBye: { headers: readonly SipHeaderField[] | undefined } | undefined;

  constructor(host: CallHost, transaction: ServerTransaction) {
    super(host, transaction.source, false);
    const { request, localTag } = transaction;
    this.#transaction = transaction;
    this.request = request;
    this.localTag = localTag;
    this.callId = headerOf(request, 'Call-ID') ?? '';
    this.dialog = Dialog.fromUas(request, createResponse(request, 180, { toTag: localTag }));
    host.dialogOpened(this.dialog.id, this);
    transaction.onCancel = (cancel) => this.#cancelled(cancel);
    transaction.onTimeout = () => undefined; // a refusal nobody acknowledged: the call is over anyway
  }

  get state(): IncomingCallState {
    return this.isEnded ? 'ended' : this.#state;
  }

  /** SDP of the INVITE. */
  get sdp(): string | undefined {
    return sdpOf(this.request);
  }

  /** Nothing happens once the call is answered or over: a script may be a moment late. */
  provisional(
    statusCode: 180 | 181 | 182 | 183,
    options: { sdp?: string; headers?: readonly SipHeaderField[] } = {},
  ): void {
    if (this.state !== 'received' && this.state !== 'alerting') return;
    this.#state = 'alerting';
    this.#respond(statusCode, options);
  }

  /** 200, repeated from T1 to T2 until the ACK; none within 64*T1 → BYE and onEnded('ackTimeout'). */
  answer(options: { sdp?: string; headers?: readonly SipHeaderField[] }): void {
    if (this.state !== 'received' && this.state !== 'alerting') return;
    this.#state = 'answered';
    const response = createResponse(this.request, 200, this.#responseOptions(options));
    this.sendAnswer(this.#transaction, response);
  }

  /** 3xx to 6xx. */
  reject(statusCode: number, reason?: string, headers?: readonly SipHeaderField[]): void {
    if (this.state !== 'received' && this.state !== 'alerting') return;
    this.#refuse(statusCode, reason, headers);
    this.end('rejected');
  }

  /**
   * Before the answer this is a 480; between answer and ACK the BYE waits for the ACK, or for its
   * time-out, as RFC 3261 §15 demands of a callee.
   */
  bye(headers?: readonly SipHeaderField[]): void {
    switch (this.state) {
      case 'received':
      case 'alerting':
        this.reject(480, undefined, headers);
        return;
      case 'answered':
        this.#postponedBye ??= { headers };
        return;
      default:
        this.sendBye(headers);
    }
  }

  protected override acknowledged(): void {
    if (this.#state === 'answered') this.#state = 'confirmed';
    if (this.#postponedBye !== undefined) this.sendBye(this.#postponedBye.headers);
  }

  /** A caller may end an early dialog by BYE: the INVITE still wants its answer (§15.1.2). */
  protected override byeArrived(): void {
    if (this.#state === 'received' || this.#state === 'alerting') this.#refuse(487);
  }

  #cancelled(cancel: SipRequest): void {
    if (this.state !== 'received' && this.state !== 'alerting') return;
    this.onCancel(cancel);
    this.#refuse(487);
    this.end('cancelled');
  }

  #refuse(statusCode: number, reason?: string, headers: readonly SipHeaderField[] = []): void {
    const options: ResponseOptions = { headers, toTag: this.localTag };
    if (reason !== undefined) options.reason = reason;
    this.#transaction.respond(createResponse(this.request, statusCode, options));
  }

  #respond(
    statusCode: number,
    options: { sdp?: string; headers?: readonly SipHeaderField[] },
  ): void {
    const responseOptions = this.#responseOptions(options);
    this.#transaction.respond(createResponse(this.request, statusCode, responseOptions));
  }

  #responseOptions(options: {
    sdp?: string;
    headers?: readonly SipHeaderField[];
  }): ResponseOptions {
    const own = [this.host.contactFor(this.peer), ...this.host.responseHeaders];
    const headers = [...own, ...(options.headers ?? [])];
    const responseOptions: ResponseOptions = { headers, toTag: this.localTag };
    if (options.sdp !== undefined) responseOptions.body = options.sdp;
    return responseOptions;
  }
}
