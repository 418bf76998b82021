/**
 * One SIP leg, towards a trunk or an AI agent, together with the endpoint that speaks for it: the
 * INVITE, its dialog, and the far end's SDP, which is applied to the endpoint as soon as it is known.
 */
import type { MediaEndpoint, ReceivedDigit } from '../media/media-endpoint.ts';
import { hasUsableAudio } from '../media/sdp-offer.ts';
import { Authorization, type DigestAccount } from './authorization.ts';
import type { DialogEnd, DialogEnder } from './dialog-ender.ts';
import { dialogRecord, recordOfAnswer, type DialogRecord } from './dialog-record.ts';
import type { InviteFailure, InviteIdentity, OutgoingInvite } from './outgoing-invite.ts';
import { Redirection } from './redirection.ts';
import { repetitionOf } from './repetition.ts';
import { intervalAsked } from './session-interval.ts';
import type { LegRoute, Reroute } from './reroute.ts';
import type { SipLadder } from './sip-ladder.ts';
import type { RequestOutcome, SipLink } from './sip-link.ts';
import type { SipDialog, SipRequest, SipResponse } from './srf.port.ts';

export interface MediaLegHandlers {
  /** The first INVITE has left; or the first by another way, which is a call of its own. */
  onSent(identity: InviteIdentity): void;
  /** One more INVITE, because of a digest challenge, a 3xx or another way. */
  onRetry(): void;
  onProvisional(statusCode: number, withSdp: boolean): void;
  /** A 2xx with SDP, its own or that of a provisional response before it. */
  onAnswered(dialogId: string): void;
  /** A 2xx that cannot be used: it has been acknowledged, and BYE is on its way. */
  onUnusableAnswer(response: SipResponse, problem: string): void;
  onFinal(response: SipResponse): void;
  onNotSent(problem: string): void;
  onLost(): void;
  /** `bySwitch`: the switch ended the dialog by itself (no ACK, session timer). */
  onBye(bye: SipRequest, bySwitch: boolean): void;
  /** The media server did not take the far end's SDP. */
  onMediaProblem(problem: string): void;
  onDigit(digit: ReceivedDigit): void;
  /** Answers the INFO. */
  onInfo(info: SipRequest, response: SipResponse): void;
  /** Answers the REFER. Without it a REFER is declined. */
  onRefer?(refer: SipRequest, response: SipResponse): void;
}

export interface MediaLegParts extends LegRoute {
  readonly link: SipLink;
  readonly ender: DialogEnder;
  readonly endpoint: MediaEndpoint;
  readonly ladder: SipLadder;
  /** Other ways for the same call, should this one fail. */
  readonly reroute?: Reroute;
  readonly handlers: MediaLegHandlers;
}

export class MediaLeg {
  readonly #parts: MediaLegParts;
  #invite: OutgoingInvite | undefined;
  #dialog: SipDialog | undefined;
  #record: DialogRecord | undefined;
  #hasEarlySdp = false;
  #route: LegRoute;
  #redirection: Redirection;
  #authorization: Authorization | undefined;
  /** A provisional response other than 100 has come: somebody may be hearing a telephone. */
  #mayRing = false;
  /** In the ladder already, and to be told should there be no other way. */
  #failed: InviteFailure | undefined;
  #mediaReady: Promise<unknown> = Promise.resolve();
  #cancelled = false;
  #over = false;

  constructor(parts: MediaLegParts) {
    this.#parts = parts;
    this.#route = parts;
    this.#redirection = new Redirection(parts.uri);
    this.#authorization = authorizationOf(parts.account);
    parts.endpoint.onDigit = (digit) => parts.handlers.onDigit(digit);
  }

  get identity(): InviteIdentity | undefined {
    return this.#invite?.identity;
  }

  /** Settles when the last SDP of the far end has been applied. */
  get mediaReady(): Promise<unknown> {
    return this.#mediaReady;
  }

