/** `ringfence call NUMBER --trunk NAME`: one call, with its SIP messages and its Result in words. */
import { Command, Option } from 'commander';
import { createActor, toPromise } from 'xstate';
import { loadProcessConfig } from '../config/process-config.ts';
import { DESTINATION_FORMATS, type DestinationFormat } from '../config/trunk.schema.ts';
import { asRegion, readDestination } from '../dialer/intake/destination.ts';
import { maskNumber } from '../gateway/mask-number.ts';
import type { LadderLine } from '../gateway/sip/sip-ladder.ts';
import type { CallAttemptOutput } from '../machines/call-attempt.events.ts';
import { callAttemptMachine } from '../machines/call-attempt.machine.ts';
import { TelephonyActors } from '../machines/telephony-actor.ts';
import { attemptInput } from './attempt-plan.ts';
import { chooseTrunk } from './choose-trunk.ts';
import { CliError } from './cli-error.ts';
import { commandLog } from './command-log.ts';
import { INTERRUPTED_EXIT_CODE, onInterruption } from './interruption.ts';
import { wholeNumber } from './option-values.ts';
import { checkCallingHours, realCallsRule } from './real-calls.ts';
import { startTelephony, type Telephony } from './start-telephony.ts';
import { say, writeJson, type Terminal } from './terminal.ts';

export interface CallOptions {
  readonly trunk: string;
  readonly region?: string;
  readonly destinationFormat?: DestinationFormat;
  readonly callerId?: string;
  readonly ringTimeoutMs?: number;
  readonly timeZone?: string;
  readonly confirmRealCalls: boolean;
  readonly config?: string;
  readonly showNumbers: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
}

export function callCommand(): Command {
  return new Command('call')
    .description('make one call and show its SIP messages')
    .argument('<number>', 'the number to dial')
    .requiredOption('--trunk <trunk>', 'a name of the configuration, or sip:HOST[:PORT]')
    .option('--region <code>', 'where a number without country code belongs, such as US')
    .addOption(
      new Option(
        '--destination-format <format>',
        'what the trunk takes: any lets 1001 through',
      ).choices(DESTINATION_FORMATS),
    )
    .option('--caller-id <number>', 'the number to show')
    .option('--ring-timeout-ms <ms>', 'give up after this', wholeNumber(15_000, 120_000))
    .option('--time-zone <zone>', 'IANA zone of the called person')
    .option('--confirm-real-calls', 'allow a trunk that may lead to real telephones', false)
    .option('--config <file>', 'configuration with the trunks')
    .option('--show-numbers', 'do not mask telephone numbers', false)
    .option('--json', 'one JSON value on stdout', false)
    .option('--verbose', 'log what the gateway does', false);
}

/** Exit code 0 when the call was answered. */
export async function runCall(
  number: string,
  options: CallOptions,
  terminal: Terminal,
): Promise<number> {
  const { config } = loadProcessConfig(options.config);
  const trunk = chooseTrunk({ ...options, text: options.trunk }, config);
  const destination = destinationOf(number, trunk.destinationFormat, options.region);
  const mayStart = realCallsRule(trunk, options, config.dialing);
  checkCallingHours([undefined], mayStart, options, config.dialing, Date.now());
  const log = commandLog(options.verbose, config);
  const telephony = await startTelephony({ config, trunks: [trunk], log, isolated: false });
  const actors = new TelephonyActors(telephony.gateway, () => Date.now());
  const { ringTimeoutMs = config.dialing.ringTimeoutMs } = options;
  const input = attemptInput({ config, trunk, ringTimeoutMs }, destination);
  const machine = callAttemptMachine.provide({ actors: { telephony: actors.logic } });
  const actor = createActor(machine, { input });
  const interruption = { happened: false };
  const stopWatching = onInterruption(() => {
    interruption.happened = true;
    actor.send({ type: 'dialer.cancel', reason: 'cancelled' });
  });
  try {
    const outcome = toPromise(actor);
    actor.start();
    const output = await Promise.race([outcome, failureOf(telephony)]);
    await telephony.gateway.whenReleased(input.attemptId);
    const ladder = telephony.gateway.ladder(input.attemptId, options);
    await report({ output, ladder, destination, options, terminal });
    if (interruption.happened) return INTERRUPTED_EXIT_CODE;
    return output.evidence.answered === null ? 1 : 0;
  } finally {
    actors.close();
    await telephony.close();
    stopWatching();
  }
}

function destinationOf(number: string, format: DestinationFormat, region?: string): string {
  const defaultRegion = region === undefined ? undefined : asRegion(region);
  if (region !== undefined && defaultRegion === undefined) {
    throw new CliError('REGION_UNKNOWN', `There is no region ${region}: write US, GB and so on.`);
  }
  const rules = { format, ...(defaultRegion === undefined ? {} : { defaultRegion }) };
  const reading = readDestination(number, rules);
  if ('problem' in reading) {
    throw new CliError(
      'INVALID_DESTINATION',
      `The number cannot be dialled: it ${reading.problem}.`,
    );
  }
  return reading.destination;
}

async function failureOf({ broken }: Telephony): Promise<never> {
  const error = await broken;
  throw new CliError('SWITCH_LOST', `The embedded switch ended by itself: ${error.message}`);
}

interface CallReport {
  readonly output: CallAttemptOutput;
  readonly ladder: readonly LadderLine[];
  readonly destination: string;
  readonly options: CallOptions;
  readonly terminal: Terminal;
}

async function report({ output, ladder, destination, options, terminal }: CallReport) {
  const to = options.showNumbers ? destination : maskNumber(destination);
  for (const line of ladderLines(ladder)) say(terminal, line);
  say(terminal, `${to}: ${resultInWords(output)}`);
  if (!options.json) return;
  const { result, subReason, retryClass, sipDiagnostics, attemptId } = output;
  const { ended } = output.evidence;
  const sip = JSON.parse(sipDiagnostics) as unknown;
  const invites = ended?.invites ?? 0;
  await writeJson(terminal, {
    ...{ attemptId, to, result, subReason, retryClass, invites, sip },
    ringMs: ended?.ringMs ?? null,
    talkMs: ended?.talkMs ?? null,
    ladder: ladder.map(({ atMs, direction, line }) => ({ atMs, direction, line })),
  });
}

/** Times count from the first message. */
export function ladderLines(ladder: readonly LadderLine[]): string[] {
  const startMs = ladder[0]?.atMs ?? 0;
  return ladder.map(({ atMs, direction, line }) => {
    const seconds = ((atMs - startMs) / 1_000).toFixed(3).padStart(9);
    return `${seconds} s  ${direction === 'out' ? '──▶' : '◀──'}  ${line}`;
  });
}

export function resultInWords({ result, subReason, evidence }: CallAttemptOutput): string {
  const { ended } = evidence;
  const name = subReason === null ? result : `${result} (${subReason})`;
  if (ended === null) return `${name}.`;
  const { statusCode, reasonPhrase, origin } = ended.sip;
  const said =
    statusCode === null
      ? 'no final response'
      : `${String(statusCode)} ${reasonPhrase ?? ''}`.trim() +
        (origin === 'stack' ? ', made up by our own SIP stack: nothing came from the trunk' : '');
  const times = [
    ended.ringMs === null ? '' : `rang ${seconds(ended.ringMs)}`,
    ended.talkMs === null ? '' : `talked ${seconds(ended.talkMs)}`,
  ].filter((part) => part !== '');
  return [`${name}: ${said}`, ...times].join(', ') + '.';
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
