/**
 * What a representative hears between customers: the lobby's sound, so that neither their phone nor a
 * NAT takes the silence for the end of the call, and whispers. A cue or a whisper is nested into
 * the sound by the media server; a bridge ends it, and the channel's parking begins it anew.
 */
import type { LobbyOpen, LobbyWhisper } from '../../machines/lobby-commands.ts';
import type { GatewayClock } from '../clock.ts';
import { PlayQueue } from '../attempts/play-queue.ts';
import type { MediaEndpoint } from '../media/media-endpoint.ts';
import type { PromptFiles } from '../media/prompts.ts';
import type { LobbyOutlet } from './lobby-outlet.ts';

/**
 * A minute of comfort noise, again and again: a channel whose gateway has died is given up by the
 * media server when what it plays is over, and an endless sound never is.
 */
const COMFORT_NOISE = 'silence_stream://60000,1400';
const SOUND_LIMIT_MS = 3_600_000;

export interface LobbyRoomParts {
  readonly endpoint: MediaEndpoint;
  readonly prompts: PromptFiles;
  readonly clock: GatewayClock;
  readonly outlet: LobbyOutlet;
  readonly sound: LobbyOpen['sound'];
}

export class LobbyRoom {
  readonly endpoint: MediaEndpoint;
  /** A customer has the representative. */
  occupied = false;
  readonly #locate: () => Promise<string | undefined>;
  readonly #whispers: PlayQueue;
  #sounding = false;
  #closed = false;

  constructor(parts: LobbyRoomParts) {
    const { endpoint, prompts, clock, outlet, sound = COMFORT_NOISE } = parts;
    this.endpoint = endpoint;
    this.#locate = () => prompts.locate(sound);
    this.#whispers = new PlayQueue({
      ...{ endpoint, prompts, clock },
      mediaReady: () => Promise.resolve(),
      onPlayed: (played) => outlet.emit({ type: 'lobby.played', ...played }),
    });
    endpoint.watchParking(() => {
      if (!this.occupied) this.rest();
    });
  }

  whisper({ playId, prompts }: LobbyWhisper): boolean {
    return this.#whispers.add({ playId, prompts });
  }

  /** The sound, until a bridge ends it. */
  rest(): void {
    if (!this.#sounding) void this.#sound();
  }

  close(): void {
    this.#closed = true;
    this.#whispers.stop();
  }

  async #sound(): Promise<void> {
    this.#sounding = true;
    const file = await this.#locate();
    let again = file !== undefined;
    while (again && !this.#closed) {
      const outcome = await this.endpoint.play([file ?? ''], SOUND_LIMIT_MS);
      const said = outcome.kind === 'done' ? outcome.value.getHeader('Application-Response') : '';
      again = said === 'FILE PLAYED' && !this.occupied;
    }
    this.#sounding = false;
  }
}
