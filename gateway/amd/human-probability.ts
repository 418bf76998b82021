/** P(a person speaks): a sum of small trees under a logistic curve. */
import { HUMAN_MODEL } from './human-model.data.ts';

/**
 * Trees of depth 3 as arrays: seven splits (the root, its two children, their four) and eight
 * leaves. `x <= threshold` goes left.
 */
export interface HumanModel {
  readonly bias: number;
  /** Seven a tree: index of the feature. */
  readonly features: readonly number[];
  readonly thresholds: readonly number[];
  /** Eight a tree: what it adds to the log odds. */
  readonly leaves: readonly number[];
}

const SPLITS = 7;
const LEAVES = 8;

const features = Uint8Array.from(HUMAN_MODEL.features);
const thresholds = Float64Array.from(HUMAN_MODEL.thresholds);
const leaves = Float64Array.from(HUMAN_MODEL.leaves);

/** `values` as `readFeatures` writes them. */
export function humanProbability(values: Float64Array): number {
  let logOdds = HUMAN_MODEL.bias;
  for (let tree = 0; tree * LEAVES < leaves.length; tree += 1) {
    const base = tree * SPLITS;
    let node = 0;
    while (node < SPLITS) {
      const value = values[features[base + node] as number] as number;
      node = 2 * node + (value <= (thresholds[base + node] as number) ? 1 : 2);
    }
    logOdds += leaves[tree * LEAVES + node - SPLITS] as number;
  }
  return 1 / (1 + Math.exp(-logOdds));
}
