/** Shares of people: `30% of them`, `the other half`, `the first 100 people`, `the rest`. */
import type { PhraseReader } from './phrase-reader.ts';
import { NUMBER, numberOf } from './words.ts';

export type Share =
  | { readonly by: 'percent' | 'number'; readonly share: number }
  /** Whoever no share was for. */
  | { readonly by: 'rest' };

const OF_WHOM =
  'of (?:them|these|those|(?:the |all )?(?:people|customers|contacts|members)|everyone|all)';
const WHOM = `(?: ${OF_WHOM})?`;

export function takeShare(reader: PhraseReader): Share | null {
  return reader.attempt((): Share | null => {
    const percent =
      reader.take(`(?:the (?:other|remaining) )?(\\d{1,3}(?:\\.\\d{1,2})?) ?(?:percent|%)`) ??
      reader.take(`(?:the (?:other|remaining) )?(${NUMBER}) percent`);
    if (percent !== null) {
      reader.take(OF_WHOM);
      const share = numberOf(percent[1] ?? '');
      return share === undefined ? null : { by: 'percent', share };
    }
    const part = reader.take(
      `(?:one |the (?:first |second |other )|a )?(half|quarter)(?! an? )${WHOM}`,
    );
    if (part !== null) {
      return { by: 'percent', share: part[1] === 'half' ? 50 : 25 };
    }
    const count = reader.take(
      `the (?:first|next) (${NUMBER})(?: (?:people|customers|contacts|members|of them))?`,
    );
    if (count !== null) {
      const share = numberOf(count[1] ?? '');
      return share === undefined ? null : { by: 'number', share };
    }
    return reader.take(
      `(?:all )?the (?:rest|others|remaining people|remainder)${WHOM}|everyone else|everybody else|all others`,
    ) === null
      ? null
      : { by: 'rest' };
  });
}
