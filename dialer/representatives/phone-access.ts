/**
 * How a representative's phone is known: the user and password of its REGISTER, and the number and PIN of
 * the dial-in lobby. Both are taken and never given back: what is kept proves them and is not them.
 */
import { createHash } from 'node:crypto';
import type { Transaction } from 'kysely';
import { Type, type Static } from 'typebox';
import { DialerError } from '../../machines/errors.ts';
import type { Writer } from '../engagements/create-engagement.ts';
import { appendEvents } from '../store/event-log.ts';
import type { Database } from '../store/schema/database.ts';
import type { RepresentativeRow } from '../store/schema/representative-tables.ts';
import { hashPin, isObviousPin } from './pin.ts';

const closed = { additionalProperties: false } as const;

export const PhoneCredentials = Type.Object(
  {
    sipUser: Type.String({
      description: 'User name of the REGISTER; nobody else’s.',
      pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
    }),
    password: Type.String({
      description: 'Its hashes for digest are kept (RFC 7616 §3.4.2), not the password.',
      minLength: 8,
      maxLength: 128,
      writeOnly: true,
    }),
  },
  { ...closed, examples: [{ sipUser: 'p.dejong', password: 'seven-grey-herons' }] },
);
export type PhoneCredentials = Static<typeof PhoneCredentials>;

export const DialInAccess = Type.Object(
  {
    number: Type.String({
      description: 'Entered after the dial-in number has answered; nobody else’s.',
      pattern: '^[0-9]{1,12}$',
    }),
    pin: Type.String({
      description: 'Kept as an scrypt hash. Not one digit all over, nor digits in a row.',
      pattern: '^[0-9]{4,12}$',
      writeOnly: true,
    }),
  },
  { ...closed, examples: [{ number: '2001', pin: '839214' }] },
);
export type DialInAccess = Static<typeof DialInAccess>;

type AccessColumns = Pick<
  RepresentativeRow,
  'sip_user' | 'ha1_md5' | 'ha1_sha256' | 'dial_in_number' | 'pin_hash'
>;

/** What is written; the reckoning is done before the transaction. */
export interface AccessChange {
  readonly event: string;
  readonly columns: Partial<AccessColumns>;
}

/** Both inputs have been checked by then: a fault would name the secret. */
export function credentialsChange(
  { sipUser, password }: PhoneCredentials,
  realm: string,
): AccessChange {
  if (realm === '') {
    const detail = 'no phone can register: gateway.registrar.realm is not set';
    throw new DialerError('NOT_CHANGEABLE', detail);
  }
  const ha1 = (algorithm: 'md5' | 'sha256'): string =>
    createHash(algorithm).update(`${sipUser}:${realm}:${password}`).digest('hex');
  const columns = { sip_user: sipUser, ha1_md5: ha1('md5'), ha1_sha256: ha1('sha256') };
  return { event: 'representative.credentialsSet', columns };
}

export const NO_CREDENTIALS: AccessChange = {
  event: 'representative.credentialsRemoved',
  columns: { sip_user: null, ha1_md5: null, ha1_sha256: null },
};

export async function dialInChange({ number, pin }: DialInAccess): Promise<AccessChange> {
  if (isObviousPin(pin)) {
    throw new DialerError('REQUEST_INVALID', '/pin would be guessed first: take another one');
  }
  const columns = { dial_in_number: number, pin_hash: await hashPin(pin) };
  return { event: 'representative.dialInSet', columns };
}

export const NO_DIAL_IN: AccessChange = {
  event: 'representative.dialInRemoved',
  columns: { dial_in_number: null, pin_hash: null },
};

/**
 * Undefined when there is no such representative. New credentials end the bindings of the old ones, and a
 * new PIN ends a lock-out of its number.
 */
export async function changeAccessIn(
  tx: Transaction<Database>,
  { nowMs, businessUnitId, actor }: Pick<Writer, 'nowMs' | 'businessUnitId' | 'actor'>,
  id: string,
  { event, columns }: AccessChange,
): Promise<RepresentativeRow | undefined> {
  await requireNobodyElse(tx, id, 'sip_user', columns.sip_user);
  await requireNobodyElse(tx, id, 'dial_in_number', columns.dial_in_number);
  const row = await tx
    .updateTable('representatives')
    .set((eb) => ({ ...columns, version: eb('version', '+', 1), updated_at_ms: nowMs }))
    .where('id', '=', id)
    .where('business_unit_id', '=', businessUnitId)
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) return undefined;
  if ('sip_user' in columns) {
    await tx
      .updateTable('phone_bindings')
      .set((eb) => ({ bindings: '[]', version: eb('version', '+', 1), updated_at_ms: nowMs }))
      .where('representative_id', '=', id)
      .execute();
  }
  if (columns.dial_in_number !== undefined && columns.dial_in_number !== null) {
    await tx
      .deleteFrom('dial_in_failures')
      .where('subject', '=', `number:${columns.dial_in_number}`)
      .execute();
  }
  await appendEvents(tx, businessUnitId, nowMs, [
    { streamId: `representative:${id}`, type: event, actor },
  ]);
  return row;
}

/** Over all business units: whoever registers or dials in does not say of which they are. */
async function requireNobodyElse(
  tx: Transaction<Database>,
  id: string,
  column: 'sip_user' | 'dial_in_number',
  value: string | null | undefined,
): Promise<void> {
  if (value === undefined || value === null) return;
  const other = await tx
    .selectFrom('representatives')
    .select('id')
    .where(column, '=', value)
    .where('id', '!=', id)
    .executeTakeFirst();
  if (other === undefined) return;
  const place = column === 'sip_user' ? '/sipUser' : '/number';
  throw new DialerError('REQUEST_INVALID', `${place} is another representative’s`);
}
