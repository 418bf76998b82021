/** Goal: a person is heard at once and never kept waiting; machines, tones and digits are what they are. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { runProgram } from '../../cli/program.ts';
import { AnswerDetector, type DetectorEvent } from '../../gateway/amd/answer-detector.ts';
import { EarlyMediaDetector } from '../../gateway/amd/early-media-detector.ts';
import { InbandDtmf } from '../../gateway/amd/inband-dtmf.ts';
import { joined, noisy, silence, speech, tone } from '../support/synthetic-speech.ts';

const FRAME = 160;
const WOMAN = { seed: 3, pitchHz: 210 };
const MAN = { seed: 8, pitchHz: 115 };

function frames(pcm: Int16Array): Int16Array[] {
  return Array.from({ length: Math.floor(pcm.length / FRAME) }, (_, i) =>
    pcm.subarray(i * FRAME, (i + 1) * FRAME),
  );
}

interface Heard {
  readonly events: readonly DetectorEvent[];
  readonly verdict: string;
  readonly atMs: number;
}

function listen(pcm: Int16Array, limitMs = 3_000, lost: readonly number[] = []): Heard {
  const detector = new AnswerDetector({ limitMs, initialSilenceMs: 2_500 });
  const events = frames(pcm).flatMap((frame, i) => [
    ...(lost.includes(i) ? detector.lost() : detector.feed(frame)),
  ]);
  events.push(...detector.end());
  const classified = events.filter((event) => event.type === 'classified');
  const [only] = classified;
  if (only === undefined || classified.length > 1) throw new Error(`${classified.length} verdicts`);
  return { events, verdict: only.verdict, atMs: only.atMs };
}

function beepsOf({ events }: Heard): { atMs: number; endMs: number; frequencyHz: number }[] {
  return events.filter((event) => event.type === 'beep');
}

const hello = (voice = WOMAN, ms = 450): Int16Array => speech(ms, voice);

t.test('AMD: a short greeting is a person within 600 ms of its end', async (t) => {
  for (const voice of [WOMAN, MAN, { seed: 5, pitchHz: 300 }]) {
    for (const ms of [300, 450, 900, 1_400]) {
      const heard = listen(joined(silence(400), hello(voice, ms), silence(3_000)));
      t.equal(heard.verdict, 'human', `${ms} ms at ${voice.pitchHz} Hz`);
      t.ok(heard.atMs - (400 + ms) <= 620, `decided ${heard.atMs - 400 - ms} ms after its end`);
    }
  }
});

t.test('AMD: hiss, DC, loss, gaps of zeros and clipping change nothing about it', async (t) => {
  const clean = joined(silence(500), hello(), silence(3_000));
  const cases = {
    hiss: noisy(clean, 150),
    DC: clean.map((x) => x + 900),
    clipping: clean.map((x) => Math.max(-6_000, Math.min(6_000, x * 3))),
    'late RTP': joined(silence(700), noisy(clean, 40)),
  };
  for (const [name, pcm] of Object.entries(cases)) t.equal(listen(pcm).verdict, 'human', name);
  t.equal(listen(noisy(clean, 40), 3_000, [28, 29, 36]).verdict, 'human', 'loss');
});

t.test('AMD: who asks again after 1.5 s was a person the first time', async (t) => {
  const again = joined(silence(300), hello(), silence(1_500), hello(), silence(2_000));
  const heard = listen(again);
  t.equal(heard.verdict, 'human');
  t.ok(heard.atMs < 300 + 450 + 700, 'before the second hello');
});

t.test('AMD: one who talks on is called no person before the limit, whatever it is', async (t) => {
  for (const limitMs of [1_000, 3_000, 7_000]) {
    const heard = listen(joined(silence(200), speech(12_000, MAN), silence(2_000)), limitMs);
    t.ok(heard.verdict === 'machine' || heard.verdict === 'unknown', heard.verdict);
    t.ok(heard.atMs <= 200 + limitMs + 60, `${heard.atMs} ms at a limit of ${limitMs} ms`);
  }
});

t.test('AMD: nothing but silence or hiss is silence, at the limit for that', async (t) => {
  const cases = [silence(4_000), noisy(silence(4_000), 200), noisy(silence(4_000), 2_000)];
  for (const pcm of cases) {
    const heard = listen(pcm);
    t.equal(heard.verdict, 'silence');
    t.ok(heard.atMs >= 2_500 && heard.atMs <= 2_600, `${heard.atMs}`);
  }
});

t.test('AMD: ringback that leaks through is neither speech nor silence', async (t) => {
  const ring = tone(2_000, [440, 480]);
  const heard = listen(joined(silence(100), ring, silence(3_000), hello(), silence(2_000)));
  t.equal(heard.verdict, 'human');
  t.ok(heard.atMs > 5_100, 'after the person spoke');
  t.same(beepsOf(heard), []);
});

t.test('AMD: a beep is heard to 10 ms and 10 Hz, over noise too', async (t) => {
  const greeting = speech(4_000, MAN);
  for (const [hz, ms] of [
    [400, 300],
    [850, 500],
    [1_000, 80],
    [1_400, 120],
    [2_400, 1_200],
  ]) {
    for (const hiss of [0, 200]) {
      const beep = tone(ms as number, [hz as number]);
      const pcm = noisy(joined(greeting, silence(600), beep, silence(800)), hiss);
      const [first, ...more] = beepsOf(listen(pcm));
      t.same(more, []);
      t.ok(first !== undefined && Math.abs(first.atMs - 4_600) <= 10, `${hz} Hz: ${first?.atMs}`);
      t.ok(first !== undefined && Math.abs(first.endMs - 4_600 - (ms as number)) <= 15);
      t.ok(first !== undefined && Math.abs(first.frequencyHz - (hz as number)) <= 10);
    }
  }
});

t.test('AMD: a beep without a greeting is a machine, and ends a greeting at once', async (t) => {
  t.equal(listen(joined(silence(900), tone(300, [1_000]), silence(2_000))).verdict, 'machine');
  const pcm = joined(speech(4_000, WOMAN), silence(500), tone(250, [1_250]), silence(500));
  const ended = listen(pcm).events.find((event) => event.type === 'greetingEnded');
  t.ok(ended !== undefined && Math.abs(ended.atMs - 4_000) <= 120, `${ended?.atMs}`);
});

t.test('AMD: tones of the network, keys and melodies are no beeps', async (t) => {
  const cases: Record<string, Int16Array> = {
    'ringback US': tone(1_500, [440, 480]),
    'ringback UK': tone(400, [400, 450]),
    busy: joined(tone(500, [480, 620]), silence(500), tone(500, [480, 620])),
    reorder: joined(tone(250, [480, 620]), silence(250), tone(250, [480, 620])),
    'a key': tone(200, [770, 1_336]),
    'a melody': joined(...[523, 587, 659, 698, 784].map((hz) => tone(180, [hz]))),
  };
  const greeting = speech(3_500, MAN);
  for (const [name, sound] of Object.entries(cases)) {
    const heard = beepsOf(listen(joined(greeting, silence(500), sound, silence(1_000))));
    t.same(heard, [], name);
  }
  t.same(beepsOf(listen(speech(20_000, WOMAN))), [], 'speech');
  t.same(beepsOf(listen(speech(20_000, { seed: 77, pitchHz: 320 }))), [], 'a high voice');
});

t.test('[OUT-04] AMD: fax tones and special information tones are told from beeps', async (t) => {
  t.equal(listen(joined(silence(700), tone(3_000, [2_100]), silence(500))).verdict, 'fax');
  t.equal(listen(joined(silence(700), tone(500, [1_100]), silence(2_500))).verdict, 'fax');
  const sit = joined(tone(330, [950]), tone(330, [1_400]), tone(330, [1_800]));
  const heard = listen(joined(silence(200), sit, silence(300), speech(2_000, MAN)));
  t.equal(heard.verdict, 'sit');
  t.same(beepsOf(heard), []);
  // A far end that stutters between them, or a tap that lost packets.
  for (const gapMs of [60, 120, 180]) {
    const apart = joined(tone(330, [950]), silence(gapMs), tone(330, [1_400]));
    const all = joined(silence(200), apart, silence(gapMs), tone(330, [1_800]), silence(1_000));
    const stuttered = listen(all);
    t.equal(stuttered.verdict, 'sit', `${gapMs} ms apart`);
    t.same(beepsOf(stuttered), [], `${gapMs} ms apart`);
  }
  const lone = joined(silence(900), tone(300, [950]), silence(2_000));
  t.equal(listen(lone).verdict, 'machine', 'its first tone alone is a beep');
});

function early(pcm: Int16Array): string[] {
  const detector = new EarlyMediaDetector();
  return frames(pcm).flatMap((frame) => detector.feed(frame) ?? []);
}

function repeated(times: number, ...parts: readonly Int16Array[]): Int16Array {
  return joined(...Array.from({ length: times }, () => joined(...parts)));
}

t.test('early media: countries ring, refuse and speak each in their way', async (t) => {
  const sit = (a: number, aMs: number, b: number, bMs: number): Int16Array =>
    joined(silence(300), tone(aMs, [a]), tone(bMs, [b]), tone(380, [1_776.7]), silence(400));
  const cases: [string, Int16Array, readonly string[]][] = [
    ['ringback US', repeated(2, tone(2_000, [440, 480]), silence(4_000)), ['ringback']],
    [
      'ringback UK',
      repeated(2, tone(400, [400, 450]), silence(200), tone(400, [400, 450]), silence(2_000)),
      ['ringback'],
    ],
    ['ringback EU', repeated(2, tone(1_000, [425]), silence(4_000)), ['ringback']],
    ['busy US', repeated(5, tone(500, [480, 620]), silence(500)), ['busy']],
    ['busy EU', repeated(5, tone(480, [425]), silence(480)), ['busy']],
    ['busy UK', repeated(5, tone(375, [400]), silence(375)), ['busy']],
    ['reorder US', repeated(8, tone(250, [480, 620]), silence(250)), ['reorder']],
    ['congestion DE', repeated(8, tone(240, [425]), silence(240)), ['reorder']],
    ['SIT intercept', sit(913.8, 274, 1_370.6, 274), ['sit_vacant']],
    ['SIT vacant', sit(985.2, 380, 1_370.6, 274), ['sit_vacant']],
    ['SIT no circuit', sit(985.2, 380, 1_428.5, 380), ['sit_no_circuit']],
    ['SIT reorder', sit(913.8, 274, 1_428.5, 380), ['sit_no_circuit']],
    ['a greeting', joined(silence(500), speech(6_000, MAN)), ['voicemail']],
    [
      'ringing, then busy',
      joined(tone(1_000, [425]), silence(2_500), repeated(5, tone(500, [425]), silence(500))),
      ['ringback', 'busy'],
    ],
  ];
  for (const [name, pcm, expected] of cases) t.same(early(pcm), expected, name);
  t.same(early(silence(5_000)), [], 'silence');
});

const KEYS: [string, number, number][] = [
  ['1', 697, 1_209],
  ['5', 770, 1_336],
  ['9', 852, 1_477],
  ['0', 941, 1_336],
  ['#', 941, 1_477],
  ['D', 941, 1_633],
];

function digits(pcm: Int16Array): { digit: string; durationMs: number }[] {
  const dtmf = new InbandDtmf();
  return frames(pcm).flatMap((frame) => dtmf.feed(frame) ?? []);
}

t.test('in-band digits: each key once, in noise, with twist, and not below 40 ms', async (t) => {
  for (const [digit, low, high] of KEYS) {
    for (const hiss of [0, 300]) {
      const pcm = noisy(joined(silence(100), tone(100, [low, high], 0.15), silence(200)), hiss);
      const heard = digits(pcm);
      t.same(
        heard.map((one) => one.digit),
        [digit],
      );
      t.ok(Math.abs((heard[0]?.durationMs ?? 0) - 100) <= 26, `${heard[0]?.durationMs} ms`);
    }
  }
  const twice = joined(tone(80, [770, 1_336]), silence(80), tone(80, [770, 1_336]), silence(80));
  t.equal(digits(twice).length, 2);
  t.same(digits(joined(tone(22, [770, 1_336]), silence(100))), [], 'too short');
  t.same(digits(joined(tone(100, [770]), silence(100))), [], 'one tone of two');
});

t.test('in-band digits: a minute of voices presses no key', async (t) => {
  for (const voice of [WOMAN, MAN, { seed: 21, pitchHz: 330 }]) {
    t.same(digits(speech(20_000, { ...voice, level: 0.8 })), []);
  }
});

t.test(
  'ringfence amd classify: one line a file, and exit code 1 for what cannot be read',
  async (t) => {
    let out = '';
    const stream = {
      write: (text: string, done?: () => void) => {
        out += text;
        done?.();
        return true;
      },
    };
    const quiet = { write: () => true };
    const terminal = { out: stream, err: quiet } as unknown as Parameters<typeof runProgram>[1];
    const folder = new URL('../../lab/audio/', import.meta.url).pathname;
    const good = [`${folder}hello-2.wav`, `${folder}voicemail-1.wav`];
    t.equal(await runProgram(['amd', 'classify', ...good, '--json'], terminal), 0);
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    t.same(
      lines.map(({ file }) => file),
      good,
    );
    for (const line of lines) {
      t.same(Object.keys(line), [
        ...['file', 'verdict', 'treatedAs', 'probability'],
        ...['decisionMs', 'greetingEndMs', 'beepMs'],
      ]);
    }
    t.equal(lines[0]?.['treatedAs'], 'human');
    out = '';
    const bad = new URL('../../package.json', import.meta.url).pathname;
    t.equal(await runProgram(['amd', 'classify', bad, '--json'], terminal), 1);
    t.match(JSON.parse(out), { file: bad, error: /WAV/ });
    t.ok(readFileSync(bad).length > 0);
  },
);
