/**
 * Audio files for playback, decoded once and shared by every channel that plays them. A file that
 * changed on disk is read again.
 */
import { readFile, stat } from 'node:fs/promises';
import { decodeWav } from '../media/wav.ts';

interface CachedFile {
  readonly modifiedMs: number;
  readonly bytes: number;
  readonly pcm: Promise<Int16Array>;
  /** Known once decoded. */
  samples: number;
}

/** 32 MB of PCM = 35 minutes of prompts. */
const CACHE_SAMPLES_MAX = 16 * 1024 * 1024;
/** A longer file is refused: decoding it would hold up every call's audio. */
const FILE_BYTES_MAX = 64 * 1024 * 1024;

export class PromptFiles {
  /** In order of last use, the oldest first. */
  readonly #cached = new Map<string, CachedFile>();

  /** Mono, 8 kHz. Undefined when the file is missing or is not a WAV this switch can read. */
  async open(path: string): Promise<Int16Array | undefined> {
    try {
      const { mtimeMs, size } = await stat(path);
      const known = this.#cached.get(path);
      const file =
        known?.modifiedMs === mtimeMs && known.bytes === size ? known : read(path, mtimeMs, size);
      this.#cached.delete(path);
      this.#cached.set(path, file);
      const pcm = await file.pcm;
      file.samples = pcm.length;
      this.#shrink();
      return pcm;
    } catch {
      this.#cached.delete(path);
      return undefined;
    }
  }

  #shrink(): void {
    let samples = 0;
    for (const file of this.#cached.values()) samples += file.samples;
    for (const [path, file] of this.#cached) {
      if (samples <= CACHE_SAMPLES_MAX) return;
      this.#cached.delete(path);
      samples -= file.samples;
    }
  }
}

function read(path: string, modifiedMs: number, bytes: number): CachedFile {
  const pcm =
    bytes > FILE_BYTES_MAX
      ? Promise.reject(new RangeError(`${path}: longer than ${FILE_BYTES_MAX} bytes`))
      : readFile(path).then((content) => decodeWav(content).pcm);
  return { modifiedMs, bytes, pcm, samples: 0 };
}
