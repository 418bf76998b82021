/** Conditions: what came of a call or a message, what somebody said, who somebody is. */
import type { JourneyAssets } from '../definition/assets.schema.ts';
import { RESULTS } from '../../machines/result.ts';
import {
  comparedWith,
  SUBJECT,
  takeAttributeTest,
  takeSegmentTest,
  takeValues,
} from './attribute-phrases.ts';
import type { AttributeScene, Refused } from './attribute-phrases.ts';
import { aboutOf, type AnyOf, type Atom, type OutcomeAtom, type TargetKind } from './draft-plan.ts';
import type { PhraseReader } from './phrase-reader.ts';
import { takeQuoted } from './named-things.ts';
import { takeText } from './take-text.ts';
import { takeDuration } from './time-phrases.ts';
import { wordsOf } from './words.ts';

export interface ConditionScene extends AttributeScene {
  /** Of the conversation that was asked for last; null: there was none. */
  readonly engagement: string | null;
}

export interface ReadCondition {
  readonly when: AnyOf;
  /** `within two days`: how long it is waited for. */
  readonly withinMs: number | null;
  /** `still`, `the second call`: it asks about what an earlier branch did. */
  readonly isNested: boolean;
}

const NOT = "(?:do not|don't|does not|doesn't|did not|didn't|have not|haven't|has not|hasn't)";
const BE = '(?:is|are|was|were|gets?|got|has been|have been)';
const NOT_BE =
  "(?:is not|isn't|are not|aren't|was not|wasn't|were not|weren't|cannot be|can't be|can not be|could not be|couldn't be)";
const MESSAGE =
  '(?: (?:it|the (?:e-?mail|mail|message|text|text message|sms)|to (?:it|the (?:e-?mail|message|text|sms))))?';
const MACHINE = '(?:answering machine|voice ?mail|mailbox|machine)';
const CALL = '(?:the (?:phone|call))';

/** In order: what is longer and negative comes first. */
const OUTCOMES: readonly (readonly [string, OutcomeAtom])[] = [
  [
    `(?:nobody|no one) (?:answers?|picks? up|answered|picked up|is reached|takes the call)`,
    'notReached',
  ],
  [`(?:there is |there was |we get |with )?no (?:answer|reply from them by phone)`, 'notReached'],
  [`${NOT} (?:answer(?: ${CALL})?|pick up(?: ${CALL})?|take (?:${CALL}|it))`, 'notReached'],
  [
    `${NOT_BE} (?:reached|reachable|answered)|${BE} (?:unreachable|not reachable|not reached|not answered)`,
    'notReached',
  ],
  [`not (?:reached|answered|reachable)|unreachable|miss(?:es|ed)? (?:${CALL}|it)`, 'notReached'],
  [`${BE} missed`, 'notReached'],
  [
    `${NOT_BE} (?:made|attempted|placed|called)|${BE} not (?:made|attempted|placed|called)|not attempted`,
    'notAttempted',
  ],
  [`(?:the |their )?number (?:is|was) (?:wrong|invalid|not in service|no good)`, 'notAttempted'],
  [`${BE} (?:blocked|not allowed|held back)|${NOT_BE} allowed|blocked`, 'blocked'],
  [`(?:there is )?no consent|${NOT} (?:consented|consent|opted in|given consent)`, 'blocked'],
  [
    `(?:an? |the |their |only an? )?${MACHINE}(?: (?:answers|picks up|is reached|answered))?`,
    'machine',
  ],
  [`(?:goes|go|went) to (?:an? |the )?${MACHINE}|reach(?:es)? (?:an? |the )?${MACHINE}`, 'machine'],
  [`(?:the line )?(?:is|are|was) (?:busy|engaged)|busy`, 'busy'],
  [
    `nothing (?:happens|happened|is heard|was heard|came of it|comes of it)|(?:there is |there was )?no (?:result|outcome|news)`,
    'nothing',
  ],
  [
    `${NOT} (?:reply|respond|write back)${MESSAGE}|${NOT} answer${MESSAGE}|(?:there is )?no (?:reply|response)|(?:nobody|no one) (?:replies|responds)`,
    'notReplied',
  ],
  [`${NOT} open(?:ed)?${MESSAGE}|${NOT} read${MESSAGE}|${NOT_BE} (?:opened|read)`, 'notOpened'],
  [
    `${NOT} click(?:ed)?(?: on)?(?: (?:it|(?:the|a|its) (?:link|button)))?|${NOT_BE} clicked`,
    'notClicked',
  ],
  [
    `${NOT_BE} (?:sent|delivered)|${BE} not (?:sent|delivered)|bounces|bounced|${BE} returned`,
    'notSent',
  ],
  [`(?:open|opens|opened|reads)${MESSAGE}|${BE} (?:opened|read)`, 'opened'],
  [`click(?:s|ed)?(?: on)?(?: (?:it|(?:the|a|its) (?:link|button)))?|${BE} clicked`, 'clicked'],
  [`(?:repl(?:y|ies|ied)|respond(?:s|ed)?|writes? back)${MESSAGE}`, 'replied'],
  [
    `(?:answers?|answered|picks? up|picked up|takes?|took)(?: ${CALL})?|${BE} (?:reached|answered|spoken to)|(?:can|could) be reached|reached|answered`,
    'answered',
  ],
  [`${BE} (?:attempted|made|placed|called)|attempted`, 'attempted'],
];

