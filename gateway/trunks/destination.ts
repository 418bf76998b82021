/** From the number a dial names to the user part of the Request-URI, as the trunk wants it. */
import { isPossiblePhoneNumber } from 'libphonenumber-js';
import type { TrunkConfig } from '../../config/trunk.schema.ts';

export type UserPart =
  { readonly ok: true; readonly user: string } | { readonly ok: false; readonly problem: string };

/** Dial-string characters (RFC 3966 global and local digits, and letters of an extension's name). */
const ANY_USER = /^[0-9A-Za-z+*#._-]{1,64}$/;
const E164 = /^\+[1-9]\d{1,14}$/;

type NumberForm = Pick<TrunkConfig, 'destinationFormat' | 'destinationStrip' | 'destinationPrefix'>;

/** Possible, not valid: numbering plans change sooner than metadata. Never repeats the number. */
export function userPart(destination: string, form: NumberForm): UserPart {
  if (form.destinationFormat === 'any') {
    if (!ANY_USER.test(destination)) return { ok: false, problem: 'not a dialable string' };
    return { ok: true, user: written(destination, form) };
  }
  if (!E164.test(destination)) return { ok: false, problem: 'not E.164 with a plus' };
  if (!isPossiblePhoneNumber(destination)) {
    return { ok: false, problem: 'too short or too long for its country' };
  }
  const isPlain = form.destinationFormat === 'e164';
  return { ok: true, user: written(isPlain ? destination : destination.slice(1), form) };
}

function written(digits: string, { destinationStrip, destinationPrefix }: NumberForm): string {
  const rest =
    destinationStrip !== '' && digits.startsWith(destinationStrip)
      ? digits.slice(destinationStrip.length)
      : digits;
  // RFC 3261 §25.1: # is not allowed in a user part.
  return `${destinationPrefix}${rest}`.replaceAll('#', '%23');
}
