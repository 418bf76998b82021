/** Who enters, and when: a trigger, a segment, rounds, dates, rates. */
import { DateTime } from 'luxon';
import { DAY_MS, durationText } from '../definition/duration.ts';
import { WEEKDAYS, type Weekday } from '../definition/quiet-time.schema.ts';
import { takeSegmentObject } from './whom-phrases.ts';
import {
  comparedWith,
  takeAttributeTest,
  type AttributeScene,
  type Refused,
} from './attribute-phrases.ts';
import type { DraftFrame } from './draft-frame.ts';
import { assetNamed, attributeNamed, meantAsset, takeName } from './named-things.ts';
import type { PhraseReader } from './phrase-reader.ts';
import {
  nextWeekday,
  takeDate,
  takeDuration,
  takeTimeOfDay,
  takeWeekdays,
  WEEKDAY,
} from './time-phrases.ts';
import { meantName, nameOf, NUMBER, numberOf, wordsOf } from './words.ts';

/** What a phrase means, in the format's words. */
export type Taken = { readonly means: string } | Refused | null;

/** `everyone in the segment vip`, `when somebody joins the segment vip`. Sets nothing twice. */
export function takeSegmentEntry(
  reader: PhraseReader,
  frame: DraftFrame,
  scene: AttributeScene,
): Taken {
  return reader.attempt((): Taken => {
    const joins = reader.attempt(() => {
      const head = reader.take(
        '(?:when|whenever|as soon as|once|each time|every time|for everyone who|for everybody who|for people who|(?:start|begin) when) ?' +
          '(?:somebody|someone|anybody|a (?:new )?(?:customer|person|contact|member|client|patient)|people|they)? ?' +
          '(?:joins?|enters?|is added to|are added to|becomes? (?:a member|members|part) of|comes? into|gets? into)' +
          '(?: (?:the|our))?(?: (?:segment|list))?',
      );
      if (head === null) return null;
      const isSegment = /(?:segment|list) *$/.test(head[0] ?? '') || reader.isAtQuote;
      const isQuoted = reader.isAtQuote;
      const name = takeName(reader);
      if (name === null) return null;
      const known = scene.assets.segments ?? [];
      const meant = meantAsset(name, known);
      return isSegment || meant !== undefined ? assetNamed(name, known, { isQuoted }) : null;
    });
    if (joins !== null) {
      if (hasEntry(frame)) return otherEntry();
      frame.segment = joins;
      frame.frequency = 'ongoing';
      return { means: `entry: segment ${joins}, ongoing` };
    }
    reader.take(
      '(?:for|take|target|include|start with|let in|use|the journey is for|it is for|this is for|with)',
    );
    const name = takeSegmentObject(reader);
    if (name === null) return null;
    reader.take('enters?(?: the journey)?|(?:is|are) let in');
    return segmentEntry(frame, name, scene);
  });
}

export function segmentEntry(frame: DraftFrame, written: string, scene: AttributeScene): Taken {
  const segment = assetNamed(written, scene.assets.segments ?? [], { isQuoted: true });
  if (frame.segment === segment) return { means: `entry: segment ${segment}` };
  if (hasEntry(frame)) return otherEntry();
  frame.segment = segment;
  return { means: `entry: segment ${segment}` };
}

function hasEntry({ trigger, segment }: DraftFrame): boolean {
  return trigger !== null || segment !== null;
}

function otherEntry(): Refused {
  return { refused: 'people enter a journey in one way, and the text has said another before' };
}

/** `when an order is shipped`, `two days after an invoice is overdue`; to the comma. */
export function takeTriggerEntry(
  reader: PhraseReader,
  frame: DraftFrame,
  scene: AttributeScene,
): Taken {
  return reader.attempt((): Taken => {
    if (frame.trigger !== null || frame.segment !== null) return null;
    const explicit = reader.take(
      '(?:start |begin |enter |entry )?(?:on|when|whenever|as soon as|once|after|with|by|:)? ?(?:the )?(?:custom |business )?trigger',
    );
    const head =
      explicit ??
      reader.take(
        '(?:start |begin )?(?:when(?:ever)?|as soon as|each time|every time|once|after|if|on)(?: that)?',
      );
    if (head === null) return null;
    if (explicit === null && /^(?:on|after)/.test(head[0] ?? '') && takeDuration(reader) !== null)
      return null;
    const isQuoted = reader.isAtQuote;
    const phrase = takeEventPhrase(reader);
    if (phrase === null) return null;
    reader.take('(?:happens|fires|is raised|comes|occurs)');
    return triggerEntry(reader, frame, scene, { phrase, isQuoted });
  });
}

export interface WrittenEvent {
  readonly phrase: string;
  readonly isQuoted: boolean;
}

