/**
 * Calls blocked by call analytics, and whom to ask about it.
 *
 * Two forms are met: 608 Rejected (RFC 8688), and 603 with the phrase "Network Blocked" and a
 * Reason whose text begins `v=analytics1` (ATIS-1000099, "603+"). The tag counts without the
 * phrase, and the phrase without the tag, since hops rewrite either; a plain 603 stays a person's
 * refusal.
 */
import type { AttemptEnded } from './attempt-ended.ts';
import { parseReasonHeaders, type ReasonValue } from './reason-header.ts';

const PHRASE = 'network blocked';
const REDRESS_METHODS = ['url', 'tel', 'email'] as const;

/** Undefined when analytics did not block this attempt; `redress` is null when nobody is named. */
export function analyticsBlockOf(
  ended: Pick<AttemptEnded, 'sip' | 'reasonHeaders' | 'redress'>,
): { redress: string | null } | undefined {
  const { statusCode, reasonPhrase } = ended.sip;
  if (statusCode !== 603 && statusCode !== 608) return undefined;
  const reasons = parseReasonHeaders(ended.reasonHeaders);
  const tagged = reasons.filter(hasAnalyticsTag);
  const phrased = [reasonPhrase, ...reasons.map(({ text }) => text)].some(
    (text) => text?.trim().toLowerCase() === PHRASE,
  );
  const says608 = reasons.some(({ protocol, cause }) => protocol === 'SIP' && cause === 608);
  if (statusCode === 603 && !phrased && !says608 && tagged.length === 0) return undefined;
  const named = tagged.map(redressOf).filter((contact) => contact !== '');
  return { redress: ended.redress ?? named[0] ?? null };
}

/** `v=analytics1` as the text's first field, or, as some write it, as a parameter of its own. */
function hasAnalyticsTag({ text, params }: ReasonValue): boolean {
  return /^\s*v\s*=\s*analytics/i.test(text ?? '') || /^analytics/i.test(params['v'] ?? '');
}

function redressOf({ text, params }: ReasonValue): string {
  const fields = new Map(Object.entries(params));
  for (const field of (text ?? '').split(';')) {
    const equals = field.indexOf('=');
    if (equals > 0)
      fields.set(field.slice(0, equals).trim().toLowerCase(), field.slice(equals + 1).trim());
  }
  return REDRESS_METHODS.flatMap((method) => {
    const contact = fields.get(method);
    return contact === undefined || contact === '' ? [] : [`${method}=${contact}`];
  }).join(';');
}
