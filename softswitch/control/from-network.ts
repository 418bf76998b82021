/** Requests from the network on their way to a client: new ones, those in a dialog, ACK and CANCEL. */
import { randomUUID } from 'node:crypto';
import { createResponse } from '../sip/create-response.ts';
import { cseqOf } from '../sip/cseq.ts';
import { headerOf, serializeSipMessage, type SipRequest } from '../sip/message.ts';
import { tagOf } from '../sip/name-addr.ts';
import type { ServerTransaction } from '../sip/server-transaction.ts';
import { asksTooSmallInterval, MIN_SE_SECONDS } from '../sip/session-expires.ts';
import type { SipAddress } from '../sip/sip-address.ts';
import type { ControlSession } from './control-session.ts';
import { endsSubscription, type DialogRecord } from './dialog-table.ts';
import type { IncomingRequest, IncomingRequests } from './incoming-request.ts';
import { receivedMeta } from './message-meta.ts';
import { clientOf, type SwitchContext } from './switch-context.ts';

/** Methods that mean nothing outside a dialog (RFC 3261 §12.2.2): without one they get 481. */
const NEEDS_DIALOG = new Set(['BYE', 'UPDATE', 'PRACK']);

/** How long a client may be silent about a new INVITE, in transaction time-outs (64*T1). */
const PATIENCE_TIMEOUTS = 2;

export class FromNetwork {
  readonly #context: SwitchContext;
  readonly #incoming: IncomingRequests;

  constructor(context: SwitchContext, incoming: IncomingRequests) {
    this.#context = context;
    this.#incoming = incoming;
  }

  receive(transaction: ServerTransaction): void {
    const { request } = transaction;
    const toTag = tagOf(headerOf(request, 'To'));
    if (toTag === undefined) {
      if (NEEDS_DIALOG.has(request.method)) reject(transaction, 481);
      else this.#receiveNew(transaction);
      return;
    }
    const dialog = this.#dialogOf(request, toTag);
    if (dialog !== undefined) this.#receiveInDialog(transaction, dialog);
    else if (request.method === 'INVITE' || NEEDS_DIALOG.has(request.method)) {
      reject(transaction, 481);
    } else this.#receiveNew(transaction, 481); // drachtio-server offers these to its clients
  }

  /** ACK to a 2xx of ours: ends its repetition. A repeated ACK changes nothing and is not passed on. */
  receiveAck(ack: SipRequest, source: SipAddress): void {
    const toTag = tagOf(headerOf(ack, 'To')) ?? '';
    const dialog = this.#dialogOf(ack, toTag);
    const awaited = dialog?.ackAwaited;
    if (dialog === undefined || awaited === undefined) return;
    if (awaited.cseq !== cseqOf(ack)?.number) return;
    awaited.stop();
    dialog.ackAwaited = undefined;
    const bytes = serializeSipMessage(ack);
    const meta = receivedMeta(bytes.length, source);
    clientOf(this.#context, dialog)?.deliver(meta, awaited.transactionId, dialog.id, bytes);
  }

  /** Nobody will answer what this client was asked: the far ends are told rather than left waiting. */
  abandon(client: ControlSession): void {
    for (const incoming of this.#incoming.ofClient(client)) {
      this.#incoming.remove(incoming);
      reject(incoming.transaction, 480);
      if (!incoming.inDialog && incoming.dialog) this.#context.dialogs.remove(incoming.dialog);
    }
  }

  #dialogOf(request: SipRequest, toTag: string): DialogRecord | undefined {
    const callId = headerOf(request, 'Call-ID') ?? '';
    const dialog = this.#context.dialogs.byLocalTag(callId, toTag);
    if (dialog === undefined || dialog.state === 'ended') return undefined;
    const fromTag = tagOf(headerOf(request, 'From')) ?? '';
    return dialog.sip === undefined || dialog.sip.remoteTag === fromTag ? dialog : undefined;
  }

