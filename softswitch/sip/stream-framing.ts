/**
 * Cuts a byte stream into SIP messages by Content-Length (RFC 3261 §18.3), and notices keep-alives
 * (RFC 5626 §4.4.1). A stream whose borders are lost cannot be put right again: it is reported
 * once and swallows the rest.
 */
import { HEAD_BYTES_MAX } from './parse-message.ts';

export interface FramingEvents {
  onMessage(bytes: Buffer): void;
  /** Double CRLF between messages: the peer wants one CRLF back. */
  onPing(): void;
  /** `head` is what there is of the offending message, for an answer. */
  onBroken(head: Buffer, problem: string): void;
}

const BODY_BYTES_MAX = 262_144; // far above any SDP or SIP-I body we take part in
const START_LINE_BYTES_MAX = 8_192;
const CR = 13;
const LF = 10;
const CONTENT_LENGTH = /^(?:content-length|l)[ \t]*:\s*([^\r\n]*)/gim;

export class StreamFraming {
  readonly #events: FramingEvents;
  #buffered: Buffer = Buffer.alloc(0);
  #searchedTo = 0; // no end of header section lies before it
  #messageLength: number | undefined; // of the message at the start of the buffer, once known
  #broken = false;

  constructor(events: FramingEvents) {
    this.#events = events;
  }

  /** Whether part of a message is waiting for the rest. */
  get isInsideMessage(): boolean {
    return this.#buffered.length > 2 && !this.#broken; // 2: half a ping
  }

  push(chunk: Buffer): void {
    if (this.#broken) return;
    this.#buffered = this.#buffered.length === 0 ? chunk : Buffer.concat([this.#buffered, chunk]);
    while (this.#buffered.length > 0 && this.#takeOne());
  }

  /** False when more bytes are needed. */
  #takeOne(): boolean {
    if (this.#messageLength === undefined) {
      if (!this.#skipEmptyLines()) return false;
      const headEnd = this.#findHeadEnd();
      if (headEnd === undefined) return false;
      const length = this.#contentLength(this.#buffered.toString('latin1', 0, headEnd));
      if (length === undefined) return false;
      this.#messageLength = headEnd + length;
    }
    if (this.#buffered.length < this.#messageLength) return false;
    const bytes = this.#buffered.subarray(0, this.#messageLength);
    this.#drop(this.#messageLength);
    this.#events.onMessage(bytes);
    return true;
  }

  #skipEmptyLines(): boolean {
    for (;;) {
      const [first, second, third, fourth] = this.#buffered;
      if (first === LF) this.#drop(1);
      else if (first !== CR) return first !== undefined;
      else if (second === undefined) return false;
      else if (second !== LF) return true;
      else if (third === CR && fourth === LF) {
        this.#drop(4);
        this.#events.onPing();
      } else if (third === undefined || (third === CR && fourth === undefined)) return false;
      else this.#drop(2);
    }
  }

  #findHeadEnd(): number | undefined {
    const end = this.#buffered.indexOf('\r\n\r\n', Math.max(0, this.#searchedTo - 3), 'latin1');
    const headLength = end < 0 ? this.#buffered.length : end + 4;
    if (this.#searchedTo < START_LINE_BYTES_MAX && !this.#startsLikeSip()) return undefined;
    this.#searchedTo = this.#buffered.length;
    if (headLength > HEAD_BYTES_MAX) {
      this.#break(this.#buffered.subarray(0, HEAD_BYTES_MAX), 'the header section is too long');
      return undefined;
    }
    return end < 0 ? undefined : headLength;
  }

  #startsLikeSip(): boolean {
    const lineEnd = this.#buffered.indexOf(LF);
    if (lineEnd < 0 && this.#buffered.length < START_LINE_BYTES_MAX) return true; // not yet known
    const line = this.#buffered.toString('latin1', 0, lineEnd < 0 ? START_LINE_BYTES_MAX : lineEnd);
    if (lineEnd >= 0 && /(?:^|\s)SIP\/\d/i.test(line)) return true;
    this.#break(this.#buffered.subarray(0, line.length), 'this is not SIP');
    return false;
  }

  #contentLength(head: string): number | undefined {
    const values = new Set([...head.matchAll(CONTENT_LENGTH)].map((match) => match[1]?.trim()));
    const [value] = values;
    const bytes = this.#buffered.subarray(0, head.length);
    if (values.size !== 1 || value === undefined || !/^\d{1,9}$/.test(value)) {
      this.#break(bytes, 'a stream needs one Content-Length');
    } else if (Number(value) > BODY_BYTES_MAX) this.#break(bytes, 'the body is too long');
    else return Number(value);
    return undefined;
  }

  #drop(length: number): void {
    this.#buffered = this.#buffered.subarray(length);
    this.#searchedTo = 0;
    this.#messageLength = undefined;
  }

  #break(head: Buffer, problem: string): void {
    this.#broken = true;
    this.#buffered = Buffer.alloc(0);
    this.#events.onBroken(head, problem);
  }
}
