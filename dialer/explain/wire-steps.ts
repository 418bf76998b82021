/** What the gateway said of an attempt, step by step, in words. */
import type { AttemptEvent, EarlyMediaVerdict, EventOf } from '../../machines/telephony-events.ts';
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
      text:
        transcriptInWords(type, payload) ??
        stepInWords({ ...event, type: type as AttemptEvent['type'] } as AttemptEvent),
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
      return classified(event);
    case 'attempt.greetingEnded':
      return `The greeting ended${afterAnswer(event.afterAnswerMs)}.`;
    case 'attempt.beep':
      return `A beep was heard${afterAnswer(event.afterAnswerMs)}.`;
    case 'attempt.connected':
      return connected(event);
    case 'attempt.connectFailed':
      return event.reason === 'failsafe'
        ? `Abandoned: the gateway’s clock ran out (${event.detail}). It says its message and hangs up.`
        : `Could not be connected: ${CONNECT_FAILED[event.reason]} (${event.detail}).`;
    case 'attempt.bridgeEnded':
      return `The conversation ended after ${pauseInWords(event.bridgedMs)}, by ${BRIDGE_ENDED_BY[event.endedBy]}.`;
    case 'attempt.dtmf':
      return `Key ${event.digit} was pressed.`;
    case 'attempt.optOut':
      return `The person pressed ${event.digit} not to be called again, while ${event.playId === null ? 'the message to an abandoned person' : 'a message'} was said.`;
    case 'attempt.played':
      return `${PLAYED[event.playId] ?? 'Prompt'} played: ${event.status}, ${pauseInWords(event.playedMs)} of it.`;
    case 'attempt.transferred':
      return 'The person was passed on, and talks to somebody else.';
    case 'attempt.transferFailed':
      return `The person could not be passed on: ${event.reason} (${event.detail}).`;
    case 'recording.started':
      return 'The recording began.';
    case 'recording.ended':
      return recorded(event);
    case 'recording.failed':
      return `The recording failed (${event.detail}).`;
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

/** That it is there, never what was said. */
function transcriptInWords(
  type: string,
  { turns, detail }: Readonly<Record<string, unknown>>,
): string | undefined {
  switch (type) {
    case 'recording.transcribed':
      return `The recording was put in writing (${String(turns)} turns).`;
    case 'recording.transcriptionFailed':
      return `The recording could not be put in writing (${String(detail)}).`;
    case 'recording.transcriptErased':
      return 'What was said was erased.';
    default:
      return undefined;
  }
}

/** Where it is: for whoever must hear it. */
function recorded({ location, lengthMs }: EventOf<'recording.ended'>): string {
  return `The recording is kept as ${location}, ${pauseInWords(lengthMs)} long.`;
}

/** By which the machine names what it plays (machines/play-ids.ts), and the gateway its own. */
const PLAYED: Readonly<Partial<Record<string, string>>> = {
  afterAnswer: 'Announcement',
  fallback: 'What is said when the AI agent fails was',
  message: 'Message to the machine',
  failsafe: 'Message to an abandoned person',
  optOut: 'Confirmation of the opt-out',
};

const CONNECT_FAILED: Readonly<Record<EventOf<'attempt.connectFailed'>['reason'], string>> = {
  failsafe: 'the abandonment clock ran out',
  target_gone: 'whom they were to be connected to was gone',
  target_refused: 'the other side refused',
  target_timeout: 'the other side did not answer in time',
  media: 'the media server could not join the two',
};

/** Left out of what an earlier release has logged without it. */
function afterAnswer(ms: number | undefined): string {
  return ms === undefined ? '' : ` ${pauseInWords(ms)} after the answer`;
}

function connected({
  target,
  afterAnswerMs,
  afterGreetingEndMs,
}: EventOf<'attempt.connected'>): string {
  const whom = target === 'aiAgent' ? 'the AI agent' : 'a representative';
  const greeting =
    typeof afterGreetingEndMs === 'number' && afterGreetingEndMs > 0
      ? `, ${pauseInWords(afterGreetingEndMs)} after the greeting`
      : '';
  return `Connected to ${whom}${afterAnswer(afterAnswerMs)}${greeting}.`;
}

/** What the verdict was made of: numbers and words as the detector gave them. */
function classified(event: EventOf<'attempt.classified'>): string {
  const { verdict, humanProbability, afterAnswerMs, evidence } = event;
  const features = Object.entries(evidence).flatMap(([name, value]) => {
    if (typeof value === 'number') return [`${featureName(name)} ${featureValue(name, value)}`];
    return typeof value === 'string' ? [`${featureName(name)} ${value}`] : [];
  });
  const heard = features.length === 0 ? '' : ` Heard: ${features.join(', ')}.`;
  return `Judged ${verdict}${afterAnswer(afterAnswerMs)} (probability of a person ${humanProbability.toFixed(2)}).${heard}`;
}

/** `longestPauseMs` is read as `longest pause`. */
function featureName(name: string): string {
  return name
    .replace(/(?:Ms|Hz)$/, '')
    .replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function featureValue(name: string, value: number): string {
  if (name.endsWith('Ms')) return pauseInWords(value);
  const rounded = String(Number(value.toFixed(2)));
  return name.endsWith('Hz') ? `${rounded} Hz` : rounded;
}

const BRIDGE_ENDED_BY: Readonly<Record<EventOf<'attempt.bridgeEnded'>['endedBy'], string>> = {
  far: 'the person',
  target: 'the agent or the representative',
  dialer: 'the dialer',
  gateway: 'the gateway',
  switch: 'the switch',
};

const EARLY: Readonly<Record<EarlyMediaVerdict, string>> = {
  ringback: 'ringing',
  busy: 'the busy tone',
  reorder: 'the tone of a congested network',
  sit_vacant: 'the tones of a number that does not exist',
  sit_no_circuit: 'the tones of a network without a free line',
  voicemail: 'the greeting of a voicemail',
  other: 'nothing that is known',
};

function earlyMedia({ statusCode, verdict, afterSentMs }: EventOf<'attempt.earlyMedia'>): string {
  const heard = verdict === null ? '' : `: ${EARLY[verdict]}`;
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
