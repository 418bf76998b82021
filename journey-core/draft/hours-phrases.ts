/** In which hours and on which days things leave: `not after 8 pm`, `only between 9 and 17 on weekdays`. */
import { WEEKDAYS, type Weekday } from '../definition/quiet-time.schema.ts';
import { CHANNELS, type Channel } from '../definition/sending.schema.ts';
import { isRefused, type Refused } from './attribute-phrases.ts';
import type { DraftFrame } from './draft-frame.ts';
import type { Taken } from './entry-phrases.ts';
import type { PhraseReader } from './phrase-reader.ts';
import { DAY_MINUTES, isTooLong, quietName, type QuietHours } from './quiet-week.ts';
import { takeWeekdays } from './time-phrases.ts';

/** Adds to the quiet hours of the journey: of all that is sent, or of the channel that is spoken of. */
export function takeHours(reader: PhraseReader, frame: DraftFrame): Taken {
  return reader.attempt((): Taken => {
    const head = takeHead(reader, frame);
    if (head === null) return null;
    const spans = head.isOnly ? takeOpen(reader) : takeClosed(reader);
    if (spans === null) return null;
    const isTheirs = takeTheirClock(reader);
    if (isRefused(spans)) return spans;
    if (frame.quietTime !== null) {
      return {
        refused: `the quiet time is said to be '${frame.quietTime}': put the hours into it`,
      };
    }
    const { channels } = head;
    const added = spans.map((span) => ({ ...span, channels }));
    const hours = [...frame.quietHours, ...added];
    if (CHANNELS.some((channel) => isTooLong(hours, channel))) {
      return {
        refused:
          'more than 3 days in a row would be quiet: let people enter on the day that is meant, "every Monday at 9"',
      };
    }
    if (quietName(hours).length > NAME_MAX) {
      return {
        refused: 'these are more hours than one sentence holds: name a quiet time that has them',
      };
    }
    frame.quietHours = hours;
    frame.isQuietByTheirClock ||= isTheirs;
    return { means: quietName(added).toLowerCase() };
  });
}

const NAME_MAX = 100;

interface Head {
  /** The hours are those in which things leave; else those in which they do not. */
  readonly isOnly: boolean;
  readonly channels: readonly Channel[];
}

const NOUN =
  '(phone calls?|calls?|e-?mails?|mails?|sms(?:es)?|texts?|text messages?|messages?|push notifications?)';
const VERB =
  '(call|phone|ring|telephone|e-?mail|text|contact|disturb|message|reach out to|send(?: anything| messages| e-?mails| texts)?)';
const WHOM = '(?: (?:to )?(?:them|anyone|anybody|people|customers|everyone|somebody|him|her))?';
const MADE =
  '(?: (?:are|is|may be|can be|go out|may go out|leave))?(?: (?:made|sent|placed|allowed))?';

function takeHead(reader: PhraseReader, frame: DraftFrame): Head | null {
  const quiet = reader.take(
    '(?:(?:use|respect|keep to|observe|with|mind) )?(?:the )?quiet (?:times?|hours)(?: (?:is|are))?:?(?= (?:from|between))',
  );
  if (quiet !== null) return { isOnly: false, channels: CHANNELS };
  const noun = reader.take(`${NOUN}${MADE} (only|not|never)${MADE}`);
  if (noun !== null) return { isOnly: noun[2] === 'only', channels: channelsOf(noun[1]) };
  const none = reader.take(`no ${NOUN}${MADE}`);
  if (none !== null) return { isOnly: false, channels: channelsOf(none[1]) };
  const verb = reader.take(`(?:(only)|do not|don't|never|not) ${VERB}${WHOM}`);
  if (verb !== null) return { isOnly: verb[1] !== undefined, channels: channelsOf(verb[2]) };
  const channels = frame.spokenOf ?? CHANNELS;
  const bare = reader.take('(only)|not|never|no(?= (?:later|earlier) than)');
  if (bare !== null) return { isOnly: bare[1] !== undefined, channels };
  const isHours = frame.spokenOf !== null && reader.sees('between');
  return isHours ? { isOnly: true, channels } : null;
}

