/** One sentence after another: which pattern fits, and where what it says belongs. */
import type { JourneyAssets } from '../definition/assets.schema.ts';
import type { MessageAsset } from '../definition/assets.schema.ts';
import { DAY_MS, durationText } from '../definition/duration.ts';
import { applyAction } from './apply-action.ts';
import { takeAction } from './action-phrases.ts';
import { isRefused, type Refused } from './attribute-phrases.ts';
import {
  readConditional,
  takeConditionHead,
  takeSuffix,
  type Suffix,
} from './conditional-clause.ts';
import type { ConditionScene } from './condition-phrases.ts';
import { emptyFrame, type DraftFrame } from './draft-frame.ts';
import { takeEntryDetail, takeSegmentEntry, type Taken } from './entry-phrases.ts';
import { takeEventAfter } from './entry-phrases.ts';
import type { Source } from './draft-plan.ts';
import { PhraseReader, type TextSpan } from './phrase-reader.ts';
import { PlanBuilder } from './plan-builder.ts';
import { takeSetting } from './setting-phrases.ts';
import { takeShare } from './share-phrases.ts';
import { takeTiming, type WaitSpec } from './timing-phrases.ts';
import { readVariants } from './variant-phrases.ts';
import { NUMBER, numberOf } from './words.ts';

export interface Reading {
  readonly text: string;
  readonly plain: string;
  readonly assets: JourneyAssets;
  readonly nowMs: number;
  readonly frame: DraftFrame;
  readonly plan: PlanBuilder;
  readonly messages: Map<string, MessageAsset>;
  readonly understood: (Source & { readonly means: string })[];
  readonly leftOut: (Source & { readonly reason: string })[];
  readonly assumptions: string[];
  /** A condition was not understood: what is `otherwise` to it is not either. */
  hasLostCondition: boolean;
}

export function newReading(
  text: string,
  plain: string,
  { assets, nowMs, timeZone }: { assets: JourneyAssets; nowMs: number; timeZone: string },
): Reading {
  return {
    ...{ text, plain, assets, nowMs, frame: emptyFrame(timeZone), plan: new PlanBuilder() },
    ...{ messages: new Map(), understood: [], leftOut: [], assumptions: [] },
    hasLostCondition: false,
  };
}

export function sceneOf({ assets, nowMs, frame, plan }: Reading): ConditionScene {
  return {
    ...{ assets, entryTrigger: frame.trigger, clock: { nowMs, timeZone: frame.timeZone } },
    engagement: plan.lastConversation()?.engagement ?? null,
  };
}

/** Words that join clauses and say nothing of their own. */
const CONNECTORS =
  ',|:|-|/|\\(|\\)|and then|and also|and finally|and|then|but|after that|afterwards|after which|next(?=,)|first(?=,)|first of all|' +
  'firstly|secondly|finally|lastly|please|also|just|now|at the end|in the end|so|simply|immediately|right away|straight away|' +
  "let's|in any case|either way|(?:they|these people|everyone|everybody|each of them|the (?:customer|person|contact)|we|you|i)" +
  '(?= (?:should|must|will|shall|want to|would like to|need to|gets?|receives?|have to))|' +
  '(?:should|must|will|shall|want to|would like to|need to|have to|i would like to|i want to)';

export function readSentence(reading: Reading, span: TextSpan, sentence: number): void {
  const reader = new PhraseReader(reading.text, reading.plain, span);
  reading.plan.toEverybody();
  reading.frame.spokenOf = null;
  while (!reader.isAtEnd) {
    if (reader.take(CONNECTORS) !== null) continue;
    reader.skipSpace();
    const start = reader.position;
    const source = (): Source => ({ start, end: reader.position, sentence });
    const taken = readClause(reading, reader, source);
    if (taken !== null && 'lost' in taken) {
      // What depends on a condition is not done without it.
      reading.hasLostCondition = true;
      reader.position = reader.end;
      leave(reading, source(), aboutWorkingDays(reading, source()) ?? taken.lost);
      return;
    }
    if (taken !== null && !isRefused(taken)) {
      if (taken.means !== '') reading.understood.push({ ...source(), means: taken.means });
      continue;
    }
    if (taken === null) reader.position = start;
    skipClause(reader, start);
    leave(reading, source(), taken?.refused ?? aboutWorkingDays(reading, source()) ?? UNKNOWN);
  }
}

