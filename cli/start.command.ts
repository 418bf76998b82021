/** `ringfence start`: the service. It goes on with whatever was running when it was last stopped. */
import { Command, Option } from 'commander';
import { loadProcessConfig } from '../config/process-config.ts';
import type { RingfenceConfig } from '../config/ringfence.schema.ts';
import type { RecoveryReport } from '../dialer/actors/recovery.ts';
import { storeLocation } from '../dialer/dialer-settings.ts';
import { requireTranscriberWanted } from '../dialer/recordings/transcriber-wanted.ts';
import { loggedTelephony } from '../dialer/telephony-log.ts';
import type { OpenDatabase } from '../dialer/store/open-database.ts';
import { openStore } from '../dialer/store/open-store.ts';
import { CliError } from './cli-error.ts';
import { commandLog, consoleToLog, type CommandLog } from './command-log.ts';
import { onInterruption } from './interruption.ts';
import { openTraces, startObservability } from './observability.ts';
import { engagementInWords, readEngagements, type FoundEngagement } from './service-engagements.ts';
import { startServiceLab } from './service-lab.ts';
import { startDialing, type Dialing } from './start-dialing.ts';
import { serveGatewayOnly } from './start-gateway.ts';
import { startServiceTelephony, type ServiceTelephony } from './service-telephony.ts';
import { say, writeJson, type Terminal } from './terminal.ts';

export interface StartOptions {
  readonly config?: string;
  readonly json: boolean;
  readonly verbose: boolean;
  /** Beside a demo carrier, and with no other trunk than to it. */
  readonly lab: boolean;
  /** One half; the other half is in other processes, on the same Redis. Default: both, here. */
  readonly only?: 'dialer' | 'gateway';
}

export function startCommand(): Command {
  return new Command('start')
    .description('serve: dial what is in the store, from where it was left, until told to stop')
    .option('--config <file>', 'configuration; default ringfence.yaml if there is one')
    .option('--lab', 'dial a demo carrier and nobody else: it is started beside the service', false)
    .addOption(
      new Option('--only <part>', 'one half of it; the other in other processes, over Redis')
        .choices(['dialer', 'gateway'])
        .conflicts('lab'),
    )
    .option('--json', 'one JSON value on stdout once it is ready', false)
    .option('--verbose', 'log what it does', false);
}

interface Service {
  readonly config: RingfenceConfig;
  readonly database: OpenDatabase;
  readonly telephony: ServiceTelephony;
  readonly dialing: Dialing;
}

/** Returns the exit code once everything has stopped in order. */
export async function runStart(options: StartOptions, terminal: Terminal): Promise<number> {
  const { config: loaded, file, warnings } = loadProcessConfig(options.config);
  for (const warning of warnings) say(terminal, `Warning: ${warning}.`);
  const log = commandLog(options.verbose, loaded);
  const asked = { toStop: (): void => undefined };
  const stopAsked = new Promise<'stop'>((resolve) => (asked.toStop = () => resolve('stop')));
  const stopWatching = onInterruption(asked.toStop);
  const lab = options.lab ? await startServiceLab() : undefined;
  const config = lab === undefined ? loaded : lab.onlyTrunk(loaded);
  const consoleAsBefore = consoleToLog(log);
  if (options.only === 'gateway') {
    const { json } = options;
    const exitCode = await serveGatewayOnly({ config, file, log, json, terminal, stopAsked });
    consoleAsBefore();
    stopWatching();
    say(terminal, 'Ringfence has stopped.');
    return exitCode;
  }
  const isDialerOnly = options.only === 'dialer';
  const database = await openStore(storeLocation(config), () => Date.now());
  try {
    await requireTranscriberWanted(database, config.gateway.transcription.engine !== 'off');
    const exitCode = await serve(
      { config, database, log, stopAsked, isDialerOnly },
      async (service, found) => {
        announce(service, found, file, terminal);
        if (options.json) await writeJson(terminal, readiness(service, found));
      },
    );
    say(terminal, 'Ringfence has stopped.');
    return exitCode;
  } finally {
    await database.close();
    await lab?.stop();
    consoleAsBefore();
    stopWatching();
  }
}

