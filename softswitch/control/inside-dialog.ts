/** What clients send inside dialogs: BYE, re-INVITE, INFO, PRACK and the like; ACK is client-acks.ts. */
import { randomUUID } from 'node:crypto';
import type { Dialog } from '../sip/dialog.ts';
import { setHeader, type SipRequest, type SipResponse } from '../sip/message.ts';
import { ClientAcks } from './client-acks.ts';
import type { SipDraft } from './client-message.ts';
import type { ControlSession } from './control-session.ts';
import { endsSubscription, type DialogRecord } from './dialog-table.ts';
import { ClientFault, contentTypeOf, cseqNumber, ownHeaders, takeHeader } from './new-request.ts';
import { RequestEcho } from './request-echo.ts';
import { BYE_TEXTS, endDialog } from './server-bye.ts';
import type { SessionTimers } from './session-timers.ts';
import { hopOf, type SwitchContext } from './switch-context.ts';

/** Requests that carry a Contact: it is where the far end reaches us from then on (RFC 3261 §12.2). */
const TARGET_REFRESH = new Set(['INVITE', 'UPDATE', 'SUBSCRIBE', 'REFER']);

export class InsideDialogRequests {
  readonly #context: SwitchContext;
  readonly #sessionTimers: SessionTimers;
  readonly #acks: ClientAcks;

  constructor(context: SwitchContext, sessionTimers: SessionTimers) {
    this.#context = context;
    this.#sessionTimers = sessionTimers;
    this.#acks = new ClientAcks(context);
  }

  send(client: ControlSession, messageId: string, dialogId: string, draft: SipDraft): void {
    const method = draft.start.kind === 'request' ? draft.start.method : '';
    const dialog = this.#context.dialogs.byId(dialogId);
    if (method === 'ACK') {
      this.#acks.send(client, messageId, dialog, draft);
      return;
    }
    if (dialog?.sip === undefined || dialog.state === 'ended') {
      throw new ClientFault('Server error: unable to find dialog for dialog id provided');
    }
    const request = this.#newRequest(dialog, dialog.sip, method, draft);
    if (method === 'BYE') {
      this.#acks.ackUnasked(dialog); // else the far end would go on repeating its 2xx
      // A BYE overtakes an INVITE of the client inside the dialog.
      dialog.reinvite?.cancel();
      dialog.reinvite = undefined;
    }
    this.#sendRequest(client, messageId, dialog, request);
  }

  /** The client has gone with ACKs owed: those calls cannot be finished by another and are ended. */
  abandon(client: ControlSession): void {
    for (const dialog of this.#context.dialogs.values()) {
      if (dialog.client !== client || dialog.ackDue === undefined) continue;
      this.#acks.ackUnasked(dialog);
      if (dialog.state === 'ended') this.#context.dialogs.remove(dialog);
      else endDialog(this.#context, dialog, BYE_TEXTS.clientGone, 'ackbye');
    }
  }

  #sendRequest(
    client: ControlSession,
    messageId: string,
    dialog: DialogRecord,
    request: SipRequest,
  ): void {
    const { method } = request;
    const transactionId = randomUUID();
    const echo = new RequestEcho(client, messageId, transactionId, this.#context);
    const transaction = this.#context.stack.send(request, hopOf(dialog.destination), {
      onResponse: (response, from) => {
        if (response.statusCode === 100) return;
        const isAnswer = response.statusCode >= 200 && method === 'INVITE';
        if (isAnswer && !this.#reinviteAnswered(client, dialog, request, response)) return;
        echo.deliver(response, from, dialog.id);
        if (response.statusCode >= 200) this.#finish(dialog, request, response);
      },
      onTerminated: () => {
        if (dialog.ackDue?.invite !== request) return;
        this.#acks.ackUnasked(dialog);
        if (dialog.state === 'ended') this.#context.dialogs.remove(dialog);
        else endDialog(this.#context, dialog, BYE_TEXTS.ackTimeout, 'ackbye');
      },
    });
    if (method === 'INVITE') {
      dialog.reinvite = transaction;
      if (request.body.length > 0) dialog.localSdp = request.body;
    }
    echo.sent(transaction);
    if (method === 'BYE') this.#context.records.stop('application', 'normal-release', request);
  }

  #newRequest(dialog: DialogRecord, sip: Dialog, method: string, draft: SipDraft): SipRequest {
    const headers = ownHeaders(draft, dialog.local);
    // The dialog's own; a digest retry repeats them, and they are the same.
    for (const name of ['From', 'To', 'Call-ID']) takeHeader(headers, name);
    const givenCSeq = cseqNumber(takeHeader(headers, 'CSeq'));
    const contentType = prefixed(() => {
      return contentTypeOf(takeHeader(headers, 'Content-Type'), draft.body);
    });
    if (TARGET_REFRESH.has(method) && !headers.some(({ name }) => name === 'Contact')) {
      headers.unshift({ name: 'Contact', value: dialog.contact });
    }
    const content = contentType === undefined ? {} : { body: draft.body, contentType };
    const request = sip.createRequest(method, { headers, ...content });
    if (givenCSeq !== undefined && givenCSeq > sip.localCSeq) {
      sip.localCSeq = givenCSeq;
      setHeader(request, 'CSeq', `${givenCSeq} ${method}`);
    }
    const uri = draft.start.kind === 'request' ? draft.start.uri : '';
    return uri.includes('placeholder') ? request : { ...request, uri };
  }

  /** A final response to an INVITE inside the dialog; returns whether the client is to see it. */
  #reinviteAnswered(
    client: ControlSession,
    dialog: DialogRecord,
    request: SipRequest,
    response: SipResponse,
  ): boolean {
    if (dialog.ackDue?.invite === request) return false; // repeated while the client makes its ACK
    if (response.statusCode >= 300) {
      dialog.reinvite = undefined;
      return true;
    }
    if (this.#acks.acknowledgeAgain(dialog, response)) return false;
    const isWanted =
      dialog.reinvite !== undefined &&
      client.open &&
      this.#context.dialogs.byId(dialog.id) === dialog;
    dialog.reinvite = undefined;
    dialog.sip?.refreshTarget(response);
    dialog.ackDue = { invite: request, thenBye: undefined };
    // It crossed with a BYE, or nobody is left to acknowledge it: the far end gets its ACK from us.
    if (!isWanted) this.#acks.ackUnasked(dialog);
    return true;
  }

  #finish(dialog: DialogRecord, request: SipRequest, response: SipResponse): void {
    const { statusCode } = response;
    const isEnd = request.method === 'BYE' || endsSubscription(request, dialog);
    // A challenged BYE comes again with credentials; any other answer ends the dialog (§15.1.1).
    if (isEnd && statusCode !== 401 && statusCode !== 407) this.#context.dialogs.remove(dialog);
    if (statusCode >= 300 || this.#context.dialogs.byId(dialog.id) !== dialog) return;
    if (request.method !== 'INVITE' && request.method !== 'UPDATE') return;
    if (request.method === 'UPDATE') dialog.sip?.refreshTarget(response);
    this.#sessionTimers.answered(dialog, response, 'uac');
  }
}

/** drachtio-server marks faults inside a dialog as its own. */
function prefixed<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof ClientFault) throw new ClientFault(`Server error: ${error.message}`);
    throw error;
  }
}
