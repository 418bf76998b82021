/** Answers of clients to requests from the network, and what an answered INVITE asks of the switch. */
import { createResponse } from '../sip/create-response.ts';
import { cseqOf } from '../sip/cseq.ts';
import { Dialog } from '../sip/dialog.ts';
import {
  headerOf,
  headersOf,
  type SipHeaderField,
  type SipRequest,
  type SipResponse,
} from '../sip/message.ts';
import { parseNameAddr, tagOf } from '../sip/name-addr.ts';
import type { ServerTransaction } from '../sip/server-transaction.ts';
import type { SipAddress } from '../sip/sip-address.ts';
import { parseSipUri } from '../sip/sip-uri.ts';
import { AnswerRepetition } from './answer-repetition.ts';
import type { SipDraft } from './client-message.ts';
import type { ControlSession } from './control-session.ts';
import { dialogIdOf, DialogRecord } from './dialog-table.ts';
import type { IncomingRequest, IncomingRequests } from './incoming-request.ts';
import { sentMeta } from './message-meta.ts';
import { ClientFault, formsDialog, ownHeaders, takeHeader } from './new-request.ts';
import { defaultContact } from './party-header.ts';
import { BYE_TEXTS, endDialog } from './server-bye.ts';
import { grantedSessionExpires, type SessionTimers } from './session-timers.ts';
import type { SwitchContext } from './switch-context.ts';

const UNKNOWN_TRANSACTION = 'Response not sent due to unknown transaction';

/** The request's own header fields in a response (RFC 3261 §8.2.6.2): not the client's to change. */
const COPIED = ['From', 'To', 'Call-ID', 'CSeq'];

export class ClientResponses {
  readonly #context: SwitchContext;
  readonly #incoming: IncomingRequests;
  readonly #sessionTimers: SessionTimers;

  constructor(context: SwitchContext, incoming: IncomingRequests, sessionTimers: SessionTimers) {
    this.#context = context;
    this.#incoming = incoming;
    this.#sessionTimers = sessionTimers;
  }

  send(client: ControlSession, messageId: string, transactionId: string, draft: SipDraft): void {
    const incoming = this.#incoming.get(transactionId);
    if (incoming === undefined) throw new ClientFault(unknownTransaction(draft));
    const { transaction } = incoming;
    const { source } = transaction;
    const local = this.#context.stack.contactAddress(source);
    const response = this.#newResponse(incoming, draft, local);
    const reliable = isReliable(response, transaction.request);
    if (reliable) this.#numberProvisional(incoming, response);
    const opened = this.#openDialog(incoming, response, local);
    const bytes = transaction.respond(response);
    if (bytes.length === 0) {
      this.#incoming.remove(incoming);
      if (opened) this.#context.dialogs.remove(opened);
      throw new ClientFault(UNKNOWN_TRANSACTION);
    }
    incoming.patience?.cancel();
    if (reliable) this.#repeatUntilPrack(incoming, response);
    const dialogId = dialogIdFor(incoming);
    if (response.statusCode >= 200) this.#finish(incoming, response);
    // Responses show the far end's address, requests our own: so does drachtio-server.
    client.responseSent(messageId, sentMeta(bytes.length, source), transactionId, dialogId, bytes);
  }

