/** Free words: what a task is about, what somebody said. */
import type { PhraseReader } from './phrase-reader.ts';

/** Words up to what ends them, as they were written. */
export function takeText(reader: PhraseReader, end: string): string {
  reader.skipSpace();
  const start = reader.position;
  while (!reader.isAtEnd && !reader.sees(end) && !/[,:]/.test(reader.character())) {
    if (reader.take('"[^"]*"') !== null) continue;
    if (reader.take("[\\p{L}\\p{N}][\\p{L}\\p{N}'_.%/-]*") === null) reader.position += 1;
  }
  return reader.written(start).replace(/[\s.]+$/, '');
}
