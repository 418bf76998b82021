/**
 * Waiting for the media server. fsmrf's promises never settle when their channel dies, and modesl's
 * callbacks never run when their socket does; so no wait is left to them alone.
 */
import type { GatewayClock } from '../clock.ts';
import type { OneTimeSignal } from '../one-time-signal.ts';

export type MediaOutcome<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'failed'; readonly problem: string }
  /** The channel, its event socket or the call ended first. */
  | { readonly kind: 'gone'; readonly problem: string }
  | { readonly kind: 'timeout' };

/** Settles exactly once, with whatever comes first; what comes later is dropped. Never rejects. */
export function mediaWait<T>(
  work: Promise<T>,
  until: {
    readonly gone: OneTimeSignal<string>;
    readonly limitMs: number;
    readonly clock: GatewayClock;
  },
): Promise<MediaOutcome<T>> {
  return new Promise((resolve) => {
    let settled = false;
    const settle = (outcome: MediaOutcome<T>): void => {
      if (settled) return;
      settled = true;
      until.clock.clearTimeout(limit);
      stopListening();
      resolve(outcome);
    };
    const limit = until.clock.setTimeout(() => settle({ kind: 'timeout' }), until.limitMs);
    work.then(
      (value) => settle({ kind: 'done', value }),
      (error: unknown) => settle({ kind: 'failed', problem: (error as Error).message }),
    );
    let stopListening = (): void => undefined;
    stopListening = until.gone.onFire((problem) => settle({ kind: 'gone', problem }));
  });
}
