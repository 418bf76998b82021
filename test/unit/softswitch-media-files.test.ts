/** Goal: sound from files and scripts is what it says: codes, rates, levels, lengths and spectrum. */
import t from 'tap';
import { FRAME_SAMPLES, SAMPLE_RATE_HZ } from '../../softswitch/media/audio-format.ts';
import {
  LoopedPcmSource,
  PcmSource,
  renderSource,
  type AudioSource,
} from '../../softswitch/media/audio-source.ts';
import { alaw, mulaw, type G711 } from '../../softswitch/media/g711.ts';
import { Playlist } from '../../softswitch/media/playlist.ts';
import { resample } from '../../softswitch/media/resample.ts';
import { isStreamUri, openStream } from '../../softswitch/media/tone-stream.ts';
import { decodeWav, decodeWavInTurns, encodeWav } from '../../softswitch/media/wav.ts';

const FULL_SCALE_DBM0 = 3.14;

/** Level of one frequency, in dB relative to a full-scale sine (Goertzel, Hann window). */
function levelDb(pcm: Int16Array, frequencyHz: number, rateHz = SAMPLE_RATE_HZ): number {
  let real = 0;
  let imaginary = 0;
  let weight = 0;
  pcm.forEach((sample, n) => {
    const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / pcm.length);
    const angle = (2 * Math.PI * frequencyHz * n) / rateHz;
    real += sample * window * Math.cos(angle);
    imaginary -= sample * window * Math.sin(angle);
    weight += window;
  });
  const amplitude = (2 * Math.hypot(real, imaginary)) / weight;
  return 20 * Math.log10(Math.max(amplitude, 1e-3) / 32_767);
}

function sine(
  frequencyHz: number,
  { rateHz = SAMPLE_RATE_HZ, ms = 500, amplitude = 16_000 } = {},
): Int16Array {
  return Int16Array.from({ length: (rateHz * ms) / 1_000 }, (_, n) =>
    Math.round(amplitude * Math.sin((2 * Math.PI * frequencyHz * n) / rateHz)),
  );
}

/** The ITU-T G.191 reference coders, as their loops are written there: slow, and not ours. */
const reference = {
  mulaw(sample: number): number {
    let magnitude = (sample < 0 ? ~sample >> 2 : sample >> 2) + 33;
    if (magnitude > 0x1fff) magnitude = 0x1fff;
    let segment = 1;
    for (let rest = magnitude >> 6; rest !== 0; rest >>= 1) segment += 1;
    const code = ((8 - segment) << 4) | (0x0f - ((magnitude >> segment) & 0x0f));
    return sample >= 0 ? code | 0x80 : code;
  },
  alaw(sample: number): number {
    let magnitude = sample < 0 ? ~sample >> 4 : sample >> 4;
    if (magnitude > 15) {
      let exponent = 1;
      while (magnitude > 31) {
        magnitude >>= 1;
        exponent += 1;
      }
      magnitude = magnitude - 16 + (exponent << 4);
    }
    return (sample >= 0 ? magnitude | 0x80 : magnitude) ^ 0x55;
  },
};

function encodeOne(law: G711, sample: number): number {
  const code = new Uint8Array(1);
  law.encode(Int16Array.of(sample), code, 0);
  return code[0] ?? -1;
}

function decodeAll(law: G711): Int16Array {
  const pcm = new Int16Array(256);
  law.decode(
    Uint8Array.from({ length: 256 }, (_, code) => code),
    0,
    256,
    pcm,
  );
  return pcm;
}

t.test('G.711: both laws agree with the G.191 reference on every 16-bit sample', async (t) => {
  for (const [name, law] of [
    ['mulaw', mulaw],
    ['alaw', alaw],
  ] as const) {
    let differing = 0;
    for (let sample = -32_768; sample <= 32_767; sample += 1) {
      if (encodeOne(law, sample) !== reference[name](sample)) differing += 1;
    }
    t.equal(differing, 0, name);
  }
});

t.test('G.711: every code survives decode and encode, but the second zero of µ-law', async (t) => {
  const changed = (law: G711) =>
    [...decodeAll(law)].flatMap((pcm, code) => (encodeOne(law, pcm) === code ? [] : [code]));
  t.same(changed(alaw), []);
  t.same(changed(mulaw), [0x7f], '0x7f is minus zero; zero is coded 0xff');
});

t.test('G.711: known levels of the Recommendation', async (t) => {
  const [mulawLevels, alawLevels] = [decodeAll(mulaw), decodeAll(alaw)];
  t.same([mulawLevels[0x00], mulawLevels[0x80], mulawLevels[0xff]], [-32_124, 32_124, 0]);
  t.same([alawLevels[0x2a], alawLevels[0xaa], alawLevels[0xd5]], [-32_256, 32_256, 8]);
});

