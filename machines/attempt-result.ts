/**
 * From the evidence of one attempt to its one Result. Evaluated in this order, first hit decides:
 * our own cancel, the answer, early media, the stack's own 408/503, analytics, Q.850, SIP code.
 * Total: any evidence gives an outcome. Where evidence is thin it errs towards `Unknown`, which
 * waits for hours before a retry, since the person may have been rung.
 */
import { analyticsBlockOf } from './analytics-block.ts';
import type { AttemptEnded } from './attempt-ended.ts';
import type { AttemptEvidence } from './attempt-evidence.ts';
import { decidingCauseOf, meaningfulCausesOf } from './deciding-cause.ts';
import * as rows from './outcome-rows.ts';
import type { Outcome } from './outcome-rows.ts';
import { FALLBACK_PLAY_ID } from './play-ids.ts';
import { CANCEL_REASONS, type CancelReason } from './telephony-commands.ts';
import type { AnswerVerdict } from './telephony-events.ts';

export const WARNINGS = [
  'answered_late', // a 200 crossed our CANCEL: a person was hung up on
  'final_crossed_cancel', // a final response other than 487 crossed our CANCEL
  'causes_disagree', // several Q.850 causes of different meaning
  'prompt_failed', // a prompt was missing or could not be played
  'no_end_record', // decided without the gateway's account of the end
] as const;
export type Warning = (typeof WARNINGS)[number];

export interface AttemptOutcome extends Outcome {
  readonly warnings: readonly Warning[];
  /** Whom to ask about a call blocked by analytics. */
  readonly redress: string | null;
}

export function attemptResult(evidence: AttemptEvidence): AttemptOutcome {
  const outcome = outcomeOf(evidence);
  const block = evidence.ended === null ? undefined : analyticsBlockOf(evidence.ended);
  return {
    ...outcome,
    advice: [...new Set([...outcome.advice, ...adviceCrossingCancel(evidence)])],
    warnings: warningsOf(evidence),
    redress: block?.redress ?? null,
  };
}

function outcomeOf(evidence: AttemptEvidence): Outcome {
  return (
    ownCancel(evidence) ??
    refusal(evidence) ??
    answer(evidence) ??
    rowOfEarlyMedia(evidence) ??
    (evidence.ended === null ? rows.RECOVERED : finalResponse(evidence.ended, evidence))
  );
}

/** The reason for which the INVITE was given up, by us or by a limit of the gateway's. */
function cancelReasonOf({ cancelReason, ended }: AttemptEvidence): CancelReason | null {
  if (cancelReason !== null) return cancelReason;
  return CANCEL_REASONS.find((reason) => reason === ended?.cancelReason) ?? null;
}

/** Whether an INVITE may have left. */
export function isTried({ refused, sent, ended, inDoubt }: AttemptEvidence): boolean {
  if (ended !== null) return ended.invites > 0;
  return sent !== null || (inDoubt && refused === null);
}

/** Rows 1 to 4. Without a record of the end only a cancel on request is certain: it stands. */
function ownCancel(evidence: AttemptEvidence): Outcome | undefined {
  const reason = cancelReasonOf(evidence);
  if (reason === null) return undefined;
  const tried = isTried(evidence);
  if (reason === 'cancelled') {
    return tried ? rows.CANCELLED_RINGING : rows.CANCELLED_BEFORE_INVITE;
  }
  if (evidence.refused?.code === 'STALE_FENCE') return rows.STALE_FENCE;
  if (evidence.ended === null && evidence.refused === null) return rows.RECOVERED;
  if (reason === 'early_media') return rowOfEarlyMedia(evidence);
  if (reason === 'setup_timeout') return setupTimeout(evidence);
  if (reason === 'ring_timeout') return rows.RING_TIMEOUT;
  if (reason === 'shutdown') return tried ? rows.SHUT_DOWN_RINGING : rows.SHUT_DOWN_BEFORE_INVITE;
  return tried ? rows.RECALLED_RINGING : rows.RECALLED_BEFORE_INVITE;
}

/**
 * We waited for a sign of ringing in vain. Whatever arrived after all says more than our timer;
 * a 487 only confirms it, and a network that took the INVITE may have rung a phone silently.
 */
function setupTimeout({ ended, answered }: AttemptEvidence): Outcome | undefined {
  if (ended === null) return undefined;
  const silent = ended.sip.statusCode === null || ended.sip.statusCode === 487;
  const confirmed = ended.sip.origin === 'network' && silent;
  if (confirmed || ended.answered || answered !== null) return rows.NO_RESPONSE;
  return silent ? rows.TRUNK_TIMEOUT : undefined;
}

function refusal({ refused }: AttemptEvidence): Outcome | undefined {
  return refused === null ? undefined : rows.REFUSAL_ROWS[refused.code];
}

/** Rows 5 to 12: the called side went off-hook. */
function answer(evidence: AttemptEvidence): Outcome | undefined {
  const { ended, agentFailure, engaged } = evidence;
  if (evidence.answered === null && ended?.answered !== true) return undefined;
  if (evidence.preview) return rows.PREVIEW_ANSWER;
  // Also after an agent that failed, and whatever a detector says of it afterwards.
  if (engaged?.with === 'lobby') return rows.LIVE_ANSWER;
  const verdict = verdictOf(evidence);
  if (verdict === 'fax') return rows.FAX;
  if (verdict === 'sit') return rows.SIT;
  if (verdict === 'machine') {
    return isMessageLeft(evidence) ? rows.MACHINE_MESSAGE : rows.MACHINE_HANGUP;
  }
  // It listened to the whole call, and nobody said a word: there was no conversation (OUT-03).
  if (evidence.agentVerdict?.verdict === 'silence') return rows.NO_SPEECH;
  if (agentFailure !== null) return rows.AGENT_FAILED[agentFailure.reason];
  if (engaged !== null) return rows.LIVE_ANSWER;
  if (evidence.waitExceeded) return rows.ABANDONED_BY_SYSTEM;
  if (ended === null) return rows.RECOVERED;
  return unengagedAnswer(evidence, ended);
}

