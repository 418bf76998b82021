/** The assets of a journey by name, for checks and for the interpreter. */
import { CONTACT_ATTRIBUTES, type JourneyAssets } from '../definition/assets.schema.ts';
import type { AttributeType } from '../definition/condition.schema.ts';

type ItemOf<K extends keyof JourneyAssets> =
  NonNullable<JourneyAssets[K]> extends readonly (infer Item)[] ? Item : never;

interface ContactAttribute {
  readonly type: AttributeType;
  readonly state?: 'ready' | 'draft' | 'toBeConnected';
}

export interface AssetIndex {
  readonly contactAttributes: ReadonlyMap<string, ContactAttribute>;
  readonly triggers: ReadonlyMap<string, ItemOf<'triggers'>>;
  readonly segments: ReadonlyMap<string, ItemOf<'segments'>>;
  readonly engagements: ReadonlyMap<string, ItemOf<'engagements'>>;
  readonly messages: ReadonlyMap<string, ItemOf<'messages'>>;
  readonly webhooks: ReadonlyMap<string, ItemOf<'webhooks'>>;
  readonly complianceProfiles: ReadonlyMap<string, ItemOf<'complianceProfiles'>>;
  readonly quietTimes: ReadonlyMap<string, ItemOf<'quietTimes'>>;
}

const indexes = new WeakMap<JourneyAssets, AssetIndex>();
const NONE: JourneyAssets = {};

/** Remembered per object: assets are not changed, they are replaced. */
export function assetIndex(assets: JourneyAssets = NONE): AssetIndex {
  const known = indexes.get(assets);
  if (known !== undefined) return known;
  const index: AssetIndex = {
    contactAttributes: new Map<string, ContactAttribute>([
      ...CONTACT_ATTRIBUTES.map((name) => [name, { type: 'text' }] as const),
      ...(assets.contactAttributes ?? []).map((item) => [item.name, item] as const),
    ]),
    triggers: byName(assets.triggers),
    segments: byName(assets.segments),
    engagements: byName(assets.engagements),
    messages: byName(assets.messages),
    webhooks: byName(assets.webhooks),
    complianceProfiles: byName(assets.complianceProfiles),
    quietTimes: byName(assets.quietTimes),
  };
  indexes.set(assets, index);
  return index;
}

function byName<T extends { readonly name: string }>(
  items: readonly T[] = [],
): ReadonlyMap<string, T> {
  return new Map(items.map((item) => [item.name, item]));
}
