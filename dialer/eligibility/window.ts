/** Windows in which a delivery may start (spec A.11): UTC, half open, `[startMs, endMs)`. */

export interface Window {
  readonly startMs: number;
  readonly endMs: number;
}

const DAY_MS = 86_400_000;

/** None given: from now for a day (spec A.11). */
export function defaultWindows(nowMs: number): readonly Window[] {
  return [{ startMs: nowMs, endMs: nowMs + DAY_MS }];
}

/** Earliest first; those that are wholly past are left out. */
export function openOrComing(windows: readonly Window[], nowMs: number): readonly Window[] {
  return windows
    .filter(({ startMs, endMs }) => endMs > nowMs && endMs > startMs)
    .sort((a, b) => a.startMs - b.startMs || a.endMs - b.endMs);
}

/** Nothing may start at or after this. Minus infinity when there is no window at all. */
export function lastEndMs(windows: readonly Window[]): number {
  return windows.reduce((last, { endMs }) => Math.max(last, endMs), Number.NEGATIVE_INFINITY);
}

export type WindowVerdict =
  | { readonly kind: 'open'; readonly window: Window }
  | { readonly kind: 'opensAt'; readonly atMs: number }
  | { readonly kind: 'over' };

/** Where `nowMs` stands. Of several open windows the one that ends last is named. */
export function windowAt(windows: readonly Window[], nowMs: number): WindowVerdict {
  const left = openOrComing(windows, nowMs);
  const open = left.filter(({ startMs }) => startMs <= nowMs);
  const widest = open.reduce<Window | undefined>(
    (best, window) => (best === undefined || window.endMs > best.endMs ? window : best),
    undefined,
  );
  if (widest !== undefined) return { kind: 'open', window: widest };
  const next = left[0];
  return next === undefined ? { kind: 'over' } : { kind: 'opensAt', atMs: next.startMs };
}
