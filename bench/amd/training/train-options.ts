import type { BoostingOptions } from './gradient-boosting.ts';

/** Of the model that is shipped, and of those that judge clips they never saw. */
export const BOOSTING: BoostingOptions = { trees: 60, rate: 0.15, ridge: 8, leafWeightMin: 12 };
