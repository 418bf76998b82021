/** Option values as commander hands them over: text, to be a number or one of a list. */
import { InvalidArgumentError } from 'commander';

/** A whole number within bounds; `0` is a value. */
export function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < minimum || value > maximum) {
      throw new InvalidArgumentError(
        `It takes a whole number from ${String(minimum)} to ${String(maximum)}.`,
      );
    }
    return value;
  };
}

export function positiveNumber(maximum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !(value > 0 && value <= maximum)) {
      throw new InvalidArgumentError(`It takes a number above 0, at most ${String(maximum)}.`);
    }
    return value;
  };
}

/** An instant as RFC 3339 has it, as epoch ms. */
export function timeOption(text: string): number {
  const atMs = Date.parse(text);
  if (/^\d{4}-\d\d-\d\d[Tt]/.test(text) && Number.isSafeInteger(atMs)) return atMs;
  throw new InvalidArgumentError('It takes a time, such as 2026-03-02T15:00:00Z.');
}
