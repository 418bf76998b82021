/**
 * A message of a channel that others send: decided and noted in one transaction, handed over to the
 * webhook after it, and its answer written. Each try asks for consent and quiet time anew; a message
 * that was perhaps received is sent again under the same key, by which the receiver knows it.
 */
import type { SendMessage } from '../../../journey-core/interpreter/effects.ts';
import type { ContactPointKind } from '../../../journey-core/definition/sending.schema.ts';
import { dropHold } from '../../consent/sends.ts';
import type { JourneyEffectRow } from '../../store/schema/journey-tables.ts';
import { inTransaction } from '../in-transaction.ts';
import { allowedNow, countSend, purposeOf } from './decide-effect.ts';
import type { EffectParts } from './effect-parts.ts';
import {
  blockEffect,
  changeEffect,
  lockEffect,
  NOTHING_AFTER,
  recordCarriedOut,
  settleEffect,
  type AfterCommit,
  type LockedEffect,
} from './locked-effect.ts';
import { retryAfterMs } from './retry-after.ts';
import type { WebhookAnswer } from './webhook.ts';

/** Over the webhook's own time-out, for the transaction that writes its answer. */
const LEASE_MORE_MS = 15_000;
const RETRY_MAX_MS = 3_600_000;

export async function sendMessage(
  parts: EffectParts,
  effect: LockedEffect<SendMessage>,
): Promise<AfterCommit> {
  const { tx, row, sending, writer } = effect;
  const { webhooks } = parts;
  if (!webhooks.has(sending.webhook)) {
    await blockEffect(effect, 'webhook_missing');
    return NOTHING_AFTER;
  }
  const allowed = await allowedNow(parts, effect);
  if (allowed === undefined) return NOTHING_AFTER;
  const { decision, channel, compliance } = allowed;
  const [contactPointId = ''] = decision.contactPointIds;
  const purpose = await purposeOf(tx, writer.businessUnitId, compliance);
  await countSend(effect, channel, purpose, [contactPointId]);
  await dropHold(tx, row.key);
  const isFirst = row.state !== 'sending';
  if (isFirst) await recordCarriedOut(effect, 'requested', { webhook: sending.webhook });
  const tries = row.tries + 1;
  const dueAtMs = writer.nowMs + webhooks.timeoutMs + LEASE_MORE_MS;
  await changeEffect(effect, { state: 'sending', due_at_ms: dueAtMs, tries });
  const body = JSON.stringify(await messageBody(effect, channel, contactPointId));
  return async () => {
    const answer = await webhooks.post(sending.webhook, row.key, body, parts.nowMs());
    await takeAnswer(parts, { ...row, tries }, answer);
  };
}

async function messageBody(
  { tx, row, sending }: LockedEffect<SendMessage>,
  channel: string,
  contactPointId: string,
) {
  const contact = await tx
    .selectFrom('contacts')
    .selectAll()
    .where('id', '=', row.contact_id)
    .executeTakeFirstOrThrow();
  const point = await tx
    .selectFrom('contact_points')
    .select(['value', 'kind'])
    .where('id', '=', contactPointId)
    .executeTakeFirstOrThrow();
  const kinds: Readonly<Record<string, ContactPointKind>> = {
    [contact.mobile_point_id ?? '']: 'mobile',
    [contact.business_point_id ?? '']: 'business',
    [contact.home_point_id ?? '']: 'home',
  };
  const kind = point.kind === 'phone' ? (kinds[contactPointId] ?? 'mobile') : point.kind;
  return {
    key: row.key,
    message: sending.message,
    channel,
    to: { kind, address: point.value },
    contact: {
      id: contact.id,
      uniqueIdentifier: contact.unique_identifier,
      firstName: contact.first_name,
      lastName: contact.last_name,
    },
    inputs: sending.inputs,
    journey: {
      id: row.journey_id,
      version: row.version,
      runId: row.run_id,
      stepId: sending.stepId,
      isTest: row.is_test !== 0,
    },
  };
}

/** Of the try that was made: a later one has the answer to itself. */
async function takeAnswer(
  parts: EffectParts,
  { key, run_id: runId, tries }: JourneyEffectRow,
  answer: WebhookAnswer,
): Promise<void> {
  await inTransaction(parts.database, async (tx) => {
    const effect = await lockEffect(parts, tx, { key, runId, waits: true });
    if (effect?.row.state !== 'sending' || effect.row.tries !== tries) return;
    const told = { type: 'messageResult', key } as const;
    switch (answer.is) {
      case 'sent':
        return settleEffect(effect, { ...told, outcome: 'sent' });
      case 'notSent':
        return settleEffect(effect, { ...told, outcome: 'notSent', reason: answer.reason });
      case 'accepted':
        return changeEffect(effect, { state: 'asked', due_at_ms: null, fault: null });
      case 'unknown': {
        const { reason, afterMs } = answer;
        if (tries >= parts.webhooks.triesMax) {
          return settleEffect(effect, { ...told, outcome: 'notSent', reason });
        }
        const asked = Math.min(afterMs ?? 0, RETRY_MAX_MS);
        const waitMs = Math.max(asked, retryAfterMs(tries, parts.random));
        return changeEffect(effect, { due_at_ms: effect.writer.nowMs + waitMs, fault: reason });
      }
    }
  });
}
