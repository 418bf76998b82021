/** A representative who waits in the lobby, and the start that is made for them. Pure. */
import type { ChainStart } from '../../machines/contact-chain.events.ts';
import type { Held } from '../representatives/representative-desk.ts';

export interface Seat {
  readonly representativeId: string;
  readonly lobbyId: string;
}

/** Reserved, in the lobby, and without a call: whoever has waited longest comes first. */
export function freeSeats(held: readonly Held[]): readonly Seat[] {
  return held.flatMap(({ representativeId, work, lobbyId, attemptId, isDealt }) => {
    const isFree = work === 'reserved' && attemptId === null && lobbyId !== null && isDealt;
    return isFree ? [{ representativeId, lobbyId }] : [];
  });
}

/**
 * The same start, on the media server of a lobby. With `isBound` it is for the representative in it and
 * for nobody else: a person who answers is bridged to them at the verdict.
 */
export function startInLobby(start: ChainStart, lobbyId: string, isBound: boolean): ChainStart {
  const { attempt } = start;
  const { afterAnswer } = attempt;
  const bound =
    isBound && 'representative' in afterAnswer
      ? { ...afterAnswer, representative: { ...afterAnswer.representative, lobbyId } }
      : afterAnswer;
  return {
    ...start,
    attempt: { ...attempt, dial: { ...attempt.dial, lobbyId }, afterAnswer: bound },
  };
}
