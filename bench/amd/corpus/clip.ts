/** One clip: plan in, G.711 and truth out. A function of the plan, the seed and the raw speech alone. */
import { carried, type ChannelFacts, type Codec } from './channel.ts';
import { CORPUS_SEED, type ClipPlan, type Stratum } from './corpus-plan.ts';
import type { NoiseBeds } from './noise-beds.ts';
import type { RawSpeech } from './raw-speech.ts';
import type { EarlyMediaVerdict } from '../../../machines/telephony-events.ts';
import { EARLY_MEDIA } from './scenes-of-early-media.ts';
import { OTHERS } from './scenes-of-others.ts';
import { PEOPLE } from './scenes-of-people.ts';
import { SeededRandom } from './seeded-random.ts';
import { Stage, type ClipClass, type SceneTruth } from './stage.ts';
import type { LanguageCode, Split } from './texts/script-texts.ts';

/** One line of truth.ndjson. Times are ms from the first sample; null where there is no such thing. */
export interface ClipTruth extends ChannelFacts {
  readonly file: string;
  readonly split: Split;
  /** Of who answered; null in clips of early media. */
  readonly class: ClipClass | null;
  readonly earlyMedia: EarlyMediaVerdict | null;
  readonly stratum: Stratum;
  readonly language: LanguageCode;
  readonly codec: Codec;
  readonly durationMs: number;
  readonly speechStartMs: number | null;
  readonly greetingEndMs: number | null;
  readonly beepMs: number | null;
  readonly beepEndMs: number | null;
  readonly beepHz: number | null;
}

const SCENES: Readonly<Record<Stratum, (stage: Stage) => SceneTruth>> = Object.fromEntries(
  Object.entries({ ...PEOPLE, ...OTHERS, ...EARLY_MEDIA }).map(([stratum, { scene }]) => [
    stratum,
    scene,
  ]),
) as Record<Stratum, (stage: Stage) => SceneTruth>;

export interface Clip {
  readonly codes: Uint8Array;
  readonly truth: ClipTruth;
}

export function makeClip(plan: ClipPlan, speech: RawSpeech, beds: NoiseBeds): Clip {
  const { id, split, stratum, language } = plan;
  const random = new SeededRandom(`${CORPUS_SEED}/clip/${id}`);
  const stage = new Stage(speech, { random, split, language });
  const { greeting, beep, wishes = {} } = SCENES[stratum](stage);
  const { codes, facts } = carried(stage.performance(), wishes, { random, beds, split });
  return {
    codes,
    truth: {
      file: `${plan.folder}/${id}.wav`,
      split,
      class: plan.class,
      earlyMedia: plan.earlyMedia,
      stratum,
      language,
      ...facts,
      durationMs: codes.length / 8,
      speechStartMs: greeting?.startMs ?? null,
      greetingEndMs: greeting?.endMs ?? null,
      beepMs: beep?.startMs ?? null,
      beepEndMs: beep?.endMs ?? null,
      beepHz: beep?.frequencyHz ?? null,
    },
  };
}
