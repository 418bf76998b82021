/** What the sender of a message tells afterwards: whether it was sent, and what the person did with it. */
import type {
  MessageInteraction,
  MessageOutcome,
} from '../../../journey-core/definition/step.schemas.ts';
import { DialerError } from '../../../machines/errors.ts';
import type { Writer } from '../../engagements/create-engagement.ts';
import type { Transaction } from 'kysely';
import type { Database } from '../../store/schema/database.ts';
import { tellRuns } from '../runs/tell-runs.ts';
import { lockEffect, recordCarriedOut, settleEffect, type LockedEffect } from './locked-effect.ts';

type Tx = Transaction<Database>;

export interface MessageResult {
  readonly outcome: Exclude<MessageOutcome, 'blocked'>;
  readonly reason?: string;
}

/** False: its outcome is known already, and stays. Throws NOT_FOUND. */
export async function takeMessageResult(
  tx: Tx,
  writer: Writer,
  key: string,
  result: MessageResult,
): Promise<boolean> {
  const effect = await messageOf(tx, writer, key);
  if (!['sending', 'asked', 'cancelling'].includes(effect.row.state)) return false;
  await settleEffect(effect, { type: 'messageResult', key, ...result });
  return true;
}

/** False: told before under this id, or of a message that never left. Throws NOT_FOUND. */
export async function takeInteraction(
  tx: Tx,
  writer: Writer,
  key: string,
  { id, interaction }: { readonly id: string; readonly interaction: MessageInteraction },
): Promise<boolean> {
  const effect = await messageOf(tx, writer, key);
  const { run_id: runId, state, tries } = effect.row;
  if (tries === 0 || state === 'cancelled') return false;
  const toldId = `interaction:${key}:${id}`;
  if (await isKnown(effect, id)) return false;
  const event = { type: 'messageInteraction', id: toldId, key, interaction } as const;
  await tellRuns(tx, writer, [{ runId, id: toldId, event }]);
  await recordCarriedOut(effect, 'interaction', { id }, interaction);
  return true;
}

async function messageOf(tx: Tx, writer: Writer, key: string): Promise<LockedEffect> {
  const unknown = new DialerError('NOT_FOUND', `there is no message ${key}`);
  const known = await tx
    .selectFrom('journey_effects')
    .select('run_id')
    .where('key', '=', key)
    .where('business_unit_id', '=', writer.businessUnitId)
    .where('type', '=', 'sendMessage')
    .executeTakeFirst();
  if (known === undefined) throw unknown;
  const { database, ids, rulePacks } = writer;
  const effect = await lockEffect(
    { database, ids, nowMs: () => writer.nowMs, ...(rulePacks === undefined ? {} : { rulePacks }) },
    tx,
    { key, runId: known.run_id, waits: true },
  );
  if (effect === undefined) throw unknown;
  return effect;
}

/** The path keeps them: what a run was told is gone once it has taken it in. */
async function isKnown({ tx, row }: LockedEffect, id: string): Promise<boolean> {
  const rows = await tx
    .selectFrom('journey_path')
    .select('detail')
    .where('run_id', '=', row.run_id)
    .where('kind', '=', 'interaction')
    .execute();
  return rows.some(({ detail }) => {
    const told = JSON.parse(detail) as { readonly key?: string; readonly id?: string };
    return told.key === row.key && told.id === id;
  });
}
