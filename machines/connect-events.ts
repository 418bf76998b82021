/** What became of joining the customer's leg with a representative or an AI agent. */
import { Type } from 'typebox';
import { ATTEMPT_ENVELOPE, DurationMs } from './telephony-envelope.ts';

const ConnectId = Type.String({ description: 'Of the attempt.connect command.' });

export const AttemptConnected = Type.Object({
  type: Type.Literal('attempt.connected'),
  ...ATTEMPT_ENVELOPE,
  connectId: ConnectId,
  target: Type.Enum(['lobby', 'aiAgent']),
  afterAnswerMs: DurationMs('Since the answer.'),
  afterGreetingEndMs: Type.Union([Type.Integer(), Type.Null()], {
    description: 'Since the greeting’s end, ms; negative when before it, null when unknown.',
  }),
});

export const CONNECT_FAILURES = [
  'failsafe', // the abandonment clock ran out: the message was played and the call ended
  'target_gone', // the lobby leg or the agent was lost
  'target_refused',
  'target_timeout',
  'media', // bridging failed at the media server
] as const;
export type ConnectFailure = (typeof CONNECT_FAILURES)[number];

export const AttemptConnectFailed = Type.Object({
  type: Type.Literal('attempt.connectFailed'),
  ...ATTEMPT_ENVELOPE,
  connectId: Type.Union([ConnectId, Type.Null()], {
    description: 'Null when the clock ran out before any connect was commanded.',
  }),
  reason: Type.Enum([...CONNECT_FAILURES]),
  detail: Type.String(),
});

export const AttemptBridgeEnded = Type.Object({
  type: Type.Literal('attempt.bridgeEnded'),
  ...ATTEMPT_ENVELOPE,
  connectId: ConnectId,
  endedBy: Type.Enum(['far', 'target', 'dialer', 'switch']),
  bridgedMs: DurationMs('How long both could hear each other.'),
});

export const AI_AGENT_FAILURES = [
  'setup', // no 200 from the agent
  'media', // answered without usable SDP, or its audio stopped
  'protocol', // broke the contract
  'lost', // its leg ended with an error while the customer was there
] as const;
export type AiAgentFailure = (typeof AI_AGENT_FAILURES)[number];

export const AiAgentFailed = Type.Object({
  type: Type.Literal('aiAgent.failed'),
  ...ATTEMPT_ENVELOPE,
  reason: Type.Enum([...AI_AGENT_FAILURES]),
  statusCode: Type.Union([Type.Integer(), Type.Null()], {
    description: 'Final SIP response of the agent’s leg, where there was one.',
  }),
  detail: Type.String(),
});

/** The AI agent asks for a human. */
export const AiAgentEscalated = Type.Object({
  type: Type.Literal('aiAgent.escalated'),
  ...ATTEMPT_ENVELOPE,
  attributes: Type.Record(Type.String(), Type.String()),
});

/** Attributes that the AI agent returned, accepted until shortly after the end of the call. */
export const AiAgentReturned = Type.Object({
  type: Type.Literal('aiAgent.returned'),
  ...ATTEMPT_ENVELOPE,
  attributes: Type.Record(Type.String(), Type.String()),
});
