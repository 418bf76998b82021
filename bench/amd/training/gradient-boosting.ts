/** Gradient boosting of trees of depth 3 on the logistic loss, with the trends of the features kept. */
import type { HumanModel } from '../../../gateway/amd/human-probability.ts';

export interface TrainingSet {
  /** One column a feature. */
  readonly columns: readonly Float64Array[];
  /** 1 a person, 0 a machine. */
  readonly labels: Uint8Array;
  readonly weights: Float64Array;
  /** Per feature: 1 more of it is more human, -1 less, 0 either. */
  readonly trends: readonly (1 | 0 | -1)[];
}

export interface BoostingOptions {
  readonly trees: number;
  readonly rate: number;
  /** Pulls leaves towards nothing; in units of the second derivative's sum. */
  readonly ridge: number;
  readonly leafWeightMin: number;
}

const BINS = 48;
const DEPTH = 3;
const SPLITS = 7;
const LEAVES = 8;

interface Bounds {
  readonly least: number;
  readonly most: number;
}

interface Split {
  readonly feature: number;
  readonly bin: number;
  readonly gain: number;
  readonly left: number;
  readonly right: number;
}

interface Growing {
  readonly features: number[];
  readonly thresholds: number[];
  readonly leaves: number[];
}

/** Cost: about 1 s for 100 trees, 20 features and 20,000 rows. Same input, same model. */
export function boost(set: TrainingSet, options: BoostingOptions): HumanModel {
  const boosting = new Boosting(set, options);
  for (let tree = 0; tree < options.trees; tree += 1) boosting.addTree();
  return boosting.model();
}

class Boosting {
  readonly #set: TrainingSet;
  readonly #options: BoostingOptions;
  readonly #rows: number;
  readonly #edges: readonly Float64Array[];
  readonly #bins: readonly Uint8Array[];
  readonly #scores: Float64Array;
  readonly #gradients: Float64Array;
  readonly #curvatures: Float64Array;
  readonly #bias: number;
  readonly #grown: Growing = { features: [], thresholds: [], leaves: [] };

  constructor(set: TrainingSet, options: BoostingOptions) {
    this.#set = set;
    this.#options = options;
    this.#rows = set.labels.length;
    this.#edges = set.columns.map(quantiles);
    this.#bins = set.columns.map((column, f) => binned(column, this.#edges[f] as Float64Array));
    this.#gradients = new Float64Array(this.#rows);
    this.#curvatures = new Float64Array(this.#rows);
    let people = 0;
    let all = 0;
    for (let i = 0; i < this.#rows; i += 1) {
      people += (set.labels[i] as number) * (set.weights[i] as number);
      all += set.weights[i] as number;
    }
    this.#bias = Math.log(people / (all - people));
    this.#scores = new Float64Array(this.#rows).fill(this.#bias);
  }

