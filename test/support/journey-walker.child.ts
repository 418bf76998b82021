/**
 * A process to be killed: works the journeys of a store, several workers side by side, until nobody is
 * inside any more. Arguments: a StoreAddress as JSON, the id of the business unit, and the workers.
 */
import { writeSync } from 'node:fs';
import { JourneyScene } from './journey-scene.ts';
import { outcomesByContact } from './journey-walk.ts';
import { openStore, type StoreAddress } from './store-target.ts';

const [address = '', businessUnitId = '', workers = '1'] = process.argv.slice(2);
const database = await openStore(JSON.parse(address) as StoreAddress, { connectionsMax: 4 });
const scene = await JourneyScene.open({
  ...{ database, businessUnitId, startMs: Date.now(), nowMs: () => Date.now(), limit: 5 },
  outcomeOf: outcomesByContact,
});
const all = Array.from({ length: Number(workers) }, () => scene.worker());
for (const worker of all) worker.start();
for (let inside = -1; inside !== 0;) {
  const rows = await database.db
    .selectFrom('journey_runs')
    .select((eb) => eb.fn.countAll<number>().as('inside'))
    .where('status', '=', 'active')
    .executeTakeFirstOrThrow();
  const waiting = await database.db
    .selectFrom('trigger_occurrences')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('consumed_at_ms', 'is', null)
    .executeTakeFirstOrThrow();
  inside = rows.inside + waiting.count;
  writeSync(1, `${inside} inside\n`);
}
for (const worker of all) await worker.stop();
writeSync(1, 'done\n');
await database.close();
