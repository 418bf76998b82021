/** A process that runs every n-th clip: `classify-worker.ts FOLDER WORKER WORKERS OUT`. */
import { writeFileSync } from 'node:fs';
import { runClip } from './clip-run.ts';
import { readTruth } from './corpus/corpus-files.ts';
import { runEarlyClip } from './early-media-run.ts';

const [folder = '', worker = '0', workers = '1', out = ''] = process.argv.slice(2);
const mine = <T>(items: readonly T[]): T[] =>
  items.filter((_, index) => index % Number(workers) === Number(worker));

const WARM_UP_CLIPS = 20;
const test = mine(readTruth(folder, 'test'));
for (const truth of test.slice(0, WARM_UP_CLIPS)) runClip(folder, truth); // compiled before it is timed
const answers = test.map((truth) => runClip(folder, truth));
const early = mine(readTruth(folder, 'test-early')).map((truth) => runEarlyClip(folder, truth));
writeFileSync(out, JSON.stringify({ answers, early }));
