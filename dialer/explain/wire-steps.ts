/** What the gateway said of an attempt, step by step, in words. */
import type { AttemptEvent, EventOf } from '../../machines/telephony-events.ts';
import type { Moment } from './account.ts';
import type { AttemptEvidence } from '../../machines/attempt-evidence.ts';
import type { History, LoggedEvent } from './read-history.ts';
import { CANCEL_MEANING, pauseInWords } from './words.ts';
import { CANCEL_REASONS } from '../../machines/telephony-commands.ts';

/** Entries of types that a later release may add are told by their name. */
export function wireSteps(events: readonly LoggedEvent[]): Moment[] {
  return events.map(({ type, atMs, payload }) => {
    const event = payload as unknown as AttemptEvent;
    const saidAtMs = typeof payload['atMs'] === 'number' ? payload['atMs'] : atMs;
    return {
      atMs: saidAtMs,
      text: stepInWords({ ...event, type: type as AttemptEvent['type'] } as AttemptEvent),
    };
  });
}

/** Why no INVITE left, where no event of the gateway says it. Nothing when one may have left. */
export function notSent(
  { attempt, attemptEvents }: Pick<History, 'attempt' | 'attemptEvents'>,
  record: LoggedEvent | undefined,
): Moment[] {
  if (record?.payload['wasTried'] !== false) return [];
  if (attemptEvents.some(({ type }) => type === 'attempt.refused')) return [];
  const stored = JSON.parse(attempt?.evidence ?? '{}') as {
    evidence?: Partial<AttemptEvidence> | null;
  };
  const refused = stored.evidence?.refused ?? null;
  const text =
    refused === null
      ? 'Given up before any INVITE had left.'
      : `Refused by the gateway before any INVITE: ${refused.code} (${refused.detail}).`;
  return [{ atMs: record.atMs, text }];
}

function stepInWords(event: AttemptEvent): string {
  switch (event.type) {
    case 'attempt.sent':
      return `INVITE sent on trunk ${event.trunk} (Call-ID ${event.callId}).`;
    case 'attempt.refused':
      return `Refused by the gateway before any INVITE: ${event.code} (${event.detail}).`;
    case 'attempt.alerting':
      return `Ringing: ${event.statusCode} after ${pauseInWords(event.afterSentMs)}.`;
    case 'attempt.earlyMedia':
      return earlyMedia(event);
    case 'attempt.answered':
      return `Answered: 200 after ${pauseInWords(event.afterSentMs)}.`;
    case 'attempt.classified':
      return `Judged ${event.verdict} ${pauseInWords(event.afterAnswerMs)} after the answer (probability of a person ${event.humanProbability.toFixed(2)}).`;
    case 'attempt.greetingEnded':
      return 'The greeting ended.';
    case 'attempt.beep':
      return 'A beep was heard.';
    case 'attempt.connected':
      return `Connected to ${event.target === 'aiAgent' ? 'the AI agent' : 'a representative'} ${pauseInWords(event.afterAnswerMs)} after the answer.`;
    case 'attempt.connectFailed':
      return `Could not be connected: ${event.reason} (${event.detail}).`;
    case 'attempt.bridgeEnded':
      return `The conversation ended after ${pauseInWords(event.bridgedMs)}, by ${BRIDGE_ENDED_BY[event.endedBy]}.`;
    case 'attempt.dtmf':
      return `Key ${event.digit} was pressed.`;
    case 'attempt.played':
      return `Prompt played: ${event.status}, ${pauseInWords(event.playedMs)} of it.`;
    case 'attempt.ended':
      return ended(event);
    case 'aiAgent.failed':
      return `The AI agent failed: ${event.reason}${event.statusCode === null ? '' : `, SIP ${event.statusCode}`} (${event.detail}).`;
    case 'aiAgent.firstUtterance':
      return `The AI agent’s first words reached us ${pauseInWords(event.afterConnectMs)} after the connect (by its first ${event.basis}).`;
    case 'aiAgent.escalated':
      return 'The AI agent asked for a human.';
    case 'aiAgent.returned':
      return 'The AI agent returned what it had learnt.';
    default:
      return `${event.type}.`;
  }
}

const BRIDGE_ENDED_BY: Readonly<Record<EventOf<'attempt.bridgeEnded'>['endedBy'], string>> = {
  far: 'the person',
  target: 'the agent',
  dialer: 'the dialer',
  gateway: 'the gateway',
  switch: 'the switch',
};

function earlyMedia({ statusCode, verdict, afterSentMs }: EventOf<'attempt.earlyMedia'>): string {
  const heard = verdict === null ? '' : `: ${verdict}`;
  return `Sound before the answer (${statusCode}, after ${pauseInWords(afterSentMs)})${heard}.`;
}

const ENDED_BY = {
  far: 'the called side',
  dialer: 'us',
  gateway: 'a limit of the gateway',
  switch: 'the loss of our switch',
  trunk: 'a silent trunk',
} as const;

function ended(event: EventOf<'attempt.ended'>): string {
  const { q850, endedBy, cancelReason, talkMs, invites } = event;
  const causes = q850.map(({ cause, text }) => `${cause}${text === null ? '' : ` (${text})`}`);
  const end =
    talkMs === null
      ? `Ended by ${ENDED_BY[endedBy]}: ${finalCode(event)}`
      : `Hung up by ${ENDED_BY[endedBy]}, ${pauseInWords(talkMs)} after the answer`;
  const reason = CANCEL_REASONS.find((one) => one === cancelReason);
  const why = reason === undefined ? cancelReason : CANCEL_MEANING[reason];
  return [
    end,
    ...(causes.length > 0 ? [`Q.850 ${causes.join(', ')}`] : []),
    ...(why === null ? [] : [`given up because ${why}`]),
    ...(invites > 1 ? [`${invites} INVITEs`] : []),
    ...(invites === 0 ? ['no INVITE had left'] : []),
  ]
    .join('; ')
    .concat('.');
}

function finalCode({
  sip: { statusCode, reasonPhrase, origin },
}: EventOf<'attempt.ended'>): string {
  if (statusCode === null) return 'no final response';
  const said = `SIP ${statusCode}${reasonPhrase === null ? '' : ` ${reasonPhrase}`}`;
  // What the stack makes up by itself must never pass for a word of the network.
  return origin === 'network'
    ? `${said} from the network`
    : `no response from the network (our own SIP stack noted ${statusCode})`;
}
