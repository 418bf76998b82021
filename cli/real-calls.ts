/**
 * Nobody's phone rings by accident. Calls that stay on this machine need nothing; a trunk that may
 * lead to real people needs an explicit flag, contacts of one's own and the hours of their zone.
 */
import type { DialingConfig } from '../config/dialing.schema.ts';
import type { TrunkConfig } from '../config/trunk.schema.ts';
import { isTimeZone, isWithinCallingHours, wallClock } from './calling-hours.ts';
import { isLoopbackTrunk } from './choose-trunk.ts';
import { CliError } from './cli-error.ts';

export interface RealCallsOptions {
  readonly confirmRealCalls: boolean;
  /** For contacts that name no zone of their own. */
  readonly timeZone?: string;
}

/** Whether a call may start at `nowMs` to somebody in the zone (undefined: none is known). */
export type MayStart = (timeZone: string | undefined, nowMs: number) => boolean;

export const ALWAYS: MayStart = () => true;

/** Throws a CliError where real calls are not confirmed; the rest is asked call by call. */
export function realCallsRule(
  trunk: TrunkConfig,
  options: RealCallsOptions,
  dialing: DialingConfig,
): MayStart {
  if (isLoopbackTrunk(trunk)) return ALWAYS;
  if (!options.confirmRealCalls) {
    throw new CliError(
      'REAL_CALLS_NOT_CONFIRMED',
      `The trunk ${trunk.name} (${trunk.address}) is not on this machine, so real telephones may ring: add --confirm-real-calls if that is what you want.`,
    );
  }
  if (options.timeZone !== undefined && !isTimeZone(options.timeZone)) {
    throw new CliError(
      'TIME_ZONE_UNKNOWN',
      `There is no time zone ${options.timeZone}: write an IANA name such as America/New_York.`,
    );
  }
  const hours = { from: dialing.callingHoursFrom, to: dialing.callingHoursTo };
  return (timeZone, nowMs) =>
    isWithinCallingHours(hours, timeZone ?? options.timeZone ?? '', nowMs);
}

/**
 * Throws unless every contact has a zone and somebody may be called now. `zones` has one entry per
 * contact: undefined where the contact names none.
 */
export function checkCallingHours(
  zones: readonly (string | undefined)[],
  rule: MayStart,
  options: RealCallsOptions,
  dialing: DialingConfig,
  nowMs: number,
): void {
  if (rule === ALWAYS || zones.length === 0) return;
  const homeless = zones.filter((zone) => zone === undefined).length;
  if (homeless > 0 && options.timeZone === undefined) {
    throw new CliError(
      'TIME_ZONE_MISSING',
      `${String(homeless)} of ${String(zones.length)} contacts have no TimeZone, so their calling hours are unknown: add the column, or --time-zone ZONE for all of them.`,
    );
  }
  if (zones.some((zone) => rule(zone, nowMs))) return;
  const zone = zones.find((one) => one !== undefined && isTimeZone(one)) ?? options.timeZone;
  const clock = zone === undefined ? '' : ` It is ${wallClock(zone, nowMs)} in ${zone}.`;
  throw new CliError(
    'OUTSIDE_CALLING_HOURS',
    `No contact may be called now: calls start from ${dialing.callingHoursFrom} to ${dialing.callingHoursTo} where the contact is.${clock}`,
  );
}
