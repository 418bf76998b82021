/** How many calls a Copilot engagement may start now (spec B.1): its cap, less what is in flight. */

export interface CopilotDemandInput {
  readonly maxConcurrentCalls: number;
  /** From the INVITE until the leg ends or is handed to a representative. */
  readonly inFlight: number;
  /** Asked for and not answered: counted as in flight, so that the cap is never passed. */
  readonly claiming: number;
  readonly claimSizeMax: number;
}

/** Calls to ask for; 0 or more. The store's own count is the final word. */
export function copilotDemand(input: CopilotDemandInput): number {
  const { maxConcurrentCalls, inFlight, claiming, claimSizeMax } = input;
  return Math.max(0, Math.min(maxConcurrentCalls - inFlight - claiming, claimSizeMax));
}