  #newResponse(incoming: IncomingRequest, draft: SipDraft, local: SipAddress): SipResponse {
    const { request, localTag } = incoming.transaction;
    const { start, body } = draft;
    if (start.kind !== 'response') throw new ClientFault('invalid response');
    const headers = ownHeaders(draft, local);
    const [, to] = COPIED.map((name) => takeHeader(headers, name));
    const givenType = takeHeader(headers, 'Content-Type');
    const isSuccess = start.statusCode >= 200 && start.statusCode < 300;
    if ((isSuccess && formsDialog(request.method)) || wants100rel(headers)) {
      if (!headers.some(({ name }) => name === 'Contact')) {
        headers.unshift({ name: 'Contact', value: defaultContact(local) });
      }
    }
    if (isSuccess && (request.method === 'INVITE' || request.method === 'UPDATE')) {
      const granted = grantedSessionExpires(request);
      if (granted !== undefined && !headers.some(({ name }) => name === 'Session-Expires')) {
        headers.push({ name: 'Session-Expires', value: granted });
      }
    }
    return createResponse(request, start.statusCode, {
      ...(start.reason === '' ? {} : { reason: start.reason }),
      headers,
      toTag: incoming.dialog?.localTag ?? tagOf(to) ?? localTag,
      ...(body.length === 0 ? {} : { body, contentType: givenType ?? guessedType(body) }),
    });
  }

  /** The first response to an INVITE that carries our tag opens a dialog (RFC 3261 §12.1). */
  #openDialog(
    incoming: IncomingRequest,
    response: SipResponse,
    local: SipAddress,
  ): DialogRecord | undefined {
    const { transaction } = incoming;
    const { request } = transaction;
    if (incoming.dialog !== undefined || !formsDialog(request.method)) return undefined;
    if (response.statusCode <= 100 || response.statusCode >= 300) return undefined;
    const callId = headerOf(request, 'Call-ID') ?? '';
    const fromTag = tagOf(headerOf(request, 'From')) ?? '';
    if (this.#context.dialogs.byId(dialogIdOf(callId, fromTag)) !== undefined) {
      // The same INVITE came twice, forked on its way: only one of them can be answered.
      this.#incoming.remove(incoming);
      transaction.respond(createResponse(request, 480));
      throw new ClientFault('dialog already exists, rejecting this request');
    }
    const dialog = new DialogRecord({
      callId,
      localTag: tagOf(headerOf(response, 'To')) ?? '',
      fromTag,
      method: request.method,
      client: incoming.client,
      local,
      contact: headerOf(response, 'Contact') ?? defaultContact(local),
      localSdp: undefined,
    });
    dialog.sip = Dialog.fromUas(request, response);
    dialog.destination = natSource(request, transaction);
    dialog.openInvite = incoming.id;
    incoming.dialog = dialog;
    this.#context.dialogs.add(dialog);
    return dialog;
  }

  #finish(incoming: IncomingRequest, response: SipResponse): void {
    const { dialog, transaction } = incoming;
    const { method } = transaction.request;
    this.#incoming.remove(incoming);
    if (response.statusCode >= 300) {
      if (!incoming.inDialog && dialog !== undefined) this.#context.dialogs.remove(dialog);
      if (!incoming.inDialog && method === 'INVITE') {
        this.#context.records.stop('application', 'call-rejected', response);
      }
      return;
    }
    if (dialog === undefined) return;
    if (method === 'INVITE') this.#awaitAck(incoming, dialog, response);
    if (!incoming.inDialog) {
      dialog.state = 'confirmed';
      dialog.contact = headerOf(response, 'Contact') ?? dialog.contact;
      if (method === 'INVITE') this.#context.records.start('application', 'uas', response);
    }
    if (method === 'INVITE' || method === 'UPDATE') {
      if (incoming.inDialog) dialog.sip?.refreshTarget(transaction.request);
      if (response.body.length > 0) dialog.localSdp = response.body;
      this.#sessionTimers.answered(dialog, response, 'uas');
    }
  }

  /** RFC 3261 §13.3.1.4: the 2xx is repeated until the ACK; without one the call is ended. */
  #awaitAck(incoming: IncomingRequest, dialog: DialogRecord, response: SipResponse): void {
    const { transaction } = incoming;
    const { timers, timing } = this.#context;
    dialog.ackAwaited?.stop();
    const repetition = new AnswerRepetition(timers, timing, {
      repeat:
        transaction.source.protocol === 'udp' ? () => transaction.respond(response) : undefined,
      longestMs: timing.t2Ms,
      giveUp: () => {
        dialog.ackAwaited = undefined;
        endDialog(this.#context, dialog, BYE_TEXTS.ackTimeout, 'ackbye');
      },
    });
    dialog.ackAwaited = {
      cseq: cseqOf(transaction.request)?.number ?? 0,
      transactionId: incoming.id,
      stop: () => repetition.stop(),
    };
  }

  #numberProvisional(incoming: IncomingRequest, response: SipResponse): void {
    if (incoming.unpracked !== undefined) {
      throw new ClientFault('a reliable provisional response still waits for its PRACK');
    }
    incoming.rseq += 1;
    response.headers.push({ name: 'RSeq', value: String(incoming.rseq) });
  }

  /** RFC 3262 §3: repeated with doubling intervals; without PRACK the INVITE is refused. */
  #repeatUntilPrack(incoming: IncomingRequest, response: SipResponse): void {
    const { timers, timing } = this.#context;
    const { transaction } = incoming;
    incoming.unpracked = new AnswerRepetition(timers, timing, {
      repeat: () => transaction.respond(response),
      longestMs: Infinity,
      giveUp: () => {
        this.#incoming.remove(incoming);
        if (!incoming.inDialog && incoming.dialog) this.#context.dialogs.remove(incoming.dialog);
        transaction.respond(createResponse(transaction.request, 504));
      },
    });
  }
}

/** A request inside a dialog or the INVITE that makes one names it; others do not. */
function dialogIdFor(incoming: IncomingRequest): string {
  if (incoming.dialog !== undefined) {
    return incoming.transaction.request.method === 'BYE' ? '' : incoming.dialog.id;
  }
  const { request } = incoming.transaction;
  if (!formsDialog(request.method)) return '';
  const fromTag = tagOf(headerOf(request, 'From')) ?? '';
  return dialogIdOf(headerOf(request, 'Call-ID') ?? '', fromTag);
}

function wants100rel(headers: readonly SipHeaderField[]): boolean {
  return headers.some(({ name, value }) => name === 'Require' && /\b100rel\b/i.test(value));
}

/** A provisional response the client wants acknowledged; the far end must understand 100rel. */
function isReliable(response: SipResponse, request: SipRequest): boolean {
  const { statusCode } = response;
  if (request.method !== 'INVITE' || statusCode <= 100 || statusCode >= 200) return false;
  if (!wants100rel(response.headers)) return false;
  const offered = [...headersOf(request, 'Supported'), ...headersOf(request, 'Require')];
  if (offered.some((option) => option.toLowerCase() === '100rel')) return true;
  throw new ClientFault('Remote endpoint does not support 100rel');
}

function guessedType(body: Buffer): string {
  const isSdp = body.subarray(0, 3).toString('latin1') === 'v=0';
  return isSdp ? 'application/sdp' : 'application/octet-stream';
}

function unknownTransaction(draft: SipDraft): string {
  const cseq = draft.headers.find(({ name }) => name === 'CSeq')?.value ?? '';
  return /\bCANCEL\s*$/.test(cseq)
    ? '200 OK to incoming CANCEL is automatically generated by the stack'
    : UNKNOWN_TRANSACTION;
}

/** drachtio-server's rule for callers behind a NAT: over UDP a Contact other than the source is not believed. */
function natSource(request: SipRequest, transaction: ServerTransaction): SipAddress | undefined {
  const { source } = transaction;
  if (source.protocol !== 'udp' || headerOf(request, 'Record-Route') !== undefined)
    return undefined;
  const contact = headersOf(request, 'Contact')[0];
  const uri = parseSipUri(parseNameAddr(contact ?? '')?.uri ?? '');
  if (uri === undefined) return source;
  const isSource = uri.host === source.host && (uri.port === undefined || uri.port === source.port);
  return isSource ? undefined : source;
}
