/** Conditions of dynamic segments: over contacts, their attributes and their membership elsewhere. */
import type { Transaction } from 'kysely';
import { isMapping } from '../../config/config-path.ts';
import {
  Condition,
  OPERATORS_OF,
  operandKindOf,
  testsOf,
  type AttributeTest,
} from '../../journey-core/definition/condition.schema.ts';
import { durationMs } from '../../journey-core/definition/duration.ts';
import { asInstantMs, asNumber } from '../../journey-core/interpreter/judge-test.ts';
import type { JsonValue } from '../../journey-core/interpreter/json-value.ts';
import { DialerError } from '../../machines/errors.ts';
import { checkShape } from '../checked-shape.ts';
import type { Database } from '../store/schema/database.ts';
import { isPhoneAttribute, SEGMENT_TIME_ZONE } from './contact-facets.ts';

export interface SegmentCondition {
  readonly condition: Condition;
  /** Ids of the segments that it names. */
  readonly segmentIds: ReadonlyMap<string, string>;
}

interface Place {
  readonly pointer: string;
  readonly detail: string;
}

/** Throws REQUEST_INVALID with every fault. `ownId`: of the segment that it is to belong to. */
export async function readCondition(
  db: Pick<Transaction<Database>, 'selectFrom'>,
  businessUnitId: string,
  written: unknown,
  ownId?: string,
): Promise<SegmentCondition> {
  checkShape(Condition, written, '/condition');
  if (!isMapping(written)) throw new DialerError('REQUEST_INVALID', 'a condition is an object');
  const condition = written as Condition;
  const segmentIds = await segmentsNamed(db, businessUnitId, condition);
  const faults = testsOf(condition, '/condition').flatMap(({ test, path }): Place[] => {
    if (!('segment' in test)) return attributeFaults(test, path);
    const id = segmentIds.get(test.segment);
    const pointer = `${path}/segment`;
    if (id === undefined) return [{ pointer, detail: `there is no segment '${test.segment}'` }];
    return id === ownId ? [{ pointer, detail: 'a segment cannot ask for its own members' }] : [];
  });
  if (faults.length === 0) return { condition, segmentIds };
  const detail = faults.map((place) => `${place.pointer} ${place.detail}`).join('; ');
  throw new DialerError('REQUEST_INVALID', detail, { faults });
}

/** Ids by name, of those that there are. */
export async function segmentsNamed(
  db: Pick<Transaction<Database>, 'selectFrom'>,
  businessUnitId: string,
  condition: Condition,
): Promise<ReadonlyMap<string, string>> {
  const names = testsOf(condition, '').flatMap(({ test }) =>
    'segment' in test ? [test.segment] : [],
  );
  if (names.length === 0) return new Map();
  const rows = await db
    .selectFrom('segments')
    .select(['id', 'name'])
    .where('business_unit_id', '=', businessUnitId)
    .where('name', 'in', [...new Set(names)])
    .execute();
  return new Map(rows.map(({ id, name }) => [name, id]));
}

/** What it says of a contact may change though the contact does not. */
export function changesByItself(condition: Condition): boolean {
  return testsOf(condition, '').some(
    ({ test }) => 'segment' in test || operandKindOf(test.operator) === 'duration',
  );
}

const TEXT_OPERATORS: readonly string[] = [...OPERATORS_OF.text, ...OPERATORS_OF.list];

function attributeFaults(test: AttributeTest, path: string): Place[] {
  const { from, attribute, operator, value, valueFrom } = test;
  if (from !== 'contact') {
    return [{ pointer: `${path}/from`, detail: 'a segment is of contacts: write contact' }];
  }
  if (valueFrom !== undefined && valueFrom.from !== 'contact') {
    return [{ pointer: `${path}/valueFrom/from`, detail: 'write contact' }];
  }
  const isOfPhone = [attribute, valueFrom?.attribute ?? ''].some(isPhoneAttribute);
  if (isOfPhone && !TEXT_OPERATORS.includes(operator)) {
    return [{ pointer: `${path}/operator`, detail: 'a telephone number is compared as text' }];
  }
  const kind = operandKindOf(operator);
  if (valueFrom !== undefined) {
    const pointer = `${path}/valueFrom`;
    if (value !== undefined) return [{ pointer, detail: 'stands beside a value' }];
    return kind === 'one' ? [] : [{ pointer, detail: `${operator} does not take one value` }];
  }
  const problem = operandProblem(operator, kind, value);
  return problem === undefined ? [] : [{ pointer: `${path}/value`, detail: problem }];
}

function operandProblem(
  operator: AttributeTest['operator'],
  kind: ReturnType<typeof operandKindOf>,
  value: AttributeTest['value'],
): string | undefined {
  if (kind === 'none') return value === undefined ? undefined : `${operator} takes no value`;
  if (value === undefined) return `${operator} needs a value`;
  if (kind === 'many') return Array.isArray(value) ? undefined : `${operator} takes a list`;
  if (kind === 'duration') {
    const isLength = typeof value === 'string' && durationMs(value) !== undefined;
    return isLength ? undefined : `${operator} takes a duration such as 7d`;
  }
  if (kind === 'two') {
    const isRange = Array.isArray(value) && value.length === 2 && value.every(isNumber);
    return isRange ? undefined : 'between takes two numbers, [low, high]';
  }
  if (Array.isArray(value)) return `${operator} takes one value`;
  const one = value as JsonValue;
  if (isNumeric(operator)) return isNumber(one) ? undefined : `${operator} takes a number`;
  if (!isTemporal(operator)) return undefined;
  return asInstantMs(one, SEGMENT_TIME_ZONE) === undefined
    ? `${operator} takes a date such as 2026-12-24T09:00Z`
    : undefined;
}

function isNumber(value: unknown): boolean {
  return asNumber(value as JsonValue) !== undefined;
}

function isNumeric(operator: string): boolean {
  return (
    (OPERATORS_OF.number as readonly string[]).includes(operator) &&
    operator !== 'isEmpty' &&
    operator !== 'hasValue'
  );
}

function isTemporal(operator: string): boolean {
  return operator === 'before' || operator === 'after' || operator === 'on';
}
