/**
 * Goal: the corpus is a function of its seed, its two splits share nothing, its truth is true, and the
 * yardsticks beside the detector are what they are called. No speech synthesiser is needed here.
 */
import t from 'tap';
import { ASTERISK_STOCK, AsteriskAmd, type AsteriskVerdict } from '../../bench/amd/asterisk-amd.ts';
import { FRAME_SAMPLES, samplesOf, SAMPLES_PER_SECOND } from '../../bench/amd/corpus/audio.ts';
import { CODECS } from '../../bench/amd/corpus/channel.ts';
import { makeClip, type Clip } from '../../bench/amd/corpus/clip.ts';
import {
  CLIPS_PER_SIDE,
  CORPUS_SEED,
  plannedClips,
  plannedEarlyClips,
  type ClipPlan,
} from '../../bench/amd/corpus/corpus-plan.ts';
import { checkManifest } from '../../bench/amd/corpus/corpus-manifest.ts';
import { NoiseBeds, NOISES } from '../../bench/amd/corpus/noise-beds.ts';
import { lostFrames } from '../../bench/amd/corpus/packet-loss.ts';
import type { RawSpeech } from '../../bench/amd/corpus/raw-speech.ts';
import { SeededRandom } from '../../bench/amd/corpus/seeded-random.ts';
import { VARIANTS, WHISPERERS } from '../../bench/amd/corpus/speakers.ts';
import { LANGUAGES } from '../../bench/amd/corpus/texts/script-texts.ts';
import { tone } from '../../bench/amd/corpus/tones.ts';

/** A syllable of 180 ms for every four letters: speech as far as energy goes. */
const hummed: RawSpeech = {
  say(text, { pitch }) {
    const syllables = Math.max(1, Math.round(text.length / 4));
    const out = new Float32Array(samplesOf(180 * syllables));
    for (let i = 0; i < syllables; i += 1)
      out.set(tone(160, 200 + 4 * pitch, 900), samplesOf(180 * i));
    return out.map((sample) => sample / 4);
  },
};

const beds = new NoiseBeds(hummed, CORPUS_SEED);

const testPlan = plannedClips('test');

function firstOf(stratum: string, nth = 0): ClipPlan {
  const plan = testPlan.filter((one) => one.stratum === stratum)[nth];
  if (plan === undefined) throw new Error(`no ${stratum}`);
  return plan;
}

function decoded({ codes, truth }: Clip): Int16Array {
  const pcm = new Int16Array(codes.length);
  CODECS[truth.codec].decode(codes, 0, codes.length, pcm);
  return pcm;
}

/** Power at one frequency, as a share of all there is in the span. */
function shareAt(pcm: Int16Array, hz: number, fromMs: number, toMs: number): number {
  const span = pcm.subarray(samplesOf(fromMs), samplesOf(toMs));
  let [re, im, all] = [0, 0, 0];
  span.forEach((sample, i) => {
    const angle = (2 * Math.PI * hz * i) / SAMPLES_PER_SECOND;
    re += sample * Math.cos(angle);
    im += sample * Math.sin(angle);
    all += sample * sample;
  });
  return (2 * (re * re + im * im)) / (span.length * all);
}

t.test('the same plan makes the same clip, whatever was made before it', async (t) => {
  const plan = firstOf('voicemail');
  const first = makeClip(plan, hummed, beds);
  makeClip(firstOf('ordinary'), hummed, beds);
  const again = makeClip(plan, hummed, new NoiseBeds(hummed, CORPUS_SEED));
  t.same(again.truth, first.truth);
  t.ok(Buffer.from(again.codes).equals(Buffer.from(first.codes)));
});

t.test('the test split has at least 3,000 people and as many others, fairly mixed', async (t) => {
  const clips = testPlan;
  const people = clips.filter((clip) => clip.class === 'human');
  t.equal(people.length, CLIPS_PER_SIDE.test);
  t.ok(people.length >= 3_000 && clips.length - people.length >= 3_000);
  t.equal(new Set(clips.map(({ id }) => id)).size, clips.length, 'no id comes twice');
  t.same(
    plannedClips('test', 0.1),
    clips.slice(0, clips.length * 0.1),
    'a share is the first part',
  );
  for (const language of Object.keys(LANGUAGES)) {
    const share = people.filter((clip) => clip.language === language).length / people.length;
    t.ok(Math.abs(share - 1 / 8) < 0.001, `an eighth speaks ${language}`);
  }
});

t.test('nothing said, nobody speaking and no noise is in both splits', async (t) => {
  const both = (a: readonly string[], b: readonly string[]) => a.filter((item) => b.includes(item));
  for (const [code, { names, firms, sayings }] of Object.entries(LANGUAGES)) {
    t.same(both(names.train, names.test), [], `${code}: names`);
    t.same(both(firms.train, firms.test), [], `${code}: firms`);
    const said = (split: 'train' | 'test') => Object.values(sayings[split]).flat() as string[];
    t.same(both(said('train'), said('test')), [], `${code}: sentences`);
  }
  t.same(both(VARIANTS.train, VARIANTS.test), [], 'voices');
  t.not(WHISPERERS.train, WHISPERERS.test);
  t.same(both(NOISES.train, NOISES.test), [], 'noises');
});

t.test('there are 60 openers of people and 80 greetings of machines, or more', async (t) => {
  const count = (saying: 'opener' | 'business' | 'voicemail') =>
    Object.values(LANGUAGES)
      .flatMap(({ sayings }) => [sayings.train, sayings.test])
      .reduce((sum, sayings) => sum + sayings[saying].length, 0);
  t.ok(count('opener') >= 60, `${count('opener')} openers`);
  t.ok(count('voicemail') >= 80, `${count('voicemail')} greetings`);
});

