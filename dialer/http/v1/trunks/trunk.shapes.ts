/** Trunks as `/v1` shows them: one entry a trunk, with each gateway's own word on it. */
import { Type } from 'typebox';
import {
  TRUNK_CLOSURE_CAUSES,
  TRUNK_STATES,
  type TrunkClosure,
} from '../../../../machines/gateway-events.ts';
import { REGISTRATION_STATES, type TrunkReport } from '../../../../machines/trunk-commands.ts';
import { orNull, Time, timeText } from '../wire-types.ts';

const State = Type.Enum([...TRUNK_STATES]);

const AtGateway = Type.Object({
  gatewayId: Type.String(),
  state: State,
  detail: Type.String({ description: 'In words: what OPTIONS, REGISTER or the last call met.' }),
  registration: Type.Enum([...REGISTRATION_STATES], {
    description: 'none: the trunk wants no registration.',
  }),
  closure: orNull(
    Type.Object(
      {
        cause: Type.Enum([...TRUNK_CLOSURE_CAUSES], {
          description:
            'share: too many of the last numbers do not exist. auth: it refuses our credentials.',
        }),
        since: Time,
        until: orNull(Time),
      },
      { description: 'It takes no calls; null: it does. `until` null: until it is resumed.' },
    ),
  ),
  channelsInUse: Type.Integer(),
  channelsMax: Type.Integer(),
  callsPerSecondMax: Type.Number(),
  sessions: Type.Integer({ description: 'Attempts that ended in the last five minutes.' }),
  answerSeizureRatio: orNull(
    Type.Number({ description: 'Answered / sessions (ITU-T E.411), a fraction. Null: none.' }),
  ),
  lastCause: orNull(
    Type.Object({
      statusCode: orNull(Type.Integer({ description: 'SIP; null: there was no final response.' })),
      text: Type.String(),
      at: Time,
    }),
  ),
});

const example = {
  name: 'carrier-a',
  state: 'up',
  groups: ['domestic'],
  gateways: [
    {
      ...{ gatewayId: 'gateway-1', state: 'up', detail: 'answered 200 OK', registration: 'none' },
      closure: null,
      ...{ channelsInUse: 12, channelsMax: 100, callsPerSecondMax: 20, sessions: 340 },
      answerSeizureRatio: 0.41,
      lastCause: { statusCode: 486, text: 'Busy Here', at: '2026-03-02T15:00:00.000Z' },
    },
  ],
};

export const TrunkView = Type.Object(
  {
    name: Type.String(),
    state: Type.Enum([...TRUNK_STATES], {
      description: 'The best that a gateway has of it: calls go there.',
    }),
    groups: Type.Array(Type.String()),
    gateways: Type.Array(AtGateway),
  },
  { examples: [example] },
);

const Unheard = Type.Object({ gatewayId: Type.String(), detail: Type.String() });

/** After an operator's word. */
export const OperatedTrunk = Type.Object(
  {
    ...TrunkView.properties,
    unheard: Type.Array(Unheard, {
      description:
        'Gateways that did not answer, and are told again for as long as they are there.',
    }),
  },
  { examples: [{ ...example, unheard: [] }] },
);

export const TrunkList = Type.Object(
  {
    items: Type.Array(TrunkView),
    unheard: Type.Array(Unheard, {
      description: 'Gateways that did not answer: of theirs nothing is known now.',
    }),
  },
  { examples: [{ items: [example], unheard: [] }] },
);

export const TrunkParams = Type.Object(
  { name: Type.String({ pattern: '^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$' }) },
  { additionalProperties: false },
);

export const SuspendBody = Type.Object(
  { reason: Type.Optional(Type.String({ maxLength: 200, description: 'For the log.' })) },
  { additionalProperties: false, examples: [{ reason: 'the carrier works on it' }] },
);

/** One gateway's reports. */
export interface Reported {
  readonly gatewayId: string;
  readonly trunks: readonly TrunkReport[];
}

/** The best first. */
const BEST_FIRST: readonly TrunkReport['state'][] = [
  'up',
  'unknown',
  'down',
  'authFailed',
  'suspended',
];

/** By name. */
export function trunkViews(reported: readonly Reported[]) {
  const all = reported.flatMap(({ gatewayId, trunks }) => {
    return trunks.map((report) => ({ gatewayId, ...report }));
  });
  const names = [...new Set(all.map(({ trunk }) => trunk))].sort();
  return names.map((name) => {
    const own = all.filter(({ trunk }) => trunk === name);
    const states = own.map(({ state }) => state);
    return {
      name,
      state: BEST_FIRST.find((one) => states.includes(one)) ?? 'unknown',
      groups: [...new Set(own.flatMap(({ groups }) => groups))].sort(),
      gateways: own.map(({ trunk: _trunk, groups: _groups, lastCause, closure, ...rest }) => ({
        ...rest,
        closure: closure === undefined ? null : shownClosure(closure),
        lastCause:
          lastCause === null
            ? null
            : {
                ...{ statusCode: lastCause.statusCode, text: lastCause.text },
                at: timeText(lastCause.atMs),
              },
      })),
    };
  });
}

function shownClosure({ cause, sinceMs, untilMs }: TrunkClosure) {
  return { cause, since: timeText(sinceMs), until: untilMs === null ? null : timeText(untilMs) };
}
