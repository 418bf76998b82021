/** The desk of a running dialer, and the sharing of those who sit at it. */
import type { TelephonyPort } from '../../machines/telephony.port.ts';
import type { DialerParts } from '../actors/dialer-parts.ts';
import { RepresentativeDesk } from './representative-desk.ts';
import type { RepresentativeTimes } from './representative-runtime.ts';
import { RepresentativeShares } from './representative-shares.ts';

export interface DeskTimes extends Partial<Omit<RepresentativeTimes, 'storeRetryMs'>> {
  /** Shown → offered to somebody else, ms. */
  readonly invitationMs?: number;
}

/** Spec I.1: an invitation 20 s, the lobby 10 min. */
const DEFAULT_TIMES = {
  phoneRingMs: 30_000,
  lobbyIdleMs: 600_000,
  lobbyKeepMs: 5_000,
  invitationMs: 20_000,
};

export function makeDesk(
  parts: DialerParts,
  telephony: TelephonyPort,
  asked: DeskTimes = {},
): { readonly desk: RepresentativeDesk; readonly shares: RepresentativeShares } {
  const { database, ids, clock, log, work, gatewayFor, actor, limits, lease } = parts;
  const { invitationMs, ...times } = { ...DEFAULT_TIMES, ...asked };
  const desk = new RepresentativeDesk({
    ...{ database, ids, clock, log, work, gatewayFor, actor, telephony, invitationMs },
    ...{ leaseName: lease.name, fence: lease.epoch },
    times: { ...times, storeRetryMs: limits.storeRetryMs },
  });
  const { recheckMs } = limits;
  const shares = new RepresentativeShares({ desk, database, clock, log, work, recheckMs });
  return { desk, shares };
}
