/**
 * Requests that the network sends us outside any dialog of ours: the pings of trunks, what a far end
 * sends in a dialog that is over, and, where they are configured, REGISTER and INVITE.
 */
import type { SipRequest, SipResponse, SrfPort } from './srf.port.ts';

export interface StrayRequests {
  readonly onRegister?: (request: SipRequest, response: SipResponse) => void;
  readonly onInvite?: (request: SipRequest, response: SipResponse) => void;
}

const ALLOW = 'INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE, PRACK';

export function answerStrayRequests(
  srf: SrfPort,
  { onRegister, onInvite }: StrayRequests = {},
): void {
  if (onRegister !== undefined) srf.use('register', onRegister);
  if (onInvite !== undefined) srf.use('invite', onInvite);
  srf.use('options', (_request, response) => {
    response.send(200, { headers: { Allow: ALLOW, Accept: 'application/sdp' } });
  });
  // BYE must be routed to us also to get those of dialogs made over an earlier connection.
  for (const method of ['bye', 'info']) {
    srf.use(method, (_request, response) => response.send(481));
  }
}
