/**
 * Who enters: people who came by a trigger or a segment, judged one by one and written together. The
 * last word has the index by which nobody is twice inside one journey.
 */
import type { Transaction } from 'kysely';
import { admit, type EntryRequest } from '../../../journey-core/entry/admit.ts';
import type { Journey } from '../../../journey-core/definition/journey.schema.ts';
import type { Values } from '../../../journey-core/interpreter/json-value.ts';
import { newRun } from '../../../journey-core/interpreter/run.ts';
import type { IdSource } from '../../ids/uuid7.ts';
import { insertMany } from '../../store/insert-many.ts';
import type { Database } from '../../store/schema/database.ts';
import type { JourneyRunRow } from '../../store/schema/journey-tables.ts';
import { readFactsOf } from '../runs/read-facts.ts';
import { tellRuns } from '../runs/tell-runs.ts';

type Tx = Transaction<Database>;

export interface EntryWriter {
  readonly ids: IdSource;
  readonly nowMs: number;
}

/** The version by which people enter; its row is locked, so that it is not closed meanwhile. */
export interface OpenVersion {
  readonly businessUnitId: string;
  readonly journeyId: string;
  readonly version: number;
  readonly journey: Journey;
  /** Of a segment entry: when the round began. */
  readonly roundAtMs?: number;
}

export interface Comer {
  readonly contactId: string;
  readonly by: EntryRequest['by'];
  /** When the entry is judged: when the trigger was raised, or now. Epoch ms. */
  readonly atMs: number;
}

/** Nobody twice among them. Answers the runs that were begun. */
export async function letPeopleIn(
  tx: Tx,
  writer: EntryWriter,
  version: OpenVersion,
  comers: readonly Comer[],
): Promise<readonly string[]> {
  if (comers.length === 0) return [];
  const { journey, journeyId } = version;
  const facts = await readFactsOf(
    tx,
    comers.map(({ contactId }) => ({ ...version, contactId })),
    writer.nowMs,
  );
  const contactIds = comers.map(({ contactId }) => contactId);
  const before = await earlierEntries(tx, journeyId, contactIds);
  const admitted = comers.filter(({ contactId, by, atMs }, index) => {
    const { isInside = false, lastEnteredAtMs = null } = before.get(contactId) ?? {};
    const { roundAtMs } = version;
    const request: EntryRequest = {
      ...{ by, facts: facts[index] ?? NOBODY, isInside, lastEnteredAtMs },
      ...(roundAtMs === undefined ? {} : { roundAtMs }),
    };
    return admit(journey, request, atMs).admit;
  });
  return beginRuns(tx, writer, version, admitted);
}

const NOBODY = { attributes: {}, segments: [], variants: {} };

interface Earlier {
  readonly isInside: boolean;
  readonly lastEnteredAtMs: number | null;
}

/** In any version. Tests are no entries, but who is inside for a test is inside. */
async function earlierEntries(
  tx: Tx,
  journeyId: string,
  contactIds: readonly string[],
): Promise<ReadonlyMap<string, Earlier>> {
  const rows = await tx
    .selectFrom('journey_runs')
    .select(['contact_id', 'status', 'is_test'])
    .select((eb) => eb.fn.max('entered_at_ms').as('last'))
    .where('journey_id', '=', journeyId)
    .where('contact_id', 'in', [...contactIds])
    .groupBy(['contact_id', 'status', 'is_test'])
    .execute();
  const earlier = new Map<string, Earlier>();
  for (const { contact_id: id, status, is_test: isTest, last } of rows) {
    const known = earlier.get(id) ?? { isInside: false, lastEnteredAtMs: null };
    const entered = isTest === 0 ? [last] : [];
    const all = [...entered, ...(known.lastEnteredAtMs === null ? [] : [known.lastEnteredAtMs])];
    earlier.set(id, {
      isInside: known.isInside || status === 'active',
      lastEnteredAtMs: all.length === 0 ? null : Math.max(...all),
    });
  }
  return earlier;
}

async function beginRuns(
  tx: Tx,
  { ids, nowMs }: EntryWriter,
  { businessUnitId, journeyId, version }: OpenVersion,
  comers: readonly Comer[],
): Promise<readonly string[]> {
  const attributesOf = new Map<string, Values>();
  const rows = comers.map(({ contactId, by }): JourneyRunRow => {
    const runId = ids.id();
    attributesOf.set(runId, 'trigger' in by ? by.attributes : {});
    const run = newRun({ runId, journeyId, version, personId: contactId });
    return {
      ...{ id: runId, business_unit_id: businessUnitId, journey_id: journeyId, version },
      ...{ contact_id: contactId, is_test: 0, status: 'active', step_id: null, waits_for: null },
      ...{ state: JSON.stringify(run), wake_at_ms: null, entered_at_ms: nowMs, goal_at_ms: null },
      ...{ exited_at_ms: null, exit_reason: null, fault: null, revision: 0 },
    };
  });
  const begun = await insertMany<'journey_runs', { id: string }>(tx, 'journey_runs', rows, {
    ending: `on conflict (journey_id, contact_id) where status = 'active' do nothing returning id`,
  });
  const told = begun.map(({ id: runId }) => {
    const event = { type: 'enter', attributes: attributesOf.get(runId) ?? {} } as const;
    return { runId, id: `enter:${runId}`, event };
  });
  await tellRuns(tx, { businessUnitId, nowMs }, told);
  return begun.map(({ id }) => id);
}
