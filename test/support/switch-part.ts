/** One half of the embedded switch that can be killed as a process would be: without a goodbye. */
import { startWorker } from '../../softswitch/start-worker.ts';
import type {
  FromWorker,
  MediaPorts,
  MediaWorkerOptions,
  SignallingPorts,
  SignallingWorkerOptions,
} from '../../softswitch/worker-messages.ts';

export interface SwitchPart<Ports> {
  readonly ports: Ports;
  kill(): Promise<void>;
}

export function startSignallingPart(options: SignallingWorkerOptions) {
  return startPart<SignallingPorts>('signalling', options);
}

export function startMediaPart(options: MediaWorkerOptions) {
  return startPart<MediaPorts>('media', options);
}

function startPart<Ports>(name: string, workerData: unknown): Promise<SwitchPart<Ports>> {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const module = new URL(`../../softswitch/${name}.worker.${ending}`, import.meta.url);
  const worker = startWorker(module, { workerData, name });
  return new Promise((resolve, reject) => {
    worker.on('error', reject);
    worker.on('message', (message: FromWorker<Ports>) => {
      if (message.type === 'failed') reject(new Error(message.problem));
      if (message.type !== 'ready') return;
      const kill = async (): Promise<void> => {
        await worker.terminate();
      };
      resolve({ ports: message.ports, kill });
    });
  });
}
