/**
 * Contacts, made or brought up to date by their unique identifier (spec A.9). What is not given is
 * left as it is; a number is written once, in contact_points, and shared by all who have it.
 */
import type { Transaction } from 'kysely';
import { DialerError } from '../../machines/errors.ts';
import type { Writer } from '../engagements/create-engagement.ts';
import type { PhoneType } from '../engagements/engagement-config.schema.ts';
import { insertMany, insertQueries } from '../store/insert-many.ts';
import { runTogether } from '../store/run-together.ts';
import type { Database } from '../store/schema/database.ts';

export interface ContactInput {
  readonly uniqueIdentifier: string;
  readonly firstName?: string;
  readonly lastName?: string;
  /** As the trunk takes them: E.164 with plus, or a dial string. Checked by whoever read them. */
  readonly phones?: Readonly<Partial<Record<PhoneType, string>>>;
  readonly email?: string;
  readonly postalCode?: string;
  readonly state?: string;
  readonly country?: string;
  readonly city?: string;
  readonly addressLine?: string;
  readonly timeZone?: string;
  /** Columns that nobody here understands, passed through. */
  readonly externalAttributes?: Readonly<Record<string, string>>;
}

export interface UpsertedContact {
  readonly id: string;
  readonly isNew: boolean;
}

const IDENTIFIER_CHARS_MAX = 300;

/**
 * Answers the contacts in order. Of an identifier given twice the later entry is written over the
 * earlier. One statement for each kind of row, whatever their number: keep batches below 500.
 */
export async function upsertContacts(
  tx: Transaction<Database>,
  writer: Writer,
  inputs: readonly ContactInput[],
): Promise<readonly UpsertedContact[]> {
  if (inputs.length === 0) return [];
  for (const { uniqueIdentifier } of inputs) checkIdentifier(uniqueIdentifier);
  const { points, known } = await pointsAndContacts(tx, writer, inputs);
  const rows = new Map<string, NewContact>();
  for (const input of inputs) {
    const { uniqueIdentifier } = input;
    const before = rows.get(uniqueIdentifier) ?? known.get(uniqueIdentifier);
    const row = merged(before ?? blank(writer, uniqueIdentifier), input, points, writer.nowMs);
    rows.set(uniqueIdentifier, row);
  }
  const ids = await writeContacts(tx, [...rows.values()]);
  return inputs.map(({ uniqueIdentifier }) => {
    const id = ids.get(uniqueIdentifier);
    if (id === undefined) throw new Error('a contact was lost between two statements');
    // Another transaction may have made it since it was looked for.
    const isNew = !known.has(uniqueIdentifier) && id === rows.get(uniqueIdentifier)?.id;
    return { id, isNew };
  });
}

function checkIdentifier(identifier: string): void {
  if (identifier.length > 0 && identifier.length <= IDENTIFIER_CHARS_MAX) return;
  const detail = `a unique identifier has 1 to ${IDENTIFIER_CHARS_MAX} characters`;
  throw new DialerError('REQUEST_INVALID', detail);
}

type NewContact = Database['contacts'];

const NEW_POINTS_ONLY = { ending: 'on conflict (business_unit_id, kind, value) do nothing' };

interface BeforeUpsert {
  /** Contact points by number; those that were missing have been made. */
  readonly points: ReadonlyMap<string, string>;
  /** Contacts by identifier, as far as there are any. */
  readonly known: ReadonlyMap<string, NewContact>;
}

