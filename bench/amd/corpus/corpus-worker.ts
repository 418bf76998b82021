/** A process that makes every n-th clip of the plan: `corpus-worker.ts FOLDER SHARE WORKER WORKERS`. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { makeClip } from './clip.ts';
import { g711Wav } from './corpus-files.ts';
import { CORPUS_PARTS, CORPUS_SEED } from './corpus-plan.ts';
import { NoiseBeds } from './noise-beds.ts';
import { EspeakSpeech } from './raw-speech.ts';

setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
const [folder = '', share = '1', worker = '0', workers = '1'] = process.argv.slice(2);
const speech = new EspeakSpeech(join(folder, 'raw-speech'));
const beds = new NoiseBeds(speech, CORPUS_SEED);

for (const part of CORPUS_PARTS) {
  mkdirSync(join(folder, part.folder), { recursive: true });
  const lines: string[] = [];
  for (const [index, plan] of part.plan(Number(share)).entries()) {
    if (index % Number(workers) !== Number(worker)) continue;
    const { codes, truth } = makeClip(plan, speech, beds);
    const wav = g711Wav(codes, truth.codec);
    writeFileSync(join(folder, truth.file), wav);
    const sha256 = createHash('sha256').update(wav).digest('hex');
    lines.push(`${JSON.stringify({ ...truth, sha256 })}\n`);
  }
  writeFileSync(join(folder, `${part.folder}.${worker}.ndjson`), lines.join(''));
}