/** Nobody and nothing engaged whoever answered: who gave up decides. */
function unengagedAnswer(evidence: AttemptEvidence, ended: AttemptEnded): Outcome {
  const verdict = verdictOf(evidence);
  if (verdict === 'silence') return rows.NO_SPEECH;
  if (ended.endedBy === 'far' && !isPromptDone(evidence)) return rows.ABANDONED_BY_CUSTOMER;
  // A person was there and we, not they, ended it: that is an abandoned call, however it came.
  if (verdict === 'human' && ended.endedBy !== 'far') return rows.ABANDONED_BY_SYSTEM;
  // So is one that nobody could be found for, whoever answered.
  if (evidence.hangupReason === 'no_connect') return rows.ABANDONED_BY_SYSTEM;
  return verdict === 'unknown' ? rows.NO_SPEECH : rows.NOT_CLASSIFIED;
}

/** Who answered: by the AI agent's word, else by the sound of it. */
export function verdictOf({
  agentVerdict,
  classified,
}: Pick<AttemptEvidence, 'agentVerdict' | 'classified'>): AnswerVerdict | undefined {
  return agentVerdict?.verdict ?? classified?.verdict;
}

function isMessageLeft({ plays, agentVerdict }: AttemptEvidence): boolean {
  if (agentVerdict?.messageLeft === true) return true;
  return plays.some(({ playId, status }) => playId !== FALLBACK_PLAY_ID && status === 'done');
}

function isPromptDone({ plays }: AttemptEvidence): boolean {
  return plays.some(({ status }) => status === 'done');
}

/** Rows 13 to 16. In preview the representative hears the greeting, and nothing is detected. */
export function rowOfEarlyMedia({
  preview,
  earlyMedia: heard,
}: AttemptEvidence): Outcome | undefined {
  if (heard?.verdict == null || (preview && heard.verdict === 'voicemail')) return undefined;
  return rows.EARLY_MEDIA_ROWS[heard.verdict];
}

/** Rows 17 to 33. */
function finalResponse(ended: AttemptEnded, evidence: AttemptEvidence): Outcome {
  const { statusCode, origin } = ended.sip;
  if (origin === 'stack' && (statusCode === 408 || statusCode === 503)) return rows.TRUNK_TIMEOUT;
  if (statusCode === null || (statusCode === 487 && isOurs(ended))) {
    return withoutFinal(ended, evidence);
  }
  // A person's or a network's word about this very call says more than the cause beside it.
  if (statusCode === 607) return rows.UNWANTED;
  if (analyticsBlockOf(ended) !== undefined) return rows.BLOCKED_BY_ANALYTICS;
  return decidingCauseOf(ended)?.row ?? rows.sipRowOf(statusCode);
}

function isOurs({ endedBy }: AttemptEnded): boolean {
  return endedBy === 'dialer' || endedBy === 'gateway' || endedBy === 'switch';
}

/** No final response, or a 487 to a CANCEL of ours that nobody gave a reason for. */
function withoutFinal(ended: AttemptEnded, { alerting }: AttemptEvidence): Outcome {
  const gone = ended.sip.statusCode === null;
  switch (ended.endedBy) {
    case 'switch':
      if (ended.invites === 0) return rows.SWITCH_LOST_BEFORE_INVITE;
      return gone ? rows.SWITCH_LOST_RINGING : rows.SWITCH_LOST;
    case 'gateway':
      if (!gone) return rows.SWITCH_LOST;
      return alerting === null ? rows.TRUNK_TIMEOUT : rows.RECOVERED;
    case 'dialer':
      return ended.invites === 0 ? rows.RECALLED_BEFORE_INVITE : rows.RECALLED_RINGING;
    case 'trunk':
    case 'far':
      return decidingCauseOf(ended)?.row ?? rows.TRUNK_TIMEOUT;
  }
}

/** A 607 or 608 that crossed our CANCEL is still the word of the called side. */
function adviceCrossingCancel(evidence: AttemptEvidence): readonly rows.Advice[] {
  return evidence.ended !== null && isFinalCrossingCancel(evidence)
    ? finalResponse(evidence.ended, evidence).advice
    : [];
}

function isFinalCrossingCancel(evidence: AttemptEvidence): boolean {
  const { statusCode, origin } = evidence.ended?.sip ?? {};
  if (cancelReasonOf(evidence) === null || origin !== 'network') return false;
  return statusCode != null && statusCode >= 300 && statusCode !== 487;
}

function warningsOf(evidence: AttemptEvidence): Warning[] {
  const { ended, plays } = evidence;
  const isAnswered = evidence.answered !== null || ended?.answered === true;
  const meanings =
    ended === null ? [] : meaningfulCausesOf(ended).filter(({ generic }) => !generic);
  const found: Record<Warning, boolean> = {
    answered_late: isAnswered && cancelReasonOf(evidence) !== null,
    final_crossed_cancel: isFinalCrossingCancel(evidence),
    causes_disagree: new Set(meanings.map(({ row }) => row.result)).size > 1,
    prompt_failed: plays.some(({ status }) => status === 'notFound' || status === 'failed'),
    no_end_record: ended === null && evidence.refused === null,
  };
  return WARNINGS.filter((warning) => found[warning]);
}
