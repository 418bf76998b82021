/** Waiting for something, and for so long at most. */
import type { DialerClock } from './clock.ts';

/** False when the time is over first. */
export async function within(
  clock: DialerClock,
  limitMs: number,
  done: Promise<unknown>,
): Promise<boolean> {
  let timer: unknown;
  const limit = new Promise<false>((resolve) => {
    timer = clock.setTimeout(() => resolve(false), limitMs);
  });
  const isDone = await Promise.race([done.then(() => true), limit]);
  clock.clearTimeout(timer);
  return isDone;
}
