/** How a gateway answers a command: at once, and only for "I have it"; what follows are events. */
import { Type, type Static } from 'typebox';
import { AttemptEnded } from './attempt-ended.ts';
import { AttemptId, Fence } from './telephony-envelope.ts';
import { TrunkReport } from './trunk-commands.ts';

export const REFUSAL_CODES = [
  'STALE_FENCE', // another owner works this attempt now
  'UNKNOWN_ATTEMPT', // never dialled here, or forgotten since
  'UNKNOWN_TRUNK',
  'TOO_LATE', // notAfterMs has passed; no INVITE left
  'WRONG_GATEWAY', // a dial names another gateway
  'TRUNK_CHANNELS_EXHAUSTED',
  'TRUNK_RATE_LIMITED',
  'TRUNK_DOWN',
  'TRUNK_AUTH_FAILED', // it refuses our credentials, or asks for some that are not configured
  'TRUNK_SUSPENDED', // by an operator, or for a list whose numbers do not exist
  'SWITCH_DOWN', // drachtio or FreeSWITCH is not connected
  'BAD_STATE', // the attempt is in no state for this command, or the command is not offered
  'INVALID_DESTINATION', // not in the form that the trunk takes
  'DESTINATION_REFUSED', // a rule forbids it: emergency, premium, satellite, a denied prefix
  'LOBBY_GONE', // no such lobby leg is ready at this gateway, or on another media server
] as const;

export type RefusalCode = (typeof REFUSAL_CODES)[number];

export const ATTEMPT_PHASES = [
  'unknown', // the gateway has no memory of it: no proof that no INVITE left before a restart
  'starting', // accepted; the endpoint is being made, no INVITE yet
  'sent',
  'alerting',
  'answered',
  'ended',
] as const;

export type AttemptPhase = (typeof ATTEMPT_PHASES)[number];

/** What a gateway knows of one attempt: the reply to `attempt.query`. */
export const AttemptSnapshot = Type.Object({
  attemptId: AttemptId,
  fence: Fence,
  phase: Type.Enum([...ATTEMPT_PHASES], { description: 'How far the attempt has come.' }),
  callId: Type.Optional(Type.String({ description: 'Call-ID of the last INVITE.' })),
  dialogId: Type.Optional(
    Type.String({ description: "The switch's dialog id: lets any gateway send the BYE." }),
  ),
  channelId: Type.Optional(Type.String({ description: "The media server's channel UUID." })),
  trunk: Type.Optional(Type.String()),
  connected: Type.Optional(
    Type.Literal(true, { description: 'The customer and who was connected hear each other now.' }),
  ),
  ended: Type.Optional(AttemptEnded),
  told: Type.Optional(
    Type.Integer({
      description: 'Number of the last event told under this fence, those told again included.',
      minimum: 0,
    }),
  ),
});
export type AttemptSnapshot = Static<typeof AttemptSnapshot>;

export const CommandReply = Type.Union([
  Type.Object({
    accepted: Type.Literal(true),
    duplicate: Type.Optional(
      Type.Literal(true, { description: 'This sequence number was acted on before.' }),
    ),
    state: Type.Optional(AttemptSnapshot),
    trunks: Type.Optional(
      Type.Array(TrunkReport, { description: 'Of trunk.query: all; else the one named.' }),
    ),
  }),
  Type.Object({
    accepted: Type.Literal(false),
    code: Type.Enum([...REFUSAL_CODES]),
    detail: Type.String({ description: 'For the log: ids, never a full phone number.' }),
  }),
]);
export type CommandReply = Static<typeof CommandReply>;
