/** Whom something is done to: `them`, a share of people, the members of a segment. */
import type { Modifiers } from './action-modifiers.ts';
import { takeName, takeQuoted } from './named-things.ts';
import type { PhraseReader } from './phrase-reader.ts';
import { takeShare } from './share-phrases.ts';

export const PERSON =
  '(?:them|him|her|(?:each|every|the|that|this)(?: other)? (?:customer|person|contact|client|patient|member|subscriber|user)s?|' +
  'people|customers|everyone|everybody|those people|these people|all of them|each of them)';

/** `them`, `half of them`, `everyone in the segment vip`. */
export function takeWhom(reader: PhraseReader, modifiers: Modifiers): boolean {
  const share = takeShare(reader);
  if (share !== null) {
    modifiers.share = share;
    return true;
  }
  const segment = takeSegmentObject(reader);
  if (segment !== null) {
    modifiers.segment = segment;
    return true;
  }
  return reader.take(PERSON) !== null;
}

/** The segment as it was written. */
export function takeSegmentObject(reader: PhraseReader): string | null {
  return reader.attempt(() => {
    const head =
      reader.take(
        '(?:everyone|everybody|anyone|all|(?:all |the |all the |every |each )?(?:members?|people|customers?|contacts?|clients?|patients?|subscribers?))(?: (?:who|that) (?:is|are))? (?:in|of|from|on) (?:the |our )?(?:segment|list|audience)',
      ) ??
      reader.take('the (?:segment|list)|segment') ??
      reader.take(
        '(?:everyone|everybody|(?:all |the |all the )?(?:members|people|customers|contacts|clients|patients|subscribers))(?: (?:who|that) are)? (?:in|of|from) (?=")',
      );
    if (head === null) return null;
    return takeQuoted(reader) ?? takeName(reader);
  });
}
