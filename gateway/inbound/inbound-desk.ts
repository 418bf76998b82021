/** Takes the INVITEs of the network: those to a number that we show are answered, no others. */
import { randomUUID } from 'node:crypto';
import type { TelephonyEvent } from '../../machines/telephony-events.ts';
import type { SipRequest, SipResponse } from '../sip/srf.port.ts';
import { callerAsReceived, callerOf, digitsOf, userOf } from './called-number.ts';
import { InboundCall, type InboundCallParts } from './inbound-call.ts';

type InboundEvent = Extract<TelephonyEvent, { type: `inbound.${string}` }>;
type Body<E> = E extends InboundEvent ? Omit<E, 'gatewayId' | 'seq' | 'atMs'> : never;
export type InboundEventBody = Body<InboundEvent>;

export interface InboundDeskParts extends Omit<
  InboundCallParts,
  'onAnswered' | 'onOptOut' | 'onEnded'
> {
  /** Those that we show: E.164, as the trunks have them. */
  readonly numbers: readonly string[];
  readonly callsMax: number;
  readonly publish: (body: InboundEventBody) => void;
}

export class InboundDesk {
  readonly #parts: InboundDeskParts;
  readonly #numbers: ReadonlySet<string>;
  readonly #calls = new Set<InboundCall>();

  constructor(parts: InboundDeskParts) {
    this.#parts = parts;
    this.#numbers = new Set(parts.numbers.map(digitsOf));
  }

  get live(): number {
    return this.#calls.size;
  }

  take(request: SipRequest, response: SipResponse): void {
    const called = userOf(request.uri);
    if (called === undefined || !this.#numbers.has(digitsOf(called))) {
      response.send(404);
      return;
    }
    if (this.#calls.size >= this.#parts.callsMax) {
      response.send(486);
      return;
    }
    const { publish } = this.#parts;
    const inboundId = randomUUID();
    const about = {
      inboundId,
      ...callerIn(request),
      calledNumber: `+${digitsOf(called)}`,
    };
    const call = new InboundCall(request, response, {
      ...this.#parts,
      onAnswered: () => publish({ type: 'inbound.call', ...about }),
      onOptOut: ({ digit, source }) => publish({ type: 'inbound.optOut', ...about, digit, source }),
      onEnded: (endedBy, heldMs) => {
        this.#calls.delete(call);
        if (heldMs !== undefined) publish({ type: 'inbound.ended', inboundId, endedBy, heldMs });
      },
    });
    this.#calls.add(call);
    call.start();
  }

  closeAll(): void {
    for (const call of [...this.#calls]) call.hangUp();
  }
}

function callerIn(request: SipRequest) {
  const received = callerAsReceived(request);
  return {
    callerNumber: callerOf(request),
    ...(received === null ? {} : { callerAsReceived: received }),
  };
}
