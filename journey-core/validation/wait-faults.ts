/** Waits: how long, for what, and whether that can come. */
import { durationMs, durationText, MINUTE_MS, WAIT_MAX_MS } from '../definition/duration.ts';
import {
  CONVERSATION_OUTCOMES,
  isSending,
  MESSAGE_INTERACTIONS,
  MESSAGE_OUTCOMES,
  type AwaitedOutcome,
  type StepOf,
} from '../definition/step.schemas.ts';
import { attributeReadiness, conditionFaults, type CheckedJourney } from './condition-faults.ts';
import { fault, type JourneyFault } from './journey-fault.ts';
import { referenced, triggerFaults } from './reference-faults.ts';
import { reachableFrom, stepGraph } from './step-graph.ts';
import { valueType } from './value-types.ts';
import type { Static } from 'typebox';

const KINDS = ['for', 'until', 'untilAttribute'] as const;

export function waitFaults(
  { journey, assets }: CheckedJourney,
  step: StepOf<'wait'>,
  path: string,
): JourneyFault[] {
  const given = KINDS.filter((kind) => step[kind] !== undefined);
  if (given.length !== 1) {
    const problem = given.length === 0 ? 'does not say how long' : `has ${given.join(' and ')}`;
    return [fault(path, 'WAIT_UNCLEAR', problem, `give it one of ${KINDS.join(', ')}`)];
  }
  if (step.for !== undefined) return lengthFaults(step.for, 0, `${path}/for`);
  const attribute = step.untilAttribute;
  if (attribute === undefined) return [];
  const at = `${path}/untilAttribute`;
  const found = valueType(journey, assets, { kind: 'step', stepId: step.id }, attribute);
  const both = attribute.before !== undefined && attribute.after !== undefined;
  return [
    ...('code' in found
      ? [fault(`${at}/attribute`, found.code, found.problem, found.remedy)]
      : found.type === 'dateTime'
        ? attributeReadiness(found, attribute.attribute, `${at}/attribute`)
        : [
            fault(
              `${at}/attribute`,
              'OPERATOR_TYPE',
              `'${attribute.attribute}' is of type ${found.type}, not dateTime`,
              'name a date',
            ),
          ]),
    ...(both
      ? [fault(`${at}/after`, 'WAIT_UNCLEAR', 'stands beside before', 'keep one of the two')]
      : []),
    ...lengthFaults(attribute.before ?? '0m', 0, `${at}/before`),
    ...lengthFaults(attribute.after ?? '0m', 0, `${at}/after`),
  ];
}

/** Spec G.1: 90 days at most. */
function lengthFaults(text: string, leastMs: number, path: string): JourneyFault[] {
  const ms = durationMs(text) ?? 0;
  if (ms > WAIT_MAX_MS) {
    const problem = `is ${text}, longer than ${durationText(WAIT_MAX_MS)}`;
    return [fault(path, 'WAIT_TOO_LONG', problem, 'wait 90 days at most')];
  }
  if (ms >= leastMs) return [];
  const least = durationText(leastMs);
  return [fault(path, 'WAIT_TOO_SHORT', `is ${text}, less than ${least}`, `wait ${least} or more`)];
}

export function waitForFaults(
  checked: CheckedJourney,
  step: StepOf<'waitFor'>,
  path: string,
): JourneyFault[] {
  return [
    ...lengthFaults(step.timeout.after, MINUTE_MS, `${path}/timeout/after`),
    ...step.on.flatMap((awaited, index) => {
      const at = `${path}/on/${index}`;
      if ('step' in awaited) return outcomeFaults(checked, step, awaited, at);
      if ('segment' in awaited) return joinFaults(checked, awaited.segment, `${at}/segment`);
      return [
        ...triggerFaults(checked.assets, awaited.trigger, `${at}/trigger`),
        ...(awaited.conditions === undefined
          ? []
          : conditionFaults(checked, awaited.conditions, `${at}/conditions`, {
              kind: 'trigger',
              trigger: awaited.trigger,
            })),
      ];
    }),
    ...repeatedFaults(step, path),
    ...unheardFaults(checked, step, path),
  ];
}

