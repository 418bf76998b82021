/** When something happens: `two hours later`, `the day before the appointment`, `next Monday at 9`. */
import { durationText, WAIT_MAX_MS } from '../definition/duration.ts';
import type { AttributeScene, Refused } from './attribute-phrases.ts';
import { dateNamed, takeName } from './named-things.ts';
import type { PhraseReader } from './phrase-reader.ts';
import { takeDate, takeDuration } from './time-phrases.ts';

export type WaitSpec =
  | { readonly for: string }
  | { readonly until: string }
  | {
      readonly untilAttribute: {
        readonly from: 'contact' | 'entry';
        readonly attribute: string;
        readonly before?: string;
        readonly after?: string;
      };
    };

/** What a moment is counted from, where it is no date. */
const NOW =
  '(?:that|this|it|the (?:call|e-?mail|message|sms|text|text message)|(?:they|the person) enters?)';

/** What is not an attribute: something that was just done. */
function isNow(reader: PhraseReader): boolean {
  return reader.take(NOW) !== null;
}

export function takeTiming(reader: PhraseReader, scene: AttributeScene): WaitSpec | Refused | null {
  return reader.attempt(() => {
    const day = takeNextDay(reader) ?? takeRelative(reader, scene);
    if (day !== null) return day;
    const atDate = takeOnTheDay(reader, scene);
    if (atDate !== null) return atDate;
    const until = takeDate(reader, scene.clock);
    return until === null ? null : { until };
  });
}

function takeNextDay(reader: PhraseReader): WaitSpec | null {
  if (reader.take('(?:on )?(?:the )?(?:next|following) day') !== null) return { for: '1d' };
  return reader.take('(?:in )?(?:the )?(?:next|following) week') === null ? null : { for: '7d' };
}

function takeRelative(reader: PhraseReader, scene: AttributeScene): WaitSpec | Refused | null {
  return reader.attempt(() => {
    const behind = reader.take('(?:after|in)(?: another)?') !== null;
    const ms =
      reader.take('the (?:day|evening)(?= (?:before|after))') === null
        ? takeDuration(reader)
        : 86_400_000;
    if (ms === null) return null;
    if (behind) return lasting(ms);
    if (reader.take('later(?: on)?|afterwards|thereafter|from (?:then|now)(?: on)?') !== null) {
      return lasting(ms);
    }
    const side = reader.take('(before|ahead of|after)');
    if (side === null) return null;
    if (side[1] === 'after' && isNow(reader)) return lasting(ms);
    return aroundDate(reader, scene, ms, side[1] === 'after' ? 'after' : 'before');
  });
}

function aroundDate(
  reader: PhraseReader,
  scene: AttributeScene,
  ms: number,
  side: 'before' | 'after',
): WaitSpec | Refused | null {
  const date = takeDateName(reader, scene);
  if (date === null || 'refused' in date) return date;
  if (ms > WAIT_MAX_MS) return tooLong(ms);
  return { untilAttribute: { ...date, [side]: durationText(ms) } };
}

function takeOnTheDay(reader: PhraseReader, scene: AttributeScene): WaitSpec | Refused | null {
  return reader.attempt(() => {
    if (reader.take('(?:on|at) the (?:day|date|time|moment) of') === null) return null;
    const date = takeDateName(reader, scene);
    return date === null || 'refused' in date ? date : { untilAttribute: date };
  });
}

export function takeDateName(
  reader: PhraseReader,
  scene: AttributeScene,
): { readonly from: 'contact' | 'entry'; readonly attribute: string } | Refused | null {
  return reader.attempt(() => {
    reader.take('the|their|his|her|its|an?');
    const phrase = takeName(reader, 4);
    if (phrase === null) return null;
    const { from, attribute, type } = dateNamed(phrase, scene);
    if (type !== null && type !== 'dateTime') {
      return { refused: `'${attribute}' is of type ${type}, and no date` };
    }
    return { from, attribute };
  });
}

export function lasting(ms: number): WaitSpec | Refused {
  return ms > WAIT_MAX_MS ? tooLong(ms) : { for: durationText(ms) };
}

function tooLong(ms: number): Refused {
  return { refused: `${durationText(ms)} is longer than the 90 days that a step may wait` };
}
