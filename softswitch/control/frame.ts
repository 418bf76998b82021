/**
 * Frames of drachtio's control protocol: `<length>#<message>`, both ways, nothing between frames.
 * The length is decimal and counts UTF-8 bytes. TCP may split a frame anywhere, inside the length as
 * well, or deliver many at once.
 */

/** drachtio-server reads at most five digits, so 99,999 bytes, and drops a client that sends more. */
const LENGTH_DIGITS_MAX = 5;

const HASH = 0x23;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;

/** The stream cannot be resynchronised after this: the only answer is to close the connection. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

/** Cuts a TCP byte stream into messages. Holds no more than one incomplete message. */
export class FrameReader {
  readonly #onMessage: (message: Buffer) => void;
  /** Bytes of the message being collected; joined once, when it is complete. */
  #chunks: Buffer[] = [];
  #collected = 0;
  /** Length announced for the message being collected; -1 while the length itself is being read. */
  #expected = -1;
  #length = 0;
  #digits = 0;

  constructor(onMessage: (message: Buffer) => void) {
    this.#onMessage = onMessage;
  }

  /** Feeds bytes as they arrive. The message handed over may share memory with `chunk`. */
  push(chunk: Buffer): void {
    let offset = 0;
    while (offset < chunk.length) {
      offset = this.#expected < 0 ? this.#readLength(chunk, offset) : this.#collect(chunk, offset);
    }
  }

  #readLength(chunk: Buffer, start: number): number {
    for (let offset = start; offset < chunk.length; offset += 1) {
      const byte = chunk[offset] ?? 0;
      if (byte === HASH) {
        if (this.#length === 0) throw new FrameError('a frame of no bytes, or without a length');
        this.#expected = this.#length;
        this.#length = 0;
        this.#digits = 0;
        return offset + 1;
      }
      if (byte < DIGIT_0 || byte > DIGIT_9) throw new FrameError('the length is not a number');
      this.#digits += 1;
      if (this.#digits > LENGTH_DIGITS_MAX) {
        throw new FrameError(`the length has more than ${LENGTH_DIGITS_MAX} digits`);
      }
      this.#length = this.#length * 10 + byte - DIGIT_0;
    }
    return chunk.length;
  }

  #collect(chunk: Buffer, start: number): number {
    const end = Math.min(chunk.length, start + this.#expected - this.#collected);
    const part = chunk.subarray(start, end);
    if (this.#collected + part.length < this.#expected) {
      this.#chunks.push(part);
      this.#collected += part.length;
      return end;
    }
    const message = this.#chunks.length === 0 ? part : Buffer.concat([...this.#chunks, part]);
    this.#chunks = [];
    this.#collected = 0;
    this.#expected = -1;
    this.#onMessage(message);
    return end;
  }
}

/**
 * One frame in one buffer: `head` (the tokens), then CRLF and the SIP message when there is one.
 * Not limited to five digits: the limit is the server's as a reader, and drachtio-srf has none.
 */
export function encodeFrame(head: string, sipMessage?: Buffer): Buffer {
  const headLength = Buffer.byteLength(head);
  const messageLength = headLength + (sipMessage === undefined ? 0 : sipMessage.length + 2);
  const prefix = `${messageLength}#`;
  const frame = Buffer.allocUnsafe(prefix.length + messageLength);
  frame.write(prefix, 0, 'latin1');
  frame.write(head, prefix.length, 'utf8');
  if (sipMessage !== undefined) {
    frame.write('\r\n', prefix.length + headLength, 'latin1');
    sipMessage.copy(frame, prefix.length + headLength + 2);
  }
  return frame;
}
