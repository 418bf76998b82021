/** What the whole media server shares: its identity, its channels, its events, its limits. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { MediaClock } from '../media/media-clock.ts';
import type { TimerWheel } from '../timers/timer-wheel.ts';
import type { Channel } from './channel.ts';
import { Conferences } from './conferences.ts';
import { EventBus } from './event-bus.ts';
import { PromptFiles } from './prompt-files.ts';
import { Scheduler } from './scheduler.ts';
import { SessionRate } from './session-rate.ts';

/** The release this switch behaves like; drachtio-fsmrf shows it as the server's version. */
export const FREESWITCH_VERSION = '1.10.12-release';

export interface SwitchCoreOptions {
  readonly host: string;
  readonly timers: TimerWheel;
  /** Default: one of its own on `timers`. */
  readonly clock?: MediaClock;
  /** New sessions a second; undefined = no limit. */
  readonly sessionsPerSecondMax: number | undefined;
  /** Most legs the RTP range has ports for. */
  readonly sessionsMax: number;
  /** Wall clock, epoch ms. */
  readonly nowMs?: () => number;
}

export class SwitchCore {
  readonly uuid: string = randomUUID();
  readonly hostname: string = hostname();
  readonly host: string;
  readonly timers: TimerWheel;
  readonly nowMs: () => number;
  readonly startedAtMs: number;
  readonly sessionsMax: number;
  readonly rate: SessionRate;
  readonly bus: EventBus;
  readonly prompts = new PromptFiles();
  readonly scheduler: Scheduler;
  readonly conferences: Conferences;
  /** What paces mixers; legs have their own slots of it. */
  readonly clock: MediaClock;
  readonly channels = new Map<string, Channel>();
  /** `sip:mod_sofia@host:port` of the profile, known once it listens. */
  profileAddress = '';
  sessionsTotal = 0;
  sessionsPeak = 0;
  readonly #unfinished = new Set<Promise<void>>();

  constructor(options: SwitchCoreOptions) {
    this.host = options.host;
    this.timers = options.timers;
    this.nowMs = options.nowMs ?? Date.now;
    this.startedAtMs = this.nowMs();
    this.sessionsMax = options.sessionsMax;
    this.rate = new SessionRate(options.sessionsPerSecondMax, () => options.timers.nowMs());
    this.conferences = new Conferences(this);
    this.clock = options.clock ?? new MediaClock(options.timers);
    this.scheduler = new Scheduler(options.timers, this.nowMs);
    this.bus = new EventBus({
      coreUuid: this.uuid,
      hostname: this.hostname,
      host: this.host,
      nowMs: this.nowMs,
    });
  }

  /** Work that outlives its channel, such as files being completed: the switch ends after it. */
  untilDone(work: Promise<void>): void {
    this.#unfinished.add(work);
    void work.finally(() => this.#unfinished.delete(work));
  }

  async idle(): Promise<void> {
    while (this.#unfinished.size > 0) await Promise.allSettled([...this.#unfinished]);
  }

  add(channel: Channel): void {
    this.channels.set(channel.uuid, channel);
    this.sessionsTotal += 1;
    this.sessionsPeak = Math.max(this.sessionsPeak, this.channels.size);
    channel.variables.set('session_id', String(this.sessionsTotal));
  }

  forget(channel: Channel): void {
    this.channels.delete(channel.uuid);
    this.scheduler.forget(channel);
  }

  /** A channel that is still up: one that was hung up is gone for every command, as in FreeSWITCH. */
  channel(uuid: string | undefined): Channel | undefined {
    const channel = uuid === undefined ? undefined : this.channels.get(uuid);
    return channel?.isDown === false ? channel : undefined;
  }
}
