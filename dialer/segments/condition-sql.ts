/**
 * A condition over contacts as SQL, for both databases. The same answers as `judgeCondition` gives
 * contact by contact; a property test holds the two against each other.
 *
 * The query it is for names `contacts` as `c` and `contact_facets` as `f`.
 */
import { sql, type RawBuilder } from 'kysely';
import type {
  AttributeTest,
  Condition,
  Test,
} from '../../journey-core/definition/condition.schema.ts';
import { durationMs } from '../../journey-core/definition/duration.ts';
import { asInstantMs, asNumber } from '../../journey-core/interpreter/judge-test.ts';
import type { JsonValue } from '../../journey-core/interpreter/json-value.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import {
  facetKey,
  foldedText,
  isPhoneAttribute,
  SEGMENT_TIME_ZONE,
  type FacetKind,
} from './contact-facets.ts';

export interface ConditionAt {
  readonly database: Pick<OpenDatabase, 'kind'>;
  readonly nowMs: number;
  /** Ids of the segments that the condition names. */
  readonly segmentIds: ReadonlyMap<string, string>;
}

type Holds = RawBuilder<boolean>;

export function conditionSql(condition: Condition, at: ConditionAt): Holds {
  if ('all' in condition) return joined(condition.all, at, sql` and `);
  if ('any' in condition) return joined(condition.any, at, sql` or `);
  return testSql(condition, at);
}

function joined(
  parts: readonly (Condition | Test)[],
  at: ConditionAt,
  word: RawBuilder<unknown>,
): Holds {
  const each = parts.map((part) => conditionSql(part, at));
  return sql`(${sql.join(each, word)})`;
}

function testSql(test: Test, at: ConditionAt): Holds {
  if (!('segment' in test)) return attributeSql(test, at);
  const id = at.segmentIds.get(test.segment) ?? '';
  const member = sql<boolean>`exists (select 1 from segment_members as m
    where m.segment_id = ${id} and m.contact_id = c.id)`;
  return test.operator === 'isMember' ? member : sql`not ${member}`;
}

const NEVER: Holds = sql`1 = 0`;
const ALWAYS: Holds = sql`1 = 1`;
const DAY_MS = 86_400_000;

/** What is missing makes a comparison neither true nor false: it is made false here. */
const isSo = (comparison: Holds): Holds => sql`coalesce(${comparison}, ${NEVER})`;
const not = (holds: Holds): Holds => sql`not ${holds}`;

function attributeSql(test: AttributeTest, at: ConditionAt): Holds {
  const of = (kind: FacetKind) => facetSql(kind, test.attribute, at);
  switch (test.operator) {
    case 'is':
      return sameSql(test, at);
    case 'isNot':
      return not(sameSql(test, at));
    case 'contains':
      return containsSql(test, at);
    case 'doesNotContain':
      return not(containsSql(test, at));
    case 'beginsWith':
      return edgeSql(test, at, (text, part) => sql`substr(${text}, 1, length(${part})) = ${part}`);
    case 'endsWith':
      return edgeSql(
        test,
        at,
        (text, part) =>
          sql`length(${text}) >= length(${part})
            and substr(${text}, length(${text}) - length(${part}) + 1) = ${part}`,
      );
    case 'in':
    case 'containsAny':
      return amongSql(test, at);
    case 'containsNone':
      return not(amongSql(test, at));
    case 'containsAll':
      return allSql(test, at);
    case 'isEmpty':
      return sql`${of('folded')} is null`;
    case 'hasValue':
      return sql`${of('folded')} is not null`;
    case 'isTrue':
    case 'isFalse':
      return isSo(sql`${of('folded')} = ${test.operator === 'isTrue' ? 'true' : 'false'}`);
    case 'equals':
    case 'notEquals':
    case 'lessThan':
    case 'atMost':
    case 'greaterThan':
    case 'atLeast':
    case 'between':
      return numberSql(test, at);
    case 'before':
    case 'after':
    case 'on':
    case 'inLast':
    case 'inNext':
      return instantSql(test, at);
  }
}

/** Null where the contact has none. */
function facetSql(kind: FacetKind, name: string, { database }: ConditionAt): RawBuilder<unknown> {
  if (isPhoneAttribute(name)) return kind === 'folded' ? phoneSql(name, database.kind) : sql`null`;
  const key = facetKey(kind, name);
  if (database.kind === 'sqlite') return sql`json_extract(f.facets, ${sql.lit(`$.${key}`)})`;
  const text = sql`(f.facets::jsonb ->> ${sql.lit(key)})`;
  return kind === 'folded' ? text : sql`cast(${text} as double precision)`;
}

/** Signs of ASCII alone, so that both databases fold them alike. */
function phoneSql(name: string, kind: OpenDatabase['kind']): RawBuilder<unknown> {
  const column = sql.ref(`c.${name}_point_id`);
  const value = kind === 'sqlite' ? sql`p.value` : sql`p.value collate "C"`;
  return sql`(select nullif(lower(${value}), '') from contact_points as p where p.id = ${column})`;
}

/** The operand folded: given, or another attribute's; empty where there is none. */
function partSql({ value, valueFrom }: AttributeTest, at: ConditionAt): RawBuilder<unknown> {
  if (valueFrom === undefined) return textParameter(foldedOperand(value), at);
  return sql`coalesce(${facetSql('folded', valueFrom.attribute, at)}, '')`;
}

