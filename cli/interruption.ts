/** Ctrl-C: the first asks a command to wind up, the second ends it on the spot. */

/** Exit code of a command that was interrupted: 128 + SIGINT, as shells have it. */
export const INTERRUPTED_EXIT_CODE = 130;

/** One key press may arrive twice: from the terminal, and handed on by npm or tsx. */
const SAME_PRESS_MS = 400;

/** Calls `windUp` on the first SIGINT or SIGTERM. Returns what ends the watch. */
export function onInterruption(windUp: () => void): () => void {
  let firstAtMs: number | undefined;
  const heard = (): void => {
    const nowMs = performance.now();
    if (firstAtMs === undefined) {
      firstAtMs = nowMs;
      windUp();
    } else if (nowMs - firstAtMs > SAME_PRESS_MS) process.exit(INTERRUPTED_EXIT_CODE);
  };
  process.on('SIGINT', heard);
  process.on('SIGTERM', heard);
  return () => {
    process.off('SIGINT', heard);
    process.off('SIGTERM', heard);
  };
}