function channelsOf(word = ''): readonly Channel[] {
  if (/^(?:phone|call|ring|telephone)/.test(word)) return ['voice'];
  if (/mail/.test(word)) return ['email'];
  if (/^push/.test(word)) return ['push'];
  if (/^(?:sms|text)/.test(word) || /texts$/.test(word)) return ['sms'];
  return /^messages?$/.test(word) ? CHANNELS.filter((name) => name !== 'voice') : CHANNELS;
}

type Span = Omit<QuietHours, 'channels'>;

/** Open hours and days; what is not named of either is open. */
function takeOpen(reader: PhraseReader): Span[] | Refused | null {
  const early = takeDays(reader);
  const between = takeBetween(reader);
  if (between !== null && isRefused(between)) return between;
  const edge = between ?? takeEdge(reader, ['after|from', 'before|until|till|up to']);
  if (edge !== null && isRefused(edge)) return edge;
  const days = early ?? takeDays(reader);
  if (edge === null && days === null) return null;
  const open = days ?? WEEKDAYS;
  const { from, to } = edge ?? { from: 0, to: DAY_MINUTES };
  const others = WEEKDAYS.filter((day) => !open.includes(day));
  if (from > to && others.length > 0) return { refused: OVERNIGHT };
  const closed =
    from > to
      ? [{ from: to, to: from }]
      : [
          { from: 0, to: from },
          { from: to, to: DAY_MINUTES },
        ];
  return [
    ...closed.filter((span) => span.from < span.to).map((span) => ({ ...span, days: open })),
    ...(others.length === 0 ? [] : [{ days: others, from: 0, to: DAY_MINUTES }]),
  ];
}

/** Hours and days in which nothing leaves, joined by `or` and `and`. */
function takeClosed(reader: PhraseReader): Span[] | Refused | null {
  const spans: Span[] = [];
  for (;;) {
    const found = reader.attempt((): Span[] | Refused | null => {
      if (spans.length > 0 && reader.take(',? ?(?:or|and|nor)(?: (?:not|never))?') === null)
        return null;
      return takeClosedPart(reader);
    });
    if (found === null) return spans.length === 0 ? null : spans;
    if (isRefused(found)) return found;
    spans.push(...found);
  }
}

function takeClosedPart(reader: PhraseReader): Span[] | Refused | null {
  const early = takeDays(reader);
  const between = takeBetween(reader);
  if (between !== null && isRefused(between)) return between;
  // What begins after eight is not over before it: the edges are those of what is open.
  const edge = between ?? takeEdge(reader, ['before|earlier than', 'after|later than|past']);
  if (edge !== null && isRefused(edge)) return edge;
  const days = early ?? takeDays(reader);
  if (edge === null) return days === null ? null : [{ days, from: 0, to: DAY_MINUTES }];
  const { from, to } = edge;
  const on = days ?? WEEKDAYS;
  if (between === null) {
    const closed = from > 0 ? { from: 0, to: from } : { from: to, to: DAY_MINUTES };
    return [{ ...closed, days: on }];
  }
  if (from < to) return [{ days: on, from, to }];
  if (days !== null) return { refused: OVERNIGHT };
  return [
    { days: on, from, to: DAY_MINUTES },
    { days: on, from: 0, to },
  ].filter((span) => span.from < span.to);
}

const OVERNIGHT = 'hours over midnight are of two days: say which hours of each day';

function vague(minutes: number): Refused {
  const hour = minutes / 60;
  const words = `${hour} am, ${hour} pm or ${(hour % 12) + 12}:00`;
  return { refused: `${hour} may be morning or evening: write ${words}` };
}

