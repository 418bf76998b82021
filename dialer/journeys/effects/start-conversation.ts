/**
 * A call that a step asked for, from the decision to the request. With the dialer in this process all of
 * it is one transaction: the task, what caps count, the path, and the note that it was asked for.
 */
import type { StartConversation } from '../../../journey-core/interpreter/effects.ts';
import { dropHold } from '../../consent/sends.ts';
import { allowedNow, countSend, purposeOf } from './decide-effect.ts';
import type { EffectParts } from './effect-parts.ts';
import type { CallingEngagement, ConversationRequest, NoEngagement } from './journey-dialer.ts';
import {
  blockEffect,
  changeEffect,
  NOTHING_AFTER,
  recordCarriedOut,
  type AfterCommit,
  type LockedEffect,
} from './locked-effect.ts';
import { askElsewhere, ELSEWHERE_LEASE_MS } from './ask-elsewhere.ts';

/** Of a dialer elsewhere the engagement is asked for before the transaction begins. */
export async function startConversation(
  parts: EffectParts,
  effect: LockedEffect<StartConversation>,
  elsewhere: CallingEngagement | NoEngagement | undefined,
): Promise<AfterCommit> {
  const { tx, row, sending, writer } = effect;
  if (sending.channel === 'sms') return blocked(effect, 'no_channel');
  if (!parts.hasConversations) return blocked(effect, 'conversations_off');
  const { dialer } = parts;
  const { businessUnitId } = writer;
  const engagement =
    dialer.where === 'here'
      ? await dialer.engagement(tx, businessUnitId, sending.engagement)
      : elsewhere;
  if (engagement === undefined) return NOTHING_AFTER;
  if (typeof engagement === 'string') return blocked(effect, engagement);
  const allowed = await allowedNow(parts, effect);
  if (allowed === undefined) return NOTHING_AFTER;
  const { decision, channel, compliance } = allowed;
  const contactPointIds = await dialledBy(effect, engagement, decision.contactPointIds);
  if (contactPointIds.length === 0) return blocked(effect, 'no_contact_point');
  const purpose = await purposeOf(tx, businessUnitId, compliance);
  await countSend(effect, channel, purpose, contactPointIds);
  await dropHold(tx, row.key);
  const { purposeId, topicId } = purpose;
  const request: ConversationRequest = {
    ...{ key: row.key, journeyId: row.journey_id, runId: row.run_id },
    ...{ contactId: row.contact_id, engagement, contactPointIds, windows: decision.windows },
    inputAttributes: asText(sending.inputs),
    consent: { purposeId, topicId },
  };
  if (dialer.where === 'elsewhere') {
    const isFirst = row.state !== 'sending';
    if (isFirst) await recordCarriedOut(effect, 'requested', { engagementId: engagement.id });
    const dueAtMs = writer.nowMs + ELSEWHERE_LEASE_MS;
    await changeEffect(effect, { state: 'sending', due_at_ms: dueAtMs, tries: row.tries + 1 });
    return () => askElsewhere(parts, dialer, row, request);
  }
  const taskId = await dialer.request(tx, writer, request);
  await recordCarriedOut(effect, 'requested', { engagementId: engagement.id, taskId });
  // Its end is heard; asked about once more long after, whatever was missed.
  const standing = await dialer.standing(tx, taskId, writer.nowMs);
  const askAgainAtMs = standing.is === 'open' ? standing.askAgainAtMs : writer.nowMs;
  const asked = { task_id: taskId, due_at_ms: askAgainAtMs, fault: null };
  await changeEffect(effect, { ...asked, state: 'asked' });
  return () => {
    dialer.requested(engagement.id);
    return Promise.resolve();
  };
}

async function blocked(effect: LockedEffect, reason: string): Promise<AfterCommit> {
  await blockEffect(effect, reason);
  return NOTHING_AFTER;
}

const COLUMNS = {
  mobile: 'mobile_point_id',
  business: 'business_point_id',
  home: 'home_point_id',
} as const;

/** Of those that may be dialled the ones of a kind that the engagement dials, in its order. */
async function dialledBy(
  { tx, row }: LockedEffect,
  { phoneTypes }: CallingEngagement,
  allowed: readonly string[],
): Promise<readonly string[]> {
  const contact = await tx
    .selectFrom('contacts')
    .select(['mobile_point_id', 'business_point_id', 'home_point_id'])
    .where('id', '=', row.contact_id)
    .executeTakeFirstOrThrow();
  const points = phoneTypes.flatMap((type) => contact[COLUMNS[type]] ?? []);
  return [...new Set(points)].filter((id) => allowed.includes(id));
}

const VALUE_CHARS_MAX = 4_000;

/** Input attributes are text; what has no value is left out. */
export function asText(inputs: StartConversation['inputs']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(inputs).flatMap(([name, value]): [string, string][] => {
      if (value === null) return [];
      const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
      return [[name, text.slice(0, VALUE_CHARS_MAX)]];
    }),
  );
}
