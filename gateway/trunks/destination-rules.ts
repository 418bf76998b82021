/** Whether a trunk may dial a number at all, asked before any INVITE. Errs towards refusing. */
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import type { GuardedClass, TrunkConfig } from '../../config/trunk.schema.ts';
import { EMERGENCY_NUMBERS, GUARDED_RANGES } from './guarded-numbers.ts';

export interface RuleRefusal {
  /** For metrics: which kind of rule. */
  readonly rule: GuardedClass | 'denied' | 'notAllowed';
  /** In words, without the number. */
  readonly detail: string;
}

type Rules = Pick<
  TrunkConfig,
  'destinationsAllowed' | 'destinationsDenied' | 'destinationClassesAllowed'
>;

/** `destination` as the dial names it: E.164 with plus, or whatever a trunk of `any` takes. */
export function refusedByRule(destination: string, rules: Rules): RuleRefusal | undefined {
  const emergency =
    isEmergency(destination) && !rules.destinationClassesAllowed.includes('emergency');
  if (emergency) return { rule: 'emergency', detail: 'an emergency number' };
  if (!destination.startsWith('+')) return undefined;
  const begins = (prefix: string): boolean => destination.startsWith(prefix);
  const denied = rules.destinationsDenied.find(begins);
  if (denied !== undefined) {
    return { rule: 'denied', detail: `${denied} is denied on this trunk` };
  }
  if (rules.destinationsAllowed.length > 0 && !rules.destinationsAllowed.some(begins)) {
    return { rule: 'notAllowed', detail: 'begins with nothing that this trunk is allowed' };
  }
  return guarded(destination, rules.destinationClassesAllowed);
}

/** In the national form, with a country code before it, or with the 0, 9 or 00 of a PBX before it. */
function isEmergency(destination: string): boolean {
  if (destination.startsWith('+')) {
    const digits = destination.slice(1);
    return Object.entries(EMERGENCY_NUMBERS).some(
      ([code, numbers]) => digits.startsWith(code) && numbers.includes(digits.slice(code.length)),
    );
  }
  return ALL_EMERGENCY.has(destination) || /^(?:0|9|00)(?:112|911|999)$/.test(destination);
}

/**
 * Of the short strings only those that are emergency numbers nearly everywhere: `15` or `101` may be
 * an extension of the PBX that a trunk of destinationFormat `any` leads to.
 */
const ALL_EMERGENCY = new Set(['000', '110', '111', '112', '113', '118', '119', '911', '999']);

function guarded(destination: string, allowed: readonly GuardedClass[]): RuleRefusal | undefined {
  const digits = destination.slice(1);
  const known = GUARDED_RANGES.find(({ pattern }) => pattern.test(digits));
  if (known !== undefined) {
    if (allowed.includes(known.guardedClass)) return undefined;
    return { rule: known.guardedClass, detail: known.name };
  }
  const type = parsePhoneNumberFromString(destination)?.getType();
  if (type === 'PREMIUM_RATE' && !allowed.includes('premium')) {
    return { rule: 'premium', detail: 'a premium rate number' };
  }
  if (type === 'SHARED_COST' && !allowed.includes('sharedCost')) {
    return { rule: 'sharedCost', detail: 'a shared cost number' };
  }
  return undefined;
}