t.test('G.711: a sine keeps at least 35 dB of signal to noise, soft or loud', async (t) => {
  for (const law of [mulaw, alaw]) {
    for (const amplitude of [1_000, 5_000, 15_000, 30_000]) {
      const pcm = sine(1_020, { amplitude });
      const codes = new Uint8Array(pcm.length);
      law.encode(pcm, codes, 0);
      const back = new Int16Array(pcm.length);
      law.decode(codes, 0, codes.length, back);
      let signal = 0;
      let noise = 0;
      pcm.forEach((sample, i) => {
        signal += sample ** 2;
        noise += (sample - (back[i] ?? 0)) ** 2;
      });
      const ratioDb = 10 * Math.log10(signal / noise);
      t.ok(ratioDb > 35, `${ratioDb.toFixed(1)} dB at amplitude ${amplitude}`);
    }
  }
});

/** A RIFF file, made here byte by byte and not with our own writer. */
function riff(format: {
  tag?: number;
  channels?: number;
  rateHz?: number;
  bits?: number;
  data: Buffer;
  extensible?: boolean;
  before?: Buffer;
  dataLength?: number;
}): Buffer {
  const { tag = 1, channels = 1, rateHz = 8_000, bits = 16, data, extensible = false } = format;
  const fmt = Buffer.alloc(extensible ? 40 : 16);
  fmt.writeUInt16LE(extensible ? 0xfffe : tag, 0);
  fmt.writeUInt16LE(channels, 2);
  fmt.writeUInt32LE(rateHz, 4);
  fmt.writeUInt32LE((rateHz * channels * bits) / 8, 8);
  fmt.writeUInt16LE((channels * bits) / 8, 12);
  fmt.writeUInt16LE(bits, 14);
  if (extensible) {
    fmt.writeUInt16LE(22, 16);
    fmt.writeUInt16LE(bits, 18);
    fmt.writeUInt16LE(tag, 24);
    Buffer.from('000000001000800000aa00389b71', 'hex').copy(fmt, 26);
  }
  const chunk = (id: string, body: Buffer, length = body.length) => {
    const head = Buffer.alloc(8);
    head.write(id, 0, 'latin1');
    head.writeUInt32LE(length, 4);
    return Buffer.concat([head, body, Buffer.alloc(body.length % 2)]);
  };
  const body = Buffer.concat([
    Buffer.from('WAVE'),
    format.before ?? Buffer.alloc(0),
    chunk('fmt ', fmt),
    chunk('data', data, format.dataLength),
  ]);
  return Buffer.concat([Buffer.from('RIFF'), le32(body.length), body]);
}

function le32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value, 0);
  return bytes;
}

function pcm16(samples: readonly number[]): Buffer {
  const bytes = Buffer.alloc(samples.length * 2);
  samples.forEach((sample, i) => bytes.writeInt16LE(sample, i * 2));
  return bytes;
}

const oddChunk = Buffer.concat([Buffer.from('LIST'), le32(3), Buffer.from('abc\0')]);
const readable = [
  {
    name: '16 bits',
    file: riff({ data: pcm16([0, 1, -1, 32_767, -32_768]) }),
    expected: [0, 1, -1, 32_767, -32_768],
  },
  {
    name: '8 bits, unsigned',
    file: riff({ bits: 8, data: Buffer.from([0, 128, 255]) }),
    expected: [-32_768, 0, 32_512],
  },
  {
    name: '24 bits',
    file: riff({ bits: 24, data: Buffer.from('00ff7f000080ff0100', 'hex') }),
    expected: [32_767, -32_768, 1],
  },
  {
    name: '32 bits',
    file: riff({ bits: 32, data: Buffer.from('0000ff7f00000080', 'hex') }),
    expected: [32_767, -32_768],
  },
  {
    name: 'µ-law',
    file: riff({ tag: 7, bits: 8, data: Buffer.from([0x00, 0x80, 0xff]) }),
    expected: [-32_124, 32_124, 0],
  },
  {
    name: 'A-law',
    file: riff({ tag: 6, bits: 8, data: Buffer.from([0x2a, 0xaa]) }),
    expected: [-32_256, 32_256],
  },
  {
    name: 'stereo, averaged',
    file: riff({ channels: 2, data: pcm16([100, 300, -100, -301]) }),
    expected: [200, -200],
  },
  {
    name: 'an extensible header',
    file: riff({ extensible: true, data: pcm16([5, -5]) }),
    expected: [5, -5],
  },
  {
    name: 'an odd chunk before the format',
    file: riff({ before: oddChunk, data: pcm16([7]) }),
    expected: [7],
  },
  {
    name: 'a length that was not known',
    file: riff({ data: pcm16([7, 8]), dataLength: 0xffffffff }),
    expected: [7, 8],
  },
  { name: 'half a sample at the end', file: riff({ data: Buffer.from([1, 0, 9]) }), expected: [1] },
  { name: 'no audio at all', file: riff({ data: Buffer.alloc(0) }), expected: [] },
];
for (const { name, file, expected } of readable) {
  t.test(`decodeWav reads ${name}`, async (t) => {
    t.same([...decodeWav(file).pcm], expected);
    t.same([...(await decodeWavInTurns(file)).pcm], expected, 'in turns too');
  });
}

