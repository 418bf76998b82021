/**
 * A representative who is connected before the answer, to hear ringing and announcements (DM-15). What
 * they hear begins with the first SDP of the far end; the conversation takes them over at the answer.
 */
import type { AttemptEnded } from '../../machines/attempt-ended.ts';
import type { AttemptConnect } from '../../machines/telephony-commands.ts';
import type { Partner, PartnerEnd, PartnerParts } from '../attempts/partner.ts';
import { OneTimeSignal } from '../one-time-signal.ts';
import { LobbySession } from './lobby-session.ts';

export type EarlyPartnerParts = Omit<PartnerParts, 'customer' | 'onConnected' | 'onOver'> & {
  readonly customer: Omit<PartnerParts['customer'], 'answeredAtMs' | 'greetingEndedAtMs'>;
};

/** Who hears of the partner after the answer. */
export interface EarlyPartnerHeir {
  onConnected(): void;
  onOver(end: PartnerEnd): void;
}

export class EarlyPartner {
  readonly #parts: EarlyPartnerParts;
  readonly #media = new OneTimeSignal();
  #partner: LobbySession | undefined;
  #heir: EarlyPartnerHeir | undefined;
  #answeredAtMs: number | undefined;

  constructor(parts: EarlyPartnerParts) {
    this.#parts = parts;
  }

  /** False when it cannot be taken: an AI agent has nothing to say to a telephone that rings. */
  connect({ connectId, target, cue }: AttemptConnect): boolean {
    if (target.kind !== 'lobby' || this.#partner?.isOver() === false) return false;
    const { customer, services, ...rest } = this.#parts;
    const answeredAtMs = (): number | undefined => this.#answeredAtMs;
    this.#partner = new LobbySession({
      ...{ ...rest, services, connectId, cue, lobbyId: target.lobbyId },
      lobbies: services.lobbies,
      customer: {
        endpoint: customer.endpoint,
        mediaReady: async () => {
          await new Promise<void>((resolve) => this.#media.onFire(resolve));
          await customer.mediaReady();
        },
        get answeredAtMs() {
          return answeredAtMs();
        },
        greetingEndedAtMs: () => undefined,
      },
      onConnected: () => this.#heir?.onConnected(),
      onOver: (end) => this.#heir?.onOver(end),
    });
    this.#partner.start();
    return true;
  }

  /** The far end has said where its media is. */
  hasMedia(): void {
    this.#media.fire();
  }

  /** The call is answered: from here on the heir is told. Undefined when nobody was connected. */
  handOver(heir: EarlyPartnerHeir): Partner | undefined {
    this.#heir = heir;
    this.#answeredAtMs = this.#parts.services.clock.now();
    this.#media.fire();
    return this.#partner?.isOver() === false ? this.#partner : undefined;
  }

  /** There was no answer. */
  end(by: AttemptEnded['endedBy']): void {
    this.#partner?.end(by === 'trunk' ? 'far' : by);
  }
}
