/** All clips of the test split through the detector, in two processes. */
import { fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClipResult } from './clip-run.ts';
import type { TruthLine } from './corpus/corpus-files.ts';
import type { Corpus } from './corpus/corpus.ts';
import type { EarlyResult } from './early-media-run.ts';

const WORKERS = 2;

export interface Judged {
  readonly truth: TruthLine;
  readonly result: ClipResult;
}

export interface JudgedEarly {
  readonly truth: TruthLine;
  readonly result: EarlyResult;
}

interface Results {
  readonly answers: readonly ClipResult[];
  readonly early: readonly EarlyResult[];
}

export async function classifyCorpus(
  corpus: Corpus,
): Promise<{ answers: readonly Judged[]; early: readonly JudgedEarly[] }> {
  const scratch = mkdtempSync(join(tmpdir(), 'ringfence-amd-bench-'));
  try {
    const parts = await Promise.all(
      Array.from({ length: WORKERS }, (_, worker) => {
        return runWorker(corpus.folder, worker, join(scratch, `${worker}.json`));
      }),
    );
    return {
      answers: matched(
        corpus.truth.test,
        parts.flatMap(({ answers }) => answers),
      ),
      early: matched(
        corpus.early.test,
        parts.flatMap(({ early }) => early),
      ),
    };
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function matched<R extends { readonly file: string }>(
  truths: readonly TruthLine[],
  results: readonly R[],
): { truth: TruthLine; result: R }[] {
  const byFile = new Map(results.map((result) => [result.file, result]));
  return truths.map((truth) => {
    const result = byFile.get(truth.file);
    if (result === undefined) throw new Error(`no result for ${truth.file}`);
    return { truth, result };
  });
}

function runWorker(folder: string, worker: number, out: string): Promise<Results> {
  const module = new URL('./classify-worker.ts', import.meta.url);
  const child = fork(module, [folder, String(worker), String(WORKERS), out]);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0) resolve(JSON.parse(readFileSync(out, 'utf8')) as Results);
      else reject(new Error(`worker ${worker} of the bench ended with ${code ?? 'a signal'}`));
    });
  });
}
