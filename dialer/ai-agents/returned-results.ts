/** What an AI agent returned, written as the delivery's attributes of type Result. */
import type { Transaction } from 'kysely';
import { DialerError } from '../../machines/errors.ts';
import { ATTRIBUTES_MAX, type Attributes } from '../../machines/returned-attributes.ts';
import { noteAgentsWord } from '../amd-audit/draw-audit.ts';
import { appendEvents } from '../store/event-log.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { Database } from '../store/schema/database.ts';
import type { AgentSession } from './agent-sessions.ts';

export interface Returned {
  readonly session: AgentSession;
  readonly attributes: Attributes;
  readonly nowMs: number;
  readonly actor: string;
  /** What to log; undefined: the gateway's journal does. */
  readonly event: 'aiAgent.returned' | 'aiAgent.escalated' | undefined;
}

/**
 * Told twice, the second time changes nothing and is not logged; a name told anew has its last
 * value. True when something changed.
 */
export async function writeReturned(database: OpenDatabase, returned: Returned): Promise<boolean> {
  return database.db.transaction().execute(async (tx) => {
    await lockAttempt(database, tx, returned.session);
    const news = await unknownOf(tx, returned);
    const isNew = news.length > 0 || (await isFirstOfItsKind(tx, returned));
    if (news.length > 0) await upsert(tx, returned.session, news);
    await noteAgentsWord(tx, returned.session.attempt_id, Object.fromEntries(news));
    if (isNew && returned.event !== undefined) {
      const { session, nowMs, actor } = returned;
      await appendEvents(tx, session.business_unit_id, nowMs, [
        {
          streamId: streamOf(session),
          type: returned.event,
          actor,
          // Values are personal; the attributes have them, and can be erased.
          payload: { by: 'post', names: Object.keys(returned.attributes) },
        },
      ]);
    }
    return isNew;
  });
}

function streamOf(session: AgentSession): string {
  return `attempt:${session.attempt_id}`;
}

/** So that nobody else numbers the attempt's stream, or counts its attributes, meanwhile. */
async function lockAttempt(
  { kind }: OpenDatabase,
  tx: Transaction<Database>,
  session: AgentSession,
): Promise<void> {
  const row = tx.selectFrom('attempts').select('id').where('id', '=', session.attempt_id);
  await (kind === 'postgres' ? row.forUpdate() : row).execute();
}

/** Those that are not stored already with the same value. */
async function unknownOf(
  tx: Transaction<Database>,
  { session, attributes }: Returned,
): Promise<[name: string, value: string][]> {
  const stored = await tx
    .selectFrom('delivery_attributes')
    .select(['keyword', 'value'])
    .where('delivery_id', '=', session.delivery_id)
    .where('type', '=', 'Result')
    .execute();
  const known = new Map(stored.map(({ keyword, value }) => [keyword, value]));
  const names = new Set([...known.keys(), ...Object.keys(attributes)]);
  if (names.size > ATTRIBUTES_MAX) {
    const detail = `${names.size} attributes for one call; at most ${ATTRIBUTES_MAX} are kept`;
    throw new DialerError('ATTRIBUTES_TOO_MANY', detail);
  }
  return Object.entries(attributes).filter(([name, value]) => known.get(name) !== value);
}

/** An escalation, or a return without attributes, is told by its event alone. */
async function isFirstOfItsKind(
  tx: Transaction<Database>,
  { session, event }: Returned,
): Promise<boolean> {
  if (event === undefined) return false;
  const earlier = await tx
    .selectFrom('events')
    .select('seq')
    .where('business_unit_id', '=', session.business_unit_id)
    .where('stream_id', '=', streamOf(session))
    .where('type', '=', event)
    .limit(1)
    .executeTakeFirst();
  return earlier === undefined;
}

async function upsert(
  tx: Transaction<Database>,
  session: AgentSession,
  attributes: readonly (readonly [name: string, value: string])[],
): Promise<void> {
  const rows = attributes.map(([keyword, value]) => ({
    delivery_id: session.delivery_id,
    business_unit_id: session.business_unit_id,
    type: 'Result',
    keyword,
    value,
  }));
  await tx
    .insertInto('delivery_attributes')
    .values(rows)
    .onConflict((conflict) =>
      conflict
        .columns(['delivery_id', 'type', 'keyword'])
        .doUpdateSet((eb) => ({ value: eb.ref('excluded.value') })),
    )
    .execute();
}