const good = riff({ data: pcm16([1, 2, 3, 4]) });
const unreadable = [
  { name: 'an empty file', file: Buffer.alloc(0), message: /only 0 bytes/ },
  {
    name: 'an MP3',
    file: Buffer.from('ID3\x04 and so on and on'),
    message: /begins with "ID3\\u0004"/,
  },
  { name: 'another RIFF file', file: Buffer.from('RIFF\0\0\0\0AVI LIST'), message: /not WAVE/ },
  {
    name: 'a file cut short in its audio',
    file: good.subarray(0, good.length - 3),
    message: /8 bytes of audio announced, 5 there/,
  },
  {
    name: 'a file cut short in its header',
    file: good.subarray(0, 30),
    message: /cut short in chunk "fmt "/,
  },
  { name: 'a file without audio chunk', file: good.subarray(0, 36), message: /no data chunk/ },
  { name: 'a file without any chunk', file: good.subarray(0, 12), message: /no format chunk/ },
  {
    name: 'ADPCM',
    file: riff({ tag: 2, bits: 4, data: Buffer.alloc(4) }),
    message: /format 0x0002 with 4 bits/,
  },
  {
    name: 'PCM of 12 bits',
    file: riff({ bits: 12, data: Buffer.alloc(4) }),
    message: /format 0x0001 with 12 bits/,
  },
  {
    name: 'no channels',
    file: riff({ channels: 0, data: Buffer.alloc(4) }),
    message: /0 channels/,
  },
  {
    name: 'an absurd rate',
    file: riff({ rateHz: 10, data: Buffer.alloc(4) }),
    message: /sample rate 10 Hz/,
  },
];
for (const { name, file, message } of unreadable) {
  t.test(`decodeWav refuses ${name}`, async (t) => {
    t.throws(() => decodeWav(file), { code: 'INVALID_WAV', message });
  });
}

t.test('decodeWav: garbage gives INVALID_WAV or audio, never another error', async (t) => {
  let seed = 12_345;
  const random = () => (seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff) / 0x7fffffff;
  const template = riff({ data: pcm16(Array.from({ length: 50 }, (_, i) => i * 100)) });
  const wrong: unknown[] = [];
  for (let round = 0; round < 2_000; round += 1) {
    const file = Buffer.from(template);
    for (let flips = 0; flips < 1 + random() * 6; flips += 1) {
      file[Math.floor(random() * 44)] = Math.floor(random() * 256);
    }
    try {
      decodeWav(file.subarray(0, Math.floor(random() * 2 * file.length)));
    } catch (error) {
      if ((error as { code?: string }).code !== 'INVALID_WAV') wrong.push(error);
    }
  }
  t.same(wrong, []);
});

t.test('encodeWav: what it writes is read back, sample for sample', async (t) => {
  const pcm = sine(440, { ms: 30 });
  t.same([...decodeWav(encodeWav(pcm)).pcm], [...pcm]);
  const wide = decodeWav(encodeWav(sine(440, { rateHz: 16_000, ms: 100 }), 16_000));
  t.match(wide, { sampleRateHz: 16_000, channels: 1, durationMs: 100 });
});

