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
  /** What is to be written is at its beginning. Grows when the reader stalls. */
  #held: Buffer;
  #heldBytes: number;
  #failed = false;
  #framesToRetry = 0;
  #closing: Promise<void> | undefined;

  /** Fails with ENXIO when nobody has the FIFO open for reading. */
  static open(path: string, format: FileFormat, options: AudioSinkOptions): FifoSink {
    return new FifoSink(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK), format, options);
  }

  private constructor(fd: number, format: FileFormat, options: AudioSinkOptions) {
    this.#fd = fd;
    this.#format = format;
    this.#bufferBytes = options.bufferBytes;
    this.#held = Buffer.from(format.header(options.channels, undefined)); // its length will never be known
    this.#heldBytes = this.#held.length;
  }

  write(pcm: Int16Array): void {
    if (this.#failed) return;
    const bytes = pcm.length * this.#format.bytesPerSample;
    if (this.#heldBytes + bytes > BACKLOG_BYTES_MAX + this.#bufferBytes) this.droppedFrames += 1;
    else {
      this.#makeRoom(this.#heldBytes + bytes);
      this.#format.encode(pcm, this.#held, this.#heldBytes);
      this.#heldBytes += bytes;
    }
    if (this.#framesToRetry > 0) this.#framesToRetry -= 1;
    else if (this.#heldBytes >= this.#bufferBytes) this.#flush();
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  #close(): Promise<void> {
    this.onFailed = undefined; // that the reader has gone is no failure any more
    if (!this.#failed) this.#flush();
    this.#failed = true;
    return new Promise((resolve) => close(this.#fd, () => resolve()));
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.#held.length) return;
    const larger = Buffer.allocUnsafe(2 * bytes);
    this.#held.copy(larger, 0, 0, this.#heldBytes);
    this.#held = larger;
  }

  #flush(): void {
    if (this.#heldBytes === 0) return;
    try {
      const written = writeSync(this.#fd, this.#held, 0, this.#heldBytes);
      this.#held.copyWithin(0, written, this.#heldBytes);
      this.#heldBytes -= written;
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
