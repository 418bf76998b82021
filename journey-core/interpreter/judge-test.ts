/**
 * One operator of a condition against one value (spec G.4). The operator says what type is meant:
 * values come as text from AI agents and files, and are read as that type. What cannot be read so
 * counts as not there.
 *
 * Text is compared without regard to upper and lower case and to spaces around it. `isNot`,
 * `doesNotContain`, `notEquals` and `containsNone` are the exact opposites of their counterparts,
 * and so hold where there is no value.
 */
import type { Operator } from '../definition/condition.schema.ts';
import { durationMs } from '../definition/duration.ts';
import { dayOf, instantMs } from '../definition/instant.ts';
import type { JsonValue } from './json-value.ts';

export interface JudgedAt {
  readonly nowMs: number;
  /** Of dates without an offset, and of `on`. */
  readonly timeZone: string;
}

type Operand = JsonValue | undefined;
type Judge = (value: JsonValue | undefined, operand: Operand, at: JudgedAt) => boolean;

export function judgeTest(
  operator: Operator,
  value: JsonValue | undefined,
  operand: Operand,
  at: JudgedAt,
): boolean {
  return JUDGES[operator](value, operand, at);
}

const JUDGES: Readonly<Record<Operator, Judge>> = {
  is: (value, operand) => isSame(value, operand),
  isNot: (value, operand) => !isSame(value, operand),
  contains: (value, operand) => folded(value).includes(folded(operand)) && hasText(value),
  doesNotContain: (value, operand) => !(folded(value).includes(folded(operand)) && hasText(value)),
  beginsWith: (value, operand) => hasText(value) && folded(value).startsWith(folded(operand)),
  endsWith: (value, operand) => hasText(value) && folded(value).endsWith(folded(operand)),
  in: (value, operand) => items(operand).some((item) => isSame(value, item)),
  isEmpty: (value) => isEmpty(value),
  hasValue: (value) => !isEmpty(value),

  equals: (value, operand) => compared(value, operand, (a, b) => a === b),
  notEquals: (value, operand) => !compared(value, operand, (a, b) => a === b),
  lessThan: (value, operand) => compared(value, operand, (a, b) => a < b),
  atMost: (value, operand) => compared(value, operand, (a, b) => a <= b),
  greaterThan: (value, operand) => compared(value, operand, (a, b) => a > b),
  atLeast: (value, operand) => compared(value, operand, (a, b) => a >= b),
  between: (value, operand) => {
    const [low, high] = items(operand);
    return compared(value, low, (a, b) => a >= b) && compared(value, high, (a, b) => a <= b);
  },

  isTrue: (value) => asBoolean(value) === true,
  isFalse: (value) => asBoolean(value) === false,

  before: (value, operand, at) => moments(value, operand, at, (a, b) => a < b),
  after: (value, operand, at) => moments(value, operand, at, (a, b) => a > b),
  on: (value, operand, at) =>
    moments(value, operand, at, (a, b) => dayOf(a, at.timeZone) === dayOf(b, at.timeZone)),
  inLast: (value, operand, at) =>
    agoMs(value, operand, at, (age, lengthMs) => age >= 0 && age < lengthMs),
  inNext: (value, operand, at) =>
    agoMs(value, operand, at, (age, lengthMs) => age <= 0 && -age < lengthMs),

  containsAny: (value, operand) => {
    const there = foldedItems(value);
    return foldedItems(operand).some((item) => there.includes(item));
  },
  containsAll: (value, operand) => {
    const there = foldedItems(value);
    return foldedItems(operand).every((item) => there.includes(item));
  },
  containsNone: (value, operand) => {
    const there = foldedItems(value);
    return !foldedItems(operand).some((item) => there.includes(item));
  },
};

function isEmpty(value: JsonValue | undefined): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return value === undefined || value === null || (typeof value === 'string' && !hasText(value));
}

function hasText(value: JsonValue | undefined): boolean {
  return folded(value) !== '';
}

function isSame(value: JsonValue | undefined, operand: Operand): boolean {
  return hasText(value) && folded(value) === folded(operand);
}

/** Empty for what is no text, number or truth value. */
function folded(value: JsonValue | undefined): string {
  if (typeof value === 'string') return value.trim().toLowerCase();
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

function items(value: JsonValue | undefined): readonly JsonValue[] {
  if (Array.isArray(value)) return value as readonly JsonValue[];
  return value === undefined || value === null ? [] : [value];
}

function foldedItems(value: JsonValue | undefined): readonly string[] {
  return items(value)
    .map((item) => folded(item))
    .filter((text) => text !== '');
}

const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;

export function asNumber(value: JsonValue | undefined): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  const number = NUMBER.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(number) ? number : undefined;
}

function asBoolean(value: JsonValue | undefined): boolean | undefined {
  if (typeof value === 'boolean') return value;
  const text = folded(value);
  return text === 'true' ? true : text === 'false' ? false : undefined;
}

/** Epoch ms. Text in ISO 8601; a number is epoch ms already. */
export function asInstantMs(value: JsonValue | undefined, timeZone: string): number | undefined {
  if (typeof value === 'number') return Math.abs(value) <= INSTANT_MAX_MS ? value : undefined;
  return typeof value === 'string' ? instantMs(value.trim(), timeZone) : undefined;
}

/** The range of ECMAScript's time values. */
const INSTANT_MAX_MS = 8.64e15;

function compared(
  value: JsonValue | undefined,
  operand: Operand,
  holds: (a: number, b: number) => boolean,
): boolean {
  const [a, b] = [asNumber(value), asNumber(operand)];
  return a !== undefined && b !== undefined && holds(a, b);
}

function moments(
  value: JsonValue | undefined,
  operand: Operand,
  { timeZone }: JudgedAt,
  holds: (a: number, b: number) => boolean,
): boolean {
  const [a, b] = [asInstantMs(value, timeZone), asInstantMs(operand, timeZone)];
  return a !== undefined && b !== undefined && holds(a, b);
}

function agoMs(
  value: JsonValue | undefined,
  operand: Operand,
  { nowMs, timeZone }: JudgedAt,
  holds: (age: number, lengthMs: number) => boolean,
): boolean {
  const atMs = asInstantMs(value, timeZone);
  const lengthMs = typeof operand === 'string' ? durationMs(operand) : undefined;
  return atMs !== undefined && lengthMs !== undefined && holds(nowMs - atMs, lengthMs);
}
