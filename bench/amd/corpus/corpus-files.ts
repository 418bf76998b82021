/** The corpus on disk: WAV files of G.711, and one line of truth for each. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SAMPLES_PER_SECOND } from './audio.ts';
import type { Codec } from './channel.ts';
import type { ClipTruth } from './clip.ts';
import type { Split } from './texts/script-texts.ts';

export type TruthLine = ClipTruth & { readonly sha256: string };

/** RIFF format tags of G.711. */
const FORMAT_TAGS: Readonly<Record<Codec, number>> = { PCMU: 7, PCMA: 6 };
export const WAV_HEADER_BYTES = 46;

/** A WAV file of 8-bit codes, as they came in RTP. */
export function g711Wav(codes: Uint8Array, codec: Codec): Buffer {
  const header = Buffer.alloc(WAV_HEADER_BYTES);
  const padding = codes.length % 2;
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(WAV_HEADER_BYTES - 8 + codes.length + padding, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(18, 16);
  header.writeUInt16LE(FORMAT_TAGS[codec], 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(SAMPLES_PER_SECOND, 24);
  header.writeUInt32LE(SAMPLES_PER_SECOND, 28);
  header.writeUInt16LE(1, 32);
  header.writeUInt16LE(8, 34);
  header.write('data', 38, 'latin1');
  header.writeUInt32LE(codes.length, 42);
  return Buffer.concat([header, codes, Buffer.alloc(padding)]);
}

export function readCodes(folder: string, { file, durationMs }: ClipTruth): Uint8Array {
  return readFileSync(join(folder, file)).subarray(
    WAV_HEADER_BYTES,
    WAV_HEADER_BYTES + (durationMs * SAMPLES_PER_SECOND) / 1_000,
  );
}

/** `part` is a folder of the corpus: a split, or a split's early media. */
export function readTruth(folder: string, part: Split | `${Split}-early`): TruthLine[] {
  return readLines(join(folder, part, 'truth.ndjson'));
}

export function readLines(file: string): TruthLine[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TruthLine);
}

/** One hash over the clips' own, in the order of their names. */
export function hashOver(lines: readonly TruthLine[]): string {
  const hash = createHash('sha256');
  for (const { file, sha256 } of lines) hash.update(`${sha256}  ${file}\n`);
  return hash.digest('hex');
}
