/** Trains P(human) on the corpus's training split and writes gateway/amd/human-model.data.ts. */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { FRAME_SAMPLES } from '../../../gateway/amd/frame-analysis.ts';
import { decodeWav } from '../../../softswitch/media/wav.ts';
import { boost } from './gradient-boosting.ts';
import { modelSource } from './model-file.ts';
import { Snapshots } from './snapshots.ts';
import { BOOSTING } from './train-options.ts';

const MODEL_FILE = new URL('../../../gateway/amd/human-model.data.ts', import.meta.url);

interface Line {
  readonly file: string;
  readonly class: string | null;
  readonly greetingEndMs: number | null;
  readonly lostFrames?: readonly number[];
}

const [folder, corpus = 'not said'] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: train.ts FOLDER-OF-THE-CORPUS [ITS-HASH]');
const lines = readFileSync(resolve(folder, 'train/truth.ndjson'), 'utf8').trim().split('\n');
const snapshots = new Snapshots();
let people = 0;
let machines = 0;
for (const line of lines) {
  const truth = JSON.parse(line) as Line;
  if (truth.class !== 'human' && truth.class !== 'machine') continue;
  if (truth.greetingEndMs === null) continue; // a beep alone, or music
  const { pcm } = decodeWav(readFileSync(resolve(folder, truth.file)));
  snapshots.add(framesOf(pcm, truth), truth.class === 'human', truth.greetingEndMs);
  if (truth.class === 'human') people += 1;
  else machines += 1;
}
const model = boost(snapshots.trainingSet(), BOOSTING);
writeFileSync(
  MODEL_FILE,
  modelSource(model, { corpus, people, machines, snapshots: snapshots.count }),
);
console.error(`${people} people, ${machines} machines, ${snapshots.count} moments`);

function* framesOf(pcm: Int16Array, { lostFrames = [] }: Line): Generator<Int16Array | null> {
  const lost = new Set(lostFrames);
  for (let i = 0; (i + 1) * FRAME_SAMPLES <= pcm.length; i += 1) {
    yield lost.has(i) ? null : pcm.subarray(i * FRAME_SAMPLES, (i + 1) * FRAME_SAMPLES);
  }
}
