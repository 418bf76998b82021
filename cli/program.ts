/** The `ringfence` command: which commands there are, and how each of them fails. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { amdCommand, runAmdClassify, type AmdClassifyOptions } from './amd-classify.command.ts';
import { callCommand, runCall, type CallOptions } from './call.command.ts';
import { explainError } from './cli-error.ts';
import { demoCommand, type DemoOptions } from './demo/demo-options.ts';
import { runDemo } from './demo/run-demo.ts';
import { explainCommand, runExplain, type ExplainOptions } from './explain.command.ts';
import {
  journeyCommand,
  runJourneyDiagram,
  runJourneyDraft,
  runJourneySimulate,
  runJourneyValidate,
  type JourneyDiagramOptions,
  type JourneyDraftOptions,
  type JourneySimulateOptions,
  type JourneyValidateOptions,
} from './journey.command.ts';
import {
  runJourneyList,
  runJourneyPublish,
  runJourneyStatus,
  runJourneyStop,
  type JourneyListOptions,
  type JourneyOrderOptions,
  type JourneyPublishOptions,
  type JourneyServiceOptions,
} from './journey-service.command.ts';
import { pacerCommand, runPacer, type PacerOptions } from './pacer.command.ts';
import { runSimulate, simulateCommand, type SimulateOptions } from './simulate.command.ts';
import {
  runSoftswitch,
  softswitchCommand,
  type SoftswitchCommandOptions,
} from './softswitch.command.ts';
import { runStart, startCommand, type StartOptions } from './start.command.ts';
import { say, writeJson, type Terminal } from './terminal.ts';
import { runTrunkCheck, trunkCommand, type TrunkCheckOptions } from './trunk-check.command.ts';
import {
  runTrunkList,
  runTrunkOperation,
  type TrunkOperationOptions,
} from './trunk-operations.command.ts';

type Action = () => Promise<number>;

/** Runs one command line (without node and script) and returns its exit code; 0 only on success. */
export async function runProgram(
  arguments_: readonly string[],
  terminal: Terminal,
): Promise<number> {
  let action: Action | undefined;
  const program = commands(terminal, (chosen) => (action = chosen));
  try {
    await program.parseAsync([...arguments_], { from: 'user' });
    return action === undefined ? 0 : await action();
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0; // --help, --version
    const { code, message } = explainError(error);
    // Commander has told its own errors already, with a hint.
    if (!(error instanceof CommanderError)) say(terminal, message);
    if (arguments_.includes('--json')) await writeJson(terminal, { error: { code, message } });
    return 1;
  }
}

function commands(terminal: Terminal, choose: (action: Action) => void): Command {
  const demo = demoCommand().action((options: DemoOptions) =>
    choose(() => runDemo(options, terminal)),
  );
  const call = callCommand().action((number: string, options: CallOptions) =>
    choose(() => runCall(number, options, terminal)),
  );
  const softswitch = softswitchCommand().action((options: SoftswitchCommandOptions) =>
    choose(() => runSoftswitch(options, terminal)),
  );
  const trunk = trunkCommands(terminal, choose);
  const start = startCommand().action((options: StartOptions) =>
    choose(() => runStart(options, terminal)),
  );
  const explain = explainCommand().action((id: string, options: ExplainOptions) =>
    choose(() => runExplain(id, options, terminal)),
  );
  const pacer = pacerCommand().action((options: PacerOptions) =>
    choose(() => runPacer(options, terminal)),
  );
  const simulate = simulateCommand().action((file: string | undefined, options: SimulateOptions) =>
    choose(() => runSimulate(file, options, terminal)),
  );
  const journey = journeys(terminal, choose);
  const amd = amdCommand();
  amd.commands
    .find((command) => command.name() === 'classify')
    ?.action((files: string[], options: AmdClassifyOptions) =>
      choose(() => runAmdClassify(files, options, terminal)),
    );
  const all = [demo, start, call, trunk, explain, softswitch, pacer, simulate, journey, amd];
  const program = new Command('ringfence')
    .description('Outbound dialing that stays inside the fence.')
    .version(version())
    .showHelpAfterError('(--help shows the options)');
  for (const command of all) program.addCommand(command);
  for (const command of [
    program,
    ...all,
    ...[amd, trunk, journey].flatMap(({ commands }) => [...commands]),
  ]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => terminal.out.write(text),
      writeErr: (text) => terminal.err.write(text),
    });
  }
  return program;
}

function journeys(terminal: Terminal, choose: (action: Action) => void): Command {
  const journey = journeyCommand();
  const named = (name: string) => journey.commands.find((command) => command.name() === name);
  named('validate')?.action((file: string, options: JourneyValidateOptions) =>
    choose(() => runJourneyValidate(file, options, terminal)),
  );
  named('simulate')?.action((file: string, options: JourneySimulateOptions) =>
    choose(() => runJourneySimulate(file, options, terminal)),
  );
  named('diagram')?.action((file: string, options: JourneyDiagramOptions) =>
    choose(() => runJourneyDiagram(file, options, terminal)),
  );
  named('draft')?.action((text: string | undefined, options: JourneyDraftOptions) =>
    choose(() => runJourneyDraft(text, options, terminal)),
  );
  named('list')?.action((options: JourneyListOptions) =>
    choose(() => runJourneyList(options, terminal)),
  );
  named('status')?.action((asked: string, options: JourneyServiceOptions) =>
    choose(() => runJourneyStatus(asked, options, terminal)),
  );
  named('publish')?.action((asked: string, options: JourneyPublishOptions) =>
    choose(() => runJourneyPublish(asked, options, terminal)),
  );
  named('stop')?.action((asked: string, options: JourneyOrderOptions) =>
    choose(() => runJourneyStop(asked, options, terminal)),
  );
  return journey;
}

function trunkCommands(terminal: Terminal, choose: (action: Action) => void): Command {
  const trunk = trunkCommand();
  const named = (name: string) => trunk.commands.find((command) => command.name() === name);
  named('check')?.action((name: string, options: TrunkCheckOptions) =>
    choose(() => runTrunkCheck(name, options, terminal)),
  );
  named('list')?.action((options: TrunkOperationOptions) =>
    choose(() => runTrunkList(options, terminal)),
  );
  for (const operation of ['suspend', 'resume'] as const) {
    named(operation)?.action((name: string, options: TrunkOperationOptions) =>
      choose(() => runTrunkOperation(operation, name, options, terminal)),
    );
  }
  return trunk;
}

function version(): string {
  const file = import.meta.url.endsWith('.ts') ? '../package.json' : '../../package.json';
  const { version: text } = JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as {
    version: string;
  };
  return text;
}
