/** The pacer of a progressive engagement: one call for each representative, or so many (spec B.3). */
import { pacedPacer } from './paced-pacer.setup.ts';

/** Names the behaviour that its golden logs hold; see docs/architecture.md. */
export const PROGRESSIVE_PACER_VERSION = 1;

export const progressivePacerMachine = pacedPacer('progressivePacer');
