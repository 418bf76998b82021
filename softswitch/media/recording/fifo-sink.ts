/**
 * A FIFO as the end of a recording. Writes never wait: what the pipe (64 kB on Linux) cannot take is
 * kept for a moment, then whole frames are lost, so that a reader that comes back finds the present and
 * never half a sample.
 */
import { close, constants, openSync, writeSync } from 'node:fs';
import type { AudioSink, AudioSinkOptions } from './audio-sink.ts';
import type { FileFormat } from './file-format.ts';

/** 1 s of mono L16 beyond what the pipe holds. */
const BACKLOG_BYTES_MAX = 16_000;
/** A refused write costs an exception: a full pipe is tried again after as many frames (100 ms). */
const RETRY_AFTER_FRAMES = 5;

export class FifoSink implements AudioSink {
  onFailed: (() => void) | undefined;
  /** Frames the reader was too slow for. */
  droppedFrames = 0;
  readonly #fd: number;
  readonly #format: FileFormat;
  readonly #bufferBytes: number;
  #backlog: Buffer;
  #failed = false;
  #framesToRetry = 0;

  /** Fails with ENXIO when nobody has the FIFO open for reading. */
  static open(path: string, format: FileFormat, options: AudioSinkOptions): FifoSink {
    return new FifoSink(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK), format, options);
  }

  private constructor(fd: number, format: FileFormat, options: AudioSinkOptions) {
    this.#fd = fd;
    this.#format = format;
    this.#bufferBytes = options.bufferBytes;
    this.#backlog = format.header(options.channels, undefined); // its length will never be known
  }

  write(pcm: Int16Array): void {
    if (this.#failed) return;
    const bytes = this.#format.encode(pcm);
    if (this.#backlog.length + bytes.length > BACKLOG_BYTES_MAX + this.#bufferBytes) {
      this.droppedFrames += 1;
    } else this.#backlog = Buffer.concat([this.#backlog, bytes]);
    if (this.#framesToRetry > 0) this.#framesToRetry -= 1;
    else if (this.#backlog.length >= this.#bufferBytes) this.#flush();
  }

  close(): Promise<void> {
    if (!this.#failed) this.#flush();
    this.#failed = true;
    return new Promise((resolve) => close(this.#fd, () => resolve()));
  }

  #flush(): void {
    try {
      this.#backlog = this.#backlog.subarray(writeSync(this.#fd, this.#backlog));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') {
        this.#framesToRetry = RETRY_AFTER_FRAMES - 1;
        return;
      }
      this.#failed = true; // EPIPE: the reader is gone
      this.onFailed?.();
    }
  }
}
