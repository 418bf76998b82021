/**
 * Triggers and segments that people joined, each taken once and in order for each person: first told to
 * the runs that listen to it, then to the journeys that are entered by it, in one transaction.
 */
import type { Transaction } from 'kysely';
import { isRecord, textIn, type Values } from '../../../journey-core/interpreter/json-value.ts';
import type { DialerLog } from '../../dialer-log.ts';
import type { IdSource } from '../../ids/uuid7.ts';
import { SEGMENT_ENTERED } from '../../segments/change-members.ts';
import type { OpenDatabase } from '../../store/open-database.ts';
import type { Database } from '../../store/schema/database.ts';
import {
  consumeOccurrences,
  takeOccurrences,
  type Occurrence,
} from '../../triggers/trigger-inbox.ts';
import { inTransaction } from '../in-transaction.ts';
import type { JourneyChore } from '../journey-chore.ts';
import { versionKey, type JourneyDefinitions } from '../runs/journey-definitions.ts';
import { tellRuns, type ToldRun } from '../runs/tell-runs.ts';
import { heardBy } from './heard-by.ts';
import { letPeopleIn, type Comer } from './let-people-in.ts';

type Tx = Transaction<Database>;

export interface RouterOptions {
  readonly database: OpenDatabase;
  readonly ids: IdSource;
  readonly log: DialerLog;
  readonly nowMs: () => number;
  readonly definitions: JourneyDefinitions;
  /** People of one transaction. Default 200. */
  readonly limit?: number;
}

const LIMIT = 200;

/** Answers how many occurrences it has dealt with. */
export function occurrenceRouter(options: RouterOptions): JourneyChore {
  const { database, nowMs, limit = LIMIT } = options;
  const turn = (): Promise<number> =>
    inTransaction(database, async (tx) => {
      const taken = await takeOccurrences(database, tx, limit);
      const units = new Set(taken.map(({ business_unit_id: unit }) => unit));
      for (const unit of [...units].sort()) {
        const own = taken.filter((one) => one.business_unit_id === unit);
        await route(
          tx,
          options,
          unit,
          own.flatMap((one) => happened(options.log, one)),
        );
      }
      await consumeOccurrences(tx, taken, nowMs());
      return taken.length;
    });
  return { name: 'occurrences', turn };
}

/** An occurrence, read. */
interface Happened {
  readonly id: string;
  readonly contactId: string;
  readonly trigger: string;
  readonly payload: Values;
  /** Of what a segment tells when somebody joins it; else null. */
  readonly joined: string | null;
  readonly atMs: number;
}

function happened(log: DialerLog, one: Occurrence): Happened[] {
  const payload = payloadOf(one);
  if (payload === undefined) {
    log.error(
      { occurrenceId: one.id },
      'what a trigger carried cannot be read: nobody is told of it',
    );
    return [];
  }
  const { id, contact_id: contactId, trigger_name: trigger, recorded_at_ms: atMs } = one;
  const isJoin = one.kind === 'segment' && trigger === SEGMENT_ENTERED;
  const joined = isJoin ? (textIn(payload, 'Segment') ?? null) : null;
  return [{ id, contactId, trigger, payload, joined, atMs }];
}

function payloadOf({ payload }: Occurrence): Values | undefined {
  try {
    const read: unknown = JSON.parse(payload);
    return isRecord(read) ? (read as Values) : undefined;
  } catch {
    return undefined;
  }
}

async function route(
  tx: Tx,
  options: RouterOptions,
  businessUnitId: string,
  all: readonly Happened[],
): Promise<void> {
  if (all.length === 0) return;
  const writer = { ids: options.ids, nowMs: options.nowMs(), businessUnitId };
  await tellRuns(tx, writer, await toTell(tx, options, businessUnitId, all));
  await enter(tx, options, writer, all);
}

