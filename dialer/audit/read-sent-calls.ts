/** What is known of calls whose INVITE has left, for the audit. */
import type { Transaction } from 'kysely';
import { storedConfig } from '../engagements/complete-config.ts';
import type { StoredEvent } from '../store/event-reader.ts';
import type { Database } from '../store/schema/database.ts';
import type { SentCall } from './audit-rules.ts';

/** A call as the log tells of it, with the number while that has not been erased. */
export interface AuditedCall extends Omit<SentCall, 'sentAtMs' | 'previous'> {
  readonly businessUnitId: string;
  readonly engagementId: string;
  readonly number: string | null;
  /** The log tells of its first INVITE. */
  readonly isSentTold: boolean;
}

/** What an event says of a call: that its INVITE left, or that it was tried and is over. */
export interface CallNews {
  readonly attemptId: string;
  /** When the INVITE left; null: it is over. */
  readonly sentAtMs: number | null;
  readonly atMs: number;
}

export function newsOf({ type, stream_id, payload, at_ms }: StoredEvent): CallNews | undefined {
  if (type === 'attempt.sent') {
    const { atMs } = JSON.parse(payload) as { readonly atMs: number };
    return { attemptId: stream_id.slice('attempt:'.length), sentAtMs: atMs, atMs };
  }
  if (type !== 'attempt.recorded') return undefined;
  const { attemptId, wasTried } = JSON.parse(payload) as {
    readonly attemptId: string;
    readonly wasTried: boolean;
  };
  return wasTried ? { attemptId, sentAtMs: null, atMs: at_ms } : undefined;
}

export async function readCalls(
  tx: Transaction<Database>,
  attemptIds: readonly string[],
): Promise<ReadonlyMap<string, AuditedCall>> {
  if (attemptIds.length === 0) return new Map();
  const rows = await tx
    .selectFrom('attempts')
    .innerJoin('deliveries', 'deliveries.id', 'attempts.delivery_id')
    .innerJoin('tasks', 'tasks.id', 'attempts.task_id')
    .innerJoin('engagements', 'engagements.id', 'attempts.engagement_id')
    .leftJoin('contact_points', 'contact_points.id', 'attempts.contact_point_id')
    .select([
      'attempts.id as attemptId',
      'attempts.business_unit_id as businessUnitId',
      'attempts.engagement_id as engagementId',
      'attempts.created_at_ms as claimedAtMs',
      'attempts.sent_at_ms as firstSentAtMs',
      'deliveries.window_start_ms as startMs',
      'deliveries.window_end_ms as endMs',
      'tasks.cancel_requested_at_ms as cancelRequestedAtMs',
      'engagements.config as config',
      'engagements.updated_at_ms as configuredAtMs',
      'contact_points.value as number',
    ])
    .where('attempts.id', 'in', [...attemptIds])
    .execute();
  const optOuts = await readOptOuts(tx, rows);
  const tries = await readTries(tx, attemptIds);
  return new Map(
    rows.map((row): [string, AuditedCall] => {
      const { attemptId, businessUnitId, engagementId, number, claimedAtMs } = row;
      const { startMs, endMs, config, configuredAtMs, cancelRequestedAtMs } = row;
      const { reattempt } = storedConfig(config);
      // What was allowed before a change is not known any more.
      const isAsConfigured = configuredAtMs <= claimedAtMs;
      const count = tries.get(attemptId) ?? 0;
      return [
        attemptId,
        {
          ...{ attemptId, businessUnitId, engagementId, number, claimedAtMs, cancelRequestedAtMs },
          isSentTold: row.firstSentAtMs !== null,
          window: startMs === null || endMs === null ? null : { startMs, endMs },
          optedOutAtMs: optOuts.get(attemptId) ?? null,
          tries: isAsConfigured ? { count, max: reattempt.retriesMax + 1 } : null,
        },
      ];
    }),
  );
}

interface Claimed {
  readonly attemptId: string;
  readonly businessUnitId: string;
  readonly number: string | null;
  readonly claimedAtMs: number;
}

/** By attempt: the opt-out that held when it was claimed. */
async function readOptOuts(
  tx: Transaction<Database>,
  calls: readonly Claimed[],
): Promise<ReadonlyMap<string, number>> {
  const numbers = new Set(calls.flatMap(({ number }) => number ?? []));
  if (numbers.size === 0) return new Map();
  const rows = await tx
    .selectFrom('opt_outs')
    .select(['number', 'business_unit_id', 'created_at_ms', 'removed_at_ms'])
    .where('number', 'in', [...numbers])
    .execute();
  const held = calls.flatMap(({ attemptId, businessUnitId, number, claimedAtMs }) => {
    const optOut = rows.find(
      (row) =>
        row.number === number &&
        row.business_unit_id === businessUnitId &&
        row.created_at_ms <= claimedAtMs &&
        (row.removed_at_ms ?? Number.POSITIVE_INFINITY) > claimedAtMs,
    );
    return optOut === undefined ? [] : [[attemptId, optOut.created_at_ms] as const];
  });
  return new Map(held);
}

/** By attempt: how many calls to its number its task had made by then, itself included. */
async function readTries(
  tx: Transaction<Database>,
  attemptIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await tx
    .selectFrom('attempts as own')
    .innerJoin('deliveries', (join) =>
      join
        .onRef('deliveries.business_unit_id', '=', 'own.business_unit_id')
        .onRef('deliveries.task_id', '=', 'own.task_id')
        .onRef('deliveries.contact_point_id', '=', 'own.contact_point_id'),
    )
    .innerJoin('attempts as made', (join) =>
      join
        .onRef('made.business_unit_id', '=', 'deliveries.business_unit_id')
        .onRef('made.delivery_id', '=', 'deliveries.id')
        .onRef('made.id', '<=', 'own.id'),
    )
    .select(({ fn }) => ['own.id', fn.countAll<number>().as('count')])
    .where('own.id', 'in', [...attemptIds])
    .where('made.sent_at_ms', 'is not', null)
    .groupBy('own.id')
    .execute();
  return new Map(rows.map(({ id, count }) => [id, count]));
}
