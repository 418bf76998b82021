/** A representative who waits in the lobby, and the start that is made for them. Pure. */
import type { ChainStart } from '../../machines/contact-chain.events.ts';
import type { Held } from '../representatives/representative-desk.ts';

export interface Seat {
  readonly representativeId: string;
  readonly lobbyId: string;
  /** Which alone can bridge anybody to it. */
  readonly gatewayId: string;
}

/** Reserved, in the lobby, and without a call: whoever has waited longest comes first. */
export function freeSeats(held: readonly Held[]): readonly Seat[] {
  return held.flatMap(({ representativeId, work, lobbyId, gatewayId, attemptId, isDealt }) => {
    const isFree = work === 'reserved' && attemptId === null && isDealt;
    if (!isFree || lobbyId === null || gatewayId === null) return [];
    return [{ representativeId, lobbyId, gatewayId }];
  });
}

/** The gateway with most of them, of those that can dial; undefined: there is none. */
export function gatewayOfMost(
  legs: readonly { readonly gatewayId: string }[],
  canDial: (gatewayId: string) => boolean,
): string | undefined {
  const counts = new Map<string, number>();
  for (const { gatewayId } of legs) {
    if (canDial(gatewayId)) counts.set(gatewayId, (counts.get(gatewayId) ?? 0) + 1);
  }
  return [...counts].sort(([, one], [, other]) => other - one)[0]?.[0];
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
