/**
 * May this contact point be used? The facts are read from the store and judged by the one function of
 * journeys (spec G.6, all nine cells); for calls, who asked in a call never to be called again is not
 * called, whatever the purpose (spec D.10).
 */
import type { Transaction } from 'kysely';
import type { Channel, Compliance } from '../../journey-core/definition/sending.schema.ts';
import {
  decideConsent,
  type ConsentDecision,
  type ConsentRecord,
  type ConsentStatus,
} from '../../journey-core/sending/consent.ts';
import type {
  ComplianceProfileRow,
  ConsentRecordRow,
  PurposeRow,
  TopicRow,
} from '../store/schema/consent-tables.ts';
import type { Database } from '../store/schema/database.ts';
import { purposesOfProfile } from './compliance-settings.ts';
import { profileAsset, topicsOf } from './sending-assets.ts';

type Db = Pick<Transaction<Database>, 'selectFrom'>;

export interface PointDecision extends Omit<ConsentDecision, 'reason'> {
  readonly reason: ConsentDecision['reason'] | 'opt_out_list';
  /** The entry of the opt-out list that decided. */
  readonly optOutId: string | null;
}

export interface PointQuestion {
  readonly businessUnitId: string;
  readonly profile: ComplianceProfileRow;
  /** By name, as journeys have it. */
  readonly compliance: Compliance;
  readonly channel: Channel;
  /** Null: nobody has heard of this address. */
  readonly contactPointId: string | null;
}

export async function decideForPoint(db: Db, question: PointQuestion): Promise<PointDecision> {
  const { businessUnitId, profile, compliance, channel, contactPointId } = question;
  const points = contactPointId === null ? [] : [contactPointId];
  const records = await consentRecords(db, businessUnitId, profile.id, points);
  const decision = decideConsent({
    profile: await profileAsset(db, profile),
    ...{ compliance, channel, records },
    contactPointId: contactPointId ?? '',
  });
  const [optOutId = null] =
    channel === 'voice' ? (await optOutsOf(db, businessUnitId, points)).values() : [];
  if (optOutId === null) return { ...decision, optOutId };
  return { ...decision, passes: false, reason: 'opt_out_list', optOutId };
}

/**
 * What was said of these contact points for the purposes of one profile: another profile's purpose
 * of the same name is another purpose.
 */
export async function consentRecords(
  db: Db,
  businessUnitId: string,
  profileId: string,
  contactPointIds: readonly string[],
): Promise<ConsentRecord[]> {
  if (contactPointIds.length === 0) return [];
  const purposes = await purposesOfProfile(db, profileId);
  const topics = await topicsOf(db, purposes);
  const rows = await db
    .selectFrom('consent_records')
    .selectAll()
    .where('business_unit_id', '=', businessUnitId)
    .where('contact_point_id', 'in', [...contactPointIds])
    .where('version', '>', 0)
    .execute();
  return rows.flatMap((row) => recordOf(row, purposes, topics));
}

function recordOf(
  row: ConsentRecordRow,
  purposes: readonly PurposeRow[],
  topics: readonly TopicRow[],
): ConsentRecord[] {
  const purpose = purposes.find(({ id }) => id === row.purpose_id);
  const topic = topics.find(({ id }) => id === row.topic_id);
  if (purpose === undefined || (topic === undefined && row.topic_id !== '')) return [];
  return [
    {
      id: row.id,
      contactPointId: row.contact_point_id,
      channel: row.channel as Channel,
      kind: topic === undefined ? 'purpose' : 'topic',
      purpose: purpose.name,
      topic: topic?.name ?? null,
      status: row.status as ConsentStatus,
      modifiedAtMs: row.stated_at_ms,
    },
  ];
}

/** Entries of the opt-out list that hold, by contact point. */
export async function optOutsOf(
  db: Db,
  businessUnitId: string,
  contactPointIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (contactPointIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('opt_outs')
    .innerJoin('contact_points as point', 'point.value', 'opt_outs.number')
    .select(['opt_outs.id as id', 'point.id as pointId'])
    .where('opt_outs.business_unit_id', '=', businessUnitId)
    .where('opt_outs.removed_at_ms', 'is', null)
    .where('point.kind', '=', 'phone')
    .where('point.id', 'in', [...contactPointIds])
    .execute();
  return new Map(rows.map(({ id, pointId }) => [pointId, id]));
}
