/** A chain that broke: its call is ended, and its task is out of the way. */
import type { TelephonyPort } from '../../machines/telephony.port.ts';
import { untilStored } from '../store/until-stored.ts';
import type { LiveChain } from './chain-registry.ts';
import type { DialerParts } from './dialer-parts.ts';
import { hangUpBroken } from './hang-up-broken.ts';
import { quarantineBrokenChain } from './quarantine.ts';

/** Asks the store until it is written, or until it meets a defect, of which is told. */
export async function putAside(
  parts: DialerParts,
  telephony: TelephonyPort,
  chain: LiveChain,
  error: unknown,
): Promise<void> {
  const { database, clock, actor, limits, log } = parts;
  const { engagementId, taskId } = chain;
  log.error({ taskId, engagementId, error }, 'a contact chain broke: its task ends as Error');
  hangUpBroken(telephony, parts, chain);
  const write = () => quarantineBrokenChain(database, chain, error, { nowMs: clock.now(), actor });
  await untilStored(write, {
    ...{ clock, storeRetryMs: limits.storeRetryMs },
    onFailure: (cause) =>
      log.error({ taskId, error: cause }, 'a broken chain could not be written yet'),
  }).catch(() => undefined);
}
