/** How often a call is tried, and how far apart. */
import type { Modifiers } from './action-modifiers.ts';
import type { PhraseReader } from './phrase-reader.ts';
import { takeDuration } from './time-phrases.ts';
import { NUMBER, numberOf } from './words.ts';

const EVERY_MS: Readonly<Record<string, number>> = {
  ...{ hour: 3_600_000, day: 86_400_000, week: 604_800_000 },
};

/** `until they answer` without a number. */
const UNTIL_REACHED_TIMES = 3;

export function takeTimes(reader: PhraseReader, modifiers: Modifiers): boolean {
  const done = reader.attempt(() => {
    reader.take(',');
    const word = reader.take(
      '(?:(?:for )?(?:up to|at most|no more than|a maximum of|maximum) )?(once|twice|thrice)(?: more)?',
    );
    if (word !== null) {
      modifiers.times = ['once', 'twice', 'thrice'].indexOf(word[1] ?? '') + 1;
      return true;
    }
    const times = reader.take(
      `(?:(?:for )?(?:up to|at most|no more than|a maximum of|maximum) )?(${NUMBER})(?: more| further| additional)? times(?: (?:in all|in total|more))?`,
    );
    if (times !== null) {
      modifiers.times = numberOf(times[1] ?? '') ?? null;
      return true;
    }
    if (
      reader.take(
        'until (?:they|somebody|someone|the customer) (?:answers?|picks? up|is reached|are reached)',
      ) !== null
    ) {
      modifiers.times ??= UNTIL_REACHED_TIMES;
      return true;
    }
    reader.take('and');
    const unit = reader.take('every (hour|day|week)(?! on)');
    if (unit !== null) {
      modifiers.everyMs = EVERY_MS[unit[1] ?? ''] ?? null;
      return true;
    }
    const isEvery = reader.take('every') !== null;
    const ms = takeDuration(reader);
    if (ms === null || ms === 0 || (!isEvery && reader.take('apart') === null)) return null;
    modifiers.everyMs = ms;
    return true;
  });
  return done !== null;
}
