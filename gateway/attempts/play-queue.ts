/** What is to be played to the customer, one after the other; every play has exactly one outcome. */
import type { AttemptPlay } from '../../machines/telephony-commands.ts';
import type { PlayStatus } from '../../machines/telephony-events.ts';
import { elapsedMs, type GatewayClock } from '../clock.ts';
import type { MediaEndpoint } from '../media/media-endpoint.ts';
import type { PromptFiles } from '../media/prompts.ts';
import { OneTimeSignal } from '../one-time-signal.ts';
import type { GreetingWatch } from './greeting-watch.ts';

/** Longer than any prompt: only a playback whose end was never reported gets here. */
const PLAY_LIMIT_MS = 3_600_000;
/** A command waiting behind this many others is a mistake of its sender. */
const QUEUE_MAX = 64;
/** After a message that offers an opt-out: people press the key when they have heard which. */
const OPT_OUT_GRACE_MS = 3_000;
/** How often a text is begun anew because the greeting was not over yet; then it is said regardless. */
const RESTARTS_MAX = 2;

export interface Played {
  readonly playId: string;
  readonly status: PlayStatus;
  readonly playedMs: number;
}

export interface PlayQueueParts {
  readonly endpoint: Pick<MediaEndpoint, 'play' | 'stopPlaying'>;
  /** Settles when the customer's media flows: nothing is played into the void. */
  readonly mediaReady: () => Promise<unknown>;
  readonly prompts: PromptFiles;
  readonly clock: GatewayClock;
  /** Without it nothing waits for a greeting. */
  readonly greeting?: Pick<GreetingWatch, 'over' | 'whenResumed'>;
  /** A play is begun: it may wait for the greeting's end first. */
  readonly onBegins?: (play: Play) => void;
  readonly onPlayed: (played: Played) => void;
}

export type Play = Pick<
  AttemptPlay,
  'playId' | 'prompts' | 'when' | 'optOutDigits' | 'optOutPrompt'
>;

type Outcome = Omit<Played, 'playId'>;

interface Current {
  readonly play: Play;
  /** Undefined until it is heard. */
  beganAtMs: number | undefined;
  /** It is over, and only the digits it offered are waited for. */
  heard: Outcome | undefined;
  /** What ends it before its end. */
  readonly cut: OneTimeSignal;
}

export class PlayQueue {
  readonly #parts: PlayQueueParts;
  readonly #queue: Play[] = [];
  #current: Current | undefined;
  #stopped = false;

  constructor(parts: PlayQueueParts) {
    this.#parts = parts;
  }

  /** What is played, or waits for the greeting's end. */
  get current(): Play | undefined {
    return this.#current?.cut.fired === true ? undefined : this.#current?.play;
  }

  get isIdle(): boolean {
    return this.current === undefined && this.#queue.length === 0;
  }

