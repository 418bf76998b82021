/** What a lobby is made of and works with. */
import type { LobbyOpen } from '../../machines/lobby-commands.ts';
import type { AttemptServices } from '../attempts/attempt-parts.ts';
import type { DialInDesk } from '../dial-in/dial-in-desk.ts';
import type { MediaEndpoint } from '../media/media-endpoint.ts';
import type { PhoneAddresses } from './phone-addresses.ts';
import type { LobbyOutlet } from './lobby-outlet.ts';

export type LobbyServices = Pick<
  AttemptServices,
  'link' | 'ender' | 'pool' | 'prompts' | 'clock' | 'log' | 'counters'
>;

export interface LobbyParts {
  readonly open: LobbyOpen;
  readonly services: LobbyServices;
  readonly phones: PhoneAddresses;
  /** Undefined: nobody can dial in. */
  readonly dialIn: DialInDesk | undefined;
  readonly outlet: LobbyOutlet;
  /** `lobby.left` has been told. */
  readonly onLeft: () => void;
  /** And nothing of it is left on the wire. */
  readonly onReleased: () => void;
}

/** Whoever has the representative: told when they go. */
export interface LobbyGuest {
  readonly attemptId: string;
  onLobbyLeft(detail: string, bySwitch: boolean): void;
}

/** A guest's hold on a lobby. */
export interface LobbySeat {
  readonly endpoint: MediaEndpoint;
  /**
   * The representative waits for the next customer. May be called twice. `isTransferred`: the customer
   * has gone where the representative's own phone wanted.
   */
  leave(isTransferred?: boolean): void;
  /** The representative hears the lobby's sound, while the guest is elsewhere. */
  rest(): void;
}
