/** The dial-in lobby as it is configured; without a directory nobody can be let in. */
import type { GatewayConfig } from '../../config/gateway.schema.ts';
import type { RepresentativeDirectory } from '../../machines/representative-directory.port.ts';
import { DialInDesk, type DialInDeskParts } from './dial-in-desk.ts';
import { dialInSettings } from './dial-in-settings.ts';

export function openDialIn(
  { dialIn }: GatewayConfig,
  directory: RepresentativeDirectory | undefined,
  parts: Pick<DialInDeskParts, 'services' | 'publish' | 'hasLobby'>,
): DialInDesk | undefined {
  const numbers = dialIn.numbers.split(',').filter((number) => number.trim() !== '');
  if (directory === undefined || numbers.length === 0) return undefined;
  const { callsMax } = dialIn;
  return new DialInDesk({
    ...{ ...parts, directory, numbers, callsMax },
    settings: dialInSettings(dialIn),
  });
}