  addTree(): void {
    for (let i = 0; i < this.#rows; i += 1) {
      const p = 1 / (1 + Math.exp(-(this.#scores[i] as number)));
      const weight = this.#set.weights[i] as number;
      this.#gradients[i] = weight * (p - (this.#set.labels[i] as number));
      this.#curvatures[i] = weight * p * (1 - p);
    }
    const features = new Array<number>(SPLITS).fill(0);
    const thresholds = new Array<number>(SPLITS).fill(Infinity);
    const leaves = new Array<number>(LEAVES).fill(0);
    const all = Uint32Array.from({ length: this.#rows }, (_, i) => i);
    this.#grow(all, 0, 0, { least: -Infinity, most: Infinity }, { features, thresholds, leaves });
    this.#grown.features.push(...features);
    this.#grown.thresholds.push(...thresholds);
    this.#grown.leaves.push(...leaves);
  }

  model(): HumanModel {
    return { bias: this.#bias, ...this.#grown };
  }

  #grow(rows: Uint32Array, node: number, depth: number, bounds: Bounds, tree: Growing): void {
    if (depth === DEPTH) {
      const value = this.#options.rate * this.#valueOf(rows, bounds);
      tree.leaves[node - SPLITS] = value;
      for (const i of rows) this.#scores[i] = (this.#scores[i] as number) + value;
      return;
    }
    const split = this.#bestSplit(rows, bounds);
    if (split === undefined) {
      // Everything goes left, down to one leaf.
      this.#grow(rows, 2 * node + 1, depth + 1, bounds, tree);
      return;
    }
    tree.features[node] = split.feature;
    tree.thresholds[node] = (this.#edges[split.feature] as Float64Array)[split.bin] as number;
    const bins = this.#bins[split.feature] as Uint8Array;
    const trend = this.#set.trends[split.feature];
    const middle = (split.left + split.right) / 2;
    const low = { least: bounds.least, most: Math.min(bounds.most, middle) };
    const high = { least: Math.max(bounds.least, middle), most: bounds.most };
    const left = trend === 0 ? bounds : trend === 1 ? low : high;
    const right = trend === 0 ? bounds : trend === 1 ? high : low;
    const isLeft = (i: number): boolean => (bins[i] as number) <= split.bin;
    this.#grow(rows.filter(isLeft), 2 * node + 1, depth + 1, left, tree);
    this.#grow(
      rows.filter((i) => !isLeft(i)),
      2 * node + 2,
      depth + 1,
      right,
      tree,
    );
  }

  #valueOf(rows: Uint32Array, bounds: Bounds): number {
    let gradient = 0;
    let curvature = 0;
    for (const i of rows) {
      gradient += this.#gradients[i] as number;
      curvature += this.#curvatures[i] as number;
    }
    return this.#clamped(gradient, curvature, bounds);
  }

  #clamped(gradient: number, curvature: number, { least, most }: Bounds): number {
    return Math.min(most, Math.max(least, -gradient / (curvature + this.#options.ridge)));
  }

  #bestSplit(rows: Uint32Array, bounds: Bounds): Split | undefined {
    let best: Split | undefined;
    for (let feature = 0; feature < this.#bins.length; feature += 1) {
      const found = this.#bestSplitOn(feature, rows, bounds);
      if (found !== undefined && (best === undefined || found.gain > best.gain)) best = found;
    }
    return best;
  }

  #bestSplitOn(feature: number, rows: Uint32Array, bounds: Bounds): Split | undefined {
    const bins = this.#bins[feature] as Uint8Array;
    const gradients = new Float64Array(BINS);
    const curvatures = new Float64Array(BINS);
    for (const i of rows) {
      const bin = bins[i] as number;
      gradients[bin] = (gradients[bin] as number) + (this.#gradients[i] as number);
      curvatures[bin] = (curvatures[bin] as number) + (this.#curvatures[i] as number);
    }
    const g = gradients.reduce((sum, value) => sum + value, 0);
    const h = curvatures.reduce((sum, value) => sum + value, 0);
    const { ridge, leafWeightMin } = this.#options;
    const whole = (g * g) / (h + ridge);
    let leftG = 0;
    let leftH = 0;
    let best: Split | undefined;
    for (let bin = 0; bin < (this.#edges[feature] as Float64Array).length; bin += 1) {
      leftG += gradients[bin] as number;
      leftH += curvatures[bin] as number;
      if (leftH < leafWeightMin || h - leftH < leafWeightMin) continue;
      const left = this.#clamped(leftG, leftH, bounds);
      const right = this.#clamped(g - leftG, h - leftH, bounds);
      if ((right - left) * (this.#set.trends[feature] as number) < 0) continue;
      const rightG = g - leftG;
      const gain = leftG ** 2 / (leftH + ridge) + rightG ** 2 / (h - leftH + ridge) - whole;
      if (gain > (best?.gain ?? 1e-6)) best = { feature, bin, gain, left, right };
    }
    return best;
  }
}

/** Values between which a feature may be split, at most one fewer than there are bins. */
function quantiles(column: Float64Array): Float64Array {
  const sorted = Float64Array.from(column).sort();
  const edges = new Set<number>();
  for (let k = 1; k < BINS; k += 1) {
    edges.add(sorted[Math.floor((k * sorted.length) / BINS)] as number);
  }
  return Float64Array.from([...edges].sort((a, b) => a - b));
}

function binned(column: Float64Array, edges: Float64Array): Uint8Array {
  return Uint8Array.from(column, (value) => {
    let low = 0;
    let high = edges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (value <= (edges[middle] as number)) high = middle;
      else low = middle + 1;
    }
    return low;
  });
}
