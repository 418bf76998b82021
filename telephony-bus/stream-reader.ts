/**
 * Reads one stream to its end and on, alone: commands for one gateway, replies to one dialer, or the
 * announcements, which everybody reads. Nothing is taken from anybody else here.
 */
import type { BusCounters, BusStream } from './bus-counters.ts';
import type { BusKey } from './bus-keys.ts';
import type { BusLog } from './bus-log.ts';
import { entriesRead, listOf, type StreamEntry } from './stream-entries.ts';
import { StreamMarker } from './stream-marker.ts';
import type { RedisLink } from './redis-link.ts';

export interface StreamReaderParts {
  /** Its own: while it waits for entries nothing else can be asked on it. */
  readonly link: RedisLink;
  readonly key: BusKey;
  readonly kind: BusStream;
  readonly counters: BusCounters;
  readonly log: BusLog;
  readonly onEntry: (text: string) => void;
  /** Entries older than this at the start are left out. Default: none is. ms */
  readonly fromAgeMs?: number;
  /** Entries that were read are of no use to anybody else, and are taken away. */
  readonly trims: boolean;
  /** They hold what must not lie about: taken away at once, one by one. Default: not. */
  readonly forgets?: boolean;
  readonly retryMs: { readonly min: number; readonly max: number };
}

const BATCH_MAX = 256;
/** Shorter than the silence after which a connection counts as dead. ms */
const BLOCK_MS = 1_000;
const LOOK_INTERVAL_MS = 1_000;

export class StreamReader {
  readonly #parts: StreamReaderParts;
  readonly #marker: StreamMarker;
  /** Undefined: Redis' clock has to be asked first. */
  #after: string | undefined;
  #isRunning = false;
  #healthySinceMs: number | undefined;
  #lookedAtMs = -Infinity;
  #pause: { timer: NodeJS.Timeout; end: () => void } | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(parts: StreamReaderParts) {
    this.#parts = parts;
    this.#marker = new StreamMarker(parts.key);
    this.#after = parts.fromAgeMs === undefined ? '0' : undefined;
  }

  /** Since when nothing failed, monotonic ms; undefined while it does. */
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
    const { retryMs } = this.#parts;
    let pauseMs = retryMs.min;
    while (this.#isRunning) {
      try {
        await this.#look();
        this.#healthySinceMs ??= performance.now();
        await this.#read();
        pauseMs = retryMs.min;
      } catch (error) {
        this.#failed(error);
        await this.#wait(pauseMs);
        pauseMs = Math.min(retryMs.max, pauseMs * 2);
      }
    }
  }

  #failed(error: unknown): void {
    if (!this.#isRunning) return;
    const { log, kind } = this.#parts;
    if (this.#healthySinceMs !== undefined) log.warn({ err: error, stream: kind }, 'Redis is away');
    this.#healthySinceMs = undefined;
    this.#lookedAtMs = -Infinity;
  }

  /** A stream that was lost begins anew, at ids that may be older than ours. */
  async #look(): Promise<void> {
    const nowMs = performance.now();
    if (nowMs - this.#lookedAtMs < LOOK_INTERVAL_MS) return;
    const { link, log, kind, counters } = this.#parts;
    if (await this.#marker.isLost(link)) {
      counters.streamsLost += 1;
      log.warn({ stream: kind }, 'a stream was lost with what was in it');
      this.#after = '0';
    }
    const { stream } = this.#parts.key;
    if (this.#parts.trims && this.#after !== undefined && this.#after !== '0') {
      await link.send(stream, ['XTRIM', stream, 'MINID', '~', this.#after]);
    }
    this.#lookedAtMs = nowMs;
  }

  /** Ids begin with the time by the clock of Redis. */
  async #beginning(): Promise<string> {
    const { link, key, fromAgeMs = 0 } = this.#parts;
    const [seconds] = listOf(await link.send(key.stream, ['TIME']));
    return `${Math.max(0, Number(seconds) * 1_000 - fromAgeMs)}-0`;
  }

  async #read(): Promise<void> {
    const { link, key, kind, counters } = this.#parts;
    this.#after ??= await this.#beginning();
    const limits = ['COUNT', String(BATCH_MAX), 'BLOCK', String(BLOCK_MS)];
    const words = ['XREAD', ...limits, 'STREAMS', key.stream, this.#after];
    const entries = entriesRead(await link.send(key.stream, words));
    for (const entry of entries) {
      this.#after = entry.id;
      counters.read[kind] += 1;
      this.#hand(entry);
    }
    if (this.#parts.forgets === true && entries.length > 0) {
      await link.send(key.stream, ['XDEL', key.stream, ...entries.map(({ id }) => id)]);
    }
  }

  #hand({ id, text }: StreamEntry): void {
    const { onEntry, counters, log, kind } = this.#parts;
    if (text === undefined) {
      counters.dropped.invalid += 1;
      log.warn({ stream: kind, id }, 'an entry that is not ours was dropped');
      return;
    }
    try {
      onEntry(text);
    } catch (error) {
      log.error({ err: error, stream: kind, id }, 'an entry could not be handled');
    }
  }

  #wait(ms: number): Promise<void> {
    if (!this.#isRunning) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        this.#pause = undefined;
        resolve();
      };
      this.#pause = { timer: setTimeout(end, ms), end };
    });
  }
}
