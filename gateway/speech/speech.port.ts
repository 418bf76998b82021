/** Makes what is spoken into something that a media server plays. */
import type { SpokenPrompt } from './spoken-prompt.ts';

/** A wav file of ours, or an argument of FreeSWITCH's `speak`. */
export type Spoken =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'speak'; readonly argument: string };

export interface Speech {
  /** Undefined when it cannot be spoken: no voice for the locale, or the engine failed. */
  speak(prompt: SpokenPrompt): Promise<Spoken | undefined>;
}
