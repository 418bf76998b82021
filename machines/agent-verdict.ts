/**
 * What an AI agent found out about who answered, read from the attributes that it returned. Detection
 * belongs to the agent (spec F.10): its word stands above the gateway's.
 */
import type { AnswerVerdict } from './telephony-events.ts';

/** `answeredBy` says who or what answered, `messageLeft` whether it was told the message. */
export const ANSWERED_BY_ATTRIBUTE = 'answeredBy';
export const MESSAGE_LEFT_ATTRIBUTE = 'messageLeft';

export interface AgentVerdict {
  readonly verdict: AnswerVerdict;
  readonly messageLeft: boolean;
}

const VERDICT_OF: ReadonlyMap<string, AnswerVerdict> = new Map([
  ['human', 'human'],
  ['person', 'human'],
  ['machine', 'machine'],
  ['answeringmachine', 'machine'],
  ['voicemail', 'machine'],
  ['fax', 'fax'],
  ['sit', 'sit'],
  ['silence', 'silence'],
  ['unknown', 'unknown'],
]);

/** Undefined when the agent says nothing of it, or nothing that is known. */
export function agentVerdictIn(
  attributes: Readonly<Record<string, string>> | undefined,
): AgentVerdict | undefined {
  // An event read back from the log has the names of its attributes only.
  const said = attributes?.[ANSWERED_BY_ATTRIBUTE]?.toLowerCase().replaceAll(/[\s_-]/g, '');
  const verdict = said === undefined ? undefined : VERDICT_OF.get(said);
  if (verdict === undefined) return undefined;
  const left = attributes?.[MESSAGE_LEFT_ATTRIBUTE]?.toLowerCase();
  return { verdict, messageLeft: left === 'true' || left === 'yes' || left === '1' };
}
