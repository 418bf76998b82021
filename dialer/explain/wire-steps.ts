/** What the gateway said of an attempt, step by step, in words. */
import type { AttemptEvent, EventOf } from '../../machines/telephony-events.ts';
import type { Moment } from './account.ts';
import type { LoggedEvent } from './read-history.ts';
import { pauseInWords } from './words.ts';

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
      return 'The AI agent returned its results.';
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
  const { sip, q850, endedBy, cancelReason, talkMs, invites } = event;
  const code =
    sip.statusCode === null
      ? 'no final response'
      : `SIP ${sip.statusCode}${sip.reasonPhrase === null ? '' : ` ${sip.reasonPhrase}`} from ${sip.origin === 'network' ? 'the network' : 'our own SIP stack'}`;
  const causes = q850.map(({ cause, text }) => `${cause}${text === null ? '' : ` (${text})`}`);
  return [
    `Ended by ${ENDED_BY[endedBy]}: ${code}`,
    ...(causes.length > 0 ? [`Q.850 ${causes.join(', ')}`] : []),
    ...(cancelReason === null ? [] : [`given up: ${cancelReason}`]),
    ...(talkMs === null ? [] : [`${pauseInWords(talkMs)} after the answer`]),
    ...(invites > 1 ? [`${invites} INVITEs`] : []),
    ...(invites === 0 ? ['no INVITE had left'] : []),
  ]
    .join('; ')
    .concat('.');
}
