import assert from 'node:assert/strict';
import { getHeapStatistics } from 'node:v8';
import { parentPort, type MessagePort } from 'node:worker_threads';
import type { FromWorker, ToWorker, WorkerStats } from './worker-messages.ts';

/** What a worker of the switch runs. */
export interface WorkerService<Ports> {
  readonly ports: Ports;
  stats(): WorkerStats;
  close(): Promise<void>;
}

/**
 * Memory of this thread alone. Under `--expose-gc` garbage is not counted: buffers that the first
 * collection found are swept beside it, and are out of the count only after a second.
 */
function isolateStats(): WorkerStats {
  globalThis.gc?.();
  globalThis.gc?.();
  const { used_heap_size: heapUsedBytes, external_memory: externalBytes } = getHeapStatistics();
  return { heapUsedBytes, externalBytes };
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
      const stats = { ...service.stats(), ...isolateStats() };
      post({ type: 'stats', requestId: message.requestId, stats });
      return;
    }
    void service.close().then(() => {
      post({ type: 'stopped' });
      port.close();
    });
  });
  post({ type: 'ready', ports: service.ports });
}
