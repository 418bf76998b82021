/**
 * `unicast` of one channel, with the limits it has in FreeSWITCH: it is served while the channel is
 * parked and by nothing else. An application that takes the audio silences it, and when that ends the
 * connection is torn down while the park loop still holds the old one: from then on a new one is
 * answered `+OK` and sends nothing, until the channel parks anew (after a bridge or a transfer).
 */
import { alaw, mulaw } from '../media/g711.ts';
import { UnicastSocket, type UnicastAddress } from '../media/unicast-socket.ts';
import type { ChannelMedia } from './channel-media.ts';

export class Unicast {
  readonly #media: ChannelMedia;
  #socket: UnicastSocket | undefined;
  #leave: (() => void) | undefined;
  /** The park loop has served a connection and will look at no other. */
  #loopIsTaken = false;

  constructor(media: ChannelMedia) {
    this.#media = media;
  }

  /** Silently does nothing where FreeSWITCH would do nothing. */
  activate(address: UnicastAddress, isParked: boolean): void {
    if (this.#socket !== undefined || this.#loopIsTaken) return;
    const codec = (): typeof mulaw => (this.#media.codec === 'PCMA' ? alaw : mulaw);
    const socket = new UnicastSocket(address, codec);
    socket.onFailed = () => this.reset();
    this.#socket = socket;
    if (isParked) this.#serve(socket);
  }

  /** An application takes the channel's audio. */
  suspend(): void {
    this.#leave?.();
    this.#leave = undefined;
  }

  /** An application that did not touch the audio is over. */
  resume(): void {
    if (this.#socket !== undefined) this.#serve(this.#socket);
  }

  /** An application has reset the channel's audio. */
  reset(): void {
    this.suspend();
    this.#socket?.close();
    this.#socket = undefined;
  }

  /** The channel leaves its park loop, or is hung up; in the next one everything is possible again. */
  unparked(): void {
    this.reset();
    this.#loopIsTaken = false;
  }

  #serve(socket: UnicastSocket): void {
    const { session, taps } = this.#media;
    this.#loopIsTaken = true;
    const removeTap = taps.add(socket);
    const { peer } = socket;
    session.peer = peer;
    this.#leave = () => {
      removeTap();
      if (session.peer === peer) session.peer = undefined;
    };
  }
}
