/** Sessions of AI agents in the store: opened by the claim, found by their token, ended by the call. */
import type { Kysely, Transaction } from 'kysely';
import { DialerError } from '../../machines/errors.ts';
import type { Database } from '../store/schema/database.ts';
import type { AiSessionRow, AttemptRow } from '../store/schema/task-tables.ts';
import { isToken } from './session-token.ts';

/** Results are taken this long after the call's end. */
export const RESULTS_AFTER_END_MS = 10_000;

/** An attempt has one for each process that wanted to connect it: a few at most. */
export type AgentSession = Pick<
  AiSessionRow,
  'business_unit_id' | 'attempt_id' | 'delivery_id' | 'expires_at_ms'
>;

export async function insertSessions(
  tx: Transaction<Database>,
  rows: readonly AiSessionRow[],
): Promise<void> {
  if (rows.length > 0) await tx.insertInto('ai_sessions').values(rows).execute();
}

/**
 * The session that a token opens, at this time. A wrong token, another call's and an unknown call are
 * told apart by nobody; an ended call is, so that an agent knows why its results were refused.
 */
export async function authorisedSession(
  db: Kysely<Database>,
  attemptId: string,
  token: string | undefined,
  nowMs: number,
): Promise<AgentSession> {
  const rows = await db
    .selectFrom('ai_sessions')
    .leftJoin('attempts', 'attempts.id', 'ai_sessions.attempt_id')
    .selectAll('ai_sessions')
    .select('attempts.ended_at_ms')
    .where('ai_sessions.attempt_id', '=', attemptId)
    .execute();
  // Every hash is looked at, so that the time taken does not tell which one it was.
  const matching = rows.filter((row) => token !== undefined && isToken(token, row.token_hash));
  const [session] = matching;
  if (session === undefined) {
    throw new DialerError('AI_SESSION_UNAUTHORIZED', 'no session for this token and call');
  }
  if (isOver(session, session, nowMs)) {
    const detail = `the call ended more than ${RESULTS_AFTER_END_MS / 1_000} s ago`;
    throw new DialerError('AI_SESSION_ENDED', detail, { context: { attemptId } });
  }
  return session;
}

/** Also right after a crash between a call's end and the note of it: then the attempt's row decides. */
export function isOver(
  session: Pick<AgentSession, 'expires_at_ms'>,
  attempt: { readonly ended_at_ms: AttemptRow['ended_at_ms'] },
  nowMs: number,
): boolean {
  const { expires_at_ms: expiresAtMs } = session;
  const endedAtMs = attempt.ended_at_ms;
  const untilMs = expiresAtMs ?? (endedAtMs === null ? null : endedAtMs + RESULTS_AFTER_END_MS);
  return untilMs !== null && nowMs > untilMs;
}

/** The call has ended. The first end stands. */
export async function expireSessions(
  db: Kysely<Database>,
  attemptId: string,
  endedAtMs: number,
): Promise<void> {
  await db
    .updateTable('ai_sessions')
    .set({ expires_at_ms: endedAtMs + RESULTS_AFTER_END_MS })
    .where('attempt_id', '=', attemptId)
    .where('expires_at_ms', 'is', null)
    .execute();
}
