/**
 * Audio files for playback, decoded once and shared by every channel that plays them. A file that
 * changed on disk is read again; one from a URL is kept for a day, as mod_httapi does when the server
 * says nothing shorter.
 */
import { readFile, stat } from 'node:fs/promises';
import { download } from '../media/http-file.ts';
import { decodeWav } from '../media/wav.ts';

interface CachedFile {
  /** Of a download: when it was begun. */
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
const DOWNLOAD_KEPT_MS = 86_400_000;

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
      return await this.#use(path, file);
    } catch {
      this.#cached.delete(path);
      return undefined;
    }
  }

  /** Undefined when the server does not give it, or not in time, or it is no WAV. */
  async download(url: string, nowMs: number): Promise<Int16Array | undefined> {
    const known = this.#cached.get(url);
    const isFresh = known !== undefined && nowMs - known.modifiedMs < DOWNLOAD_KEPT_MS;
    const file = isFresh ? known : fetched(url, nowMs);
    try {
      return await this.#use(url, file);
    } catch {
      if (this.#cached.get(url) === file) this.#cached.delete(url);
      return undefined;
    }
  }

  async #use(name: string, file: CachedFile): Promise<Int16Array> {
    this.#cached.delete(name);
    this.#cached.set(name, file);
    const pcm = await file.pcm;
    file.samples = pcm.length;
    this.#shrink();
    return pcm;
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

function fetched(url: string, modifiedMs: number): CachedFile {
  const pcm = download(url, FILE_BYTES_MAX).then((content) => decodeWav(content).pcm);
  return { modifiedMs, bytes: 0, pcm, samples: 0 };
}