async function pointsAndContacts(
  tx: Transaction<Database>,
  { ids, nowMs, businessUnitId }: Writer,
  inputs: readonly ContactInput[],
): Promise<BeforeUpsert> {
  const numbers = [...new Set(inputs.flatMap(({ phones = {} }) => Object.values(phones)))].sort();
  const identifiers = [...new Set(inputs.map(({ uniqueIdentifier }) => uniqueIdentifier))];
  const common = { business_unit_id: businessUnitId, kind: 'phone', created_at_ms: nowMs };
  const points = numbers.map((value) => ({ id: ids.id(), value, ...common }));
  const contacts = tx
    .selectFrom('contacts')
    .selectAll()
    .where('business_unit_id', '=', businessUnitId)
    .where('unique_identifier', 'in', identifiers);
  const written = insertQueries(tx, 'contact_points', points, NEW_POINTS_ONLY);
  const read = tx
    .selectFrom('contact_points')
    .select(['id', 'value'])
    .where('business_unit_id', '=', businessUnitId)
    .where('kind', '=', 'phone')
    .where('value', 'in', numbers);
  const answers = await runTogether(tx, [
    contacts,
    ...(numbers.length > 0 ? [...written, read] : []),
  ]);
  const [known = []] = answers as readonly (readonly NewContact[])[];
  const found = (numbers.length > 0 ? (answers.at(-1) ?? []) : []) as readonly PointOfNumber[];
  return {
    points: new Map(found.map(({ id, value }) => [value, id])),
    known: new Map(known.map((row) => [row.unique_identifier, row])),
  };
}

interface PointOfNumber {
  readonly id: string;
  readonly value: string;
}

function blank({ ids, nowMs, businessUnitId }: Writer, uniqueIdentifier: string): NewContact {
  return {
    id: ids.id(),
    business_unit_id: businessUnitId,
    unique_identifier: uniqueIdentifier,
    first_name: null,
    last_name: null,
    mobile_point_id: null,
    business_point_id: null,
    home_point_id: null,
    email: null,
    postal_code: null,
    state: null,
    country: null,
    city: null,
    address_line: null,
    time_zone: null,
    external_attributes: '{}',
    version: 0,
    created_at_ms: nowMs,
    updated_at_ms: nowMs,
  };
}

function merged(
  row: NewContact,
  input: ContactInput,
  points: ReadonlyMap<string, string>,
  nowMs: number,
): NewContact {
  const { phones = {}, externalAttributes = {} } = input;
  const pointOf = (phone: string | undefined): string | null =>
    (phone === undefined ? undefined : points.get(phone)) ?? null;
  const attributes = JSON.parse(row.external_attributes) as Record<string, string>;
  return {
    ...row,
    first_name: input.firstName ?? row.first_name,
    last_name: input.lastName ?? row.last_name,
    mobile_point_id: pointOf(phones.mobile) ?? row.mobile_point_id,
    business_point_id: pointOf(phones.business) ?? row.business_point_id,
    home_point_id: pointOf(phones.home) ?? row.home_point_id,
    email: input.email ?? row.email,
    postal_code: input.postalCode ?? row.postal_code,
    state: input.state ?? row.state,
    country: input.country ?? row.country,
    city: input.city ?? row.city,
    address_line: input.addressLine ?? row.address_line,
    time_zone: input.timeZone ?? row.time_zone,
    external_attributes: JSON.stringify({ ...attributes, ...externalAttributes }),
    version: row.version + 1,
    updated_at_ms: nowMs,
  };
}

/** Every column but those that make a contact the one it is. */
const UPDATED = [
  'first_name',
  'last_name',
  'mobile_point_id',
  'business_point_id',
  'home_point_id',
  'email',
  'postal_code',
  'state',
  'country',
  'city',
  'address_line',
  'time_zone',
  'external_attributes',
  'version',
  'updated_at_ms',
] as const satisfies readonly (keyof NewContact)[];

const UPSERT_ENDING = `on conflict (business_unit_id, unique_identifier) do update set ${UPDATED.map(
  (column) => `${column} = excluded.${column}`,
).join(', ')} returning id, unique_identifier`;

type WrittenContact = Pick<NewContact, 'id' | 'unique_identifier'>;

/**
 * Answers ids by identifier. Rows are written in the order of their identifiers, as contact points
 * are in the order of their numbers: two that write the same ones never wait for each other.
 */
async function writeContacts(
  tx: Transaction<Database>,
  rows: readonly NewContact[],
): Promise<ReadonlyMap<string, string>> {
  const inOrder = [...rows].sort((a, b) => (a.unique_identifier < b.unique_identifier ? -1 : 1));
  const written = await insertMany<'contacts', WrittenContact>(tx, 'contacts', inOrder, {
    ending: UPSERT_ENDING,
  });
  return new Map(written.map((row) => [row.unique_identifier, row.id]));
}
