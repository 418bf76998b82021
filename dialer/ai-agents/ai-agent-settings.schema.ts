/** The AI agent of a workstream: where it is called, how long it may take, what is said if it fails. */
import { Type, type Static } from 'typebox';
import { Value } from 'typebox/value';
import { DialerError } from '../../machines/errors.ts';
import type { WorkstreamRow } from '../store/schema/engagement-tables.ts';

/** Belongs to the agent (spec F.10): an AI-led engagement has no setting of it (DM-30). */
export const AgentDetection = Type.Object(
  {
    enabled: Type.Boolean({
      description: 'Listen to who answered while the agent talks.',
      default: false,
    }),
    timeSeconds: Type.Integer({
      description: 'First speech to the latest decision between person and machine. Seconds.',
      minimum: 1,
      maximum: 7,
      default: 3,
    }),
    machineAction: Type.Enum(['hangup', 'continue'], {
      description:
        'hangup: the call of a machine ends. continue: the agent talks on, and leaves its message ' +
        'itself; what it returns as `answeredBy` decides the Result.',
      default: 'hangup',
    }),
  },
  { additionalProperties: false, default: {} },
);
export type AgentDetection = Static<typeof AgentDetection>;

export const AiAgentSettings = Type.Object(
  {
    sipUri: Type.String({
      description: 'SIP URI that answered calls are connected to; transport=udp|tcp.',
      pattern: '^sip:[^\\s<>"]{1,250}$',
    }),
    setupTimeoutMs: Type.Integer({
      description: 'Answer of the customer to the agent’s 200: the person waits in silence. ms.',
      minimum: 100,
      maximum: 30_000,
      default: 6_000,
    }),
    firstAudioTimeoutMs: Type.Integer({
      description: 'Connect to the agent’s first audio, else it has failed. 0: no limit. ms.',
      minimum: 0,
      maximum: 60_000,
      default: 10_000,
    }),
    audioTimeoutMs: Type.Integer({
      description:
        'No RTP from the agent for this long: it has failed. 0 for an agent that sends nothing ' +
        'while it is silent. ms.',
      minimum: 0,
      maximum: 600_000,
      default: 15_000,
    }),
    fallbackPrompts: Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
      description: 'Played to the customer when the agent fails, before the hang-up.',
      maxItems: 32,
      default: [],
    }),
    detection: AgentDetection,
  },
  { additionalProperties: false },
);
export type AiAgentSettings = Static<typeof AiAgentSettings>;

/**
 * Undefined for a workstream without an agent. Throws CONFIG_INVALID: a workstream is checked when it is
 * written, so the row was made elsewhere.
 */
export function agentSettingsOf({
  ai_agent: json,
}: Pick<WorkstreamRow, 'ai_agent'>): AiAgentSettings | undefined {
  if (json === null) return undefined;
  const settings: unknown = Value.Default(AiAgentSettings, JSON.parse(json));
  if (Value.Check(AiAgentSettings, settings)) return settings;
  throw new DialerError('CONFIG_INVALID', 'the AI agent of the workstream is not configured right');
}
