/** One SIP user agent over a stack (RFC 3261 §8, §11, §13): dispatches to calls and dialogs. */
import type { TimerWheel } from '../timers/timer-wheel.ts';
import type { CallHost } from './call-host.ts';
import type { CallLeg } from './call-leg.ts';
import { createResponse } from './create-response.ts';
import { Dialog } from './dialog.ts';
import { DigestVerifier, type DigestChallenge } from './digest-challenge.ts';
import { IncomingCall } from './incoming-call.ts';
import { headerOf, headersOf, type SipHeaderField, type SipRequest } from './message.ts';
import { tagOf } from './name-addr.ts';
import { OutgoingCall, type InviteOptions } from './outgoing-call.ts';
import type { ServerTransaction } from './server-transaction.ts';
import { hasForeignBody } from './session-description.ts';
import { intervalRefusal, type SessionTimerOptions } from './session-timer.ts';
import type { SipAddress } from './sip-address.ts';
import type { SipStack } from './sip-stack.ts';
import { formatSipUri } from './sip-uri.ts';
import { UnwantedAnswers } from './unwanted-answers.ts';

export interface UserAgentOptions {
  timers: TimerWheel;
  /** User part of our Contact. Default none. */
  contactUser?: string;
  /** Value of User-Agent in requests and Server in responses. */
  userAgent?: string;
  /** Methods named in Allow. */
  allow?: readonly string[];
  /**
   * Option tags a peer may Require, and that Supported names: 100rel and timer are understood.
   * Default none.
   */
  supported?: readonly string[];
  /** With `timer` among `supported`: session timers (RFC 4028). */
  sessionTimer?: SessionTimerOptions;
  /** When set, INVITE and REGISTER outside a dialog must carry credentials. */
  digest?: DigestChallenge;
}

const ALLOW = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'INFO', 'UPDATE'];
const KNOWN_METHODS = new Set([
  ...ALLOW,
  ...['REGISTER', 'PRACK', 'SUBSCRIBE', 'NOTIFY', 'REFER', 'MESSAGE', 'PUBLISH'],
]);

/** Takes over the callbacks of its stack. */
export class UserAgent {
  /** Default: 480. */
  onInvite: (call: IncomingCall) => void = (call) => call.reject(480);
  /** Outside a dialog. Default: 200 with Allow, Accept and Supported. */
  onOptions: (transaction: ServerTransaction) => void = (transaction) =>
    this.#answerOptions(transaction);
  /** Default: 405. */
  onRegister: (transaction: ServerTransaction) => void = (transaction) =>
    this.#refuseMethod(transaction);
  readonly #stack: SipStack;
  readonly #options: UserAgentOptions;
  readonly #host: CallHost;
  readonly #verifier: DigestVerifier | undefined;
  readonly #legsByDialog = new Map<string, CallLeg>();
  readonly #dialogsByLeg = new Map<CallLeg, Set<string>>();
  readonly #openInvites = new Map<string, CallLeg>(); // Call-ID, From tag, CSeq; see §8.2.2.2

