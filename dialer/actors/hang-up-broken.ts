/** Ends the call of a chain that is gone: nobody would attend to whoever answers. */
import type { TelephonyPort } from '../../machines/telephony.port.ts';
import type { LiveChain } from './chain-registry.ts';
import type { DialerParts } from './dialer-parts.ts';

/** Above the number of any command that an attempt gave: the machine that counted them is gone. */
const AFTER_ALL_SEQ = 1_000_000;

export function hangUpBroken(
  telephony: TelephonyPort,
  { lease, clock, log }: Pick<DialerParts, 'lease' | 'clock' | 'log'>,
  { attemptId, taskId }: Pick<LiveChain, 'attemptId' | 'taskId'>,
): void {
  if (attemptId === null) return;
  const envelope = { attemptId, fence: lease.epoch, seq: AFTER_ALL_SEQ, atMs: clock.now() };
  telephony
    .send({ type: 'attempt.cancel', ...envelope, reason: 'in_doubt' })
    .catch((error: unknown) => {
      log.warn({ taskId, attemptId, error }, 'a broken chain’s call could not be ended');
    });
}
