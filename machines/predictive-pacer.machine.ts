/** The pacer of a predictive engagement: calls in proportion to representatives (spec B.4). */
import { pacedPacer } from './paced-pacer.setup.ts';

/** Names the behaviour that its golden logs hold; see docs/architecture.md. */
export const PREDICTIVE_PACER_VERSION = 1;

export const predictivePacerMachine = pacedPacer('predictivePacer');
