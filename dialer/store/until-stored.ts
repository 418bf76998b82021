/** Writes that must not be lost while the store fails for a while. */
import type { DialerClock } from '../clock.ts';
import { isDefect } from './store-defect.ts';

export interface StoredAtLast {
  readonly clock: DialerClock;
  /** Pause before a store that failed is asked again. ms */
  readonly storeRetryMs: number;
  /** For every failure, defects too. */
  readonly onFailure: (error: unknown) => void;
  /** What is not written then, the next owner settles. Default: never. */
  readonly isGivenUp?: () => boolean;
}

/**
 * Asks the store until it answers. Throws a defect, of which asking again changes nothing, and the last
 * failure when it is given up. `write` is done again from its beginning: it must be safe to repeat.
 */
export async function untilStored<T>(
  write: () => Promise<T>,
  { clock, storeRetryMs, onFailure, isGivenUp = () => false }: StoredAtLast,
): Promise<T> {
  for (;;) {
    try {
      return await write();
    } catch (error) {
      onFailure(error);
      if (isDefect(error) || isGivenUp()) throw error;
      await new Promise<void>((resolve) => clock.setTimeout(resolve, storeRetryMs));
    }
  }
}