for (const rateHz of [11_025, 16_000, 22_050, 32_000, 44_100, 48_000]) {
  t.test(
    `resample: ${rateHz} Hz to 8 kHz keeps the voice band and lets nothing fold back`,
    async (t) => {
      for (const frequencyHz of [200, 1_000, 3_400]) {
        const out = resample(sine(frequencyHz, { rateHz }), rateHz, 8_000);
        t.equal(out.length, 4_000, 'the length is kept');
        const change = levelDb(out, frequencyHz) - levelDb(sine(frequencyHz), frequencyHz);
        t.ok(Math.abs(change) < 0.1, `${frequencyHz} Hz changed by ${change.toFixed(3)} dB`);
      }
      for (const frequencyHz of [4_050, 4_400, 5_000, 7_000, 10_000].filter(
        (f) => f < rateHz / 2,
      )) {
        const out = resample(sine(frequencyHz, { rateHz }), rateHz, 8_000).subarray(400, 3_600);
        const alias = Math.abs(((frequencyHz + 4_000) % 8_000) - 4_000);
        const level =
          levelDb(out, alias) - levelDb(sine(frequencyHz, { rateHz }), frequencyHz, rateHz);
        t.ok(level < -65, `${frequencyHz} Hz folds to ${alias} Hz at ${level.toFixed(0)} dB`);
      }
    },
  );
}

t.test('resample: up-sampling leaves no image, and full scale does not wrap', async (t) => {
  const up = resample(sine(1_000), 8_000, 16_000);
  t.ok(levelDb(up, 7_000, 16_000) < -70, 'no image at 7 kHz');
  const square = Int16Array.from({ length: 800 }, (_, n) => (n % 16 < 8 ? 32_767 : -32_768));
  const clipped = resample(square, 16_000, 8_000);
  t.ok(Math.max(...clipped) > 30_000 && Math.min(...clipped) < -30_000);
  const wrapped = clipped.filter((sample, n) => {
    if (n % 8 === 1 || n % 8 === 2) return sample < 20_000;
    return (n % 8 === 5 || n % 8 === 6) && sample > -20_000;
  });
  t.same([...wrapped], [], 'overshoot is clipped, not wrapped');
});

/** Milliseconds of a source, by whole frames. */
function lengthMs(source: AudioSource): number {
  return (renderSource(source, 60_000).length / FRAME_SAMPLES) * 20;
}

const lengths = [
  { uri: 'tone_stream://%(300,0,440)', expected: 300 },
  { uri: 'tone_stream://%(200,100,440,480)', expected: 300 },
  { uri: 'tone_stream://%(200,100,440);%(500,0,480)', expected: 800 },
  { uri: 'tone_stream://%(200,100,440);loops=3', expected: 900 },
  { uri: 'tone_stream://%(200,100,440);loops=0', expected: 300 },
  { uri: 'tone_stream://L=3;%(200,0,440)', expected: 600 },
  { uri: 'tone_stream://l=2;%(200,0,440);%(100,0,480)', expected: 500 },
  { uri: 'tone_stream://v=-20;%(100,0,440);v=0;%(100,0,440)', expected: 200 },
  { uri: 'tone_stream://d=100;w=60;123', expected: 480 },
  { uri: 'tone_stream://5(40,60)', expected: 100 },
  { uri: 'tone_stream://%(0,200,440)', expected: 200 },
  { uri: 'tone_stream://%(200,100,0)', expected: 100 },
  { uri: 'TONE_STREAM:// %(100,0,440) ; %(100,0,440) ', expected: 200 },
  { uri: 'silence_stream://1000', expected: 1_000 },
  { uri: 'silence_stream://250,1400', expected: 260 },
];
for (const { uri, expected } of lengths) {
  t.test(`openStream: ${uri} lasts ${expected} ms`, async (t) => {
    t.ok(isStreamUri(uri));
    t.equal(lengthMs(openStream(uri)), expected);
  });
}

for (const uri of [
  'tone_stream://%(200,100,440);loops=-1',
  'silence_stream://0',
  'silence_stream://-1,1400',
]) {
  t.test(`openStream: ${uri} never ends`, async (t) => {
    const source = openStream(uri);
    const frame = new Int16Array(FRAME_SAMPLES);
    for (let i = 0; i < 10_000; i += 1) if (!source.read(frame)) t.fail(`ended at frame ${i}`);
    t.throws(() => renderSource(openStream(uri), 1_000), /longer than 1000 ms/);
  });
}

for (const uri of [
  'tone_stream://',
  'tone_stream://%(300,0)',
  'tone_stream://%(a,0,440)',
  'tone_stream://%(100,0,1,2,3,4,5,6,7)',
  'tone_stream://%(100,0,4000)',
  'tone_stream://%(-5,0,440)',
  'tone_stream://v=loud;%(100,0,440)',
  'tone_stream://z=1;%(100,0,440)',
  'tone_stream://x',
  'tone_stream://%(100,0,440);loops=many',
  'tone_stream://L=99999999;v=-7',
  'tone_stream://L=99999999;%(1,1,440)',
  'silence_stream://soon',
  'file://x.wav',
]) {
  t.test(`openStream refuses ${uri}`, async (t) => {
    t.throws(() => openStream(uri), { code: 'INVALID_TONE_STREAM' });
  });
}

