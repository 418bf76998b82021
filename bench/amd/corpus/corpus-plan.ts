/** Which clips there are: quotas by stratum and language, in an order of which any first part is a fair sample. */
import assert from 'node:assert/strict';
import type { EarlyMediaVerdict } from '../../../machines/telephony-events.ts';
import { EARLY_MEDIA, type EarlyStratum } from './scenes-of-early-media.ts';
import { OTHERS, type OtherStratum } from './scenes-of-others.ts';
import { PEOPLE, type PeopleStratum } from './scenes-of-people.ts';
import { SeededRandom } from './seeded-random.ts';
import type { ClipClass } from './stage.ts';
import { LANGUAGE_CODES, type LanguageCode, type Split } from './texts/script-texts.ts';

/** Change it, and every clip changes: the manifest's hash with them. */
export const CORPUS_SEED = 'ringfence-amd-1';

/** Clips of a split: people, and as many that are none. */
export const CLIPS_PER_SIDE: Readonly<Record<Split, number>> = { train: 3_200, test: 3_200 };

/** Clips of what is heard before the answer, in a folder of their own. */
export const EARLY_CLIPS = 320;

export type Stratum = PeopleStratum | OtherStratum | EarlyStratum;

export interface ClipPlan {
  readonly id: string;
  readonly split: Split;
  readonly stratum: Stratum;
  /** Null before the answer. */
  readonly class: ClipClass | null;
  readonly earlyMedia: EarlyMediaVerdict | null;
  readonly folder: string;
  readonly language: LanguageCode;
}

/** What is made, each part with a folder and a truth.ndjson of its own. */
export const CORPUS_PARTS = (['train', 'test'] as const).flatMap((split) => [
  { folder: split, plan: (share: number) => plannedClips(split, share) },
  { folder: `${split}-early`, plan: (share: number) => plannedEarlyClips(split, share) },
]);

/** The first `share` of a split's clips, each of whose sides is at least one clip long. */
export function plannedClips(split: Split, share = 1): ClipPlan[] {
  assert(share > 0 && share <= 1, 'a share is above 0 and at most 1');
  const perSide = CLIPS_PER_SIDE[split];
  const people = ordered(split, 'people', quotas(PEOPLE, perSide));
  const others = ordered(split, 'others', quotas(OTHERS, perSide));
  const count = Math.max(1, Math.round(perSide * share));
  return Array.from({ length: count * 2 }, (_, i) => {
    const stratum = (i % 2 === 0 ? people : others)[i >> 1] as Stratum;
    return {
      id: `${split}-${String(i).padStart(5, '0')}`,
      split,
      stratum,
      class: stratum in PEOPLE ? 'human' : OTHERS[stratum as OtherStratum].class,
      earlyMedia: null,
      folder: split,
      language: LANGUAGE_CODES[(i >> 1) % LANGUAGE_CODES.length] as LanguageCode,
    };
  });
}

export function plannedEarlyClips(split: Split, share = 1): ClipPlan[] {
  const strata = ordered(split, 'early', quotas(EARLY_MEDIA, EARLY_CLIPS)) as EarlyStratum[];
  return strata.slice(0, Math.max(1, Math.round(EARLY_CLIPS * share))).map((stratum, i) => ({
    id: `${split}-early-${String(i).padStart(4, '0')}`,
    split,
    stratum,
    class: null,
    earlyMedia: EARLY_MEDIA[stratum].heard,
    folder: `${split}-early`,
    language: LANGUAGE_CODES[i % LANGUAGE_CODES.length] as LanguageCode,
  }));
}

function ordered(split: Split, side: string, strata: readonly Stratum[]): Stratum[] {
  return new SeededRandom(`${CORPUS_SEED}/plan/${split}/${side}`).shuffled(strata);
}

/** Each stratum as often as its weight says, and all of them `total` together. */
function quotas(weights: Readonly<Record<string, { weight: number }>>, total: number): Stratum[] {
  const entries = Object.entries(weights);
  const whole = entries.reduce((sum, [, { weight }]) => sum + weight, 0);
  let through = 0;
  let given = 0;
  return entries.flatMap(([stratum, { weight }]) => {
    through += weight;
    const until = Math.round((through * total) / whole);
    const count = until - given;
    given = until;
    return Array.from({ length: count }, () => stratum as Stratum);
  });
}