t.test('the beep lies where the truth says, and nowhere before it', async (t) => {
  for (let nth = 0; nth < 3; nth += 1) {
    const clip = makeClip(firstOf('beepOnly', nth), hummed, beds);
    const { beepMs, beepEndMs, beepHz, snrDb } = clip.truth;
    if (beepMs === null || beepEndMs === null || beepHz === null) throw new Error('no beep');
    const pcm = decoded(clip);
    const inside = shareAt(pcm, beepHz, beepMs + 5, Math.min(beepEndMs, beepMs + 80));
    const before = shareAt(pcm, beepHz, Math.max(0, beepMs - 85), beepMs - 5);
    t.ok(inside > 0.5, `${clip.truth.file}: ${inside.toFixed(2)} inside, SNR ${snrDb ?? 'none'}`);
    t.ok(!(before > 0.3), `${clip.truth.file}: ${before.toFixed(2)} before`);
  }
});

t.test('late media begin late, and silent lines hold zeros', async (t) => {
  const late = makeClip(firstOf('lateMedia'), hummed, beds).truth;
  t.ok(late.lostFrames.length >= 15 && late.lostFrames[0] === 0, 'the first frames never came');
  t.ok((late.speechStartMs ?? 0) >= 300);
  const gapped = makeClip(firstOf('allZeroGaps'), hummed, beds);
  const zeros = decoded(gapped).filter((sample) => Math.abs(sample) <= 8).length;
  t.ok(zeros > gapped.codes.length * 0.2, 'what lies between words is nothing at all');
});

t.test('early media is told by its last sign', async (t) => {
  const plans = plannedEarlyClips('test');
  t.equal(plans.find(({ stratum }) => stratum === 'earlyRingThenBusy')?.earlyMedia, 'busy');
  const plan = plans.find(({ stratum }) => stratum === 'earlyBusy');
  if (plan === undefined) throw new Error('no busy');
  const { truth } = makeClip(plan, hummed, beds);
  t.equal(truth.class, null);
  t.match(truth.file, /^test-early\//u);
});

t.test('packets are lost in bursts, as many as were asked for', async (t) => {
  const frames = 200_000;
  const lost = lostFrames(new SeededRandom('loss'), { frames, lossRatio: 0.05 });
  t.ok(Math.abs(lost.length / frames - 0.05) < 0.004, `${lost.length / frames}`);
  const follows = lost.filter((frame, i) => lost[i + 1] === frame + 1).length / lost.length;
  t.ok(follows > 0.3, `after a lost frame ${follows.toFixed(2)} are lost too; independent is 0.05`);
  t.same(lostFrames(new SeededRandom('none'), { frames, lossRatio: 0 }), []);
});

const frame = (amplitude: number) => new Int16Array(FRAME_SAMPLES).fill(amplitude);
const ruleCases: readonly {
  name: string;
  /** Ms and amplitude in turn. */
  given: readonly (readonly [number, number])[];
  expected: Partial<AsteriskVerdict>;
}[] = [
  {
    name: 'one short word, then 800 ms of silence: a person',
    given: [
      [400, 0],
      [300, 2_000],
      [1_200, 0],
    ],
    expected: { status: 'HUMAN', atMs: 1_500 },
  },
  {
    name: '2.5 s of silence: a machine',
    given: [[4_000, 0]],
    expected: { cause: 'INITIALSILENCE', atMs: 2_500 },
  },
  {
    name: '1.5 s of voice: a machine',
    given: [
      [100, 0],
      [3_000, 2_000],
    ],
    expected: { cause: 'LONGGREETING', atMs: 1_600 },
  },
  {
    name: 'three words: a machine',
    given: [
      [100, 0],
      [200, 2_000],
      [100, 0],
      [200, 2_000],
      [100, 0],
      [200, 2_000],
    ],
    expected: { cause: 'MAXWORDS', atMs: 800 },
  },
  {
    name: 'noise just under the fixed level is silence, just over it a voice',
    given: [
      [500, 255],
      [400, 256],
      [1_000, 255],
    ],
    expected: { status: 'HUMAN', atMs: 1_700 },
  },
  {
    name: 'clicks for 5 s: not sure',
    given: Array.from({ length: 60 }, (_, i) => [i % 2 === 0 ? 60 : 200, i % 2 === 0 ? 2_000 : 0]),
    expected: { status: 'NOTSURE', cause: 'TOOLONG', atMs: ASTERISK_STOCK.totalAnalysisMs },
  },
];

for (const { name, given, expected } of ruleCases) {
  t.test(`Asterisk's rule: ${name}`, async (t) => {
    const rule = new AsteriskAmd();
    const frames = given.flatMap(([ms, amplitude]) =>
      Array.from({ length: ms / 20 }, () => frame(amplitude)),
    );
    let verdict: AsteriskVerdict | undefined;
    for (const one of frames) verdict ??= rule.feed(one);
    t.match(verdict ?? rule.end(), expected);
  });
}

t.test('clips made by other tools are said to be others, and are used', async (t) => {
  const other = checkManifest({ share: 1, hash: 'none', espeak: '0.0' });
  t.equal(other.verdict, 'otherTools');
  t.match(other.inWords, /^warning: .* espeak-ng .* 0\.0/u);
  t.equal(checkManifest({ share: 0.123, hash: 'none', espeak: '0.0' }).verdict, 'notListed');
});
