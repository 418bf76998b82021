import { cseqOf } from './cseq.ts';
import type { Dialog } from './dialog.ts';
import type { SipRequest } from './message.ts';

/**
 * ACK to a 2xx of `invite` (RFC 3261 §13.2.2.4): the INVITE's number, and its credentials (§22.1).
 * `sdp` is our answer when the 2xx carried the offer.
 */
export function ackOfAnswer(
  dialog: Dialog,
  invite: SipRequest,
  sdp: string | undefined,
): SipRequest {
  const headers = invite.headers.filter(
    ({ name }) => name === 'Authorization' || name === 'Proxy-Authorization',
  );
  const number = cseqOf(invite)?.number ?? 0;
  return dialog.createAck(number, sdp === undefined ? { headers } : { headers, body: sdp });
}
