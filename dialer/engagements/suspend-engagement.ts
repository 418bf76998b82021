/**
 * Suspending and resuming (spec B.8). A suspension stops new starts and nothing else: live calls end
 * by themselves, retries keep their due time, windows keep running.
 */
import type { Transaction } from 'kysely';
import type { SuspensionType } from '../../machines/copilot-pacer.events.ts';
import { appendEvents } from '../store/event-log.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { Database } from '../store/schema/database.ts';
import type { EngagementRow } from '../store/schema/engagement-tables.ts';

export interface Suspension {
  readonly type: SuspensionType;
  /** For people. */
  readonly reason: string;
}

export interface SuspendRequest {
  readonly engagementId: string;
  readonly suspension: Suspension;
  /** Who asked for it: `operator:<name>`, `key:<prefix>`, `dialer:<id>`. */
  readonly actor: string;
  readonly nowMs: number;
}

export type ResumeRequest = Omit<SuspendRequest, 'suspension'>;

/** Undefined when it was not running: the first suspension keeps its type and reason. */
export function suspendEngagement(
  { db }: OpenDatabase,
  request: SuspendRequest,
): Promise<EngagementRow | undefined> {
  return db.transaction().execute((tx) => suspendIn(tx, request));
}

/** The same inside a transaction that decides it. */
export async function suspendIn(
  tx: Transaction<Database>,
  { engagementId, suspension, actor, nowMs }: SuspendRequest,
): Promise<EngagementRow | undefined> {
  const suspended = await tx
    .updateTable('engagements')
    .set((eb) => ({
      status: 'suspended',
      suspension_type: suspension.type,
      suspension_reason: suspension.reason,
      suspended_at_ms: nowMs,
      version: eb('version', '+', 1),
      updated_at_ms: nowMs,
    }))
    .where('id', '=', engagementId)
    .where('status', '=', 'running')
    .returningAll()
    .executeTakeFirst();
  if (suspended === undefined) return undefined;
  await tell(tx, suspended, 'engagement.suspended', { actor, nowMs, payload: { ...suspension } });
  return suspended;
}

/** Undefined when it was not suspended. The window of the AI-failure rule begins anew. */
export function resumeEngagement(
  { db }: OpenDatabase,
  { engagementId, actor, nowMs }: ResumeRequest,
): Promise<EngagementRow | undefined> {
  return db.transaction().execute(async (tx) => {
    const resumed = await tx
      .updateTable('engagements')
      .set((eb) => ({
        status: 'running',
        suspension_type: null,
        suspension_reason: null,
        suspended_at_ms: null,
        resumed_at_ms: nowMs,
        version: eb('version', '+', 1),
        updated_at_ms: nowMs,
      }))
      .where('id', '=', engagementId)
      .where('status', '=', 'suspended')
      .returningAll()
      .executeTakeFirst();
    if (resumed === undefined) return undefined;
    await tell(tx, resumed, 'engagement.resumed', { actor, nowMs, payload: {} });
    return resumed;
  });
}

async function tell(
  tx: Transaction<Database>,
  { id, business_unit_id, status }: EngagementRow,
  type: 'engagement.suspended' | 'engagement.resumed',
  { actor, nowMs, payload }: { actor: string; nowMs: number; payload: Record<string, unknown> },
): Promise<void> {
  const before = { status: type === 'engagement.resumed' ? 'suspended' : 'running' };
  const event = { streamId: `engagement:${id}`, type, actor, before, after: { status }, payload };
  await appendEvents(tx, business_unit_id, nowMs, [event]);
}
