/** Starting a call whose contact and number somebody was shown: that number is rung, or nobody is. */
import type { ChainProgress, ChainTarget } from '../tasks/chain-walk.ts';
import { decideStart, type StartCandidate, type StartDecision } from '../tasks/decide-start.ts';

export type ShownNumber = Pick<ChainTarget, 'contactId' | 'contactPointId'>;

/**
 * Where that number may not be dialled any more, the task waits or ends as if it had not been chosen:
 * its walk goes on from where it stood, to what is shown next.
 */
export function decideShown(shown: ShownNumber): typeof decideStart {
  return (head, facts, nowMs) => {
    const decided = decideStart(standingOn(head, shown), facts, nowMs);
    const isOver = decided.decision.decide === 'finish';
    if (!isOver && standsOn(head, decided.progress, shown)) return decided;
    // Without a place nothing starts: what is decided is where it waits, or how it ends.
    return notAsShown(decideStart(head, { ...facts, capacityFree: 0 }, nowMs));
  };
}

/**
 * The same task on the number that is shown: those before it are passed over in this loop. One that was tried
 * in it may be chosen again, by somebody who sees that.
 */
function standingOn(head: StartCandidate, shown: ShownNumber): StartCandidate {
  const { chain, progress } = head;
  const numbers = chain[progress.contactIndex]?.numbers ?? [];
  const { contactPointId: standsOn } = shown;
  const numberIndex = numbers.findIndex((one) => one.contactPointId === standsOn);
  if (numberIndex === -1) return head;
  const triedInLoop = progress.triedInLoop?.filter((id) => id !== standsOn) ?? [];
  return { ...head, progress: { ...progress, numberIndex, standsOn, triedInLoop } };
}

function standsOn({ chain }: StartCandidate, at: ChainProgress, shown: ShownNumber): boolean {
  const contact = chain[at.contactIndex];
  if (contact?.contactId !== shown.contactId) return false;
  return contact.numbers[at.numberIndex]?.contactPointId === shown.contactPointId;
}

function notAsShown({ decision, progress }: StartDecision): StartDecision {
  if (decision.decide !== 'postpone' || decision.reason !== 'no_capacity') {
    return { decision, progress };
  }
  return { decision: { ...decision, reason: 'not_as_shown' }, progress };
}
