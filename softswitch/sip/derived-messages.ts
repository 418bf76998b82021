import { createResponse } from './create-response.ts';
import { cseqOf } from './cseq.ts';
import {
  EMPTY_BODY,
  headerOf,
  type SipHeaderField,
  type SipRequest,
  type SipResponse,
} from './message.ts';
import { newTag } from './sip-ids.ts';

/** Fields an ACK or CANCEL has in common with its INVITE; credentials are repeated (§22.1). */
const COPIED = new Set([
  ...['From', 'Call-ID', 'Route', 'Max-Forwards', 'Authorization', 'Proxy-Authorization'],
]);

/** ACK to a 300..699 (RFC 3261 §17.1.1.3). Goes the INVITE's way, with its branch. */
export function ackOfFailure(invite: SipRequest, response: SipResponse): SipRequest {
  return derivedRequest(invite, 'ACK', headerOf(response, 'To') ?? headerOf(invite, 'To') ?? '');
}

/** CANCEL (RFC 3261 §9.1). */
export function cancelOf(invite: SipRequest, headers: readonly SipHeaderField[] = []): SipRequest {
  const cancel = derivedRequest(invite, 'CANCEL', headerOf(invite, 'To') ?? '');
  cancel.headers.push(...headers);
  return cancel;
}

function derivedRequest(invite: SipRequest, method: string, to: string): SipRequest {
  const headers = invite.headers.filter(({ name }) => COPIED.has(name));
  headers.push(
    { name: 'To', value: to },
    { name: 'CSeq', value: `${cseqOf(invite)?.number ?? 0} ${method}` },
  );
  return { kind: 'request', method, uri: invite.uri, headers, body: EMPTY_BODY };
}

/**
 * The response nobody sent: 408 for a time-out, 503 for a failed transport (RFC 3261 §8.1.3.1). What
 * went wrong below stands in a Warning (§20.43), for whoever is to set it right.
 */
export function madeUpResponse(
  request: SipRequest,
  statusCode: 408 | 503,
  problem?: string,
): SipResponse {
  const text = problem?.replace(/["\\\r\n]/g, ' ');
  const headers = text === undefined ? [] : [{ name: 'Warning', value: `399 localhost "${text}"` }];
  return createResponse(request, statusCode, { toTag: newTag(), headers });
}
