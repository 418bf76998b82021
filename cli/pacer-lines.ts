/** The lines that `ringfence pacer --stdio` reads: a configuration first, then events. */
import { Type, type Static, type TSchema } from 'typebox';
import { Value } from 'typebox/value';
import type { PacerConfig } from '../dialer/pacing/pacer-config.ts';
import type { PacerEvent } from '../dialer/pacing/pacer-events.ts';

export interface TimedPacerEvent {
  readonly atMs: number;
  readonly event: PacerEvent | { readonly event: 'tick' };
}

const Spread = Type.Object({
  meanMs: Type.Number({ exclusiveMinimum: 0 }),
  cv: Type.Number({ exclusiveMinimum: 0, maximum: 20 }),
});
const Probability = Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1 });

/** Unknown keys are let pass: a world may note down more than the pacer reads. */
const ConfigLine = Type.Object({
  config: Type.Object({
    mode: Type.Union([Type.Literal('predictive'), Type.Literal('progressive')]),
    repLed: Type.Optional(Type.Boolean()),
    abandonmentRatioMax: Type.Number({ minimum: 0, exclusiveMaximum: 1 }),
    patienceMs: Type.Number({ minimum: 0, maximum: 60_000 }),
    ringTimeoutMs: Type.Number({ minimum: 1_000, maximum: 120_000 }),
    callsPerRepMax: Type.Optional(Type.Integer({ minimum: 1, maximum: 5 })),
    inFlightMax: Type.Optional(Type.Integer({ minimum: 0 })),
    startsPerTickMax: Type.Optional(Type.Integer({ minimum: 0 })),
    cancelRinging: Type.Optional(Type.Boolean()),
    ringMinMs: Type.Optional(Type.Number({ minimum: 0, maximum: 120_000 })),
    amdFalsePositiveRatio: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
    believed: Type.Optional(
      Type.Object({
        answerProbability: Type.Optional(Probability),
        ringToAnswer: Type.Optional(Spread),
        handle: Type.Optional(Spread),
        wrapUpMs: Type.Optional(Type.Number({ minimum: 0 })),
        escalationProbability: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
        agentTalk: Type.Optional(Spread),
        weightCalls: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
      }),
    ),
  }),
});

const EventLine = Type.Object({
  atMs: Type.Number(),
  event: Type.Union([
    Type.Literal('rep.ready'),
    Type.Literal('rep.busy'),
    Type.Literal('rep.wrapUp'),
    Type.Literal('rep.gone'),
    Type.Literal('attempt.started'),
    Type.Literal('attempt.alerting'),
    Type.Literal('attempt.detecting'),
    Type.Literal('attempt.answered'),
    Type.Literal('attempt.escalated'),
    Type.Literal('attempt.connected'),
    Type.Literal('attempt.abandoned'),
    Type.Literal('attempt.ended'),
    Type.Literal('tick'),
  ]),
  rep: Type.Optional(Name()),
  attempt: Type.Optional(Name()),
  result: Type.Optional(Type.Union([Type.String(), Type.Null()])),
});

/** Worlds number their representatives and attempts as often as they name them. */
function Name() {
  return Type.Union([Type.String({ minLength: 1 }), Type.Number()]);
}

export function pacerConfigLine(line: string): PacerConfig {
  const { config } = checked(ConfigLine, line);
  return { ...config, repLed: config.repLed ?? true };
}

export function pacerEventLine(line: string): TimedPacerEvent {
  const { atMs, event, rep, attempt, result } = checked(EventLine, line);
  if (event === 'tick') return { atMs, event: { event } };
  const needed = (name: string, value: string | number | undefined): string => {
    if (value === undefined) throw new Error(`${event} comes without "${name}"`);
    return String(value);
  };
  switch (event) {
    case 'rep.ready':
    case 'rep.busy':
    case 'rep.wrapUp':
    case 'rep.gone':
      return { atMs, event: { event, rep: needed('rep', rep) } };
    case 'attempt.connected':
      return {
        atMs,
        event: { event, attempt: needed('attempt', attempt), rep: needed('rep', rep) },
      };
    case 'attempt.ended':
      return {
        atMs,
        event: { event, attempt: needed('attempt', attempt), result: result ?? '' },
      };
    default:
      return { atMs, event: { event, attempt: needed('attempt', attempt) } };
  }
}

function checked<S extends TSchema>(schema: S, line: string): Static<S> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Error('this is not JSON');
  }
  if (Value.Check(schema, value)) return value;
  const [error] = Value.Errors(schema, value);
  const place = error?.instancePath.replaceAll('/', '.').slice(1) ?? '';
  throw new Error(`${place === '' ? 'the line' : place} ${error?.message ?? 'is not understood'}`);
}