  start(): void {
    const { uri, headers, proxy } = this.#route;
    const onSent = (identity: InviteIdentity): void => {
      this.#parts.ladder.out(`INVITE ${identity.uri} SIP/2.0`);
      this.#parts.handlers.onSent(identity);
    };
    this.#launch(uri, headers, onSent, proxy);
  }

  #launch(
    uri: string,
    headers: Record<string, string>,
    onSent: (identity: InviteIdentity) => void,
    proxy?: string,
  ): void {
    const { link, handlers } = this.#parts;
    const options = {
      ...{ headers, localSdp: this.#route.offer },
      ...(proxy === undefined ? {} : { proxy }),
    };
    this.#invite = link.invite(uri, options, {
      onSent,
      onProvisional: (response) => this.#onProvisional(response),
      onAnswered: (dialog) => this.#onAnswered(dialog),
      onFailed: (failure) => this.#onFailed(failure, uri),
      onLost: () => {
        this.#over = true;
        handlers.onLost();
      },
    });
  }

  cancel(): void {
    this.#cancelled = true;
    if (this.#failed !== undefined) {
      this.#parts.reroute?.withdraw();
      this.#tellFailure(this.#failed);
      return;
    }
    this.#parts.ladder.out(`CANCEL ${this.#route.uri} SIP/2.0`);
    this.#invite?.cancel();
  }

  /** A request inside the dialog; without a limit at most as long as a non-INVITE transaction. */
  request(
    method: 'NOTIFY' | 'OPTIONS',
    message: { headers: Record<string, string>; body?: string },
    limitMs?: number,
  ): Promise<RequestOutcome> {
    const dialog = this.#dialog;
    if (dialog === undefined || this.#over) return Promise.resolve({ kind: 'lost' });
    const contact = dialog.req.get('Contact');
    const headers = { ...(contact === undefined ? {} : { Contact: contact }), ...message.headers };
    const { body } = message;
    const options = {
      method,
      stackDialogId: dialog.id,
      headers,
      ...(body === undefined ? {} : { body }),
    };
    const more = limitMs === undefined ? {} : { limitMs };
    return this.#parts.link.request('sip:placeholder', options, more);
  }

  /** BYE, now or when the switch is back. Resolves when it is over; undefined: nothing to end. */
  async bye(): Promise<DialogEnd | undefined> {
    this.#over = true;
    const dialog = this.#dialog;
    const record = this.#record;
    if (record === undefined) return undefined;
    const { ender, link, ladder } = this.#parts;
    const { account } = this.#route;
    ladder.out(`BYE ${record.remoteTarget} SIP/2.0`);
    const end = await ender.bye(record, account === undefined ? {} : { account });
    if (end.kind === 'ended') ladder.response(end.response);
    if (dialog !== undefined) link.forget(dialog);
    return end;
  }

  /** Nobody can tell what became of the INVITE: see to it that it ends, and listen no more. */
  async orphan(): Promise<void> {
    this.#over = true;
    this.#parts.reroute?.withdraw();
    const identity = this.#failed === undefined ? this.#invite?.identity : undefined;
    this.#invite?.abandon();
    if (identity !== undefined) await this.#parts.ender.endOrphan(identity);
  }

  #onProvisional(response: SipResponse): void {
    this.#parts.ladder.response(response);
    this.#mayRing = true;
    const sdp = response.body;
    const withSdp = hasUsableAudio(sdp);
    this.#parts.handlers.onProvisional(response.status, withSdp);
    if (!withSdp || this.#over) return;
    this.#hasEarlySdp = true;
    this.#apply(sdp);
  }

  #onAnswered(dialog: SipDialog): void {
    const { ladder, handlers } = this.#parts;
    this.#dialog = dialog;
    this.#record = dialogRecord(dialog);
    ladder.response(dialog.res);
    ladder.out(`ACK ${this.#record.remoteTarget} SIP/2.0`);
    this.#listen(dialog);
    const sdp = dialog.remote.sdp;
    if (!hasUsableAudio(sdp) && !(this.#hasEarlySdp && isAbsent(sdp))) {
      handlers.onUnusableAnswer(dialog.res, 'answered without usable SDP');
      return;
    }
    // First, so that what is played when the answer is told waits for the media to flow.
    if (hasUsableAudio(sdp) && !this.#cancelled) this.#apply(sdp);
    handlers.onAnswered(dialog.id);
  }

  #listen(dialog: SipDialog): void {
    const { handlers, ladder } = this.#parts;
    dialog.on('destroy', (bye) => {
      ladder.in(`BYE ${bye.uri} SIP/2.0`);
      // Our own BYE may have crossed it: then the end was told before.
      if (this.#over) return;
      this.#over = true;
      handlers.onBye(bye, bye.source === 'application');
    });
    for (const event of ['modify', 'update'] as const) {
      dialog.on(event, (request, response) => void this.#onOffer(dialog, request, response));
    }
    dialog.on('info', (request, response) => handlers.onInfo(request, response));
    dialog.on('refer', (request, response) => {
      ladder.in(`REFER ${request.uri} SIP/2.0`);
      if (this.#over)
        response.send(481); // it crossed our BYE
      else if (handlers.onRefer === undefined) response.send(603);
      else handlers.onRefer(request, response);
    });
  }

  #onFailed(failure: InviteFailure, uri: string): void {
    if (failure.kind === 'final') {
      const { response } = failure;
      if (this.#answerChallenge(response, uri) || this.#lengthenSession(response, uri)) return;
      if (this.#redirect(response)) return;
    }
    if (this.#takeAnotherWay(failure)) return;
    this.#tellFailure(failure);
  }

  #tellFailure(failure: InviteFailure): void {
    const { handlers, ladder } = this.#parts;
    const isToldAlready = this.#failed === failure;
    this.#over = true;
    if (failure.kind === 'notSent') {
      handlers.onNotSent(failure.problem);
      return;
    }
    if (!isToldAlready) ladder.response(failure.response);
    if (failure.kind === 'final') {
      handlers.onFinal(failure.response);
      return;
    }
    this.#record = recordOfAnswer(failure.response);
    handlers.onUnusableAnswer(failure.response, failure.problem);
  }

  /** The same request with credentials: the challenged one reached nobody (RFC 3261 §22.2). */
  #answerChallenge(response: SipResponse, uri: string): boolean {
    const { handlers, ladder } = this.#parts;
    const authorization = this.#authorization;
    if (authorization === undefined || this.#cancelled || this.#over) return false;
    if (!authorization.accept(response)) return false;
    ladder.response(response);
    handlers.onRetry();
    const { headers, offer: body } = this.#route;
    const { headers: repeated, proxy } = repetitionOf(response, 'INVITE', uri);
    const credentials = authorization.headersFor({ method: 'INVITE', uri, body });
    const again = { ...headers, ...repeated, ...credentials };
    const onSent = (): void => ladder.out(`INVITE ${uri} SIP/2.0 (with credentials)`);
    this.#launch(uri, again, onSent, proxy);
    return true;
  }

  /**
   * 422: the session interval is too small for the far end, which says what it takes (RFC 4028 §7.3). The
   * same request with that; once for each interval, each longer than the one before.
   */
  #lengthenSession(response: SipResponse, uri: string): boolean {
    const { handlers, ladder } = this.#parts;
    const longer = intervalAsked(response, this.#route.headers);
    if (longer === undefined || this.#cancelled || this.#over) return false;
    ladder.response(response);
    handlers.onRetry();
    this.#route = { ...this.#route, headers: { ...this.#route.headers, ...longer } };
    const { headers, offer: body } = this.#route;
    const { headers: repeated, proxy } = repetitionOf(response, 'INVITE', uri);
    const credentials = this.#authorization?.headersFor({ method: 'INVITE', uri, body }) ?? {};
    const onSent = (): void => ladder.out(`INVITE ${uri} SIP/2.0 (a longer session)`);
    this.#launch(uri, { ...headers, ...repeated, ...credentials }, onSent, proxy);
    return true;
  }

  /** The same call by another way: one more INVITE, of which nothing can be ringing yet. */
  #redirect(response: SipResponse): boolean {
    const { ladder, handlers } = this.#parts;
    const next = this.#cancelled || this.#over ? undefined : this.#redirection.follow(response);
    if (next === undefined) return false;
    ladder.response(response);
    handlers.onRetry();
    // The server that asked for credentials may not be the one that would get them now.
    if (!next.isSameHost) this.#authorization = undefined;
    this.#launch(next.uri, { ...this.#route.headers, ...next.headers }, ({ uri }) => {
      ladder.out(`INVITE ${uri} SIP/2.0 (redirected)`);
    });
    return true;
  }

  /** Over another trunk, in a call of its own, and only where nothing can be ringing (ruling 3). */
  #takeAnotherWay(failure: InviteFailure): boolean {
    const { reroute, handlers, ladder } = this.#parts;
    if (reroute === undefined || this.#mayRing || this.#cancelled || this.#over) return false;
    if (failure.kind === 'unusable2xx') return false;
    const response = failure.kind === 'final' ? failure.response : undefined;
    if (response !== undefined) ladder.response(response);
    this.#failed = failure;
    const go = (route: LegRoute): void => {
      this.#failed = undefined;
      this.#route = route;
      this.#redirection = new Redirection(route.uri);
      this.#authorization = authorizationOf(route.account);
      handlers.onRetry();
      this.start();
    };
    return reroute.next(response, go, () => this.#tellFailure(failure));
  }

  /**
   * The far end moves its media, holds or resumes, by re-INVITE (RFC 3261 §14) or UPDATE (RFC 3311):
   * the media server answers. srf alone would say yes to an UPDATE and leave the media where it was.
   */
  async #onOffer(dialog: SipDialog, request: SipRequest, response: SipResponse): Promise<void> {
    const { method, uri } = request;
    this.#parts.ladder.in(`${method} ${uri} SIP/2.0`);
    const offer = request.body ?? '';
    if (offer === '' && method === 'UPDATE') {
      this.#answer(response, 200, ''); // a session refresh, and no more
      return;
    }
    if (offer === '') {
      // An offerless re-INVITE: ours goes into the 200, the answer comes with the ACK.
      this.#answer(response, 200, this.#route.offer);
      dialog.once('ack', (ack) => {
        if (hasUsableAudio(ack.body)) this.#apply(ack.body);
      });
      return;
    }
    const outcome = await this.#parts.endpoint.applyRemote(offer);
    const ok = outcome.kind === 'done';
    this.#answer(response, ok ? 200 : 488, ok ? outcome.value || this.#route.offer : '');
  }

  #answer(response: SipResponse, status: number, sdp: string): void {
    this.#parts.ladder.out(`SIP/2.0 ${status}`);
    const body = sdp === '' ? {} : { headers: { 'Content-Type': 'application/sdp' }, body: sdp };
    response.send(status, body);
  }

  #apply(sdp: string): void {
    this.#mediaReady = this.#parts.endpoint.applyRemote(sdp).then((outcome) => {
      if (this.#over || outcome.kind === 'done' || outcome.kind === 'gone') return;
      const problem = outcome.kind === 'failed' ? outcome.problem : 'no answer to the re-INVITE';
      this.#parts.handlers.onMediaProblem(problem);
    });
  }
}

function authorizationOf(account: DigestAccount | undefined): Authorization | undefined {
  return account === undefined ? undefined : new Authorization(account);
}

/** The answer may have come in a provisional response already (RFC 3261 §13.2.1). */
function isAbsent(sdp: string | undefined): boolean {
  return sdp === undefined || sdp === '';
}
