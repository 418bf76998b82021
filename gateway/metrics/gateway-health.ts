/** Whether the gateway could dial now, part by part, and in words why not. */
import type { TrunkState } from '../../machines/gateway-events.ts';
import type { MediaLink } from '../media/media-link.ts';
import type { SipLink } from '../sip/sip-link.ts';
import type { Trunk } from '../trunks/trunk.ts';

export interface GatewayHealth {
  readonly drachtio: HalfHealth;
  readonly freeswitch: HalfHealth;
  readonly trunks: readonly TrunkHealth[];
}

interface HalfHealth {
  readonly isUp: boolean;
  /** Why it is down; empty while it is up. */
  readonly detail: string;
}

export interface TrunkHealth {
  readonly name: string;
  /** unknown: not asked yet. */
  readonly state: TrunkState['state'];
  readonly detail: string;
  readonly channelsInUse: number;
  readonly channelsMax: number;
  /** Calls per second. */
  readonly rateMax: number;
}

export function gatewayHealth(
  link: Pick<SipLink, 'isUp' | 'problem'>,
  media: Pick<MediaLink, 'isUp' | 'problem'>,
  trunks: Iterable<Trunk>,
): GatewayHealth {
  return {
    drachtio: { isUp: link.isUp, detail: link.isUp ? '' : link.problem.detail },
    freeswitch: { isUp: media.isUp, detail: media.isUp ? '' : media.problem },
    trunks: [...trunks].map(({ name, state, stateDetail, channelsInUse, config }) => ({
      ...{ name, state, detail: stateDetail, channelsInUse },
      channelsMax: config.channelsMax,
      rateMax: config.callsPerSecondMax,
    })),
  };
}
