/**
 * Time as the gateway takes it. The shape is that of XState's clock, so that one injected clock
 * (machines/virtual-clock.ts in tests) drives both. Epoch milliseconds.
 */
export interface GatewayClock {
  now(): number;
  setTimeout(fire: () => void, delayMs: number): unknown;
  clearTimeout(timer: unknown): void;
}

export const systemClock: GatewayClock = {
  now: () => Date.now(),
  setTimeout: (fire, delayMs) => setTimeout(fire, delayMs),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

/** Never negative, whatever an operator does to the host's clock in between. */
export function elapsedMs(sinceMs: number, nowMs: number): number {
  return Math.max(0, Math.round(nowMs - sinceMs));
}
