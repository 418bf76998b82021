/** How many calls of an engagement may be in flight at one moment, whoever paces them. */
import type { ModeSettings } from './dial-modes.schema.ts';

/**
 * Of a mode whose pacer decides by representatives: far above what any of them asks for, so that it
 * only bounds a defect.
 */
export const PACED_IN_FLIGHT_MAX = 5_000;

export function inFlightMaxOf(mode: ModeSettings): number {
  return mode.kind === 'copilot' ? mode.maxConcurrentCalls : PACED_IN_FLIGHT_MAX;
}
