/**
 * Goal: of voices that nothing was done to, in sentences that no training has seen, every person is treated
 * as one and a third of the machines are found. docs/amd.md is the measurement; this is what must not break.
 */
import { spawnSync } from 'node:child_process';
import t from 'tap';
import { interpolated } from '../../bench/amd/corpus/interpolate.ts';
import { AnswerDetector } from '../../gateway/amd/answer-detector.ts';

const VOICES = ['en-us', 'en-gb+f4'];
const WORDS_PER_MINUTE = [140, 190];
const RENDITIONS = VOICES.length * WORDS_PER_MINUTE.length;

const PEOPLE = [
  'Hello?',
  'Hello, this is Martha.',
  'Yes, speaking.',
  'Baker and Sons, good morning.',
];
const MACHINES = [
  'You have reached the voice mail of five five five, oh one two three. Please leave a message after the tone.',
  'The person you are calling is not available right now, so please try again later or leave a message.',
  'Thank you for calling the dental practice. To make an appointment, press one. To cancel one, press two.',
  'We are closed today. Our office opens again on Monday at eight in the morning, and closes at five.',
];

/** 8 kHz, with 400 ms before and 2.5 s after. */
function spoken(text: string, voice: string, wordsPerMinute: number): Int16Array {
  const { stdout } = spawnSync(
    'espeak-ng',
    ['-v', voice, '-s', String(wordsPerMinute), '--stdout', '--', text],
    { maxBuffer: 2 ** 24 },
  );
  const wide = Float32Array.from(new Int16Array(Uint8Array.from(stdout.subarray(44)).buffer));
  const narrow = interpolated(wide, 22_050 / 8_000);
  const pcm = new Int16Array(3_200 + narrow.length + 20_000);
  pcm.set(Int16Array.from(narrow), 3_200);
  return pcm;
}

function treatedAs(pcm: Int16Array): 'person' | 'machine' | 'nobody' {
  const detector = new AnswerDetector({ limitMs: 3_000, initialSilenceMs: 2_500 });
  for (let at = 0; at + 160 <= pcm.length; at += 160) {
    for (const event of detector.feed(pcm.subarray(at, at + 160))) {
      if (event.type !== 'classified') continue;
      if (event.verdict === 'human' || event.verdict === 'unknown') return 'person';
      return event.verdict === 'silence' ? 'nobody' : 'machine';
    }
  }
  return 'nobody';
}

const hasSpeech = spawnSync('espeak-ng', ['--version']).status === 0;

t.test('AMD: unmodified voices', { skip: !hasSpeech && 'no espeak-ng here' }, async (t) => {
  const count = (texts: readonly string[], as: string): number =>
    texts
      .flatMap((text) =>
        VOICES.flatMap((voice) => WORDS_PER_MINUTE.map((wpm) => [text, voice, wpm] as const)),
      )
      .filter(([text, voice, wpm]) => treatedAs(spoken(text, voice, wpm)) === as).length;
  const people = count(PEOPLE, 'person');
  const machines = count(MACHINES, 'machine');
  const all = MACHINES.length * RENDITIONS;
  t.equal(people, PEOPLE.length * RENDITIONS, 'every person is treated as one');
  t.ok(machines >= 0.6 * all, `${machines} of ${all} machines are called so`);
});
