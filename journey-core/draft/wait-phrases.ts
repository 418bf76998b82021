/** Waits: for a time, until a date, for the outcome of a call, for a trigger. */
import { other, type Found } from './action-modifiers.ts';
import type { AttributeScene, Refused } from './attribute-phrases.ts';
import { assetNamed, takeName } from './named-things.ts';
import type { PhraseReader } from './phrase-reader.ts';
import { takeDuration } from './time-phrases.ts';
import { lasting, takeDateName, takeTiming, type WaitSpec } from './timing-phrases.ts';

const OUTCOME_WORD =
  '(?:(?:the|an?|their|what came of it)?(?: ?(?:call|delivery))?(?: ?(?:outcome|result|answer|reply|response))|what comes of it)';
const LIMIT = '(?:for )?(?:up to|at most|no longer than|within|for|a maximum of)';

export function takeWait(reader: PhraseReader, scene: AttributeScene): Found | Refused | null {
  return reader.attempt((): Found | Refused | null => {
    if (reader.take('waits?|pause|hold on') === null) return null;
    const first = reader.attempt(() => {
      if (reader.take('up to|at most') === null) return null;
      const ms = takeDuration(reader);
      return ms !== null && reader.take(`(?:for|until)`) !== null ? ms : null;
    });
    if (reader.take(`(?:for |until )?${OUTCOME_WORD}(?: of the call| is known| comes)?`) !== null) {
      return other({ kind: 'await', timeoutMs: first ?? takeLimit(reader) });
    }
    const trigger = takeAwaitedTrigger(reader, scene);
    if (trigger !== null) {
      return other({ kind: 'awaitTrigger', trigger, timeoutMs: first ?? takeLimit(reader) });
    }
    if (first !== null) return null;
    if (reader.take('until|till') !== null) {
      const at = takeTiming(reader, scene) ?? dateOf(reader, scene);
      return at === null || 'refused' in at ? at : other({ kind: 'nothing' }, [at]);
    }
    reader.take('(?:for )?(?:another )?(?:at least )?');
    reader.take('for');
    const ms = takeDuration(reader);
    if (ms === null || ms === 0) return null;
    reader.take('more|longer');
    const spec = lasting(ms);
    return 'refused' in spec ? spec : other({ kind: 'nothing' }, [spec]);
  });
}

function dateOf(reader: PhraseReader, scene: AttributeScene): WaitSpec | Refused | null {
  const date = takeDateName(reader, scene);
  return date === null || 'refused' in date ? date : { untilAttribute: date };
}

function takeAwaitedTrigger(reader: PhraseReader, { assets }: AttributeScene): string | null {
  return reader.attempt(() => {
    if (reader.take('(?:for|until) (?:the )?(?:trigger|event)') === null) return null;
    const isQuoted = reader.isAtQuote;
    const name = takeName(reader);
    if (name === null) return null;
    reader.take('happens|comes|is raised|fires');
    return assetNamed(name, assets.triggers ?? [], { isQuoted, fallback: 'trigger' });
  });
}

function takeLimit(reader: PhraseReader): number | null {
  return reader.attempt(() => {
    reader.take(',');
    return reader.take(LIMIT) === null ? null : takeDuration(reader);
  });
}
