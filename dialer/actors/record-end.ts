/** The end of an attempt that has no chain to record it. */
import type { EngagementConfig } from '../engagements/engagement-config.schema.ts';
import { untilStored } from '../store/until-stored.ts';
import type { AttemptEnd } from '../tasks/attempt-end.ts';
import { recordAttemptEnd } from '../tasks/record-attempt-end.ts';
import { recordContextOf, type DialerParts } from './dialer-parts.ts';

/** Without this record the attempt would stay open. Throws a defect. */
export async function recordEnd(
  parts: DialerParts,
  config: EngagementConfig,
  end: AttemptEnd,
): Promise<void> {
  const { clock, limits, log } = parts;
  await untilStored(() => recordAttemptEnd(recordContextOf(parts), config, end), {
    ...{ clock, storeRetryMs: limits.storeRetryMs },
    onFailure: (error) =>
      log.warn({ attemptId: end.attemptId, error }, 'a start could not be taken back yet'),
  });
}