  /** False when it cannot be taken. */
  add(play: Play): boolean {
    if (this.#stopped || this.#queue.length >= QUEUE_MAX) return false;
    this.#queue.push(play);
    if (this.#current === undefined) void this.#run();
    return true;
  }

  /** What plays is broken off and what waits is dropped; something else may be played then. */
  clear(): void {
    const dropped = this.#queue.splice(0);
    this.#cut();
    for (const { playId } of dropped) {
      this.#parts.onPlayed({ playId, status: 'stopped', playedMs: 0 });
    }
  }

  /** The call ends: what plays was stopped after what it had, the rest never began. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.clear();
  }

  #cut(): void {
    const current = this.#current;
    if (current === undefined || current.cut.fired) return;
    const { clock, onPlayed } = this.#parts;
    const { beganAtMs, play } = current;
    const playedMs = beganAtMs === undefined ? 0 : elapsedMs(beganAtMs, clock.now());
    const outcome: Outcome = current.heard ?? { status: 'stopped', playedMs };
    current.cut.fire();
    onPlayed({ playId: play.playId, ...outcome });
  }

  async #run(): Promise<void> {
    for (let play = this.#queue.shift(); play !== undefined; play = this.#queue.shift()) {
      const current: Current = {
        ...{ play, beganAtMs: undefined, heard: undefined },
        cut: new OneTimeSignal(),
      };
      this.#current = current;
      await this.#parts.mediaReady();
      const done = current.cut.fired ? undefined : await this.#perform(current);
      this.#current = undefined;
      if (this.#isStopped()) return;
      if (done !== undefined) this.#parts.onPlayed({ playId: play.playId, ...done });
    }
  }

  #isStopped(): boolean {
    return this.#stopped;
  }

  /** Undefined when it was cut, which has been told. */
  async #perform(current: Current): Promise<Outcome | undefined> {
    const { play, cut } = current;
    const { prompts, onBegins, clock } = this.#parts;
    onBegins?.(play);
    const files = await Promise.all(play.prompts.map((prompt) => prompts.locate(prompt)));
    if (isCut(cut)) return undefined;
    if (!files.every((file) => file !== undefined)) return { status: 'notFound', playedMs: 0 };
    const status =
      play.when === 'afterGreeting'
        ? await this.#playAfterGreeting(current, files)
        : await this.#play(current, files);
    if (status === undefined) return undefined;
    const playedMs = elapsedMs(current.beganAtMs ?? clock.now(), clock.now());
    if (status === 'done' && play.when !== 'afterGreeting' && (play.optOutDigits ?? '') !== '') {
      current.heard = { status, playedMs };
      await this.#grace(cut);
      if (isCut(cut)) return undefined;
    }
    const nothingHeard = status === 'notFound' || status === 'failed';
    return { status, playedMs: nothingHeard ? 0 : playedMs };
  }

  async #playAfterGreeting(
    current: Current,
    files: readonly string[],
  ): Promise<PlayStatus | undefined> {
    const { greeting } = this.#parts;
    if (greeting === undefined) return this.#play(current, files);
    for (let restarts = 0; ; restarts += 1) {
      const end = await untilCut(greeting.over(), current.cut);
      if (end === undefined) return undefined;
      if (end === 'limit' || end === 'deaf') return 'failed';
      const resumed = new OneTimeSignal();
      const ignore =
        restarts < RESTARTS_MAX ? greeting.whenResumed(() => resumed.fire()) : () => undefined;
      const status = await this.#play(current, files, resumed);
      ignore();
      if (!resumed.fired || current.cut.fired) return status;
    }
  }

  /** Undefined when it was cut; `stopped` when it is to be said again, or the channel is gone. */
  async #play(
    current: Current,
    files: readonly string[],
    resumed?: OneTimeSignal,
  ): Promise<PlayStatus | undefined> {
    const { endpoint, clock } = this.#parts;
    current.beganAtMs = clock.now();
    const early = new OneTimeSignal();
    const ignore = [current.cut, ...(resumed === undefined ? [] : [resumed])].map((signal) =>
      signal.onFire(() => early.fire()),
    );
    const outcome = await untilCut(endpoint.play(files, PLAY_LIMIT_MS), early);
    for (const stop of ignore) stop();
    if (outcome === undefined) {
      // The next one would be heard inside this one.
      if (!this.#isStopped()) await endpoint.stopPlaying();
      return isCut(current.cut) ? undefined : 'stopped';
    }
    if (outcome.kind === 'gone') return 'stopped';
    if (outcome.kind !== 'done') return 'failed';
    const said = outcome.value.getHeader('Application-Response') ?? '';
    if (said === 'FILE NOT FOUND') return 'notFound';
    return said === 'PLAYBACK ERROR' ? 'failed' : 'done';
  }

  #grace(cut: OneTimeSignal): Promise<unknown> {
    const { clock } = this.#parts;
    return new Promise<void>((resolve) => {
      const timer = clock.setTimeout(resolve, OPT_OUT_GRACE_MS);
      cut.onFire(() => {
        clock.clearTimeout(timer);
        resolve();
      });
    });
  }
}

/** Read anew each time: it changes while something is awaited. */
function isCut(cut: OneTimeSignal): boolean {
  return cut.fired;
}

/** Undefined when the signal came first. */
function untilCut<T>(work: Promise<T>, cut: OneTimeSignal): Promise<T | undefined> {
  return new Promise((resolve) => {
    const ignore = cut.onFire(() => resolve(undefined));
    void work.then((value) => {
      ignore();
      resolve(value);
    });
  });
}
