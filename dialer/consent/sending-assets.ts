/** Compliance profiles, quiet times and the cap of a business unit, as journeys name and judge them. */
import type { Transaction } from 'kysely';
import type {
  ComplianceProfile,
  Enforcement,
  JourneyAssets,
} from '../../journey-core/definition/assets.schema.ts';
import type { PurposeType } from '../../journey-core/definition/quiet-time.schema.ts';
import type { Channel } from '../../journey-core/definition/sending.schema.ts';
import type { ComplianceProfileRow, PurposeRow, TopicRow } from '../store/schema/consent-tables.ts';
import type { Database } from '../store/schema/database.ts';
import { purposesOfProfile } from './compliance-settings.ts';
import { frequencyCapOf, quietTimeOf } from './sending-settings.ts';

type Db = Pick<Transaction<Database>, 'selectFrom'>;

export type SendingAssets = Required<
  Pick<JourneyAssets, 'complianceProfiles' | 'quietTimes' | 'frequencyCap'>
>;

/** All of them: what a journey may name. */
export async function sendingAssets(db: Db, businessUnitId: string): Promise<SendingAssets> {
  const profiles = await db
    .selectFrom('compliance_profiles')
    .selectAll()
    .where('business_unit_id', '=', businessUnitId)
    .orderBy('id')
    .execute();
  const quietTimes = await db
    .selectFrom('quiet_times')
    .selectAll()
    .where('business_unit_id', '=', businessUnitId)
    .orderBy('id')
    .execute();
  const names = new Map(quietTimes.map(({ id, name }) => [id, name]));
  const complianceProfiles: ComplianceProfile[] = [];
  for (const profile of profiles) {
    complianceProfiles.push(await profileAsset(db, profile, names));
  }
  const { caps } = await frequencyCapOf(db, businessUnitId);
  return { complianceProfiles, quietTimes: quietTimes.map(quietTimeOf), frequencyCap: caps };
}

export interface NamedBySending {
  readonly profile: string;
  /** As the step has it: a name, or `inherit` or `none`, which none is called. */
  readonly quietTime: string;
}

/** Of them what one sending is judged by: its profile, and the quiet times that it may mean. */
export async function assetsOfSending(
  db: Db,
  businessUnitId: string,
  named: NamedBySending,
): Promise<SendingAssets & { readonly profileId: string | undefined }> {
  const profile = await db
    .selectFrom('compliance_profiles')
    .selectAll()
    .where('business_unit_id', '=', businessUnitId)
    .where('name', '=', named.profile)
    .executeTakeFirst();
  const quietTimes = await db
    .selectFrom('quiet_times')
    .selectAll()
    .where('business_unit_id', '=', businessUnitId)
    .where((eb) =>
      eb.or([eb('name', '=', named.quietTime), eb('id', '=', profile?.quiet_time_id ?? '')]),
    )
    .execute();
  const names = new Map(quietTimes.map(({ id, name }) => [id, name]));
  const { caps } = await frequencyCapOf(db, businessUnitId);
  return {
    complianceProfiles: profile === undefined ? [] : [await profileAsset(db, profile, names)],
    quietTimes: quietTimes.map(quietTimeOf),
    frequencyCap: caps,
    profileId: profile?.id,
  };
}

/** An inactive one is a draft to new journeys, and is enforced like any other (CNS-17). */
export async function profileAsset(
  db: Db,
  profile: ComplianceProfileRow,
  quietTimeNames: ReadonlyMap<string, string> = new Map(),
): Promise<ComplianceProfile> {
  const purposes = await purposesOfProfile(db, profile.id);
  const topics = await topicsOf(db, purposes);
  const quietTime = quietTimeNames.get(profile.quiet_time_id ?? '');
  return {
    name: profile.name,
    channels: JSON.parse(profile.channels) as Channel[],
    state: profile.state === 'active' ? 'ready' : 'draft',
    ...(quietTime === undefined ? {} : { quietTime }),
    purposes: purposes.map((purpose) => ({
      name: purpose.name,
      type: purpose.type as PurposeType,
      ...(purpose.enforcement === null ? {} : { enforcement: purpose.enforcement as Enforcement }),
      topics: topics.filter((topic) => topic.purpose_id === purpose.id).map(({ name }) => name),
    })),
  };
}

export async function topicsOf(db: Db, purposes: readonly PurposeRow[]): Promise<TopicRow[]> {
  if (purposes.length === 0) return [];
  const ids = purposes.map(({ id }) => id);
  return db.selectFrom('topics').selectAll().where('purpose_id', 'in', ids).orderBy('id').execute();
}