const NESTED = '(?:still|again|this time|the second time|also then|even then|then too)';

/** Null: there is none that is understood. */
export function takeCondition(
  reader: PhraseReader,
  scene: ConditionScene,
): ReadCondition | Refused | null {
  return reader.attempt(() => {
    const state = { isNested: false, withinMs: null as number | null };
    const any: Atom[][] = [];
    for (;;) {
      const all = takeAll(reader, scene, state);
      if (all === null || 'refused' in all) return any.length === 0 ? all : null;
      any.push([...all]);
      if (reader.attempt(() => orCondition(reader, scene, state)) === null) break;
    }
    return { when: any, ...state };
  });
}

/** Takes `or` where another condition follows. */
function orCondition(reader: PhraseReader, scene: ConditionScene, state: State): true | null {
  if (reader.take(',? ?or(?: if| when)?') === null) return null;
  const before = reader.position;
  const next = takeAtom(reader, scene, { ...state });
  reader.position = before;
  return next === null || 'refused' in next ? null : true;
}

interface State {
  isNested: boolean;
  withinMs: number | null;
}

function takeAll(
  reader: PhraseReader,
  scene: ConditionScene,
  state: State,
): readonly Atom[] | Refused | null {
  const first = takeAtom(reader, scene, state);
  if (first === null || 'refused' in first) return first;
  const all = [first];
  for (;;) {
    const more = reader.attempt(() => {
      if (reader.take('and(?: if| when)?') === null) return null;
      const next = takeAtom(reader, scene, state);
      return next === null || 'refused' in next ? null : next;
    });
    if (more === null) return all;
    all.push(more);
  }
}

function takeAtom(
  reader: PhraseReader,
  scene: ConditionScene,
  state: State,
): Atom | Refused | null {
  return reader.attempt(() => {
    takeWithin(reader, state);
    const test = takeSegmentTest(reader, scene);
    if (test !== null) return { kind: 'person' as const, test };
    const spoken = takeSpoken(reader, scene) ?? takeResult(reader, scene);
    if (spoken !== null) return spoken;
    const outcome = takeOutcome(reader, state);
    if (outcome !== null) {
      takeWithin(reader, state);
      return { kind: 'outcome' as const, ...outcome };
    }
    const attribute = takeAttributeTest(reader, scene);
    if (attribute === null || 'refused' in attribute) return attribute;
    return { kind: 'person' as const, test: attribute };
  });
}

function takeOutcome(
  reader: PhraseReader,
  state: State,
): { readonly outcome: OutcomeAtom; readonly about?: TargetKind } | null {
  return reader.attempt(() => {
    // `nobody answers` says more than its verb.
    for (const [pattern, outcome] of OUTCOMES.slice(0, 2)) {
      if (reader.take(pattern) !== null) return { outcome };
    }
    const subject = reader.take(`(?:${SUBJECT}|who)`)?.[0] ?? '';
    const about = /^the +(?:call|line)/.test(subject)
      ? ({ about: 'conversation' } as const)
      : /^the +(?:e-?mail|message)/.test(subject)
        ? ({ about: 'message' } as const)
        : {};
    if (reader.take(NESTED) !== null) state.isNested = true;
    for (const [pattern, outcome] of OUTCOMES) {
      if (reader.take(pattern) === null) continue;
      if (reader.take(NESTED) !== null) state.isNested = true;
      const fits = aboutOf({ kind: 'outcome', outcome })?.includes(about.about ?? 'conversation');
      return about.about !== undefined && fits === true ? { outcome, ...about } : { outcome };
    }
    return null;
  });
}

/** `within 2 days`, `in the next week`; remembered once. */
export function takeWithin(reader: PhraseReader, state: { withinMs: number | null }): void {
  reader.attempt(() => {
    if (reader.take('within|in less than|during the next|in the next|for|after') === null)
      return null;
    const ms = takeDuration(reader);
    if (ms === null || ms === 0) return null;
    state.withinMs = ms;
    return true;
  });
}

