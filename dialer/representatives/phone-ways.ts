/**
 * How each representative's phone is reached: by the call they have made to the dial-in number, by the
 * URI that was set, by what they have registered, or by a call to the dial-in number still to come.
 */
import type { RepresentativeDirectory } from '../../machines/representative-directory.port.ts';
import type { TelephonyEvent } from '../../machines/telephony-events.ts';
import type { RepresentativeProfile } from './match-representatives.ts';
import type { PhoneWay } from './lobby-leg.ts';

interface DialedIn {
  readonly dialInId: string;
  readonly gatewayId: string;
}

export class PhoneWays {
  readonly #directory: Pick<RepresentativeDirectory, 'bindingsOf'>;
  readonly #nowMs: () => number;
  /** Legs that wait, by representative. */
  readonly #dialedIn = new Map<string, DialedIn>();

  constructor(directory: Pick<RepresentativeDirectory, 'bindingsOf'>, nowMs: () => number) {
    this.#directory = directory;
    this.#nowMs = nowMs;
  }

  /** For every event of the gateway's. */
  hear(event: TelephonyEvent): void {
    if (event.type === 'representative.dialedIn') {
      const { dialInId, gatewayId, representativeId } = event;
      this.#dialedIn.set(representativeId, { dialInId, gatewayId });
    } else if (event.type === 'representative.dialInEnded') {
      const known = this.#dialedIn.get(event.representativeId);
      if (known?.dialInId === event.dialInId) this.#dialedIn.delete(event.representativeId);
    } else if (event.type === 'gateway.lost') {
      for (const [id, { gatewayId }] of [...this.#dialedIn]) {
        if (gatewayId === event.gatewayId) this.#dialedIn.delete(id);
      }
    }
  }

  /** The one gateway that has their call, when they have dialled in; undefined: they have not. */
  placeOf(representativeId: string): string | undefined {
    return this.#dialedIn.get(representativeId)?.gatewayId;
  }

  /** Undefined: there is none. */
  of(profile: RepresentativeProfile): PhoneWay | undefined | Promise<PhoneWay | undefined> {
    const dialedIn = this.#dialedIn.get(profile.id);
    if (dialedIn !== undefined) {
      return { via: 'dialIn', sipUri: '', gatewayId: dialedIn.gatewayId };
    }
    if (profile.sipUri !== null) return { via: 'invite', sipUri: profile.sipUri };
    const expected: PhoneWay | undefined = profile.canDialIn
      ? { via: 'dialIn', sipUri: '' }
      : undefined;
    return profile.sipUser === null ? expected : this.#registeredOr(profile.id, expected);
  }

  /** The gateway is told nothing but whose phone it is: it knows the way back through a NAT. */
  async #registeredOr(id: string, other: PhoneWay | undefined): Promise<PhoneWay | undefined> {
    const { bindings } = await this.#directory.bindingsOf(id);
    const nowMs = this.#nowMs();
    const isThere = bindings.some(({ expiresAtMs }) => expiresAtMs > nowMs);
    return isThere ? { via: 'invite', sipUri: '' } : other;
  }
}
