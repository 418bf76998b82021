/** From prompts to what FreeSWITCH plays. */
import { statSync, type Stats } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { Speech } from '../speech/speech.port.ts';
import { spokenPrompt } from '../speech/spoken-prompt.ts';

export interface PromptFiles {
  /** Undefined when an id cannot name a prompt. Whether the file exists, the media server finds out. */
  resolve(prompt: string): string | undefined;
  /** The same for any prompt: what is to be spoken is made first, or found made. */
  locate(prompt: string): Promise<string | undefined>;
}

/** Marks what `speak` says rather than what `playback` plays: see media-endpoint.ts. */
export const SPEAK = 'speak:';

/** No separators: an id cannot leave the folder. No `!`, which separates files in a playback. */
const PROMPT_ID = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/;
const STREAM = /^(?:tone_stream|silence_stream):\/\/[^!\r\n]+$/;

/**
 * Prompts as files of our own HTTP server (`media-files.ts`), at a base that is known once it listens.
 * The version of a file is part of its URL: media servers keep what they read for a day.
 */
export function promptFiles(
  promptsDir: string,
  baseUrl: () => string,
  speech?: Speech,
): PromptFiles {
  const resolvePrompt = (prompt: string): string | undefined => {
    if (STREAM.test(prompt)) return prompt;
    const file = promptPath(promptsDir, prompt);
    if (file === undefined) return undefined;
    return `${baseUrl()}/prompts/${promptVersion(file) ?? 'missing'}/${prompt}.wav`;
  };
  return {
    resolve: resolvePrompt,
    locate: async (prompt) => {
      const wanted = spokenPrompt(prompt);
      if (wanted === undefined) return resolvePrompt(prompt);
      const spoken = await speech?.speak(wanted);
      if (spoken?.kind === 'speak') return `${SPEAK}${spoken.argument}`;
      return spoken && `${baseUrl()}/speech/${basename(spoken.path)}`;
    },
  };
}

/** Undefined when the id cannot name a prompt. */
export function promptPath(promptsDir: string, prompt: string): string | undefined {
  return PROMPT_ID.test(prompt) ? resolve(promptsDir, `${prompt}.wav`) : undefined;
}

/** Undefined when there is no such file, or it may not be looked at. At each playback: about 10 µs. */
export function promptVersion(file: string): string | undefined {
  let found: Stats | undefined;
  try {
    found = statSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
  if (found?.isFile() !== true) return undefined;
  return `${Math.floor(found.mtimeMs).toString(36)}-${found.size.toString(36)}`;
}
