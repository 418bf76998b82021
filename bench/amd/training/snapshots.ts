/** What the detector sees of a clip, moment by moment, up to the one at which it must have decided. */
import { ANSWER_FEATURES, readFeatures } from '../../../gateway/amd/answer-features.ts';
import { SpeechListener } from '../../../gateway/amd/speech-listener.ts';
import { FLOOR_FRAMES_MIN } from '../../../gateway/amd/speech-levels.ts';
import type { TrainingSet } from './gradient-boosting.ts';

const EVERY_FRAMES = 3;
/** A person whose greeting has been over for this long is through to somebody. */
const AFTER_GREETING_MS = 1_100;
const ELAPSED_MAX_MS = 7_000;
/** A machine that paused for this long was called a person: what follows is never asked. */
const PAUSE_MAX_MS = 1_100;

export class Snapshots {
  readonly #rows: Float64Array[] = [];
  readonly #labels: number[] = [];

  /** Features of every third frame of speech. Null is a frame that did not arrive. */
  add(frames: Iterable<Int16Array | null>, isPerson: boolean, greetingEndMs: number): void {
    const listener = new SpeechListener();
    for (const frame of frames) {
      listener.feed(frame);
      const { sensitive, analysis, nowMs } = listener;
      if (analysis.frames < FLOOR_FRAMES_MIN || sensitive.onsetFrame < 0) continue;
      if (sensitive.elapsedMs > ELAPSED_MAX_MS || sensitive.pauseMs > PAUSE_MAX_MS) return;
      if (isPerson && nowMs > greetingEndMs + AFTER_GREETING_MS) return;
      if (analysis.frames % EVERY_FRAMES !== 0) continue;
      const row = new Float64Array(ANSWER_FEATURES.length);
      readFeatures(listener, row);
      this.#rows.push(row);
      this.#labels.push(isPerson ? 1 : 0);
    }
  }

  get count(): number {
    return this.#rows.length;
  }

  trainingSet(): TrainingSet {
    return {
      columns: ANSWER_FEATURES.map((_, f) =>
        Float64Array.from(this.#rows, (row) => row[f] as number),
      ),
      labels: Uint8Array.from(this.#labels),
      weights: new Float64Array(this.#rows.length).fill(1),
      trends: ANSWER_FEATURES.map(({ trend }) => trend),
    };
  }
}
