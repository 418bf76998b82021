/**
 * drachtio-srf as fsmrf sees it: the INVITEs to the media server go through our own link. So making an
 * endpoint is settled when the connection drops, and fsmrf's clean-up (a `dialog.destroy()` whose
 * rejection nobody catches) cannot end the process.
 */
import { dialogRecord } from '../sip/dialog-record.ts';
import type { DialogEnder } from '../sip/dialog-ender.ts';
import type { InviteFailure } from '../sip/outgoing-invite.ts';
import type { SipLink } from '../sip/sip-link.ts';
import type { SipDialog } from '../sip/srf.port.ts';
import { withSecureOffer } from './secure-offer.ts';
import type { EndpointSignallingPort } from './fsmrf.port.ts';

export class EndpointSignalling implements EndpointSignallingPort {
  readonly #link: SipLink;
  readonly #ender: DialogEnder;

  constructor(link: SipLink, ender: DialogEnder) {
    this.#link = link;
    this.#ender = ender;
  }

  createUAC(uri: string, options: { headers: Record<string, string>; localSdp?: string }) {
    return new Promise<SipDialog>((resolve, reject) => {
      this.#link.invite(uri, withSecureOffer(options), {
        onSent: () => undefined,
        onProvisional: () => undefined,
        onAnswered: (dialog) => {
          dialog.destroy = () => this.#ender.bye(dialogRecord(dialog));
          resolve(dialog);
        },
        onFailed: (failure) => reject(new Error(wordsOf(failure))),
        onLost: () => reject(new Error('drachtio was lost')),
      });
    });
  }
}

function wordsOf(failure: InviteFailure): string {
  if (failure.kind !== 'final') return failure.problem;
  const { status, reason } = failure.response;
  return `the media server answered ${status} ${reason}`;
}
