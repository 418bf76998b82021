/**
 * May what a journey asked for leave now? (spec G.2) The store's facts, judged by `decideSend`, at the
 * moment of sending and in its transaction; what was decided, and by which record, goes into the log.
 */
import type { Transaction } from 'kysely';
import type { JourneyAssets } from '../../journey-core/definition/assets.schema.ts';
import type { ContactPointKind } from '../../journey-core/definition/sending.schema.ts';
import type { SendMessage, StartConversation } from '../../journey-core/interpreter/effects.ts';
import {
  decideSend,
  type ContactPoint,
  type Recipient,
  type SendDecision,
} from '../../journey-core/sending/decide-send.ts';
import { DialerError } from '../../machines/errors.ts';
import type { Writer } from '../engagements/create-engagement.ts';
import { appendEvents } from '../store/event-log.ts';
import type { ContactRow } from '../store/schema/contact-tables.ts';
import type { Database } from '../store/schema/database.ts';
import { addressKey, pointsOf, type Address } from './contact-address.ts';
import { consentRecords, optOutsOf } from './decide-for-point.ts';
import { assetsOfSending } from './sending-assets.ts';
import { commercialSends, lockPoints } from './sends.ts';

type Tx = Transaction<Database>;
type Sending = StartConversation | SendMessage;

export interface SendingQuestion {
  readonly sending: Sending;
  readonly contactId: string;
  /** The journey's. */
  readonly timeZone: string;
  /** Those of the journey's version that are no rows here: its messages. */
  readonly messages: NonNullable<JourneyAssets['messages']>;
  /** For the log: `journeyRun:<id>`. Its row is locked by the caller. */
  readonly streamId: string;
}

/** Blocked by the opt-out list it is blocked for want of consent. */
export async function decideSending(
  tx: Tx,
  writer: Writer,
  question: SendingQuestion,
): Promise<SendDecision> {
  const { sending, timeZone, messages } = question;
  const { businessUnitId, nowMs } = writer;
  const named = { profile: profileOf(sending, messages), quietTime: sending.quietTime };
  const { profileId, ...stored } = await assetsOfSending(tx, businessUnitId, named);
  const assets = { ...stored, messages };
  const recipient = await recipientOf(tx, writer, question, profileId);
  const asked = decideSend(sending, { assets, timeZone, recipient }, nowMs);
  const { decision, optOutIds } = await withoutOptedOut(tx, writer, sending, asked);
  await tell(tx, writer, question, decision, optOutIds);
  return decision;
}

const FIELDS = [
  ['mobile', 'mobile_point_id'],
  ['business', 'business_point_id'],
  ['home', 'home_point_id'],
] as const satisfies readonly (readonly [ContactPointKind, keyof ContactRow])[];

async function recipientOf(
  tx: Tx,
  writer: Writer,
  { contactId }: SendingQuestion,
  profileId: string | undefined,
): Promise<Recipient> {
  const { businessUnitId, nowMs, database } = writer;
  const contact = await tx
    .selectFrom('contacts')
    .selectAll()
    .where('id', '=', contactId)
    .where('business_unit_id', '=', businessUnitId)
    .executeTakeFirst();
  if (contact === undefined) throw new DialerError('NOT_FOUND', `there is no contact ${contactId}`);
  const contactPoints = await pointsOfContact(tx, writer, contact);
  const ids = contactPoints.map(({ id }) => id);
  await lockPoints(database, tx, ids);
  const consents =
    profileId === undefined ? [] : await consentRecords(tx, businessUnitId, profileId, ids);
  return {
    isActive: true,
    timeZone: contact.time_zone,
    country: contact.country,
    state: contact.state,
    ...{ contactPoints, consents },
    sent: await commercialSends(tx, ids, nowMs),
  };
}

/** A call has its own profile, a message carries one. */
function profileOf(sending: Sending, messages: SendingQuestion['messages']): string {
  if (sending.type === 'startConversation' && sending.compliance !== null) {
    return sending.compliance.profile;
  }
  return messages.find(({ name }) => name === sending.message)?.compliance.profile ?? '';
}

async function pointsOfContact(
  tx: Tx,
  writer: Writer,
  contact: ContactRow,
): Promise<ContactPoint[]> {
  const pointIds = FIELDS.flatMap(([, column]) => contact[column] ?? []);
  const rows =
    pointIds.length === 0
      ? []
      : await tx.selectFrom('contact_points').selectAll().where('id', 'in', pointIds).execute();
  const phones = FIELDS.flatMap(([kind, column]): ContactPoint[] => {
    const row = rows.find(({ id }) => id === contact[column]);
    if (row === undefined) return [];
    const isUsable = row.value !== '' && row.invalid_since_ms === null;
    return [{ id: row.id, kind, value: row.value, timeZone: null, isUsable }];
  });
  const value = contact.email?.trim().toLowerCase() ?? '';
  if (value === '') return phones;
  const address: Address = { kind: 'email', value };
  const points = await pointsOf(tx, writer, [address]);
  const id = points.get(addressKey(address)) ?? '';
  return [...phones, { id, kind: 'email', value, timeZone: null, isUsable: true }];
}

interface Settled {
  readonly decision: SendDecision;
  readonly optOutIds: ReadonlyMap<string, string>;
}

async function withoutOptedOut(
  tx: Tx,
  { businessUnitId }: Writer,
  sending: Sending,
  decision: SendDecision,
): Promise<Settled> {
  const isCall = sending.type === 'startConversation' && sending.channel === 'voice';
  const points = decision.verdicts.map(({ contactPointId }) => contactPointId);
  const optOutIds = isCall ? await optOutsOf(tx, businessUnitId, points) : new Map();
  const { verdicts } = decision;
  const left = points.filter((id) => !optOutIds.has(id));
  if (decision.decide === 'block' || left.length === points.length) return { decision, optOutIds };
  const none = { decide: 'block', reason: 'no_consent', verdicts } as const;
  if (decision.decide === 'hold') {
    // Held for a number that is not called: it is asked about again when the hold ends.
    return { decision: left.length === 0 ? none : decision, optOutIds };
  }
  const contactPointIds = decision.contactPointIds.filter((id) => !optOutIds.has(id));
  if (contactPointIds.length === 0) return { decision: none, optOutIds };
  return { decision: { ...decision, contactPointIds }, optOutIds };
}

async function tell(
  tx: Tx,
  { businessUnitId, nowMs, actor }: Writer,
  { sending, contactId, streamId }: SendingQuestion,
  decision: SendDecision,
  optOutIds: ReadonlyMap<string, string>,
): Promise<void> {
  const { decide, verdicts } = decision;
  const payload = {
    ...{ key: sending.key, contactId, decide, verdicts },
    ...(decide === 'block' ? { reason: decision.reason } : {}),
    ...(decide === 'hold' ? { untilMs: decision.untilMs } : {}),
    optOuts: Object.fromEntries(optOutIds),
  };
  await appendEvents(tx, businessUnitId, nowMs, [
    { streamId, type: 'send.decided', actor, payload },
  ]);
}
