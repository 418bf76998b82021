/** What an incoming and an outgoing call share once there is a dialog. */
import assert from 'node:assert/strict';
import type { Timer } from '../timers/timer-wheel.ts';
import { ackOfAnswer } from './ack-of-answer.ts';
import { AnswerRetransmission } from './answer-retransmission.ts';
import type { CallHost } from './call-host.ts';
import { createResponse } from './create-response.ts';
import { cseqOf } from './cseq.ts';
import type { Dialog } from './dialog.ts';
import type { DigestClient } from './digest-client.ts';
import { receiveInDialog } from './in-dialog-requests.ts';
import type { SipHeaderField, SipRequest, SipResponse } from './message.ts';
import { isGlare, OfferQueue } from './offer-queue.ts';
import { SessionTimer } from './session-timer.ts';
import type { ServerTransaction } from './server-transaction.ts';
import { sdpOf } from './session-description.ts';
import type { SipAddress } from './sip-address.ts';

export type CallEndCause =
  | 'byeReceived'
  | 'byeSent'
  | 'cancelled' // CANCEL received, or sent by us, before the answer
  | 'rejected' // non-2xx final response, sent or received
  | 'sessionExpired' // nobody refreshed the session (RFC 4028): BYE was sent
  | 'ackTimeout' // our 2xx was never acknowledged: BYE was sent
  | 'peerLost'; // an in-dialog request got 408 or 481, or could not be sent (§12.2.1.2)

export interface InDialogReply {
  statusCode: number;
  reason?: string;
  headers?: readonly SipHeaderField[];
  body?: Buffer | string;
  contentType?: string;
}

export interface InDialogRequestOptions {
  headers?: readonly SipHeaderField[];
  sdp?: string;
  body?: Buffer | string;
  /** Default application/sdp. */
  contentType?: string;
  /** Re-INVITE without SDP: our answer to the offer in its 2xx, for the ACK. */
  answerOffer?: (offer: string | undefined) => string;
}

interface UnacknowledgedAnswer {
  readonly retransmission: AnswerRetransmission;
  /** The 2xx carries our offer, the ACK will bring the answer. */
  readonly hasOffer: boolean;
}

export abstract class CallLeg {
  /** ACK to our 2xx, of INVITE and re-INVITE alike; `sdp` is the answer when our 2xx had the offer. */
  onAck: (sdp: string | undefined) => void = () => undefined;
  onBye: (request: SipRequest) => void = () => undefined;
  /** What the answer to a BYE says besides 200, such as a body. Asked before `onBye`. */
  answerBye: (request: SipRequest) => Omit<InDialogReply, 'statusCode'> = () => ({});
  /** Undefined = 200. */
  onInfo: (request: SipRequest) => InDialogReply | undefined = () => undefined;
  /**
   * Re-INVITE, and UPDATE with SDP. Returns our SDP (an offer when there was none); a reply object
   * refuses; undefined = 488.
   */
  onReinvite: (sdp: string | undefined, request: SipRequest) => string | InDialogReply | undefined =
    () => undefined;
  /** Any other in-dialog method. Undefined = 405. */
  onOther: (request: SipRequest) => InDialogReply | undefined = () => undefined;
  /** Exactly once, last. */
  onEnded: (cause: CallEndCause) => void = () => undefined;

  abstract readonly callId: string;
  abstract readonly localTag: string;
  protected readonly host: CallHost;
  protected dialog: Dialog | undefined;
  protected digest: DigestClient | undefined;
  /** Where the peer was last heard from or sent to: decides which Contact it gets. */
  protected peer: SipAddress;
  protected readonly sessionTimer: SessionTimer;
  /** What the peer was last told of our media, for a refresh by re-INVITE. */
  protected localSdp: string | undefined;
  /** Methods the peer takes, as far as it said. */
  protected peerAllows: readonly string[] = [];
  readonly #offers: OfferQueue;
  readonly #unacknowledged = new Map<number, UnacknowledgedAnswer>(); // by CSeq
  readonly #timers = new Set<Timer>();
  #isEnded = false;

  constructor(host: CallHost, peer: SipAddress, isCaller: boolean) {
    this.host = host;
    this.peer = peer;
    this.sessionTimer = new SessionTimer({
      timers: host.timers,
      options: host.sessionTimer,
      refresh: (headers, done) => this.#refreshSession(headers, done),
      onExpired: () => this.#expire(),
    });
    this.#offers = new OfferQueue(isCaller, (delayMs, fire) => this.#later(delayMs, fire));
  }

  get remoteTag(): string | undefined {
    return this.dialog?.remoteTag;
  }