export const UNKNOWN =
  'no sentence pattern fits: docs/journeys/drafting.md has them all, with an example each';

/** The format has no word for them: what to write instead. */
function aboutWorkingDays({ plain }: Reading, { start, end }: TextSpan): string | null {
  const found = WORKING_DAYS.exec(plain.slice(start, end));
  if (found === null) return null;
  const days = numberOf(found[1] ?? 'a') ?? 1;
  const most = days + 2 * Math.ceil(days / 5);
  const [written, atMost] =
    days === 1 ? ['1 day', 'a working day is'] : [`${days} days`, 'so many working days are'];
  return (
    `waits count days of 24 hours, weekends too: write "${written}" and "only between 9 and 17 on weekdays", ` +
    `by which what falls on a weekend waits for Monday; or "${most} days", which ${atMost} at most`
  );
}

const WORKING_DAYS = new RegExp(`(?:(${NUMBER}) )?(?:working|business|work)[ -]?days?\\b`);

const DEPENDS = 'it depends on a condition that was not understood';

/** Neighbouring parts that were left out for one reason are one. */
function leave(reading: Reading, source: Source, reason: string): void {
  const last = reading.leftOut.at(-1);
  if (last?.sentence === source.sentence && last.reason === reason) {
    reading.leftOut[reading.leftOut.length - 1] = { ...source, start: last.start, reason };
  } else reading.leftOut.push({ ...source, reason });
}

/** To where something else may begin. Always goes on. */
function skipClause(reader: PhraseReader, start: number): void {
  while (!reader.isAtEnd) {
    const isFresh = reader.position === start;
    if (!isFresh && reader.sees(BOUNDARY)) return;
    if (reader.take('"[^"]*"|[\\p{L}\\p{N}][\\p{L}\\p{N}\'_.%-]*') === null) reader.position += 1;
  }
}

const BOUNDARY =
  ',|:|then|otherwise|and (?=(?:call|phone|send|e-?mail|text|wait|stop|end|exit|create|ask|try|retry|activate|if|when|then))';

/** A condition was not understood, and why: nothing more of the sentence can be done. */
export interface Lost {
  readonly lost: string;
}

type Clause = Taken | Lost;

function readClause(reading: Reading, reader: PhraseReader, source: () => Source): Clause {
  return (
    readOtherwise(reading, reader, source) ??
    readSegmentJoin(reading, reader) ??
    readConditional(reading, reader, source) ??
    readSetting(reading, reader) ??
    readVariants(reading, reader, source) ??
    readShare(reading, reader, source) ??
    readEventAfter(reading, reader, source) ??
    readTiming(reading, reader, source) ??
    readAction(reading, reader, source) ??
    takeSegmentEntry(reader, reading.frame, sceneOf(reading)) ??
    takeEntryDetail(reader, reading.frame, sceneOf(reading))
  );
}

function readOtherwise(reading: Reading, reader: PhraseReader, source: () => Source): Clause {
  if (reader.take('in that case|in this case|if so|for (?:them|these people)(?=,)') !== null) {
    if (reading.hasLostCondition) return { lost: DEPENDS };
    return reading.plan.toLastBranch()
      ? { means: '' }
      : { refused: 'no condition comes before it' };
  }
  const found = reader.take(
    'otherwise|or else|else|if not|in all other cases|in any other case|in every other case|in other cases|' +
      '(?:for |all |for all )?(?:everyone else|everybody else|the others|others|the rest)(?=,|:)',
  );
  if (found === null) return null;
  if (reading.hasLostCondition) return { lost: DEPENDS };
  return reading.plan.otherwise(source()) ?? { means: 'otherwise' };
}

