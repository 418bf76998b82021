/** From what `--trunk` says to one trunk: a name of the configuration, or an address. */
import { Value } from 'typebox/value';
import type { RingfenceConfig } from '../config/ringfence.schema.ts';
import { isLoopback, readTrunkAddress, trunkAddressText } from '../config/trunk-address.ts';
import { TrunkConfig } from '../config/trunk.schema.ts';
import { CliError } from './cli-error.ts';

/** Reserved for fiction (NANP 555-01XX): shown where no real person can see it. */
const LOOPBACK_CALLER_ID = '+12025550100';

export interface TrunkChoice {
  /** A name in the configuration, or `sip:HOST[:PORT][;transport=udp|tcp|tls]`. */
  readonly text: string;
  readonly callerId?: string;
  readonly destinationFormat?: TrunkConfig['destinationFormat'];
}

export function chooseTrunk(choice: TrunkChoice, config: RingfenceConfig): TrunkConfig {
  const { text } = choice;
  const trunk =
    text.toLowerCase().startsWith('sip') && text.includes(':')
      ? trunkAt(choice)
      : namedTrunk(text, config);
  const chosen = {
    ...trunk,
    ...(choice.callerId === undefined ? {} : { callerId: choice.callerId }),
    ...(choice.destinationFormat === undefined
      ? {}
      : { destinationFormat: choice.destinationFormat }),
  };
  if (Value.Check(TrunkConfig, chosen)) return chosen;
  throw new CliError(
    'CALLER_ID_INVALID',
    'The caller id cannot be used: it takes a number such as +12025550100, or a user name.',
  );
}

function namedTrunk(name: string, { gateway }: RingfenceConfig): TrunkConfig {
  const trunk = gateway.trunks.find((one) => one.name === name);
  if (trunk !== undefined) return trunk;
  const names = gateway.trunks.map((one) => one.name);
  const known =
    names.length === 0
      ? 'the configuration names none, so give an address such as sip:198.51.100.7:5060'
      : `the configuration names ${names.join(', ')}`;
  throw new CliError('UNKNOWN_TRUNK', `There is no trunk ${name}: ${known}.`);
}

function trunkAt({ text, callerId }: TrunkChoice): TrunkConfig {
  const address = readTrunkAddress(text);
  if ('problem' in address) {
    throw new CliError(
      'TRUNK_ADDRESS_INVALID',
      `The trunk ${text} cannot be used: ${address.problem}. Write sip:HOST[:PORT][;transport=udp|tcp|tls].`,
    );
  }
  if (callerId === undefined && !isLoopback(address)) {
    throw new CliError(
      'CALLER_ID_MISSING',
      `The trunk ${text} is not on this machine: give --caller-id, a number of yours that can be rung back.`,
    );
  }
  return Value.Default(TrunkConfig, {
    name: 'given',
    address: trunkAddressText(address),
    callerId: callerId ?? LOOPBACK_CALLER_ID,
    channelsMax: 500,
    callsPerSecondMax: 50,
  }) as TrunkConfig;
}

/** Whether calls through the trunk stay on this machine. */
export function isLoopbackTrunk({ address }: Pick<TrunkConfig, 'address'>): boolean {
  const reading = readTrunkAddress(address);
  return !('problem' in reading) && isLoopback(reading);
}
