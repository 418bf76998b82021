/**
 * Journeys while they are written. A draft is kept with all its faults: they matter when it is
 * published. Of a live journey it is the draft of the next version; people go on in theirs.
 */
import type { Transaction } from 'kysely';
import { Type, type Static } from 'typebox';
import { isMapping } from '../../../config/config-path.ts';
import { DialerError } from '../../../machines/errors.ts';
import { checkedInput, Name } from '../../checked-input.ts';
import type { Writer } from '../../engagements/create-engagement.ts';
import { appendEvents } from '../../store/event-log.ts';
import type { Database } from '../../store/schema/database.ts';
import type { JourneyRow, JourneyVersionRow } from '../../store/schema/journey-tables.ts';
import { checkDefinition, type CheckedDefinition, type CheckOptions } from './check-journey.ts';
import {
  definitionIn,
  inWrongState,
  journeyToChange,
  stateOf,
  versionRow,
  writeJourney,
} from './journey-row.ts';

type Tx = Transaction<Database>;
type Definition = Readonly<Record<string, unknown>>;

export interface NewJourney {
  /** Any mapping with a name. */
  readonly definition: Definition;
  /** Whom activities without an assignee are for. Default: who makes it. */
  readonly owner?: string | undefined;
  readonly copiedFrom?: string;
}

export interface EditedJourney {
  readonly row: JourneyRow;
  readonly check: CheckedDefinition;
}

/** Throws REQUEST_INVALID without a name, or with one that is taken. */
export async function createJourneyIn(
  tx: Tx,
  writer: Writer,
  { definition, owner = writer.actor, copiedFrom }: NewJourney,
  options: CheckOptions,
): Promise<EditedJourney> {
  const { ids, businessUnitId, nowMs, actor } = writer;
  const name = await nameOf(tx, businessUnitId, definition);
  const check = await checkDefinition(tx, businessUnitId, definition, options);
  const row: JourneyRow = {
    ...{ id: ids.id(), business_unit_id: businessUnitId, name, owner, state: 'draft' },
    ...{ draft: JSON.stringify(definition), draft_faults: check.faults.length },
    ...{ live_version: null, latest_version: 0, copied_from: copiedFrom ?? null, version: 1 },
    ...{ created_at_ms: nowMs, updated_at_ms: nowMs },
  };
  const made = await tx
    .insertInto('journeys')
    .values(row)
    .onConflict((at) => at.columns(['business_unit_id', 'name']).doNothing())
    .returning('id')
    .executeTakeFirst();
  // Somebody else was faster with this name.
  if (made === undefined) await refuseNameTaken(tx, businessUnitId, name, row.id);
  const payload = copiedFrom === undefined ? {} : { copiedFrom };
  const event = { streamId: `journey:${row.id}`, type: 'journey.created', actor, payload };
  await appendEvents(tx, businessUnitId, nowMs, [event]);
  return { row, check };
}

export interface Asked {
  readonly id: string;
  /** What the caller has seen. None: right whatever there was. */
  readonly version?: number | undefined;
}

/** Replaces the draft, or opens that of the next version. Throws JOURNEY_STATE when it cannot be edited. */
export async function saveDraft(
  tx: Tx,
  writer: Writer,
  { id, version }: Asked,
  definition: Definition,
  options: CheckOptions,
): Promise<EditedJourney> {
  const row = await journeyToChange(tx, writer, id, version);
  await refuseUneditable(tx, row, writer.nowMs);
  const { businessUnitId } = writer;
  const name = await nameOf(tx, businessUnitId, definition, id);
  const check = await checkDefinition(tx, businessUnitId, definition, options);
  const columns = {
    draft: JSON.stringify(definition),
    draft_faults: check.faults.length,
    // People know a live one by the name that it was published with.
    ...(row.latest_version === 0 ? { name } : {}),
  };
  const event = { type: 'journey.edited', payload: { faults: check.faults.length } };
  return { row: await writeJourney(tx, writer, row, columns, event), check };
}

/** What was published goes on as it is. Throws JOURNEY_STATE when nothing was. */
export async function discardDraft(
  tx: Tx,
  writer: Writer,
  { id, version }: Asked,
): Promise<JourneyRow> {
  const row = await journeyToChange(tx, writer, id, version);
  if (row.latest_version === 0) throw inWrongState(row, 'delete it instead');
  if (row.draft === null) throw inWrongState(row, 'nothing of it is being edited');
  const columns = { draft: null, draft_faults: 0 };
  return writeJourney(tx, writer, row, columns, { type: 'journey.draftDiscarded' });
}

