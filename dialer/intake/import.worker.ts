/** The thread of one import; see import-thread.ts. */
import { createReadStream } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { DialerError } from '../../machines/errors.ts';
import { idSource } from '../ids/uuid7.ts';
import { joinDatabase } from '../store/join-database.ts';
import { importBatch } from './batch-import.ts';
import { ContactsCsvError } from './contacts-csv-error.ts';
import type { FromImportThread, ImportThreadData } from './import-thread.ts';

const port = parentPort;
if (port === null) throw new Error('import.worker runs as a worker thread only');
const { shared, job } = workerData as ImportThreadData;
const { file, ...batch } = job;
const stop = new AbortController();
port.on('message', () => stop.abort(new Error('the import was stopped')));

const say = (message: FromImportThread): void => port.postMessage(message);
const database = joinDatabase(shared);
try {
  const summary = await importBatch({
    ...batch,
    database,
    ids: idSource(Date.now),
    nowMs: Date.now,
    open: () => createReadStream(file),
    onProgress: (progress) => say({ type: 'progress', progress }),
    signal: stop.signal,
  });
  say({ type: 'ended', summary });
} catch (error) {
  say({
    type: 'failed',
    message: error instanceof Error ? error.message : String(error),
    code: error instanceof DialerError ? error.code : null,
    fault: error instanceof ContactsCsvError ? error.fault : null,
  });
}
await database.close();
port.close();
