/** FreeSWITCH's inline dial plan: `park`, or `playback:/srv/a.wav,hangup`. */
import type { PlanStep } from './channel.ts';

const STEPS_MAX = 64;

/**
 * The steps of a transfer's destination; undefined when the dial plan named is not `inline`, since
 * this switch has no other that a transfer could enter.
 */
export function inlinePlan(
  destination: string,
  dialplan: string | undefined,
): PlanStep[] | undefined {
  if (dialplan?.toLowerCase() !== 'inline') return undefined;
  return splitSteps(destination)
    .slice(0, STEPS_MAX)
    .map((step) => {
      const colon = step.indexOf(':');
      return colon === -1
        ? { name: step, argument: '' }
        : { name: step.slice(0, colon), argument: step.slice(colon + 1) };
    });
}

/** Steps are parted by commas; `m:^:` in front chooses another character. */
function splitSteps(destination: string): string[] {
  const chosen = /^m:(.):/.exec(destination);
  const parted = chosen === null ? destination : destination.slice(4);
  return parted.split(chosen?.[1] ?? ',').filter((step) => step !== '');
}
