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

export class HumanTrees {
  readonly #bias: number;
  readonly #features: Uint8Array;
  readonly #thresholds: Float64Array;
  readonly #leaves: Float64Array;

  constructor({ bias, features, thresholds, leaves }: HumanModel) {
    this.#bias = bias;
    this.#features = Uint8Array.from(features);
    this.#thresholds = Float64Array.from(thresholds);
    this.#leaves = Float64Array.from(leaves);
  }

  /** `values` as `readFeatures` writes them. */
  probability(values: Float64Array): number {
    const leaves = this.#leaves;
    let logOdds = this.#bias;
    for (let tree = 0; tree * LEAVES < leaves.length; tree += 1) {
      const base = tree * SPLITS;
      let node = 0;
      while (node < SPLITS) {
        const value = values[this.#features[base + node] as number] as number;
        node = 2 * node + (value <= (this.#thresholds[base + node] as number) ? 1 : 2);
      }
      logOdds += leaves[tree * LEAVES + node - SPLITS] as number;
    }
    return 1 / (1 + Math.exp(-logOdds));
  }
}

export const HUMAN_TREES = new HumanTrees(HUMAN_MODEL);
