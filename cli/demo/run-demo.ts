/** `ringfence demo`: contacts, lab, switch, gateway, store and dialer wired for one run. */
import type { RingfenceConfig } from '../../config/ringfence.schema.ts';
import { loadNamedConfig } from '../../config/process-config.ts';
import type { TrunkConfig } from '../../config/trunk.schema.ts';
import { systemClock } from '../../dialer/clock.ts';
import type { OpenDatabase } from '../../dialer/store/open-database.ts';
import { loggedTelephony } from '../../dialer/telephony-log.ts';
import { maskNumber } from '../../gateway/mask-number.ts';
import { startLab } from '../../lab/start-lab.ts';
import { chooseTrunk, isLoopbackTrunk } from '../choose-trunk.ts';
import { CliError } from '../cli-error.ts';
import { commandLog, type CommandLog } from '../command-log.ts';
import { INTERRUPTED_EXIT_CODE, onInterruption } from '../interruption.ts';
import { checkCallingHours, realCallsRule } from '../real-calls.ts';
import { startDialing, type Dialing } from '../start-dialing.ts';
import { startTelephony, type Telephony } from '../start-telephony.ts';
import { say, writeJson, type Terminal } from '../terminal.ts';
import {
  isShippedList,
  readContactTasks,
  SHIPPED_CONTACTS,
  type ContactList,
  type ContactTask,
} from './contact-tasks.ts';
import { writeDemoWork, type DemoWork } from './demo-engagement.ts';
import { demoDesks } from './demo-desks.ts';
import { modeOf, type DemoMode, type DemoOptions } from './demo-options.ts';
import { demoReport, learntLines, resultTable } from './demo-report.ts';
import { DemoRun } from './demo-run.ts';
import { openDemoStore, refuseOldStore } from './demo-store.ts';
import { startProgress, type RunState } from './progress.ts';
import { readOutcomes } from './read-outcomes.ts';
import { outcomeOfRefusal, type TaskOutcome } from './task-outcome.ts';

/** Warnings beyond this are counted, not listed. */
const WARNINGS_SHOWN_MAX = 20;

/** Everything is checked before anything is started. Returns the exit code. */
export async function runDemo(options: DemoOptions, terminal: Terminal): Promise<number> {
  const mode = modeOf(options.mode);
  refuseOldStore(options.keepStore);
  const { config, warnings } = loadNamedConfig(options.config);
  const chosen = trunkOf(options, config);
  const contacts = options.contacts ?? SHIPPED_CONTACTS;
  await refuseShippedContacts(contacts, chosen);
  const list = await readContactTasks(contacts, chosen, options.region);
  const mayStart = realCallsRule(chosen, options, config.dialing);
  const zones = list.tasks.filter(isDialled).map(({ contact }) => contact?.fields.TimeZone);
  checkCallingHours(zones, mayStart, options, config.dialing, Date.now());
  reportRows(list, [...warnings, ...list.warnings], options, terminal);
  if (zones.length === 0) {
    throw new CliError('CONTACTS_INVALID', 'Not one row of the list can be dialled.');
  }
  // With a trunk of one's own too: its AI agent takes whoever answers.
  const representatives = mode === 'copilot' ? 0 : options.representatives;
  const lab = await startLab({ ...LAB_OPTIONS, representatives });
  try {
    const trunk =
      options.trunk === undefined
        ? { ...chosen, name: 'lab', address: labAddress(lab.sipPort) }
        : chosen;
    const agentUri = `sip:agent@${LAB_OPTIONS.host}:${String(lab.aiAgentSipPort)};transport=udp`;
    const { representativeUris } = lab;
    const dialling = { config, trunk, agentUri, mode, representativeUris, list, options };
    return await dial({ ...dialling, terminal });
  } finally {
    await lab.stop();
  }
}

const LAB_OPTIONS = { host: '127.0.0.1', sipPort: 0, aiAgent: { sipPort: 0 } };

function labAddress(sipPort: number): string {
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
  readonly agentUri: string;
  readonly mode: DemoMode;
  readonly representativeUris: readonly string[];
  readonly list: ContactList;
  readonly options: DemoOptions;
  readonly terminal: Terminal;
}

async function dial(dialling: Dialling): Promise<number> {
  const { config, options, terminal, list } = dialling;
  const log = commandLog(options.verbose, config);
  const trunk = atMost(dialling.trunk, options.callsPerSecond);
  const store = await openDemoStore(options.keepStore);
  const { database } = store;
  try {
    const telephony = await startTelephony({
      config,
      trunks: [trunk],
      log,
      isolated: config.gateway.embedded,
    });
    try {
      say(terminal, announcement(dialling));
      const startedMs = performance.now();
      const work = await writeDemoWork({
        ...{ ...dialling, database, trunk, dialing: config.dialing },
        nowMs: Date.now(),
      });
      const ending = await seeThrough({ ...dialling, trunk, telephony, database, work, log });
      const outcomes = await readOutcomes(database, work.engagementId, list.tasks);
      ending.progress.end({ total: list.tasks.length, inFlight: 0, outcomes });
      await report(outcomes, performance.now() - startedMs, options, terminal);
      if (ending.isInterrupted) return INTERRUPTED_EXIT_CODE;
      if (!ending.isTrunkSilent) return 0;
      say(terminal, trunkIsSilent(trunk, outcomes));
      return 1;
    } finally {
      await telephony.close();
    }
  } finally {
    await store.close();
  }
}

