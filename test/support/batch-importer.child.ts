/** A process to be killed in the middle of an import. Argument: its job as JSON; prints each line reached. */
import { writeSync } from 'node:fs';
import { idSource } from '../../dialer/ids/uuid7.ts';
import { importBatch } from '../../dialer/intake/batch-import.ts';
import { contactListBytes } from './contact-list.ts';
import { openStore, type StoreAddress } from './store-target.ts';

export interface ImporterJob {
  readonly address: StoreAddress;
  readonly businessUnitId: string;
  readonly batchId: string;
  readonly rows: number;
  readonly rowsPerTransaction: number;
}

const job = JSON.parse(process.argv[2] ?? '') as ImporterJob;
const { address, rows, ...batch } = job;
const database = await openStore(address);
await importBatch({
  ...batch,
  database,
  ids: idSource(Date.now),
  nowMs: Date.now,
  actor: 'test',
  open: contactListBytes({ rows }),
  rules: { format: 'e164' },
  onProgress: ({ lastLine }) => writeSync(1, `${lastLine}\n`),
});
await database.close();
