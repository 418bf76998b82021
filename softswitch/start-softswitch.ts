/**
 * The embedded soft-switch: drachtio-server's role and FreeSWITCH's, each in a worker thread, found
 * by the gateway at two loopback ports as it would find the real ones. The two speak to each other
 * only as the real ones do, by SIP through the gateway's calls.
 */
import { runWorker, type WorkerHandle } from './worker-handle.ts';
import {
  INNER_HOST_DEFAULT,
  type MediaPorts,
  type MediaWorkerOptions,
  type SignallingPorts,
  type SignallingWorkerOptions,
  type WorkerStats,
} from './worker-messages.ts';

export type SoftswitchOptions = SignallingWorkerOptions & MediaWorkerOptions;

export interface Softswitch extends SignallingPorts, MediaPorts {
  /** Settles when either worker has ended: undefined after `stop`, otherwise the reason. */
  readonly onExit: Promise<Error | undefined>;
  stats(): Promise<{ signalling: WorkerStats; media: WorkerStats }>;
  stop(): Promise<void>;
}

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

/** Signalling alone, as for tests and for a gateway with a FreeSWITCH of its own. */
export function startSignallingWorker(
  options: SignallingWorkerOptions,
): Promise<WorkerHandle<SignallingPorts>> {
  const module = new URL(`./signalling.worker.${extension}`, import.meta.url);
  return runWorker('signalling', module, options);
}

/** Media alone. */
export function startMediaWorker(options: MediaWorkerOptions): Promise<WorkerHandle<MediaPorts>> {
  const module = new URL(`./media.worker.${extension}`, import.meta.url);
  return runWorker('media', module, options);
}

/** Both, or neither: when one cannot start, the other is stopped and the reason is thrown. */
export async function startSoftswitch(options: SoftswitchOptions): Promise<Softswitch> {
  const { host, innerHost = INNER_HOST_DEFAULT, sip, control, media, esl } = options;
  const { t1Ms, dnsServers } = options;
  const started = await Promise.allSettled([
    startSignallingWorker({
      host,
      innerHost,
      sip,
      control,
      ...(t1Ms === undefined ? {} : { t1Ms }),
      ...(dnsServers === undefined ? {} : { dnsServers }),
    }),
    startMediaWorker({ host, innerHost, media, esl }),
  ] as const);
  const [signalling, mediaServer] = started;
  if (signalling.status === 'rejected' || mediaServer.status === 'rejected') {
    for (const result of started) if (result.status === 'fulfilled') await result.value.stop();
    throw signalling.status === 'rejected' ? signalling.reason : rejectionOf(mediaServer);
  }
  const workers = [signalling.value, mediaServer.value] as const;
  return {
    ...workers[0].ports,
    ...workers[1].ports,
    onExit: Promise.race([workers[0].onExit, workers[1].onExit]),
    stats: async () => {
      const [signallingStats, mediaStats] = await Promise.all([
        workers[0].stats(),
        workers[1].stats(),
      ]);
      return { signalling: signallingStats, media: mediaStats };
    },
    stop: async () => {
      await Promise.all([workers[0].stop(), workers[1].stop()]);
    },
  };
}

function rejectionOf(result: PromiseSettledResult<unknown>): unknown {
  return result.status === 'rejected' ? result.reason : undefined;
}
