/** `ringfence demo`: contacts, lab, switch, gateway and call attempts wired for one run. */
import type { RingfenceConfig } from '../../config/ringfence.schema.ts';
import { loadNamedConfig } from '../../config/process-config.ts';
import type { TrunkConfig } from '../../config/trunk.schema.ts';
import { maskNumber } from '../../gateway/mask-number.ts';
import { startLab, type Lab } from '../../lab/start-lab.ts';
import { TelephonyActors } from '../../machines/telephony-actor.ts';
import { attemptInput } from '../attempt-plan.ts';
import { chooseTrunk, isLoopbackTrunk } from '../choose-trunk.ts';
import { CliError } from '../cli-error.ts';
import { commandLog } from '../command-log.ts';
import { INTERRUPTED_EXIT_CODE, onInterruption } from '../interruption.ts';
import { checkCallingHours, realCallsRule, type MayStart } from '../real-calls.ts';
import { startTelephony, type Telephony } from '../start-telephony.ts';
import { say, writeJson, type Terminal } from '../terminal.ts';
import { ContactRun } from './contact-run.ts';
import {
  isShippedList,
  readContactTasks,
  SHIPPED_CONTACTS,
  type ContactList,
  type ContactTask,
} from './contact-tasks.ts';
import { checkMode, type DemoOptions } from './demo-options.ts';
import { demoReport, resultTable } from './demo-report.ts';
import { startProgress } from './progress.ts';
import type { TaskOutcome } from './task-outcome.ts';

/** Warnings beyond this are counted, not listed. */
const WARNINGS_SHOWN_MAX = 20;

/** Everything is checked before anything is started. Returns the exit code. */
export async function runDemo(options: DemoOptions, terminal: Terminal): Promise<number> {
  checkMode(options.mode);
  const { config, warnings } = loadNamedConfig(options.config);
  const chosen = trunkOf(options, config);
  const contacts = options.contacts ?? SHIPPED_CONTACTS;
  await refuseShippedContacts(contacts, chosen);
  const list = await readContactTasks(contacts, chosen, options.region);
  const mayStart = realCallsRule(chosen, options, config.dialing);
  const zones = list.tasks.filter(isDialled).map(({ timeZone }) => timeZone);
  checkCallingHours(zones, mayStart, options, config.dialing, Date.now());
  reportRows(list, [...warnings, ...list.warnings], options, terminal);
  if (zones.length === 0) {
    throw new CliError('CONTACTS_INVALID', 'Not one row of the list can be dialled.');
  }
  const lab = options.trunk === undefined ? await startLab(LAB_OPTIONS) : undefined;
  try {
    const trunk = lab === undefined ? chosen : { ...chosen, address: labAddress(lab) };
    return await dial({ config, trunk, list, mayStart, options, terminal });
  } finally {
    await lab?.stop();
  }
}

const LAB_OPTIONS = { host: '127.0.0.1', sipPort: 0 };

function labAddress({ sipPort }: Lab): string {
  return `sip:${LAB_OPTIONS.host}:${String(sipPort)};transport=udp`;
}

function trunkOf(options: DemoOptions, config: RingfenceConfig): TrunkConfig {
  const { trunk = `sip:${LAB_OPTIONS.host}`, callerId, destinationFormat } = options;
  const chosen = chooseTrunk(
    {
      text: trunk,
      ...(callerId === undefined ? {} : { callerId }),
      ...(destinationFormat === undefined ? {} : { destinationFormat }),
    },
    config,
  );
  if (chosen.channelsMax === 0 || chosen.callsPerSecondMax === 0) {
    throw new CliError(
      'TRUNK_CLOSED',
      `The trunk ${chosen.name} is out of use: a limit of it is 0.`,
    );
  }
  return chosen;
}

async function refuseShippedContacts(file: string, trunk: TrunkConfig): Promise<void> {
  if (isLoopbackTrunk(trunk) || !(await isShippedList(file))) return;
  throw new CliError(
    'CONTACTS_MISSING',
    `The trunk ${trunk.address} is not on this machine, and the shipped contacts are for the lab only: give --contacts FILE.`,
  );
}

function isDialled({ refusal }: ContactTask): boolean {
  return refusal === undefined;
}

function reportRows(
  { tasks }: ContactList,
  warnings: readonly string[],
  options: DemoOptions,
  terminal: Terminal,
): void {
  const shown = (to: string) => (options.showNumbers ? to : maskNumber(to));
  for (const { line, to, refusal } of tasks) {
    if (refusal === undefined) continue;
    const number = to === '' ? '' : ` (${shown(to)})`;
    say(terminal, `Line ${String(line)}${number} is not dialled: ${refusal.reason}.`);
  }
  for (const warning of warnings.slice(0, WARNINGS_SHOWN_MAX))
    say(terminal, `Warning: ${warning}.`);
  const more = warnings.length - WARNINGS_SHOWN_MAX;
  if (more > 0) say(terminal, `Warning: and ${String(more)} more.`);
}

