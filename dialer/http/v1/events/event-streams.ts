/**
 * Open event streams. Each reads the log by itself, from where its client left off: what was missed
 * comes first, and what happens is read as soon as the dialer tells that something did.
 */
import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { Caller } from '../../../api-keys/api-keys.ts';
import type { DialerLog } from '../../../dialer-log.ts';
import { engagementsOf, eventsFromNow, type EventPlace } from '../../../store/event-place.ts';
import { BEFORE_FIRST_EVENT, readEvents, type EventCursor } from '../../../store/event-reader.ts';
import type { OpenDatabase } from '../../../store/open-database.ts';
import { HttpError } from '../../http-error.ts';
import { eventText } from './event.shapes.ts';

export interface StreamsOptions {
  readonly database: OpenDatabase;
  readonly log: DialerLog;
}

export interface StreamRequest {
  readonly caller: Caller;
  readonly lastEventId: string | undefined;
  readonly from: 'now' | 'start';
  readonly engagementId: string | undefined;
  /** Undefined: every type. */
  readonly types: string | undefined;
  /** Only of this stream. Default: of all. */
  readonly streamId?: string;
}

/** What other processes wrote, and what nobody told of, is seen after this. */
const POLL_MS = 1_000;
/** Between two readings of one stream, however much is told. */
const READ_GAP_MS = 100;
/** Proxies close what is silent for longer. */
const HEARTBEAT_MS = 15_000;
const PAGE_SIZE = 200;
const STREAMS_PER_KEY_MAX = 10;
/** What a client does not read is not kept in memory: it goes on by Last-Event-ID. */
const STALL_LIMIT_MS = 30_000;
const CLOSE_LIMIT_MS = 3_000;

