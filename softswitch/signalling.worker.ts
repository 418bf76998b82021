/** Worker thread of the signalling half; see worker-messages.ts for what it says and hears. */
import { workerData } from 'node:worker_threads';
import { startSignalling } from './control/start-signalling.ts';
import { serveWorker } from './serve-worker.ts';
import type { SignallingPorts, SignallingWorkerOptions } from './worker-messages.ts';

await serveWorker<SignallingPorts>(async () => {
  const signalling = await startSignalling(workerData as SignallingWorkerOptions);
  const { sipPort, sipTlsPort, controlPort } = signalling;
  return {
    ports: { sipPort, controlPort, ...(sipTlsPort === undefined ? {} : { sipTlsPort }) },
    stats: () => signalling.stats(),
    close: () => signalling.close(),
  };
});
