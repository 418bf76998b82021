/**
 * What stands on the do-not-call list for a number that somebody wrote: the same text as contact points have
 * it in, since claims compare the two as texts. An entry that no contact point could ever equal blocks nobody.
 */
import type { Transaction } from 'kysely';
import { DialerError } from '../../machines/errors.ts';
import { asRegion, readDestination, type DestinationRules } from '../intake/destination.ts';
import type { Database } from '../store/schema/database.ts';

type Db = Pick<Transaction<Database>, 'selectFrom'>;

export interface WrittenNumber {
  readonly number: string;
  /** ISO 3166-1 alpha-2: where a number without country code belongs. */
  readonly country?: string | undefined;
}

/** So many digits are a telephone number that lacks its country code, not an extension. */
const DIGITS_OF_NUMBER_MIN = 7;

/**
 * E.164 of whatever can be read as a number. Another text is taken as it is where a trunk takes any
 * and it does not look like a number, or where `isKnown` says that there is exactly that text. Throws
 * PHONE_INVALID or REQUEST_INVALID with the place, never repeating the number.
 */
export async function readListedNumber(
  { number: written, country }: WrittenNumber,
  { format }: Pick<DestinationRules, 'format'>,
  isKnown: (text: string) => Promise<boolean>,
): Promise<string> {
  const region = country === undefined ? {} : { defaultRegion: regionOf(country) };
  const rules = { ...region, warnsOfRange: false };
  const read = readDestination(written, { ...rules, format: 'e164' });
  if ('destination' in read) return read.destination;
  const asText = readDestination(written, { ...rules, format: 'any' });
  if ('problem' in asText) throw refused(format === 'any' ? asText.problem : read.problem);
  const text = asText.destination;
  if (format === 'any' && !looksLikeNumber(text)) return text;
  if (await isKnown(text)) return text;
  throw refused(
    looksLikeNumber(text)
      ? 'is no number as it stands, and no contact has it so: write it with + or give its country'
      : read.problem,
  );
}

/** Whether a contact of the business unit has, or had, exactly this text as a telephone number. */
export async function isContactNumber(
  db: Db,
  businessUnitId: string,
  text: string,
): Promise<boolean> {
  const point = await db
    .selectFrom('contact_points')
    .select('id')
    .where('business_unit_id', '=', businessUnitId)
    .where('kind', '=', 'phone')
    .where('value', '=', text)
    .executeTakeFirst();
  return point !== undefined;
}

/** Whether exactly this text is on the list of the business unit, or was. */
export async function isListed(db: Db, businessUnitId: string, text: string): Promise<boolean> {
  const entry = await db
    .selectFrom('opt_outs')
    .select('id')
    .where('business_unit_id', '=', businessUnitId)
    .where('number', '=', text)
    .limit(1)
    .executeTakeFirst();
  return entry !== undefined;
}

function looksLikeNumber(text: string): boolean {
  return !/[a-z]/i.test(text) && text.replaceAll(/\D/g, '').length >= DIGITS_OF_NUMBER_MIN;
}

function regionOf(country: string) {
  const region = asRegion(country);
  if (region !== undefined) return region;
  const detail = 'is no country that is known: ISO 3166-1 alpha-2, such as US';
  const faults = [{ pointer: '/country', detail }];
  throw new DialerError('REQUEST_INVALID', `/country ${detail}`, { faults });
}

function refused(problem: string): DialerError {
  const faults = [{ pointer: '/number', detail: problem }];
  return new DialerError('PHONE_INVALID', `/number ${problem}`, { faults });
}
