/** A copy: a draft with the same steps (spec G.9). */
import type { Transaction } from 'kysely';
import type { Writer } from '../../engagements/create-engagement.ts';
import type { Database } from '../../store/schema/database.ts';
import type { CheckOptions } from './check-journey.ts';
import { createJourneyIn, type EditedJourney } from './edit-journey.ts';
import { definitionIn, journeyRow, versionRow } from './journey-row.ts';

type Tx = Transaction<Database>;

export interface CopyRequest {
  readonly id: string;
  /** Default: the old one with a number. */
  readonly name?: string | undefined;
  /** Default: the draft if there is one, else the latest version. */
  readonly number?: number | undefined;
}

export async function copyJourney(
  tx: Tx,
  writer: Writer,
  { id, name, number }: CopyRequest,
  options: CheckOptions,
): Promise<EditedJourney> {
  const row = await journeyRow(tx, writer.businessUnitId, id);
  const definition = await definitionToShow(tx, row, number);
  const copyName = name ?? (await freeName(tx, writer.businessUnitId, row.name));
  const copy = { definition: { ...definition, name: copyName }, owner: row.owner, copiedFrom: id };
  return createJourneyIn(tx, writer, copy, options);
}

/** Of a version, else the draft, else the latest version. Throws NOT_FOUND. */
export async function definitionToShow(
  db: Pick<Tx, 'selectFrom'>,
  row: Awaited<ReturnType<typeof journeyRow>>,
  number?: number,
): Promise<Readonly<Record<string, unknown>>> {
  if (number === undefined && row.draft !== null) {
    return JSON.parse(row.draft) as Readonly<Record<string, unknown>>;
  }
  return definitionIn(await versionRow(db, row, number ?? row.latest_version));
}

const NAME_CHARS_MAX = 100;

async function freeName(tx: Tx, businessUnitId: string, name: string): Promise<string> {
  const rows = await tx
    .selectFrom('journeys')
    .select('name')
    .where('business_unit_id', '=', businessUnitId)
    .execute();
  const taken = new Set(rows.map((row) => row.name));
  for (let n = 2; ; n += 1) {
    const end = ` (${n})`;
    const free = `${name.slice(0, NAME_CHARS_MAX - end.length)}${end}`;
    if (!taken.has(free)) return free;
  }
}
