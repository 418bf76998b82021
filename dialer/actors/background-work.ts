/** What goes on beside the calls: tasks that fall due, and call orders that were changed. */
import type { DialerParts } from './dialer-parts.ts';
import { OrderKeeper } from './order-keeper.ts';
import { Promoter, type PromoterOptions } from './promoter.ts';

const PROMOTE_BATCH_MAX = 500;
/** Small: whoever claims waits for one batch at the most. */
const REORDER_BATCH_MAX = 200;
const REORDER_PAUSE_MS = 5;

export function makePromoter(
  { database, clock, actor, limits, log }: DialerParts,
  onReady: PromoterOptions['onReady'],
): Promoter {
  return new Promoter({
    ...{ database, clock, actor, onReady },
    batchMax: PROMOTE_BATCH_MAX,
    recheckMs: limits.recheckMs,
    onFailure: (error) => log.warn({ error }, 'due tasks could not be looked at'),
  });
}

export function makeOrderKeeper(
  { database, clock, actor, limits, log, work }: DialerParts,
  onReordered: (engagementId: string) => Promise<void>,
): OrderKeeper {
  return new OrderKeeper({
    ...{ database, clock, actor, log, work, onReordered, storeRetryMs: limits.storeRetryMs },
    ...{ batchMax: REORDER_BATCH_MAX, pauseMs: REORDER_PAUSE_MS },
  });
}
