/**
 * Time as the dialer takes it: epoch milliseconds and timers. The shape is that of XState's clock,
 * so that one injected clock drives actors and everything beside them.
 */
export interface DialerClock {
  now(): number;
  setTimeout(fire: () => void, delayMs: number): unknown;
  clearTimeout(timer: unknown): void;
}

export const systemClock: DialerClock = {
  now: () => Date.now(),
  setTimeout: (fire, delayMs) => setTimeout(fire, delayMs),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};