export function triggerEntry(
  reader: PhraseReader,
  frame: DraftFrame,
  scene: AttributeScene,
  { phrase, isQuoted }: WrittenEvent,
): Taken {
  const trigger = triggerNamed(phrase, scene, isQuoted);
  if (trigger === null) return null;
  if (frame.frequency !== null || frame.rate !== null) {
    return { refused: 'rounds and rates are for segments, and this is a trigger' };
  }
  frame.trigger = trigger;
  const withEntry = { ...scene, entryTrigger: trigger };
  for (;;) {
    const condition = takeEntryCondition(reader, withEntry);
    if (condition === null) break;
    if ('refused' in condition) return condition;
    frame.triggerConditions.push(condition);
  }
  const tests = frame.triggerConditions.map(({ attribute, operator, value }) =>
    [attribute, operator, ...(value === undefined ? [] : [JSON.stringify(value)])].join(' '),
  );
  return { means: [`entry: trigger ${trigger}`, ...tests].join(', ') };
}

export function triggerNamed(
  phrase: string,
  { assets }: AttributeScene,
  isQuoted: boolean,
): string | null {
  const names = (assets.triggers ?? []).map(({ name }) => name);
  const meant = names.find((name) => name === phrase) ?? meantName(phrase, names);
  if (meant !== undefined) return meant;
  if (isQuoted) return phrase;
  const words = wordsOf(phrase);
  if (words.length === 1) return phrase;
  return words.length === 0 ? null : nameOf(phrase, 'event');
}

const EVENT_END =
  ',|:|;|$|then|or (?:if|when)|(?:and|if|when|where) (?:its|their|the [\\p{L}]+ (?:is|are|contains|begins|ends)|the [\\p{L}]+ [\\p{L}]+ (?:is|are))|' +
  'with an? [\\p{L}]+ (?:of|over|above|below|under|between)|with an? [\\p{L}]+ [\\p{L}]+ of|whose|where|within|happens|fires|is raised|occurs|' +
  '(?:and )?(?:call|send|wait|e-?mail|text|create|start|stop|ask|activate)';

/** What happened, as it was written. */
export function takeEventPhrase(reader: PhraseReader): string | null {
  return reader.attempt(() => {
    reader.skipSpace();
    if (reader.isAtQuote) return takeName(reader);
    const start = reader.position;
    for (let words = 0; words < 12 && !reader.isAtEnd; words += 1) {
      if (reader.sees(EVENT_END) || /[,:]/.test(reader.character())) break;
      if (reader.take("[\\p{L}\\p{N}][\\p{L}\\p{N}'_-]*") === null) break;
    }
    const phrase = reader.written(start);
    return phrase === '' || wordsOf(phrase).length === 0 ? null : phrase;
  });
}

function takeEntryCondition(reader: PhraseReader, scene: AttributeScene) {
  return reader.attempt(() => {
    reader.take(',');
    const head = reader.take('(and|if|where|when|with|whose)');
    if (head === null) return null;
    const word = head[1] ?? '';
    if (word === 'with' || word === 'whose') {
      reader.take('an?|the');
      const phrase = takeName(reader, 4);
      if (phrase === null) return null;
      const found = attributeNamed(phrase, word === 'whose' ? 'person' : 'thing', scene);
      return comparedWith(reader, found, scene);
    }
    return takeAttributeTest(reader, scene);
  });
}

/** `two days after an order is shipped`: a trigger, and a wait behind it. */
export function takeEventAfter(
  reader: PhraseReader,
  frame: DraftFrame,
  scene: AttributeScene,
): { readonly means: string; readonly waitMs: number } | Refused | null {
  return reader.attempt(() => {
    const isDay = reader.take('the (?:day|week)(?= after)');
    const waitMs = isDay === null ? takeDuration(reader) : DAY_MS;
    if (waitMs === null || reader.take('after') === null) return null;
    const isQuoted = reader.isAtQuote;
    const phrase = takeEventPhrase(reader);
    if (phrase === null) return null;
    const known = (scene.assets.triggers ?? []).map(({ name }) => name);
    if (!isQuoted && meantName(phrase, known) === undefined && !HAPPENS.test(phrase)) return null;
    const taken = triggerEntry(reader, frame, scene, { phrase, isQuoted });
    if (taken === null || 'refused' in taken) return taken;
    return { means: `${taken.means}, wait ${durationText(waitMs)}`, waitMs };
  });
}

/** A verb: the difference between an event and a date that somebody has. */
const HAPPENS =
  /\b(?:is|are|was|were|has|have|been|gets?|joins?|places?|books?|buys?|signs?|cancels?|pays?|makes?|\w{3,}ed)\b/i;