function readSegmentJoin(reading: Reading, reader: PhraseReader): Taken {
  const { frame } = reading;
  if (frame.trigger !== null || frame.segment !== null || !reading.plan.isEmpty) return null;
  if (
    !reader.sees(
      `${takeConditionHead}|each time|every time|for everyone who|for people who|start when`,
    )
  ) {
    return null;
  }
  return takeSegmentEntry(reader, frame, sceneOf(reading));
}

/** `stop if they answer` is a branch, and no exit from anywhere. */
function readSetting(reading: Reading, reader: PhraseReader): Taken {
  return reader.attempt(() => {
    const taken = takeSetting(reader, reading.frame, sceneOf(reading));
    if (taken !== null && !isRefused(taken)) reading.hasLostCondition = false;
    return taken;
  });
}

function readShare(reading: Reading, reader: PhraseReader, source: () => Source): Taken {
  return reader.attempt((): Taken => {
    if (
      reader.take(
        '(?:split|divide|share) (?:them|people|everyone|everybody|the people)(?: out| up)?(?: into (?:two|three|four|\\d+) (?:groups|parts|halves))?(?=[,:]| by)',
      ) !== null
    ) {
      reader.take('by (?:percent|percentage|number|chance)');
      return { means: 'shares' };
    }
    reader.take('for|give|let|send(?= (?:half|the))');
    const share = takeShare(reader);
    if (share === null) return null;
    const refused = reading.plan.splitArm(share, source());
    if (refused !== null) return refused;
    return {
      means:
        share.by === 'rest'
          ? 'the rest'
          : `${share.share}${share.by === 'percent' ? ' %' : ' people'}`,
    };
  });
}

/** `two days after an order is shipped`, where it is not said yet who enters. */
function readEventAfter(reading: Reading, reader: PhraseReader, source: () => Source): Taken {
  const { frame, plan } = reading;
  if (frame.trigger !== null || frame.segment !== null || !plan.isEmpty) return null;
  return reader.attempt((): Taken => {
    const found = takeEventAfter(reader, frame, sceneOf(reading));
    if (found === null || isRefused(found)) return found;
    if (found.waitMs > 0) {
      const wait = addWait(reading, waitFor(found.waitMs), source());
      if (wait !== null) return wait;
    }
    return { means: found.means };
  });
}

function waitFor(ms: number): WaitSpec {
  return { for: durationText(Math.min(ms, 90 * DAY_MS)) };
}

function readTiming(reading: Reading, reader: PhraseReader, source: () => Source): Taken {
  return reader.attempt((): Taken => {
    const timing = takeTiming(reader, sceneOf(reading));
    if (timing === null || isRefused(timing)) return timing;
    const refused = addWait(reading, timing, source());
    return refused ?? { means: waitText(timing) };
  });
}

export function addWait(reading: Reading, spec: WaitSpec, source: Source): Refused | null {
  if ('until' in spec) {
    reading.assumptions.push(`'${spec.until}' is the same moment for everybody.`);
  }
  const made = reading.plan.step('wait', { type: 'wait', ...spec } as never, source);
  return isRefused(made) ? made : null;
}

export function waitText(spec: WaitSpec): string {
  if ('for' in spec) return `wait ${spec.for}`;
  if ('until' in spec) return `wait until ${spec.until}`;
  const { before, after, attribute } = spec.untilAttribute;
  const shift =
    before !== undefined ? `${before} before ` : after !== undefined ? `${after} after ` : '';
  return `wait until ${shift}${attribute}`;
}

function readAction(reading: Reading, reader: PhraseReader, source: () => Source): Clause {
  return reader.attempt((): Clause | null => {
    const read = takeAction(reader, sceneOf(reading));
    if (read === null || isRefused(read)) return read;
    const suffix = reader.attempt((): Suffix | null => takeSuffix(reading, reader));
    if (suffix !== null && isRefused(suffix)) return { lost: suffix.refused };
    return applyAction(reading, read, suffix, source());
  });
}
