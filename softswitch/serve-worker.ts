import assert from 'node:assert/strict';
import { parentPort, type MessagePort } from 'node:worker_threads';
import type { FromWorker, ToWorker, WorkerStats } from './worker-messages.ts';

/** What a worker of the switch runs. */
export interface WorkerService<Ports> {
  readonly ports: Ports;
  stats(): WorkerStats;
  close(): Promise<void>;
}

/** The worker's half of worker-messages.ts, the same for signalling and media. */
export async function serveWorker<Ports>(
  start: () => Promise<WorkerService<Ports>>,
): Promise<void> {
  assert(parentPort !== null, 'this module runs as a worker thread');
  const port: MessagePort = parentPort;
  const post = (message: FromWorker<Ports>): void => port.postMessage(message);
  let service: WorkerService<Ports>;
  try {
    service = await start();
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    post({ type: 'failed', problem: message, ...(code === undefined ? {} : { code }) });
    port.close();
    return;
  }
  port.on('message', (message: ToWorker) => {
    if (message.type === 'stats') {
      post({ type: 'stats', requestId: message.requestId, stats: service.stats() });
      return;
    }
    void service.close().then(() => {
      post({ type: 'stopped' });
      port.close();
    });
  });
  post({ type: 'ready', ports: service.ports });
}
