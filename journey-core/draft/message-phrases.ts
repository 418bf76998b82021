/** Messages of one way: e-mail, SMS, push and what else a webhook sends. */
import { noModifiers, type Found } from './action-modifiers.ts';
import type { AttributeScene } from './attribute-phrases.ts';
import { assetNamed, takeQuoted } from './named-things.ts';
import type { PhraseReader } from './phrase-reader.ts';
import type { MessageChannel } from './read-action.ts';
import { takeWhom } from './whom-phrases.ts';

const CHANNEL_WORDS: readonly (readonly [string, MessageChannel])[] = [
  ['e-?mails?|mail|newsletter', 'email'],
  ['sms(?: message)?|text messages?|text', 'sms'],
  ['push(?: notification| message)?', 'push'],
  ['whatsapp(?: message)?|letter|chat message', 'custom'],
];

export function takeMessage(reader: PhraseReader, { assets }: AttributeScene): Found | null {
  return reader.attempt((): Found | null => {
    const modifiers = noModifiers();
    const verb = reader.take('(e-?mail|text|whatsapp)(?= )');
    if (verb !== null && takeWhom(reader, modifiers)) {
      const word = verb[1] ?? '';
      const channel = word.startsWith('e') ? 'email' : word === 'text' ? 'sms' : 'custom';
      return { verb: 'message', channel, word, modifiers };
    }
    if (verb !== null) return null;
    if (reader.take('sends?|deliver') !== null) takeWhom(reader, modifiers);
    else reader.take('gets?|receives?|(?:is|are) sent');
    reader.take('an?|the|another|one|our');
    const isQuoted = reader.isAtQuote;
    const early = takeMessageName(reader);
    if (early !== null) modifiers.message = assetNamed(early, assets.messages ?? [], { isQuoted });
    for (const [pattern, channel] of CHANNEL_WORDS) {
      const word = reader.take(`(${pattern})`);
      if (word === null) continue;
      reader.attempt(() => (reader.take('to') !== null && takeWhom(reader, modifiers)) || null);
      return { verb: 'message', channel, word: word[1] ?? '', modifiers };
    }
    return null;
  });
}

/** A name before its kind: `the "Delivery moved" e-mail`, `a welcome e-mail`. */
function takeMessageName(reader: PhraseReader): string | null {
  return reader.attempt(() => {
    const kinds = CHANNEL_WORDS.map(([pattern]) => pattern).join('|');
    const quoted = takeQuoted(reader);
    if (quoted !== null) return reader.sees(kinds) ? quoted : null;
    reader.skipSpace();
    const start = reader.position;
    for (let words = 1; words <= 3; words += 1) {
      if (reader.sees(kinds) || reader.take('[\\p{L}][\\p{L}\\p{N}-]*') === null) return null;
      if (reader.sees(kinds)) return reader.written(start);
    }
    return null;
  });
}
