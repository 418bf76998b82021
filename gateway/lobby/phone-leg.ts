/**
 * The SIP leg towards a phone of ours: a representative's, a supervisor's, the destination of a
 * transfer. Called, watched and let go.
 */
import { SecondLeg, type SecondLegHandlers, type SecondLegParts } from '../sip/second-leg.ts';
import { probeWith, type Probe } from './probe.ts';

export type PhoneLegHandlers = Pick<
  SecondLegHandlers,
  | 'onSent'
  | 'onRinging'
  | 'onAnswered'
  | 'onRefused'
  | 'onLost'
  | 'onMediaProblem'
  | 'onDigit'
  | 'onRefer'
> & {
  /** They hung up; or the switch ended the leg by itself (session timer). */
  onLeft(bySwitch: boolean): void;
};

export interface PhoneLegParts extends Omit<SecondLegParts, 'handlers'> {
  readonly handlers: PhoneLegHandlers;
}

export class PhoneLeg {
  readonly #leg: SecondLeg;

  constructor({ handlers, ...parts }: PhoneLegParts) {
    this.#leg = new SecondLeg({
      ...parts,
      handlers: {
        ...handlers,
        onBye: (_bye, bySwitch) => handlers.onLeft(bySwitch),
        onInfo: (_info, response) => response.send(200),
      },
    });
  }

  /** Settles when their SDP has been applied. */
  get mediaReady(): Promise<unknown> {
    return this.#leg.mediaReady;
  }

  /** Settles when nothing of it is left on the wire. */
  get released(): Promise<void> {
    return this.#leg.released;
  }

  start(): void {
    this.#leg.start();
  }

  /** CANCEL or BYE, whatever it takes; nothing when it has ended. */
  end(): void {
    this.#leg.end();
  }

  /** Whether the phone is there still, silent as it may be. */
  async probe(limitMs: number): Promise<Probe> {
    if (!this.#leg.isAnswered) return 'unknown';
    return probeWith((...request) => this.#leg.request(...request), limitMs);
  }

  /** A NOTIFY, for the progress of a REFER; its answer changes nothing. */
  notify(headers: Record<string, string>, body: string): void {
    void this.#leg.request('NOTIFY', { headers, body });
  }
}
