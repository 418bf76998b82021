/** What an operator asks of one gateway's trunks: taken at once, answered in the reply. */
import { Type, type Static } from 'typebox';
import { TRUNK_STATES, TrunkClosure } from './gateway-events.ts';
import { AtMs } from './telephony-envelope.ts';

const ENVELOPE = {
  gatewayId: Type.String({ description: 'The one gateway that may act on this.' }),
  atMs: AtMs,
};
const trunk = Type.String({ description: 'A trunk, not a group.', maxLength: 64 });

/** No call is given to it until it is resumed, or until its `suspendMs` are over. */
export const TrunkSuspend = Type.Object({
  type: Type.Literal('trunk.suspend'),
  ...ENVELOPE,
  trunk,
  detail: Type.String({ description: 'Who asked for it, and why.', maxLength: 300 }),
  restored: Type.Optional(
    Type.Intersect([TrunkClosure], {
      description:
        'What a gateway of before, or all of them, were told or found: it goes on for what is left ' +
        'of it by `atMs`. With the cause `auth` the trunk refuses calls as authFailed. Default: an ' +
        'operator’s, from now, for the trunk’s `suspendMs`.',
    }),
  ),
});
export type TrunkSuspend = Static<typeof TrunkSuspend>;

export const TrunkResume = Type.Object({ type: Type.Literal('trunk.resume'), ...ENVELOPE, trunk });
export type TrunkResume = Static<typeof TrunkResume>;

export const TrunkQuery = Type.Object({ type: Type.Literal('trunk.query'), ...ENVELOPE });
export type TrunkQuery = Static<typeof TrunkQuery>;

export const REGISTRATION_STATES = ['none', 'registering', 'registered', 'failed'] as const;
export type RegistrationState = (typeof REGISTRATION_STATES)[number];

/** One trunk as one gateway knows it. */
export const TrunkReport = Type.Object({
  trunk: Type.String(),
  groups: Type.Array(Type.String(), { description: 'Of which it is a member.' }),
  state: Type.Enum([...TRUNK_STATES]),
  detail: Type.String({ description: 'In words: what OPTIONS, REGISTER or the last INVITE met.' }),
  closure: Type.Optional(TrunkClosure),
  registration: Type.Enum([...REGISTRATION_STATES], {
    description: 'none: the trunk wants no registration. failed: tried again after a pause.',
  }),
  channelsInUse: Type.Integer({ minimum: 0 }),
  channelsMax: Type.Integer({ minimum: 0 }),
  callsPerSecondMax: Type.Number({ minimum: 0 }),
  sessions: Type.Integer({
    description: 'Attempts that ended in the last five minutes.',
    minimum: 0,
  }),
  answerSeizureRatio: Type.Union([Type.Number({ minimum: 0, maximum: 1 }), Type.Null()], {
    description: 'Answered / sessions (ITU-T E.411); null without any.',
  }),
  lastCause: Type.Union(
    [
      Type.Object({
        statusCode: Type.Union([Type.Integer(), Type.Null()]),
        text: Type.String(),
        atMs: AtMs,
      }),
      Type.Null(),
    ],
    { description: 'How the last attempt that was not answered ended.' },
  ),
});
export type TrunkReport = Static<typeof TrunkReport>;

export const TRUNK_COMMANDS = {
  'trunk.suspend': TrunkSuspend,
  'trunk.resume': TrunkResume,
  'trunk.query': TrunkQuery,
} as const;
export type TrunkCommand = TrunkSuspend | TrunkResume | TrunkQuery;
