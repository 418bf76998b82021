/**
 * A process to be killed: commits business units from several sides at once, and prints the id of
 * each as soon as its commit is acknowledged. Argument: a StoreAddress as JSON.
 */
import { writeSync } from 'node:fs';
import { openStore, type StoreAddress } from './store-target.ts';

const WRITERS = 8;
const database = await openStore(JSON.parse(process.argv[2] ?? '') as StoreAddress);
let count = 0;

async function write(): Promise<never> {
  for (;;) {
    count += 1;
    const id = `unit-${count}`;
    await database.db.transaction().execute(async (tx) => {
      await tx.insertInto('business_units').values({ id, name: id, created_at_ms: 1 }).execute();
      await tx.updateTable('business_units').set({ name: 'done' }).where('id', '=', id).execute();
    });
    writeSync(1, `${id}\n`);
  }
}

await Promise.all(Array.from({ length: WRITERS }, write));
