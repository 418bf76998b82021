/** Conditions: tests of one attribute or one segment, combined by `all` and `any`. */
import { Type, type Static } from 'typebox';
import { assetName, closed } from './names.schema.ts';

/** The five types of a trigger's attributes (spec G.5), and the lists that results carry. */
export const ATTRIBUTE_TYPES = ['text', 'number', 'boolean', 'dateTime', 'reference'] as const;
export type AttributeType = (typeof ATTRIBUTE_TYPES)[number];
export type ValueType = AttributeType | 'list';

/** Operators by type of value (spec G.4). Negative ones are true where there is no value. */
export const OPERATORS_OF = {
  text: [
    'is',
    'isNot',
    'contains',
    'doesNotContain',
    'beginsWith',
    'endsWith',
    'isEmpty',
    'hasValue',
    'in',
  ],
  number: [
    'equals',
    'notEquals',
    'lessThan',
    'atMost',
    'greaterThan',
    'atLeast',
    'between',
    'isEmpty',
    'hasValue',
  ],
  boolean: ['isTrue', 'isFalse', 'isEmpty', 'hasValue'],
  dateTime: ['before', 'on', 'after', 'inLast', 'inNext', 'isEmpty', 'hasValue'],
  reference: ['is', 'isNot', 'in', 'isEmpty', 'hasValue'],
  list: ['containsAny', 'containsAll', 'containsNone', 'isEmpty', 'hasValue'],
} as const satisfies Readonly<Record<ValueType, readonly string[]>>;

export type Operator = (typeof OPERATORS_OF)[ValueType][number];
export const OPERATORS: readonly Operator[] = [...new Set(Object.values(OPERATORS_OF).flat())];

/** What an operator takes beside it. */
export type OperandKind = 'none' | 'one' | 'two' | 'many' | 'duration';
const NO_OPERAND: readonly Operator[] = ['isEmpty', 'hasValue', 'isTrue', 'isFalse'];
const MANY: readonly Operator[] = ['in', 'containsAny', 'containsAll', 'containsNone'];

export function operandKindOf(operator: Operator): OperandKind {
  if (NO_OPERAND.includes(operator)) return 'none';
  if (MANY.includes(operator)) return 'many';
  if (operator === 'between') return 'two';
  return operator === 'inLast' || operator === 'inNext' ? 'duration' : 'one';
}

export const AttributeTest = Type.Object(
  {
    from: Type.String({
      minLength: 1,
      maxLength: 64,
      description:
        '`contact`: an attribute of the person. `entry`: what the trigger that started the run ' +
        'carried. `trigger`: what the trigger that is judged carries. The id of a step: what came ' +
        'back of it, once a wait has heard it.',
      examples: ['contact', 'entry', 'confirmByPhone'],
    }),
    attribute: Type.String({
      minLength: 1,
      maxLength: 850,
      description: 'Its name; upper and lower case differ.',
      examples: ['Result', 'DispositionCodes', 'city'],
    }),
    operator: Type.Enum([...OPERATORS], { description: 'Each type of value has its own.' }),
    value: Type.Optional(
      Type.Unsafe<string | number | boolean | readonly (string | number)[]>({
        ...{ operand: true },
        description:
          'None for isEmpty, hasValue, isTrue, isFalse; a list for in, containsAny, containsAll, ' +
          'containsNone; [low, high] for between; a duration for inLast, inNext; else one value.',
      }),
    ),
    valueFrom: Type.Optional(
      Type.Object(
        {
          from: Type.String({ minLength: 1, maxLength: 64, description: 'As above.' }),
          attribute: Type.String({ minLength: 1, maxLength: 850, description: 'Its name.' }),
        },
        { ...closed, description: 'Instead of a value: another attribute of the same type.' },
      ),
    ),
  },
  closed,
);
export type AttributeTest = Static<typeof AttributeTest>;

export const SegmentTest = Type.Object(
  {
    segment: assetName('The segment asked about.', ['vip']),
    operator: Type.Enum(['isMember', 'isNotMember'], { description: 'In it now, or not.' }),
  },
  closed,
);
export type SegmentTest = Static<typeof SegmentTest>;

/** `chosenByKey`: which shape is meant is told by the key that it alone has. */
export const Test = Type.Union([SegmentTest, AttributeTest], { chosenByKey: ['segment', null] });
export type Test = Static<typeof Test>;

const TESTS_MAX = 50;
const tests = { minItems: 1, maxItems: TESTS_MAX };

const AnyOf = Type.Object(
  { any: Type.Array(Test, { ...tests, description: 'At least one holds.' }) },
  closed,
);
const AllOf = Type.Object(
  { all: Type.Array(Test, { ...tests, description: 'Every one holds.' }) },
  closed,
);

/**
 * A test, or tests combined: two levels, `all` of `any` or `any` of `all`, in which every
 * combination of AND and OR can be written.
 */
export const Condition = Type.Union(
  [
    Type.Object(
      {
        all: Type.Array(
          Type.Union([AnyOf, SegmentTest, AttributeTest], {
            chosenByKey: ['any', 'segment', null],
          }),
          { ...tests, description: 'Every one holds. Tests, or `any` of several tests.' },
        ),
      },
      closed,
    ),
    Type.Object(
      {
        any: Type.Array(
          Type.Union([AllOf, SegmentTest, AttributeTest], {
            chosenByKey: ['all', 'segment', null],
          }),
          { ...tests, description: 'At least one holds. Tests, or `all` of several tests.' },
        ),
      },
      closed,
    ),
    SegmentTest,
    AttributeTest,
  ],
  { chosenByKey: ['all', 'any', 'segment', null] },
);
export type Condition = Static<typeof Condition>;

export interface PlacedTest {
  readonly test: Test;
  readonly path: string;
}

/** Every test of a condition with its JSON pointer. */
export function testsOf(condition: Condition, path: string): readonly PlacedTest[] {
  const within = (parts: readonly (Condition | Test)[], at: string): PlacedTest[] =>
    parts.flatMap((part, index) => [...testsOf(part as Condition, `${at}/${index}`)]);
  if ('all' in condition) return within(condition.all, `${path}/all`);
  if ('any' in condition) return within(condition.any, `${path}/any`);
  return [{ test: condition, path }];
}
