/**
 * Session timers of RFC 4028, which drachtio-server runs for its clients: it refreshes the dialogs
 * it is to refresh, half-way through the interval, and ends those the far end lets lapse.
 */
import type { ClientTransaction } from '../sip/client-transaction.ts';
import { cseqOf } from '../sip/cseq.ts';
import type { SipHeaderField, SipRequest, SipResponse } from '../sip/message.ts';
import { MIN_SE_SECONDS, sessionIntervalOf } from '../sip/session-expires.ts';
import type { DialogRecord } from './dialog-table.ts';
import { BYE_TEXTS, endDialog } from './server-bye.ts';
import { hopOf, type SwitchContext } from './switch-context.ts';

export class SessionTimers {
  readonly #context: SwitchContext;

  constructor(context: SwitchContext) {
    this.#context = context;
  }

  /**
   * A 2xx to INVITE or UPDATE was received (`ourRole` uac) or sent (uas): its Session-Expires, or
   * the lack of one, replaces what was agreed before (RFC 4028 §7.2, §9).
   */
  answered(dialog: DialogRecord, answer: SipResponse, ourRole: 'uac' | 'uas'): void {
    dialog.sessionTimer?.cancel();
    dialog.sessionTimer = undefined;
    const interval = sessionIntervalOf(answer);
    if (interval === undefined) return;
    const weRefresh = (interval.refresher ?? 'uac') === ourRole;
    this.#arm(dialog, interval.seconds, weRefresh);
  }

  #arm(dialog: DialogRecord, seconds: number, weRefresh: boolean): void {
    dialog.sessionTimer?.cancel();
    const delayMs = (weRefresh ? seconds / 2 : seconds) * 1_000;
    dialog.sessionTimer = this.#context.timers.schedule(delayMs, () => {
      dialog.sessionTimer = undefined;
      if (weRefresh) this.#refresh(dialog, seconds);
      else endDialog(this.#context, dialog, BYE_TEXTS.sessionExpired, 'session-expired');
    });
  }

  /** A re-INVITE with the session as it is; the client does not see it. */
  #refresh(dialog: DialogRecord, seconds: number): void {
    const { sip, localSdp, destination } = dialog;
    if (sip === undefined) return;
    if (dialog.reinvite !== undefined) {
      this.#arm(dialog, seconds, true); // the client's own re-INVITE refreshes just as well
      return;
    }
    const headers: SipHeaderField[] = [
      { name: 'Contact', value: dialog.contact },
      { name: 'Supported', value: 'timer' },
      { name: 'Session-Expires', value: `${seconds};refresher=uac` },
      { name: 'Min-SE', value: String(MIN_SE_SECONDS) },
    ];
    const body = localSdp === undefined ? {} : { body: localSdp, contentType: 'application/sdp' };
    const request = sip.createRequest('INVITE', { headers, ...body });
    let transaction: ClientTransaction | undefined;
    transaction = this.#context.stack.send(request, hopOf(destination), {
      onResponse: (response) => {
        if (response.statusCode < 200) return;
        if (dialog.reinvite === transaction) dialog.reinvite = undefined;
        transaction = undefined;
        this.#refreshed(dialog, request, response, seconds);
      },
    });
    dialog.reinvite = transaction;
  }

  #refreshed(
    dialog: DialogRecord,
    request: SipRequest,
    response: SipResponse,
    seconds: number,
  ): void {
    const { sip } = dialog;
    if (sip === undefined) return;
    if (response.statusCode < 300) {
      const ack = sip.createAck(cseqOf(request)?.number ?? 0);
      dialog.lastAck = ack;
      this.#context.stack.sendAck(ack, dialog.destination);
      if (this.#context.dialogs.byId(dialog.id) !== dialog) return;
      sip.refreshTarget(response);
      this.answered(dialog, response, 'uac');
    } else if (this.#context.dialogs.byId(dialog.id) !== dialog) return;
    else if (response.statusCode === 491) this.#arm(dialog, seconds, true);
    else endDialog(this.#context, dialog, BYE_TEXTS.sessionExpired, 'session-expired');
  }
}

/**
 * The offer in a request, granted: added to a 2xx whose client says nothing of it. An offer that
 * leaves the refresher open is declined, which is drachtio-server's default.
 */
export function grantedSessionExpires(request: SipRequest): string | undefined {
  const offered = sessionIntervalOf(request);
  if (offered?.refresher === undefined) return undefined;
  return `${offered.seconds};refresher=${offered.refresher}`;
}
