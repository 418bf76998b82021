/**
 * What an engagement's own calls have shown so far: how many are answered and by whom, how long it
 * rings, how long people talk. Read from its latest calls; forecasts and pacers begin with it.
 */
import { sql } from 'kysely';
import type { OpenDatabase } from '../store/open-database.ts';
import type { AnswerRecord } from '../pacing/answer-prior.ts';

/** How many of something were seen, and how long they lasted. */
export interface SeenDurations {
  readonly count: number;
  readonly meanMs: number;
  /** Standard deviation over mean; 0 with fewer than two. */
  readonly cv: number;
}

export interface ObservedCalls {
  /** Calls that rang, or were refused; those that never left are not among them. */
  readonly calls: number;
  /** Answered by a person, as far as was found out. */
  readonly answers: number;
  readonly machines: number;
  readonly busy: number;
  /** Numbers that are none. */
  readonly invalid: number;
  readonly failed: number;
  /** The same hour of the week as now: calls, and those that a person answered. */
  readonly sameHour: AnswerRecord;
  /** From the start to a person's answer. */
  readonly ring: SeenDurations;
  /** From the start to the end of those that nobody answered. */
  readonly noAnswer: SeenDurations;
  /** From a person's answer to a representative, or to an AI agent: detection and bridging. */
  readonly connect: SeenDurations;
  /** With a representative. */
  readonly talk: SeenDurations;
  /** With an AI agent, up to its end or to the escalation. */
  readonly agentTalk: SeenDurations;
  readonly escalations: number;
  readonly wrapUp: SeenDurations;
}

export interface ObservedOf {
  readonly businessUnitId: string;
  readonly engagementId: string;
  /** Only what was over by then. Epoch ms. */
  readonly atMs: number;
  readonly isAiLed: boolean;
}

/** The latest calls that are looked at: a few days of a small team, an hour of a large one. */
const CALLS_MAX = 2_000;
const HOUR_MS = 3_600_000;
const WEEK_HOURS = 168;

export async function readObservedCalls(
  database: Pick<OpenDatabase, 'db'>,
  of: ObservedOf,
): Promise<ObservedCalls> {
  const rows = await latestCalls(database, of);
  const isSameHour = ({ createdAtMs }: CallRow): boolean => {
    const hours = Math.floor(of.atMs / HOUR_MS) - Math.floor(createdAtMs / HOUR_MS);
    return hours % WEEK_HOURS === 0;
  };
  const answered = rows.filter(isAnswered);
  const spans = (of: readonly (number | null)[]): SeenDurations =>
    durationsOf(of.filter((ms): ms is number => ms !== null && ms > 0));
  const count = (...results: readonly string[]): number =>
    rows.filter(({ result }) => results.includes(result)).length;
  const sameHour = rows.filter(isSameHour);
  return {
    calls: rows.length,
    answers: answered.length,
    machines: count('AnsweringMachine', 'AnsweringMachineHangup'),
    busy: count('Busy'),
    invalid: count('InvalidAddress', 'NotAHandset'),
    failed: count('CallFailed', 'Unknown'),
    sameHour: { calls: sameHour.length, answers: sameHour.filter(isAnswered).length },
    ring: spans(answered.map((row) => between(row.createdAtMs, row.answeredAtMs))),
    noAnswer: spans(
      rows
        .filter(({ result }) => result === 'NoAnswer')
        .map((row) => between(row.createdAtMs, row.endedAtMs)),
    ),
    connect: spans(answered.map((row) => between(row.answeredAtMs, row.connectedAtMs))),
    talk: spans(answered.map((row) => between(row.joinedAtMs, row.endedAtMs))),
    agentTalk: of.isAiLed
      ? spans(answered.map((row) => between(row.connectedAtMs, row.escalatedAtMs ?? row.endedAtMs)))
      : NOTHING_SEEN,
    escalations: rows.filter(({ escalatedAtMs }) => escalatedAtMs !== null).length,
    wrapUp: await readWrapUps(database, of),
  };
}