export class EventStreams {
  readonly #options: StreamsOptions;
  readonly #open = new Map<ServerResponse, string>();
  readonly #serving = new Set<Promise<void>>();
  readonly #sleeping = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: StreamsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#open.size;
  }

  /** Something happened. */
  wake(): void {
    const sleeping = [...this.#sleeping];
    this.#sleeping.clear();
    for (const wakeUp of sleeping) wakeUp();
  }

  /** Before the answer begins: throws TOO_MANY_STREAMS, and STARTING when all of it is over. */
  async place(request: StreamRequest): Promise<EventPlace> {
    const { keyId } = request.caller;
    if (this.#isClosed) throw new HttpError('STARTING', 'the service is stopping');
    const own = [...this.#open.values()].filter((id) => id === keyId).length;
    if (own >= STREAMS_PER_KEY_MAX) {
      throw new HttpError('TOO_MANY_STREAMS', `a key may hold ${STREAMS_PER_KEY_MAX}`, {
        'retry-after': '5',
      });
    }
    const [tx, seq] = (request.lastEventId ?? '').split('-').map(Number);
    if (tx !== undefined && seq !== undefined) return allBehind({ tx, seq });
    if (request.from === 'start') return allBehind(BEFORE_FIRST_EVENT);
    return eventsFromNow(this.#options.database);
  }

  /** The answer is a stream from here on, and none of fastify's any more. */
  begin(reply: FastifyReply): void {
    reply.hijack();
    reply.raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    });
  }

  /** Resolves when the stream is over, whoever ended it. */
  serve(response: ServerResponse, request: StreamRequest, from: EventPlace): Promise<void> {
    const serving = this.#serve(response, request, from).finally(() => {
      this.#serving.delete(serving);
    });
    this.#serving.add(serving);
    return serving;
  }

  async #serve(response: ServerResponse, request: StreamRequest, from: EventPlace): Promise<void> {
    this.#open.set(response, request.caller.keyId);
    this.#timer ??= setInterval(() => this.wake(), POLL_MS).unref();
    response.once('close', () => this.wake());
    try {
      response.write(': ringfence\nretry: 2000\n\n');
      await this.#run(response, request, from);
    } catch (error) {
      this.#options.log.warn({ err: error }, 'an event stream ended early');
    } finally {
      response.end();
      this.#open.delete(response);
      if (this.#open.size === 0) {
        clearInterval(this.#timer);
        this.#timer = undefined;
      }
    }
  }

  /**
   * Ends every stream once it has told what happened until now; its client comes back to whoever
   * serves then. One that does not read is ended after a while all the same.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.wake();
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSE_LIMIT_MS)));
    await Promise.race([Promise.all(this.#serving), limit]);
    clearTimeout(timer);
    for (const response of this.#open.keys()) response.destroy();
    this.#open.clear();
  }

  async #run(response: ServerResponse, request: StreamRequest, from: EventPlace): Promise<void> {
    const { database } = this.#options;
    const { businessUnitId } = request.caller;
    let { cursor } = from;
    let spokeAtMs = performance.now();
    while (!response.destroyed && !response.writableEnded) {
      const isLast = this.#isClosed;
      const page = await readEvents(database, { after: cursor, limit: PAGE_SIZE, businessUnitId });
      cursor = page.cursor;
      const text = await this.#textOf(
        page.events.filter(({ tx }) => !from.isPast(tx)),
        request,
      );
      if (text !== '') {
        spokeAtMs = performance.now();
        if (!response.write(text) && !(await drained(response))) return;
      } else if (performance.now() - spokeAtMs > HEARTBEAT_MS) {
        if (await this.#isRevoked(request.caller)) return;
        spokeAtMs = performance.now();
        // With the place: a client for whom nothing was goes on from here, not from long ago.
        response.write(`: still here\nid: ${cursor.tx}-${cursor.seq}\n\n`);
      }
      if (page.events.length === PAGE_SIZE) continue;
      if (isLast) return;
      await this.#sleep();
    }
  }

  async #textOf(
    events: Parameters<typeof engagementsOf>[1],
    { engagementId, types, streamId }: StreamRequest,
  ): Promise<string> {
    const wanted = events.filter(({ type, stream_id: id }) => {
      return isWanted(type, types) && (streamId === undefined || id === streamId);
    });
    if (wanted.length === 0) return '';
    const engagements = await engagementsOf(this.#options.database, wanted);
    return wanted
      .filter(({ stream_id: id }) => {
        return engagementId === undefined || engagements.get(id) === engagementId;
      })
      .map((event) => eventText(event, engagements.get(event.stream_id) ?? null))
      .join('');
  }

  async #sleep(): Promise<void> {
    await new Promise<void>((resolve) => setTimeout(resolve, READ_GAP_MS));
    if (this.#isClosed) return;
    await new Promise<void>((resolve) => this.#sleeping.add(resolve));
  }

  async #isRevoked({ keyId }: Caller): Promise<boolean> {
    const row = await this.#options.database.db
      .selectFrom('api_keys')
      .select('revoked_at_ms')
      .where('id', '=', keyId)
      .executeTakeFirst();
    return row?.revoked_at_ms !== null;
  }
}

function allBehind(cursor: EventCursor): EventPlace {
  return { cursor, isPast: () => false };
}

function isWanted(type: string, types: string | undefined): boolean {
  if (types === undefined) return true;
  return types.split(',').some((name) => {
    return name.endsWith('.*') ? type.startsWith(name.slice(0, -1)) : name === type;
  });
}

/** False when the client does not read, or has gone. */
function drained(response: ServerResponse): Promise<boolean> {
  return new Promise((resolve) => {
    const done = (isDrained: boolean): void => {
      clearTimeout(timer);
      response.off('drain', onDrain).off('close', onClose);
      resolve(isDrained);
    };
    const onDrain = (): void => done(true);
    const onClose = (): void => done(false);
    const timer = setTimeout(() => done(false), STALL_LIMIT_MS);
    response.once('drain', onDrain).once('close', onClose);
  });
}
