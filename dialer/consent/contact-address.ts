/** An address as a channel knows it, and the contact point that stands for it. */
import type { Transaction } from 'kysely';
import type { Channel } from '../../journey-core/definition/sending.schema.ts';
import { DialerError } from '../../machines/errors.ts';
import type { Writer } from '../engagements/create-engagement.ts';
import { readDestination, type DestinationRules } from '../intake/destination.ts';
import { insertMany } from '../store/insert-many.ts';
import type { Database } from '../store/schema/database.ts';

/** One number is one contact point, whether it is called or written to. */
export type PointKind = 'phone' | 'email' | 'push' | 'custom';

export interface Address {
  readonly kind: PointKind;
  readonly value: string;
}

export function pointKindOf(channel: Channel): PointKind {
  return channel === 'voice' || channel === 'sms' ? 'phone' : channel;
}

/**
 * Throws PHONE_INVALID or REQUEST_INVALID, never repeating the address. E-mail addresses are told
 * apart without regard to case: no provider of note does otherwise, and an opt-out must not miss.
 */
export function readAddress(
  channel: Channel,
  written: string,
  rules: DestinationRules,
  place: string,
): Address {
  const kind = pointKindOf(channel);
  if (kind === 'phone') {
    const read = readDestination(written, { ...rules, warnsOfRange: false });
    if ('problem' in read) {
      throw new DialerError('PHONE_INVALID', `${place}: the number ${read.problem}`);
    }
    return { kind, value: read.destination };
  }
  const value = written.trim();
  if (kind !== 'email') return { kind, value };
  if (/^[^\s@]+@[^\s@]+$/.test(value)) return { kind, value: value.toLowerCase() };
  const detail = `${place}: the address is no e-mail address`;
  throw new DialerError('REQUEST_INVALID', detail, {
    faults: [{ pointer: '/address', detail: 'is no e-mail address' }],
  });
}

export function addressKey({ kind, value }: Address): string {
  return `${kind} ${value}`;
}

/** Ids by `addressKey`; points that are not known are made. */
export async function pointsOf(
  tx: Transaction<Database>,
  { ids, nowMs, businessUnitId }: Pick<Writer, 'ids' | 'nowMs' | 'businessUnitId'>,
  addresses: readonly Address[],
): Promise<ReadonlyMap<string, string>> {
  const apart = new Map(addresses.map((address) => [addressKey(address), address]));
  // In one order for everybody: two that write the same ones never wait for each other.
  const inOrder = [...apart].sort(([a], [b]) => (a < b ? -1 : 1));
  const common = { business_unit_id: businessUnitId, created_at_ms: nowMs };
  const rows = inOrder.map(([, { kind, value }]) => ({ id: ids.id(), kind, value, ...common }));
  await insertMany(tx, 'contact_points', rows, {
    ending: 'on conflict (business_unit_id, kind, value) do nothing',
  });
  return findPoints(tx, businessUnitId, [...apart.values()]);
}

/** Ids by `addressKey`, as far as there are any. */
export async function findPoints(
  db: Pick<Transaction<Database>, 'selectFrom'>,
  businessUnitId: string,
  addresses: readonly Address[],
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const kind of new Set(addresses.map((address) => address.kind))) {
    const values = addresses.filter((one) => one.kind === kind).map(({ value }) => value);
    const rows = await db
      .selectFrom('contact_points')
      .select(['id', 'value'])
      .where('business_unit_id', '=', businessUnitId)
      .where('kind', '=', kind)
      .where('value', 'in', values)
      .execute();
    for (const { id, value } of rows) found.set(addressKey({ kind, value }), id);
  }
  return found;
}

export type ContactField = 'mobile' | 'business' | 'home' | 'email';

const COLUMN_OF = {
  mobile: 'mobile_point_id',
  business: 'business_point_id',
  home: 'home_point_id',
} as const;

/** What a contact has in one of its fields; undefined: nothing. Throws NOT_FOUND without the contact. */
export async function addressOfContact(
  db: Pick<Transaction<Database>, 'selectFrom'>,
  businessUnitId: string,
  contactId: string,
  field: ContactField,
): Promise<Address | undefined> {
  const contact = await db
    .selectFrom('contacts')
    .select(['email', 'mobile_point_id', 'business_point_id', 'home_point_id'])
    .where('id', '=', contactId)
    .where('business_unit_id', '=', businessUnitId)
    .executeTakeFirst();
  if (contact === undefined) throw new DialerError('NOT_FOUND', `there is no contact ${contactId}`);
  if (field === 'email') {
    const value = contact.email?.trim().toLowerCase() ?? '';
    return value === '' ? undefined : { kind: 'email', value };
  }
  const pointId = contact[COLUMN_OF[field]];
  if (pointId === null) return undefined;
  const point = await db
    .selectFrom('contact_points')
    .select('value')
    .where('id', '=', pointId)
    .executeTakeFirst();
  return point === undefined || point.value === ''
    ? undefined
    : { kind: 'phone', value: point.value };
}
