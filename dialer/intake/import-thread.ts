/**
 * An import in a thread of its own: reading, checking numbers and making rows cost the dialing thread
 * nothing, and its transactions take their turn beside the dialer's.
 */
import { startThread } from '../start-thread.ts';
import { DialerError, type ErrorCode } from '../../machines/errors.ts';
import type { OpenDatabase, SharedDatabase } from '../store/open-database.ts';
import type { ImportProgress, ImportSummary } from './batch-import.ts';
import { ContactsCsvError, type ContactsFault } from './contacts-csv-error.ts';
import type { DestinationRules } from './destination.ts';

export interface ImportJob {
  readonly businessUnitId: string;
  readonly batchId: string;
  readonly actor: string;
  /** Path of the file; it must not change until the end. */
  readonly file: string;
  readonly rules: DestinationRules;
  readonly bytesMax?: number;
  readonly rowsPerTransaction?: number;
}

export interface ImportThreadData {
  readonly shared: SharedDatabase;
  readonly job: ImportJob;
}

export type FromImportThread =
  | { readonly type: 'progress'; readonly progress: ImportProgress }
  | { readonly type: 'ended'; readonly summary: ImportSummary }
  | {
      readonly type: 'failed';
      readonly message: string;
      readonly code: ErrorCode | null;
      readonly fault: ContactsFault | null;
    };

export interface RunningImport {
  /** As `importBatch` would: rejects when it was stopped, and can be begun again then. */
  readonly ended: Promise<ImportSummary>;
  /** Between two transactions. Resolves when the thread is gone. */
  stop(): Promise<void>;
}

export function importInThread(
  database: OpenDatabase,
  job: ImportJob,
  onProgress: (progress: ImportProgress) => void = () => undefined,
): RunningImport {
  const name = import.meta.url.endsWith('.ts') ? './import.worker.ts' : './import.worker.js';
  const shared = database.share();
  const worker = startThread(new URL(name, import.meta.url), {
    workerData: { shared, job } satisfies ImportThreadData,
    transferList: shared.kind === 'sqlite' ? [shared.port] : [],
  });
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  const ended = new Promise<ImportSummary>((resolve, reject) => {
    worker.on('message', (message: FromImportThread) => {
      if (message.type === 'progress') onProgress(message.progress);
      else if (message.type === 'ended') resolve(message.summary);
      else reject(errorOf(message));
    });
    worker.once('error', reject);
    void exited.then(() => reject(new Error('the import’s thread ended before its end')));
  });
  return {
    ended,
    stop: async () => {
      ended.catch(() => undefined);
      worker.postMessage('stop');
      await exited;
    },
  };
}

function errorOf(failed: Extract<FromImportThread, { type: 'failed' }>): Error {
  const { message, code, fault } = failed;
  if (fault !== null) return new ContactsCsvError(fault, message);
  return code === null ? new Error(message) : new DialerError(code, message);
}
