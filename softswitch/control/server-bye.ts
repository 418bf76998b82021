/**
 * BYEs the switch sends on its own account, because the call cannot go on: the client is told by a
 * frame marked `unsolicited`, which drachtio-srf turns into the dialog's `destroy` event.
 */
import type { Dialog } from '../sip/dialog.ts';
import {
  headerOf,
  type SipHeaderField,
  type SipRequest,
  type SipResponse,
} from '../sip/message.ts';
import { tagOf } from '../sip/name-addr.ts';
import type { SipAddress } from '../sip/sip-address.ts';
import type { StopReason } from './call-records.ts';
import type { ControlSession } from './control-session.ts';
import type { DialogRecord } from './dialog-table.ts';
import { sentMeta } from './message-meta.ts';
import { clientOf, hopOf, type SwitchContext } from './switch-context.ts';

/** Reason texts in drachtio-server's words; drachtio-srf hands them to the application. */
export const BYE_TEXTS = {
  ackTimeout: 'ACK timeout',
  cancelRace: 'ACK-BYE due to cancel race condition',
  sessionExpired: 'Session timer expired',
  unusableAnswer: 'answer can not be used',
  forked: 'answered by another fork',
  tooLate: 'answered too late',
  clientGone: 'no client for this call',
} as const;

/** Ends a dialog from our side and tells its client, if one is there to tell. */
export function endDialog(
  context: SwitchContext,
  dialog: DialogRecord,
  text: string,
  record: StopReason,
): void {
  context.dialogs.remove(dialog);
  const { sip } = dialog;
  if (sip === undefined) return;
  const sent = sendBye(context, sip, text, dialog.destination);
  const client = clientOf(context, dialog);
  const meta = sentMeta(sent.bytes.length, context.stack.contactAddress(sent.destination));
  client?.deliver(meta, 'unsolicited', dialog.id, sent.bytes);
  context.records.stop('application', record, sent.request);
}

/** Calls of a client that left long ago, and that no other of its tags has taken over. */
export function endLeftBehind(context: SwitchContext, gone: ControlSession): void {
  for (const dialog of [...context.dialogs.values()]) {
    if (dialog.client !== gone || dialog.state !== 'confirmed') continue;
    if (clientOf(context, dialog) !== undefined) continue;
    endDialog(context, dialog, BYE_TEXTS.clientGone, 'normal-release');
  }
}

/** ACK and BYE for a 2xx nobody wants: another fork's, or one whose client has gone. */
export function refuseAnswer(context: SwitchContext, answer: SipResponse, text: string): void {
  context.unwanted.end(answer, [reasonOf(text)]);
}

/**
 * A 2xx later than its transaction: of a call given up (the far end must not be left in it), or a
 * late repetition in a call that is up, which only wants its ACK again.
 */
export function strayAnswer(context: SwitchContext, answer: SipResponse): void {
  const callId = headerOf(answer, 'Call-ID') ?? '';
  const dialog = context.dialogs.byLocalTag(callId, tagOf(headerOf(answer, 'From')) ?? '');
  const remoteTag = tagOf(headerOf(answer, 'To')) ?? '';
  if (dialog?.sip?.remoteTag !== remoteTag) refuseAnswer(context, answer, BYE_TEXTS.tooLate);
  else if (dialog.lastAck !== undefined) {
    context.stack.sendAck(dialog.lastAck, dialog.destination);
  }
}

function reasonOf(text: string): SipHeaderField {
  return { name: 'Reason', value: `SIP;cause=200;text="${text}"` };
}

function sendBye(
  context: SwitchContext,
  sip: Dialog,
  text: string,
  destination: SipAddress | undefined,
): { request: SipRequest; bytes: Buffer; destination: SipAddress } {
  const request = sip.createRequest('BYE', {
    headers: [reasonOf(text)],
  });
  const transaction = context.stack.send(request, hopOf(destination), {
    onResponse: () => undefined, // whatever the far end says, the dialog is over
  });
  return { request, bytes: transaction.bytesSent, destination: transaction.destination };
}
