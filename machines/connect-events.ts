/** What became of joining the customer's leg with a representative or an AI agent. */
import { Type } from 'typebox';
import { ATTEMPT_ENVELOPE, DurationMs } from './telephony-envelope.ts';

const ConnectId = Type.String({ description: 'Of the attempt.connect command.' });

export const AttemptConnected = Type.Object({
  type: Type.Literal('attempt.connected'),
  ...ATTEMPT_ENVELOPE,
  connectId: ConnectId,
  target: Type.Enum(['lobby', 'aiAgent']),
  afterAnswerMs: DurationMs('Since the answer; 0 when before it, for early media.'),
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
  endedBy: Type.Enum(['far', 'target', 'dialer', 'gateway', 'switch'], {
    description: 'far: the customer. target: the agent, or the representative.',
  }),
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

/** By which way something came from the agent. Those by `post` are told by the dialer itself. */
export const ESCALATED_BY = ['refer', 'post'] as const;
export const RETURNED_BY = ['info', 'bye', 'post'] as const;

/** The AI agent asks for a human. */
export const AiAgentEscalated = Type.Object({
  type: Type.Literal('aiAgent.escalated'),
  ...ATTEMPT_ENVELOPE,
  by: Type.Enum([...ESCALATED_BY]),
  referTo: Type.Union([Type.String(), Type.Null()], {
    description: 'Refer-To of the REFER (RFC 3515 §2.1): a wish. Who is asked, the dialer decides.',
  }),
  attributes: Type.Record(Type.String(), Type.String()),
});

/**
 * Attributes that the AI agent returned. The one event that may come after `attempt.ended`: an agent
 * whose customer hung up answers our BYE with them, until 10 s after the end.
 */
export const AiAgentReturned = Type.Object({
  type: Type.Literal('aiAgent.returned'),
  ...ATTEMPT_ENVELOPE,
  by: Type.Enum([...RETURNED_BY], {
    description: 'bye: in the body of a BYE, or of the answer to ours.',
  }),
  attributes: Type.Record(Type.String(), Type.String()),
});

export const UTTERANCE_BASES = [
  'audio', // heard: the first frame of the agent above the level of silence
  'packet', // the first RTP packet, silent or not: the earliest that it can have been
] as const;
export type UtteranceBasis = (typeof UTTERANCE_BASES)[number];

/** The agent's first words reached us. Once per connect, and only when the delay could be measured. */
export const AiAgentFirstUtterance = Type.Object({
  type: Type.Literal('aiAgent.firstUtterance'),
  ...ATTEMPT_ENVELOPE,
  afterConnectMs: DurationMs('Since both could hear each other; 0 when the agent spoke before.'),
  basis: Type.Enum([...UTTERANCE_BASES], { description: 'What the delay was read from.' }),
});
