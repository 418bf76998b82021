/** How a representative's leg comes to a lobby: their phone is called, or they have called us. */
import type { MediaEndpoint, ReceivedDigit } from '../media/media-endpoint.ts';
import type { SipRequest, SipResponse } from '../sip/srf.port.ts';
import type { PhoneLeg } from './phone-leg.ts';

/** The representative's phone, as far as a lobby deals with it. */
export type LobbyPhone = Pick<PhoneLeg, 'probe' | 'notify'>;

export interface LobbyWayHandlers {
  /** Their media is connected. */
  onAnswered(endpoint: MediaEndpoint, phone: LobbyPhone): void;
  onRefused(statusCode: number | null, detail: string): void;
  onLost(detail: string): void;
  onLeft(bySwitch: boolean): void;
  onDigit(digit: ReceivedDigit): void;
  onRefer(refer: SipRequest, response: SipResponse, phone: LobbyPhone): void;
}

export interface LobbyWay {
  start(): void;
  /**
   * Resolves when nothing of it is left on the wire. `isReleased`: the representative is not wanted any
   * more, but has done nothing to be hung up for: a leg that they made themselves waits again.
   */
  end(isReleased: boolean): Promise<void>;
}
