/** Worker thread of the media half; see worker-messages.ts for what it says and hears. */
import { workerData } from 'node:worker_threads';
import { startMediaServer } from './esl/start-media-server.ts';
import { serveWorker } from './serve-worker.ts';
import type { MediaPorts, MediaWorkerOptions } from './worker-messages.ts';

await serveWorker<MediaPorts>(async () => {
  const server = await startMediaServer(workerData as MediaWorkerOptions);
  const { mediaSipPort, eslPort } = server;
  return {
    ports: { mediaSipPort, eslPort },
    stats: () => server.stats(),
    close: () => server.close(),
  };
});
