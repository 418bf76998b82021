/** Texts with their slots filled. */
import type { SeededRandom } from './seeded-random.ts';
import { LANGUAGES, type LanguageCode, type Sayings, type Split } from './texts/script-texts.ts';

export function drawLine(
  random: SeededRandom,
  { split, language, saying }: { split: Split; language: LanguageCode; saying: keyof Sayings },
): string {
  const { names, firms, sayings } = LANGUAGES[language];
  return random
    .pick(sayings[split][saying])
    .replaceAll('{name}', () => random.pick(names[split]))
    .replaceAll('{firm}', () => random.pick(firms[split]))
    .replaceAll('{digits}', () => Array.from({ length: 7 }, () => random.whole(0, 9)).join(' '));
}

export function withoutSlots(text: string): string {
  return text.replaceAll(/\{\w+\}/gu, '');
}
