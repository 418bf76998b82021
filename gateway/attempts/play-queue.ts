/** What is to be played to the customer, one after the other; every play has exactly one outcome. */
import type { AttemptPlay } from '../../machines/telephony-commands.ts';
import type { PlayStatus } from '../../machines/telephony-events.ts';
import { elapsedMs, type GatewayClock } from '../clock.ts';
import type { MediaEndpoint } from '../media/media-endpoint.ts';
import type { PromptFiles } from '../media/prompts.ts';

/** Longer than any prompt: only a playback whose end was never reported gets here. */
const PLAY_LIMIT_MS = 3_600_000;
/** A command waiting behind this many others is a mistake of its sender. */
const QUEUE_MAX = 64;

export interface Played {
  readonly playId: string;
  readonly status: PlayStatus;
  readonly playedMs: number;
}

export interface PlayQueueParts {
  readonly endpoint: Pick<MediaEndpoint, 'play'>;
  /** Settles when the customer's media flows: nothing is played into the void. */
  readonly mediaReady: () => Promise<unknown>;
  readonly prompts: PromptFiles;
  readonly clock: GatewayClock;
  readonly onPlayed: (played: Played) => void;
}

type Play = Pick<AttemptPlay, 'playId' | 'prompts'>;

export class PlayQueue {
  readonly #parts: PlayQueueParts;
  readonly #queue: Play[] = [];
  #current: { play: Play; startedMs: number } | undefined;
  #stopped = false;

  constructor(parts: PlayQueueParts) {
    this.#parts = parts;
  }

  /** False when it cannot be taken. */
  add(play: Play): boolean {
    if (this.#stopped || this.#queue.length >= QUEUE_MAX) return false;
    this.#queue.push(play);
    if (this.#current === undefined) void this.#run();
    return true;
  }

  /** The call ends: what plays was stopped after what it had, the rest never began. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    const { clock, onPlayed } = this.#parts;
    if (this.#current !== undefined) {
      const { play, startedMs } = this.#current;
      const playedMs = elapsedMs(startedMs, clock.now());
      onPlayed({ playId: play.playId, status: 'stopped', playedMs });
    }
    for (const { playId } of this.#queue.splice(0)) {
      onPlayed({ playId, status: 'stopped', playedMs: 0 });
    }
  }

  async #run(): Promise<void> {
    for (let play = this.#queue.shift(); play !== undefined; play = this.#queue.shift()) {
      this.#current = { play, startedMs: this.#parts.clock.now() };
      await this.#parts.mediaReady();
      if (this.#isStopped()) return;
      this.#current.startedMs = this.#parts.clock.now();
      const status = await this.#play(play);
      if (this.#isStopped()) return;
      const playedMs = elapsedMs(this.#current.startedMs, this.#parts.clock.now());
      this.#current = undefined;
      const nothingHeard = status === 'notFound' || status === 'failed';
      this.#parts.onPlayed({ playId: play.playId, status, playedMs: nothingHeard ? 0 : playedMs });
    }
  }

  #isStopped(): boolean {
    return this.#stopped;
  }

  async #play(play: Play): Promise<PlayStatus> {
    const files = play.prompts.map((prompt) => this.#parts.prompts.resolve(prompt));
    if (!files.every((file) => file !== undefined)) return 'notFound';
    const outcome = await this.#parts.endpoint.play(files, PLAY_LIMIT_MS);
    if (outcome.kind === 'gone') return 'stopped';
    if (outcome.kind !== 'done') return 'failed';
    const said = outcome.value.getHeader('Application-Response') ?? '';
    if (said === 'FILE NOT FOUND') return 'notFound';
    return said === 'PLAYBACK ERROR' ? 'failed' : 'done';
  }
}
