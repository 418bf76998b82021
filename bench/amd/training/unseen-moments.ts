/** Every clip of the training split up to the limit, with P(human) by a model that never saw the clip. */
import { ANSWER_FEATURES, readFeatures } from '../../../gateway/amd/answer-features.ts';
import type { Moment } from '../../../gateway/amd/answer-rule.ts';
import { FRAME_MS } from '../../../gateway/amd/frame-analysis.ts';
import { HumanTrees } from '../../../gateway/amd/human-probability.ts';
import { FLOOR_FRAMES_MIN } from '../../../gateway/amd/speech-levels.ts';
import { SpeechListener } from '../../../gateway/amd/speech-listener.ts';
import { framesOf, MAIN_LIMIT_MS } from '../clip-run.ts';
import { readTruth, type TruthLine } from '../corpus/corpus-files.ts';
import { boost } from './gradient-boosting.ts';
import { Snapshots } from './snapshots.ts';
import { BOOSTING } from './train-options.ts';

export interface UnseenClip {
  readonly truth: TruthLine;
  readonly moments: readonly (Moment & { readonly nowMs: number })[];
  /** A beep, a fax or a SIT, which end the clip: all of them a machine's. */
  readonly hasTone: boolean;
}

const FOLDS = 4;
/** Neighbours, which are of all languages and of both sides, go to a fold together. */
const foldOf = (index: number): number => (index >> 4) % FOLDS;

/** People, and machines with a greeting. About five minutes. */
export function unseenClips(folder: string): UnseenClip[] {
  const truths = readTruth(folder, 'train').filter(
    (truth) =>
      (truth.class === 'human' || truth.class === 'machine') && truth.greetingEndMs !== null,
  );
  const models = Array.from({ length: FOLDS }, (_, fold) => modelWithout(fold, folder, truths));
  return truths.map((truth, index) => {
    const model = models[foldOf(index)];
    if (model === undefined) throw new Error(`clip ${index} has no fold`);
    return heard(folder, truth, model);
  });
}

function modelWithout(fold: number, folder: string, truths: readonly TruthLine[]): HumanTrees {
  const snapshots = new Snapshots();
  for (const [index, truth] of truths.entries()) {
    if (foldOf(index) === fold) continue;
    const frames = framesOf(folder, truth).map((frame) => frame ?? null);
    snapshots.add(frames, truth.class === 'human', truth.greetingEndMs ?? 0);
  }
  return new HumanTrees(boost(snapshots.trainingSet(), BOOSTING));
}

function heard(folder: string, truth: TruthLine, model: HumanTrees): UnseenClip {
  const listener = new SpeechListener();
  const { sensitive, strict, levels, analysis } = listener;
  const values = new Float64Array(ANSWER_FEATURES.length);
  const moments: (Moment & { nowMs: number })[] = [];
  for (const frame of framesOf(folder, truth)) {
    const tone = listener.feed(frame ?? null);
    if (tone !== undefined && tone.kind !== 'progress') return { truth, moments, hasTone: true };
    if (analysis.frames < FLOOR_FRAMES_MIN || sensitive.onsetFrame < 0) continue;
    if (sensitive.elapsedMs > MAIN_LIMIT_MS) break;
    readFeatures(listener, values);
    moments.push({
      nowMs: listener.nowMs,
      probability: model.probability(values),
      onsetMs: sensitive.onsetFrame * FRAME_MS,
      elapsedMs: sensitive.elapsedMs,
      speechMs: sensitive.speechMs,
      pauseMs: sensitive.pauseMs,
      strictPauseMs: strict.pauseMs,
      strictBurstMs: strict.burstMs,
      rangeDb: levels.rangeDb,
    });
  }
  return { truth, moments, hasTone: false };
}
