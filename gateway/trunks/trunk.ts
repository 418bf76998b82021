/** One trunk at work: what it may carry, what it is carrying, and what is known of its health. */
import { readTrunkAddress, type TrunkAddress } from '../../config/trunk-address.ts';
import type { TrunkConfig } from '../../config/trunk.schema.ts';
import type { TrunkState } from '../../machines/gateway-events.ts';
import { DialerError } from '../../machines/errors.ts';
import type { DigestAnswer } from '../sip/srf.port.ts';
import { CallRate } from './call-rate.ts';
import { digestAnswer } from './digest-answer.ts';
import { uriAt } from './trunk-uri.ts';

export class Trunk {
  readonly config: TrunkConfig;
  readonly address: TrunkAddress;
  readonly auth: DigestAnswer | undefined;
  #state: TrunkState['state'] = 'unknown';
  #stateDetail = 'not asked yet';
  #isKnownDead = false;
  readonly #rate: CallRate;
  #channelsInUse = 0;

  constructor(config: TrunkConfig) {
    const address = readTrunkAddress(config.address);
    if ('problem' in address) {
      throw new DialerError('CONFIG_INVALID', `trunk ${config.name}: ${address.problem}`);
    }
    this.config = config;
    this.address = address;
    this.auth = digestAnswer(config);
    this.#rate = new CallRate(config.callsPerSecondMax);
  }

  get name(): string {
    return this.config.name;
  }

  get state(): TrunkState['state'] {
    return this.#state;
  }

  get stateDetail(): string {
    return this.#stateDetail;
  }

  /**
   * There is proof that no INVITE can arrive: a closed port, a name that does not resolve. A trunk
   * that is only silent to OPTIONS is still dialled: many answer nothing but INVITE.
   */
  get isKnownDead(): boolean {
    return this.#isKnownDead;
  }

  /** Returns true when that is news. */
  learn(state: TrunkState['state'], detail: string, isKnownDead: boolean): boolean {
    const isNews = state !== this.#state;
    this.#state = state;
    this.#stateDetail = detail;
    this.#isKnownDead = isKnownDead;
    return isNews;
  }

  get channelsInUse(): number {
    return this.#channelsInUse;
  }

  get hasFreeChannel(): boolean {
    return this.#channelsInUse < this.config.channelsMax;
  }

  /** Returns the function that frees it: exactly once, however often it is called. */
  takeChannel(): () => void {
    this.#channelsInUse += 1;
    let taken = true;
    return () => {
      if (taken) this.#channelsInUse -= 1;
      taken = false;
    };
  }

  /** When the INVITE may leave, epoch ms; undefined when not by `notAfterMs`. */
  takeMoment(nowMs: number, notAfterMs: number): number | undefined {
    return this.#rate.take(nowMs, notAfterMs);
  }

  uriOf(user?: string): string {
    return uriAt(this.address, user);
  }
}
