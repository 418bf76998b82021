/**
 * Writes entries to streams in the order in which they were given, each stream for itself, and again
 * when Redis did not confirm them: at least once. What cannot be written yet waits in memory.
 */
import type { BusCounters, BusStream } from './bus-counters.ts';
import { ENTRY_FIELD } from './stream-entries.ts';
import { wasNotSent, type RedisLink } from './redis-link.ts';

export interface StreamTarget {
  readonly stream: string;
  readonly kind: BusStream;
  /** A stream that nobody writes to for this long goes away by itself. ms */
  readonly keptMs: number;
  /** Entries beyond this many are trimmed, about: for streams whose newest entry says it all. */
  readonly entriesMax?: number;
}

export type WriteState = 'waiting' | 'tried' | 'written' | 'dropped';

export interface WriteTicket {
  /** tried: it may be in the stream, or not. */
  readonly state: WriteState;
  /** Takes it back if nothing was tried yet; says whether it could. */
  withdraw(): boolean;
}

export interface StreamWriterParts {
  readonly link: RedisLink;
  readonly counters: BusCounters;
  readonly waitingMax: number;
  readonly retryMs: { readonly min: number; readonly max: number };
}

/** Entries in one call: atomic in Redis, which others wait for. */
const BATCH_MAX = 128;

/**
 * All or nothing, in order.
 * KEYS[1] the stream
 * ARGV    ms to keep it, entries to keep (0: all), the entries
 */
const SCRIPT = `
for i = 3, #ARGV do redis.call('XADD', KEYS[1], '*', '${ENTRY_FIELD}', ARGV[i]) end
if ARGV[2] ~= '0' then redis.call('XTRIM', KEYS[1], 'MAXLEN', '~', ARGV[2]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return #ARGV - 2`;

interface Item {
  readonly target: StreamTarget;
  readonly text: string;
  state: WriteState;
}

export class StreamWriter {
  readonly #parts: StreamWriterParts;
  /** By stream, so that one that is written to much does not hold up the others. */
  readonly #queues = new Map<string, Item[]>();
  #waiting = 0;
  #pauseMs: number;
  #isWriting = false;
  #isClosed = false;
  #retry: NodeJS.Timeout | undefined;
  #onIdle: (() => void)[] = [];

  constructor(parts: StreamWriterParts) {
    this.#parts = parts;
    this.#pauseMs = parts.retryMs.min;
  }

  /** Entries that are not confirmed yet. */
  get waiting(): number {
    return this.#waiting;
  }

  add(target: StreamTarget, text: string): WriteTicket {
    const item: Item = { target, text, state: this.#isClosed ? 'dropped' : 'waiting' };
    if (!this.#isClosed) this.#append(item);
    return {
      get state() {
        return item.state;
      },
      withdraw: () => this.#withdraw(item),
    };
  }

  /** Resolves once nothing waits, or after `limitMs`. */
  idle(limitMs: number): Promise<void> {
    if (this.#waiting === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const limit = setTimeout(resolve, limitMs);
      this.#onIdle.push(() => {
        clearTimeout(limit);
        resolve();
      });
    });
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    for (const items of this.#queues.values()) for (const item of items) item.state = 'dropped';
    this.#queues.clear();
    this.#waiting = 0;
  }

  #append(item: Item): void {
    const { stream } = item.target;
    const queue = this.#queues.get(stream);
    if (queue === undefined) this.#queues.set(stream, [item]);
    else queue.push(item);
    this.#waiting += 1;
    if (this.#waiting > this.#parts.waitingMax) this.#dropOldest();
    if (this.#retry === undefined) void this.#write();
  }

  #withdraw(item: Item): boolean {
    if (item.state !== 'waiting') return item.state === 'dropped';
    const queue = this.#queues.get(item.target.stream);
    const at = queue?.indexOf(item) ?? -1;
    if (queue === undefined || at < 0) return false;
    queue.splice(at, 1);
    item.state = 'dropped';
    this.#waiting -= 1;
    return true;
  }

  /** Of the stream that holds most: what is newest is what the other side needs. */
  #dropOldest(): void {
    const [longest] = [...this.#queues.values()].sort((a, b) => b.length - a.length);
    const at = longest?.findIndex(({ state }) => state === 'waiting') ?? -1;
    if (longest === undefined || at < 0) return;
    const [dropped] = longest.splice(at, 1);
    if (dropped !== undefined) dropped.state = 'dropped';
    this.#waiting -= 1;
    this.#parts.counters.dropped.overflow += 1;
  }

  /** One call at a time: that is what keeps the order when one fails. */
  async #write(): Promise<void> {
    if (this.#isWriting) return;
    this.#isWriting = true;
    await Promise.resolve(); // what is given in the same turn leaves in one call
    for (let next = this.#nextBatch(); next !== undefined; next = this.#nextBatch()) {
      if (!(await this.#writeBatch(next))) break;
    }
    this.#isWriting = false;
    if (this.#waiting > 0) return;
    const waiters = this.#onIdle;
    this.#onIdle = [];
    for (const done of waiters) done();
  }

  #nextBatch(): readonly Item[] | undefined {
    const [first] = this.#queues;
    if (first === undefined || this.#isClosed) return undefined;
    const [stream, queue] = first;
    // To the end of the line: each stream has its turn.
    this.#queues.delete(stream);
    if (queue.length === 0) return this.#nextBatch();
    this.#queues.set(stream, queue);
    return queue.slice(0, BATCH_MAX);
  }

  async #writeBatch(items: readonly Item[]): Promise<boolean> {
    const [{ target } = {}] = items;
    if (target === undefined) return true;
    const { stream, kind, keptMs, entriesMax = 0 } = target;
    const fresh = items.filter(({ state }) => state === 'waiting');
    for (const item of fresh) item.state = 'tried';
    const settings = [String(keptMs), String(entriesMax)];
    const texts = items.map(({ text }) => text);
    try {
      await this.#parts.link.send(stream, ['EVAL', SCRIPT, '1', stream, ...settings, ...texts]);
    } catch (error) {
      if (wasNotSent(error)) for (const item of fresh) item.state = 'waiting';
      this.#tryLater();
      return false;
    }
    if (this.#isClosed) return false;
    this.#pauseMs = this.#parts.retryMs.min;
    for (const item of items) item.state = 'written';
    this.#queues.get(stream)?.splice(0, items.length);
    this.#waiting -= items.length;
    this.#parts.counters.written[kind] += items.length;
    return true;
  }

  #tryLater(): void {
    if (this.#isClosed) return;
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(this.#parts.retryMs.max, pauseMs * 2);
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      void this.#write();
    }, pauseMs);
  }
}
