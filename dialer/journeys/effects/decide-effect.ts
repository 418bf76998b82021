/** May it leave now? Decided in the transaction that sends it, holds it or blocks it (spec G.2). */
import type { Transaction } from 'kysely';
import type { Compliance } from '../../../journey-core/definition/sending.schema.ts';
import type { SendDecision } from '../../../journey-core/sending/decide-send.ts';
import { DialerError } from '../../../machines/errors.ts';
import { purposesOfProfile } from '../../consent/compliance-settings.ts';
import { decideSending } from '../../consent/decide-sending.ts';
import { topicsOf } from '../../consent/sending-assets.ts';
import { holdSend, recordSends } from '../../consent/sends.ts';
import type { PurposeType } from '../../../journey-core/definition/quiet-time.schema.ts';
import type { Channel } from '../../../journey-core/definition/sending.schema.ts';
import type { Database } from '../../store/schema/database.ts';
import { versionKey, type KnownVersion } from '../runs/journey-definitions.ts';
import type { EffectParts } from './effect-parts.ts';
import {
  blockEffect,
  changeEffect,
  recordCarriedOut,
  settleEffect,
  type LockedEffect,
} from './locked-effect.ts';

export interface Allowed {
  readonly decision: Extract<SendDecision, { decide: 'send' }>;
  readonly channel: Channel;
  readonly compliance: Compliance;
}

/** Undefined: it was held, blocked or withdrawn, and is on its way. */
export async function allowedNow(
  { definitions }: Pick<EffectParts, 'definitions'>,
  effect: LockedEffect,
): Promise<Allowed | undefined> {
  const { tx, row, sending, writer } = effect;
  const { journey_id: journeyId, version } = row;
  const versions = await definitions.read(tx, [{ journeyId, version }]);
  const known = versions.get(versionKey({ journeyId, version }));
  if (known === undefined || isStopped(known)) {
    await withdrawEffect(effect);
    return undefined;
  }
  const { journey } = known;
  const messages = journey.assets?.messages ?? [];
  // Tried again, it has been counted already, and does not stand in its own way.
  const isCounted = row.state === 'sending';
  const question = {
    ...{ contactId: row.contact_id, timeZone: journey.timeZone, messages },
    sending: isCounted ? { ...sending, frequencyCap: 'bypass' as const } : sending,
    streamId: `journeyRun:${row.run_id}`,
  };
  const decision = await decideSending(tx, writer, question).catch((error: unknown) => {
    if (error instanceof DialerError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  });
  if (decision === undefined) await blockEffect(effect, 'contact_inactive');
  else if (decision.decide === 'block') await blockEffect(effect, decision.reason);
  else {
    const means = meansOf(sending, messages);
    if (means === undefined) await blockEffect(effect, 'asset_missing');
    else if (decision.decide === 'send') return { decision, ...means };
    else await holdEffect(effect, means.channel, decision);
  }
  return undefined;
}

function isStopped({ journeyState, state }: KnownVersion): boolean {
  return journeyState === 'stopping' || journeyState === 'stopped' || state === 'stopped';
}

/** A journey that is stopped sends nothing more. */
export async function withdrawEffect(effect: LockedEffect): Promise<void> {
  const { key } = effect.row;
  const reason = 'withdrawn';
  await settleEffect(
    effect,
    effect.sending.type === 'startConversation'
      ? { type: 'conversationResult', key, result: 'Cancelled', reason, attempts: 0 }
      : { type: 'messageResult', key, outcome: 'notSent', reason },
    'cancelled',
  );
}

function meansOf(
  sending: LockedEffect['sending'],
  messages: readonly {
    readonly name: string;
    readonly channel: Channel;
    readonly compliance: Compliance;
  }[],
): Pick<Allowed, 'channel' | 'compliance'> | undefined {
  if (sending.type === 'startConversation' && sending.compliance !== null) {
    return { channel: sending.channel, compliance: sending.compliance };
  }
  return messages.find(({ name }) => name === sending.message);
}

async function holdEffect(
  effect: LockedEffect,
  channel: Channel,
  { untilMs, verdicts }: Extract<SendDecision, { decide: 'hold' }>,
): Promise<void> {
  const { tx, row, writer } = effect;
  if (row.state === 'sending') {
    // Perhaps received already: it is not held for the first time, only not tried again sooner.
    await changeEffect(effect, { due_at_ms: untilMs });
    return;
  }
  const held = verdicts.find(({ consent }) => consent.passes) ?? verdicts[0];
  await holdSend(tx, writer, {
    ...{ id: row.key, journeyId: row.journey_id, contactId: row.contact_id, channel },
    ...{ contactPointId: held?.contactPointId ?? '', releaseAtMs: untilMs },
  });
  await changeEffect(effect, { state: 'held', due_at_ms: untilMs, fault: null });
  const isNew = row.state !== 'held';
  if (isNew) await recordCarriedOut(effect, 'held', { until: new Date(untilMs).toISOString() });
}

export interface PurposeFound {
  readonly purposeId: string;
  readonly purposeType: PurposeType;
  readonly topicId: string | null;
}

/** By the names that the decision went by; it found them, in the same transaction. */
export async function purposeOf(
  tx: Transaction<Database>,
  businessUnitId: string,
  { profile, purpose, topic }: Compliance,
): Promise<PurposeFound> {
  const { id } = await tx
    .selectFrom('compliance_profiles')
    .select('id')
    .where('business_unit_id', '=', businessUnitId)
    .where('name', '=', profile)
    .executeTakeFirstOrThrow();
  const purposes = await purposesOfProfile(tx, id);
  const found = purposes.find(({ name }) => name === purpose);
  if (found === undefined) throw new Error(`profile ${id} has lost its purpose`);
  const topics = topic === undefined ? [] : await topicsOf(tx, [found]);
  const topicId = topics.find(({ name }) => name === topic)?.id ?? null;
  return { purposeId: found.id, purposeType: found.type as PurposeType, topicId };
}

/** For caps: every contact point that may be reached by it, once. */
export async function countSend(
  { tx, row, writer }: LockedEffect,
  channel: Channel,
  { purposeId, purposeType }: PurposeFound,
  contactPointIds: readonly string[],
): Promise<void> {
  const common = { contactId: row.contact_id, channel, purposeId, purposeType };
  const origin = `journey:${row.journey_id}`;
  await recordSends(
    tx,
    writer,
    contactPointIds.map((contactPointId) => ({
      ...{ ...common, id: `${row.key}:${contactPointId}`, contactPointId, origin },
    })),
  );
}
