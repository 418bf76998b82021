/** Sentences of a text and their places. */
import { plainText, type TextSpan } from './phrase-reader.ts';

export interface TextPlace {
  /** From 1. */
  readonly sentence: number;
  /** UTF-16 units from the beginning of the text. */
  readonly offset: number;
  readonly length: number;
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

/** Dots of these end no sentence. */
const ABBREVIATION = /(?:^|[\s(])(?:a\.?m|p\.?m|e\.g|i\.e|approx|no|nr|mr|mrs|ms|dr|st|vs)$/;
const BULLET = /^[ ]*(?:[-*•]|\d{1,2}[.)])[ ]+/;

/**
 * Ends at a full stop, `!`, `?`, `;`, an empty line, and at a line that begins a new one: with an upper case letter,
 * a digit or a bullet. Never inside double quotes.
 */
export function sentencesOf(text: string): readonly TextSpan[] {
  const plain = plainText(text);
  const spans: TextSpan[] = [];
  let start = 0;
  let isQuoted = false;
  const close = (end: number): void => {
    const bullet = BULLET.exec(plain.slice(start, end));
    const from = start + (bullet?.[0].length ?? 0);
    const lead = plain.slice(from, end).length - plain.slice(from, end).trimStart().length;
    const trail = plain.slice(from, end).length - plain.slice(from, end).trimEnd().length;
    if (/[\p{L}\p{N}]/u.test(plain.slice(from, end))) {
      spans.push({ start: from + lead, end: end - trail });
    }
  };
  for (let index = 0; index < text.length; index += 1) {
    if (plain[index] === '"') isQuoted = !isQuoted;
    // A quote that is never closed quotes nothing.
    if (isQuoted && plain.indexOf('"', index + 1) < 0) isQuoted = false;
    if (isQuoted || !endsAt(text, plain, start, index)) continue;
    close(index);
    start = index + 1;
  }
  close(text.length);
  return spans;
}

function endsAt(text: string, plain: string, start: number, index: number): boolean {
  const unit = text[index];
  if (unit === '!' || unit === '?' || unit === ';') return true;
  if (unit === '\n')
    return /^\s*(?:\n|[\p{Lu}\p{N}"“*•-])/u.test(text.slice(index + 1, index + 80));
  if (unit !== '.') return false;
  const after = text[index + 1];
  if (after !== undefined && !/[\s")”]/.test(after)) return false;
  const before = plain.slice(start, index);
  if (/^[ ]*\d{1,2}$/.test(before)) return false;
  if (!ABBREVIATION.test(before)) return true;
  return /^\s*(?:\p{Lu}|$)/u.test(text.slice(index + 1, index + 8));
}

/** Where a part of the text is, for people. */
export function placeOf(text: string, sentence: number, { start, end }: TextSpan): TextPlace {
  const before = text.slice(0, start);
  const line = before.split('\n').length;
  const column = start - (before.lastIndexOf('\n') + 1) + 1;
  return { sentence, offset: start, length: end - start, line, column };
}