function outcomeFaults(
  { journey }: CheckedJourney,
  wait: StepOf<'waitFor'>,
  { step: id, is }: Static<typeof AwaitedOutcome>,
  path: string,
): JourneyFault[] {
  const graph = stepGraph(journey);
  const source = graph.stepOf.get(id);
  if (source === undefined || !isSending(source)) {
    const problem =
      source === undefined ? `there is no step '${id}'` : `step '${id}' sends nothing`;
    const remedy = 'name a step of type voice, sms or message';
    return [fault(`${path}/step`, 'UNKNOWN_STEP', problem, remedy)];
  }
  const outcomes = outcomesOf(source.type);
  if (!outcomes.includes(is)) {
    const problem = `'${is}' is nothing that a step of type ${source.type} does`;
    return [fault(`${path}/is`, 'WAIT_OUTCOME', problem, `use one of ${outcomes.join(', ')}`)];
  }
  if (reachableFrom(graph, [id]).has(wait.id)) return [];
  const problem = `step '${id}' cannot have run when a run comes here`;
  return [fault(`${path}/step`, 'WAIT_WITHOUT_STEP', problem, 'put that step before this wait')];
}

function outcomesOf(type: 'voice' | 'sms' | 'message'): readonly string[] {
  if (type !== 'message') return CONVERSATION_OUTCOMES;
  return [...MESSAGE_OUTCOMES, ...MESSAGE_INTERACTIONS];
}

function joinFaults({ assets }: CheckedJourney, name: string, path: string): JourneyFault[] {
  const { segments } = assets;
  const { asset, faults } = referenced(segments, name, path, 'segment', 'UNKNOWN_SEGMENT');
  if (asset?.kind !== 'static') return faults;
  const problem = `segment '${name}' is a list: nobody joins it by itself`;
  return [...faults, fault(path, 'SEGMENT_KIND', problem, 'name a dynamic segment')];
}

/** The same thing awaited twice: the second could never be taken. Triggers may differ by conditions. */
function repeatedFaults({ on }: StepOf<'waitFor'>, path: string): JourneyFault[] {
  const keys = on.map((awaited, index) => {
    if ('step' in awaited) return `step ${awaited.step} ${awaited.is}`;
    if ('segment' in awaited) return `segment ${awaited.segment}`;
    return awaited.conditions === undefined ? `trigger ${awaited.trigger}` : `one ${index}`;
  });
  return keys.flatMap((key, index) => {
    if (keys.indexOf(key) === index) return [];
    const problem = `waits for the same as /on/${keys.indexOf(key)}`;
    return [fault(`${path}/on/${index}`, 'DUPLICATE', problem, 'keep one of the two')];
  });
}

function unheardFaults(
  { journey }: CheckedJourney,
  { on, id: waitId }: StepOf<'waitFor'>,
  path: string,
): JourneyFault[] {
  const { stepOf } = stepGraph(journey);
  const outcomes = on.filter((awaited) => 'step' in awaited);
  return [...new Set(outcomes.map(({ step }) => step))].flatMap((id) => {
    const type = stepOf.get(id)?.type;
    if (type !== 'voice' && type !== 'sms') return [];
    const heard = outcomes.filter(({ step }) => step === id).map(({ is }) => is as string);
    const unheard = CONVERSATION_OUTCOMES.filter((outcome) => !heard.includes(outcome));
    if (unheard.length === 0) return [];
    const problem = `'${waitId}' does not hear of '${id}': ${unheard.join(', ')}`;
    const remedy = 'add a branch for each, or accept that the time-out is taken';
    const code = 'WAIT_LACKS_OUTCOME' as const;
    return [{ path: `${path}/on`, code, severity: 'warning' as const, problem, remedy }];
  });
}
