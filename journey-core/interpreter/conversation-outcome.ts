/** What a journey makes of the end of a conversation (spec E.2, E.5). */
import type { ConversationOutcome } from '../definition/step.schemas.ts';
import { RESULTS, type Result } from '../../machines/result.ts';

/** How a conversation by text message ended. */
export const SMS_RESULTS = [
  'ConversationClosed',
  'ResponseTimeout', // no reply in time
  'NotDelivered',
  'Expired',
  'Cancelled',
  'Error',
] as const;
export type SmsResult = (typeof SMS_RESULTS)[number];

export const SMS_RETURN_CODES = [
  'ConversationClosed',
  'ResponseTimeout',
  'ConversationCancelled',
  'NotDelivered',
  'InvalidAddress',
  'OptedOut',
  'Expired',
  'Error',
] as const;

export type ConversationResult = Result | SmsResult;
export const CONVERSATION_RESULTS: readonly ConversationResult[] = [
  ...new Set([...RESULTS, ...SMS_RESULTS]),
];

/** Nobody was rung or written to, or the address is no good for ever. All others: attempted. */
const NOT_ATTEMPTED: ReadonlySet<ConversationResult> = new Set<ConversationResult>([
  'InvalidAddress',
  'NotAHandset',
  'Terminated',
  'Cancelled',
  'Expired',
  'Error',
]);

/** Return codes by which a message that was not delivered never could be. */
const NEVER_DELIVERABLE = ['InvalidAddress', 'OptedOut'];

/** Attempted: reached, or failed for a reason that passes. Not attempted: no call, or no good number. */
export function conversationOutcomeOf(
  result: ConversationResult,
  returnCode: string | null = null,
): Exclude<ConversationOutcome, 'blocked'> {
  if (NOT_ATTEMPTED.has(result)) return 'notAttempted';
  const isDead = result === 'NotDelivered' && NEVER_DELIVERABLE.includes(returnCode ?? '');
  return isDead ? 'notAttempted' : 'attempted';
}
