/**
 * Raw speech from espeak-ng at 8 kHz, cached on disk by text and voice: the same sentence of the same
 * speaker is synthesised once. All other sound of the corpus is made here in TypeScript.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { peakOf, SAMPLES_PER_SECOND, scaled, trimmed } from './audio.ts';
import { interpolated } from './interpolate.ts';

export interface Voice {
  /** espeak-ng's name: language and variant, such as `en-us+m3`. */
  readonly name: string;
  readonly wordsPerMinute: number;
  /** espeak-ng's 0 to 99. */
  readonly pitch: number;
  /** Pause between words in units of 10 ms at the default speed. */
  readonly wordGap: number;
  /** Above 1 a shorter vocal tract (and a higher pitch): a child at 1.3. */
  readonly formantRatio: number;
}

export interface RawSpeech {
  /** Mono at 8 kHz, without silence before and after. Its peak is 0.5. */
  say(text: string, voice: Voice): Float32Array;
}

const ESPEAK_RATE_HZ = 22_050;
const WAV_HEADER_BYTES = 44;
const SPEECH_PEAK = 0.5;

export class EspeakSpeech implements RawSpeech {
  readonly #folder: string;

  /** `folder` is made; several processes may share it. */
  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  say(text: string, voice: Voice): Float32Array {
    const wide = fromPcm(this.#synthesised(text, voice));
    const step = (ESPEAK_RATE_HZ * voice.formantRatio) / SAMPLES_PER_SECOND;
    const audio = trimmed(interpolated(wide, step));
    return scaled(audio, SPEECH_PEAK / Math.max(1e-6, peakOf(audio)));
  }

  #synthesised(text: string, { name, wordsPerMinute, pitch, wordGap }: Voice): Buffer {
    const key = createHash('sha256')
      .update(JSON.stringify([text, name, wordsPerMinute, pitch, wordGap]))
      .digest('hex')
      .slice(0, 32);
    const file = join(this.#folder, `${key}.pcm`);
    if (existsSync(file)) return readFileSync(file);
    const pcm = synthesised(text, { name, wordsPerMinute, pitch, wordGap });
    const partial = `${file}.${process.pid}`;
    writeFileSync(partial, pcm);
    renameSync(partial, file); // whole or not at all, whoever else is reading
    return pcm;
  }
}

/** What the corpus was made with; undefined when espeak-ng is not installed. */
export function espeakVersion(): string | undefined {
  const { stdout, status } = spawnSync('espeak-ng', ['--version'], { encoding: 'utf8' });
  return status === 0 ? /text-to-speech: (\S+)/.exec(stdout)?.[1] : undefined;
}

type Synthesis = Omit<Voice, 'formantRatio'>;

/** 16-bit samples at espeak-ng's own rate. */
function synthesised(text: string, { name, wordsPerMinute, pitch, wordGap }: Synthesis): Buffer {
  const { stdout, status, stderr } = spawnSync(
    'espeak-ng',
    [
      ...['-v', name, '-s', String(wordsPerMinute), '-p', String(pitch), '-g', String(wordGap)],
      ...['-z', '--stdout', '--', text],
    ],
    { maxBuffer: 64 * 2 ** 20 },
  );
  if (status !== 0 || stdout.length <= WAV_HEADER_BYTES) {
    const said = `espeak-ng -v ${name} said nothing for ${JSON.stringify(text)}`;
    throw new Error(`${said}: ${stderr.toString()}`);
  }
  return stdout.subarray(WAV_HEADER_BYTES);
}

function fromPcm(pcm: Buffer): Float32Array {
  // Copied to an even address; espeak-ng and this file write the host's order, little-endian.
  const samples = new Int16Array(Uint8Array.from(pcm).buffer, 0, pcm.length >> 1);
  const audio = new Float32Array(samples.length);
  for (let i = 0; i < samples.length; i += 1) audio[i] = (samples[i] as number) / 32_768;
  return audio;
}