  protected get isEnded(): boolean {
    return this.#isEnded;
  }

  /**
   * In-dialog request: INVITE, UPDATE, INFO, BYE, OPTIONS ... Resolves with the final response, one
   * the stack made up (408, 503; 481 without a dialog) included; never rejects. INVITE and UPDATE
   * with SDP wait for an exchange under way, and come again after a 491 (RFC 3261 §14.1).
   */
  sendRequest(method: string, options: InDialogRequestOptions = {}): Promise<SipResponse> {
    assert(method !== 'ACK' && method !== 'CANCEL', `${method} is sent by the call itself`);
    return new Promise((resolve) => this.#request(method, options, resolve));
  }

  /** Ends the call: BYE, or what takes its place before the answer. Harmless when it is over. */
  abstract bye(headers?: readonly SipHeaderField[]): void;

  /** For the user agent: a request inside this call's dialog. */
  receiveRequest(transaction: ServerTransaction): void {
    const { request } = transaction;
    const { dialog } = this;
    if (dialog === undefined || this.#isEnded) {
      transaction.respond(createResponse(request, 481));
      return;
    }
    if (!dialog.acceptRemoteCSeq(request)) {
      transaction.respond(createResponse(request, 500)); // §12.2.2: out of order
      return;
    }
    this.peer = transaction.source;
    receiveInDialog(transaction, {
      leg: this,
      dialog,
      headers: () => [this.host.contactFor(this.peer), ...this.host.responseHeaders],
      offers: this.#offers,
      sessionTimer: this.sessionTimer,
      acknowledge: (prack) => this.receivePrack(prack),
      acknowledged: () => this.prackAnswered(),
      answer: (response) => this.sendAnswer(transaction, response),
      ended: () => {
        this.byeArrived();
        this.end('byeReceived');
      },
    });
  }

  /** For the user agent: an ACK to one of our 2xx. */
  receiveAck(ack: SipRequest): void {
    const number = cseqOf(ack)?.number ?? -1;
    const answer = this.#unacknowledged.get(number);
    if (answer === undefined) return; // repeated, or for an INVITE long settled
    answer.retransmission.stop();
    this.#unacknowledged.delete(number);
    this.acknowledged();
    this.onAck(sdpOf(ack));
    if (!this.#isEnded) this.#offers.peersAcknowledged(answer.hasOffer);
  }

  /** Undefined: 481. */
  protected abstract receivePrack(prack: SipRequest): InDialogReply | undefined;

  protected prackAnswered(): void {
    return;
  }

  /** Offer and answer were exchanged before the final response. */
  protected sessionSettledEarly(): void {
    this.#offers.settledEarly();
  }

  /** Our first INVITE has its final response: the offers that waited for it may go. */
  protected firstInviteAnswered(): void {
    this.#offers.oursAnswered();
  }

  protected get hasUnacknowledgedAnswer(): boolean {
    return this.#unacknowledged.size > 0;
  }

  /** Sends a 2xx to an INVITE and repeats it until the ACK, for 64*T1 (§13.3.1.4). */
  protected sendAnswer(transaction: ServerTransaction, response: SipResponse): void {
    transaction.respond(response);
    this.localSdp = sdpOf(response) ?? this.localSdp;
    const hasOffer = sdpOf(transaction.request) === undefined && sdpOf(response) !== undefined;
    this.#offers.peersAnswered(hasOffer);
    const retransmission = new AnswerRetransmission({
      timers: this.host.timers,
      settings: this.host.stack.settings,
      resend: () => transaction.respond(response),
      onGiveUp: () => {
        if (this.#isEnded) return;
        this.#transmit('BYE', {}, () => undefined);
        this.end('ackTimeout');
      },
    });
    const number = cseqOf(transaction.request)?.number ?? -1;
    this.#unacknowledged.set(number, { retransmission, hasOffer });
  }

  protected sendBye(headers: readonly SipHeaderField[] | undefined): void {
    if (this.#isEnded) return;
    this.#transmit('BYE', headers === undefined ? {} : { headers }, () => undefined);
    this.end('byeSent');
  }

  /** The first ACK of an answer; before onAck. */
  protected acknowledged(): void {
    return;
  }

  /** BYE has been answered; before onEnded. */
  protected byeArrived(): void {
    return;
  }

  protected end(cause: CallEndCause): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    for (const { retransmission } of this.#unacknowledged.values()) retransmission.stop();
    this.#unacknowledged.clear();
    for (const timer of this.#timers) timer.cancel();
    this.sessionTimer.stop();
    this.#offers.abandon();
    this.host.legEnded(this);
    this.onEnded(cause);
  }

  #request(
    method: string,
    options: InDialogRequestOptions,
    done: (response: SipResponse) => void,
  ): void {
    if (method === 'BYE') {
      this.#transmit(method, options, done);
      this.end('byeSent');
    } else if (method === 'INVITE' || (method === 'UPDATE' && options.sdp !== undefined)) {
      this.#offers.enqueue({
        start: (finished) => {
          this.#transmit(method, options, (response) => {
            if (!finished(isGlare(response) && !this.#isEnded)) done(response);
          });
        },
        abandon: () => done(this.#noDialog(method)),
      });
    } else this.#transmit(method, options, done);
  }

  /** UPDATE where the peer takes it: it leaves the media alone (RFC 4028 §7.4). */
  #refreshSession(headers: readonly SipHeaderField[], done: (response: SipResponse) => void): void {
    const offered = [{ name: 'Supported', value: this.host.supported.join(', ') }, ...headers];
    const isUpdate = this.peerAllows.includes('UPDATE');
    const sdp = isUpdate || this.localSdp === undefined ? {} : { sdp: this.localSdp };
    this.#request(isUpdate ? 'UPDATE' : 'INVITE', { headers: offered, ...sdp }, done);
  }

  #expire(): void {
    const reason = { name: 'Reason', value: 'SIP;cause=408;text="Session timer expired"' };
    this.#transmit('BYE', { headers: [reason] }, () => undefined);
    this.end('sessionExpired');
  }

  #later(delayMs: number, fire: () => void): void {
    const timer = this.host.timers.schedule(delayMs, () => {
      this.#timers.delete(timer);
      fire();
    });
    this.#timers.add(timer);
  }

