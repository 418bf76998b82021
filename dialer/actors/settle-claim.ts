/** A claim of which nobody knows whether it was committed: settled before anything else is claimed. */
import type { EngagementFacts } from '../engagements/engagement-facts.ts';
import { untilStored } from '../store/until-stored.ts';
import { takeBackInDoubt, type ClaimInDoubt } from '../tasks/claim-in-doubt.ts';
import { recordContextOf, type DialerParts } from './dialer-parts.ts';

/**
 * Answers how many attempts of it had been committed. The store is asked until it answers: an attempt
 * that stayed open would keep its number, its place and its task for as long as this process lives.
 * A process that stops leaves it to the recovery of the next.
 */
export async function settleClaim(
  parts: DialerParts,
  { engagement, config }: EngagementFacts,
  { attemptIds }: ClaimInDoubt,
): Promise<number> {
  const { clock, limits, log, isStopping } = parts;
  const takeBack = () => takeBackInDoubt(recordContextOf(parts), engagement.id, config, attemptIds);
  const committed = await untilStored(takeBack, {
    ...{ clock, storeRetryMs: limits.storeRetryMs, isGivenUp: isStopping },
    onFailure: (error) =>
      log.warn({ engagementId: engagement.id, error }, 'a claim in doubt cannot be settled yet'),
  });
  if (committed > 0) parts.onWaiting();
  return committed;
}
