/** What a run asks about its person at the moment it needs it; read by whoever runs it. */
import { testsOf, type Condition } from '../definition/condition.schema.ts';
import type { Journey } from '../definition/journey.schema.ts';
import type { Given, Step } from '../definition/step.schemas.ts';
import { isRecord, textIn, textsIn, valuesIn, type Values } from './json-value.ts';

/** A snapshot of one moment: everything that `factsAsked` names. */
export interface Facts {
  /** Of the contact, by name; what is not there is left out. */
  readonly attributes: Values;
  /** Those of the journey's segments that the person is a member of. */
  readonly segments: readonly string[];
  /** By step: the winner of an A/B test, or the person's best variant, once there is one. */
  readonly variants: Readonly<Record<string, string>>;
}

export interface FactsAsked {
  readonly attributes: readonly string[];
  readonly segments: readonly string[];
  /** Steps of type abTest and bestChannel. */
  readonly variantsOf: readonly string[];
}

/** Anything not shaped as facts is no answer. */
export function readFacts(value: unknown): Facts | undefined {
  if (!isRecord(value)) return undefined;
  const variants = valuesIn(value, 'variants');
  return {
    attributes: valuesIn(value, 'attributes'),
    segments: textsIn(value, 'segments'),
    variants: Object.fromEntries(
      Object.keys(variants).flatMap((step) => {
        const variant = textIn(variants, step);
        return variant === undefined ? [] : [[step, variant]];
      }),
    ),
  };
}

/** All that any step of the journey can ask, its entry included. */
export function factsAsked(journey: Journey): FactsAsked {
  const all = journey.steps.map(stepAsks);
  const conditions =
    journey.entry.kind === 'trigger' && journey.entry.conditions !== undefined
      ? [conditionAsks(journey.entry.conditions)]
      : [];
  const { exclude } = journey.entry;
  const exits = (journey.exits?.on ?? []).flatMap((rule) =>
    'segment' in rule ? [rule.segment] : [],
  );
  const merged = [...all, ...conditions];
  return {
    attributes: unique(merged.flatMap(({ attributes }) => attributes)),
    segments: unique([
      ...merged.flatMap(({ segments }) => segments),
      ...(exclude === undefined ? [] : [exclude]),
      ...exits,
    ]),
    variantsOf: unique(merged.flatMap(({ variantsOf }) => variantsOf)),
  };
}

/** What this one step asks on arrival. */
export function stepAsks(step: Step): FactsAsked {
  switch (step.type) {
    case 'voice':
    case 'sms':
    case 'message':
      return { ...NOTHING, attributes: givenAsks(step.inputs) };
    case 'activateTrigger':
      return { ...NOTHING, attributes: givenAsks(step.attributes) };
    case 'wait': {
      const source = step.untilAttribute;
      return source?.from === 'contact' ? { ...NOTHING, attributes: [source.attribute] } : NOTHING;
    }
    case 'waitFor':
      return {
        ...NOTHING,
        segments: step.on.flatMap((awaited) => ('segment' in awaited ? [awaited.segment] : [])),
      };
    case 'branch': {
      const asks = step.branches.map(({ when }) => conditionAsks(when));
      return {
        ...NOTHING,
        attributes: asks.flatMap(({ attributes }) => attributes),
        segments: asks.flatMap(({ segments }) => segments),
      };
    }
    case 'abTest':
    case 'bestChannel':
      return { ...NOTHING, variantsOf: [step.id] };
    default:
      return NOTHING;
  }
}

export function asksAnything({ attributes, segments, variantsOf }: FactsAsked): boolean {
  return attributes.length + segments.length + variantsOf.length > 0;
}

const NOTHING: FactsAsked = { attributes: [], segments: [], variantsOf: [] };

function conditionAsks(condition: Condition): FactsAsked {
  const tests = testsOf(condition, '').map(({ test }) => test);
  return {
    ...NOTHING,
    attributes: tests.flatMap((test) =>
      'segment' in test
        ? []
        : [test, test.valueFrom].flatMap((source) =>
            source?.from === 'contact' ? [source.attribute] : [],
          ),
    ),
    segments: tests.flatMap((test) => ('segment' in test ? [test.segment] : [])),
  };
}

function givenAsks(given: Readonly<Record<string, Given>> | undefined): readonly string[] {
  return Object.values(given ?? {}).flatMap((source) =>
    'from' in source && source.from === 'contact' ? [source.attribute] : [],
  );
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)];
}
