/** The options of `ringfence demo`, as commander parses them. */
import { Command, Option } from 'commander';
import { DESTINATION_FORMATS, type DestinationFormat } from '../../config/trunk.schema.ts';
import { CliError } from '../cli-error.ts';
import { positiveNumber, wholeNumber } from '../option-values.ts';

export interface DemoOptions {
  readonly contacts?: string;
  readonly trunk?: string;
  readonly mode: string;
  readonly concurrency: number;
  /** Of the modes that are led by representatives: so many are at their phones. */
  readonly representatives: number;
  readonly callsPerSecond: number;
  readonly ringTimeoutMs: number;
  readonly region?: string;
  readonly destinationFormat?: DestinationFormat;
  readonly callerId?: string;
  readonly timeZone?: string;
  readonly confirmRealCalls: boolean;
  readonly config?: string;
  readonly keepStore?: string;
  readonly showNumbers: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
}

/** Shorter than the service's own default, within the same legal bound: a trial should end soon. */
const DEMO_RING_TIMEOUT_MS = 20_000;

export function demoCommand(): Command {
  return new Command('demo')
    .description('dial a contact list over real SIP and RTP, by default into the lab beside it')
    .option('--contacts <file>', 'CSV with a header; a column phone, number, mobile or tel')
    .option('--trunk <trunk>', 'sip:HOST[:PORT][;transport=tcp], or a name of --config')
    .option('--mode <mode>', `dial mode: ${DEMO_MODES.join(', ')}`, 'copilot')
    .option(
      '--representatives <count>',
      'phones of representatives, in every mode but copilot',
      wholeNumber(1, 50),
      5,
    )
    .option('--concurrency <calls>', 'calls in flight at one moment', wholeNumber(1, 500), 20)
    .option('--calls-per-second <calls>', 'calls started per second', positiveNumber(500), 20)
    .option(
      '--ring-timeout-ms <ms>',
      'give up an unanswered call after this',
      wholeNumber(15_000, 120_000),
      DEMO_RING_TIMEOUT_MS,
    )
    .option('--region <code>', 'where numbers without country code belong, such as US')
    .addOption(
      new Option(
        '--destination-format <format>',
        'what the trunk takes: any lets 1001 through',
      ).choices(DESTINATION_FORMATS),
    )
    .option('--caller-id <number>', 'the number to show')
    .option('--time-zone <zone>', 'IANA zone of contacts without a TimeZone column')
    .option('--confirm-real-calls', 'allow a trunk that may lead to real telephones', false)
    .option('--config <file>', 'configuration with named trunks and dialing times')
    .option('--keep-store <file>', 'keep what was stored, for `ringfence explain ID --store FILE`')
    .option('--show-numbers', 'do not mask telephone numbers', false)
    .option('--json', 'one JSON value on stdout', false)
    .option('--verbose', 'log what the gateway does', false);
}

export const DEMO_MODES = ['copilot', 'preview', 'progressive', 'predictive'] as const;
export type DemoMode = (typeof DEMO_MODES)[number];

/** Throws MODE_UNKNOWN. */
export function modeOf(text: string): DemoMode {
  const mode = DEMO_MODES.find((known) => known === text);
  if (mode !== undefined) return mode;
  const known = DEMO_MODES.join(', ');
  throw new CliError('MODE_UNKNOWN', `The mode ${text} does not exist: there are ${known}.`);
}
