import type { CallHost } from './call-host.ts';
import { CallLeg, type CallEndCause, type InDialogReply } from './call-leg.ts';
import { createResponse, type ResponseOptions } from './create-response.ts';
import { Dialog } from './dialog.ts';
import { headerOf, headersOf, type SipHeaderField, type SipRequest } from './message.ts';
import { ReliableProvisionals } from './reliable-provisionals.ts';
import type { ServerTransaction } from './server-transaction.ts';
import { sdpOf } from './session-description.ts';
import { requires, supports } from './session-expires.ts';

export type IncomingCallState = 'received' | 'alerting' | 'answered' | 'confirmed' | 'ended';

export interface AnswerOptions {
  sdp?: string;
  headers?: readonly SipHeaderField[];
}

/** A call whose INVITE came to us. */
export class IncomingCall extends CallLeg {
  /** The 487 is sent by the call itself after this returns; onEnded('cancelled') follows. */
  onCancel: (cancel: SipRequest) => void = () => undefined;
  /** The answer, in a PRACK, to the offer in a reliable provisional response of ours. */
  onEarlyAnswer: (sdp: string) => void = () => undefined;
  readonly request: SipRequest;
  readonly callId: string;
  readonly localTag: string;
  readonly #transaction: ServerTransaction;
  #state: Exclude<IncomingCallState, 'ended'> = 'received';
  readonly #reliable: ReliableProvisionals;
  #postponedAnswer: AnswerOptions | undefined;
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
    this.peerAllows = headersOf(request, 'Allow');
    this.#reliable = new ReliableProvisionals({
      timers: host.timers,
      t1Ms: host.stack.settings.t1Ms,
      respond: (response) => transaction.respond(response),
      onGiveUp: () => this.reject(504), // RFC 3262 §3: no PRACK in 64*T1
      onAllAcknowledged: () => {
        if (this.#postponedAnswer !== undefined) this.answer(this.#postponedAnswer);
      },
    });
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

  /**
   * Nothing happens once the call is answered or over: a script may be a moment late. `reliable`:
   * repeated until the PRACK, where the caller understands that; always so where it demands it
   * (RFC 3262 §3).
   */
  provisional(
    statusCode: 180 | 181 | 182 | 183,
    options: AnswerOptions & { reliable?: boolean } = {},
  ): void {
    if (this.state !== 'received' && this.state !== 'alerting') return;
    this.#state = 'alerting';
    const response = createResponse(this.request, statusCode, this.#responseOptions(options));
    const isReliable =
      requires(this.request, '100rel') ||
      (options.reliable === true && supports(this.request, '100rel'));
    this.localSdp = options.sdp ?? this.localSdp;
    if (isReliable) this.#reliable.send(response);
    else this.#transaction.respond(response);
  }

  /**
   * 200, repeated from T1 to T2 until the ACK; none within 64*T1 → BYE and onEnded('ackTimeout').
   * Waits for the PRACK of a provisional response with SDP.
   */
  answer(options: AnswerOptions): void {
    if (this.state !== 'received' && this.state !== 'alerting') return;
    if (this.#reliable.holdsBackAnswer) {
      this.#postponedAnswer ??= options;
      return;
    }
    this.#reliable.stop();
    this.#state = 'answered';
    const { headers = [], ...rest } = options;
    const granted = [...headers, ...this.sessionTimer.grant(this.request)];
    const responseOptions = this.#responseOptions({ ...rest, headers: granted });
    this.sendAnswer(this.#transaction, createResponse(this.request, 200, responseOptions));
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

  protected override receivePrack(prack: SipRequest): InDialogReply | undefined {
    const response = this.#reliable.acknowledge(prack);
    if (response === undefined) return undefined;
    const [ours, theirs] = [sdpOf(response), sdpOf(prack)];
    const isAnswered = ours !== undefined && (this.sdp !== undefined || theirs !== undefined);
    if (isAnswered) this.sessionSettledEarly();
    if (theirs === undefined) return { statusCode: 200 };
    if (ours !== undefined && this.sdp === undefined) {
      this.onEarlyAnswer(theirs);
      return { statusCode: 200 };
    }
    const reply = this.onReinvite(theirs, prack); // a further offer (RFC 3262 §5)
    if (typeof reply !== 'string') return reply ?? { statusCode: 488 };
    return { statusCode: 200, body: reply };
  }

  protected override prackAnswered(): void {
    this.#reliable.acknowledged();
  }

  protected override acknowledged(): void {
    if (this.#state === 'answered') this.#state = 'confirmed';
    if (this.#postponedBye !== undefined) this.sendBye(this.#postponedBye.headers);
  }

  /** A caller may end an early dialog by BYE: the INVITE still wants its answer (§15.1.2). */
  protected override byeArrived(): void {
    if (this.#state === 'received' || this.#state === 'alerting') this.#refuse(487);
  }

  protected override end(cause: CallEndCause): void {
    this.#reliable.stop();
    super.end(cause);
  }

  #cancelled(cancel: SipRequest): void {
    if (this.state !== 'received' && this.state !== 'alerting') return;
    this.onCancel(cancel);
    this.#refuse(487);
    this.end('cancelled');
  }

  #refuse(statusCode: number, reason?: string, headers: readonly SipHeaderField[] = []): void {
    this.#reliable.stop();
    const options: ResponseOptions = { headers, toTag: this.localTag };
    if (reason !== undefined) options.reason = reason;
    this.#transaction.respond(createResponse(this.request, statusCode, options));
  }

  #responseOptions(options: AnswerOptions): ResponseOptions {
    const own = [this.host.contactFor(this.peer), ...this.host.responseHeaders];
    const headers = [...own, ...(options.headers ?? [])];
    const responseOptions: ResponseOptions = { headers, toTag: this.localTag };
    if (options.sdp !== undefined) responseOptions.body = options.sdp;
    return responseOptions;
  }
}
