/**
 * A recording, as files that an engine takes: one channel each, ten minutes at most (9.6 MB at 8 kHz;
 * endpoints take 25 MB), cut where it is quietest near that. What holds no sound at all is left out: a
 * side that never spoke, a recording that was paused. Of silence engines make up words.
 */
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import {
  SPEAKERS,
  TRANSCRIPTION_PIECE_MAX_MS,
  type TranscriptTurn,
} from '../../machines/transcription.ts';
import { TranscriptionError } from './transcriber.port.ts';

export interface SpokenPiece {
  readonly path: string;
  readonly speaker: TranscriptTurn['speaker'];
  /** Where in the recording it begins. */
  readonly startMs: number;
  readonly lengthMs: number;
}

/** The cut is looked for so long before the end of a piece. */
const CUT_WITHIN_MS = 5_000;
/** G.711's idle codes decode to ±8: a line on which nobody is. */
const SILENCE_PEAK = 8;
const FRAME_MS = 20;
const HEADER_BYTES = 44;

interface WavFormat {
  readonly channels: number;
  readonly sampleRate: number;
  /** Where the samples begin. */
  readonly dataAt: number;
}

/** Rejects with TranscriptionError when the file is not there or is no recording. */
export async function writePieces(
  recording: string,
  folder: string,
  pieceMaxMs = TRANSCRIPTION_PIECE_MAX_MS,
): Promise<readonly SpokenPiece[]> {
  const file = await opened(recording);
  let writers: readonly PieceWriter[] = [];
  try {
    const format = await formatOf(file);
    writers = Array.from({ length: format.channels }, (_, channel) => {
      const speaker = format.channels === 2 ? (SPEAKERS[channel] ?? null) : null;
      const name = join(folder, `channel-${channel}`);
      return new PieceWriter({ name, speaker, sampleRate: format.sampleRate, pieceMaxMs });
    });
    await readFrames(file, format, async (frames) => {
      for (const [channel, writer] of writers.entries()) await writer.write(frames, channel);
    });
    const pieces = await Promise.all(writers.map((writer) => writer.end()));
    return pieces.flat();
  } finally {
    await Promise.all([file.close(), ...writers.map((writer) => writer.close())]);
  }
}

async function opened(recording: string): Promise<FileHandle> {
  try {
    return await open(recording, 'r');
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    const detail = `the recording’s file cannot be read (${code})`;
    throw new TranscriptionError(detail, { mayPass: code !== 'ENOENT' });
  }
}

/** RIFF/WAVE, PCM of 16 bits, whatever chunks stand before the samples. */
async function formatOf(file: FileHandle): Promise<WavFormat> {
  const head = Buffer.alloc(4_096);
  const { bytesRead } = await file.read(head, 0, head.length, 0);
  const text = (at: number): string => head.toString('latin1', at, at + 4);
  if (bytesRead < HEADER_BYTES || text(0) !== 'RIFF' || text(8) !== 'WAVE') throw noRecording();
  let format: Omit<WavFormat, 'dataAt'> | undefined;
  for (let at = 12; at + 24 <= bytesRead;) {
    if (text(at) === 'fmt ') {
      const [kind, bits] = [head.readUInt16LE(at + 8), head.readUInt16LE(at + 22)];
      if ((kind !== 1 && kind !== 0xfffe) || bits !== 16) throw noRecording();
      const [channels, sampleRate] = [head.readUInt16LE(at + 10), head.readUInt32LE(at + 12)];
      if (channels < 1 || channels > 2 || sampleRate < 1_000) throw noRecording();
      format = { channels, sampleRate };
    }
    if (text(at) === 'data') {
      if (format === undefined) throw noRecording();
      return { ...format, dataAt: at + 8 };
    }
    const size = head.readUInt32LE(at + 4);
    at += 8 + size + (size % 2);
  }
  // A recording without a sample: nothing stands after the head of its data.
  if (format !== undefined) return { ...format, dataAt: bytesRead };
  throw noRecording();
}

function noRecording(): TranscriptionError {
  return new TranscriptionError('the file is no wav of 16 bits and one or two channels', {
    mayPass: false,
  });
}

/** Frames of all channels, a second at a time; a media server may have left the length open. */
async function readFrames(
  file: FileHandle,
  { channels, sampleRate, dataAt }: WavFormat,
  take: (frames: Frames) => Promise<void>,
): Promise<void> {
  const perFrame = Math.round((sampleRate * FRAME_MS) / 1_000);
  const buffer = Buffer.alloc(perFrame * channels * 2 * 50);
  for (let at = dataAt; ;) {
    const filled = await fill(file, buffer, at);
    const samples = Math.floor(filled / (channels * 2));
    if (samples === 0) return;
    await take({ buffer, channels, samples, perFrame });
    at += filled;
  }
}

