/** From prompt ids to what FreeSWITCH plays. */
import { resolve } from 'node:path';

export interface PromptFiles {
  /** Undefined when an id cannot name a prompt. Whether the file exists, the media server knows. */
  resolve(prompt: string): string | undefined;
}

/** No separators: an id cannot leave the folder. No `!`, which separates files in a playback. */
const PROMPT_ID = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/;
const STREAM = /^(?:tone_stream|silence_stream):\/\/[^!\r\n]+$/;

export function promptFiles(promptsDir: string): PromptFiles {
  return {
    resolve(prompt) {
      if (STREAM.test(prompt)) return prompt;
      return PROMPT_ID.test(prompt) ? resolve(promptsDir, `${prompt}.wav`) : undefined;
    },
  };
}
