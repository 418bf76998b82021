import { serializeSipMessage, type SipResponse } from './message.ts';
import type { ResponseRoute } from './response-route.ts';
import type { SipAddress } from './sip-address.ts';
import type { SipTransport } from './transport.ts';

/** The way back of one request: its transport, its address, and the second try for a stream. */
export class ResponsePath {
  readonly source: SipAddress;
  readonly local: SipAddress;
  readonly isReliable: boolean;
  readonly #transport: SipTransport;
  readonly #route: ResponseRoute;
  readonly #onSent: (bytes: Buffer, destination: SipAddress) => void;

  constructor(
    transport: SipTransport,
    source: SipAddress,
    route: ResponseRoute,
    onSent: (bytes: Buffer, destination: SipAddress) => void,
  ) {
    this.source = source;
    this.local = transport.local;
    this.isReliable = transport.reliable;
    this.#transport = transport;
    this.#route = route;
    this.#onSent = onSent;
  }

  /** Returns the bytes, for sending them again. */
  send(response: SipResponse): Buffer {
    const bytes = serializeSipMessage(response);
    this.resend(bytes);
    return bytes;
  }

  resend(bytes: Buffer): void {
    const { primary, fallback } = this.#route;
    const usesPrimary = !this.#transport.reliable || this.#transport.isConnected(primary);
    const destination = usesPrimary ? primary : fallback;
    this.#transport.send(bytes, destination, false, () => {
      // Nobody to tell: a request whose answer is lost is repeated by its sender.
    });
    this.#onSent(bytes, destination);
  }
}
