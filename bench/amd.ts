/**
 * Answering machine detection on synthetic calls: the corpus of bench/amd/corpus is made (or found, when
 * it has been made before), and its test split is fed frame by frame to the detector and to the rule of
 * Asterisk's app_amd. docs/amd.md says what the clips are, and what the figures cannot say.
 */
import { amdReport } from './amd/amd-report.ts';
import { classifyCorpus } from './amd/classify.ts';
import { corpusFolder, ensureCorpus } from './amd/corpus/corpus.ts';
import { describeFailures } from './amd/failures.ts';
import type { BenchOptions, BenchReport } from './bench-report.ts';

export async function benchAmd({
  share = 1,
  corpus: folder,
  say,
}: BenchOptions): Promise<BenchReport> {
  const corpus = await ensureCorpus({ folder: folder ?? corpusFolder(share), share, say });
  say(`${corpus.truth.test.length} synthetic clips that training never saw`);
  const { answers, early } = await classifyCorpus(corpus);
  for (const line of describeFailures(answers, early)) say(line);
  return amdReport(corpus, answers, early);
}
