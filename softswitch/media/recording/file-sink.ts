/** A file as the end of a recording. One write is under way at a time; what comes meanwhile is joined. */
import { open, type FileHandle } from 'node:fs/promises';
import type { AudioSink, AudioSinkOptions } from './audio-sink.ts';
import type { FileFormat } from './file-format.ts';

/** A disk that takes longer than this much audio (262 s of mono) is taken for broken. */
const BACKLOG_BYTES_MAX = 4 * 1024 * 1024;

export class FileSink implements AudioSink {
  onFailed: (() => void) | undefined;
  readonly #file: FileHandle;
  readonly #format: FileFormat;
  readonly #options: AudioSinkOptions;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  /** Where the next write goes. */
  #at: number;
  #writing: Promise<void> | undefined;
  #failed = false;

  static async open(
    path: string,
    format: FileFormat,
    options: AudioSinkOptions,
    how: { flags: number; startBytes: number },
  ): Promise<FileSink> {
    const file = await open(path, how.flags, 0o640);
    if (how.startBytes > 0 && !(await fits(file, format.header(options.channels, undefined)))) {
      await file.close();
      throw new Error('holds audio of another kind: nothing can be added to it');
    }
    return new FileSink(file, format, options, how.startBytes);
  }

  private constructor(
    file: FileHandle,
    format: FileFormat,
    options: AudioSinkOptions,
    startBytes: number,
  ) {
    this.#file = file;
    this.#format = format;
    this.#options = options;
    this.#at = startBytes;
    // Of unknown length at first: a recording cut off by a crash can be read as far as it goes.
    if (startBytes === 0) this.#hold(format.header(options.channels, undefined));
  }

  write(pcm: Int16Array): void {
    if (this.#failed) return;
    const bytes = Buffer.allocUnsafe(pcm.length * this.#format.bytesPerSample);
    this.#format.encode(pcm, bytes, 0);
    this.#hold(bytes);
    if (this.#pendingBytes > BACKLOG_BYTES_MAX) this.#fail();
    else if (this.#pendingBytes >= this.#options.bufferBytes) this.#flush();
  }

  async close(): Promise<void> {
    while (this.#pendingBytes > 0 && !this.#failed) {
      this.#flush();
      await this.#writing;
    }
    await this.#writing;
    if (!this.#failed) await this.#writeLength().catch(() => this.#fail());
    await this.#file.close().catch(() => undefined);
  }

  #hold(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
  }

  #flush(): void {
    if (this.#failed || this.#pendingBytes === 0) return;
    this.#writing ??= this.#writeAll().finally(() => (this.#writing = undefined));
  }

  async #writeAll(): Promise<void> {
    while (this.#pendingBytes > 0 && !this.#failed) {
      const block = Buffer.concat(this.#pending);
      this.#pending = [];
      this.#pendingBytes = 0;
      try {
        for (let done = 0; done < block.length;) {
          const { bytesWritten } = await this.#file.write(block, done, undefined, this.#at);
          done += bytesWritten;
          this.#at += bytesWritten;
        }
      } catch {
        this.#fail();
      }
    }
  }

  async #writeLength(): Promise<void> {
    const unknown = this.#format.header(this.#options.channels, undefined);
    if (unknown.length === 0) return;
    const header = this.#format.header(this.#options.channels, this.#at - unknown.length);
    await this.#file.write(header, 0, header.length, 0);
  }

  #fail(): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.onFailed?.();
  }
}

/** Whether the file begins as ours do, lengths aside (bytes 4-7 and the last four of the header). */
async function fits(file: FileHandle, ours: Buffer): Promise<boolean> {
  if (ours.length === 0) return true;
  const theirs = Buffer.alloc(ours.length);
  await file.read(theirs, 0, ours.length, 0);
  return ours.subarray(8, -4).equals(theirs.subarray(8, -4));
}
