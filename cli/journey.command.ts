/** `ringfence journey`: one before anybody is in it, and those of a running service. */
import { Command } from 'commander';
import { stringify } from 'yaml';
import { journeyDiagram } from '../journey-core/definition/journey-diagram.ts';
import { instantMs, isTimeZone } from '../journey-core/definition/instant.ts';
import { draftJourney } from '../journey-core/draft/draft-journey.ts';
import { pathLines } from '../journey-core/simulation/path-text.ts';
import { simulatedPath } from '../journey-core/simulation/simulated-path.ts';
import { simulateJourney } from '../journey-core/simulation/simulate-journey.ts';
import { faultLine } from '../journey-core/validation/journey-fault.ts';
import { CliError } from './cli-error.ts';
import { journeyIn, personIn, planIn, readableText, validJourney } from './journey-files.ts';
import { journeyServiceCommands } from './journey-service.command.ts';
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
  const journey = new Command('journey').description('check, try, draw, draft and run journeys');
  const here = [validate, simulate, diagram, draftCommand()];
  for (const command of [...here, ...journeyServiceCommands()]) journey.addCommand(command);
  return journey;
}

function draftCommand(): Command {
  return new Command('draft')
    .description('turn plain English into a draft, by the patterns of docs/journeys/drafting.md')
    .argument('[text]', 'what is to happen; without it and without --file: stdin')
    .option('--file <file>', 'a file with the text')
    .option('--assets <file>', 'a journey whose assets are those that there are')
    .option('--time-zone <zone>', 'the journey’s, where the text names none', 'UTC')
    .option('--json', 'one JSON value on stdout, with everything that was made of the text', false);
}

export interface JourneyDraftOptions {
  readonly file?: string;
  readonly assets?: string;
  readonly timeZone: string;
  readonly json: boolean;
}

/** Prints the journey as YAML, and what is not in it on stderr. Fails when there is no journey. */
export async function runJourneyDraft(
  text: string | undefined,
  { file, assets, timeZone, json }: JourneyDraftOptions,
  terminal: Terminal,
): Promise<number> {
  if (text !== undefined && file !== undefined) {
    throw new CliError('USAGE', 'Give either the text or --file.');
  }
  if (!isTimeZone(timeZone)) {
    throw new CliError('USAGE', `--time-zone ${timeZone} is no IANA time zone.`);
  }
  const words = text ?? readableText(file ?? 0);
  const known = assets === undefined ? undefined : validJourney(assets).assets;
  const draft = draftJourney(words, {
    ...{ nowMs: Date.now(), timeZone },
    ...(known === undefined ? {} : { assets: known }),
  });
  for (const { text: part, at, reason } of draft.notUnderstood) {
    say(terminal, `${at.line}:${at.column}: not understood: ${part}: ${reason}`);
  }
  for (const { kind, name, candidates } of draft.placeholders) {
    const instead = candidates.length === 0 ? '' : `; there is ${candidates.join(', ')}`;
    say(terminal, `to be connected: ${kind} '${name}'${instead}`);
  }
  for (const line of draft.assumptions) say(terminal, `assumed: ${line}`);
  if (draft.journey === null) say(terminal, 'No journey: nothing to do was understood.');
  if (json) await writeJson(terminal, draft);
  else if (draft.journey !== null) terminal.out.write(stringify(draft.journey));
  return draft.journey === null ? 1 : 0;
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
