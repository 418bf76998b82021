/**
 * What is known about one attempt, folded from its events. The fold is commutative and ignores
 * repeats (each fact keeps the sequence number that brought it), so that the order in which
 * messages arrive cannot change the evidence, nor therefore the Result.
 */
import { agentVerdictIn, type AgentVerdict } from './agent-verdict.ts';
import type { AttemptEnded } from './attempt-ended.ts';
import type { RefusalCode } from './command-reply.ts';
import type { AiAgentFailure } from './connect-events.ts';
import type { CancelReason, HangupReason } from './telephony-commands.ts';
import type {
  AnswerVerdict,
  AttemptEvent,
  EarlyMediaVerdict,
  EventOf,
  PlayStatus,
} from './telephony-events.ts';

/** `seq` of the event that brought a fact. */
interface Heard {
  readonly seq: number;
}

export interface AttemptEvidence {
  /** Dialled by a representative in preview mode: nothing is detected after the answer. */
  readonly preview: boolean;
  readonly refused: { readonly code: RefusalCode; readonly detail: string } | null;
  /** Why we gave it up while no answer was known; the first reason stays. */
  readonly cancelReason: CancelReason | null;
  /** Why we hung up an answered attempt. */
  readonly hangupReason: HangupReason | null;
  readonly sent:
    | (Heard & { readonly callId: string; readonly trunk: string; readonly dialogId?: string })
    | null;
  /** First provisional response other than 100. */
  readonly alerting: (Heard & { readonly statusCode: number; readonly afterSentMs: number }) | null;
  /** Last verdict on early media; a verdict of null never replaces one. */
  readonly earlyMedia: (Heard & { readonly verdict: EarlyMediaVerdict | null }) | null;
  readonly answered: (Heard & { readonly afterSentMs: number; readonly dialogId?: string }) | null;
  /** Last verdict on who answered. */
  readonly classified:
    | (Heard & {
        readonly verdict: AnswerVerdict;
        /** Answer to the first speech, ms; absent when none was heard. */
        readonly speechStartMs?: number;
      })
    | null;
  /** The AI agent's last word on who answered. */
  readonly agentVerdict: (Heard & AgentVerdict) | null;
  /** First connect with a representative, else with an AI agent. */
  readonly engaged: (Heard & { readonly with: 'lobby' | 'aiAgent' }) | null;
  /** The abandonment clock ran out before anybody was connected. */
  readonly waitExceeded: boolean;
  readonly agentFailure: (Heard & { readonly reason: AiAgentFailure }) | null;
  /** The AI agent asked for a human. */
  readonly escalated: Heard | null;
  readonly plays: readonly (Heard & { readonly playId: string; readonly status: PlayStatus })[];
  readonly digits: readonly (Heard & { readonly digit: string })[];
  /** The person pressed a digit by which they are not called again. */
  readonly optOut: (Heard & { readonly digit: string; readonly playId: string | null }) | null;
  readonly ended: AttemptEnded | null;
  /** The gateway was silent, or was lost, at some time. */
  readonly inDoubt: boolean;
}

/** More than this many plays or digits of one attempt are not kept. */
const KEPT_MAX = 64;

export function emptyEvidence(preview = false): AttemptEvidence {
  return {
    preview,
    refused: null,
    cancelReason: null,
    hangupReason: null,
    sent: null,
    alerting: null,
    earlyMedia: null,
    answered: null,
    classified: null,
    agentVerdict: null,
    engaged: null,
    waitExceeded: false,
    agentFailure: null,
    escalated: null,
    plays: [],
    digits: [],
    optOut: null,
    ended: null,
    inDoubt: false,
  };
}

