/** What type of value a condition's `from` and `attribute` name, and whether it can be there yet. */
import { nearestName } from '../../config/nearest-name.ts';
import { RESULTS } from '../../machines/result.ts';
import type { ValueType } from '../definition/condition.schema.ts';
import type { Journey } from '../definition/journey.schema.ts';
import type { StepOf } from '../definition/step.schemas.ts';
import { SMS_RESULTS, SMS_RETURN_CODES } from '../interpreter/conversation-outcome.ts';
import type { AssetIndex } from './asset-index.ts';
import type { JourneyFaultCode } from './journey-fault.ts';
import type { AssetState } from './reference-faults.ts';
import { reachableFrom, stepGraph } from './step-graph.ts';

/** Where a condition stands. */
export type Scope =
  | { readonly kind: 'step'; readonly stepId: string }
  /** Who may enter: the entry trigger and the person. */
  | { readonly kind: 'entry' }
  /** Of one trigger, as in exits, goals and waits: it and the entry trigger. */
  | { readonly kind: 'trigger'; readonly trigger: string };

export type TypeFinding =
  | {
      readonly type: ValueType;
      readonly values?: readonly string[];
      /** Of the attribute itself. */
      readonly state?: AssetState | undefined;
    }
  | { readonly code: JourneyFaultCode; readonly problem: string; readonly remedy: string };

/** What is known of every conversation that ended, beside what its AI agent returned. */
export const CONVERSATION_VARIABLES: ReadonlyMap<string, ValueType> = new Map([
  ['Result', 'text'],
  ['ReturnCode', 'text'],
  ['DispositionCodes', 'list'],
  ['Attempts', 'number'],
  ['DeliveryTaskId', 'text'],
  ['DeliveryId', 'text'],
  ['Reason', 'text'],
]);

export function valueType(
  journey: Journey,
  assets: AssetIndex,
  scope: Scope,
  { from, attribute }: { readonly from: string; readonly attribute: string },
): TypeFinding {
  if (from === 'entry') return entryType(journey, assets, attribute);
  if (from === 'trigger') return judgedTriggerType(assets, scope, attribute);
  if (scope.kind === 'trigger') {
    return {
      code: 'UNKNOWN_ATTRIBUTE',
      problem: `'${from}' is not known when a trigger is judged`,
      remedy: 'use trigger or entry here, and a branch step for the rest',
    };
  }
  if (from === 'contact') {
    return among(assets.contactAttributes, attribute, 'people have');
  }
  if (scope.kind === 'entry') return noSuchStep(from, ['contact', 'entry']);
  return stepType(journey, assets, scope.stepId, from, attribute);
}

function entryType({ entry }: Journey, assets: AssetIndex, attribute: string): TypeFinding {
  if (entry.kind === 'trigger') return triggerType(assets, entry.trigger, attribute);
  return {
    code: 'NO_TRIGGER_ENTRY',
    problem: 'people enter by a segment, and no trigger carries anything',
    remedy: 'use from: contact',
  };
}

function judgedTriggerType(assets: AssetIndex, scope: Scope, attribute: string): TypeFinding {
  if (scope.kind === 'trigger') return triggerType(assets, scope.trigger, attribute);
  return {
    code: 'UNKNOWN_ATTRIBUTE',
    problem: 'no trigger is judged here',
    remedy: 'use from: entry, or the id of the wait that heard the trigger',
  };
}

function triggerType(assets: AssetIndex, name: string, attribute: string): TypeFinding {
  const trigger = assets.triggers.get(name);
  // The unknown trigger is a fault of its own, where it is named.
  if (trigger === undefined) return { type: 'text' };
  return among(attributeTypes(trigger.attributes), attribute, `trigger '${name}' carries`);
}

type AttributeTypes = ReadonlyMap<
  string,
  { readonly type: ValueType; readonly state?: AssetState }
>;

function attributeTypes(
  list: readonly {
    readonly name: string;
    readonly type: ValueType;
    readonly state?: AssetState;
  }[] = [],
): AttributeTypes {
  return new Map(list.map((item) => [item.name, item]));
}

function among(types: AttributeTypes, attribute: string, whose: string): TypeFinding {
  const found = types.get(attribute);
  if (found !== undefined) return { type: found.type, state: found.state };
  const near = nearestName(attribute, [...types.keys()]);
  const known = [...types.keys()].join(', ');
  return {
    code: 'UNKNOWN_ATTRIBUTE',
    problem: `'${attribute}' is not an attribute that ${whose}`,
    remedy:
      near === undefined
        ? `declare it, or use one of: ${known || 'none'}`
        : `did you mean ${near}?`,
  };
}

