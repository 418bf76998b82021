/** Why an engagement started so many calls at a time, for people: the log of its pacing in words. */
import { readPacing } from '../pacing-log/read-pacing.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { PacingSpanRow } from '../store/schema/pacing-tables.ts';

export interface PacingAccount {
  readonly engagementId: string;
  readonly name: string;
  /** Oldest first. */
  readonly stretches: readonly PacingStretch[];
}

export interface PacingStretch extends Omit<
  PacingSpanRow,
  'business_unit_id' | 'engagement_id' | 'limits' | 'claims' | 'inputs'
> {
  readonly limits: Readonly<Record<string, number>>;
  readonly claims: Readonly<Record<string, number>>;
  readonly inputs: Readonly<Record<string, unknown>> | null;
}

/** The last so many up to `atMs`. Undefined when there is no such engagement. */
export async function pacingAccount(
  database: Pick<OpenDatabase, 'db'>,
  engagementId: string,
  atMs: number,
  limit = 20,
): Promise<PacingAccount | undefined> {
  const engagement = await database.db
    .selectFrom('engagements')
    .select(['name', 'business_unit_id as businessUnitId'])
    .where('id', '=', engagementId)
    .executeTakeFirst();
  if (engagement === undefined) return undefined;
  const { name, businessUnitId } = engagement;
  const asked = { businessUnitId, engagementId, beforeMs: atMs + 1, limit };
  const rows = await readPacing(database, asked);
  return { engagementId, name, stretches: rows.reverse().map(stretchOf) };
}

function stretchOf(row: PacingSpanRow): PacingStretch {
  const { id, from_ms, until_ms, binding, decisions, wanted, started, recalled } = row;
  return {
    ...{ id, from_ms, until_ms, binding, decisions, wanted, started, recalled },
    limits: JSON.parse(row.limits) as PacingStretch['limits'],
    claims: JSON.parse(row.claims) as PacingStretch['claims'],
    inputs: row.inputs === null ? null : (JSON.parse(row.inputs) as PacingStretch['inputs']),
  };
}

const WORDS: Readonly<Record<string, string>> = {
  representatives: 'every representative who is free has a call',
  risk: 'one more call would risk too much',
  budget: 'a legal window has no room',
  warmUp: 'too little is known yet',
  inFlightMax: 'as many are in flight as may be',
  startsPerTickMax: 'no more may start at a time',
  noRepresentatives: 'nobody is signed on',
  cap: 'as many are in flight as may be',
  trunk: 'the trunk takes no more',
  list: 'nothing is left to dial now',
  queue: 'the queue is closed',
};

export function renderPacing({ name, stretches }: PacingAccount): string {
  if (stretches.length === 0) return `Of “${name}” nothing is kept of that time.`;
  return [`Pacing of “${name}”`, ...stretches.flatMap(inWords)].join('\n');
}

function inWords(stretch: PacingStretch): readonly string[] {
  const { from_ms, until_ms, binding, wanted, started, recalled, decisions, inputs } = stretch;
  const time = (ms: number): string => new Date(ms).toISOString().replace('T', ' ').slice(0, 19);
  const counts = (of: Readonly<Record<string, number>>): string =>
    Object.entries(of)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ');
  const asked = decisions > 0 ? `${wanted} wanted, ` : '';
  const back = recalled > 0 ? `, ${recalled} taken back` : '';
  return [
    `${time(from_ms)} to ${time(until_ms).slice(11)}: ${WORDS[binding] ?? binding} (${binding})`,
    `  ${asked}${started} started${back}; decisions: ${counts(stretch.limits) || 'none'}; ` +
      `claims: ${counts(stretch.claims) || 'none'}`,
    ...(inputs === null ? [] : [`  ${inputsInWords(inputs)}`]),
  ];
}

function inputsInWords(inputs: Readonly<Record<string, unknown>>): string {
  return Object.entries(inputs)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ');
}
