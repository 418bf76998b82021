/** What dials and workstreams may name: trunks, and groups of them, with what they take and carry. */
import type { GatewayConfig } from './gateway.schema.ts';
import type { DestinationFormat, TrunkConfig } from './trunk.schema.ts';

export interface DialableTrunk {
  readonly name: string;
  readonly destinationFormat: DestinationFormat;
  readonly channelsMax: number;
  readonly callsPerSecondMax: number;
}

/**
 * A group carries what its members carry together. A trunk that is also named by itself, or is in two
 * groups, is counted in each: the gateway has the last word, and refuses what is too much.
 */
export function dialableTrunks({
  trunks,
  trunkGroups,
}: Pick<GatewayConfig, 'trunks' | 'trunkGroups'>): DialableTrunk[] {
  const groups = trunkGroups.map(({ name, members }) => {
    const named = members.flatMap(({ trunk }) => trunks.filter((one) => one.name === trunk));
    return {
      name,
      destinationFormat: formatOf(named),
      channelsMax: sum(named, ({ channelsMax }) => channelsMax),
      callsPerSecondMax: sum(named, ({ callsPerSecondMax }) => callsPerSecondMax),
    };
  });
  return [...trunks, ...groups];
}

/** The strictest: a call must be possible on whichever member it goes to. */
function formatOf(members: readonly TrunkConfig[]): DestinationFormat {
  return members.every(({ destinationFormat }) => destinationFormat === 'any') ? 'any' : 'e164';
}

function sum(members: readonly TrunkConfig[], of: (trunk: TrunkConfig) => number): number {
  return members.reduce((total, member) => total + of(member), 0);
}
