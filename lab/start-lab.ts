/** Starts the lab in a thread of its own. */
import { startWorker } from '../softswitch/start-worker.ts';
import type { AiAgentRecord } from './ai-agent-record.ts';
import type { ReceivedInvite } from './carrier.ts';
import type { FarEndRecord } from './far-end-call.ts';
import { InviteLog } from './invite-log.ts';
import type { FromLab, LabOptions, ToLab } from './lab-messages.ts';

export interface LabReport {
  /** Ended calls, oldest first. */
  readonly records: readonly FarEndRecord[];
  /** What the AI agent saw, likewise. */
  readonly aiAgentRecords: readonly AiAgentRecord[];
  readonly liveCalls: number;
}

export interface Lab {
  /** Where the carrier listens, UDP and TCP. */
  readonly sipPort: number;
  /** Where the AI agent listens, UDP and TCP; undefined when there is none. */
  readonly aiAgentSipPort: number | undefined;
  /** Where the representatives' phones are called. */
  readonly representativeUris: readonly string[];
  /** Calls as the carrier received them, oldest first; the last ten thousand. */
  readonly invites: readonly ReceivedInvite[];
  /** Resolves when so many have been received in all. */
  untilInvites(count: number): Promise<void>;
  /** What the far end saw so far. */
  report(): Promise<LabReport>;
  stop(): Promise<void>;
}

/** Resolves when the carrier listens; rejects with the reason when it cannot. */
export async function startLab(options: LabOptions): Promise<Lab> {
  const file = import.meta.url.endsWith('.ts') ? './lab.worker.ts' : './lab.worker.js';
  const worker = startWorker(new URL(file, import.meta.url), { workerData: options });
  const waiting = new Map<number, (report: LabReport) => void>();
  const log = new InviteLog();
  let requestId = 0;
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));

  type Ready = Extract<FromLab, { type: 'ready' }>;
  const { sipPort, aiAgentSipPort, representativeUris } = await new Promise<Ready>(
    (resolve, reject) => {
      worker.once('error', reject);
      worker.on('message', (message: FromLab) => {
        if (message.type === 'ready') resolve(message);
        if (message.type === 'failed')
          reject(new Error(`the lab did not start: ${message.problem}`));
        if (message.type === 'invited') log.add(message.invite);
        if (message.type === 'records') {
          waiting.get(message.requestId)?.(message);
          waiting.delete(message.requestId);
        }
      });
    },
  );

  const tell = (message: ToLab): void => worker.postMessage(message);
  return {
    sipPort,
    aiAgentSipPort,
    representativeUris,
    invites: log.invites,
    untilInvites: (count) => log.until(count),
    report: () =>
      new Promise<LabReport>((resolve) => {
        requestId += 1;
        waiting.set(requestId, resolve);
        tell({ type: 'records', requestId });
      }),
    stop: async () => {
      tell({ type: 'stop' });
      await exited;
    },
  };
}
