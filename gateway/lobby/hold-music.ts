/** What a customer hears while nobody speaks to them, again and again until somebody does. */
import type { MediaEndpoint } from '../media/media-endpoint.ts';
import type { PromptFiles } from '../media/prompts.ts';

/** Longer than any piece of music: only a playback whose end was never told gets here. */
const PIECE_LIMIT_MS = 3_600_000;

export class HoldMusic {
  readonly #endpoint: Pick<MediaEndpoint, 'play' | 'stopPlaying'>;
  readonly #prompts: PromptFiles;
  /** Of the music that plays; any other has been stopped. */
  #turn = 0;
  #isPlaying = false;

  constructor(endpoint: Pick<MediaEndpoint, 'play' | 'stopPlaying'>, prompts: PromptFiles) {
    this.#endpoint = endpoint;
    this.#prompts = prompts;
  }

  /** Begins it; resolves when what played before is over. None: silence. */
  async play(prompts: readonly string[]): Promise<void> {
    const wasPlaying = this.#isPlaying;
    this.stop();
    if (wasPlaying) await this.#endpoint.stopPlaying();
    const turn = this.#turn;
    const located = await Promise.all(prompts.map((prompt) => this.#prompts.locate(prompt)));
    const files = located.filter((file) => file !== undefined);
    if (files.length > 0 && this.#turn === turn) void this.#loop(files, turn);
  }

  /** It is not begun anew; a bridge ends what plays. */
  stop(): void {
    this.#turn += 1;
  }

  async #loop(files: readonly string[], turn: number): Promise<void> {
    this.#isPlaying = true;
    for (let again = true; again && this.#turn === turn;) {
      const outcome = await this.#endpoint.play(files, PIECE_LIMIT_MS);
      const said = outcome.kind === 'done' ? outcome.value.getHeader('Application-Response') : '';
      again = said === 'FILE PLAYED';
    }
    if (this.#turn === turn) this.#isPlaying = false;
  }
}
