/** `test a call against an e-mail`, `use the best channel of a call, an SMS or an e-mail`. */
import { takeAction } from './action-phrases.ts';
import { applyAction } from './apply-action.ts';
import { isRefused } from './attribute-phrases.ts';
import type { Taken } from './entry-phrases.ts';
import type { Source } from './draft-plan.ts';
import type { PhraseReader } from './phrase-reader.ts';
import { sceneOf, type Reading } from './read-sentence.ts';

export function readVariants(reading: Reading, reader: PhraseReader, source: () => Source): Taken {
  return reader.attempt((): Taken => {
    const best = reader.take(
      "(?:use|choose|pick|take|try) (?:the|each person's|everybody's|their) best (?:channel|way)(?: for (?:each person|everyone|everybody))?(?: out)?(?: of| among)?:?",
    );
    const isTest =
      best === null && reader.take('(?:a/b[- ]?test|ab[- ]?test|test|compare):?') !== null;
    if (best === null && !isTest) return null;
    const separator = isTest
      ? 'against|versus|vs\\.?|with|and|or|,'
      : '(?:, or|, and|,|or|and|against)';
    const reads = [];
    do {
      const read = takeAction(reader, sceneOf(reading));
      if (read === null || isRefused(read)) return read;
      reads.push(read);
    } while (reader.take(separator) !== null);
    if (reads.length < 2) return { refused: 'there are not two ways to compare' };
    const split = reading.plan.variants(isTest ? 'abTest' : 'bestChannel', source());
    if (isRefused(split)) return split;
    for (const read of reads) {
      reading.plan.variant(split);
      const applied = applyAction(reading, read, null, source());
      if (applied !== null && isRefused(applied)) return applied;
    }
    reading.plan.toEverybody();
    return { means: isTest ? 'A/B test' : 'best channel' };
  });
}
