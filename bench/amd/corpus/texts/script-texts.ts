/**
 * What is said, by language and split. `|` marks a place where a speaker may pause; {name}, {firm} and
 * {digits} are filled in. No sentence of one split is in the other (a test holds that).
 */
import { DUTCH } from './dutch.ts';
import { ENGLISH } from './english.ts';
import { FRENCH } from './french.ts';
import { GERMAN } from './german.ts';
import { ITALIAN } from './italian.ts';
import { POLISH } from './polish.ts';
import { PORTUGUESE } from './portuguese.ts';
import { SPANISH } from './spanish.ts';

export type Split = 'train' | 'test';

export interface Sayings {
  /** A person at a private telephone. */
  readonly opener: readonly string[];
  /** A person at work, up to about three seconds. */
  readonly business: readonly string[];
  /** A person at work who says the whole of it: three to six seconds without much of a pause. */
  readonly longBusiness: readonly string[];
  /** What a person says when nobody answers the opener. */
  readonly followUp: readonly string[];
  readonly voicemail: readonly string[];
  readonly shortVoicemail: readonly string[];
  /** A greeting that plays a person: the opener, a long pause, then this. */
  readonly prank: readonly string[];
  readonly ivr: readonly string[];
  readonly carrier: readonly string[];
  readonly screener: readonly string[];
}

export interface Language {
  /** espeak-ng's voice files: accents of the language. */
  readonly accents: Readonly<Record<Split, readonly string[]>>;
  readonly names: Readonly<Record<Split, readonly string[]>>;
  readonly firms: Readonly<Record<Split, readonly string[]>>;
  readonly sayings: Readonly<Record<Split, Sayings>>;
}

export const LANGUAGES = {
  en: ENGLISH,
  es: SPANISH,
  fr: FRENCH,
  de: GERMAN,
  it: ITALIAN,
  pt: PORTUGUESE,
  nl: DUTCH,
  pl: POLISH,
} as const satisfies Record<string, Language>;

export type LanguageCode = keyof typeof LANGUAGES;

export const LANGUAGE_CODES = Object.keys(LANGUAGES) as LanguageCode[];
