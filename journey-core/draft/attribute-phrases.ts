/** `their city is Paris`, `the amount is at least 50`, `they are in the segment vip`. */
import type { AttributeTest, Operator, Test } from '../definition/condition.schema.ts';
import { OPERATORS_OF } from '../definition/condition.schema.ts';
import { durationText } from '../definition/duration.ts';
import {
  assetNamed,
  attributeNamed,
  takeName,
  takeQuoted,
  type AttributeHome,
  type FoundAttribute,
} from './named-things.ts';
import type { PhraseReader } from './phrase-reader.ts';
import { takeDate, takeDuration, type TextClock } from './time-phrases.ts';

export interface AttributeScene extends AttributeHome {
  readonly clock: TextClock;
}

/** A condition that was read, but that the attribute's type does not allow. */
export interface Refused {
  readonly refused: string;
}

export function isRefused(value: object): value is Refused {
  return 'refused' in value;
}

interface Comparison {
  readonly operator: Operator;
  readonly value?: NonNullable<AttributeTest['value']>;
}

const PEOPLE =
  'they|he|she|it|nobody|somebody|someone|anybody|no one|(?:the )?(?:customer|person|contact|client|' +
  'patient|member|call|recipient|line|e-?mail|message|sms|text|text message)s?';

export function takeSegmentTest(reader: PhraseReader, { assets }: AttributeScene): Test | null {
  return reader.attempt(() => {
    reader.take(`(?:${PEOPLE}|who)`);
    const head =
      reader.take(
        "(?:are|is|were)(?: |n't )(not )?(?:a )?(?:members?|part) of(?: the)?(?: segment)?",
      ) ??
      reader.take("(?:are|is|were)(?: |n't )(not )?in (?:the )?segment()") ??
      reader.take('belongs? to()(?: the)?(?: segment)?');
    if (head === null) return null;
    const isNot = head[1] !== undefined && head[1] !== '';
    const negated = isNot || (head[0] ?? '').includes("n't");
    const isQuoted = reader.isAtQuote;
    const name = takeName(reader);
    if (name === null) return null;
    const segment = assetNamed(name, assets.segments ?? [], { isQuoted });
    return { segment, operator: negated ? 'isNotMember' : 'isMember' };
  });
}

/** Null: no such condition is there. */
export function takeAttributeTest(
  reader: PhraseReader,
  scene: AttributeScene,
): AttributeTest | Refused | null {
  return reader.attempt(() => {
    const whose = reader.take('(their|his|her|its|the|an?|whose)');
    const person = ['their', 'his', 'her', 'whose'].includes(whose?.[1] ?? '');
    const thing = ['its', 'the', 'a', 'an'].includes(whose?.[1] ?? '');
    if (!person && !thing) return null;
    if (reader.sees(`(?:${PEOPLE})`)) return null;
    const phrase = takeName(reader, 4);
    if (phrase === null) return null;
    const found = attributeNamed(phrase, person ? 'person' : 'thing', scene);
    return comparedWith(reader, found, scene);
  });
}

/** What follows the attribute: operator and value. */
export function comparedWith(
  reader: PhraseReader,
  found: FoundAttribute,
  scene: AttributeScene,
): AttributeTest | Refused | null {
  const { from, attribute, type } = found;
  const compared = takeComparison(reader, found, scene);
  if (compared === null) return null;
  if (type !== null && !(OPERATORS_OF[type] as readonly string[]).includes(compared.operator)) {
    return { refused: `'${attribute}' is of type ${type}, and ${compared.operator} is not for it` };
  }
  return { from, attribute, ...compared };
}

function takeComparison(
  reader: PhraseReader,
  { type }: FoundAttribute,
  { clock }: AttributeScene,
): Comparison | null {
  return (
    takeUnary(reader) ??
    takeNumeric(reader) ??
    takeDated(reader, clock) ??
    takeTextual(reader, type === 'number' || type === 'text' ? type : null)
  );
}

const IS = '(?:is|are|was|were|of)';

function takeUnary(reader: PhraseReader): Comparison | null {
  const rows: readonly (readonly [string, Operator])[] = [
    [`${IS} (?:empty|missing|unknown|not known|not set|not given)`, 'isEmpty'],
    [`${IS} (?:known|set|given|not empty|there)|has a value`, 'hasValue'],
    [`${IS} (?:true|yes)`, 'isTrue'],
    [`${IS} (?:false|no)`, 'isFalse'],
  ];
  for (const [pattern, operator] of rows) if (reader.take(pattern) !== null) return { operator };
  return null;
}

const AMOUNT =
  '[€$£]?(-?\\d{1,9}(?:[.,]\\d{1,3})*)(?: ?(?:%|euros?|dollars?|pounds?|points?|€|\\$|eur|usd|gbp))?';

