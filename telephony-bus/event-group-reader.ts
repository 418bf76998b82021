/**
 * Reads the events of one queue group as the dialer that owns it. A consumer group remembers what was
 * taken and not confirmed: whoever owns the queue group next takes that first, in its order, so that
 * events are told at least once, and in order per attempt. Commands are never read this way.
 */
import type { BusCounters } from './bus-counters.ts';
import { EVENT_GROUP, type BusKey } from './bus-keys.ts';
import type { BusLog } from './bus-log.ts';
import type { RedisLink } from './redis-link.ts';
import {
  claimed,
  earlierId,
  entriesRead,
  listOf,
  pairsOf,
  textOf,
  type StreamEntry,
} from './stream-entries.ts';

export interface EventGroupReaderParts {
  readonly link: RedisLink;
  readonly key: BusKey;
  /** Name of this dialer in the group. */
  readonly consumer: string;
  readonly reclaimIdleMs: number;
  readonly counters: BusCounters;
  readonly log: BusLog;
  readonly onEntry: (text: string | undefined) => void;
  readonly retryMs: { readonly min: number; readonly max: number };
}

const BATCH_MAX = 256;
const BLOCK_MS = 1_000;
const TRIM_INTERVAL_MS = 1_000;

export class EventGroupReader {
  readonly #parts: EventGroupReaderParts;
  #isRunning = false;
  /** Nothing new is taken before what was left has been. */
  #isTakenOver = false;
  #trimmedAtMs = -Infinity;
  #reclaimedAtMs = -Infinity;
  #healthySinceMs: number | undefined;
  #pause: { timer: NodeJS.Timeout; end: () => void } | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(parts: EventGroupReaderParts) {
    this.#parts = parts;
  }

  get healthySinceMs(): number | undefined {
    return this.#healthySinceMs;
  }

  open(): void {
    this.#isRunning = true;
    this.#parts.link.open();
    this.#ended = this.#run();
  }

  async close(): Promise<void> {
    this.#isRunning = false;
    if (this.#pause !== undefined) {
      clearTimeout(this.#pause.timer);
      this.#pause.end();
    }
    await this.#parts.link.close();
    await this.#ended;
  }

  async #run(): Promise<void> {
    const { retryMs, log } = this.#parts;
    let pauseMs = retryMs.min;
    while (this.#isRunning) {
      try {
        await this.#takeOver();
        this.#healthySinceMs ??= performance.now();
        await this.#turn();
        pauseMs = retryMs.min;
      } catch (error) {
        if (this.#healthySinceMs !== undefined && this.#isOpen())
          log.warn({ err: error }, 'no events: Redis is away');
        this.#healthySinceMs = undefined;
        // What was on its way to us when it broke is taken again.
        this.#isTakenOver = false;
        if (this.#isOpen()) await this.#wait(pauseMs);
        pauseMs = Math.min(retryMs.max, pauseMs * 2);
      }
    }
  }

  #isOpen(): boolean {
    return this.#isRunning;
  }

  async #takeOver(): Promise<void> {
    if (this.#isTakenOver) return;
    await this.#makeGroup();
    await this.#claim(0);
    this.#isTakenOver = true;
  }

  async #turn(): Promise<void> {
    const nowMs = performance.now();
    if (nowMs - this.#reclaimedAtMs >= this.#parts.reclaimIdleMs) {
      await this.#claim(this.#parts.reclaimIdleMs);
      this.#reclaimedAtMs = nowMs;
    }
    await this.#confirm(await this.#readNew());
    if (nowMs - this.#trimmedAtMs < TRIM_INTERVAL_MS) return;
    await this.#trim();
    this.#trimmedAtMs = nowMs;
  }

  /** From the beginning: what gateways wrote while no dialer was there is told as well. */
  async #makeGroup(): Promise<void> {
    const { stream } = this.#parts.key;
    try {
      await this.#send(['XGROUP', 'CREATE', stream, EVENT_GROUP, '0', 'MKSTREAM']);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('BUSYGROUP'))) throw error;
    }
  }

  async #claim(idleMs: number): Promise<void> {
    const { key, consumer, counters } = this.#parts;
    for (let from = '0-0'; ;) {
      const words = ['XAUTOCLAIM', key.stream, EVENT_GROUP, consumer, String(idleMs), from];
      const { next, entries } = claimed(await this.#send([...words, 'COUNT', String(BATCH_MAX)]));
      counters.eventsReclaimed += entries.length;
      await this.#confirm(entries);
      if (next === '0-0') return;
      from = next;
    }
  }

  async #readNew(): Promise<readonly StreamEntry[]> {
    const { key, consumer } = this.#parts;
    const limits = ['COUNT', String(BATCH_MAX), 'BLOCK', String(BLOCK_MS)];
    const words = ['XREADGROUP', 'GROUP', EVENT_GROUP, consumer, ...limits];
    return entriesRead(await this.#send([...words, 'STREAMS', key.stream, '>']));
  }

  /** Told first, confirmed then: what breaks in between is told again. */
  async #confirm(entries: readonly StreamEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const { onEntry, counters, key, log } = this.#parts;
    for (const { id, text } of entries) {
      counters.read.events += 1;
      try {
        onEntry(text);
      } catch (error) {
        log.error({ err: error, id }, 'an event could not be handled');
      }
    }
    await this.#send(['XACK', key.stream, EVENT_GROUP, ...entries.map(({ id }) => id)]);
  }

  /** Up to what is not confirmed yet, and never beyond what was taken: nothing unread goes. */
  async #trim(): Promise<void> {
    const { key, counters } = this.#parts;
    const groups = listOf(await this.#send(['XINFO', 'GROUPS', key.stream])).map(pairsOf);
    const ours = groups.find((group) => group.get('name') === EVENT_GROUP);
    if (ours === undefined) return;
    const [pending, oldest] = listOf(await this.#send(['XPENDING', key.stream, EVENT_GROUP]));
    counters.eventsPending = Number(pending);
    counters.eventsLag = Number(ours.get('lag') ?? 0);
    const taken = textOf(ours.get('last-delivered-id'));
    const keptFrom = typeof oldest === 'string' ? earlierId(oldest, taken) : taken;
    await this.#send(['XTRIM', key.stream, 'MINID', '~', keptFrom]);
  }

  #send(words: readonly string[]): Promise<unknown> {
    return this.#parts.link.send(this.#parts.key.stream, words);
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        this.#pause = undefined;
        resolve();
      };
      this.#pause = { timer: setTimeout(end, ms), end };
    });
  }
}
