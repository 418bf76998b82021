/** Prompts that are spoken: `say:<locale>:<text>`. */
export interface SpokenPrompt {
  /** BCP 47, as written. */
  readonly locale: string;
  readonly text: string;
}

/** More than two minutes of speech is no prompt. */
const TEXT_LENGTH_MAX = 2_000;
const SPOKEN = /^say:([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*):([\s\S]+)$/;

/** Undefined when it is none, or one that cannot be spoken. */
export function spokenPrompt(prompt: string): SpokenPrompt | undefined {
  const [, locale, written] = SPOKEN.exec(prompt) ?? [];
  const text = written?.replaceAll(/\s+/g, ' ').trim() ?? '';
  if (locale === undefined || text === '' || text.length > TEXT_LENGTH_MAX) return undefined;
  return { locale, text };
}

/** What is there for the locale, else for its language alone. Names are compared in lower case. */
export function forLocale<T>(locale: string, byName: ReadonlyMap<string, T>): T | undefined {
  const name = locale.toLowerCase();
  return byName.get(name) ?? byName.get(name.split('-')[0] ?? '');
}
