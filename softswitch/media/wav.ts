/** WAV files in (RIFF: PCM of 8, 16, 24 and 32 bits, float, µ-law, A-law) and out (16-bit PCM). */
import { setImmediate as turnOfEventLoop } from 'node:timers/promises';
import { SAMPLES_PER_MS, SAMPLE_RATE_HZ } from './audio-format.ts';
import { alaw, mulaw } from './g711.ts';
import { MediaError } from './media-error.ts';
import { resample, Resampling } from './resample.ts';

export interface WavAudio {
  /** Mono, 8 kHz. */
  readonly pcm: Int16Array;
  readonly durationMs: number;
  /** Of the file, before conversion. */
  readonly sampleRateHz: number;
  readonly channels: number;
}

const FORMAT_PCM = 0x0001;
const FORMAT_FLOAT = 0x0003;
const FORMAT_ALAW = 0x0006;
const FORMAT_MULAW = 0x0007;
const FORMAT_EXTENSIBLE = 0xfffe;
const FORMAT_BYTES_MIN = 16;
/** An extensible header is this long; its real format is the first word of a GUID at byte 24. */
const EXTENSIBLE_BYTES = 40;
const SUBFORMAT_OFFSET = 24;
/** The GUID's other 14 bytes are the same for every format that has a tag. */
const SUBFORMAT_TAIL = Buffer.from('000000001000800000aa00389b71', 'hex');
const RATE_MIN_HZ = 1_000;
const RATE_MAX_HZ = 192_000;
const CHANNELS_MAX = 8;
/** Encoders that stream write a length like this: it was not known when the header was. */
const LENGTH_UNKNOWN_MIN = 0x7fff_f000;
const LENGTH_UNKNOWN = 0xffff_ffff;
const HEADER_BYTES = 44;
/** What is read and what is resampled before the event loop gets its turn: about 1 ms of work each. */
const SLICE_FRAMES = 20_000;
const SLICE_SAMPLES = 1_000;

interface Format {
  readonly tag: number;
  readonly channels: number;
  readonly sampleRateHz: number;
  readonly bits: number;
}

/**
 * Reads a file to mono, 8 kHz, channels averaged, in one go. Meant for start-up and for tests; where
 * calls are being paced, use `decodeWavInTurns`.
 *
 * A data chunk whose length was not known goes to the end of the file. One that announces more than
 * there is, is an error: half a prompt is not a prompt. Throws `INVALID_WAV` with what is wrong.
 */
export function decodeWav(bytes: Uint8Array): WavAudio {
  const { data, format } = readWav(bytes);
  const reading = new MonoReading(data, format);
  reading.advance(reading.out.length);
  const mono = reading.out;
  return audioOf(resample(mono, format.sampleRateHz, SAMPLE_RATE_HZ), format);
}

/** `decodeWav` that gives the event loop a turn after each ms or so of work. */
export async function decodeWavInTurns(bytes: Uint8Array): Promise<WavAudio> {
  const { data, format } = readWav(bytes);
  const reading = new MonoReading(data, format);
  while (reading.advance(SLICE_FRAMES)) await turnOfEventLoop();
  const mono = reading.out;
  if (format.sampleRateHz === SAMPLE_RATE_HZ) return audioOf(mono, format);
  const resampling = new Resampling(mono, format.sampleRateHz, SAMPLE_RATE_HZ);
  while (resampling.advance(SLICE_SAMPLES)) await turnOfEventLoop();
  return audioOf(resampling.out, format);
}

function readWav(bytes: Uint8Array): { data: Buffer; format: Format } {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.length < 12) throw invalid(`only ${file.length} bytes`);
  const magic = file.toString('latin1', 0, 4);
  if (magic !== 'RIFF') throw invalid(`begins with ${JSON.stringify(magic)}, not RIFF`);
  if (file.toString('latin1', 8, 12) !== 'WAVE') throw invalid('a RIFF file, but not WAVE');
  return readChunks(file);
}

function audioOf(pcm: Int16Array, { sampleRateHz, channels }: Format): WavAudio {
  return { pcm, durationMs: pcm.length / SAMPLES_PER_MS, sampleRateHz, channels };
}

function readChunks(file: Buffer): { format: Format; data: Buffer } {
  let format: Format | undefined;
  let at = 12;
  while (at + 8 <= file.length) {
    const id = file.toString('latin1', at, at + 4);
    const said = file.readUInt32LE(at + 4);
    const start = at + 8;
    const left = file.length - start;
    if (id === 'data') {
      if (format === undefined) throw invalid('the data come before the format');
      const riffLength = file.readUInt32LE(4);
      const toEnd = said >= LENGTH_UNKNOWN_MIN || (said === 0 && riffLength === 0);
      if (!toEnd && said > left) {
        throw invalid(`cut short: ${said} bytes of audio announced, ${left} there`);
      }
      return { format, data: file.subarray(start, toEnd ? file.length : start + said) };
    }
    if (said > left) throw invalid(`cut short in chunk ${JSON.stringify(id)}`);
    if (id === 'fmt ') format = readFormat(file.subarray(start, start + said));
    at = start + said + (said % 2); // chunks are padded to an even length
  }
  throw invalid(format === undefined ? 'no format chunk' : 'no data chunk');
}