/** Those inside whose journey listens to it, by exit, goal or wait. */
async function toTell(
  tx: Tx,
  { definitions }: RouterOptions,
  businessUnitId: string,
  all: readonly Happened[],
): Promise<ToldRun[]> {
  const runs = await tx
    .selectFrom('journey_runs')
    .select(['id', 'journey_id as journeyId', 'version', 'contact_id as contactId'])
    .where('contact_id', 'in', [...new Set(all.map(({ contactId }) => contactId))])
    .where('status', '=', 'active')
    .where('business_unit_id', '=', businessUnitId)
    .orderBy('id')
    .execute();
  const versions = await definitions.read(tx, runs);
  return all.flatMap((one) =>
    runs
      .filter(({ contactId }) => contactId === one.contactId)
      .flatMap((run): ToldRun[] => {
        const version = versions.get(versionKey(run));
        if (version === undefined) return [];
        const { triggers, segments } = heardBy(version.journey);
        const at = { runId: run.id, atMs: one.atMs };
        const { id, trigger, payload: attributes, joined } = one;
        return [
          ...(triggers.has(trigger)
            ? [
                {
                  ...at,
                  id: `${id}:${run.id}`,
                  event: { type: 'trigger', id, trigger, attributes } as const,
                },
              ]
            : []),
          ...(joined !== null && segments.has(joined)
            ? [
                {
                  ...at,
                  id: `${id}:joined:${run.id}`,
                  event: { type: 'segmentJoined', id: `${id}:joined`, segment: joined } as const,
                },
              ]
            : []),
        ];
      }),
  );
}

interface Writer {
  readonly ids: IdSource;
  readonly nowMs: number;
  readonly businessUnitId: string;
}

/**
 * The versions stay as they are until the transaction ends: one that is stopped or closed has let in
 * nobody afterwards, and a round of the same segment waits, or is waited for.
 */
async function enter(
  tx: Tx,
  { definitions, database }: RouterOptions,
  writer: Writer,
  all: readonly Happened[],
): Promise<void> {
  const names = [...new Set(all.flatMap(({ trigger, joined }) => [trigger, joined ?? trigger]))];
  const query = tx
    .selectFrom('journey_versions')
    .select(['journey_id as journeyId', 'number as version', 'round_at_ms as roundAtMs'])
    .select(['entry_kind as kind', 'entry_name as name'])
    .where('business_unit_id', '=', writer.businessUnitId)
    .where('state', '=', 'live')
    .where('entry_name', 'in', names)
    .orderBy('journey_id')
    .orderBy('number');
  const open = await (database.kind === 'postgres' ? query.forShare() : query).execute();
  if (open.length === 0) return;
  const versions = await definitions.read(tx, open);
  const firstPublished = await firstPublications(
    tx,
    open.map(({ journeyId }) => journeyId),
  );
  for (const { kind, name, roundAtMs, ...key } of open) {
    const journey = versions.get(versionKey(key))?.journey;
    if (journey === undefined) continue;
    const publishedAtMs = firstPublished.get(key.journeyId) ?? 0;
    const since = all.filter(({ atMs }) => atMs >= publishedAtMs);
    const comers = kind === 'trigger' ? byTrigger(since, name) : bySegment(since, name);
    const { entry } = journey;
    // Before its first round it has not begun; that round finds who has joined by then.
    const isOngoing = entry.kind === 'segment' && entry.frequency === 'ongoing';
    if (kind === 'segment' && (!isOngoing || roundAtMs === null)) continue;
    const { businessUnitId } = writer;
    await letPeopleIn(tx, writer, { ...key, businessUnitId, journey }, comers);
  }
}

function byTrigger(all: readonly Happened[], name: string): Comer[] {
  return all
    .filter(({ trigger }) => trigger === name)
    .map(({ contactId, trigger, payload, atMs }) => {
      return { contactId, by: { trigger, attributes: payload }, atMs };
    });
}

function bySegment(all: readonly Happened[], name: string): Comer[] {
  return all
    .filter(({ joined }) => joined === name)
    .map(({ contactId, atMs }) => ({ contactId, by: { segment: name }, atMs }));
}

/** What happened before a journey was there at all lets nobody in, however late it is taken. */
async function firstPublications(
  tx: Tx,
  journeyIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await tx
    .selectFrom('journey_versions')
    .select('journey_id')
    .select((eb) => eb.fn.min('published_at_ms').as('at'))
    .where('journey_id', 'in', [...journeyIds])
    .where('number', '>', 0)
    .groupBy('journey_id')
    .execute();
  return new Map(rows.map(({ journey_id: id, at }) => [id, at]));
}
