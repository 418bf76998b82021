/** One effect in the hands of the transaction that decides it, and the ways in which it goes on. */
import { sql, type Transaction } from 'kysely';
import type { SendMessage, StartConversation } from '../../../journey-core/interpreter/effects.ts';
import type { JourneyEvent } from '../../../journey-core/interpreter/events.ts';
import type { Values } from '../../../journey-core/interpreter/json-value.ts';
import { dropHold } from '../../consent/sends.ts';
import type { Writer } from '../../engagements/create-engagement.ts';
import type { Database } from '../../store/schema/database.ts';
import type { JourneyEffectRow } from '../../store/schema/journey-tables.ts';
import { entryOfCarriedOut, type CarriedOut } from '../analytics/path-entry.ts';
import { recordPath } from '../analytics/record-path.ts';
import { tellRuns } from '../runs/tell-runs.ts';
import type { RulePacks } from '../../rule-packs/rule-packs.ts';
import type { EffectParts } from './effect-parts.ts';

type Tx = Transaction<Database>;

export type Sending = StartConversation | SendMessage;

export interface LockedEffect<S extends Sending = Sending> {
  readonly tx: Tx;
  readonly row: JourneyEffectRow;
  readonly sending: S;
  readonly writer: Writer;
}

/** Done once the transaction is committed: what leaves the process. */
export type AfterCommit = () => Promise<void>;
export const NOTHING_AFTER: AfterCommit = () => Promise.resolve();

const ACTOR = 'journeys';

export interface LockingParts extends Pick<EffectParts, 'database' | 'ids' | 'nowMs'> {
  readonly rulePacks?: RulePacks;
}

export interface EffectWanted {
  readonly key: string;
  readonly runId: string;
  /** Default: what another worker has is passed over. */
  readonly waits?: boolean;
}

/**
 * Held until the transaction ends, behind its run, as whoever takes the run on holds them. Undefined: it
 * is gone, or another worker has one of them and it is not waited for.
 */
export async function lockEffect(
  { database, ids, nowMs, rulePacks }: LockingParts,
  tx: Tx,
  { key, runId, waits = false }: EffectWanted,
): Promise<LockedEffect | undefined> {
  const runs = tx.selectFrom('journey_runs').select('id').where('id', '=', runId);
  const rows = tx.selectFrom('journey_effects').selectAll().where('key', '=', key);
  const lock = waits ? sql`for update` : sql`for update skip locked`;
  const isShared = database.kind === 'postgres';
  const [run] = await (isShared ? runs.modifyEnd(lock) : runs).execute();
  if (run === undefined) return undefined;
  const [row] = await (isShared ? rows.modifyEnd(lock) : rows).execute();
  if (row === undefined) return undefined;
  const { business_unit_id: businessUnitId } = row;
  const rules = rulePacks === undefined ? {} : { rulePacks };
  return {
    ...{ tx, row, sending: JSON.parse(row.payload) as Sending },
    writer: { database, ids, nowMs: nowMs(), businessUnitId, actor: ACTOR, ...rules },
  };
}

export type EffectChange = Partial<
  Pick<JourneyEffectRow, 'state' | 'due_at_ms' | 'tries' | 'fault' | 'task_id'>
>;

export async function changeEffect(
  { tx, row, writer }: LockedEffect,
  change: EffectChange,
): Promise<void> {
  await tx
    .updateTable('journey_effects')
    .set({ ...change, updated_at_ms: writer.nowMs })
    .where('key', '=', row.key)
    .execute();
}

type Outcome = Extract<
  JourneyEvent,
  { readonly type: 'conversationResult' | 'conversationBlocked' | 'messageResult' }
>;

/** The end of it, told exactly once: whatever is told later under this name is not told. */
export async function settleEffect(
  effect: LockedEffect,
  outcome: Outcome,
  state: 'settled' | 'cancelled' = 'settled',
): Promise<void> {
  const { tx, row, writer } = effect;
  await dropHold(tx, row.key);
  await changeEffect(effect, { state, due_at_ms: null, fault: null });
  await tellRuns(tx, writer, [{ runId: row.run_id, id: `outcome:${row.key}`, event: outcome }]);
}

/** Why nothing was asked of anybody. */
export async function blockEffect(effect: LockedEffect, reason: string): Promise<void> {
  const { key } = effect.row;
  const isCall = effect.sending.type === 'startConversation';
  await settleEffect(
    effect,
    isCall
      ? { type: 'conversationBlocked', key, reason }
      : { type: 'messageResult', key, outcome: 'blocked', reason },
  );
}

export async function recordCarriedOut(
  { tx, row, sending, writer }: LockedEffect,
  kind: CarriedOut['kind'],
  detail: Values,
  place?: string,
): Promise<void> {
  const { run_id, business_unit_id, journey_id, version, contact_id, is_test } = row;
  const owner = { run_id, business_unit_id, journey_id, version, contact_id, is_test };
  const carried: CarriedOut = {
    ...{ kind, stepId: sending.stepId, visit: visitOf(row.key), atMs: writer.nowMs },
    place: place ?? channelOf(sending),
    detail: { key: row.key, ...detail },
  };
  await recordPath(tx, [entryOfCarriedOut(owner, carried)]);
}

function channelOf(sending: LockedEffect['sending']): string {
  return sending.type === 'startConversation' ? sending.channel : 'message';
}

/** `runId:stepId:visit`. */
function visitOf(key: string): number {
  return Number(key.slice(key.lastIndexOf(':') + 1));
}
