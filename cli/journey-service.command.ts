/**
 * `ringfence journey list | status | publish | stop`: journeys of the service that runs, over its API.
 * A journey is named by its id or its name; what is published may also be a file.
 */
import { existsSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { Command } from 'commander';
import { faultLine as configFaultLine } from '../config/config-error.ts';
import { isMapping } from '../config/config-path.ts';
import { readYaml } from '../config/yaml-source.ts';
import { faultLine, type JourneyFault } from '../journey-core/validation/journey-fault.ts';
import { askService, serviceCommand, type ServiceOptions } from './ask-service.ts';
import { CliError } from './cli-error.ts';
import { readableText } from './journey-files.ts';
import { say, writeJson, type Terminal } from './terminal.ts';

export interface JourneyServiceOptions extends ServiceOptions {
  readonly json: boolean;
}
export interface JourneyListOptions extends JourneyServiceOptions {
  readonly state?: string;
}
export interface JourneyOrderOptions extends JourneyServiceOptions {
  readonly comment: string;
}
export interface JourneyPublishOptions extends JourneyOrderOptions {
  readonly overwrite: boolean;
}

const JOURNEY = 'its id or its name';

export function journeyServiceCommands(): readonly Command[] {
  const comment = ['--comment <text>', 'why, for whoever reads the log later', ''] as const;
  return [
    serviceCommand('list', 'the journeys of a running service').option(
      '--state <state>',
      'only those: draft, scheduled, live, completing, completed, stopping or stopped',
    ),
    serviceCommand(
      'status',
      'how a journey of a running service is, and how many people are inside',
    ).argument('<journey>', JOURNEY),
    serviceCommand('publish', 'let people into a journey from now on, or from its opening')
      .argument('<journey>', `a file with it, as YAML or JSON; or ${JOURNEY}: then its draft`)
      .option(...comment)
      .option(
        '--overwrite',
        'a draft of the service that differs from the file is replaced',
        false,
      ),
    serviceCommand('stop', 'take everybody out of a journey; it cannot be started again')
      .argument('<journey>', JOURNEY)
      .option(...comment),
  ];
}

interface Summary {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly liveVersion: number | null;
  readonly latestVersion: number;
  readonly hasDraft: boolean;
  readonly version: number;
}

interface Shown extends Summary {
  readonly definition: Readonly<Record<string, unknown>>;
  readonly isPublishable: boolean;
  readonly faults: readonly ToldFault[];
}

interface ToldFault {
  readonly pointer: string;
  readonly code: string;
  readonly severity: JourneyFault['severity'];
  readonly problem: string;
  readonly remedy: string;
  readonly line: number | null;
  readonly column: number | null;
}

export async function runJourneyList(
  options: JourneyListOptions,
  terminal: Terminal,
): Promise<number> {
  const items: Summary[] = [];
  const state = options.state === undefined ? '' : `&state=${encodeURIComponent(options.state)}`;
  for await (const journey of all<Summary>(options, `/v1/journeys?limit=200${state}`)) {
    items.push(journey);
    say(terminal, `${journey.id}  ${inWords(journey)}`);
  }
  if (items.length === 0) say(terminal, 'There are no such journeys.');
  if (options.json) await writeJson(terminal, { items });
  return 0;
}

interface VersionView {
  readonly number: number;
  readonly state: string;
  readonly opensAt: string | null;
  readonly closesAt: string | null;
  readonly nextEntryAt: string | null;
  readonly fault: string | null;
}
interface VersionCounts {
  readonly version: number;
  readonly entered: number;
  readonly inside: number;
}

export async function runJourneyStatus(
  asked: string,
  options: JourneyServiceOptions,
  terminal: Terminal,
): Promise<number> {
  const { id } = await found(options, asked);
  const journey = withoutDefinition(await askService(options, { path: pathOf(id) }));
  const counts = new Map<number, VersionCounts>();
  for await (const one of all<VersionCounts>(
    options,
    `${pathOf(id)}/analytics/versions?limit=200`,
  )) {
    counts.set(one.version, one);
  }
  const versions = [];
  for await (const one of all<VersionView>(options, `${pathOf(id)}/versions?limit=200`)) {
    const { entered = 0, inside = 0 } = counts.get(one.number) ?? {};
    versions.push({ ...one, entered, inside });
  }
  say(terminal, inWords(journey));
  for (const one of versions) say(terminal, `  ${versionInWords(one)}`);
  if (journey.hasDraft) {
    const isReady = journey.isPublishable ? 'can be published' : 'cannot be published yet';
    say(terminal, `  The draft ${isReady}.`);
  }
  tellFaults(journey.faults, `  ${journey.name}`, terminal);
  if (options.json) await writeJson(terminal, { ...journey, versions });
  return 0;
}

/** Fails with every fault while it cannot be published; then nothing is kept of a file. */
export async function runJourneyPublish(
  asked: string,
  options: JourneyPublishOptions,
  terminal: Terminal,
): Promise<number> {
  const isFile = existsSync(asked) || /[/\\]|\.(?:ya?ml|json)$/i.test(asked);
  const { faults, isPublishable, take } = isFile
    ? await ofFile(asked, options)
    : await ofService(asked, options);
  tellFaults(faults, asked, terminal);
  if (!isPublishable) {
    say(terminal, `${asked}: cannot be published; nothing was changed.`);
    if (options.json) await writeJson(terminal, { isPublished: false, faults });
    return 1;
  }
  const { id, name, version, latestVersion } = await take();
  const order = { method: 'POST', path: `${pathOf(id)}/publish`, ifVersion: version } as const;
  const body = { comment: options.comment };
  const made = (await askService(options, { ...order, body }).catch((error: unknown) => {
    if (isFile) say(terminal, `${asked} is kept as the draft of journey ${id}.`);
    throw error;
  })) as Shown;
  const isNewVersion = made.latestVersion !== latestVersion;
  const told = isNewVersion
    ? `version ${made.latestVersion} is published`
    : `nothing changed for people, who go on by version ${made.latestVersion}`;
  say(terminal, `${name} (${id}): ${told}; the journey is ${made.state}.`);
  if (options.json) {
    const { state, liveVersion } = made;
    const result = { isPublished: true, id, name, state, liveVersion, isNewVersion };
    await writeJson(terminal, { ...result, faults });
  }
  return 0;
}

export async function runJourneyStop(
  asked: string,
  options: JourneyOrderOptions,
  terminal: Terminal,
): Promise<number> {
  const { id } = await found(options, asked);
  const body = { comment: options.comment };
  const order = { method: 'POST', path: `${pathOf(id)}/stop`, body } as const;
  const journey = withoutDefinition(await askService(options, order));
  say(terminal, inWords(journey));
  if (options.json) await writeJson(terminal, journey);
  return 0;
}

interface ToPublish {
  readonly isPublishable: boolean;
  readonly faults: readonly ToldFault[];
  /** The journey, with it as its draft. */
  readonly take: () => Promise<Summary>;
}

async function ofService(asked: string, options: JourneyPublishOptions): Promise<ToPublish> {
  const { id } = await found(options, asked);
  const shown = (await askService(options, { path: pathOf(id) })) as Shown;
  const { hasDraft, isPublishable, faults } = shown;
  // Without a draft the service says what can be done instead.
  return { isPublishable: isPublishable || !hasDraft, faults, take: () => Promise.resolve(shown) };
}

/**
 * Judged by the service, which knows what there is; faults have the line and column of the file. It becomes
 * the draft of the journey of its name, which is made when there is none.
 */
async function ofFile(file: string, options: JourneyPublishOptions): Promise<ToPublish> {
  const text = readableText(file);
  const yaml = readYaml(file, text);
  if (Array.isArray(yaml)) {
    throw new CliError('JOURNEY_INVALID', yaml.map(configFaultLine).join('\n'));
  }
  const { value } = yaml;
  const mediaType = /\.json$/i.test(file) ? 'application/json' : 'application/yaml';
  const body = { mediaType, text };
  const check = { method: 'POST', path: '/v1/journeys/check', body } as const;
  const { isPublishable, faults } = (await askService(options, check)) as ToPublish;
  const take = async (): Promise<Summary> => {
    const known = await named(options, isMapping(value) ? String(value['name']) : '');
    if (known === undefined) {
      return (await askService(options, { method: 'POST', path: '/v1/journeys', body })) as Shown;
    }
    const path = pathOf(known.id);
    const shown = (await askService(options, { path })) as Shown;
    const isOther = shown.hasDraft && !isDeepStrictEqual(shown.definition, value);
    if (isOther && !options.overwrite) throw draftInTheWay(file, known);
    const save = { method: 'PUT', path: `${path}/draft`, body, ifVersion: shown.version } as const;
    return (await askService(options, save)) as Shown;
  };
  return { isPublishable, faults, take };
}

function draftInTheWay(file: string, { id, name }: Summary): CliError {
  const what = `Journey '${name}' (${id}) has a draft on the service that differs from ${file}`;
  const remedy = `publish it with \`journey publish ${id}\`, or replace it with --overwrite`;
  return new CliError('DRAFT_IN_THE_WAY', `${what}: ${remedy}.`);
}

const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** By its id or its name. Throws NOT_FOUND. */
async function found(
  options: ServiceOptions,
  asked: string,
): Promise<Pick<Summary, 'id' | 'name'>> {
  const journey = ID.test(asked) ? { id: asked, name: asked } : await named(options, asked);
  if (journey !== undefined) return journey;
  const remedy = '`journey list` shows what there is';
  throw new CliError('NOT_FOUND', `The service has no journey '${asked}': ${remedy}.`);
}

async function named(options: ServiceOptions, name: string): Promise<Summary | undefined> {
  for await (const journey of all<Summary>(options, '/v1/journeys?limit=200')) {
    if (journey.name === name) return journey;
  }
  return undefined;
}

/** Through all pages of a list. */
async function* all<T>(options: ServiceOptions, path: string): AsyncGenerator<T> {
  let cursor: string | null = '';
  while (cursor !== null) {
    const at: string = cursor === '' ? path : `${path}&cursor=${cursor}`;
    const page = (await askService(options, { path: at })) as {
      readonly items: readonly T[];
      readonly nextCursor: string | null;
    };
    yield* page.items;
    cursor = page.nextCursor;
  }
}

function withoutDefinition(answer: unknown): Omit<Shown, 'definition'> {
  const journey = answer as Shown;
  const rest = Object.entries(journey).filter(([key]) => key !== 'definition');
  return Object.fromEntries(rest) as unknown as Omit<Shown, 'definition'>;
}

function pathOf(id: string): string {
  return `/v1/journeys/${id}`;
}

function inWords({ name, state, liveVersion, hasDraft }: Summary): string {
  const live = liveVersion === null ? '' : `, version ${liveVersion}`;
  const draft = hasDraft && state !== 'draft' ? ', with a draft of the next version' : '';
  return `${name}: ${state}${live}${draft}`;
}

function versionInWords(version: VersionView & Omit<VersionCounts, 'version'>): string {
  const { number, state, entered, inside, opensAt, closesAt, nextEntryAt, fault } = version;
  const times = Object.entries({ opens: opensAt, closes: closesAt, 'next entry': nextEntryAt });
  return [
    `version ${number}: ${state}`,
    `${entered} entered`,
    `${inside} inside`,
    ...times.flatMap(([what, at]) => (at === null ? [] : [`${what} ${at}`])),
    ...(fault === null ? [] : [`the last entry failed: ${fault}`]),
  ].join(', ');
}

function tellFaults(faults: readonly ToldFault[], subject: string, terminal: Terminal): void {
  for (const { pointer: path, code, line, column, ...told } of faults) {
    const where = line === null ? subject : `${subject}:${line}:${column ?? 1}`;
    say(terminal, faultLine({ ...told, path, code: code as JourneyFault['code'], where }));
  }
}
