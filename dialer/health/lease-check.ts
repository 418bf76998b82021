/** Only the dialer that holds the lease dials; one that waits for it, or lost it, is not ready. */
import type { HealthCheck } from './readiness.ts';

export interface LeaseWatch {
  readonly check: HealthCheck;
  /** The dialer runs: it has the lease until `leaseLost` resolves. */
  held(dialer: { readonly leaseLost: Promise<unknown> }): void;
  /** It is being stopped, and gives the lease back. */
  released(): void;
}

export function leaseWatch(): LeaseWatch {
  let state: 'waiting' | 'held' | 'lost' | 'released' = 'waiting';
  const words = {
    waiting: 'another dialer holds the queue group: waiting for it',
    held: 'the queue group is ours',
    lost: 'the queue group was lost to another dialer',
    released: 'the dialer is stopping',
  };
  return {
    check: { name: 'lease', look: () => ({ ok: state === 'held', detail: words[state] }) },
    held: ({ leaseLost }) => {
      state = 'held';
      void leaseLost.then(() => (state = 'lost'));
    },
    released: () => (state = 'released'),
  };
}
