/** The configuration in the dialer's shape. */
import { dialableTrunks } from '../config/dialable-trunks.ts';
import type { RingfenceConfig } from '../config/ringfence.schema.ts';
import type { DialerOptions } from './dialer-options.ts';
import { RulePacks } from './rule-packs/rule-packs.ts';
import type { StoreLocation } from './store/open-store.ts';

type Settings = Pick<
  DialerOptions,
  | 'id'
  | 'gatewayId'
  | 'trunks'
  | 'limits'
  | 'times'
  | 'lease'
  | 'rulePacks'
  | 'amdAuditShare'
  | 'pacingLogMs'
>;

/** The checked configuration lets the lab's gap be set only while every trunk is on loopback. */
export function dialerSettings({
  abandonment,
  dialer,
  dialing,
  gateway,
}: RingfenceConfig): Settings {
  const { id, unknownGapMs, untriedGapMs, storeRetryMs, claimSizeMax, recheckMs } = dialer;
  const { leaseMs, leaseWaitMs: waitMs, dialWithinMs, playTimeoutMs, delaysStarts } = dialer;
  const { setupTimeoutMs, callLengthMaxMs } = dialing;
  const numberGapMinMs = dialer.labNumberGapMinMs ?? dialer.numberGapMinMs;
  return {
    id,
    gatewayId: gateway.id,
    trunks: dialableTrunks(gateway),
    limits: {
      ...{ numberGapMinMs, unknownGapMs, untriedGapMs },
      ...{ storeRetryMs, claimSizeMax, recheckMs },
    },
    times: { setupTimeoutMs, callLengthMaxMs, dialWithinMs, playTimeoutMs, delaysStarts },
    lease: { leaseMs, waitMs },
    rulePacks: new RulePacks(abandonment),
    amdAuditShare: abandonment.amdAuditShare,
    pacingLogMs: dialer.pacingLogDays * 86_400_000,
  };
}

export function storeLocation({ dialer }: RingfenceConfig): StoreLocation {
  return dialer.store;
}