/** The gateway and the dialer space the calls; the trunk's own limit stays where it is lower. */
function atMost(trunk: TrunkConfig, callsPerSecond: number): TrunkConfig {
  const callsPerSecondMax = Math.min(callsPerSecond, trunk.callsPerSecondMax);
  return { ...trunk, callsPerSecondMax };
}

interface Running extends Dialling {
  readonly telephony: Telephony;
  readonly database: OpenDatabase;
  readonly work: DemoWork;
  readonly log: CommandLog;
}

/** Resolves when every task is at its end and what agents returned is stored. */
async function seeThrough(running: Running) {
  const { database, telephony, log, list, work, terminal } = running;
  const config = demoConfig(running);
  const progress = startProgress(terminal, () => performance.now());
  const dialing = await startDialing({
    ...{ config, database, telephony: loggedTelephony(telephony.gateway, log), log },
  });
  const run: DemoRun = new DemoRun({
    ...{ dialer: dialing.dialer, telephony: telephony.gateway, clock: systemClock, work },
    taskCount: list.tasks.filter(isDialled).length,
    onChange: () => progress.update(stateOf(run, list)),
  });
  demoDesks(dialing.dialer, systemClock);
  let isInterrupted = false;
  const stopWatching = onInterruption(() => {
    isInterrupted = true;
    say(terminal, '\nStopping: live calls are hung up. Press Ctrl-C again to leave at once.');
    void run.stop();
  });
  try {
    await Promise.race([run.run(), failureOf(telephony), lostLease(dialing)]);
  } finally {
    await dialing.stop(0);
    stopWatching();
  }
  return { progress, isInterrupted, isTrunkSilent: run.isTrunkSilent };
}

/** Beside a service that may be running: nothing of its store, its ports or its name. */
function demoConfig({ config, trunk }: Running): RingfenceConfig {
  const dialer = { ...config.dialer, id: 'demo' };
  // The pause between two calls to a number holds here too: no number is in the list twice.
  delete dialer.labNumberGapMinMs;
  return {
    ...config,
    gateway: { ...config.gateway, trunks: [trunk] },
    http: { ...config.http, host: '127.0.0.1', port: 0, publicUrl: '' },
    dialer,
  };
}

function stateOf(run: DemoRun, { tasks }: ContactList): RunState {
  const refused = tasks.flatMap((task) => outcomeOfRefusal(task) ?? []);
  return {
    total: tasks.length,
    inFlight: run.inFlight,
    outcomes: [...refused, ...run.outcomes],
  };
}

async function lostLease({ dialer }: Dialing): Promise<never> {
  const reason = await dialer.leaseLost;
  throw new CliError('STORE_LOST', `The demo cannot go on: ${String(reason)}.`);
}

function announcement({ trunk, list, options, representativeUris }: Dialling): string {
  const dialled = list.tasks.filter(isDialled).length;
  const where = options.trunk === undefined ? 'the lab at ' : '';
  const howMany =
    representativeUris.length === 0
      ? `at most ${String(options.concurrency)} at once`
      : `${options.mode}, for ${String(representativeUris.length)} representatives`;
  return `Dialling ${String(dialled)} of ${String(list.tasks.length)} contacts through ${where}${trunk.address}, ${howMany}.`;
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
  const { showNumbers, keepStore } = options;
  const summary = demoReport(outcomes, durationMs, {
    showNumbers,
    showDeliveries: keepStore !== undefined,
  });
  say(terminal, resultTable(outcomes));
  const seconds = (durationMs / 1_000).toFixed(1);
  say(
    terminal,
    `${counted(outcomes.length, 'contact')}, ${counted(summary.attempts, 'attempt')}, ` +
      `${counted(summary.invites, 'INVITE')} in ${seconds} s.`,
  );
  const learnt = learntLines(outcomes);
  if (learnt.length > 0) say(terminal, 'What the AI agent returned:');
  for (const line of learnt) say(terminal, `  ${line}`);
  say(terminal, accountHint(outcomes, keepStore));
  if (options.json) await writeJson(terminal, summary);
}

/** A call that the agent took has the most to tell. */
function accountHint(outcomes: readonly TaskOutcome[], keptFile: string | undefined): string {
  if (keptFile === undefined) {
    return 'To see why each call was made and what happened in it, add --keep-store FILE.';
  }
  const spoken = outcomes.find(({ attributes }) => attributes !== undefined);
  const { deliveryId = 'DELIVERY' } = spoken ?? outcomes.find((one) => one.deliveryId) ?? {};
  return `The account of a call: npm run -s ringfence -- explain ${deliveryId} --store ${keptFile}`;
}

function counted(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function trunkIsSilent({ address }: TrunkConfig, outcomes: readonly TaskOutcome[]): string {
  const tried = outcomes.filter(({ attempts }) => attempts.length > 0).length;
  const left = outcomes.filter(({ status }) => status === 'Cancelled').length;
  const rest = left === 0 ? '' : ` The other ${String(left)} contacts were not dialled.`;
  return `The trunk ${address} does not answer: ${counted(tried, 'call')} met no SIP response at all.${rest}`;
}
