/** From the number a dial names to the user part of the Request-URI, as the trunk wants it. */
import { isPossiblePhoneNumber } from 'libphonenumber-js';
import type { TrunkConfig } from '../../config/trunk.schema.ts';

export type UserPart =
  { readonly ok: true; readonly user: string } | { readonly ok: false; readonly problem: string };

/** Dial-string characters (RFC 3966 global and local digits, and letters of an extension's name). */
const ANY_USER = /^[0-9A-Za-z+*#._-]{1,64}$/;
const E164 = /^\+[1-9]\d{1,14}$/;

/** Possible, not valid: numbering plans change sooner than metadata. Never repeats the number. */
export function userPart(destination: string, format: TrunkConfig['destinationFormat']): UserPart {
  if (format === 'any') {
    if (!ANY_USER.test(destination)) return { ok: false, problem: 'not a dialable string' };
    // RFC 3261 §25.1: # is not allowed in a user part.
    return { ok: true, user: destination.replaceAll('#', '%23') };
  }
  if (!E164.test(destination)) return { ok: false, problem: 'not E.164 with a plus' };
  if (!isPossiblePhoneNumber(destination)) {
    return { ok: false, problem: 'too short or too long for its country' };
  }
  return { ok: true, user: format === 'e164' ? destination : destination.slice(1) };
}