function takeBetween(reader: PhraseReader): { from: number; to: number } | Refused | null {
  return reader.attempt(() => {
    if (reader.take('between|from|in the hours from|during') === null) return null;
    const first = takeClock(reader);
    if (first === null || reader.take('and|to|till|until|-') === null) return null;
    const last = takeClock(reader);
    if (last === null) return null;
    const to = last.minutes === 0 ? DAY_MINUTES : last.minutes;
    // `between 2 and 5 pm`
    const isSameHalf = first.isBare && last.half === 'p' && first.minutes + 720 < last.minutes;
    const from = isSameHalf ? first.minutes + 720 : first.minutes;
    if (last.isBare && last.minutes <= 720 && from >= to) return vague(last.minutes);
    return from === to ? null : { from, to };
  });
}

/** The hour from which on, or up to which, things leave. */
function takeEdge(
  reader: PhraseReader,
  [begins, ends]: readonly [string, string],
): { from: number; to: number } | Refused | null {
  return reader.attempt(() => {
    const isBegin = reader.take(begins) !== null;
    if (!isBegin && reader.take(ends) === null) return null;
    const clock = takeClock(reader);
    if (clock === null) return null;
    const { minutes } = clock;
    if (isBegin) return minutes === 0 ? null : { from: minutes, to: DAY_MINUTES };
    if (clock.isBare && minutes <= 720) return vague(minutes);
    return minutes === 0 || minutes === DAY_MINUTES ? null : { from: 0, to: minutes };
  });
}

interface Clock {
  readonly minutes: number;
  /** Neither `am` nor `pm` nor minutes: by the clock of 24 hours, where that makes sense. */
  readonly isBare: boolean;
  readonly half: '' | 'a' | 'p';
}

/** What may follow an hour that has nothing else to show that it is one. */
const AFTER_HOUR =
  "(?= *(?:$|[,.:)-]|(?:o'clock|and|or|nor|to|till|until|on|in|at|by|if|when|then)(?: |$)))";

function takeClock(reader: PhraseReader): Clock | null {
  return reader.attempt(() => {
    reader.take('at');
    if (reader.take('noon|midday') !== null) return { minutes: 720, isBare: false, half: '' };
    if (reader.take('midnight') !== null) return { minutes: 0, isBare: false, half: '' };
    const found =
      reader.take('(\\d{1,2})[:.](\\d{2})(?: ?(a\\.?m\\.?|p\\.?m\\.?|h))?') ??
      reader.take('(\\d{1,2})()? ?(a\\.?m\\.?|p\\.?m\\.?|h)') ??
      reader.take(`(\\d{1,2})${AFTER_HOUR}`);
    if (found === null) return null;
    reader.take("o'clock");
    const half = (found[3] ?? '').charAt(0).replace('h', '') as Clock['half'];
    const [hour, minute] = [Number(found[1]), Number(found[2] ?? 0)];
    if (minute > 59 || hour * 60 + minute > DAY_MINUTES) return null;
    if (half !== '' && (hour === 0 || hour > 12)) return null;
    const full = half === '' ? hour : (hour % 12) + (half === 'p' ? 12 : 0);
    const isBare = half === '' && (found[2] ?? '') === '' && found[3] === undefined;
    return { minutes: full * 60 + minute, isBare, half };
  });
}

function takeDays(reader: PhraseReader): readonly Weekday[] | null {
  return reader.attempt(() => {
    reader.take('at(?= (?:the )?weekends?)');
    if (reader.take('(?:on |during )?(?:the )?weekends?') !== null) return WEEKDAYS.slice(5);
    if (reader.take('(?:on |during )?(?:weekdays|business days|working days)') !== null) {
      return WEEKDAYS.slice(0, 5);
    }
    const days = takeWeekdays(reader);
    return days === null ? null : WEEKDAYS.filter((day) => days.includes(day));
  });
}

function takeTheirClock(reader: PhraseReader): boolean {
  const found = reader.take(
    "(?:,? ?(?:in|by) )?(?:their|the (?:customer|person|contact)'s|each person's)(?: own)?(?: local)? (?:time ?zone|time|clock)|(?:,? ?(?:in|by) )?local time",
  );
  return found !== null;
}
