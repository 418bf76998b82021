/** A corpus in a folder: made by two processes, kept while its sources stay the same, and checked. */
import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashOver, readLines, readTruth, type TruthLine } from './corpus-files.ts';
import { CORPUS_PARTS, CORPUS_SEED } from './corpus-plan.ts';
import { checkManifest, writeManifest, type ManifestVerdict } from './corpus-manifest.ts';
import { espeakVersion } from './raw-speech.ts';
import { LANGUAGE_CODES, type Split } from './texts/script-texts.ts';

const WORKERS = 2;

export interface CorpusWishes {
  readonly folder: string;
  /** Of the clips of each split. */
  readonly share: number;
  readonly say: (line: string) => void;
  /** Write the manifest that is committed, instead of checking against it. */
  readonly writeManifest?: boolean;
}

export interface Corpus {
  readonly folder: string;
  readonly hash: string;
  readonly manifest: ManifestVerdict;
  readonly truth: Readonly<Record<Split, readonly TruthLine[]>>;
  /** Of what is heard before the answer. */
  readonly early: Readonly<Record<Split, readonly TruthLine[]>>;
}

/** Where clips are kept between runs when nobody says otherwise. */
export function corpusFolder(share: number): string {
  return join(tmpdir(), `ringfence-amd-corpus-${share}`);
}

export async function ensureCorpus(wishes: CorpusWishes): Promise<Corpus> {
  const { folder, share, say } = wishes;
  const version = espeakVersion();
  if (version === undefined) {
    throw new Error(
      'espeak-ng is not installed; the corpus is made with it (apt-get install espeak-ng)',
    );
  }
  const stamp = JSON.stringify({
    seed: CORPUS_SEED,
    share,
    espeak: version,
    sources: sourcesHash(),
  });
  const stampFile = join(folder, 'made-by.json');
  if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stamp) {
    await make(wishes);
    writeFileSync(stampFile, stamp);
  } else say(`clips of an earlier run: ${folder}`);
  const truth = { train: readTruth(folder, 'train'), test: readTruth(folder, 'test') };
  const early = {
    train: readTruth(folder, 'train-early'),
    test: readTruth(folder, 'test-early'),
  };
  const all = [...truth.train, ...truth.test, ...early.train, ...early.test];
  const hash = hashOver(all);
  if (wishes.writeManifest === true) writeManifest({ share, hash, espeak: version, truth });
  const manifest = checkManifest({ share, hash, espeak: version });
  say(manifest.inWords);
  return { folder, hash, manifest, truth, early };
}

async function make({ folder, share, say }: CorpusWishes): Promise<void> {
  const clips = CORPUS_PARTS.reduce((sum, { plan }) => sum + plan(share).length, 0);
  say(`making ${clips} clips in ${LANGUAGE_CODES.length} languages: ${folder}`);
  for (const part of CORPUS_PARTS)
    rmSync(join(folder, part.folder), { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const startedMs = performance.now();
  await Promise.all(
    Array.from({ length: WORKERS }, (_, worker) => runWorker(folder, share, worker)),
  );
  for (const part of CORPUS_PARTS) gatherTruth(folder, part.folder);
  say(`made in ${Math.round((performance.now() - startedMs) / 1_000)} s`);
}

function runWorker(folder: string, share: number, worker: number): Promise<void> {
  const module = new URL('./corpus-worker.ts', import.meta.url);
  const child = fork(module, [folder, String(share), String(worker), String(WORKERS)]);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`worker ${worker} of the corpus ended with ${code ?? 'a signal'}`));
    });
  });
}

function gatherTruth(folder: string, part: string): void {
  const parts = Array.from({ length: WORKERS }, (_, worker) =>
    join(folder, `${part}.${worker}.ndjson`),
  );
  const lines = parts.flatMap(readLines).sort((a, b) => (a.file < b.file ? -1 : 1));
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  writeFileSync(join(folder, part, 'truth.ndjson'), text);
  for (const file of parts) rmSync(file);
}

/** These find, check and count clips; what a clip is does not depend on them. */
const NOT_OF_CLIPS = ['corpus.ts', 'corpus-manifest.ts', 'generate.ts'];

/** Of the files that clips are made by: a change of any makes all clips anew. */
function sourcesHash(): string {
  const hash = createHash('sha256');
  for (const file of readdirSync(import.meta.dirname, { recursive: true })
    .map(String)
    .sort()) {
    if (!file.endsWith('.ts') || NOT_OF_CLIPS.includes(file)) continue;
    hash.update(file).update(readFileSync(join(import.meta.dirname, file)));
  }
  return hash.digest('hex');
}
