/**
 * Reads every FIFO of a thread on one clock. What a FIFO brings is known beforehand, some frames every so
 * often: nobody waits for it in the event loop, so that neither is this thread woken for each of thousands
 * of writes a second, nor does the media server pay for waking it.
 */
import { close, constants, openSync, readSync } from 'node:fs';
import { FRAME_BYTES, FRAME_MS, type OnAudio } from './audio-tap.port.ts';

/** A pipe holds as much on Linux. */
const READ_BYTES_MAX = 65_536 - (65_536 % FRAME_BYTES);

interface OpenFifo {
  readonly fd: number;
  readonly onAudio: OnAudio;
  /** The tick from which on there is something to be read. */
  dueTick: number;
  /** Of a frame that was written in part. */
  readonly rest: Buffer;
  restBytes: number;
}

export class FifoReader {
  readonly #ticksPerWrite: number;
  readonly #fifos = new Set<OpenFifo>();
  readonly #bytes = Buffer.alloc(READ_BYTES_MAX);
  /** The same bytes as frames: each is valid until the next read. */
  readonly #frames = framesOf(this.#bytes);
  #timer: NodeJS.Timeout | undefined;
  #startedAtMs = 0;
  #tick = 0;

  /** `framesPerWrite`: what the writer gathers before it writes. */
  constructor(framesPerWrite: number) {
    this.#ticksPerWrite = framesPerWrite;
  }

  /**
   * Reads from now on, until the function that is returned is called; that closes the FIFO. Throws when it
   * cannot be opened.
   */
  open(path: string, onAudio: OnAudio): () => void {
    // For writing as well: the media server needs a reader, and we no end before it has begun.
    const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    const rest = Buffer.alloc(FRAME_BYTES);
    const fifo: OpenFifo = { fd, onAudio, rest, restBytes: 0, dueTick: this.#tick };
    this.#fifos.add(fifo);
    if (this.#fifos.size === 1) this.#start();
    return () => this.#close(fifo);
  }

  #close(fifo: OpenFifo): void {
    if (!this.#fifos.delete(fifo)) return;
    close(fifo.fd);
    if (this.#fifos.size === 0) clearTimeout(this.#timer);
  }

  #start(): void {
    this.#startedAtMs = performance.now() - this.#tick * FRAME_MS;
    this.#schedule();
  }

  #schedule(): void {
    const dueAtMs = this.#startedAtMs + (this.#tick + 1) * FRAME_MS;
    this.#timer = setTimeout(() => this.#run(), Math.max(1, dueAtMs - performance.now()));
  }

  #run(): void {
    this.#tick = Math.floor((performance.now() - this.#startedAtMs) / FRAME_MS);
    for (const fifo of this.#fifos) {
      if (fifo.dueTick > this.#tick) continue;
      const isEmpty = !this.#read(fifo);
      fifo.dueTick = this.#tick + (isEmpty ? 1 : this.#ticksPerWrite);
    }
    if (this.#fifos.size > 0) this.#schedule();
  }

  /** False when there was nothing. */
  #read(fifo: OpenFifo): boolean {
    const bytes = this.#bytes;
    fifo.rest.copy(bytes, 0, 0, fifo.restBytes);
    const read = readNow(fifo.fd, bytes, fifo.restBytes);
    if (read === undefined) {
      this.#close(fifo);
      return false;
    }
    if (read === 0) return false;
    const filled = fifo.restBytes + read;
    const frames = Math.floor(filled / FRAME_BYTES);
    fifo.restBytes = bytes.copy(fifo.rest, 0, frames * FRAME_BYTES, filled);
    // Whoever hears a frame may close the FIFO.
    for (let i = 0; i < frames && this.#fifos.has(fifo); i += 1) fifo.onAudio(this.#frames[i]);
    return true;
  }
}

/**
 * Bytes that were there; undefined: it cannot be read any more. A call that nobody speaks on has nothing
 * fifty times a second, which is told by an exception: one with a stack costs twenty times as much.
 */
function readNow(fd: number, into: Buffer, offset: number): number | undefined {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return readSync(fd, into, offset, into.length - offset, null);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EAGAIN' ? 0 : undefined;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** Samples of our own byte order, which is the media server's on the same host. */
function framesOf(bytes: Buffer): readonly Int16Array[] {
  const count = bytes.length / FRAME_BYTES;
  return Array.from(
    { length: count },
    (_, i) => new Int16Array(bytes.buffer, bytes.byteOffset + i * FRAME_BYTES, FRAME_BYTES / 2),
  );
}
