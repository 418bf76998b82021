/** Reads a text phrase by phrase and remembers where it is. Upper case and typography do not matter. */

export interface TextSpan {
  readonly start: number;
  readonly end: number;
}

/** What patterns see: one character for each of the text, so that places stay the same. */
export function plainText(text: string): string {
  let plain = '';
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charAt(index);
    const lower = unit.toLowerCase();
    plain += SAME_LENGTH[unit] ?? (lower.length === 1 ? lower : unit);
  }
  return plain;
}

const SAME_LENGTH: Readonly<Record<string, string>> = {
  '“': '"',
  '”': '"',
  '„': '"',
  '«': '"',
  '»': '"',
  '’': "'",
  '‘': "'",
  '–': '-',
  '—': '-',
  '\u00a0': ' ',
  '\t': ' ',
  '\r': ' ',
  '\n': ' ',
};

const patterns = new Map<string, RegExp>();

/** Sticky, and ends at the end of a word; a space is any number of them. Remembered: a few hundred. */
function sticky(source: string): RegExp {
  const known = patterns.get(source);
  if (known !== undefined) return known;
  const spaced = source.replaceAll(' ?', ' *').replace(/ (?!\*)/g, ' +');
  const made = new RegExp(`(?:${spaced})(?![\\p{L}\\p{N}])`, 'uy');
  patterns.set(source, made);
  return made;
}

export class PhraseReader {
  readonly text: string;
  readonly #plain: string;
  readonly end: number;
  position: number;

  /** Reads from `start` to `end` of a text; `plain` is its `plainText`. */
  constructor(text: string, plain: string, { start, end }: TextSpan) {
    this.text = text;
    this.#plain = plain.slice(0, end);
    this.position = start;
    this.end = end;
  }

  get isAtEnd(): boolean {
    this.skipSpace();
    return this.position >= this.end;
  }

  skipSpace(): void {
    while (this.position < this.end && this.#plain[this.position] === ' ') this.position += 1;
  }

  /** The groups of a pattern of lower-case words, or null with nothing taken. */
  take(source: string): readonly (string | undefined)[] | null {
    this.skipSpace();
    const pattern = sticky(source);
    pattern.lastIndex = this.position;
    const found = pattern.exec(this.#plain);
    if (found === null || found[0] === '') return null;
    this.position += found[0].length;
    return [...found];
  }

  sees(source: string): boolean {
    const before = this.position;
    const found = this.take(source) !== null;
    this.position = before;
    return found;
  }

  /** Does what it is given; where that finds nothing, nothing was taken. */
  attempt<T>(read: () => T | null | undefined): T | null {
    const before = this.position;
    const found = read();
    if (found !== null && found !== undefined) return found;
    this.position = before;
    return null;
  }

  /** As it was written, without spaces around it. */
  written(start: number, end: number = this.position): string {
    return this.text.slice(start, end).trim();
  }

  /** A name in quotes follows. */
  get isAtQuote(): boolean {
    this.skipSpace();
    return this.#plain[this.position] === '"';
  }

  character(): string {
    return this.#plain[this.position] ?? '';
  }
}
