/** `if ..., ...` and `... if ...`: a branch, an exit, an entry, or a wait for a trigger. */
import type { Test } from '../definition/condition.schema.ts';
import { isRefused, type AttributeScene, type Refused } from './attribute-phrases.ts';
import { takeCondition, takeWithin, type ReadCondition } from './condition-phrases.ts';
import type { Atom, Source } from './draft-plan.ts';
import { takeEventPhrase, takeTriggerEntry, triggerNamed, type Taken } from './entry-phrases.ts';
import { attributeNamed } from './named-things.ts';
import type { PhraseReader } from './phrase-reader.ts';
import { sceneOf, type Lost, type Reading } from './read-sentence.ts';
import { takeExitReason } from './setting-phrases.ts';

export const takeConditionHead =
  '(?:only )?(?:if|when|whenever|as soon as|once(?! *(?:,|$|at most|per|every))|in case|should|for (?:those|everyone|everybody|people|anyone|customers) who|' +
  '(?:those|people|everyone|everybody|anyone|customers) who|whoever|unless|after(?= (?:an?|the|they|somebody|someone) ))';

/** What may follow a condition without a comma. */
const CLAUSE_START =
  ',|:|then|$|(?:call|phone|ring|send|e-?mail|text|wait|stop|end|exit|create|add|ask|have|let|assign|try|retry|repeat|do|' +
  'activate|raise|give|start|leave|finish|continue|we|please|also|go|get|gets|receive|receives|nothing|take|remove)';

const ENDS =
  '(?:,|then)* *(?:stop|end|exit|leave|quit|(?:take|remove) them)(?: (?:here|there|the journey|this journey|everything|out|for them|at once|immediately|from the journey|it))* *$';

export function readConditional(
  reading: Reading,
  reader: PhraseReader,
  source: () => Source,
): Taken | Lost {
  if (!reader.sees(takeConditionHead)) return null;
  return (
    readEntry(reading, reader) ??
    reader.attempt(() => readBranch(reading, reader, source)) ?? { lost: NOT_UNDERSTOOD }
  );
}

const NOT_UNDERSTOOD =
  'the condition is not understood: what depends on it was left out. For something that happens say ' +
  'within what time: `if the invoice is paid within 3 days`';

/** Before anything is done `when` says what lets people in. */
function readEntry(reading: Reading, reader: PhraseReader): Taken {
  const { frame, plan } = reading;
  if (frame.trigger !== null || frame.segment !== null || !plan.isEmpty) return null;
  return reader.attempt((): Taken => {
    const isOfPeople = reader.sees(
      `${takeConditionHead} (?:their|his|her|(?:they|he|she) (?:are|is)(?: not|n't)? (?:in|an? member|members))`,
    );
    if (
      isOfPeople ||
      reader.sees('unless|(?:for )?(?:those|people|everyone|anyone|customers) who|whoever')
    )
      return null;
    const before = reader.position;
    if (isExit(reader)) {
      reader.position = before;
      return null;
    }
    reader.position = before;
    return takeTriggerEntry(reader, frame, sceneOf(reading));
  });
}

/** `if they cancel, stop` is no way in. */
function isExit(reader: PhraseReader): boolean {
  reader.take(takeConditionHead);
  return takeEventPhrase(reader) !== null && reader.sees(ENDS);
}

function readBranch(reading: Reading, reader: PhraseReader, source: () => Source): Taken | Lost {
  const head = reader.take(takeConditionHead);
  if (head === null) return null;
  const isUnless = (head[0] ?? '').endsWith('unless');
  const scene = sceneOf(reading);
  const read = reader.attempt(() => {
    const condition = takeCondition(reader, scene);
    if (condition === null || isRefused(condition)) return condition;
    return reader.sees(CLAUSE_START) && !isEvent(condition, reader, scene) ? condition : null;
  });
  if (read !== null && isRefused(read)) return { lost: read.refused };
  if (read === null) return readEvent(reading, reader, source);
  const refused = beginBranch(reading, read, isUnless, source());
  if (refused !== null) return { lost: refused.refused };
  return { means: `branch ${isUnless ? 'unless' : 'if'}` };
}

