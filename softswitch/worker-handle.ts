/** The starter's half of worker-messages.ts: one running worker of the switch. */
import { startWorker } from './start-worker.ts';
import type { FromWorker, ToWorker, WorkerStats } from './worker-messages.ts';

/** A worker that has not closed its sockets by then is terminated. */
const STOP_WITHIN_MS = 5_000;

export interface WorkerHandle<Ports> {
  readonly ports: Ports;
  /** Settles once: undefined after `stop`, otherwise why the worker ended by itself. */
  readonly onExit: Promise<Error | undefined>;
  stats(): Promise<WorkerStats>;
  stop(): Promise<void>;
}

/** Resolves when the worker's sockets are bound; rejects with its reason (`code` kept) otherwise. */
export async function runWorker<Ports>(
  name: string,
  module: URL,
  options: unknown,
): Promise<WorkerHandle<Ports>> {
  const worker = startWorker(module, { workerData: options, name });
  const answers = new Map<number, (stats: WorkerStats) => void>();
  let stopping = false;
  let failure: Error | undefined;
  let ready: ((ports: Ports) => void) | undefined;

  const onExit = new Promise<Error | undefined>((resolve) => {
    worker.on('error', (error) => {
      failure = error instanceof Error ? error : new Error(String(error));
    });
    worker.on('exit', (code) => {
      for (const answer of answers.values()) answer({});
      answers.clear();
      const ended = failure ?? new Error(`the ${name} worker ended with code ${code}`);
      resolve(stopping && failure === undefined ? undefined : ended);
    });
  });
  worker.on('message', (message: FromWorker<Ports>) => {
    if (message.type === 'ready') ready?.(message.ports);
    else if (message.type === 'failed') {
      const { problem, code } = message;
      failure = Object.assign(new Error(problem), code === undefined ? {} : { code });
    } else if (message.type === 'stats') {
      answers.get(message.requestId)?.(message.stats);
      answers.delete(message.requestId);
    }
  });
  const post = (message: ToWorker): void => worker.postMessage(message);

  const ports = await Promise.race([
    new Promise<Ports>((resolve) => (ready = resolve)),
    onExit.then((error) => {
      throw error ?? new Error(`the ${name} worker ended before it was ready`);
    }),
  ]);
  let nextRequestId = 1;
  return {
    ports,
    onExit,
    stats: () => {
      const requestId = nextRequestId++;
      return new Promise<WorkerStats>((resolve) => {
        answers.set(requestId, resolve);
        post({ type: 'stats', requestId });
      });
    },
    stop: async () => {
      stopping = true;
      post({ type: 'stop' });
      const deadline = setTimeout(() => void worker.terminate(), STOP_WITHIN_MS);
      await onExit;
      clearTimeout(deadline);
    },
  };
}