/** `they say reschedule`, `they want to pay later`, `they ask for a call back`. */
function takeSpoken(reader: PhraseReader, scene: ConditionScene): Atom | null {
  return reader.attempt(() => {
    reader.take(`(?:${SUBJECT}|who)`);
    const said = reader.take(
      '(?:say|says|said|want|wants|wanted|ask|asks|asked|request|requests|requested|choose|chooses|chose|' +
        'prefer|prefers|answer with|answers with)(?: to| for| that they (?:want|wish)(?: to)?)?',
    );
    if (said === null) return null;
    const values = takeSaid(reader);
    if (values.length === 0) return null;
    const attribute = saidAttribute(scene);
    return {
      kind: 'result',
      test:
        values.length === 1
          ? { attribute, operator: 'is', value: values[0] ?? '' }
          : { attribute, operator: 'in', value: values },
    };
  });
}

/** What is said may be any words: `later`, `call back or never`. */
function takeSaid(reader: PhraseReader): string[] {
  const values: string[] = [];
  do {
    reader.take('an?|the');
    const value = takeQuoted(reader) ?? takeText(reader, ',|then|and|or|if|otherwise|create|send');
    if (value === '' || value.length > 100) return values;
    values.push(value);
  } while (reader.take('or|, or') !== null);
  return values;
}

/** What the AI agent learnt: `Outcome`, or the only text that the engagement brings back. */
function saidAttribute({ assets, engagement }: ConditionScene): string {
  const attributes = resultAttributes(assets, engagement);
  const texts = attributes.filter(({ type }) => type === 'text').map(({ name }) => name);
  if (texts.includes('Outcome') || texts.length !== 1) return 'Outcome';
  return texts[0] ?? 'Outcome';
}

function resultAttributes(assets: JourneyAssets, engagement: string | null) {
  return assets.engagements?.find(({ name }) => name === engagement)?.resultAttributes ?? [];
}

/** Disposition codes, the Result, and attributes that are known to come back of the call. */
function takeResult(reader: PhraseReader, scene: ConditionScene): Atom | Refused | null {
  return reader.attempt((): Atom | Refused | null => {
    const disposition =
      reader.take(
        '(?:the )?(?:disposition|disposition code|wrap-?up code|code)s?(?: is| are| contains?| includes?)(?: one of)?',
      ) ??
      reader.take(
        '(?:the )?(?:rep|representative|agent|colleague)s? (?:chooses|chose|selects|selected|marks|marked|codes|coded|' +
          'picks|picked|sets|notes|noted)(?: it(?: as)?| the call as)?',
      ) ??
      reader.take(`(?:${SUBJECT}) (?:is|was) (?:marked|coded|dispositioned)(?: as)?`);
    if (disposition !== null) {
      const value = takeValues(reader);
      if (value.length === 0) return null;
      const test = { attribute: 'DispositionCodes', operator: 'containsAny', value } as const;
      return { kind: 'result', test };
    }
    if (reader.take('(?:the )?(?:call )?result (?:is|was)(?: one of)?') !== null) {
      const values = takeResultNames(reader);
      const [only] = values;
      if (only === undefined) return { refused: `the results are ${RESULTS.join(', ')}` };
      const test =
        values.length === 1
          ? ({ attribute: 'Result', operator: 'is', value: only } as const)
          : ({ attribute: 'Result', operator: 'in', value: values } as const);
      return { kind: 'result', test };
    }
    return takeReturned(reader, scene);
  });
}

const RESULT_NAMES = [...RESULTS]
  .sort((a, b) => b.length - a.length)
  .map((result) => wordsOf(result).join(' ?'))
  .join('|');

/** `busy or no answer`, `AnsweringMachine`. */
function takeResultNames(reader: PhraseReader): string[] {
  const names: string[] = [];
  for (;;) {
    const found = reader.attempt(() => {
      if (names.length > 0 && reader.take(',? ?or|,') === null) return null;
      const quoted = reader.take('an?|the|"');
      const name = reader.take(`(${RESULT_NAMES})`);
      if (name !== null && quoted?.[0] === '"') reader.position += 1;
      return name;
    });
    const wanted = wordsOf(found?.[1] ?? '').join('');
    const result = RESULTS.find((one) => one.toLowerCase() === wanted);
    if (result === undefined) return names;
    names.push(result);
  }
}

function takeReturned(reader: PhraseReader, scene: ConditionScene): Atom | Refused | null {
  return reader.attempt((): Atom | Refused | null => {
    reader.take('the|their|its');
    const names = resultAttributes(scene.assets, scene.engagement);
    for (const { name, type } of names) {
      const words = wordsOf(name).join(' ?');
      if (reader.take(words) === null) continue;
      const home = { from: 'contact', attribute: name, type } as const;
      const test = comparedWith(reader, home, scene);
      if (test === null || 'refused' in test) return test;
      const { operator, value } = test;
      return {
        kind: 'result',
        test: { attribute: name, operator, ...(value === undefined ? {} : { value }) },
      };
    }
    return null;
  });
}
