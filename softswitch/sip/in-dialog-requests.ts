/** The UAS side of a dialog: what each method gets for an answer (RFC 3261 §12.2.2, §14.2, §15.1.2). */
import type { CallLeg, InDialogReply } from './call-leg.ts';
import { createResponse, type ResponseOptions } from './create-response.ts';
import type { Dialog } from './dialog.ts';
import type { SipHeaderField, SipRequest, SipResponse } from './message.ts';
import type { OfferQueue } from './offer-queue.ts';
import type { SessionTimer } from './session-timer.ts';
import type { ServerTransaction } from './server-transaction.ts';
import { hasForeignBody, sdpOf } from './session-description.ts';

export interface InDialogContext {
  readonly leg: Pick<CallLeg, 'onBye' | 'answerBye' | 'onInfo' | 'onReinvite' | 'onOther'>;
  readonly dialog: Dialog;
  /** Contact, Allow and the like, for a 2xx. */
  headers(): readonly SipHeaderField[];
  readonly offers: OfferQueue;
  readonly sessionTimer: SessionTimer;
  /** Sends a 2xx to an INVITE and sees to its ACK. */
  answer(response: SipResponse): void;
  /** Takes a PRACK; undefined when there is nothing it could acknowledge. */
  acknowledge(prack: SipRequest): InDialogReply | undefined;
  /** The PRACK has its answer. */
  acknowledged(): void;
  /** A BYE has come. */
  ended(): void;
}

export function receiveInDialog(transaction: ServerTransaction, context: InDialogContext): void {
  const { request } = transaction;
  switch (request.method) {
    case 'BYE':
      transaction.respond(replyOf(request, { ...context.leg.answerBye(request), statusCode: 200 }));
      context.leg.onBye(request);
      context.ended();
      return;
    case 'INVITE':
      receiveOffer(transaction, context, (response) => context.answer(response));
      return;
    case 'UPDATE':
      if (sdpOf(request) === undefined && !hasForeignBody(request)) {
        receiveRefresh(transaction, context);
      } else receiveOffer(transaction, context, (response) => transaction.respond(response));
      return;
    case 'PRACK':
      transaction.respond(replyOf(request, context.acknowledge(request) ?? { statusCode: 481 }));
      context.acknowledged();
      return;
    case 'INFO':
      transaction.respond(replyOf(request, context.leg.onInfo(request) ?? { statusCode: 200 }));
      return;
    case 'OPTIONS': {
      const headers = [...context.headers(), { name: 'Accept', value: 'application/sdp' }];
      transaction.respond(createResponse(request, 200, { headers }));
      return;
    }
    default: {
      const refusal = { statusCode: 405, headers: context.headers() };
      transaction.respond(replyOf(request, context.leg.onOther(request) ?? refusal));
    }
  }
}

/** RFC 3311 §5.2: target and session timer, and no more. */
function receiveRefresh(transaction: ServerTransaction, context: InDialogContext): void {
  const { request } = transaction;
  if (refusesInterval(transaction, context)) return;
  context.dialog.refreshTarget(request);
  const headers = [...context.headers(), ...context.sessionTimer.grant(request)];
  transaction.respond(createResponse(request, 200, { headers }));
}

/** RFC 4028 §9; answers it then. */
function refusesInterval(transaction: ServerTransaction, context: InDialogContext): boolean {
  const headers = context.sessionTimer.refusal(transaction.request);
  if (headers === undefined) return false;
  transaction.respond(createResponse(transaction.request, 422, { headers }));
  return true;
}

const RETRY_AFTER_S_MAX = 10; // §14.2

function receiveOffer(
  transaction: ServerTransaction,
  context: InDialogContext,
  accept: (response: SipResponse) => void,
): void {
  const { request } = transaction;
  if (context.offers.isOursPending) {
    transaction.respond(createResponse(request, 491)); // §14.2: glare
    return;
  }
  const { isPeersUnanswered, isPeersOfferOpen } = context.offers;
  // An UPDATE may follow an answer in a reliable provisional response, a re-INVITE may not.
  if (request.method === 'UPDATE' ? isPeersOfferOpen : isPeersUnanswered) {
    const seconds = Math.floor(Math.random() * (RETRY_AFTER_S_MAX + 1));
    const headers = [{ name: 'Retry-After', value: String(seconds) }];
    transaction.respond(createResponse(request, 500, { headers }));
    return;
  }
  if (hasForeignBody(request)) {
    const headers = [{ name: 'Accept', value: 'application/sdp' }];
    transaction.respond(createResponse(request, 415, { headers }));
    return;
  }
  if (refusesInterval(transaction, context)) return;
  const reply = context.leg.onReinvite(sdpOf(request), request);
  if (typeof reply !== 'string') {
    transaction.respond(replyOf(request, reply ?? { statusCode: 488 }));
    return;
  }
  context.dialog.refreshTarget(request);
  const headers = [...context.headers(), ...context.sessionTimer.grant(request)];
  accept(createResponse(request, 200, { headers, body: reply }));
}

function replyOf(request: SipRequest, reply: InDialogReply): SipResponse {
  const { statusCode, ...options } = reply;
  const responseOptions: ResponseOptions = options;
  return createResponse(request, statusCode, responseOptions);
}
