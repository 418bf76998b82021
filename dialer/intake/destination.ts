/** From what somebody typed into a phone column to what a trunk is asked to dial. */
import {
  isSupportedCountry,
  parsePhoneNumberFromString,
  type CountryCode,
} from 'libphonenumber-js/max';
import type { DestinationFormat } from '../../config/trunk.schema.ts';

export interface Destination {
  /** E.164 with plus, or the string as written where the trunk takes any. */
  readonly destination: string;
  readonly warning?: string;
}

export interface RefusedDestination {
  readonly problem: string;
}

export interface DestinationRules {
  readonly format: DestinationFormat;
  /** ISO 3166-1 alpha-2: where a number without country code belongs. */
  readonly defaultRegion?: CountryCode;
  /** False: leave out the warning for numbers in no known range, which takes as long as the rest. */
  readonly warnsOfRange?: boolean;
}

/** Dial strings: what a gateway can write into the user part of a SIP URI. */
const USER_PART = /^[0-9A-Za-z+*#._-]{1,64}$/;

export function asRegion(text: string): CountryCode | undefined {
  const region = text.trim().toUpperCase();
  return isSupportedCountry(region) ? region : undefined;
}

/**
 * A number must be possible (right length for its country). That it is not valid (no such range)
 * only warns: the metadata lags behind the numbering plans, and a network's own answer is better.
 * A trunk that takes any string gets short codes and names unchanged, and numbers as E.164.
 */
export function readDestination(
  written: string,
  { format, defaultRegion, warnsOfRange = true }: DestinationRules,
): Destination | RefusedDestination {
  // A leading apostrophe is how spreadsheets keep a number as text; tel: is RFC 3966.
  const text = written.trim().replace(/^'+/, '').replace(/^tel:/i, '');
  if (/^\d+(?:[.,]\d+)?E\+?\d+$/i.test(text)) {
    return { problem: 'is shortened by a spreadsheet (1.2E+10): format the column as text' };
  }
  const options = {
    extract: false,
    ...(defaultRegion === undefined ? {} : { defaultCountry: defaultRegion }),
  };
  const number = parsePhoneNumberFromString(text, options);
  if (number?.isPossible() === true) {
    if (number.ext !== undefined) {
      return { problem: 'carries an extension, which a trunk cannot dial' };
    }
    const destination = number.number;
    return !warnsOfRange || number.isValid()
      ? { destination }
      : { destination, warning: 'is possible but in no known number range' };
  }
  if (format === 'any' && USER_PART.test(text)) return { destination: text };
  return { problem: refusal(text, number !== undefined, format) };
}

function refusal(text: string, isParsed: boolean, format: DestinationFormat): string {
  if (format === 'any') return 'holds signs that a SIP address cannot carry';
  if (isParsed) return 'has too few or too many digits for its country';
  if (/^[\d\s().\-/]*\d[\d\s().\-/]*$/.test(text)) {
    const isShort = text.replaceAll(/\D/g, '').length < 7;
    return isShort
      ? 'is a short number, and the trunk takes E.164 only (destinationFormat: any takes it)'
      : 'has no country code: write it with + or give a default region';
  }
  return 'is not a telephone number';
}
