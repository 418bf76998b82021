/** What is wrong with a journey: where, what, and what to do about it. */

/**
 * `error`: it means nothing, or nothing that could run. `blocksPublishing`: a draft may have it.
 * `warning`: allowed, and seldom meant.
 */
export type FaultSeverity = 'error' | 'blocksPublishing' | 'warning';

export interface JourneyFault {
  /** JSON pointer (RFC 6901) into the definition: `/steps/3/branches/0/next`; empty for the whole. */
  readonly path: string;
  /** Stable: programs may depend on it. */
  readonly code: JourneyFaultCode;
  readonly severity: FaultSeverity;
  readonly problem: string;
  /** What to do. */
  readonly remedy: string;
  /** `file:line:column`, both from 1, where the definition came from a file. */
  readonly where?: string;
}

export const JOURNEY_FAULT_CODES = [
  'NOT_YAML', // the text cannot be read at all
  'TYPE', // another type of value is needed
  'MISSING', // a key that must be there
  'UNKNOWN_KEY',
  'UNKNOWN_VALUE', // not one of those known
  'OUT_OF_BOUNDS', // too small, too large, too long, too many
  'MALFORMED', // not written as it must be: a duration, a date, a name
  'DUPLICATE',
  'RESERVED_NAME',
  'UNKNOWN_STEP', // a reference to a step that is not there
  'UNREACHABLE_STEP',
  'CYCLE', // a way back that is no repeat step
  'REPEAT_NOT_BACK', // a repeat step that does not lead back
  'NO_EXIT', // no exit step can be reached
  'PERCENT_SUM',
  'SPLIT_MIXED', // percent and count in one split
  'WAIT_UNCLEAR', // none, or several, of for, until, untilAttribute
  'WAIT_TOO_LONG',
  'WAIT_TOO_SHORT',
  'WAIT_WITHOUT_STEP', // waits for a step that cannot have run
  'WAIT_OUTCOME', // an outcome that the step does not have
  'WAIT_LACKS_OUTCOME', // warning: an outcome goes unheard until the time-out
  'BRANCH_TOO_EARLY', // a test of something that cannot have happened yet
  'OPERATOR_TYPE', // the operator is not one of the value's type
  'OPERAND', // the operator takes another operand
  'UNKNOWN_ATTRIBUTE',
  'UNKNOWN_TRIGGER',
  'UNKNOWN_SEGMENT',
  'UNKNOWN_ENGAGEMENT',
  'UNKNOWN_MESSAGE',
  'UNKNOWN_WEBHOOK',
  'UNKNOWN_PROFILE',
  'UNKNOWN_PURPOSE',
  'UNKNOWN_TOPIC',
  'UNKNOWN_QUIET_TIME',
  'PURPOSE_TYPE', // a purpose that nothing can be sent for
  'TOPIC_MISSING', // the purpose has topics, and none is chosen
  'CHANNEL', // an asset of another channel
  'TRIGGER_KIND',
  'SEGMENT_KIND',
  'CONTACTS_ONLY', // a conversation in a journey that is not for contacts
  'NO_TRIGGER_ENTRY', // `from: entry` where no trigger lets people in
  'ENTRY_CONDITIONS_MAX',
  'ENTRY_RATE', // a rate, or an interval, on an entry that has none
  'ENTRY_WINDOW',
  'REENTRY_DELAY',
  'GOAL_MISSING', // a test without a goal to judge by
  'QUIET_SPAN',
  'QUIET_DAYS_MAX',
  'ASSET_NOT_READY',
] as const;
export type JourneyFaultCode = (typeof JOURNEY_FAULT_CODES)[number];

export function fault(
  path: string,
  code: JourneyFaultCode,
  problem: string,
  remedy: string,
): JourneyFault {
  return { path, code, severity: 'error', problem, remedy };
}

/** One key of a JSON pointer. */
export function pointerKey(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** `file:line:column: /path: problem; what to do`, on one line, as compilers write it. */
export function faultLine({ where, path, severity, problem, remedy }: JourneyFault): string {
  const place = where === undefined ? '' : `${where}: `;
  const kind = severity === 'error' ? '' : severity === 'warning' ? 'warning: ' : 'not ready: ';
  const subject = path === '' ? '' : `${path}: `;
  return `${place}${kind}${subject}${problem}; ${remedy}`;
}