async function fill(file: FileHandle, buffer: Buffer, at: number): Promise<number> {
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, at + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

interface Frames {
  readonly buffer: Buffer;
  readonly channels: number;
  /** Of each channel. */
  readonly samples: number;
  readonly perFrame: number;
}

interface PieceWriterParts {
  readonly name: string;
  readonly speaker: SpokenPiece['speaker'];
  readonly sampleRate: number;
  readonly pieceMaxMs: number;
}

/** One channel. Frames near the end of a piece are held back until it is known where it is cut. */
class PieceWriter {
  readonly #parts: PieceWriterParts;
  readonly #pieces: SpokenPiece[] = [];
  #held: { readonly pcm: Buffer; readonly peak: number }[] = [];
  #heldMs = 0;
  #file: { readonly handle: FileHandle; readonly path: string } | undefined;
  #startMs = 0;
  #writtenBytes = 0;
  #peak = 0;

  constructor(parts: PieceWriterParts) {
    this.#parts = parts;
  }

  async write({ buffer, channels, samples, perFrame }: Frames, channel: number): Promise<void> {
    const { pieceMaxMs } = this.#parts;
    for (let from = 0; from < samples; from += perFrame) {
      const count = Math.min(perFrame, samples - from);
      const pcm = Buffer.alloc(count * 2);
      let peak = 0;
      for (let at = 0; at < count; at += 1) {
        const value = buffer.readInt16LE(((from + at) * channels + channel) * 2);
        pcm.writeInt16LE(value, at * 2);
        peak = Math.max(peak, Math.abs(value));
      }
      this.#held.push({ pcm, peak });
      this.#heldMs += this.#msOf(pcm.length);
      if (this.#msOf(this.#writtenBytes) + this.#heldMs >= pieceMaxMs) await this.#cut();
    }
    const reachedMs = this.#msOf(this.#writtenBytes) + this.#heldMs;
    if (reachedMs < pieceMaxMs - CUT_WITHIN_MS) await this.#release(this.#held.length);
  }

  async end(): Promise<readonly SpokenPiece[]> {
    await this.#release(this.#held.length);
    await this.#endPiece();
    return this.#pieces;
  }

  /** Whatever happened: no file is left open. */
  async close(): Promise<void> {
    await this.#file?.handle.close();
    this.#file = undefined;
  }

  #msOf(bytes: number): number {
    return (bytes / 2 / this.#parts.sampleRate) * 1_000;
  }

  /** Behind the quietest frame of those held, the last of them where several are. */
  async #cut(): Promise<void> {
    let at = 0;
    for (const [index, { peak }] of this.#held.entries()) {
      if (peak <= (this.#held[at]?.peak ?? 0)) at = index;
    }
    await this.#release(at + 1);
    await this.#endPiece();
  }

  async #release(count: number): Promise<void> {
    const frames = this.#held.splice(0, count);
    if (frames.length === 0) return;
    const pcm = Buffer.concat(frames.map((frame) => frame.pcm));
    const { handle } = (this.#file ??= await this.#begin());
    await handle.writeFile(pcm);
    this.#heldMs -= this.#msOf(pcm.length);
    this.#writtenBytes += pcm.length;
    for (const { peak } of frames) this.#peak = Math.max(this.#peak, peak);
  }

  async #begin() {
    const path = `${this.#parts.name}-${Math.round(this.#startMs)}.wav`;
    const handle = await open(path, 'wx', 0o600);
    await handle.writeFile(Buffer.alloc(HEADER_BYTES)); // filled in when its length is known
    return { handle, path };
  }

  async #endPiece(): Promise<void> {
    if (this.#file === undefined) return;
    const { handle, path } = this.#file;
    const { sampleRate, speaker } = this.#parts;
    const lengthMs = this.#msOf(this.#writtenBytes);
    if (this.#peak > SILENCE_PEAK) {
      await handle.write(headerOf(sampleRate, this.#writtenBytes), 0, HEADER_BYTES, 0);
      const [startMs, length] = [Math.round(this.#startMs), Math.round(lengthMs)];
      this.#pieces.push({ path, speaker, startMs, lengthMs: length });
    }
    await this.close();
    this.#startMs += lengthMs;
    this.#writtenBytes = 0;
    this.#peak = 0;
  }
}

/** Of mono PCM, 16 bits. */
function headerOf(sampleRate: number, bytes: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(36 + bytes, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(sampleRate, 24);
  header.writeUInt32LE(sampleRate * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(bytes, 40);
  return header;
}
