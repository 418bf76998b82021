/** All calls to the dial-in number: who has been let in and waits, and which lobby waits for whom. */
import { randomUUID } from 'node:crypto';
import type { TelephonyEvent } from '../../machines/telephony-events.ts';
import type { SipRequest, SipResponse } from '../sip/srf.port.ts';
import { callerOf, digitsOf, userOf } from '../inbound/called-number.ts';
import { DialInCall, type DialInCallParts } from './dial-in-call.ts';

type DialInEvent = Extract<TelephonyEvent, { type: `representative.${string}` }>;
type Body<E> = E extends DialInEvent ? Omit<E, 'gatewayId' | 'seq' | 'atMs'> : never;
export type DialInEventBody = Body<DialInEvent>;

export interface DialInDeskParts extends Pick<
  DialInCallParts,
  'settings' | 'services' | 'directory'
> {
  /** Those that are answered, E.164. None: there is no dial-in lobby. */
  readonly numbers: readonly string[];
  readonly callsMax: number;
  readonly publish: (body: DialInEventBody) => void;
  /** They have a leg of another kind here. */
  readonly hasLobby: (representativeId: string) => boolean;
}

export class DialInDesk {
  readonly #parts: DialInDeskParts;
  readonly #numbers: ReadonlySet<string>;
  readonly #calls = new Set<DialInCall>();
  /** Lobbies that were opened before the representative called. */
  readonly #wanted = new Map<string, (call: DialInCall) => void>();

  constructor(parts: DialInDeskParts) {
    this.#parts = parts;
    this.#numbers = new Set(parts.numbers.map(digitsOf));
  }

  get isOpen(): boolean {
    return this.#numbers.size > 0;
  }

  get live(): number {
    return this.#calls.size;
  }

  /** Whether the call is for us; any other is somebody else's to answer. */
  answers({ uri }: SipRequest): boolean {
    const called = userOf(uri);
    return called !== undefined && this.#numbers.has(digitsOf(called));
  }

  take(request: SipRequest, response: SipResponse): void {
    const { callsMax, publish, services, ...rest } = this.#parts;
    if (this.#calls.size >= callsMax) {
      response.send(486);
      return;
    }
    const dialInId = randomUUID();
    const call = new DialInCall(request, response, {
      ...{ ...rest, services },
      source: callerOf(request) ?? request.source_address,
      mayWait: (representativeId) => this.#mayWait(representativeId),
      onWaiting: (representativeId) => {
        publish({ type: 'representative.dialedIn', dialInId, representativeId });
        this.#wanted.get(representativeId)?.(call);
      },
      onRefused: (representativeId, reason) => {
        services.log.info(
          { dialInId, representativeId, reason },
          'not let in at the dial-in lobby',
        );
        publish({ type: 'representative.dialInRefused', dialInId, representativeId, reason });
      },
      onWaitEnded: (representativeId, reason) => {
        publish({ type: 'representative.dialInEnded', dialInId, representativeId, reason });
      },
      onOver: () => this.#calls.delete(call),
    });
    this.#calls.add(call);
    call.start();
  }

  /**
   * Tells of the call of theirs that waits, now or as soon as there is one, until it is withdrawn by
   * what is returned.
   */
  want(representativeId: string, onThere: (call: DialInCall) => void): () => void {
    const tell = (call: DialInCall): void => onThere(call);
    this.#wanted.set(representativeId, tell);
    const waiting = [...this.#calls].find(
      (call) => call.isWaiting && call.representativeId === representativeId,
    );
    if (waiting !== undefined) tell(waiting);
    return () => {
      if (this.#wanted.get(representativeId) === tell) this.#wanted.delete(representativeId);
    };
  }

  switchLost(): void {
    for (const call of [...this.#calls]) call.end('switch');
  }

  closeAll(): void {
    for (const call of [...this.#calls]) call.end('gateway');
  }

  #mayWait(representativeId: string): boolean {
    const hasCall = [...this.#calls].some((call) => call.representativeId === representativeId);
    return !hasCall && !this.#parts.hasLobby(representativeId);
  }
}
