/**
 * A listening room in a thread: 300 calls are 15,000 frames a second, which the main thread has no time
 * for. Only verdicts, and the few commands that start and end a tap, pass between the two. A thread that
 * dies makes its calls deaf, and the next call starts another.
 */
import { Worker } from 'node:worker_threads';
import type { GatewayLog } from '../gateway-log.ts';
import type { AudioTapCapabilities, TappedChannel } from './audio-tap.port.ts';
import type { Heard, Listening, ListeningPort } from './listening.port.ts';
import type { FromRoom, ToRoom } from './room-messages.ts';
import { tapsOf, type TapChoice } from './tap-choice.ts';

interface Call {
  readonly channel: TappedChannel;
  readonly tell: (heard: Heard) => void;
}

export class ListeningThread implements ListeningPort {
  readonly capabilities: AudioTapCapabilities;
  /** Resolves when the first thread listens, or has failed to. */
  readonly ready: Promise<void>;
  #isReady: () => void = () => undefined;
  readonly #choice: TapChoice;
  readonly #log: GatewayLog;
  #worker: Worker | undefined;
  #calls = new Map<number, Call>();
  /** Stopped, but their taps may still have a command to send. */
  readonly #ending = new Map<number, Call>();
  #lastId = 0;

  constructor(choice: TapChoice, log: GatewayLog) {
    this.#choice = choice;
    this.#log = log;
    this.capabilities = tapsOf(choice).capabilities;
    this.ready = new Promise((resolve) => (this.#isReady = resolve));
    this.#worker = this.#start();
  }

  listen(channel: TappedChannel, tell: (heard: Heard) => void): Listening {
    const worker = (this.#worker ??= this.#start());
    this.#lastId += 1;
    const id = this.#lastId;
    const post = (message: ToRoom): void => worker.postMessage(message);
    this.#calls.set(id, { channel, tell });
    post({ type: 'listen', id, channelId: channel.channelId });
    return {
      order: (order) => post({ type: 'order', id, order }),
      stop: () => {
        const call = this.#calls.get(id);
        if (call === undefined) return;
        this.#calls.delete(id);
        this.#ending.set(id, call);
        post({ type: 'stop', id });
      },
    };
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#calls.clear();
    await worker?.terminate();
  }

  #start(): Worker {
    const worker = startRoom(this.#choice);
    worker.unref();
    worker.on('message', (message: FromRoom) => this.#onMessage(worker, message));
    worker.on('error', (error) => this.#log.error({ err: error }, 'the listening thread failed'));
    worker.on('exit', () => this.#onExit(worker));
    return worker;
  }

  #onMessage(worker: Worker, message: FromRoom): void {
    if (message.type === 'ready') {
      this.#isReady();
      return;
    }
    const { id } = message;
    if (message.type === 'heard') {
      const call = this.#calls.get(id);
      if (message.heard.type === 'deaf') this.#calls.delete(id);
      call?.tell(message.heard);
      return;
    }
    const channel = (this.#calls.get(id) ?? this.#ending.get(id))?.channel;
    // The command that ends its tap is the last of a call.
    this.#ending.delete(id);
    const { requestId } = message;
    const post = (answer: ToRoom): void => worker.postMessage(answer);
    if (channel === undefined) {
      post({ type: 'unanswered', requestId, problem: 'the call is over' });
      return;
    }
    const answer =
      message.type === 'api'
        ? channel.api(message.command, message.args)
        : channel.message(message.headers);
    answer.then(
      (text) => post({ type: 'answered', requestId, text }),
      (error: unknown) => {
        const problem = error instanceof Error ? error.message : String(error);
        post({ type: 'unanswered', requestId, problem });
      },
    );
  }

  #onExit(worker: Worker): void {
    this.#isReady();
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    this.#ending.clear();
    for (const { tell } of calls) tell({ type: 'deaf', problem: 'the listening thread has ended' });
  }
}

/** From source a thread cannot load `.ts` by itself (Node 20): it registers tsx first. */
function startRoom(choice: TapChoice): Worker {
  const isBuilt = import.meta.url.endsWith('.js');
  const module = new URL(`./listening.worker.${isBuilt ? 'js' : 'ts'}`, import.meta.url);
  const options = { workerData: choice, name: 'listening' };
  if (isBuilt) return new Worker(module, options);
  const [tsx, entry] = [import.meta.resolve('tsx/esm/api'), module.href].map((url) =>
    JSON.stringify(url),
  );
  const source = `import(${tsx}).then(({ register }) => { register(); return import(${entry}); });`;
  return new Worker(source, { ...options, eval: true, execArgv: [] });
}
