/**
 * Requests that the network sends us outside any dialog of ours. A dialer is called by nobody: it
 * answers the pings of its trunks, and tells a far end that its dialog is over.
 */
import type { SrfPort } from './srf.port.ts';

const ALLOW = 'INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE, PRACK';

export function answerStrayRequests(srf: SrfPort): void {
  srf.use('options', (_request, response) => {
    response.send(200, { headers: { Allow: ALLOW, Accept: 'application/sdp' } });
  });
  // BYE must be routed to us also to get those of dialogs made over an earlier connection.
  for (const method of ['bye', 'info']) {
    srf.use(method, (_request, response) => response.send(481));
  }
}
