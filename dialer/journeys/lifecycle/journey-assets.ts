/**
 * What a journey can rely on here: the store's own triggers, segments, engagements, profiles and quiet
 * times, and the webhooks that are configured; messages and attributes of contacts are the definition's
 * to declare.
 */
import type { Transaction } from 'kysely';
import { isMapping } from '../../../config/config-path.ts';
import type { JourneyAssets } from '../../../journey-core/definition/assets.schema.ts';
import { JourneyAssets as AssetsSchema } from '../../../journey-core/definition/assets.schema.ts';
import { shapeFaults } from '../../../journey-core/validation/shape-faults.ts';
import { sendingAssets } from '../../consent/sending-assets.ts';
import type { Database } from '../../store/schema/database.ts';
import { INTERACTION_TRIGGERS } from '../../triggers/interaction-triggers.ts';
import { attributesOf } from '../../triggers/trigger-settings.ts';

type Db = Pick<Transaction<Database>, 'selectFrom'>;

type Named = { readonly name: string };
type ListOf<K extends keyof JourneyAssets> = NonNullable<JourneyAssets[K]> & readonly Named[];

export type StoredAssets = Required<
  Pick<
    JourneyAssets,
    'triggers' | 'segments' | 'engagements' | 'complianceProfiles' | 'quietTimes' | 'frequencyCap'
  >
> & {
  /** Undefined: nobody knows them here, and what a definition declares is there. */
  readonly webhooks?: ListOf<'webhooks'>;
};

/** `webhooks`: the names of those that are configured. */
export async function storedAssets(
  db: Db,
  businessUnitId: string,
  webhooks?: readonly string[],
): Promise<StoredAssets> {
  return {
    ...(await sendingAssets(db, businessUnitId)),
    ...(webhooks === undefined ? {} : { webhooks: webhooks.map((name) => ({ name })) }),
    triggers: await triggersOf(db, businessUnitId),
    segments: await segmentsOf(db, businessUnitId),
    engagements: await engagementsOf(db, businessUnitId),
  };
}

/**
 * The store's, and beside them what only the definition knows: what it declares of the five kinds above
 * and is not here stands for something that has to be connected before it is published.
 */
export function assetsFor(definition: unknown, stored: StoredAssets): JourneyAssets {
  const declared = declaredAssets(definition);
  const engagements = stored.engagements.map((engagement) => {
    const own = declared.engagements?.find(({ name }) => name === engagement.name);
    const { resultAttributes } = own ?? {};
    // What an AI agent returns is agreed with its maker: the store does not know it.
    return resultAttributes === undefined ? engagement : { ...engagement, resultAttributes };
  });
  return {
    ...declared,
    frequencyCap: stored.frequencyCap,
    triggers: withPlaceholders(stored.triggers, declared.triggers),
    segments: withPlaceholders(stored.segments, declared.segments),
    engagements: withPlaceholders(engagements, declared.engagements),
    complianceProfiles: withPlaceholders(stored.complianceProfiles, declared.complianceProfiles),
    quietTimes: withPlaceholders(stored.quietTimes, declared.quietTimes),
    ...(stored.webhooks === undefined
      ? {}
      : { webhooks: withPlaceholders(stored.webhooks, declared.webhooks) }),
  };
}

/** None while they have another shape: the validator says so by itself. */
function declaredAssets(definition: unknown): JourneyAssets {
  const assets = isMapping(definition) ? definition['assets'] : undefined;
  if (assets === undefined || shapeFaults(AssetsSchema as object, assets).length > 0) return {};
  return assets as JourneyAssets;
}

function withPlaceholders<T extends Named>(known: readonly T[], declared: readonly T[] = []): T[] {
  const placeholders = missing(known, declared).map((item) => ({
    ...item,
    state: 'toBeConnected' as const,
  }));
  return [...known, ...placeholders];
}

function missing<T extends Named>(known: readonly T[], declared: readonly T[] = []): readonly T[] {
  const names = new Set(known.map(({ name }) => name));
  return declared.filter(({ name }) => !names.has(name));
}

async function triggersOf(db: Db, businessUnitId: string): Promise<ListOf<'triggers'>> {
  const rows = await db
    .selectFrom('triggers')
    .selectAll()
    .where('business_unit_id', '=', businessUnitId)
    .orderBy('id')
    .execute();
  const own = Object.entries(INTERACTION_TRIGGERS).map(([name, { attributes }]) => ({
    ...{ name, kind: 'interaction' as const, state: 'ready' as const },
    attributes: Object.entries(attributes).map(([attribute, type]) => ({ name: attribute, type })),
  }));
  const made = rows.map((row) => ({
    ...{ name: row.name, kind: row.kind as 'custom' | 'business' },
    state: row.state === 'ready' ? ('ready' as const) : ('draft' as const),
    attributes: attributesOf(row),
  }));
  // Lists are not declared in a definition, but the dialer's own triggers carry one.
  return [...own, ...made] as unknown as ListOf<'triggers'>;
}

async function segmentsOf(db: Db, businessUnitId: string): Promise<ListOf<'segments'>> {
  const rows = await db
    .selectFrom('segments')
    .select(['name', 'kind'])
    .where('business_unit_id', '=', businessUnitId)
    .orderBy('id')
    .execute();
  return rows.map(({ name, kind }) => ({ name, kind: kind as 'static' | 'dynamic' }));
}

async function engagementsOf(db: Db, businessUnitId: string): Promise<ListOf<'engagements'>> {
  const meant = await engagementsMeant(db, businessUnitId);
  return [...meant].map(([name, { channel, isReady }]) => {
    return { name, channel, state: isReady ? ('ready' as const) : ('draft' as const) };
  });
}

interface MeantEngagement {
  readonly id: string;
  readonly channel: 'voice' | 'sms';
  readonly isReady: boolean;
}

/**
 * By name. Names of engagements need not differ: of several the newest that takes work is meant. Those
 * of text messages take none yet, and that is told of their steps.
 */
export async function engagementsMeant(
  db: Db,
  businessUnitId: string,
): Promise<ReadonlyMap<string, MeantEngagement>> {
  const rows = await db
    .selectFrom('engagements')
    .select(['id', 'name', 'channel', 'status', 'intake'])
    .where('business_unit_id', '=', businessUnitId)
    .where('intake', '<>', 'file')
    .orderBy('id', 'desc')
    .execute();
  const isReady = ({ status, channel }: (typeof rows)[number]): boolean =>
    status !== 'inactive' || channel === 'sms';
  const byName = new Map<string, MeantEngagement>();
  for (const row of [...rows.filter(isReady), ...rows.filter((one) => !isReady(one))]) {
    if (byName.has(row.name)) continue;
    const channel = row.channel as 'voice' | 'sms';
    byName.set(row.name, { id: row.id, channel, isReady: isReady(row) });
  }
  return byName;
}