interface Serving {
  readonly config: RingfenceConfig;
  readonly database: OpenDatabase;
  readonly log: CommandLog;
  readonly stopAsked: Promise<'stop'>;
  readonly isDialerOnly: boolean;
}

async function serve(
  { config, database, log, stopAsked, isDialerOnly }: Serving,
  onReady: (service: Service, found: readonly FoundEngagement[]) => Promise<void>,
): Promise<number> {
  // Looked at before anything is dialled: this is what was left.
  const found = await readEngagements(database);
  const traces = await openTraces(config);
  const telephony = await startServiceTelephony({ config, database, log, isDialerOnly });
  const { bus } = telephony;
  const observability = startObservability({ config, database, telephony, log, traces });
  try {
    const dialing = await startDialing({
      ...{ config, database, telephony: loggedTelephony(telephony.port, log) },
      ...{ log, observability },
      servesApi: true,
      ...(bus === undefined
        ? {}
        : {
            gatewayFor: (trunk, preferred) => bus.gatewayFor(trunk, preferred),
            gatewayIds: () => bus.gatewayIds,
            onOwned: () => bus.own(),
          }),
    });
    void dialing.dialer.leaseLost.then(() => bus?.disown());
    try {
      await onReady({ config, database, telephony, dialing }, found);
      const end = await Promise.race([stopAsked, telephony.broken, dialing.dialer.leaseLost]);
      if (end !== 'stop') throw lost(end);
      return 0;
    } finally {
      await dialing.stop(config.dialer.stopGraceMs);
    }
  } finally {
    await observability.stop();
    await telephony.close();
  }
}

/** The embedded switch ended, or another dialer has the queue group. */
function lost(reason: unknown): CliError {
  const detail = reason instanceof Error ? reason.message : String(reason);
  return new CliError('SERVICE_LOST', `Ringfence cannot go on: ${detail}.`);
}

function announce(
  { config, database, telephony, dialing }: Service,
  found: readonly FoundEngagement[],
  file: string | undefined,
  terminal: Terminal,
): void {
  const { trunks } = config.gateway;
  say(terminal, `Ringfence serves (${file ?? 'no configuration file: the defaults hold'}).`);
  say(terminal, `  store       ${storeInWords(config, database)}`);
  say(terminal, `  HTTP        ${dialing.httpUrl} (described at /docs)`);
  if (dialing.adminKey !== null) {
    say(terminal, `  admin key   ${dialing.adminKey} (shown this once: keep it)`);
  }
  if (telephony.sipPort !== undefined) say(terminal, `  SIP port    ${telephony.sipPort}`);
  const names = trunks.map(({ name }) => name).join(', ');
  say(terminal, `  trunks      ${names === '' ? 'none: nothing can be dialled' : names}`);
  say(terminal, `  taken up    ${recoveryInWords(dialing.dialer.recovered)}`);
  for (const engagement of found) say(terminal, `  engagement  ${engagementInWords(engagement)}`);
}

/** A URL holds a password: only the file is shown. */
function storeInWords({ dialer }: RingfenceConfig, { kind }: OpenDatabase): string {
  return kind === 'postgres' ? 'PostgreSQL' : dialer.store.file;
}

export function recoveryInWords(report: RecoveryReport | undefined): string {
  const { attemptsOpen = 0, tasksReleased = 0, tasksQuarantined = 0 } = report ?? {};
  const parts = [
    [attemptsOpen, 'open calls, whose gateway is asked'],
    [tasksReleased, 'tasks between two calls'],
    [tasksQuarantined, 'tasks put aside, at which processes died repeatedly'],
  ] as const;
  const left = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return left.length === 0 ? 'nothing was left in work' : left.join('; ');
}

function readiness({ config, database, telephony, dialing }: Service, found: readonly unknown[]) {
  return {
    ready: true,
    dialerId: config.dialer.id,
    store: database.kind,
    http: dialing.httpUrl,
    adminKey: dialing.adminKey,
    sipPort: telephony.sipPort ?? null,
    trunks: config.gateway.trunks.map(({ name }) => name),
    resumed: { ...dialing.dialer.recovered, engagements: found },
  };
}
