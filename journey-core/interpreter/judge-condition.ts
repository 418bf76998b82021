/** A whole condition against what is known, with what each test found. */
import type { AttributeTest, Condition, Test } from '../definition/condition.schema.ts';
import { judgeTest, type JudgedAt } from './judge-test.ts';
import type { JsonValue } from './json-value.ts';

/** Where the values of a condition come from. */
export interface Known extends JudgedAt {
  valueOf(from: string, attribute: string): JsonValue | undefined;
  isMember(segment: string): boolean;
}

export interface TestFinding {
  /** `call.Result is LiveAnswer`. */
  readonly test: string;
  /** What was found, shortened; null when there was nothing. May be personal data. */
  readonly found: string | null;
  readonly holds: boolean;
}

export interface ConditionFinding {
  readonly holds: boolean;
  /** Every test, in order; none is left out because another has decided. */
  readonly tests: readonly TestFinding[];
}

export function judgeCondition(condition: Condition, known: Known): ConditionFinding {
  if ('all' in condition) return combined(condition.all, known, (found) => found.every(holds));
  if ('any' in condition) return combined(condition.any, known, (found) => found.some(holds));
  const finding = judged(condition, known);
  return { holds: finding.holds, tests: [finding] };
}

function combined(
  parts: readonly (Condition | Test)[],
  known: Known,
  decide: (found: readonly ConditionFinding[]) => boolean,
): ConditionFinding {
  const found = parts.map((part) => judgeCondition(part as Condition, known));
  return { holds: decide(found), tests: found.flatMap(({ tests }) => tests) };
}

function holds({ holds: it }: ConditionFinding): boolean {
  return it;
}

function judged(test: Test, known: Known): TestFinding {
  if ('segment' in test) {
    const isMember = known.isMember(test.segment);
    return {
      test: `${test.operator} ${test.segment}`,
      found: isMember ? 'member' : 'no member',
      holds: isMember === (test.operator === 'isMember'),
    };
  }
  const value = known.valueOf(test.from, test.attribute);
  return {
    test: testText(test),
    found: value === undefined || value === null ? null : shortened(value),
    holds: judgeTest(test.operator, value, operandOf(test, known), known),
  };
}

function operandOf(test: AttributeTest, known: Known): JsonValue | undefined {
  const { value, valueFrom } = test;
  return valueFrom === undefined ? value : known.valueOf(valueFrom.from, valueFrom.attribute);
}

export function testText({ from, attribute, operator, value, valueFrom }: AttributeTest): string {
  const operand =
    valueFrom === undefined
      ? value === undefined
        ? ''
        : ` ${Array.isArray(value) ? value.join(', ') : String(value)}`
      : ` ${valueFrom.from}.${valueFrom.attribute}`;
  return `${from}.${attribute} ${operator}${operand}`;
}

const SHOWN_MAX = 100;

function shortened(value: JsonValue): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX - 1)}…`;
}