interface Dialling {
  readonly config: RingfenceConfig;
  readonly trunk: TrunkConfig;
  readonly list: ContactList;
  readonly mayStart: MayStart;
  readonly options: DemoOptions;
  readonly terminal: Terminal;
}

async function dial(dialling: Dialling): Promise<number> {
  const { config, trunk, options, terminal } = dialling;
  const log = commandLog(options.verbose, config);
  const telephony = await startTelephony({ config, trunks: [trunk], log, isolated: true });
  const actors = new TelephonyActors(telephony.gateway, () => Date.now());
  const interruption = { happened: false };
  say(terminal, announcement(dialling));
  const startedMs = performance.now();
  const { run, progress } = contactRun(dialling, actors);
  const stopWatching = onInterruption(() => {
    interruption.happened = true;
    say(terminal, '\nStopping: live calls are hung up. Press Ctrl-C again to leave at once.');
    run.stop({ hangUp: true });
  });
  let outcomes: TaskOutcome[];
  try {
    outcomes = await Promise.race([run.run(), failureOf(telephony)]);
    progress.end({ total: dialling.list.tasks.length, inFlight: run.inFlight, outcomes });
  } finally {
    actors.close();
    await telephony.close();
    stopWatching();
  }
  await report(outcomes, performance.now() - startedMs, options, terminal);
  if (interruption.happened) return INTERRUPTED_EXIT_CODE;
  if (!run.isTrunkSilent) return 0;
  say(terminal, trunkIsSilent(trunk, outcomes));
  return 1;
}

function contactRun(
  { config, trunk, list, mayStart, options, terminal }: Dialling,
  actors: TelephonyActors,
) {
  const progress = startProgress(terminal, () => performance.now());
  const run: ContactRun = new ContactRun({
    tasks: list.tasks,
    telephony: actors.logic,
    clock: {
      now: () => performance.now(),
      setTimeout: (fire, delayMs) => setTimeout(fire, delayMs),
      clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
    },
    concurrencyMax: Math.min(options.concurrency, trunk.channelsMax),
    callsPerSecondMax: Math.min(options.callsPerSecond, trunk.callsPerSecondMax),
    attemptOf: ({ to }) =>
      attemptInput({ config, trunk, ringTimeoutMs: options.ringTimeoutMs }, to),
    mayStart: ({ timeZone }) => mayStart(timeZone, Date.now()),
    onChange: () =>
      progress.update({ total: list.tasks.length, inFlight: run.inFlight, outcomes: run.outcomes }),
    onFault: ({ line }, error) =>
      say(terminal, `Line ${String(line)}: the attempt broke: ${String(error)}`),
  });
  return { run, progress };
}

function announcement({ trunk, list, options }: Dialling): string {
  const dialled = list.tasks.filter(isDialled).length;
  const where = options.trunk === undefined ? 'the lab at ' : '';
  return `Dialling ${String(dialled)} of ${String(list.tasks.length)} contacts through ${where}${trunk.address}, at most ${String(options.concurrency)} at once.`;
}

async function failureOf({ broken }: Telephony): Promise<never> {
  const error = await broken;
  throw new CliError('SWITCH_LOST', `The embedded switch ended by itself: ${error.message}`);
}

async function report(
  outcomes: readonly TaskOutcome[],
  durationMs: number,
  options: DemoOptions,
  terminal: Terminal,
): Promise<void> {
  const summary = demoReport(outcomes, durationMs, options);
  say(terminal, resultTable(outcomes));
  const seconds = (durationMs / 1_000).toFixed(1);
  say(
    terminal,
    `${counted(outcomes.length, 'contact')}, ${counted(summary.attempts, 'attempt')}, ` +
      `${counted(summary.invites, 'INVITE')} in ${seconds} s.`,
  );
  if (options.json) await writeJson(terminal, summary);
}

function counted(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function trunkIsSilent({ address }: TrunkConfig, outcomes: readonly TaskOutcome[]): string {
  const tried = outcomes.filter(({ attempts }) => attempts > 0).length;
  const left = outcomes.filter(({ status }) => status === 'Cancelled').length;
  const rest = left === 0 ? '' : ` The other ${String(left)} contacts were not dialled.`;
  return `The trunk ${address} does not answer: ${counted(tried, 'call')} met no SIP response at all.${rest}`;
}