export const NOTHING_SEEN: SeenDurations = { count: 0, meanMs: 0, cv: 0 };

interface CallRow {
  readonly createdAtMs: number;
  readonly answeredAtMs: number | null;
  readonly connectedAtMs: number | null;
  readonly joinedAtMs: number | null;
  readonly escalatedAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly result: string;
}

const PERSONS: ReadonlySet<string> = new Set(['LiveAnswer', 'Undetermined', 'BotFailed']);
const isAnswered = ({ result }: CallRow): boolean => PERSONS.has(result);

function latestCalls(
  { db }: Pick<OpenDatabase, 'db'>,
  { businessUnitId, engagementId, atMs }: ObservedOf,
): Promise<CallRow[]> {
  const latest = db
    .selectFrom('deliveries')
    .select('id')
    .where('business_unit_id', '=', businessUnitId)
    .where('engagement_id', '=', engagementId)
    .where('result_at_ms', '<=', atMs)
    .orderBy('id', 'desc')
    .limit(CALLS_MAX);
  return db
    .selectFrom('attempts')
    .select(['created_at_ms as createdAtMs', 'answered_at_ms as answeredAtMs'])
    .select(['connected_at_ms as connectedAtMs', 'joined_at_ms as joinedAtMs'])
    .select(['escalated_at_ms as escalatedAtMs', 'ended_at_ms as endedAtMs'])
    .select(sql<string>`result`.as('result'))
    .where('business_unit_id', '=', businessUnitId)
    .where('delivery_id', 'in', latest)
    .where('sent_at_ms', 'is not', null)
    .where('result', 'not in', ['Cancelled', 'Expired', 'Error'])
    .execute();
}

/** People whose latest wrap-ups are looked at, and how many events of each. */
const PEOPLE_MAX = 50;
const EVENTS_EACH = 60;

/** Of those who are in the engagement's queue, whichever engagement they wrapped up for. */
async function readWrapUps(
  { db }: Pick<OpenDatabase, 'db'>,
  { businessUnitId, engagementId, atMs }: ObservedOf,
): Promise<SeenDurations> {
  const people = await db
    .selectFrom('representative_queues')
    .innerJoin('engagements', 'engagements.queue_id', 'representative_queues.queue_id')
    .select('representative_queues.representative_id as id')
    .where('engagements.id', '=', engagementId)
    .where('representative_queues.business_unit_id', '=', businessUnitId)
    .orderBy('representative_queues.representative_id')
    .limit(PEOPLE_MAX)
    .execute();
  const lasted: number[] = [];
  for (const { id } of people) {
    const events = await db
      .selectFrom('events')
      .select(['type', 'at_ms'])
      .where('stream_id', '=', `representative:${id}`)
      .where('at_ms', '<=', atMs)
      .orderBy('stream_seq', 'desc')
      .limit(EVENTS_EACH)
      .execute();
    let untilMs: number | undefined;
    for (const { type, at_ms: eventAtMs } of events) {
      if (type === 'representative.wrapUpBegan' && untilMs !== undefined) {
        lasted.push(untilMs - eventAtMs);
      }
      untilMs = eventAtMs;
    }
  }
  return durationsOf(lasted);
}

function between(fromMs: number | null, toMs: number | null): number | null {
  return fromMs === null || toMs === null ? null : toMs - fromMs;
}

export function durationsOf(lastedMs: readonly number[]): SeenDurations {
  const count = lastedMs.length;
  if (count === 0) return NOTHING_SEEN;
  const meanMs = lastedMs.reduce((sum, ms) => sum + ms, 0) / count;
  const variance = lastedMs.reduce((sum, ms) => sum + (ms - meanMs) ** 2, 0) / count;
  return { count, meanMs, cv: meanMs > 0 ? Math.sqrt(variance) / meanMs : 0 };
}
