/** Calls, calls once more, and conversations by SMS. */
import { noModifiers, other, type Found } from './action-modifiers.ts';
import type { PhraseReader } from './phrase-reader.ts';
import { PERSON, takeWhom } from './whom-phrases.ts';

export function takeConversation(reader: PhraseReader): Found | null {
  return reader.attempt((): Found | null => {
    const modifiers = noModifiers();
    if (
      reader.take(
        '(?:have|let|get|ask) (?:the|an?|our) (?:(?:ai|voice) )?(?:agent|assistant|bot) (?:to )?(?:call|phone|ring)',
      ) !== null ||
      reader.take('(?:call|calls|phone|phones|ring|telephone)(?! (?:it|this|activity))') !== null
    ) {
      if (reader.sees('activity')) return null;
      takeWhom(reader, modifiers);
      reader.take('up(?! to)|by phone');
      return { verb: 'voice', modifiers };
    }
    if (reader.take('(?:give|make|place|start)') !== null) takeWhom(reader, modifiers);
    else reader.take('gets?|receives?');
    if (
      reader.take(
        '(?:an?|another|the|one) (?:(?:phone|voice|automated|first|second|outbound) )?call(?! (?:activity|task))|(?:an? )?voice conversation',
      ) === null
    ) {
      return null;
    }
    reader.attempt(() => (reader.take('to|with') !== null && takeWhom(reader, modifiers)) || null);
    return { verb: 'voice', modifiers };
  });
}

export function takeSms(reader: PhraseReader): Found | null {
  return reader.attempt((): Found | null => {
    const modifiers = noModifiers();
    reader.take('start|begin|open|have|hold|gets?');
    if (
      reader.take('(?:an? |the )?(?:sms|text(?:[- ]message)?) (?:conversation|chat|dialogue)') ===
      null
    ) {
      return null;
    }
    reader.attempt(() => (reader.take('with') !== null && takeWhom(reader, modifiers)) || null);
    return { verb: 'sms', modifiers };
  });
}

export function takeRetry(reader: PhraseReader): Found | null {
  return reader.attempt((): Found | null => {
    const found =
      reader.take(
        `(?:call|phone|ring|try|try calling|dial)(?: ${PERSON})?(?: to (?:call|reach)(?: ${PERSON})?)? (?:again|once more|back)`,
      ) ?? reader.take(`(?:retry|try (?:once|one) more(?: time)?|repeat (?:the call|it|this))`);
    return found === null ? null : other({ kind: 'retry' });
  });
}