/** Rounds, dates, rates, the exclusion: what may stand anywhere beside the entry. */
export function takeEntryDetail(
  reader: PhraseReader,
  frame: DraftFrame,
  scene: AttributeScene,
): Taken {
  return (
    takeRounds(reader, frame, scene) ??
    takeWindow(reader, frame, scene) ??
    takeRate(reader, frame) ??
    takeExclusion(reader, frame, scene) ??
    takeFrequencyWord(reader, frame)
  );
}

const EVERY_UNITS: Readonly<Record<string, number>> = {
  ...{ hourly: 3_600_000, daily: DAY_MS, weekly: 7 * DAY_MS, monthly: 30 * DAY_MS },
};

function takeRounds(reader: PhraseReader, frame: DraftFrame, { clock }: AttributeScene): Taken {
  return reader.attempt((): Taken => {
    reader.take('repeat(?:ed|ing)?(?: it| this)?|again');
    const start = reader.position;
    if (reader.take(`(?:every|each) ${WORKDAY}|on ${WORKDAY}s(?= (?:at |\\d))`) !== null) {
      return roundsOnDays(reader, frame, clock, WEEKDAYS.slice(0, 5));
    }
    const weekday =
      reader.take(`(?:every|each) (other )?${WEEKDAY}`) ?? reader.take(`on ()${WEEKDAY}(?<=s)`);
    if (weekday !== null) {
      if (reader.sees(`(?:, and|,|and|to|through|till|until) (?:on )?(?:every )?${WEEKDAY}`)) {
        reader.position = start;
        reader.take('(?:every|each)(?: other)?|on');
        const days = takeWeekdays(reader);
        return days === null ? null : roundsOnDays(reader, frame, clock, days);
      }
      const weeks = weekday[1] === undefined || weekday[1] === '' ? 1 : 2;
      return roundsOf(reader, frame, clock, weeks * 7 * DAY_MS, weekday[2] as Weekday);
    }
    const word = reader.take('(hourly|daily|weekly|monthly)');
    if (word !== null) return roundsOf(reader, frame, clock, EVERY_UNITS[word[1] ?? ''] ?? 0, null);
    if (reader.take('every|each') === null) return null;
    const isOther = reader.take('other') !== null;
    const unit = reader.take('(hour|day|week|month|morning|evening)');
    const names: Readonly<Record<string, string>> = {
      ...{ hour: 'hourly', day: 'daily', morning: 'daily', evening: 'daily' },
      ...{ week: 'weekly', month: 'monthly' },
    };
    const ms =
      unit === null ? takeDuration(reader) : (EVERY_UNITS[names[unit[1] ?? ''] ?? ''] ?? 0);
    if (ms === null || ms === 0) return null;
    const on = reader.take(`,? ?on (?:a )?${WEEKDAY}`);
    const day = on === null ? null : (on[1] as Weekday);
    return roundsOf(reader, frame, clock, isOther ? 2 * ms : ms, day);
  });
}

const WORKDAY = '(?:weekday|working day|business day|workday)';

/** All days of the week are every day; of fewer there is no one interval. */
function roundsOnDays(
  reader: PhraseReader,
  frame: DraftFrame,
  clock: AttributeScene['clock'],
  days: readonly Weekday[],
): Taken {
  if (days.length === 7) return roundsOf(reader, frame, clock, DAY_MS, null);
  const before = reader.position;
  takeTimeOfDay(reader);
  const time = reader.written(before);
  const at = time === '' ? '' : ` ${time}`;
  const shown = days.slice(0, 2).map((day) => `"every ${capital(day)}${at}"`);
  const all = days.length > 2 ? `${shown.join(', ')} and so on` : shown.join(' and ');
  const daily =
    days.join() === WEEKDAYS.slice(0, 5).join()
      ? `, or "every day${at}" and "only between 9 and 17 on weekdays": weekends wait for Monday`
      : '';
  return { refused: `rounds come at one interval: write a journey for each day, ${all}${daily}` };
}

function capital(word: string): string {
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
}

function roundsOf(
  reader: PhraseReader,
  frame: DraftFrame,
  clock: AttributeScene['clock'],
  everyMs: number,
  weekday: Weekday | null,
): Taken {
  const minutes = takeTimeOfDay(reader);
  if (frame.trigger !== null) {
    return { refused: 'rounds are for segments, and a trigger lets people in here' };
  }
  if (frame.rate !== null) return { refused: 'with a rate people enter once, not in rounds' };
  if (everyMs < 3_600_000) return { refused: 'rounds are at least an hour apart' };
  frame.frequency = 'repeating';
  frame.every = durationText(everyMs);
  if (weekday !== null || minutes !== null) {
    const now = DateTime.fromMillis(clock.nowMs, { zone: clock.timeZone });
    const today = now.startOf('day').plus({ minutes: minutes ?? 0 });
    const day =
      weekday === null
        ? today > now
          ? today
          : today.plus({ days: 1 })
        : nextWeekday(now, weekday);
    const two = (value: number): string => String(value).padStart(2, '0');
    const time = `T${two(Math.floor((minutes ?? 0) / 60))}:${two((minutes ?? 0) % 60)}`;
    frame.opensAt ??= `${day.toISODate() ?? ''}${minutes === null ? '' : time}`;
  }
  const from = frame.opensAt === null ? '' : `, first at ${frame.opensAt}`;
  return { means: `rounds every ${frame.every}${from}` };
}

