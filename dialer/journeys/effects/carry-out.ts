/**
 * The outbox: what runs asked for is claimed, decided and carried out, each effect in a transaction of
 * its own behind its run's row. One that fails is tried again, later and later, and holds up no other.
 */
import type { SendMessage, StartConversation } from '../../../journey-core/interpreter/effects.ts';
import type { JourneyChore } from '../journey-chore.ts';
import { inTransaction } from '../in-transaction.ts';
import type { EffectParts } from './effect-parts.ts';
import { hearStanding, standingElsewhere } from './hear-standing.ts';
import {
  lockEffect,
  NOTHING_AFTER,
  type AfterCommit,
  type LockedEffect,
  type Sending,
} from './locked-effect.ts';
import { retryAfterMs } from './retry-after.ts';
import { sendMessage } from './send-message.ts';
import { startConversation } from './start-conversation.ts';
import { takeBack } from './take-back.ts';
import type { CallingEngagement, NoEngagement, TaskStanding } from './journey-dialer.ts';

/** Effects looked at in one turn, and how many of them at once: SQLite commits those together. */
const BATCH = 64;
const AT_ONCE = 8;

export function carryOutEffects(parts: EffectParts): JourneyChore {
  return {
    name: 'effects',
    turn: async () => {
      const due = await dueEffects(parts);
      let done = 0;
      const queue = due.values();
      const worker = async (): Promise<void> => {
        for (const one of queue) if (await carryOut(parts, one)) done += 1;
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      return done;
    },
    nextAtMs: async () => {
      const next = await parts.database.db
        .selectFrom('journey_effects')
        .select('due_at_ms')
        .where('due_at_ms', 'is not', null)
        .orderBy('due_at_ms')
        .orderBy('key')
        .limit(1)
        .executeTakeFirst();
      return next?.due_at_ms ?? null;
    },
  };
}

export interface DueEffect {
  readonly key: string;
  readonly runId: string;
  readonly state: string;
  readonly payload: string;
  readonly taskId: string | null;
}

function dueEffects({ database, nowMs }: EffectParts): Promise<DueEffect[]> {
  return database.db
    .selectFrom('journey_effects')
    .select(['key', 'run_id as runId', 'state', 'payload', 'task_id as taskId'])
    .where('due_at_ms', '<=', nowMs())
    .orderBy('due_at_ms')
    .orderBy('key')
    .limit(BATCH)
    .execute();
}

/** What a dialer elsewhere was asked before the transaction began. */
export interface AskedElsewhere {
  readonly engagement?: CallingEngagement | NoEngagement;
  readonly standing?: TaskStanding;
}

/** False: another worker has it, or has done it. */
async function carryOut(parts: EffectParts, due: DueEffect): Promise<boolean> {
  const { key, runId } = due;
  try {
    const elsewhere = await askBefore(parts, due);
    const after = await inTransaction(parts.database, async (tx) => {
      const effect = await lockEffect(parts, tx, { key, runId });
      if (effect === undefined) return undefined;
      const { due_at_ms: dueAtMs, state } = effect.row;
      if (dueAtMs === null || dueAtMs > effect.writer.nowMs || state !== due.state)
        return undefined;
      return goOn(parts, effect, elsewhere);
    });
    await after?.();
    return after !== undefined;
  } catch (error) {
    await putOff(parts, key, error);
    return true;
  }
}

async function askBefore(parts: EffectParts, due: DueEffect): Promise<AskedElsewhere> {
  const { dialer } = parts;
  if (dialer.where === 'here') return {};
  const sending = JSON.parse(due.payload) as Sending;
  if (sending.type !== 'startConversation' || sending.channel !== 'voice') return {};
  if (due.state === 'asked') return { standing: await standingElsewhere(parts, dialer, due) };
  if (due.state === 'cancelling') return {};
  return { engagement: await dialer.engagement(sending.engagement) };
}

function goOn(
  parts: EffectParts,
  effect: LockedEffect,
  { engagement, standing }: AskedElsewhere,
): Promise<AfterCommit> {
  switch (effect.row.state) {
    case 'due':
    case 'held':
    case 'sending':
      return effect.sending.type === 'startConversation'
        ? startConversation(parts, effect as LockedEffect<StartConversation>, engagement)
        : sendMessage(parts, effect as LockedEffect<SendMessage>);
    case 'asked':
      return hearStanding(parts, effect, standing);
    case 'cancelling':
      return takeBack(parts, effect);
    default:
      return Promise.resolve(NOTHING_AFTER);
  }
}

async function putOff(parts: EffectParts, key: string, error: unknown): Promise<void> {
  const { database, nowMs, log, random } = parts;
  const fault = error instanceof Error ? error.message : String(error);
  log.warn({ error, key }, 'what a journey asked for could not be carried out yet');
  await inTransaction(database, async (tx) => {
    const row = await tx
      .selectFrom('journey_effects')
      .select('tries')
      .where('key', '=', key)
      .where('due_at_ms', 'is not', null)
      .executeTakeFirst();
    if (row === undefined) return;
    await tx
      .updateTable('journey_effects')
      .set({
        ...{ fault: fault.slice(0, 500), tries: row.tries + 1, updated_at_ms: nowMs() },
        due_at_ms: nowMs() + retryAfterMs(row.tries, random),
      })
      .where('key', '=', key)
      .where('due_at_ms', 'is not', null)
      .execute();
  });
}
