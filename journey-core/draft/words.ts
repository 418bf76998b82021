/** Words of plain English: numbers, stems to compare by, and names made of them. */

const UNITS: readonly string[] = [
  ...['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'],
  ...['eleven', 'twelve', 'thirteen', 'fourteen', 'fifteen', 'sixteen', 'seventeen', 'eighteen'],
  ...['nineteen', 'twenty'],
];
const NUMBER_WORDS: ReadonlyMap<string, number> = new Map([
  ...UNITS.map((word, value) => [word, value] as const),
  ...(['thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety'] as const).map(
    (word, index) => [word, 10 * (index + 3)] as const,
  ),
  ['a', 1],
  ['an', 1],
  ['another', 1],
  ['a couple of', 2],
  ['hundred', 100],
  ['a hundred', 100],
  ['thousand', 1_000],
  ['a thousand', 1_000],
]);

/** Written as a word or in digits, the longest first; to be put into a pattern. */
export const NUMBER = `(?:\\d{1,9}(?:[.,]\\d{1,3})*|${[...NUMBER_WORDS.keys()]
  .sort((a, b) => b.length - a.length)
  .join('|')})`;

/** `three`, `1,000`, `2.5`; undefined when it is no number. */
export function numberOf(text: string): number | undefined {
  const word = NUMBER_WORDS.get(text);
  if (word !== undefined) return word;
  const digits = text.replace(/,(?=\d{3}\b)/g, '').replace(',', '.');
  const value = Number(digits);
  return digits !== '' && Number.isFinite(value) ? value : undefined;
}

/** Words that say nothing about which thing is meant. */
const EMPTY_WORDS = new Set(
  (
    'a an the this that these those is are was were be been has have had do does did will would ' +
    'their they them his her its it he she our we us my your you of to for on in at by with from ' +
    'new some somebody someone anybody anyone customer customers person people contact contacts ' +
    'client clients user users patient patients member members gets get got happens happen occurs ' +
    'raised fires fired comes'
  ).split(' '),
);

/** Words of a name or a phrase: `orderShipped`, `order-shipped` and `Order shipped` are the same. */
export function wordsOf(text: string): string[] {
  return text
    .replace(/([\p{Ll}\d])(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}

/** Words by which things are compared: `places an order` and `orderPlaced` have the same. */
export function stemsOf(text: string): string[] {
  const words = wordsOf(text);
  const telling = words.filter((word) => !EMPTY_WORDS.has(word));
  return (telling.length === 0 ? words : telling).map(stem);
}

/** As far as singular, past and present go; errs towards telling words apart. */
function stem(word: string): string {
  if (word.length <= 3) return word;
  const cut = word
    .replace(/ies$/, 'y')
    .replace(/(?:ing|ed|es|s)$/, '')
    .replace(/e$/, '');
  const whole = cut.length < 3 ? word : cut;
  return whole.replace(/([^aeious])\1$/, '$1');
}

/** A name in the way of the field, `deliveryCancelled`, of at most 60 characters. */
export function nameOf(phrase: string, fallback: string): string {
  const words = wordsOf(phrase);
  const telling = words.filter((word) => !EMPTY_WORDS.has(word));
  const name = (telling.length === 0 ? words : telling)
    .slice(0, 6)
    .map((word, index) => (index === 0 ? word : `${word[0]?.toUpperCase() ?? ''}${word.slice(1)}`))
    .join('')
    .slice(0, 60);
  return name === '' ? fallback : name;
}

/**
 * The one known name that a phrase means: the same stems, else the only one whose stems hold those
 * of the phrase or are held by them. Undefined when there is none, or several.
 */
export function meantName(phrase: string, known: readonly string[]): string | undefined {
  const exact = known.find((name) => name === phrase.trim());
  if (exact !== undefined) return exact;
  const wanted = new Set(stemsOf(phrase));
  if (wanted.size === 0) return undefined;
  const stems = known.map((name) => [name, new Set(stemsOf(name))] as const);
  const within = (a: ReadonlySet<string>, b: ReadonlySet<string>) =>
    a.size > 0 && [...a].every((word) => b.has(word));
  const found = [
    stems.filter(([, of]) => within(of, wanted) && within(wanted, of)),
    stems.filter(([, of]) => within(of, wanted)),
    stems.filter(([, of]) => within(wanted, of)),
  ];
  for (const names of found) {
    if (names.length === 1) return names[0]?.[0];
    if (names.length > 1) return undefined;
  }
  return undefined;
}
