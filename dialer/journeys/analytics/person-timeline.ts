/**
 * What journeys did with one person, the newest first: entries, steps and why each was left, what was
 * asked for and with which verdict, results, goals and exits. Also of tests, which say so.
 */
import type { JsonValue } from '../../../journey-core/interpreter/json-value.ts';
import type { SendDecision } from '../../../journey-core/sending/decide-send.ts';
import type { OpenDatabase } from '../../store/open-database.ts';
import type { JourneyPathRow } from '../../store/schema/journey-tables.ts';
import { isBehind, type PathPlace } from './find-outcomes.ts';
import type { Db } from './journey-version.ts';

export interface TimelineQuery {
  readonly businessUnitId: string;
  readonly contactId: string;
  readonly journeyId?: string | undefined;
  readonly runId?: string | undefined;
  readonly limit: number;
  readonly after?: PathPlace | undefined;
}

/** What was decided right before something was sent, held or blocked, and by which records. */
export interface TimelineVerdict {
  readonly decide: SendDecision['decide'];
  readonly reason: string | null;
  readonly untilMs: number | null;
  /** `PointVerdict`s: consent with the record of each, quiet time, cap. */
  readonly verdicts: readonly JsonValue[];
  /** By contact point: the entry of the opt-out list. */
  readonly optOuts: Readonly<Record<string, JsonValue>>;
}

export interface TimelineEntry extends PathPlace {
  readonly journeyId: string;
  /** Null: the journey is gone. */
  readonly journeyName: string | null;
  readonly version: number;
  readonly isTest: boolean;
  readonly kind: string;
  readonly stepId: string | null;
  readonly visit: number | null;
  readonly place: string | null;
  readonly code: string | null;
  readonly detail: Readonly<Record<string, JsonValue>>;
  readonly verdict: TimelineVerdict | null;
}

export async function personTimeline(
  { db }: Pick<OpenDatabase, 'db'>,
  query: TimelineQuery,
): Promise<TimelineEntry[]> {
  const { businessUnitId, contactId, journeyId, runId, after, limit } = query;
  let found = db
    .selectFrom('journey_path as path')
    .leftJoin('journeys as journey', 'journey.id', 'path.journey_id')
    .selectAll('path')
    .select('journey.name as journey_name')
    .where('path.run_id', 'in', (eb) =>
      eb
        .selectFrom('journey_runs as run')
        .select('run.id')
        .where('run.business_unit_id', '=', businessUnitId)
        .where('run.contact_id', '=', contactId),
    );
  if (journeyId !== undefined) found = found.where('path.journey_id', '=', journeyId);
  if (runId !== undefined) found = found.where('path.run_id', '=', runId);
  if (after !== undefined) found = found.where(isBehind(after));
  const rows = await found
    .orderBy('path.at_ms', 'desc')
    .orderBy('path.run_id', 'desc')
    .orderBy('path.n', 'desc')
    .limit(limit)
    .execute();
  const verdictOf = await readVerdicts(db, businessUnitId, rows);
  return rows.map((row) => {
    const detail = JSON.parse(row.detail) as TimelineEntry['detail'];
    return {
      ...{ atMs: row.at_ms, runId: row.run_id, n: row.n },
      ...{ journeyId: row.journey_id, journeyName: row.journey_name, version: row.version },
      ...{ isTest: row.is_test !== 0, kind: row.kind, stepId: row.step_id, visit: row.visit },
      ...{ place: row.place, code: row.code, detail },
      verdict: verdictOf(row, detail['key']),
    };
  });
}

interface Decided extends TimelineVerdict {
  readonly key: string;
  readonly atMs: number;
}

const DECIDE_OF: Readonly<Record<string, TimelineVerdict['decide']>> = {
  requested: 'send',
  held: 'hold',
  outcome: 'block',
};

/** From the log, where each decision was written with the transaction that acted on it. */
async function readVerdicts(
  db: Db,
  businessUnitId: string,
  rows: readonly JourneyPathRow[],
): Promise<(row: JourneyPathRow, key: unknown) => TimelineVerdict | null> {
  const decidedRows = rows.filter((row) => decideOf(row) !== undefined);
  const streams = [...new Set(decidedRows.map(({ run_id }) => `journeyRun:${run_id}`))];
  const events =
    streams.length === 0
      ? []
      : await db
          .selectFrom('events')
          .select(['at_ms', 'payload'])
          .where('business_unit_id', '=', businessUnitId)
          .where('stream_id', 'in', streams)
          .where('type', '=', 'send.decided')
          .orderBy('stream_id')
          .orderBy('stream_seq')
          .execute();
  const decided = events.map(({ at_ms, payload }) => readDecided(payload, at_ms));
  return (row, key) => {
    const decide = decideOf(row);
    if (decide === undefined) return null;
    const last = decided.findLast(
      (one) => one.key === key && one.decide === decide && one.atMs <= row.at_ms,
    );
    if (last === undefined) return null;
    const { reason, untilMs, verdicts, optOuts } = last;
    return { decide, reason, untilMs, verdicts, optOuts };
  };
}

function decideOf({ kind, place }: JourneyPathRow): TimelineVerdict['decide'] | undefined {
  return kind === 'outcome' && place !== 'blocked' ? undefined : DECIDE_OF[kind];
}

function readDecided(payload: string, atMs: number): Decided {
  const read = JSON.parse(payload) as Partial<Omit<Decided, 'atMs'>> &
    Pick<Decided, 'key' | 'decide'>;
  const { key, decide, reason = null, untilMs = null, verdicts = [], optOuts = {} } = read;
  return { key, decide, reason, untilMs, verdicts, optOuts, atMs };
}
