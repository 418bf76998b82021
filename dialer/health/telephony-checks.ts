/** The gateway's switch and its trunks, as the gateway reports them. */
import type { TrunkState } from '../../machines/gateway-events.ts';
import type { Finding, HealthCheck } from './readiness.ts';

/** As a gateway gives it; in one process it is asked directly. */
export interface TelephonyHealth {
  readonly drachtio: { readonly isUp: boolean; readonly detail: string };
  readonly freeswitch: { readonly isUp: boolean; readonly detail: string };
  readonly trunks: readonly {
    readonly name: string;
    readonly state: TrunkState['state'];
    readonly detail: string;
  }[];
}

export function telephonyChecks(read: () => TelephonyHealth): readonly HealthCheck[] {
  return [
    { name: 'drachtio', look: () => halfFinding(read().drachtio) },
    { name: 'freeswitch', look: () => halfFinding(read().freeswitch) },
    { name: 'trunks', look: () => trunksFinding(read().trunks) },
  ];
}

function halfFinding({ isUp, detail }: TelephonyHealth['drachtio']): Finding {
  return { ok: isUp, detail: isUp ? 'connected' : `not connected: ${detail}` };
}

/**
 * Fails when not one trunk can be dialled through, whatever keeps each from it. A trunk that was not
 * asked yet may be up; that none is configured is a choice, and the rest of the service works.
 */
function trunksFinding(trunks: TelephonyHealth['trunks']): Finding {
  if (trunks.length === 0)
    return { ok: true, detail: 'none is configured: nothing can be dialled' };
  const words = trunks.map(({ name, state, detail }) => {
    if (state === 'unknown') return `${name}: not asked yet`;
    return `${name} is ${state}: ${detail}`;
  });
  return {
    ok: trunks.some(({ state }) => state === 'up' || state === 'unknown'),
    detail: words.join('; '),
  };
}