  #receiveNew(transaction: ServerTransaction, refusal = 503): void {
    const { request } = transaction;
    const client = this.#context.router.select(request.method);
    if (request.method === 'INVITE') this.#context.records.attempt('network', request);
    if (client === undefined) {
      reject(transaction, refusal);
      if (request.method === 'INVITE') {
        this.#context.records.stop('application', 'call-rejected', request);
      }
      return;
    }
    const incoming = this.#await(transaction, client, undefined);
    const bytes = serializeSipMessage(request);
    const { source } = transaction;
    const meta = receivedMeta(bytes.length, source);
    const local = this.#context.stack.contactAddress(source);
    client.deliverNew(meta, incoming.id, `${local.host}|${local.port}`, bytes);
  }

  #receiveInDialog(transaction: ServerTransaction, dialog: DialogRecord): void {
    const { request } = transaction;
    if (dialog.sip !== undefined && !dialog.sip.acceptRemoteCSeq(request)) {
      reject(transaction, 500); // RFC 3261 §12.2.2: out of order
      return;
    }
    if (dialog.sip === undefined && request.method === 'BYE') reject(transaction, 481);
    else if (this.#refusesOffer(transaction, dialog)) return;
    else if (request.method === 'PRACK' && !this.#stopsRepetition(request, dialog)) {
      reject(transaction, 481); // RFC 3262 §3: it acknowledges nothing we sent
    } else this.#passOn(transaction, dialog);
  }

  #passOn(transaction: ServerTransaction, dialog: DialogRecord): void {
    const { request } = transaction;
    const client = clientOf(this.#context, dialog);
    if (request.method === 'BYE') this.#receiveBye(request, dialog);
    if (client === undefined) {
      reject(transaction, 481);
      return;
    }
    const incoming = this.#await(transaction, client, dialog);
    const bytes = serializeSipMessage(request);
    const meta = receivedMeta(bytes.length, transaction.source);
    client.deliver(meta, incoming.id, dialog.id, bytes);
    if (endsSubscription(request, dialog)) this.#context.dialogs.remove(dialog);
  }

  /** Whether an INVITE or UPDATE cannot be taken now (RFC 3261 §14.2, RFC 4028 §9); answers it then. */
  #refusesOffer(transaction: ServerTransaction, dialog: DialogRecord): boolean {
    const { request } = transaction;
    if (request.method !== 'INVITE' && request.method !== 'UPDATE') return false;
    if (request.method === 'INVITE' && dialog.reinvite !== undefined) reject(transaction, 491);
    else if (request.method === 'INVITE' && dialog.openInvite !== undefined) {
      reject(transaction, 500, [{ name: 'Retry-After', value: '3' }]);
    } else if (asksTooSmallInterval(request)) {
      reject(transaction, 422, [{ name: 'Min-SE', value: String(MIN_SE_SECONDS) }]);
    } else return false;
    return true;
  }

  #stopsRepetition(prack: SipRequest, dialog: DialogRecord): boolean {
    const invite = this.#incoming.get(dialog.openInvite ?? '');
    const [rseq, cseq] = (headerOf(prack, 'RAck') ?? '').trim().split(/\s+/).map(Number);
    if (invite?.unpracked === undefined || rseq !== invite.rseq) return false;
    if (cseq !== cseqOf(invite.transaction.request)?.number) return false;
    invite.unpracked.stop();
    invite.unpracked = undefined;
    return true;
  }

  /** The dialog is over with the BYE, not with its answer; an ACK we owe is still sent. */
  #receiveBye(bye: SipRequest, dialog: DialogRecord): void {
    const open = this.#incoming.get(dialog.openInvite ?? '');
    if (open !== undefined) {
      this.#incoming.remove(open);
      reject(open.transaction, 487); // RFC 3261 §15.1.2
    }
    if (dialog.ackDue === undefined) this.#context.dialogs.remove(dialog);
    else dialog.state = 'ended';
    dialog.sessionTimer?.cancel();
    this.#context.records.stop('network', 'normal-release', bye);
  }

  #await(
    transaction: ServerTransaction,
    client: ControlSession,
    dialog: DialogRecord | undefined,
  ): IncomingRequest {
    const incoming: IncomingRequest = {
      id: randomUUID(),
      transaction,
      client,
      dialog,
      inDialog: dialog !== undefined,
      patience: undefined,
      rseq: 0,
      unpracked: undefined,
    };
    this.#incoming.add(incoming);
    const { method } = transaction.request;
    if (method === 'INVITE') {
      if (dialog !== undefined) dialog.openInvite = incoming.id;
      transaction.onCancel = (cancel) => this.#receiveCancel(incoming, cancel);
    }
    const { timers, timing } = this.#context;
    incoming.patience = timers.schedule(PATIENCE_TIMEOUTS * 64 * timing.t1Ms, () => {
      this.#incoming.remove(incoming);
      // A late 408 to anything but INVITE only adds to the damage (RFC 4320 §4.2).
      if (method === 'INVITE') reject(transaction, 408);
    });
    return incoming;
  }

  /** The CANCEL has its 200; the client hears of it and has nothing left to answer. */
  #receiveCancel(incoming: IncomingRequest, cancel: SipRequest): void {
    if (this.#incoming.get(incoming.id) !== incoming) return;
    const { dialog, transaction } = incoming;
    this.#incoming.remove(incoming);
    reject(transaction, 487);
    if (dialog !== undefined && !incoming.inDialog) this.#context.dialogs.remove(dialog);
    const bytes = serializeSipMessage(cancel);
    const meta = receivedMeta(bytes.length, transaction.source);
    incoming.client.deliver(meta, incoming.id, dialog?.id ?? '', bytes);
    this.#context.records.stop('network', 'call-canceled', cancel);
  }
}

function reject(
  transaction: ServerTransaction,
  statusCode: number,
  headers: readonly { name: string; value: string }[] = [],
): void {
  transaction.respond(createResponse(transaction.request, statusCode, { headers }));
}
