/** Who it may be that calls us: networks write a caller's number in forms of their own. */
import { parsePhoneNumberFromString, type PhoneNumber } from 'libphonenumber-js/max';

/** As `inbound.optOut` tells it. */
export interface ToldCaller {
  /** The digits with a plus before them, whether or not there was one. */
  readonly callerNumber: string;
  /** As the network wrote it; undefined from a gateway that does not tell. */
  readonly callerAsReceived?: string | undefined;
  /** Ours, that was called: E.164. */
  readonly calledNumber: string;
}

/**
 * E.164, each once; empty when it is no number anywhere. With a plus it is what it says, when it is
 * possible. Without one it may be a national number of the country that was called, an international
 * one behind 00 or another prefix, or one that begins with its country code: all of these that are
 * valid numbers. It errs towards more of them: a number too many is a person who is not called, one
 * too few a person who asked not to be and is.
 */
export function numbersOfCaller(caller: ToldCaller): readonly string[] {
  const { callerNumber, callerAsReceived, calledNumber } = caller;
  const international = parsePhoneNumberFromString(callerAsReceived ?? callerNumber, {
    extract: false,
  });
  if (callerAsReceived?.startsWith('+') === true) {
    return international?.isPossible() === true ? [international.number] : [];
  }
  if (callerAsReceived === undefined && international?.isValid() === true) {
    return [international.number];
  }
  const digits = (callerAsReceived ?? callerNumber).replaceAll(/\D/g, '');
  const called = parsePhoneNumberFromString(calledNumber, { extract: false });
  const local = called === undefined ? undefined : nationalOf(digits, called);
  const behindPrefix = digits.startsWith('00') ? `+${digits.slice(2)}` : `+${digits}`;
  const abroad = parsePhoneNumberFromString(behindPrefix, { extract: false });
  const valid = [local, abroad].flatMap((one) => (one?.isValid() === true ? [one.number] : []));
  return [...new Set(valid)];
}

/** A number in no known range has no country, and its calling code none of the prefixes. */
function nationalOf(
  digits: string,
  { country, countryCallingCode }: PhoneNumber,
): PhoneNumber | undefined {
  const where =
    country === undefined
      ? { defaultCallingCode: countryCallingCode }
      : { defaultCountry: country };
  return parsePhoneNumberFromString(digits, { extract: false, ...where });
}
