/**
 * Reads the event log, and judges each INVITE that it tells of. The place in the log, what was found, and
 * what has to be remembered of each number are written together: whatever happens, each call is judged
 * once, and none is left out.
 */
import type { Transaction } from 'kysely';
import type { IdSource } from '../ids/uuid7.ts';
import { appendEvents } from '../store/event-log.ts';
import { beginFollowing, takeEvents } from '../store/event-follower.ts';
import type { StoredEvent } from '../store/event-reader.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { AuditedNumberRow, ComplianceViolationRow } from '../store/schema/audit-tables.ts';
import type { Database } from '../store/schema/database.ts';
import { violationsOf, type AuditSettings, type PreviousCall } from './audit-rules.ts';
import { newsOf, readCalls, type AuditedCall } from './read-sent-calls.ts';

export interface AuditOptions extends AuditSettings {
  readonly database: OpenDatabase;
  readonly ids: IdSource;
  readonly nowMs: () => number;
  /** Events of one transaction. Default 500. */
  readonly limit?: number;
}

export interface AuditTurn {
  /** Events that were looked at: fewer than the limit, and there is no more. */
  readonly events: number;
  /** INVITEs among them. */
  readonly calls: number;
  readonly violations: readonly ComplianceViolationRow[];
}

const NAME = 'compliance-audit';
const ACTOR = 'system';
const NOTHING: AuditTurn = { events: 0, calls: 0, violations: [] };
/** Numbers are forgotten so long after the last call, and not before their gap is over. */
const NUMBERS_KEPT_MS = 86_400_000;

/** From now on: of calls before there was an audit not all is known. Does nothing a second time. */
export async function beginAudit({
  database,
  nowMs,
}: Pick<AuditOptions, 'database' | 'nowMs'>): Promise<void> {
  await beginFollowing(database, { name: NAME, nowMs: nowMs() });
}

/** One transaction. Several processes may do this: each waits for the one before. */
export async function auditCalls(options: AuditOptions): Promise<AuditTurn> {
  const { database, nowMs, limit } = options;
  return database.db.transaction().execute(async (tx) => {
    const events = await takeEvents(tx, database, { name: NAME, nowMs: nowMs(), limit });
    if (events === undefined || events.length === 0) return NOTHING;
    return judge(tx, events, options);
  });
}

async function judge(
  tx: Transaction<Database>,
  events: readonly StoredEvent[],
  { ids, nowMs, numberGapMinMs }: AuditOptions,
): Promise<AuditTurn> {
  const news = events.flatMap((event) => newsOf(event) ?? []);
  const attemptIds = [...new Set(news.map(({ attemptId }) => attemptId))];
  const calls = await readCalls(tx, attemptIds);
  const numbers = await LastCalls.read(tx, calls);
  const atMs = nowMs();
  const violations: ComplianceViolationRow[] = [];
  let judged = 0;
  for (const { attemptId, sentAtMs, atMs: toldAtMs } of news) {
    const call = calls.get(attemptId);
    if (call === undefined) continue;
    const previous = numbers.before(call);
    // Tried, and nobody was there to note the INVITE: what is known of it is judged at its end.
    if (sentAtMs !== null || !call.isSentTold) {
      judged += 1;
      for (const found of violationsOf({ ...call, sentAtMs, previous }, { numberGapMinMs })) {
        violations.push({
          ...{ id: ids.id(), business_unit_id: call.businessUnitId, ...found },
          ...{ attempt_id: attemptId, engagement_id: call.engagementId },
          ...{ happened_at_ms: sentAtMs ?? call.claimedAtMs, found_at_ms: atMs },
        });
      }
      numbers.begun(call);
    }
    if (sentAtMs === null) numbers.ended(call, toldAtMs);
  }
  await numbers.write(tx, atMs - Math.max(NUMBERS_KEPT_MS, numberGapMinMs));
  return {
    ...{ events: events.length, calls: judged },
    violations: await writeViolations(tx, violations, atMs),
  };
}

