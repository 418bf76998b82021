/** Conditions: whether what they ask exists, has come, and is asked as its type allows. */
import { nearestName } from '../../config/nearest-name.ts';
import {
  OPERATORS_OF,
  operandKindOf,
  testsOf,
  type AttributeTest,
  type Condition,
  type ValueType,
} from '../definition/condition.schema.ts';
import { durationMs } from '../definition/duration.ts';
import { instantMs } from '../definition/instant.ts';
import type { Journey } from '../definition/journey.schema.ts';
import type { AssetIndex } from './asset-index.ts';
import { readinessFaults, segmentFaults } from './reference-faults.ts';
import { fault, type JourneyFault } from './journey-fault.ts';
import { valueType, type Scope, type TypeFinding } from './value-types.ts';

export interface CheckedJourney {
  readonly journey: Journey;
  readonly assets: AssetIndex;
}

export function conditionFaults(
  checked: CheckedJourney,
  condition: Condition,
  path: string,
  scope: Scope,
): JourneyFault[] {
  return testsOf(condition, path).flatMap(({ test, path: at }) => {
    if (!('segment' in test)) return attributeFaults(checked, test, at, scope);
    if (scope.kind !== 'trigger') {
      return segmentFaults(checked.assets, test.segment, `${at}/segment`);
    }
    const problem = 'membership is not known when a trigger is judged';
    return [fault(at, 'UNKNOWN_SEGMENT', problem, 'ask in a branch step behind it')];
  });
}

function attributeFaults(
  { journey, assets }: CheckedJourney,
  test: AttributeTest,
  path: string,
  scope: Scope,
): JourneyFault[] {
  const found = valueType(journey, assets, scope, test);
  if ('code' in found) return [ofFinding(path, found)];
  const notReady = attributeReadiness(found, test.attribute, `${path}/attribute`);
  const operators: readonly string[] = OPERATORS_OF[found.type];
  if (!operators.includes(test.operator)) {
    const problem = `${test.operator} is not for ${found.type}, which '${test.attribute}' is`;
    const remedy = `use one of ${operators.join(', ')}`;
    return [fault(`${path}/operator`, 'OPERATOR_TYPE', problem, remedy)];
  }
  if (test.valueFrom === undefined) return [...notReady, ...operandFaults(test, found, path)];
  const other = valueType(journey, assets, scope, test.valueFrom);
  if ('code' in other) return [ofFinding(`${path}/valueFrom`, other)];
  return [
    ...notReady,
    ...attributeReadiness(other, test.valueFrom.attribute, `${path}/valueFrom/attribute`),
    ...comparedFaults(test, found.type, other.type, path),
  ];
}

/** An attribute may be a placeholder where what carries it is ready. */
export function attributeReadiness(
  { state = 'ready' }: Extract<TypeFinding, { readonly type: unknown }>,
  name: string,
  path: string,
): JourneyFault[] {
  return readinessFaults({ name, state }, path, 'attribute');
}

function ofFinding(
  path: string,
  { code, problem, remedy }: Extract<TypeFinding, { readonly code: unknown }>,
): JourneyFault {
  const place = code === 'UNKNOWN_ATTRIBUTE' ? `${path}/attribute` : `${path}/from`;
  return fault(place, code, problem, remedy);
}

function comparedFaults(
  { operator, value }: AttributeTest,
  type: ValueType,
  other: ValueType,
  path: string,
): JourneyFault[] {
  const operand = (problem: string, remedy: string): JourneyFault[] => [
    fault(`${path}/valueFrom`, 'OPERAND', problem, remedy),
  ];
  if (value !== undefined) return operand('stands beside a value', 'keep one of the two');
  if (operandKindOf(operator) !== 'one') {
    return operand(`${operator} does not take one value`, 'leave it out');
  }
  const asText = (name: ValueType): string => (name === 'reference' ? 'text' : name);
  if (asText(type) === asText(other)) return [];
  return operand(`compares ${type} with ${other}`, 'compare attributes of one type');
}

function operandFaults(
  { operator, value }: AttributeTest,
  { type, values }: Extract<TypeFinding, { readonly type: unknown }>,
  path: string,
): JourneyFault[] {
  const at = `${path}/value`;
  const operand = (problem: string, remedy: string): JourneyFault[] => [
    fault(at, 'OPERAND', problem, remedy),
  ];
  const items = Array.isArray(value) ? (value as readonly unknown[]) : undefined;
  switch (operandKindOf(operator)) {
    case 'none':
      return value === undefined ? [] : operand(`${operator} takes no value`, 'leave it out');
    case 'duration':
      return typeof value === 'string' && durationMs(value) !== undefined
        ? []
        : operand(`${operator} takes a duration`, 'write it like 3d');
    case 'two': {
      const isRange = items?.length === 2 && items.every((item) => typeof item === 'number');
      if (!isRange) return operand('between takes two numbers', 'write [low, high]');
      const [low, high] = items as [number, number];
      return low <= high ? [] : operand('the low end is above the high', 'write [low, high]');
    }
    case 'many':
      return items === undefined || items.length === 0
        ? operand(`${operator} takes a list`, 'write [one, other]')
        : items.flatMap((item, index) => valueFaults(item, type, values, `${at}/${index}`));
    case 'one':
      return value === undefined || items !== undefined
        ? operand(`${operator} takes one value`, `add value: ${EXAMPLES[type]}`)
        : valueFaults(value, type, values, at);
  }
}

const EXAMPLES: Readonly<Record<ValueType, string>> = {
  text: 'Paris',
  reference: 'an id',
  number: '3',
  boolean: 'true',
  dateTime: '2026-12-24',
  list: '[one, other]',
};

function valueFaults(
  value: unknown,
  type: ValueType,
  known: readonly string[] | undefined,
  path: string,
): JourneyFault[] {
  const operand = (problem: string, remedy: string): JourneyFault[] => [
    fault(path, 'OPERAND', problem, remedy),
  ];
  if (type === 'number') {
    return typeof value === 'number' ? [] : operand('is no number', 'write it without quotes');
  }
  if (typeof value !== 'string') return operand('is no text', 'put it in quotes');
  if (type === 'dateTime') {
    const isDate = instantMs(value, 'UTC') !== undefined;
    return isDate ? [] : operand('is no date', 'write it like 2026-12-24 or 2026-12-24T09:00');
  }
  if (known === undefined || known.includes(value)) return [];
  const near = nearestName(value, known);
  const remedy = near === undefined ? `one of ${known.join(', ')}` : `did you mean ${near}?`;
  return [fault(path, 'UNKNOWN_VALUE', `'${value}' is never the value`, remedy)];
}
