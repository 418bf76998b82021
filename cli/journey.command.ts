/** `ringfence journey validate | simulate | diagram FILE`: a journey before anybody is in it. */
import { Command } from 'commander';
import { journeyDiagram } from '../journey-core/definition/journey-diagram.ts';
import { instantMs } from '../journey-core/definition/instant.ts';
import { pathLines } from '../journey-core/simulation/path-text.ts';
import { simulatedPath } from '../journey-core/simulation/simulated-path.ts';
import { simulateJourney } from '../journey-core/simulation/simulate-journey.ts';
import { faultLine } from '../journey-core/validation/journey-fault.ts';
import { CliError } from './cli-error.ts';
import { journeyIn, personIn, planIn, validJourney } from './journey-files.ts';
import { say, writeJson, type Terminal } from './terminal.ts';

export interface JourneyValidateOptions {
  readonly draft: boolean;
  readonly json: boolean;
}

export interface JourneySimulateOptions {
  readonly contact?: string;
  readonly outcomes?: string;
  readonly at?: string;
  readonly json: boolean;
}

export interface JourneyDiagramOptions {
  readonly json: boolean;
}

const FILE = 'the journey, as YAML or JSON';

export function journeyCommand(): Command {
  const validate = new Command('validate')
    .description('say everything that is wrong with a journey, and where')
    .argument('<file>', FILE)
    .option('--draft', 'accept what is not ready yet: it only blocks publishing', false)
    .option('--json', 'one JSON value on stdout', false);
  const simulate = new Command('simulate')
    .description('try a journey on one person in virtual time; nothing is sent')
    .argument('<file>', FILE)
    .option('--contact <file>', 'who it is tried on')
    .option('--outcomes <file>', 'what comes of conversations, and what else happens')
    .option('--at <time>', 'when the person enters, unless the outcomes say (default: now)')
    .option('--json', 'one JSON value on stdout', false);
  const diagram = new Command('diagram')
    .description('draw a journey as a Mermaid flowchart')
    .argument('<file>', FILE)
    .option('--json', 'one JSON value on stdout', false);
  return new Command('journey')
    .description('check, try and draw journeys')
    .addCommand(validate)
    .addCommand(simulate)
    .addCommand(diagram);
}

/** Fails when there is an error, and without `--draft` when anything blocks publishing. */
export async function runJourneyValidate(
  file: string,
  { draft, json }: JourneyValidateOptions,
  terminal: Terminal,
): Promise<number> {
  const { faults, isPublishable } = journeyIn(file);
  const isValid = faults.every(({ severity }) => severity !== 'error');
  for (const found of faults) say(terminal, faultLine(found));
  say(
    terminal,
    isPublishable
      ? `${file}: can be published.`
      : isValid
        ? `${file}: a valid draft, not ready to be published.`
        : `${file}: cannot be used.`,
  );
  if (json) await writeJson(terminal, { file, isValid, isPublishable, faults });
  return isPublishable || (isValid && draft) ? 0 : 1;
}

export async function runJourneySimulate(
  file: string,
  { contact, outcomes, at, json }: JourneySimulateOptions,
  terminal: Terminal,
): Promise<number> {
  const journey = validJourney(file);
  const plan = outcomes === undefined ? {} : planIn(outcomes);
  const atMs = at === undefined ? Date.now() : instantMs(at, journey.timeZone);
  if (atMs === undefined) {
    throw new CliError('USAGE', `--at ${at ?? ''} is no date: write it like 2026-12-24T09:00.`);
  }
  if (contact === undefined) say(terminal, 'No --contact: tried on somebody nothing is known of.');
  const person = contact === undefined ? UNKNOWN_PERSON : personIn(contact);
  const path = simulatedPath(journey, simulateJourney(journey, person, plan, atMs));
  for (const line of pathLines(path)) say(terminal, line);
  if (json) await writeJson(terminal, path);
  return 0;
}

/** Numbers of the range kept for fiction. */
const UNKNOWN_PERSON = {
  contactPoints: [
    { kind: 'mobile' as const, value: '+12025550123' },
    { kind: 'email' as const, value: 'somebody@example.com' },
  ],
};

export async function runJourneyDiagram(
  file: string,
  { json }: JourneyDiagramOptions,
  terminal: Terminal,
): Promise<number> {
  const mermaid = journeyDiagram(validJourney(file));
  if (json) await writeJson(terminal, { file, mermaid });
  else terminal.out.write(mermaid);
  return 0;
}
