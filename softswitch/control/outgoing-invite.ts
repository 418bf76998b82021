/** One INVITE (or SUBSCRIBE) a client sent outside a dialog, from sending to its transaction's end. */
import type { ClientTransaction, ResponseOrigin } from '../sip/client-transaction.ts';
import { cseqOf } from '../sip/cseq.ts';
import { Dialog } from '../sip/dialog.ts';
import { headerOf, headersOf, type SipRequest, type SipResponse } from '../sip/message.ts';
import { parseNameAddr, tagOf } from '../sip/name-addr.ts';
import type { SipAddress } from '../sip/sip-address.ts';
import { parseSipUri } from '../sip/sip-uri.ts';
import type { ControlSession } from './control-session.ts';
import type { DialogRecord } from './dialog-table.ts';
import { BYE_TEXTS, endDialog, refuseAnswer } from './server-bye.ts';
import type { SwitchContext } from './switch-context.ts';

export class OutgoingInvite {
  readonly transactionId: string;
  readonly client: ControlSession;
  readonly dialog: DialogRecord;
  readonly request: SipRequest;
  transaction: ClientTransaction | undefined;
  /** A CANCEL was asked for: a 2xx that comes all the same is acknowledged and hung up. */
  cancelled = false;
  /** A final response has come. */
  final = false;
  readonly #context: SwitchContext;

  constructor(
    context: SwitchContext,
    client: ControlSession,
    transactionId: string,
    request: SipRequest,
    dialog: DialogRecord,
  ) {
    this.#context = context;
    this.client = client;
    this.transactionId = transactionId;
    this.request = request;
    this.dialog = dialog;
  }

  /** Returns whether the client is to see the response. */
  receive(response: SipResponse, from: ResponseOrigin): boolean {
    if (response.statusCode < 200) {
      this.#receiveProvisional(response);
      return !this.final;
    }
    if (response.statusCode >= 300) return this.#receiveFailure(response);
    return this.#receiveAnswer(response, from);
  }

  /** The transaction is over: a 2xx nobody has acknowledged by now never will be. */
  terminated(): void {
    if (!this.final) this.#context.dialogs.remove(this.dialog);
    if (this.dialog.ackDue === undefined || this.dialog.sip === undefined) return;
    this.dialog.ackDue = undefined;
    const ack = this.dialog.sip.createAck(cseqOf(this.request)?.number ?? 0);
    this.#context.stack.sendAck(ack, this.dialog.destination);
    if (this.dialog.state === 'ended') this.#context.dialogs.remove(this.dialog);
    else endDialog(this.#context, this.dialog, BYE_TEXTS.ackTimeout, 'ackbye');
  }

  /** A reliable provisional response opens the early dialog its PRACK belongs to (RFC 3262 §4). */
  #receiveProvisional(response: SipResponse): void {
    if (this.final || headerOf(response, 'RSeq') === undefined) return;
    if (tagOf(headerOf(response, 'To')) === undefined) return;
    this.dialog.sip ??= Dialog.fromUac(this.request, response);
  }

  #receiveFailure(response: SipResponse): boolean {
    if (this.final) return false;
    this.final = true;
    this.#context.dialogs.remove(this.dialog);
    if (this.request.method === 'INVITE') {
      const reason = response.statusCode === 487 ? 'call-canceled' : 'call-rejected';
      this.#context.records.stop('network', reason, response);
    }
    return true;
  }

  #receiveAnswer(response: SipResponse, from: ResponseOrigin): boolean {
    const toTag = tagOf(headerOf(response, 'To')) ?? '';
    if (this.final) {
      if (this.request.method === 'INVITE') this.#receiveFurtherAnswer(response, toTag);
      return false;
    }
    this.final = true;
    const { dialog } = this;
    dialog.sip = Dialog.fromUac(this.request, response);
    dialog.state = 'confirmed';
    dialog.destination = natDestination(response, from.address);
    if (this.request.method !== 'INVITE') return true;
    dialog.ackDue = { invite: this.request, thenBye: this.#reasonToEnd(response) };
    if (!this.#context.router.isConnected(this.client)) {
      this.#context.dialogs.remove(dialog);
      dialog.ackDue = undefined;
      refuseAnswer(this.#context, response, BYE_TEXTS.clientGone);
      return false;
    }
    this.#context.records.start('network', 'uac', response);
    return true;
  }

  /** Why an answered call must be ended at once; drachtio-srf makes a dialog of a 200 with Contact. */
  #reasonToEnd(response: SipResponse): string | undefined {
    if (this.cancelled) return BYE_TEXTS.cancelRace;
    const usable = response.statusCode === 200 && headerOf(response, 'Contact') !== undefined;
    return usable ? undefined : BYE_TEXTS.unusableAnswer;
  }

  /** A repeated 2xx is acknowledged again; one from another fork is acknowledged and hung up. */
  #receiveFurtherAnswer(response: SipResponse, toTag: string): void {
    const { sip, lastAck } = this.dialog;
    if (sip?.remoteTag !== toTag) refuseAnswer(this.#context, response, BYE_TEXTS.forked);
    else if (lastAck !== undefined && cseqOf(lastAck)?.number === cseqOf(response)?.number) {
      this.#context.stack.sendAck(lastAck, this.dialog.destination);
    }
  }
}

/**
 * drachtio-server's rule for a far end behind a NAT: without Record-Route, a Contact whose host is
 * not where the answer came from is not believed, and the dialog goes on with the source address. Nor
 * is one that leaves out `transport=tls` in a call over TLS: it would send ACK and BYE by UDP.
 */
export function natDestination(
  answer: SipResponse,
  source: SipAddress | undefined,
): SipAddress | undefined {
  if (source === undefined || headerOf(answer, 'Record-Route') !== undefined) return undefined;
  const contact = headersOf(answer, 'Contact')[0];
  const uri = parseSipUri(parseNameAddr(contact ?? '')?.uri ?? '');
  const leavesTls =
    source.protocol === 'tls' && uri?.scheme === 'sip' && !uri.params.has('transport');
  return uri?.host === source.host && !leavesTls ? undefined : source;
}
