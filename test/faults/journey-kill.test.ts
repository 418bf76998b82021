/**
 * Goal: a worker of journeys may be killed at any moment: everybody goes the way that they would have
 * gone, each step once, each effect once. A child works two hundred people through a journey of calls,
 * waits, loops and triggers, and is killed at random moments; the paths are held against a run that
 * nobody disturbed.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { inTransaction } from '../../dialer/journeys/in-transaction.ts';
import { JourneyScene } from '../support/journey-scene.ts';
import { outcomesByContact, WALK } from '../support/journey-walk.ts';
import { ownScript } from '../support/own-script.ts';
import { storeTargets, type StoreTarget } from '../support/store-target.ts';

t.setTimeout(300_000);

const PEOPLE = 200;
const KILLS = 3;
const CHILD = ownScript(new URL('../support/journey-walker.child.ts', import.meta.url));
const seed = Number(process.env['RINGFENCE_TEST_SEED'] ?? Date.now() % 1_000_000);

/** Mulberry32. */
function random(seedOf: number): () => number {
  let state = seedOf;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** By one worker, in this process. */
async function undisturbedWalk(scene: JourneyScene): Promise<void> {
  const worker = scene.worker();
  worker.start();
  const isInside = async (): Promise<boolean> => {
    const { db } = scene.database;
    const inside = await db.selectFrom('journey_runs').select('status').execute();
    return inside.length < PEOPLE || inside.some(({ status }) => status === 'active');
  };
  while (await isInside()) await pause(50);
  await worker.stop();
}

async function walked(t: Test, target: StoreTarget, kills: number) {
  const place = target.place(t);
  const database = await place.open({ nowMs: () => Date.now(), connectionsMax: 2 });
  const startMs = Date.now();
  const scene = await JourneyScene.open({
    ...{ database, startMs, nowMs: () => Date.now(), outcomeOf: outcomesByContact },
  });
  for (const name of ['start', 'leave', 'told']) await scene.trigger(name);
  const id = await scene.publish(WALK);
  const people = Array.from({ length: PEOPLE }, (_, n) => `contact-${String(n).padStart(6, '0')}`);
  const rows = people.map((person) => ({
    ...{ id: person, business_unit_id: scene.businessUnitId, unique_identifier: person },
    ...{ external_attributes: '{}', version: 1, created_at_ms: startMs, updated_at_ms: startMs },
  }));
  await database.db.insertInto('contacts').values(rows).execute();
  const { addOccurrences } = await import('../../dialer/triggers/add-occurrences.ts');
  const occurrences = people.map((contactId) => {
    return { trigger: 'start', kind: 'custom', contactId, payload: {} } as const;
  });
  await inTransaction(database, (tx) => addOccurrences(tx, scene.writer, occurrences));
  const next = random(seed);
  const argv = [...CHILD, JSON.stringify(place.address), scene.businessUnitId, '2'];
  let killed = 0;
  if (kills === 0) await undisturbedWalk(scene);
  for (let isDone = kills === 0; !isDone;) {
    const child = spawn(process.execPath, argv, {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    if (killed < kills) {
      // It has begun to work when it has looked for the first time.
      await Promise.race([once(child.stdout, 'data'), ended]);
      await Promise.race([pause(next() * 250), ended]);
      if (child.exitCode === null) {
        child.kill('SIGKILL');
        killed += 1;
      }
    }
    const [code] = (await ended) as [number | null];
    isDone = code === 0;
    if (!isDone && code !== null) throw new Error(`the child ended with ${code}: ${said}`);
  }
  const paths = await scene.paths(id);
  const effects = await database.db.selectFrom('journey_effects').select('key').execute();
  const activities = await database.db.selectFrom('journey_activities').select('id').execute();
  const occurred = await database.db
    .selectFrom('trigger_occurrences')
    .select('id')
    .where('trigger_name', '=', 'told')
    .execute();
  const steps = await database.db
    .selectFrom('journey_path')
    .select(['run_id', 'step_id', 'visit'])
    .where('kind', '=', 'step')
    .execute();
  const keys = steps.map((step) => `${step.run_id}/${step.step_id}/${step.visit}`);
  return {
    killed,
    paths: people.map((person) => paths.get(person) ?? 'never entered'),
    done: [effects.length, activities.length, occurred.length],
    twice: keys.length - new Set(keys).size,
    entered: await scene.count(id, 'entry'),
  };
}

for (const target of await storeTargets(t)) {
  t.test(`kill -9 changes nobody’s path, ${target.name}`, async (t) => {
    t.comment(`seed ${seed}`);
    const undisturbed = await walked(t, target, 0);
    const disturbed = await walked(t, target, KILLS);
    t.equal(disturbed.killed, KILLS, `killed ${disturbed.killed} times`);
    t.same(disturbed.paths, undisturbed.paths);
    t.same(disturbed.done, undisturbed.done, 'conversations, activities and triggers, each once');
    t.same([disturbed.twice, undisturbed.twice], [0, 0]);
    t.same([disturbed.entered, undisturbed.entered], [PEOPLE, PEOPLE]);
    t.ok(new Set(undisturbed.paths).size >= 5, 'they went many ways');
  });
}
