/** Names in a text: of assets, of values, of attributes; quoted, or as many words as belong together. */
import { CONTACT_ATTRIBUTES, type JourneyAssets } from '../definition/assets.schema.ts';
import type { AttributeType } from '../definition/condition.schema.ts';
import type { PhraseReader } from './phrase-reader.ts';
import { meantName, nameOf, wordsOf } from './words.ts';

/** Words that no unquoted name goes beyond. */
const STOP =
  'and|or|then|if|when|whenever|unless|with|for|at|on|every|in|after|before|within|under|about|by|' +
  'through|via|using|who|whose|that|to|up|starting|from|until|till|once|except|but|otherwise|else|is|' +
  'are|was|were|has|have|joins?|enters?|gets?|receives?|due|ignoring|as|daily|weekly|monthly|of|' +
  "begins|starts|ends|contains?|equals|exceeds?|does|doesn't|isn't|aren't|wasn't|weren't|" +
  'an?|the|next|tomorrow|today|later|again|against|versus|vs|first|only|between(?= \\d)|no(?= (?:later|earlier) than)|(?:not|never)(?= (?:before|after|between|later|earlier|on|from))|call|send|wait|stop|end|because|while|per';
const WORDS_MAX = 6;

/** As it was written: quoted, or the words up to one that does not belong to a name. */
export function takeName(reader: PhraseReader, wordsMax = WORDS_MAX): string | null {
  return reader.attempt(() => {
    const quoted = takeQuoted(reader);
    if (quoted !== null) return quoted;
    reader.skipSpace();
    const start = reader.position;
    for (let count = 0; count < wordsMax; count += 1) {
      if (isStop(reader) || reader.take("[\\p{L}\\p{N}_][\\p{L}\\p{N}_'-]*") === null) break;
    }
    const name = reader.written(start);
    return name === '' || name.length > 100 ? null : name;
  });
}

/** Codes in capitals are names: `AT` is Austria. */
function isStop(reader: PhraseReader): boolean {
  if (!reader.sees(STOP)) return false;
  return !/^[A-Z]{2,}\b/.test(reader.text.slice(reader.position, reader.position + 20));
}

export function takeQuoted(reader: PhraseReader): string | null {
  return reader.attempt(() => {
    reader.skipSpace();
    const start = reader.position;
    // The word boundary behind a closing quote always holds.
    if (reader.take('"[^"]{1,100}"') === null) return null;
    const name = reader.text.slice(start + 1, reader.position - 1).trim();
    return name === '' ? null : name;
  });
}

/** The name of the known one that is meant. */
export function meantAsset(
  written: string,
  known: readonly { readonly name: string }[] = [],
): string | undefined {
  return meantName(
    written,
    known.map(({ name }) => name),
  );
}

/** The known name that a written one means, or one made of it. A quoted one stays as it is. */
export function assetNamed(
  written: string,
  known: readonly { readonly name: string }[],
  { isQuoted = false, fallback = 'toBeConnected' } = {},
): string {
  const same = known.find(({ name }) => name.toLowerCase() === written.toLowerCase());
  const meant = same?.name ?? meantAsset(written, known);
  if (meant !== undefined) return meant;
  if (isQuoted || !written.includes(' ')) return written;
  return nameOf(written, fallback);
}

/** Where an attribute of the text is found, and what type it has. */
export interface FoundAttribute {
  readonly from: 'contact' | 'entry';
  readonly attribute: string;
  /** Null: it is not known, and will be a placeholder. */
  readonly type: AttributeType | null;
}

export interface AttributeHome {
  readonly assets: JourneyAssets;
  /** The trigger that lets people in; null: a segment does. */
  readonly entryTrigger: string | null;
}

/** `whose`: `their` asks people first, `its` and `the` the entry trigger. */
export function attributeNamed(
  phrase: string,
  whose: 'person' | 'thing',
  home: AttributeHome,
): FoundAttribute {
  const places = attributePlaces(home);
  const ordered = whose === 'person' ? places : [...places].reverse();
  for (const { from, types } of ordered) {
    const name = meantAttribute(phrase, [...types.keys()]);
    if (name !== undefined) return { from, attribute: name, type: types.get(name) ?? null };
  }
  const from = whose === 'thing' && home.entryTrigger !== null ? 'entry' : 'contact';
  const attribute = wordsOf(phrase).length === 1 ? phrase.trim() : nameOf(phrase, 'attribute');
  return { from, attribute, type: null };
}

/** Every word counts here: `state` is not `state of health`. */
function meantAttribute(phrase: string, names: readonly string[]): string | undefined {
  const wanted = wordsOf(phrase).join(' ');
  return (
    names.find((name) => name === phrase.trim()) ??
    names.find((name) => wordsOf(name).join(' ') === wanted)
  );
}

function attributePlaces({ assets, entryTrigger }: AttributeHome) {
  const person = new Map<string, AttributeType>([
    ...CONTACT_ATTRIBUTES.map((name) => [name, 'text' as const] as const),
    ...(assets.contactAttributes ?? []).map(({ name, type }) => [name, type] as const),
  ]);
  const trigger = assets.triggers?.find(({ name }) => name === entryTrigger);
  const entry = new Map((trigger?.attributes ?? []).map(({ name, type }) => [name, type] as const));
  return [
    { from: 'contact' as const, types: person },
    { from: 'entry' as const, types: entry },
  ];
}

/** The date that `the appointment` means: by its words, else the only date of a trigger about it. */
export function dateNamed(phrase: string, home: AttributeHome): FoundAttribute {
  const asIs = attributeNamed(phrase, 'thing', home);
  if (asIs.type === 'dateTime') return asIs;
  for (const { from, types } of [...attributePlaces(home)].reverse()) {
    const dates = [...types].filter(([, type]) => type === 'dateTime').map(([name]) => name);
    const meant = meantName(phrase, dates);
    if (meant !== undefined) return { from, attribute: meant, type: 'dateTime' };
    const [only] = dates;
    const isAbout = meantName(phrase, [home.entryTrigger ?? '']) !== undefined;
    if (from === 'entry' && dates.length === 1 && only !== undefined && isAbout) {
      return { from, attribute: only, type: 'dateTime' };
    }
  }
  const from = home.entryTrigger === null ? 'contact' : 'entry';
  const name = nameOf(phrase, 'date');
  const attribute = /(?:date|time|at|on|day)$/i.test(name) ? name : `${name}Date`;
  return { from, attribute, type: null };
}
