/**
 * One channel of a FreeSWITCH that dies: no command is answered any more, and the test says in which
 * order the signs of it arrive.
 */
import { EventEmitter } from 'node:events';
import { MediaEndpoint } from '../../gateway/media/media-endpoint.ts';
import type { SipFailure } from '../../gateway/sip/srf.port.ts';
import type { AttemptBench } from './attempt-bench.ts';
import { FAR_SDP, fakeRequest, fakeResponse } from './fake-srf.ts';

/** Of drachtio's stack, where nobody listens any more. */
const PORT_CLOSED: SipFailure = Object.assign(new Error('Sip non-success response: 503'), {
  status: 503,
});

export class DyingMediaServer {
  readonly endpoint: MediaEndpoint;
  readonly #channel = new EventEmitter();
  readonly #reInvites: ((failure: SipFailure) => void)[] = [];

  constructor({ link, ender, clock, counters }: AttemptBench) {
    const silence = () => new Promise<never>(() => undefined);
    const endpoint = Object.assign(this.#channel, {
      ...{ uuid: 'channel-1', conn: null, dialog: null, local: { sdp: FAR_SDP } },
      ...{ execute: silence, api: silence },
    });
    const headers = { 'Call-ID': 'media', From: '<sip:us@h>;tag=our', CSeq: '10 INVITE' };
    const answer = { ...headers, To: '<sip:media@h>;tag=m', Contact: '<sip:media@192.0.2.3>' };
    const dialog = Object.assign(new EventEmitter(), {
      ...{ id: 'media;from-tag=our', local: { sdp: '' } },
      ...{ sip: { callId: 'media', localTag: 'our', remoteTag: 'm' } },
      remote: { sdp: FAR_SDP, uri: 'sip:media@192.0.2.3' },
      req: fakeRequest('INVITE', { headers }),
      res: fakeResponse(200, 'OK', { headers: answer }),
      modify: () => new Promise<string>((_resolve, reject) => this.#reInvites.push(reject)),
      destroy: () => Promise.resolve(undefined),
    });
    this.endpoint = new MediaEndpoint({
      ...{ endpoint, dialog, link, ender, clock, counters },
      ...{ commandTimeoutMs: 5_000, mediaServerId: 'fs-1' },
    });
  }

  /** The re-INVITE with the far end's SDP fails. */
  reInvite(failure: SipFailure = PORT_CLOSED): void {
    for (const reject of this.#reInvites.splice(0)) reject(failure);
  }

  /** fsmrf says that the event socket of the channel has ended. */
  eventSocket(): void {
    this.#channel.emit('destroy');
  }
}