function beginBranch(
  reading: Reading,
  { when, isNested, withinMs }: ReadCondition,
  isUnless: boolean,
  source: Source,
): Refused | null {
  const refused =
    reading.plan.branch(when, { isNested, withinMs }, source) ??
    (isUnless ? reading.plan.otherwise(source) : null);
  if (refused === null) reading.hasLostCondition = false;
  return refused;
}

/** `the appointment is cancelled` reads like an attribute, and is something that happens. */
function isEvent(condition: ReadCondition, reader: PhraseReader, scene: AttributeScene): boolean {
  const isKnown = condition.when.flat().some((atom) => !isUnknownAttribute(atom, scene));
  return !isKnown && (reader.sees(ENDS) || condition.withinMs !== null || reader.sees('within'));
}

function isUnknownAttribute(atom: Atom, scene: AttributeScene): boolean {
  if (atom.kind !== 'person') return false;
  const test: Test = atom.test;
  if ('segment' in test || test.operator !== 'is' || typeof test.value !== 'string') return false;
  return (
    attributeNamed(test.attribute, test.from === 'contact' ? 'person' : 'thing', scene).type ===
    null
  );
}

/** A trigger that ends the run, or that is waited for. */
function readEvent(reading: Reading, reader: PhraseReader, source: () => Source): Taken | Lost {
  const { frame } = reading;
  const scene = sceneOf(reading);
  const exit = reader.attempt((): Taken => {
    const exits = frame.exits.length;
    const taken = takeExitReason(reader, frame, scene);
    if (taken !== null && reader.sees(ENDS)) {
      reader.take(ENDS);
      return taken;
    }
    frame.exits.length = exits;
    return null;
  });
  if (exit !== null) return exit;
  return reader.attempt(() => {
    reader.take('(?:the )?trigger');
    const isQuoted = reader.isAtQuote;
    const phrase = takeEventPhrase(reader);
    if (phrase === null) return null;
    const trigger = triggerNamed(phrase, scene, isQuoted);
    reader.take('happens|comes|is raised|fires|occurs');
    const state = { withinMs: null as number | null };
    takeWithin(reader, state);
    if (trigger === null || state.withinMs === null || !reader.sees(CLAUSE_START)) return null;
    const refused = reading.plan.triggerBranch(trigger, state.withinMs, source());
    if (refused !== null) return { lost: refused.refused };
    reading.hasLostCondition = false;
    return { means: `wait for trigger ${trigger}` };
  });
}

/** A condition behind what depends on it. */
export type Suffix =
  | { readonly condition: ReadCondition; readonly isUnless: boolean }
  | { readonly entry: { readonly means: string } }
  | Refused;

/** `send an SMS if they do not answer`, `call them when an order is shipped`. */
export function takeSuffix(reading: Reading, reader: PhraseReader): Suffix | null {
  return reader.attempt((): Suffix | null => {
    const before = reader.position;
    const head = reader.take(`,? ?(?:but )?${takeConditionHead}`);
    if (head === null) return null;
    const isUnless = (head[0] ?? '').endsWith('unless');
    const { frame, plan } = reading;
    const mayEnter = plan.isEmpty && frame.trigger === null && frame.segment === null;
    const condition = takeCondition(reader, sceneOf(reading));
    const isComma = /^,/.test((head[0] ?? '').trim());
    if (condition !== null && !isRefused(condition) && !mayEnter) {
      // `call them, if they answer stop`: what follows belongs to the condition.
      if (isComma && !reader.isAtEnd && reader.sees(`(?:,|then|${CLAUSE_START})`)) return null;
      return { condition, isUnless };
    }
    if (isComma) return null;
    if (condition !== null && isRefused(condition)) return condition;
    reader.position = before;
    if (mayEnter) {
      const entry = takeTriggerEntry(reader, frame, sceneOf(reading));
      if (entry !== null) return isRefused(entry) ? entry : { entry };
    }
    return { refused: 'the condition is not understood, and nothing is done without it' };
  });
}

export { beginBranch };