/** PostgreSQL has to be told what a parameter is where nothing beside it says so. */
function textParameter(text: string, { database }: ConditionAt): RawBuilder<unknown> {
  return database.kind === 'sqlite' ? sql`${text}` : sql`cast(${text} as text)`;
}

function foldedOperand(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? foldedText(value)
    : '';
}

function sameSql(test: AttributeTest, at: ConditionAt): Holds {
  return isSo(sql`${facetSql('folded', test.attribute, at)} = ${partSql(test, at)}`);
}

function containsSql(test: AttributeTest, at: ConditionAt): Holds {
  const position = at.database.kind === 'sqlite' ? sql.raw('instr') : sql.raw('strpos');
  const text = facetSql('folded', test.attribute, at);
  return isSo(sql`${position}(${text}, ${partSql(test, at)}) > 0`);
}

function edgeSql(
  test: AttributeTest,
  at: ConditionAt,
  compare: (text: RawBuilder<unknown>, part: RawBuilder<unknown>) => Holds,
): Holds {
  return isSo(sql`(${compare(facetSql('folded', test.attribute, at), partSql(test, at))})`);
}

function operands({ value }: AttributeTest): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.map(foldedOperand).filter((text) => text !== '');
}

function amongSql(test: AttributeTest, at: ConditionAt): Holds {
  const among = operands(test);
  if (among.length === 0) return NEVER;
  return isSo(sql`${facetSql('folded', test.attribute, at)} in (${sql.join(among)})`);
}

/** A contact's attribute is one text: it holds all of a list when all of the list is that text. */
function allSql(test: AttributeTest, at: ConditionAt): Holds {
  const [first, ...others] = new Set(operands(test));
  if (first === undefined) return ALWAYS;
  if (others.length > 0) return NEVER;
  return isSo(sql`${facetSql('folded', test.attribute, at)} = ${first}`);
}

const SIGNS = {
  equals: '=',
  notEquals: '=',
  lessThan: '<',
  atMost: '<=',
  greaterThan: '>',
  atLeast: '>=',
  before: '<',
  after: '>',
} as const;

function numberSql(test: AttributeTest, at: ConditionAt): Holds {
  const number = facetSql('number', test.attribute, at);
  const to = (sign: string, other: RawBuilder<unknown>): Holds =>
    isSo(sql`${number} ${sql.raw(sign)} ${other}`);
  const given = (value: unknown): RawBuilder<unknown> | undefined => {
    const read = asNumber(value as JsonValue);
    return read === undefined ? undefined : numberParameter(read, at);
  };
  if (test.operator === 'between') {
    const [low, high] = (Array.isArray(test.value) ? test.value : []).map(given);
    if (low === undefined || high === undefined) return NEVER;
    return sql`(${to('>=', low)} and ${to('<=', high)})`;
  }
  const sign = SIGNS[test.operator as 'equals'];
  const other =
    test.valueFrom === undefined
      ? given(test.value)
      : facetSql('number', test.valueFrom.attribute, at);
  const holds = other === undefined ? NEVER : to(sign, other);
  return test.operator === 'notEquals' ? not(holds) : holds;
}

function numberParameter(value: number, { database }: ConditionAt): RawBuilder<unknown> {
  // What SQL would not keep exactly as a bound value is written out.
  if (Number.isInteger(value) && !Number.isSafeInteger(value))
    return sql.raw(value.toExponential());
  return database.kind === 'sqlite' ? sql`${value}` : sql`cast(${value} as double precision)`;
}

function instantSql(test: AttributeTest, at: ConditionAt): Holds {
  const instant = facetSql('instant', test.attribute, at);
  const { nowMs } = at;
  if (test.operator === 'inLast' || test.operator === 'inNext') {
    const lengthMs = typeof test.value === 'string' ? durationMs(test.value) : undefined;
    if (lengthMs === undefined) return NEVER;
    return test.operator === 'inLast'
      ? isSo(
          sql`(${instant} <= ${numberParameter(nowMs, at)}
            and ${instant} > ${numberParameter(nowMs - lengthMs, at)})`,
        )
      : isSo(
          sql`(${instant} >= ${numberParameter(nowMs, at)}
            and ${instant} < ${numberParameter(nowMs + lengthMs, at)})`,
        );
  }
  const given =
    test.valueFrom === undefined ? asInstantMs(test.value, SEGMENT_TIME_ZONE) : undefined;
  const other =
    test.valueFrom === undefined
      ? given === undefined
        ? undefined
        : numberParameter(given, at)
      : facetSql('instant', test.valueFrom.attribute, at);
  if (other === undefined) return NEVER;
  if (test.operator === 'on') return isSo(sql`${dayOf(instant, at)} = ${dayOf(other, at)}`);
  return isSo(sql`${instant} ${sql.raw(SIGNS[test.operator as 'before'])} ${other}`);
}

/** Days since 1970 in UTC; also before it. */
function dayOf(instant: RawBuilder<unknown>, _at: ConditionAt): RawBuilder<unknown> {
  return sql`floor(${instant} / ${sql.raw(`${DAY_MS}.0`)})`;
}
