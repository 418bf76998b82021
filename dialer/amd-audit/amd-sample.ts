/** Which machine verdicts are audited, and what is understood by an answer. */
import { createHash } from 'node:crypto';
import type { AnswerVerdict } from '../../machines/telephony-events.ts';

/**
 * Who was there: a person, or nobody (an answering machine, a fax, an announcement). `unclear` says
 * neither, and stays out of the ratio.
 */
export const HEARD = ['human', 'machine', 'unclear'] as const;
export type Heard = (typeof HEARD)[number];

const HASH_BYTES = 6;
const HASHES = 2 ** (8 * HASH_BYTES);

/**
 * Whether an attempt is in the sample: by its id alone, which was made before anybody was rung, so that
 * nothing that happened in the call has a say. The same id and share always give the same answer, and a
 * larger share keeps what a smaller one had. `share`: of all attempts, a fraction.
 */
export function isInSample(attemptId: string, share: number): boolean {
  if (share <= 0) return false;
  const hash = createHash('sha256').update(`amd-audit:${attemptId}`).digest();
  return hash.readUIntBE(0, HASH_BYTES) / HASHES < share;
}

/** What an AI agent's word about who answered says of a machine verdict. */
export function heardByAgent(said: AnswerVerdict): Heard {
  switch (said) {
    case 'human':
      return 'human';
    case 'machine':
    case 'fax':
    case 'sit':
      return 'machine';
    case 'silence':
    case 'unknown':
      return 'unclear';
  }
}
