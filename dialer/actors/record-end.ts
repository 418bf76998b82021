/** The end of an attempt that has no chain to record it. */
import type { EngagementConfig } from '../engagements/engagement-config.schema.ts';
import { isDefect } from '../store/store-defect.ts';
import type { AttemptEnd } from '../tasks/attempt-end.ts';
import { recordAttemptEnd } from '../tasks/record-attempt-end.ts';
import { recordContextOf, type DialerParts } from './dialer-parts.ts';

/** A store that fails is asked again: without this record the attempt would stay open. */
export async function recordEnd(
  parts: DialerParts,
  config: EngagementConfig,
  end: AttemptEnd,
): Promise<void> {
  const { clock, limits, log } = parts;
  for (;;) {
    try {
      await recordAttemptEnd(recordContextOf(parts), config, end);
      return;
    } catch (error) {
      if (isDefect(error)) throw error;
      log.warn({ attemptId: end.attemptId, error }, 'a start could not be taken back yet');
      await new Promise<void>((resolve) => clock.setTimeout(resolve, limits.storeRetryMs));
    }
  }
}