/** The evidence with one more event. Events that prove nothing about the Result change nothing. */
export function withEvent(evidence: AttemptEvidence, event: AttemptEvent): AttemptEvidence {
  const { seq } = event;
  switch (event.type) {
    case 'attempt.sent': {
      const { callId, trunk, dialogId } = event;
      const sent = { seq, callId, trunk, ...(dialogId === undefined ? {} : { dialogId }) };
      return { ...evidence, sent: latest(evidence.sent, sent) };
    }
    case 'attempt.refused':
      return withRefusal(evidence, event);
    case 'attempt.alerting':
      return { ...evidence, alerting: earliest(evidence.alerting, provisionalOf(event)) };
    case 'attempt.earlyMedia': {
      const alerting = earliest(evidence.alerting, provisionalOf(event));
      const { verdict } = event;
      return {
        ...evidence,
        alerting,
        earlyMedia: laterVerdict(evidence.earlyMedia, { seq, verdict }),
      };
    }
    case 'attempt.answered': {
      const { afterSentMs, dialogId } = event;
      return { ...evidence, answered: earliest(evidence.answered, { seq, afterSentMs, dialogId }) };
    }
    case 'attempt.classified': {
      const { verdict, evidence: features } = event;
      const speech = features['speechStartMs'];
      const speechStart = typeof speech === 'number' ? { speechStartMs: Math.round(speech) } : {};
      const classified = { seq, verdict, ...speechStart };
      return { ...evidence, classified: latest(evidence.classified, classified) };
    }
    case 'attempt.connected':
      return { ...evidence, engaged: strongest(evidence.engaged, { seq, with: event.target }) };
    case 'attempt.connectFailed':
      return event.reason === 'failsafe' ? { ...evidence, waitExceeded: true } : evidence;
    case 'aiAgent.failed': {
      const { reason } = event;
      return { ...evidence, agentFailure: earliest(evidence.agentFailure, { seq, reason }) };
    }
    case 'aiAgent.escalated':
      return { ...evidence, escalated: earliest(evidence.escalated, { seq }) };
    case 'aiAgent.returned': {
      const said = agentVerdictIn(event.attributes);
      if (said === undefined) return evidence;
      return { ...evidence, agentVerdict: latest(evidence.agentVerdict, { seq, ...said }) };
    }
    case 'attempt.optOut': {
      const { digit, playId } = event;
      return { ...evidence, optOut: earliest(evidence.optOut, { seq, digit, playId }) };
    }
    case 'attempt.played': {
      const { playId, status } = event;
      return { ...evidence, plays: inOrder(evidence.plays, { seq, playId, status }) };
    }
    case 'attempt.dtmf':
      return { ...evidence, digits: inOrder(evidence.digits, { seq, digit: event.digit }) };
    case 'attempt.ended':
      return withEnd(evidence, event);
    default:
      return evidence;
  }
}

/** The evidence with the end of the attempt; the first end stays. */
export function withEnd(evidence: AttemptEvidence, ended: AttemptEnded): AttemptEvidence {
  if (evidence.ended !== null) return evidence;
  const { sip, q850, reasonHeaders, endedBy, cancelReason, answered } = ended;
  const { ringMs, talkMs, invites, redress } = ended;
  const kept: AttemptEnded = {
    ...{ sip, q850, reasonHeaders, endedBy, cancelReason, answered, ringMs, talkMs, invites },
    ...(redress === undefined ? {} : { redress }),
  };
  return { ...evidence, ended: kept };
}

/** The evidence with the agent's word that came by no event of the gateway; the last word stands. */
export function withAgentVerdict(
  evidence: AttemptEvidence,
  { verdict, messageLeft }: AgentVerdict,
  seq: number,
): AttemptEvidence {
  return { ...evidence, agentVerdict: { seq, verdict, messageLeft } };
}

/** The evidence with our own giving up; the first reason stays. */
export function withCancel(evidence: AttemptEvidence, reason: CancelReason): AttemptEvidence {
  return { ...evidence, cancelReason: evidence.cancelReason ?? reason };
}

/** The evidence with our own hang-up; the first reason stays. */
export function withHangup(evidence: AttemptEvidence, reason: HangupReason): AttemptEvidence {
  return { ...evidence, hangupReason: evidence.hangupReason ?? reason };
}

export function withRefusal(
  evidence: AttemptEvidence,
  refused: { readonly code: RefusalCode; readonly detail: string },
): AttemptEvidence {
  return {
    ...evidence,
    refused: evidence.refused ?? { code: refused.code, detail: refused.detail },
  };
}

function provisionalOf(event: EventOf<'attempt.alerting'> | EventOf<'attempt.earlyMedia'>) {
  const { seq, statusCode, afterSentMs } = event;
  return { seq, statusCode, afterSentMs };
}

function earliest<T extends Heard>(known: T | null, heard: T): T {
  return known !== null && known.seq <= heard.seq ? known : heard;
}

function latest<T extends Heard>(known: T | null, heard: T): T {
  return known !== null && known.seq >= heard.seq ? known : heard;
}

function strongest<T extends Heard & { readonly with: string }>(known: T | null, heard: T): T {
  if (known === null || known.with === heard.with) return earliest(known, heard);
  return known.with === 'lobby' ? known : heard;
}

function laterVerdict<T extends Heard & { readonly verdict: unknown }>(
  known: T | null,
  heard: T,
): T {
  if (known === null) return heard;
  if ((known.verdict === null) !== (heard.verdict === null)) {
    return known.verdict === null ? heard : known;
  }
  return latest(known, heard);
}

function inOrder<T extends Heard>(known: readonly T[], heard: T): readonly T[] {
  if (known.some(({ seq }) => seq === heard.seq)) return known;
  return [...known, heard].sort((a, b) => a.seq - b.seq).slice(0, KEPT_MAX);
}