function takeWindow(reader: PhraseReader, frame: DraftFrame, { clock }: AttributeScene): Taken {
  return reader.attempt((): Taken => {
    const opens = reader.attempt(() => {
      if (
        reader.take(
          '(?:starting|start|starts|beginning|begin|begins|from|open|opens|as of)(?: it| this| on| the journey)*',
        ) === null
      ) {
        return null;
      }
      return takeDate(reader, clock);
    });
    const closes = reader.attempt(() => {
      reader.take(',|and');
      if (
        reader.take(
          '(?:until|till|to|ending|end entry|close entry|close|closes|entry ends|the entry ends)(?: on| the entry)?',
        ) === null
      ) {
        return null;
      }
      return takeDate(reader, clock);
    });
    if (opens === null && closes === null) return null;
    const [from, to] = [opens ?? frame.opensAt, closes ?? frame.closesAt];
    if (from !== null && to !== null && to <= from) {
      return { refused: `the entry would close at ${to}, not after it opens at ${from}` };
    }
    if (opens !== null) frame.opensAt = opens;
    if (closes !== null) frame.closesAt = closes;
    const parts = [
      ...(opens === null ? [] : [`opens at ${opens}`]),
      ...(closes === null ? [] : [`closes at ${closes}`]),
    ];
    return { means: parts.join(', ') };
  });
}

function takeRate(reader: PhraseReader, frame: DraftFrame): Taken {
  return reader.attempt((): Taken => {
    const found = reader.take(
      '(?:let in |let |enter |start |with |add )?(?:at most |no more than |up to |a maximum of |not more than )?' +
        `(${NUMBER})(?: (?:people|customers|contacts|persons|members|of them))?(?: in| enter)?(?: per| an?| each| every) (hour|day)`,
    );
    if (found === null) return null;
    const count = numberOf(found[1] ?? '');
    if (count === undefined || !Number.isInteger(count) || count < 1) return null;
    const weekdays = takeWeekdays(reader);
    if (frame.trigger !== null || (frame.frequency !== null && frame.frequency !== 'oneTime')) {
      return { refused: 'a rate is for segments whose members enter once' };
    }
    const per = found[2] as 'hour' | 'day';
    frame.rate = { count, per, ...(weekdays === null ? {} : { weekdays }) };
    const days = weekdays === null ? '' : ` on ${weekdays.join(', ')}`;
    return { means: `at most ${count} people per ${per}${days}` };
  });
}

function takeExclusion(reader: PhraseReader, frame: DraftFrame, { assets }: AttributeScene): Taken {
  return reader.attempt((): Taken => {
    if (
      reader.take(
        '(?:but )?(?:except|excluding|exclude|leave out|leaving out|not|without|skip)(?: for)?(?: (?:everyone|everybody|people|those|customers|(?:the )?members|anyone))?' +
          '(?: who are)?(?: in| of| from)?(?: the| our)?(?: segment| list)?(?= )',
      ) === null
    ) {
      return null;
    }
    const isQuoted = reader.isAtQuote;
    const name = takeName(reader);
    if (name === null) return null;
    if (frame.exclude !== null)
      return { refused: 'one segment can be excluded, and one is already' };
    frame.exclude = assetNamed(name, assets.segments ?? [], { isQuoted });
    return { means: `except members of ${frame.exclude}` };
  });
}

function takeFrequencyWord(reader: PhraseReader, frame: DraftFrame): Taken {
  if (frame.segment === null) return null;
  if (reader.take('(?:only )?(?:once|one time|one-time|a single time)') !== null) {
    frame.frequency = 'oneTime';
    return { means: 'once' };
  }
  if (
    reader.take(
      '(?:and )?(?:also )?(?:ongoing|continuously|(?:and )?(?:whoever|everyone who|everybody who|anybody who|those who) (?:joins?|enters?)(?: it)?(?: later)?|as (?:soon as )?they (?:join|enter)(?: it)?)',
    ) === null
  ) {
    return null;
  }
  if (frame.rate !== null) return { refused: 'with a rate people enter once' };
  frame.frequency = 'ongoing';
  return { means: 'ongoing' };
}