/** Those that are new: of each attempt a rule is told once. */
async function writeViolations(
  tx: Transaction<Database>,
  violations: readonly ComplianceViolationRow[],
  atMs: number,
): Promise<ComplianceViolationRow[]> {
  if (violations.length === 0) return [];
  const written = await tx
    .insertInto('compliance_violations')
    .values([...violations])
    .onConflict((at) => at.columns(['attempt_id', 'rule']).doNothing())
    .returningAll()
    .execute();
  for (const row of written) {
    const { attempt_id: attemptId, engagement_id: engagementId, rule, detail } = row;
    // A stream of its own: others write to the attempt's.
    const event = {
      ...{ streamId: `violation:${row.id}`, type: 'compliance.violated', actor: ACTOR },
      payload: { attemptId, engagementId, rule, detail },
    };
    await appendEvents(tx, row.business_unit_id, atMs, [event]);
  }
  return written;
}

interface LastCall {
  readonly row: AuditedNumberRow;
  /** Null: the attempt is not there any more. */
  readonly businessUnitId: string | null;
}

/** The last call to each number, as the log has told it so far. */
class LastCalls {
  readonly #byNumber: Map<string, LastCall>;
  readonly #changed = new Set<string>();

  private constructor(calls: readonly LastCall[]) {
    this.#byNumber = new Map(calls.map((call) => [call.row.number, call]));
  }

  static async read(
    tx: Transaction<Database>,
    calls: ReadonlyMap<string, AuditedCall>,
  ): Promise<LastCalls> {
    const numbers = [...new Set([...calls.values()].flatMap(({ number }) => number ?? []))];
    if (numbers.length === 0) return new LastCalls([]);
    const rows = await tx
      .selectFrom('audited_numbers')
      .leftJoin('attempts', 'attempts.id', 'audited_numbers.attempt_id')
      .selectAll('audited_numbers')
      .select('attempts.business_unit_id as businessUnitId')
      .where('audited_numbers.number', 'in', numbers)
      .execute();
    return new LastCalls(rows.map(({ businessUnitId, ...row }) => ({ row, businessUnitId })));
  }

  before({ number, businessUnitId }: AuditedCall): PreviousCall | undefined {
    const last = number === null ? undefined : this.#byNumber.get(number);
    if (last === undefined) return undefined;
    const { attempt_id: attemptId, claimed_at_ms, recorded_at_ms: recordedAtMs } = last.row;
    const isOwn = last.businessUnitId === businessUnitId;
    return { attemptId, isOwn, claimedAtMs: claimed_at_ms, recordedAtMs };
  }

  begun({ number, attemptId, claimedAtMs, businessUnitId }: AuditedCall): void {
    if (number === null || this.#byNumber.get(number)?.row.attempt_id === attemptId) return;
    const row = { number, attempt_id: attemptId, claimed_at_ms: claimedAtMs, recorded_at_ms: null };
    this.#byNumber.set(number, { row, businessUnitId });
    this.#changed.add(number);
  }

  ended({ number, attemptId }: AuditedCall, atMs: number): void {
    const row = number === null ? undefined : this.#byNumber.get(number)?.row;
    if (row?.attempt_id !== attemptId) return;
    row.recorded_at_ms = atMs;
    this.#changed.add(row.number);
  }

  async write(tx: Transaction<Database>, forgetBeforeMs: number): Promise<void> {
    await tx.deleteFrom('audited_numbers').where('recorded_at_ms', '<', forgetBeforeMs).execute();
    const rows = [...this.#changed].flatMap((number) => this.#byNumber.get(number)?.row ?? []);
    if (rows.length === 0) return;
    await tx
      .insertInto('audited_numbers')
      .values(rows)
      .onConflict((at) =>
        at.column('number').doUpdateSet((eb) => ({
          attempt_id: eb.ref('excluded.attempt_id'),
          claimed_at_ms: eb.ref('excluded.claimed_at_ms'),
          recorded_at_ms: eb.ref('excluded.recorded_at_ms'),
        })),
      )
      .execute();
  }
}
