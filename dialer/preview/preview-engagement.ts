/** A preview engagement in a running dialer: its offers, with the store and the calls behind them. */
import type { RuntimeParts } from '../actors/engagement-runtime.ts';
import { claimContextOf, claimRequestOf } from '../actors/claim-context.ts';
import { settleClaim } from '../actors/settle-claim.ts';
import type { EngagementFacts } from '../engagements/engagement-facts.ts';
import { cancelTask } from '../tasks/cancel-task.ts';
import { ClaimInDoubt } from '../tasks/claim-in-doubt.ts';
import { claimNextNumber, type ClaimedStart, type ClaimResult } from '../tasks/claim-starts.ts';
import { decideShown, type ShownNumber } from './decide-shown.ts';
import { giveBackTask, heldTaskIds, holdTasks } from './held-tasks.ts';
import { PreviewEvents } from './preview-events.ts';
import type { DialAnswer } from './preview-offer.ts';
import { PreviewOffers } from './preview-offers.ts';
import type { Sharer } from '../representatives/representative-shares.ts';

export interface PreviewParts extends RuntimeParts {
  readonly facts: () => EngagementFacts;
  /** Running, its queue open, and nobody is stopping. */
  readonly isDialing: () => boolean;
  /** A place on the trunk, taken. */
  readonly grant: () => boolean;
  /** It was not used. */
  readonly ungrant: () => void;
  /** The call of a claimed start begins, in this lobby of that gateway. */
  readonly begin: (claimed: ClaimedStart, lobbyId: string, gatewayId: string) => void;
  /** Recorded as never dialled; its place is given back. */
  readonly takeBack: (claimed: ClaimedStart) => void;
}

export function makePreviewOffers(parts: PreviewParts): PreviewOffers {
  const { desk, clock, work, log, facts, isDialing, limits, shares, database, actor } = parts;
  const { id: engagementId, business_unit_id: businessUnitId } = facts().engagement;
  const { isStopping, onWaiting } = parts;
  const retryMs = limits.storeRetryMs;
  const request = (count: number) => claimRequestOf(parts, facts(), count);
  const context = () => claimContextOf(parts, facts());
  const events = new PreviewEvents({
    ...{ database, clock, work, log, actor, businessUnitId, engagementId, retryMs, isStopping },
  });
  return new PreviewOffers({
    ...{ desk, clock, work, log, facts, isDialing, events, retryMs },
    delaysStarts: parts.times.delaysStarts ?? true,
    hold: async (count) => {
      const { tasks, changes } = await holdTasks(context(), request(count));
      if (changes.length > 0) onWaiting();
      return { tasks, changed: changes.length };
    },
    heldTaskIds: () => heldTaskIds(context(), engagementId),
    giveBack: async (how) => {
      const change = await giveBackTask(context(), request(0), how);
      if (change?.kind === 'postponed') onWaiting();
      return change;
    },
    dial: (taskId, representativeId, shown) => dial(parts, taskId, representativeId, shown),
    cancelTask: async (taskId, representativeId) => {
      const reason = 'called off by the representative to whom it was shown';
      const by = `representative:${representativeId}`;
      const asked = { database, businessUnitId, nowMs: clock.now(), actor: by, reason };
      await cancelTask(asked, taskId);
    },
    endCall: (taskId, why) => void parts.cancelChain(taskId, why),
    served: () => shares.served(engagementId),
    ended: (as) => parts.news.tell({ type: 'preview.ended', engagementId, as }),
    wake: () => shares.wake(),
  });
}

/** `onAllotted`: so many representatives may be shown a contact each. */
export function previewSharer(
  offers: PreviewOffers,
  onAllotted: (representatives: number) => void,
): () => Sharer {
  return () => ({ ...offers.sharer, onAllotted });
}

/** Eligible anew at this moment, with the number's guard, and on disk before the INVITE. */
async function dial(
  parts: PreviewParts,
  taskId: string,
  representativeId: string,
  shown: ShownNumber,
): Promise<DialAnswer> {
  const { desk, grant, ungrant, begin, takeBack, onWaiting } = parts;
  const leg = desk.get(representativeId);
  const gatewayId = leg?.gatewayId ?? null;
  if (leg === undefined || gatewayId === null) return { kind: 'refused', reason: 'withdrawn' };
  if (!parts.isDialing() || !grant()) return { kind: 'later' };
  let result: ClaimResult | undefined;
  try {
    result = await claim(parts, taskId, shown, gatewayId);
  } finally {
    if (result?.starts[0] === undefined) ungrant();
  }
  const [claimed] = result.starts;
  if (claimed === undefined) {
    const [change] = result.changes;
    if (change?.kind === 'postponed') onWaiting();
    return { kind: 'refused', reason: change?.reason ?? 'withdrawn' };
  }
  // Not in the lobby any more, or in another one than the call was claimed for.
  const lobbyId = leg.gatewayId === gatewayId ? leg.lobbyId : null;
  const isHeard = lobbyId !== null && desk.assign(representativeId, claimed.attemptId);
  if (!parts.isDialing() || lobbyId === null || !isHeard) {
    takeBack(claimed);
    return { kind: 'refused', reason: 'withdrawn' };
  }
  begin(claimed, lobbyId, gatewayId);
  return { kind: 'begun', attemptId: claimed.attemptId, lobbyId };
}

async function claim(
  parts: PreviewParts,
  taskId: string,
  shown: ShownNumber,
  gatewayId: string,
): Promise<ClaimResult> {
  const facts = parts.facts();
  const request = { ...claimRequestOf(parts, facts, 1), taskId, decide: decideShown(shown) };
  try {
    return await claimNextNumber(claimContextOf(parts, facts, gatewayId), request);
  } catch (error) {
    if (!(error instanceof ClaimInDoubt)) throw error;
    // Nothing was committed: it is asked for again. Else its task has been put back, undialled.
    if ((await settleClaim(parts, facts, error)) === 0) throw error;
    return { starts: [], looked: 0, changes: [] };
  }
}