function noSuchStep(from: string, known: readonly string[]): TypeFinding {
  const near = nearestName(from, known);
  return {
    code: 'UNKNOWN_STEP',
    problem: `there is no step '${from}'`,
    remedy: near === undefined ? 'use contact, entry, or a step’s id' : `did you mean ${near}?`,
  };
}

function stepType(
  journey: Journey,
  assets: AssetIndex,
  at: string,
  from: string,
  attribute: string,
): TypeFinding {
  const { stepOf } = stepGraph(journey);
  const source = stepOf.get(from);
  if (source === undefined) return noSuchStep(from, [...stepOf.keys(), 'contact', 'entry']);
  switch (source.type) {
    case 'voice':
    case 'sms':
      return heardBefore(
        journey,
        at,
        from,
        (outcome) => (outcome === 'blocked' ? attribute === 'Reason' : true),
        conversationType(assets, source, attribute),
      );
    case 'message':
      return heardBefore(
        journey,
        at,
        from,
        (outcome) => outcome === 'blocked' || outcome === 'notSent',
        among(new Map([['Reason', { type: 'text' }]]), attribute, 'a message has'),
      );
    case 'waitFor':
      return waitType(journey, assets, at, source, attribute);
    default:
      return {
        code: 'UNKNOWN_ATTRIBUTE',
        problem: `nothing comes back of step '${from}', which is of type ${source.type}`,
        remedy: 'name a conversation, a message, or a waitFor step',
      };
  }
}

function conversationType(
  assets: AssetIndex,
  step: StepOf<'voice' | 'sms'>,
  attribute: string,
): TypeFinding {
  const results = step.type === 'voice' ? RESULTS : SMS_RESULTS;
  if (attribute === 'Result') return { type: 'text', values: results };
  if (attribute === 'ReturnCode' && step.type === 'sms') {
    return { type: 'text', values: SMS_RETURN_CODES };
  }
  const engagement = assets.engagements.get(step.engagement);
  const types = new Map([
    ...attributeTypes(engagement?.resultAttributes),
    ...[...CONVERSATION_VARIABLES].map(([name, type]) => [name, { type }] as const),
  ]);
  return among(types, attribute, `a conversation of '${step.engagement}' has`);
}

/** Something is known of a step only behind a wait that heard it (spec G.4). */
function heardBefore(
  journey: Journey,
  at: string,
  from: string,
  isHeard: (outcome: string) => boolean,
  finding: TypeFinding,
): TypeFinding {
  if ('code' in finding) return finding;
  const behind = journey.steps.flatMap((step) =>
    step.type === 'waitFor'
      ? step.on.flatMap((on) =>
          'step' in on && on.step === from && isHeard(on.is) ? [on.next] : [],
        )
      : [],
  );
  if (reachableFrom(stepGraph(journey), behind).has(at)) return finding;
  return {
    code: 'BRANCH_TOO_EARLY',
    problem: `nothing has come back of '${from}' when a run comes here`,
    remedy: `put a waitFor step on '${from}' before, and ask behind its branch`,
  };
}

function waitType(
  journey: Journey,
  assets: AssetIndex,
  at: string,
  wait: StepOf<'waitFor'>,
  attribute: string,
): TypeFinding {
  const triggers = wait.on.filter((on) => 'trigger' in on);
  const findings = triggers.map((on) => triggerType(assets, on.trigger, attribute));
  const carrying = triggers.filter((_, index) => 'type' in (findings[index] ?? {}));
  const first = findings.find((finding) => 'type' in finding) ?? findings[0];
  if (first === undefined) {
    return {
      code: 'UNKNOWN_ATTRIBUTE',
      problem: `step '${wait.id}' waits for no trigger that carries anything`,
      remedy: 'name the conversation or the message instead',
    };
  }
  if ('code' in first) return first;
  const behind = carrying.map(({ next }) => next);
  if (reachableFrom(stepGraph(journey), behind).has(at)) return first;
  return {
    code: 'BRANCH_TOO_EARLY',
    problem: `no trigger of '${wait.id}' can have come when a run comes here`,
    remedy: 'ask behind the branch of that trigger',
  };
}
