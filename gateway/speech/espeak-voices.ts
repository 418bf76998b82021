/** The voices of the espeak-ng that is installed here. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const PROGRAM = 'espeak-ng';

/** Languages as its list has them, in lower case (`en-us`, `de`); undefined: it is not installed. */
export async function espeakVoices(): Promise<ReadonlyMap<string, string> | undefined> {
  try {
    const { stdout } = await promisify(execFile)(PROGRAM, ['--voices']);
    return voicesIn(stdout);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Columns: priority, language, age and gender, name, file, then other languages as `(en 3)`. The first
 * voice of a language is its best; a regional one speaks for its language where nothing else does.
 */
export function voicesIn(list: string): ReadonlyMap<string, string> {
  const voices = new Map<string, string>();
  const regional = new Map<string, string>();
  for (const line of list.split('\n').slice(1)) {
    const [, language] = line.trim().split(/\s+/);
    if (language === undefined) continue;
    const name = language.toLowerCase();
    if (!voices.has(name)) voices.set(name, language);
    const bare = name.split('-')[0] ?? name;
    if (!regional.has(bare)) regional.set(bare, language);
  }
  for (const [bare, language] of regional) if (!voices.has(bare)) voices.set(bare, language);
  return voices;
}