/** What touches nobody inside, and so makes no version. */
export const LightEdit = Type.Object(
  {
    name: Type.Optional(Name),
    description: Type.Optional(Type.String({ maxLength: 2_000 })),
    owner: Type.Optional(Name),
    goal: Type.Optional(
      Type.Object(
        {
          targetPercent: Type.Number({
            description: 'Of those who entered, how many should reach the goal. Percent.',
            minimum: 1,
            maximum: 100,
          }),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false, minProperties: 1 },
);
export type LightEdit = Static<typeof LightEdit>;

/** Takes effect at once: in the version that is live, and in the draft if there is one. */
export async function editLightly(
  tx: Tx,
  writer: Writer,
  { id, version }: Asked,
  input: unknown,
): Promise<JourneyRow> {
  const edit = checkedInput(LightEdit, input, 'the change');
  const row = await journeyToChange(tx, writer, id, version);
  if (edit.name !== undefined) await nameOf(tx, writer.businessUnitId, { name: edit.name }, id);
  const draft = row.draft === null ? null : (JSON.parse(row.draft) as Definition);
  const published = await latestVersion(tx, row);
  const targets = [draft, published === undefined ? null : definitionIn(published)];
  if (edit.goal !== undefined && !targets.some((one) => isMapping(one?.goal))) {
    const detail = 'it has no goal: give it one in its definition';
    const faults = [{ pointer: '/goal', detail }];
    throw new DialerError('REQUEST_INVALID', detail, { faults });
  }
  if (published !== undefined) await editVersion(tx, published, edit);
  const { name, owner } = edit;
  const columns = {
    ...(draft === null ? {} : { draft: JSON.stringify(lightly(draft, edit)) }),
    ...(name === undefined ? {} : { name }),
    ...(owner === undefined ? {} : { owner }),
  };
  const payload = { fields: Object.keys(edit), version: published?.number ?? null };
  return writeJourney(tx, writer, row, columns, { type: 'journey.changed', payload });
}

/** The one whose people are inside, or were last. */
async function latestVersion(tx: Tx, row: JourneyRow): Promise<JourneyVersionRow | undefined> {
  return row.latest_version === 0 ? undefined : versionRow(tx, row, row.latest_version);
}

export async function editVersion(
  tx: Tx,
  version: JourneyVersionRow,
  edit: LightEdit,
): Promise<void> {
  const definition = JSON.stringify(lightly(definitionIn(version), edit));
  await tx
    .updateTable('journey_versions')
    .set({ definition })
    .where('journey_id', '=', version.journey_id)
    .where('number', '=', version.number)
    .execute();
}

function lightly(definition: Definition, { name, description, goal }: LightEdit): Definition {
  const own = definition['goal'];
  return {
    ...definition,
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...(goal === undefined || !isMapping(own) ? {} : { goal: { ...own, ...goal } }),
  };
}

/** Only what nobody was ever in: everything else is part of what happened to people. */
export async function deleteDraft(tx: Tx, writer: Writer, { id, version }: Asked): Promise<void> {
  const row = await journeyToChange(tx, writer, id, version);
  if (row.latest_version > 0) throw inWrongState(row, 'what was published is kept: stop it');
  const inside = await tx
    .selectFrom('journey_runs')
    .select('id')
    .where('journey_id', '=', id)
    .where('status', '=', 'active')
    .limit(1)
    .execute();
  if (inside.length > 0) throw inWrongState(row, 'a test contact is inside: take it out first');
  for (const table of ['journey_activities', 'journey_effects', 'journey_path'] as const) {
    await tx.deleteFrom(table).where('journey_id', '=', id).execute();
  }
  for (const table of ['journey_runs', 'journey_versions'] as const) {
    await tx.deleteFrom(table).where('journey_id', '=', id).execute();
  }
  await tx.deleteFrom('journeys').where('id', '=', id).execute();
  const { businessUnitId, nowMs, actor } = writer;
  const event = { streamId: `journey:${id}`, type: 'journey.deleted', actor };
  await appendEvents(tx, businessUnitId, nowMs, [event]);
}

/** A one-time journey is about to begin: who is to enter may be counted on already. */
export const IMMINENT_MS = 300_000;

/** Why its definition cannot be edited now; undefined: it can. */
export function uneditable(
  row: JourneyRow,
  live: JourneyVersionRow | undefined,
  nowMs: number,
): string | undefined {
  const state = stateOf(row);
  if (state === 'draft') return undefined;
  if (state !== 'live' && state !== 'scheduled') return 'make a copy of it';
  if (live === undefined) return undefined;
  const { entry } = definitionIn(live);
  if (entry.kind !== 'segment' || entry.frequency !== 'oneTime') return undefined;
  const startAtMs = live.opens_at_ms ?? live.published_at_ms;
  if (startAtMs - IMMINENT_MS > nowMs) return undefined;
  return startAtMs > nowMs
    ? 'its one round is about to begin: stop it, or make a copy'
    : 'its one round has begun: make a copy of it';
}

export async function liveVersionOf(
  db: Pick<Tx, 'selectFrom'>,
  row: JourneyRow,
): Promise<JourneyVersionRow | undefined> {
  return row.live_version === null ? undefined : versionRow(db, row, row.live_version);
}

export async function refuseUneditable(tx: Tx, row: JourneyRow, nowMs: number): Promise<void> {
  const reason = uneditable(row, await liveVersionOf(tx, row), nowMs);
  if (reason !== undefined) throw inWrongState(row, reason);
}

async function nameOf(
  tx: Tx,
  businessUnitId: string,
  definition: Definition,
  ownId?: string,
): Promise<string> {
  const { name } = checkedInput(
    Type.Object({ name: Name }),
    { name: definition['name'] },
    'the definition',
  );
  await refuseNameTaken(tx, businessUnitId, name, ownId);
  return name;
}

export async function refuseNameTaken(
  tx: Tx,
  businessUnitId: string,
  name: string,
  ownId?: string,
): Promise<void> {
  const other = await tx
    .selectFrom('journeys')
    .select('id')
    .where('business_unit_id', '=', businessUnitId)
    .where('name', '=', name)
    .executeTakeFirst();
  if (other === undefined || other.id === ownId) return;
  const detail = `there is a journey of this name already: ${other.id}`;
  throw new DialerError('REQUEST_INVALID', detail, { faults: [{ pointer: '/name', detail }] });
}
