/** The trained weights as the source file that the gateway reads. */
import type { HumanModel } from '../../../gateway/amd/human-probability.ts';

export interface Provenance {
  readonly corpus: string;
  readonly people: number;
  readonly machines: number;
  readonly snapshots: number;
}

const DECIMALS = 4;

export function modelSource(model: HumanModel, provenance: Provenance): string {
  const { corpus, people, machines, snapshots } = provenance;
  return `/**
 * Weights of P(human). Made by \`npx tsx bench/amd/training/train.ts\`; do not edit.
 * Trained on ${people} people and ${machines} machines, ${snapshots} moments, all synthetic.
 * Corpus: ${corpus}
 */
import type { HumanModel } from './human-probability.ts';

export const HUMAN_MODEL: HumanModel = {
  bias: ${rounded(model.bias)},
  features: [${model.features.join(', ')}],
  thresholds: [${model.thresholds.map(rounded).join(', ')}],
  leaves: [${model.leaves.map(rounded).join(', ')}],
};
`;
}

function rounded(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toFixed(DECIMALS))) : 'Infinity';
}
