/**
 * A claim whose COMMIT was sent and never answered: its attempts may be on disk, and nobody has been
 * told of them. None was dialled, since that follows the answer; so they can be taken back for certain.
 */
import type { Transaction } from 'kysely';
import type { EngagementConfig } from '../engagements/engagement-config.schema.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { Database } from '../store/schema/database.ts';
import { takenBack } from './attempt-end.ts';
import type { ClaimResult } from './claim-starts.ts';
import { recordAttemptEnd, type RecordContext } from './record-attempt-end.ts';

export class ClaimInDoubt extends Error {
  readonly attemptIds: readonly string[];

  constructor(attemptIds: readonly string[], cause: unknown) {
    super(`a claim may have been committed: ${String(cause)}`, { cause });
    this.name = 'ClaimInDoubt';
    this.attemptIds = attemptIds;
  }
}

/** The transaction of a claim. Rejects with ClaimInDoubt when it failed after all its work was done. */
export async function inClaim(
  { db }: OpenDatabase,
  claim: (tx: Transaction<Database>) => Promise<ClaimResult>,
): Promise<ClaimResult> {
  const attemptIds: string[] = [];
  try {
    return await db.transaction().execute(async (tx) => {
      const result = await claim(tx);
      attemptIds.push(...result.starts.map(({ attemptId }) => attemptId));
      return result;
    });
  } catch (error) {
    throw attemptIds.length === 0 ? error : new ClaimInDoubt(attemptIds, error);
  }
}

/**
 * Takes back those that are on disk, and answers how many that were. The lost transaction holds the
 * engagement's row until it has ended one way or the other: that is waited for first. Broken off, it
 * is done again from the beginning.
 */
export async function takeBackInDoubt(
  context: RecordContext,
  engagementId: string,
  config: EngagementConfig,
  attemptIds: readonly string[],
): Promise<number> {
  const { kind, db } = context.database;
  await db.transaction().execute((tx) => {
    const query = tx.selectFrom('engagements').select('id').where('id', '=', engagementId);
    return (kind === 'postgres' ? query.forUpdate() : query).execute();
  });
  for (const attemptId of attemptIds) {
    await recordAttemptEnd(context, config, takenBack(attemptId, 'dialer_recall'));
  }
  const found = await db
    .selectFrom('attempts')
    .select('id')
    .where('id', 'in', [...attemptIds])
    .execute();
  return found.length;
}
