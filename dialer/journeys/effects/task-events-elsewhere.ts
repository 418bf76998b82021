/**
 * Listens to the event stream of a dialer elsewhere for the ends of tasks. Only a hint: whoever hears of a
 * task asks how it stands, and asks from time to time while nothing is heard. A stream that breaks is
 * taken up where it ended, so that nothing is missed while it was away.
 */
import { isRecord } from '../../../journey-core/interpreter/json-value.ts';
import type { DialerLog } from '../../dialer-log.ts';

export interface TaskEventsSettings {
  /** `https://host`, without a slash at the end. */
  readonly url: string;
  /** Never shown or logged. */
  readonly key: string;
  readonly log: DialerLog;
  /** Of any task there; told again after a break, perhaps. */
  readonly onTask: (taskId: string) => void;
  /** Before the first new try, doubled from try to try. Default 2,000. */
  readonly retryMs?: number;
}

const TYPES = 'task.finished,delivery.dispositionsRecorded';
const RETRY_MS = 2_000;
const RETRY_MAX_MS = 60_000;
/** The other side is heard of every 15 s, whatever happens. */
const SILENCE_MAX_MS = 45_000;
/** Of one event. */
const CHARS_MAX = 1_048_576;

export class TaskEventsElsewhere {
  readonly #settings: TaskEventsSettings;
  #lastEventId: string | undefined;
  #isHeard = false;
  #isRunning = false;
  #breakOff = new AbortController();
  #loop: Promise<void> | undefined;
  #rouse = (): void => undefined;

  constructor(settings: TaskEventsSettings) {
    this.#settings = settings;
  }

  /** The stream is open, and was heard of lately: ends are told without being asked for. */
  get isHeard(): boolean {
    return this.#isHeard;
  }

  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    this.#breakOff.abort();
    this.#rouse();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { log, retryMs = RETRY_MS } = this.#settings;
    let [waitMs, isTold] = [retryMs, false];
    while (this.#running()) {
      const breakOff = (this.#breakOff = new AbortController());
      const error = await this.#listen(breakOff, () => ([waitMs, isTold] = [retryMs, false]));
      this.#isHeard = false;
      if (!this.#running()) return;
      // Once for a break, however long it is: the ends of tasks are asked for meanwhile.
      log[isTold ? 'debug' : 'warn']({ error }, 'the events of the dialer elsewhere broke off');
      isTold = true;
      await this.#rest(waitMs);
      waitMs = Math.min(2 * waitMs, RETRY_MAX_MS);
    }
  }

  #running(): boolean {
    return this.#isRunning;
  }

  #rest(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs).unref();
      this.#rouse = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Until the stream ends or falls silent; answers why, where it did not just end. */
  #listen(breakOff: AbortController, opened: () => void): Promise<unknown> {
    return this.#read(breakOff, opened).then(
      () => undefined,
      (error: unknown) => error,
    );
  }

  async #read(breakOff: AbortController, opened: () => void): Promise<void> {
    const { url, key } = this.#settings;
    let silence = silenceTimer(breakOff);
    try {
      const response = await fetch(`${url}/v1/events?types=${encodeURIComponent(TYPES)}`, {
        headers: {
          authorization: `Bearer ${key}`,
          accept: 'text/event-stream',
          ...(this.#lastEventId === undefined ? {} : { 'last-event-id': this.#lastEventId }),
        },
        redirect: 'error',
        signal: breakOff.signal,
      });
      if (response.status !== 200 || response.body === null) {
        await response.body?.cancel();
        throw new Error(`HTTP ${response.status}`);
      }
      opened();
      const decoder = new TextDecoder();
      let text = '';
      for await (const chunk of response.body) {
        clearTimeout(silence);
        silence = silenceTimer(breakOff);
        this.#isHeard = true;
        text += decoder.decode(chunk as Uint8Array, { stream: true });
        const events = text.split('\n\n');
        text = events.pop() ?? '';
        for (const event of events) this.#hear(event);
        if (text.length > CHARS_MAX) throw new Error('an event has no end');
      }
    } finally {
      clearTimeout(silence);
    }
  }

  #hear(event: string): void {
    for (const line of event.split('\n')) {
      if (line.startsWith('id: ')) this.#lastEventId = line.slice('id: '.length);
      if (!line.startsWith('data: ')) continue;
      const taskId = taskIn(line.slice('data: '.length));
      if (taskId !== undefined) this.#settings.onTask(taskId);
    }
  }
}

function silenceTimer(breakOff: AbortController): NodeJS.Timeout {
  return setTimeout(() => breakOff.abort(), SILENCE_MAX_MS).unref();
}

function taskIn(data: string): string | undefined {
  try {
    const event: unknown = JSON.parse(data);
    const stream = isRecord(event) ? event['stream'] : undefined;
    return typeof stream === 'string' && stream.startsWith('task:')
      ? stream.slice('task:'.length)
      : undefined;
  } catch {
    return undefined;
  }
}
