/**
 * What must be remembered of a dialog to end it without the objects that made it: after the
 * connection to the switch was lost, from another gateway, or after the switch was started anew.
 */
import type { SipDialog, SipRequest, SipResponse } from './srf.port.ts';

export interface DialogRecord {
  /** The switch's name for the dialog. */
  readonly dialogId: string;
  readonly callId: string;
  /** From and To with their tags, as in the INVITE and its 200. */
  readonly from: string;
  readonly to: string;
  /** Contact of the far end: where a request in the dialog goes (RFC 3261 §12.2.1.1). */
  readonly remoteTarget: string;
  /** Route set for our side: the Record-Route of the answer, last first (RFC 3261 §12.1.2). */
  readonly route: string | undefined;
  readonly inviteCSeq: number;
}

export function dialogRecord(dialog: SipDialog): DialogRecord {
  return recordOf(dialog.id, dialog.res, dialog.req);
}

/** For a 2xx that built no dialog in srf. Undefined when the switch named no dialog. */
export function recordOfAnswer(answer: SipResponse): DialogRecord | undefined {
  const dialogId = answer.stackDialogId;
  return dialogId === undefined || dialogId === '' ? undefined : recordOf(dialogId, answer, answer);
}

/** Of a dialog that the far end began: who called and who answered change places. */
export function recordOfIncoming({ id, sip, req }: SipDialog): DialogRecord {
  const to = req.get('From') ?? '';
  const local = (req.get('To') ?? '').replace(/;tag=[^;]*/i, '');
  return {
    dialogId: id,
    callId: req.get('Call-ID') ?? '',
    from: `${local};tag=${sip.localTag}`,
    to,
    remoteTarget: uriIn(req.get('Contact') ?? to),
    // RFC 3261 §12.1.1: as the request had it.
    route: req.get('Record-Route'),
    inviteCSeq: 0,
  };
}

function recordOf(dialogId: string, answer: SipResponse, invite: SipRequest | SipResponse) {
  const to = answer.get('To') ?? '';
  const recordRoute = answer.get('Record-Route');
  return {
    dialogId,
    callId: answer.get('Call-ID') ?? '',
    from: answer.get('From') ?? '',
    to,
    remoteTarget: uriIn(answer.get('Contact') ?? to),
    route: recordRoute
      ?.match(/<[^>]*>/g)
      ?.reverse()
      .join(', '),
    inviteCSeq: Number.parseInt(invite.get('CSeq') ?? '1', 10) || 1,
  };
}

function uriIn(nameAddr: string): string {
  return /<([^>]+)>/.exec(nameAddr)?.[1] ?? nameAddr.replace(/[;?].*$/, '').trim();
}

/**
 * Headers of a BYE made by hand, for a switch that no longer knows the dialog. The CSeq jumps well
 * above anything sent in it: only an increase is asked for (RFC 3261 §12.2.1.1).
 */
export function byeHeaders(record: DialogRecord): Record<string, string> {
  return {
    From: record.from,
    To: record.to,
    'Call-ID': record.callId,
    CSeq: `${record.inviteCSeq + 1_000} BYE`,
    ...(record.route === undefined ? {} : { Route: record.route }),
  };
}