function takeNumeric(reader: PhraseReader): Comparison | null {
  return reader.attempt(() => {
    reader.take(IS);
    const between = reader.take(`between ${AMOUNT} and ${AMOUNT}`);
    if (between !== null) {
      const [low, high] = [between[1], between[2]].map(amountOf) as [number, number];
      return { operator: 'between', value: low <= high ? [low, high] : [high, low] };
    }
    const rows: readonly (readonly [string, Operator])[] = [
      ['at least|(?:no|not) less than|>=', 'atLeast'],
      ['at most|(?:no|not) more than|up to|<=', 'atMost'],
      ['(?:more|greater|higher|larger) than|over|above|exceeds?|>', 'greaterThan'],
      ['(?:less|fewer|lower|smaller) than|under|below|<', 'lessThan'],
      ['exactly|equal to|equals', 'equals'],
    ];
    for (const [pattern, operator] of rows) {
      const found = reader.take(`(?:${pattern}) ?${AMOUNT}`);
      if (found !== null) return { operator, value: amountOf(found[1]) };
    }
    return null;
  });
}

function amountOf(text = ''): number {
  return Number(text.replace(/,(?=\d{3}\b)/g, '').replace(',', '.'));
}

function takeDated(reader: PhraseReader, clock: TextClock): Comparison | null {
  return reader.attempt(() => {
    reader.take(IS);
    const near = reader.take('(?:with)?in the (next|last|past|coming)');
    if (near !== null) {
      const ms = takeDuration(reader);
      if (ms === null || ms === 0) return null;
      const isAhead = near[1] === 'next' || near[1] === 'coming';
      return { operator: isAhead ? 'inNext' : 'inLast', value: durationText(ms) };
    }
    const side = reader.take('(before|after|on)');
    if (side === null) return null;
    const date = takeDate(reader, clock);
    return date === null ? null : { operator: side[1] as 'before' | 'after' | 'on', value: date };
  });
}

/** Type: as far as it is known; a number that is text to nobody's knowledge is a number. */
function takeTextual(reader: PhraseReader, type: 'number' | 'text' | null): Comparison | null {
  return reader.attempt(() => {
    const rows: readonly (readonly [string, Operator])[] = [
      ["(?:does not|doesn't|do not|don't) contain", 'doesNotContain'],
      ['contains?', 'contains'],
      ['(?:begins?|starts?) with', 'beginsWith'],
      ['ends? with', 'endsWith'],
      ["(?:is|are|was)(?: not|n't)(?: equal to)?", 'isNot'],
      ['(?:is|are|was|of|equals)', 'is'],
    ];
    const found = rows.find(([pattern]) => reader.take(pattern) !== null);
    if (found === undefined) return null;
    const [, operator] = found;
    reader.take('one of|either|from');
    if (operator === 'is' || operator === 'isNot') {
      const amount = type === 'text' ? null : reader.take(AMOUNT);
      if (amount !== null) {
        const isEqual = operator === 'is';
        return { operator: isEqual ? 'equals' : 'notEquals', value: amountOf(amount[1]) };
      }
    }
    const values = takeValues(reader);
    const [first] = values;
    if (first === undefined) return null;
    if (values.length === 1) return { operator, value: first };
    return operator === 'is' ? { operator: 'in', value: values } : null;
  });
}

/** `Berlin`, `DE or AT`, `"Call back", Disputed or Promised`. */
export function takeValues(reader: PhraseReader): string[] {
  const values: string[] = [];
  for (;;) {
    reader.take('an?|the');
    const value = takeQuoted(reader) ?? takeName(reader, 4);
    if (value === null) return values;
    values.push(value);
    const more =
      reader.attempt(() => {
        const comma = reader.take('or|, or');
        if (comma !== null && !startsClause(reader) && seesValue(reader)) return true;
        return null;
      }) ?? reader.attempt(() => (reader.take(',') !== null && listGoesOn(reader) ? true : null));
    if (more === null) return values;
  }
}

function seesValue(reader: PhraseReader): boolean {
  const before = reader.position;
  reader.take('an?|the');
  const value = takeQuoted(reader) ?? takeName(reader, 4);
  reader.position = before;
  return value !== null;
}

/** A comma goes on with the list only where `or` comes before the next one. */
function listGoesOn(reader: PhraseReader): boolean {
  const before = reader.position;
  const value = takeQuoted(reader) ?? takeName(reader, 4);
  const goesOn = value !== null && (reader.sees('or|, or') || reader.sees(','));
  const isMore =
    goesOn && (reader.sees('or|, or') || (reader.take(',') !== null && listGoesOn(reader)));
  reader.position = before;
  return isMore;
}

/** After `or` another condition may come, and no value. */
function startsClause(reader: PhraseReader): boolean {
  return reader.sees(`(?:if|when|their|his|her|its|the|${PEOPLE}) [\\p{L}]`);
}

export const SUBJECT = `(?:${PEOPLE})`;