  constructor(stack: SipStack, options: UserAgentOptions) {
    this.#stack = stack;
    this.#options = options;
    this.#host = this.#makeHost();
    this.#verifier =
      options.digest === undefined
        ? undefined
        : new DigestVerifier(options.digest, () => options.timers.nowMs());
    stack.onRequest = (transaction) => this.#receive(transaction);
    stack.onAck = (ack) => this.#legsByDialog.get(Dialog.idOfRequest(ack) ?? '')?.receiveAck(ack);
    stack.onStrayResponse = (response) => {
      // A 2xx of a live call, later than its transaction, must not end the call.
      const dialog = Dialog.fromStrayAnswer(response);
      if (!this.#legsByDialog.has(dialog.id)) this.#host.unwantedAnswers.end(response);
    };
  }

  /** Calls that have not ended. */
  get calls(): number {
    return this.#dialogsByLeg.size;
  }

  invite(options: InviteOptions): OutgoingCall {
    const call = new OutgoingCall(this.#host, options);
    if (!this.#dialogsByLeg.has(call)) this.#dialogsByLeg.set(call, new Set());
    return call;
  }

  #receive(transaction: ServerTransaction): void {
    const { request } = transaction;
    const dialogId = Dialog.idOfRequest(request);
    if (dialogId !== undefined) {
      const leg = this.#legsByDialog.get(dialogId);
      if (leg === undefined) transaction.respond(createResponse(request, 481));
      else leg.receiveRequest(transaction);
      return;
    }
    if (!this.#isAcceptable(transaction)) return;
    switch (request.method) {
      case 'INVITE':
        if (this.#isAuthorized(transaction)) this.#receiveInvite(transaction);
        return;
      case 'OPTIONS':
        this.onOptions(transaction);
        return;
      case 'REGISTER':
        if (this.#isAuthorized(transaction)) this.onRegister(transaction);
        return;
      case 'BYE':
      case 'INFO':
      case 'UPDATE':
      case 'PRACK':
      case 'NOTIFY':
        transaction.respond(createResponse(request, 481)); // only ever inside a dialog
        return;
      default:
        this.#refuseMethod(transaction);
    }
  }

  /** RFC 3261 §8.2: scheme, required extensions. */
  #isAcceptable(transaction: ServerTransaction): boolean {
    const { request } = transaction;
    if (!/^sips?:/i.test(request.uri)) {
      transaction.respond(createResponse(request, 416));
      return false;
    }
    const supported = this.#options.supported ?? [];
    const missing = headersOf(request, 'Require').filter((tag) => !supported.includes(tag));
    if (missing.length === 0) return true;
    const headers = [{ name: 'Unsupported', value: missing.join(', ') }];
    transaction.respond(createResponse(request, 420, { headers }));
    return false;
  }

  #isAuthorized(transaction: ServerTransaction): boolean {
    if (this.#verifier === undefined) return true;
    const verdict = this.#verifier.verify(transaction.request);
    if (verdict === 'accepted') return true;
    transaction.respond(this.#verifier.refuse(transaction.request, verdict));
    return false;
  }

  #receiveInvite(transaction: ServerTransaction): void {
    const { request } = transaction;
    if (hasForeignBody(request)) {
      const headers = [
        { name: 'Accept', value: 'application/sdp' },
        { name: 'Accept-Encoding', value: 'identity' },
      ];
      transaction.respond(createResponse(request, 415, { headers }));
      return;
    }
    const minSe = intervalRefusal(request, this.#host.sessionTimer);
    if (minSe !== undefined) {
      transaction.respond(createResponse(request, 422, { headers: minSe }));
      return;
    }
    const key = inviteKeyOf(request);
    if (this.#openInvites.has(key)) {
      transaction.respond(createResponse(request, 482)); // the same INVITE by another way
      return;
    }
    const call = new IncomingCall(this.#host, transaction);
    this.#openInvites.set(key, call);
    this.onInvite(call);
  }

  #answerOptions(transaction: ServerTransaction): void {
    const { request, source } = transaction;
    const headers: SipHeaderField[] = [
      this.#host.contactFor(source),
      ...this.#host.responseHeaders,
      { name: 'Accept', value: 'application/sdp' },
      { name: 'Supported', value: (this.#options.supported ?? []).join(', ') },
    ];
    transaction.respond(createResponse(request, 200, { headers }));
  }

  #refuseMethod(transaction: ServerTransaction): void {
    const { request } = transaction;
    const statusCode = KNOWN_METHODS.has(request.method) ? 405 : 501;
    const headers = this.#host.responseHeaders;
    transaction.respond(createResponse(request, statusCode, { headers }));
  }

  #makeHost(): CallHost {
    const { timers, userAgent, contactUser: user, supported = [], sessionTimer } = this.#options;
    const { allow = supported.includes('100rel') ? [...ALLOW, 'PRACK'] : ALLOW } = this.#options;
    const allowField: SipHeaderField = { name: 'Allow', value: allow.join(', ') };
    const named = (name: string): SipHeaderField[] =>
      userAgent === undefined ? [] : [{ name, value: userAgent }];
    return {
      stack: this.#stack,
      timers,
      unwantedAnswers: new UnwantedAnswers(this.#stack, timers),
      requestHeaders: [allowField, ...named('User-Agent')],
      responseHeaders: [allowField, ...named('Server')],
      supported,
      sessionTimer: supported.includes('timer') ? (sessionTimer ?? {}) : undefined,
      contactFor: (peer: SipAddress) => {
        const { protocol, host, port } = this.#stack.contactAddress(peer);
        const params = new Map(protocol === 'udp' ? [] : [['transport', protocol]]);
        return { name: 'Contact', value: `<${formatSipUri({ user, host, port, params })}>` };
      },
      dialogOpened: (id, leg) => {
        this.#legsByDialog.set(id, leg);
        const ids = this.#dialogsByLeg.get(leg);
        if (ids === undefined) this.#dialogsByLeg.set(leg, new Set([id]));
        else ids.add(id);
      },
      legEnded: (leg) => {
        for (const id of this.#dialogsByLeg.get(leg) ?? []) this.#legsByDialog.delete(id);
        this.#dialogsByLeg.delete(leg);
        if (leg instanceof IncomingCall) this.#openInvites.delete(inviteKeyOf(leg.request));
      },
    };
  }
}

function inviteKeyOf(request: SipRequest): string {
  const fromTag = tagOf(headerOf(request, 'From')) ?? '';
  return `${headerOf(request, 'Call-ID') ?? ''};${fromTag};${headerOf(request, 'CSeq') ?? ''}`;
}