  #transmit(
    method: string,
    options: InDialogRequestOptions,
    resolve: (response: SipResponse) => void,
  ): void {
    const { dialog, host } = this;
    if (dialog === undefined || this.#isEnded) {
      resolve(this.#noDialog(method));
      return;
    }
    this.localSdp = options.sdp ?? this.localSdp;
    const refreshesTarget = method === 'INVITE' || method === 'UPDATE';
    const request = dialog.createRequest(method, {
      headers: [
        ...(refreshesTarget ? [host.contactFor(this.peer)] : []),
        ...host.requestHeaders,
        ...(options.headers ?? []),
        ...(this.digest?.headersFor(method, dialog.remoteTarget) ?? []),
      ],
      ...bodyOf(options),
    });
    let ack: SipRequest | undefined;
    host.stack.send(
      request,
      {},
      {
        onResponse: (response) => {
          const { statusCode } = response;
          if (statusCode < 200) return;
          if (ack !== undefined) {
            host.stack.sendAck(ack); // a repeated 2xx
            return;
          }
          if (statusCode < 300 && refreshesTarget) dialog.refreshTarget(response);
          if (statusCode < 300 && method === 'INVITE') {
            const answer =
              options.sdp === undefined ? options.answerOffer?.(sdpOf(response)) : undefined;
            ack = ackOfAnswer(dialog, request, answer);
            host.stack.sendAck(ack);
          }
          const isChallenge = statusCode === 401 || statusCode === 407;
          if (isChallenge && (this.digest?.accept(response) ?? false) && !this.#isEnded) {
            this.#transmit(method, options, resolve);
            return;
          }
          resolve(response);
          this.#noticeLoss(method, response);
        },
      },
    );
  }

  /** §12.2.1.2: a peer that does not know the dialog, or does not answer, has left it. */
  #noticeLoss(method: string, { statusCode }: SipResponse): void {
    if (method === 'BYE' || method === 'PRACK' || this.#isEnded) return;
    if (statusCode !== 481 && statusCode !== 408) return;
    if (statusCode === 408) this.#transmit('BYE', {}, () => undefined);
    this.end('peerLost');
  }

  /** What a peer would say to a request outside any dialog; nothing is sent. */
  #noDialog(method: string): SipResponse {
    return {
      kind: 'response',
      statusCode: 481,
      reason: 'Call/Transaction Does Not Exist',
      headers: [
        { name: 'Call-ID', value: this.callId },
        { name: 'CSeq', value: `0 ${method}` },
      ],
      body: Buffer.alloc(0),
    };
  }
}

function bodyOf(options: InDialogRequestOptions): { body?: Buffer | string; contentType?: string } {
  const body = options.sdp ?? options.body;
  if (body === undefined) return {};
  const { contentType } = options;
  return contentType === undefined ? { body } : { body, contentType };
}
