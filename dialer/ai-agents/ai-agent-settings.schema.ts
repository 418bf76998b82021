/** The AI agent of a workstream: where it is called, how long it may take, what is said if it fails. */
import { Type, type Static } from 'typebox';

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
  },
  { additionalProperties: false },
);
export type AiAgentSettings = Static<typeof AiAgentSettings>;