function readFormat(chunk: Buffer): Format {
  if (chunk.length < FORMAT_BYTES_MIN) throw invalid(`a format chunk of ${chunk.length} bytes`);
  let tag = chunk.readUInt16LE(0);
  const channels = chunk.readUInt16LE(2);
  const sampleRateHz = chunk.readUInt32LE(4);
  const bits = chunk.readUInt16LE(14);
  if (tag === FORMAT_EXTENSIBLE) {
    const tail = chunk.subarray(SUBFORMAT_OFFSET + 2, EXTENSIBLE_BYTES);
    if (chunk.length < EXTENSIBLE_BYTES || !tail.equals(SUBFORMAT_TAIL)) {
      throw invalid('an extensible header without a known subformat');
    }
    tag = chunk.readUInt16LE(SUBFORMAT_OFFSET);
  }
  if (channels < 1 || channels > CHANNELS_MAX) throw invalid(`${channels} channels`);
  if (sampleRateHz < RATE_MIN_HZ || sampleRateHz > RATE_MAX_HZ) {
    throw invalid(`sample rate ${sampleRateHz} Hz`);
  }
  return { tag, channels, sampleRateHz, bits };
}

/** Channels averaged to one, in as many steps as the caller likes. */
class MonoReading {
  readonly out: Int16Array;
  readonly #readSample: (offset: number) => number;
  readonly #channels: number;
  readonly #sampleBytes: number;
  #done = 0;

  constructor(data: Buffer, format: Format) {
    this.#readSample = sampleReader(data, format);
    this.#channels = format.channels;
    this.#sampleBytes = format.bits / 8;
    // A last frame that is not whole is left out: it is less than one sample of sound.
    this.out = new Int16Array(Math.floor(data.length / (this.#sampleBytes * this.#channels)));
  }

  /** Reads up to `count` further frames; false when all are read. */
  advance(count: number): boolean {
    const end = Math.min(this.out.length, this.#done + count);
    for (; this.#done < end; this.#done += 1) {
      let sum = 0;
      for (let channel = 0; channel < this.#channels; channel += 1) {
        const index = this.#done * this.#channels + channel;
        sum += this.#readSample(index * this.#sampleBytes);
      }
      this.out[this.#done] = Math.round(sum / this.#channels);
    }
    return this.#done < this.out.length;
  }
}

/** Reads the sample at a byte offset, scaled to 16 bits. */
function sampleReader(data: Buffer, { tag, bits }: Format): (offset: number) => number {
  if (tag === FORMAT_PCM) {
    if (bits === 8) return (offset) => (data.readUInt8(offset) - 128) * 256; // 8 bits are unsigned
    if (bits === 16) return (offset) => data.readInt16LE(offset);
    if (bits === 24) return (offset) => data.readInt16LE(offset + 1);
    if (bits === 32) return (offset) => data.readInt16LE(offset + 2);
  }
  if (tag === FORMAT_FLOAT && bits === 32) return (at) => fromFloat(data.readFloatLE(at));
  if (tag === FORMAT_FLOAT && bits === 64) return (at) => fromFloat(data.readDoubleLE(at));
  const law = tag === FORMAT_MULAW ? mulaw : tag === FORMAT_ALAW ? alaw : undefined;
  if (law !== undefined && bits === 8) {
    const sample = new Int16Array(1);
    return (offset) => {
      law.decode(data, offset, 1, sample);
      return sample[0] as number;
    };
  }
  throw invalid(
    `format 0x${tag.toString(16).padStart(4, '0')} with ${bits} bits; ` +
      'PCM of 8 to 32 bits, float, µ-law and A-law are read',
  );
}

/** Full scale is 1; what is louder, and what is no number, is cut to what 16 bits hold. */
function fromFloat(value: number): number {
  if (Number.isNaN(value)) return 0;
  return Math.max(-32_768, Math.min(32_767, Math.round(value * 32_768)));
}

/** A RIFF file of mono 16-bit PCM. */
export function encodeWav(pcm: Int16Array, sampleRateHz = SAMPLE_RATE_HZ): Buffer {
  const data = Buffer.alloc(pcm.length * 2);
  for (let i = 0; i < pcm.length; i += 1) data.writeInt16LE(pcm[i] as number, i * 2);
  return Buffer.concat([wavHeader(data.length, sampleRateHz, 1), data]);
}

/**
 * What a RIFF file of 16-bit PCM begins with. Without `dataBytes` the length is written as the largest
 * there is, which readers take for "to the end of the file".
 */
export function wavHeader(
  dataBytes: number | undefined,
  sampleRateHz: number,
  channels: number,
): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(dataBytes === undefined ? LENGTH_UNKNOWN : dataBytes + HEADER_BYTES - 8, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(FORMAT_BYTES_MIN, 16);
  header.writeUInt16LE(FORMAT_PCM, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(sampleRateHz, 24);
  header.writeUInt32LE(sampleRateHz * 2 * channels, 28);
  header.writeUInt16LE(2 * channels, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(dataBytes ?? LENGTH_UNKNOWN, 40);
  return header;
}

function invalid(detail: string): MediaError {
  return new MediaError('INVALID_WAV', `not a WAV file that can be played: ${detail}`);
}