t.test('openStream: a tone has its frequencies, its level in dBm0 and its pause', async (t) => {
  const one = renderSource(openStream('tone_stream://v=-13;%(500,100,1000)'), 1_000);
  const level = levelDb(one.subarray(0, 4_000), 1_000) + FULL_SCALE_DBM0;
  t.ok(Math.abs(level + 13) < 0.05, `${level.toFixed(2)} dBm0`);
  t.ok(
    one.subarray(4_000).every((sample) => sample === 0),
    'the pause is silent',
  );
  const two = renderSource(openStream('tone_stream://v=-13;%(500,0,440,480)'), 1_000);
  for (const frequencyHz of [440, 480]) {
    const each = levelDb(two, frequencyHz) + FULL_SCALE_DBM0;
    t.ok(Math.abs(each + 13 + 6.02) < 0.1, `two tones have half the amplitude each: ${each}`);
  }
  t.ok(levelDb(two, 460) < levelDb(two, 440) - 20, 'nothing between them');
  const byDefault = renderSource(openStream('tone_stream://%(500,0,1000)'), 1_000);
  t.ok(Math.abs(levelDb(byDefault, 1_000) + FULL_SCALE_DBM0 + 7) < 0.05, '-7 dBm0 unless told');
});

t.test('openStream: keypad digits are the DTMF pairs, and a decay lowers the level', async (t) => {
  const five = renderSource(openStream('tone_stream://5(500,0)'), 1_000);
  t.ok(levelDb(five, 770) > -20 && levelDb(five, 1_336) > -20);
  const fading = renderSource(openStream('tone_stream://v=-7;>=100;+=3;%(1000,0,1000)'), 2_000);
  const fall = levelDb(fading.subarray(0, 800), 1_000) - levelDb(fading.subarray(7_200), 1_000);
  t.ok(Math.abs(fall - 27) < 0.5, `nine steps of 3 dB in a second: ${fall.toFixed(1)} dB`);
});

t.test('openStream: noise in place of silence is soft, even and not silent', async (t) => {
  const noise = renderSource(openStream('silence_stream://2000,1400'), 3_000);
  const mean = noise.reduce((sum, sample) => sum + sample, 0) / noise.length;
  const rms = Math.sqrt(noise.reduce((sum, sample) => sum + sample ** 2, 0) / noise.length);
  t.ok(Math.abs(mean) < 3, `mean ${mean}`);
  t.ok(rms > 20 && rms < 60, `rms ${rms.toFixed(0)}: about -55 dBm0`);
});

t.test('sources: a part frame is filled with silence, then the source has ended', async (t) => {
  const source = new PcmSource(
    Int16Array.from({ length: 200 }, () => 9),
    5,
  );
  const frame = new Int16Array(FRAME_SAMPLES).fill(1);
  t.equal(source.positionSamples, 40, 'started 5 ms in');
  t.ok(source.read(frame));
  t.ok(frame.every((sample) => sample === 9));
  t.notOk(source.read(frame), 'all is read');
  t.equal(frame[0], 9, 'and the frame is left alone');
  const short = new PcmSource(Int16Array.of(5, 5));
  t.ok(short.read(frame));
  t.same([frame[0], frame[1], frame[2], frame[159]], [5, 5, 0, 0]);
});

t.test('sources: a loop has no seam', async (t) => {
  const loop = new LoopedPcmSource(Int16Array.from({ length: 7 }, (_, i) => i));
  const frame = new Int16Array(FRAME_SAMPLES);
  const heard = Array.from({ length: 5 }, () => loop.read(frame) && [...frame]).flat();
  t.ok(heard.every((sample, n) => sample === n % 7));
});

t.test('sources: a playlist plays in order, opens late, and skips at once', async (t) => {
  const opened: string[] = [];
  const level = (value: number, frames: number) => () => {
    opened.push(String(value));
    return new PcmSource(new Int16Array(frames * FRAME_SAMPLES).fill(value));
  };
  const list = new Playlist([
    level(1, 2),
    new PcmSource(new Int16Array(0)),
    level(2, 3),
    level(3, 1),
  ]);
  const frame = new Int16Array(FRAME_SAMPLES);
  const next = () => (list.read(frame) ? frame[0] : undefined);
  t.same([next(), next(), next()], [1, 1, 2]);
  t.same(opened, ['1', '2'], 'the third is not opened yet');
  t.equal(list.index, 2);
  list.skip();
  t.same([next(), next(), next()], [3, undefined, undefined]);
});
