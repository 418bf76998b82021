/** Evidence as tests need it: one fact at a time, everything else unremarkable. */
import type { AttemptEnded } from '../../machines/attempt-ended.ts';
import type { AnswerVerdict, EarlyMediaVerdict } from '../../machines/telephony-events.ts';

export function ended(more: Partial<AttemptEnded> = {}): AttemptEnded {
  return {
    sip: { statusCode: null, reasonPhrase: null, origin: 'none' },
    q850: [],
    reasonHeaders: [],
    endedBy: 'far',
    cancelReason: null,
    answered: false,
    ringMs: null,
    talkMs: null,
    invites: 1,
    ...more,
  };
}

export function final(
  statusCode: number,
  more: Partial<AttemptEnded> = {},
  reasonPhrase = 'Phrase',
) {
  return ended({ sip: { statusCode, reasonPhrase, origin: 'network' }, ...more });
}

export function stack(statusCode: number, more: Partial<AttemptEnded> = {}) {
  return ended({ sip: { statusCode, reasonPhrase: null, origin: 'stack' }, ...more });
}

export function q850(...causes: number[]): Pick<AttemptEnded, 'q850'> {
  return { q850: causes.map((cause) => ({ cause, text: null })) };
}

export const heard = { seq: 1 };
export const sent = { ...heard, callId: 'c1', trunk: 'lab' };
export const alerting = { ...heard, statusCode: 180, afterSentMs: 80 };
export const answered = { ...heard, afterSentMs: 4_000 };
export const byFar = final(200, { answered: true, talkMs: 900 });
export const byUs = final(200, { answered: true, talkMs: 900, endedBy: 'dialer' });
export const done = { ...heard, playId: 'p', status: 'done' as const };
export const verdictOf = (verdict: AnswerVerdict) => ({ ...heard, verdict });
export const early = (verdict: EarlyMediaVerdict) => ({ ...heard, verdict });
