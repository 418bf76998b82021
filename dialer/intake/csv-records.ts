/**
 * CSV as it comes: a stream of bytes in, records with their line numbers out, in flat memory.
 *
 * csv-parse reads batches of whole lines. Left alone it has one trap: a quote that is opened and
 * not closed swallows the lines after it, up to the next quote or to the end of the file. Here such
 * a record costs its own first line only, which is reported, and reading resumes on the next.
 */
import { isUtf8 } from 'node:buffer';
import { CsvError } from 'csv-parse';
import { parse } from 'csv-parse/sync';
import { ContactsCsvError } from './contacts-csv-error.ts';
import { delimiterOf, textStart } from './csv-file-start.ts';

export interface CsvRecord {
  readonly kind: 'record';
  /** Line of the file the record begins on, counted from 1. */
  readonly line: number;
  readonly fields: readonly string[];
}

export interface CsvFault {
  readonly kind: 'fault';
  readonly line: number;
  readonly code: 'NotUtf8' | 'BadQuotes';
  readonly reason: string;
}

/** Bytes handed to csv-parse at a time: small enough for flat memory, large enough to be fast. */
const BATCH_BYTES = 64 * 1024;
/** A record longer than this is taken for one whose quote was never closed. */
const RECORD_BYTES_MAX = 64 * 1024;
/** Each broken line costs a second reading of its batch; a file full of them is not CSV. */
const BROKEN_LINES_MAX = 100;

const NOT_UTF8 = 'is not UTF-8: save the file as "CSV UTF-8"';
const QUOTE = 0x22;

/** Records of the file in order. Throws a ContactsCsvError when the file as a whole is no CSV. */
export async function* csvRecords(
  chunks: AsyncIterable<Uint8Array>,
  options: { readonly bytesMax: number },
): AsyncGenerator<CsvRecord | CsvFault> {
  const reader = new BatchReader();
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let totalBytes = 0;
  for await (const chunk of chunks) {
    totalBytes += chunk.length;
    if (totalBytes > options.bytesMax) throw tooLarge(options.bytesMax);
    pending.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
    pendingBytes += chunk.length;
    if (pendingBytes < BATCH_BYTES) continue;
    const rest = yield* reader.read(Buffer.concat(pending), false);
    pending = [rest];
    pendingBytes = rest.length;
  }
  yield* reader.read(Buffer.concat(pending), true);
}

export function tooLarge(bytesMax: number): ContactsCsvError {
  const megabytes = String(bytesMax / 1_000_000);
  return new ContactsCsvError(
    'tooLarge',
    `The file is larger than ${megabytes} MB: split it into smaller files.`,
  );
}

class BatchReader {
  #line = 1;
  #isStarted = false;
  #delimiter = ',';
  #fieldsExpected: number | undefined;
  #brokenLines = 0;

  /** Yields what is whole and returns the bytes that need more to follow. */
  *read(bytes: Buffer, isEnd: boolean): Generator<CsvRecord | CsvFault, Buffer> {
    let rest = this.#isStarted ? bytes : this.#start(bytes);
    for (;;) {
      const batch = isEnd ? rest : rest.subarray(0, endOfLastLine(rest));
      const { items, usedBytes, stuck } = this.#parse(batch);
      yield* items;
      rest = rest.subarray(usedBytes);
      if (stuck === undefined) return rest;
      // The other half of an open quote may be in the bytes to come.
      if (stuck === 'open' && !isEnd && rest.length <= RECORD_BYTES_MAX) return rest;
      const { fault, bytes: lineBytes } = this.#brokenLine(rest);
      yield fault;
      rest = rest.subarray(lineBytes);
    }
  }

  #start(bytes: Buffer): Buffer {
    this.#isStarted = true;
    let text = textStart(bytes);
    let header = firstLine(text);
    // Excel's own note to itself, of no meaning to anybody else.
    const separator = /^sep=(.)[\r\n]*$/i.exec(header)?.[1];
    if (separator !== undefined) {
      text = text.subarray(header.length);
      this.#line += 1;
      header = firstLine(text);
    }
    this.#delimiter = separator ?? delimiterOf(header);
    return text;
  }

  /** Parses a batch of whole lines up to its end, or up to the first record that looks swallowed. */
  #parse(batch: Buffer): Batch {
    if (!batch.includes(QUOTE) && isUtf8(batch)) return this.#split(batch);
    const found: { fields: string[]; endByte: number }[] = [];
    let stuck: Batch['stuck'];
    try {
      parse(batch, {
        ...this.#dialect(),
        on_record: (fields: string[], { bytes }) => {
          found.push({ fields, endByte: bytes });
          return null;
        },
      });
    } catch (error) {
      stuck = quoteErrorCode(error) === 'CSV_QUOTE_NOT_CLOSED' ? 'open' : 'broken';
    }
    const isText = isUtf8(batch);
    const items: (CsvRecord | CsvFault)[] = [];
    let usedBytes = 0;
    for (const { fields, endByte } of found) {
      const raw = batch.subarray(usedBytes, endByte);
      const blankBytes = this.#blankBytes(raw);
      const line = this.#line + linesIn(raw.subarray(0, blankBytes));
      if (this.#isSwallowed(fields, raw.subarray(blankBytes))) {
        return { items, usedBytes, stuck: 'broken' };
      }
      this.#fieldsExpected ??= fields.length;
      items.push(
        isText || isUtf8(raw)
          ? { kind: 'record', line, fields }
          : { kind: 'fault', line, code: 'NotUtf8', reason: NOT_UTF8 },
      );
      this.#line += linesIn(raw);
      usedBytes = endByte;
    }
    if (stuck === undefined) usedBytes = this.#skipTo(batch, usedBytes);
    return { items, usedBytes, stuck };
  }

  /** Without a quote in it a batch is its lines and their fields: ten times faster than parsing. */
  #split(batch: Buffer): Batch {
    const items: CsvRecord[] = [];
    const lines = batch.toString('utf8').split(LINE_END);
    const endsWithLine = lines.at(-1) === '';
    lines.forEach((text, index) => {
      const fields = text.split(this.#delimiter).map((field) => field.trim());
      if (fields.length === 1 && fields[0] === '') return;
      this.#fieldsExpected ??= fields.length;
      items.push({ kind: 'record', line: this.#line + index, fields });
    });
    this.#line += lines.length - (endsWithLine ? 1 : 0);
    return { items, usedBytes: batch.length, stuck: undefined };
  }

  #skipTo(batch: Buffer, usedBytes: number): number {
    this.#line += linesIn(batch.subarray(usedBytes));
    return batch.length;
  }

  /**
   * Whether several lines became one record by a quote that closed by chance: the number of fields
   * is wrong then.
   */
  #isSwallowed(fields: readonly string[], raw: Buffer): boolean {
    if (linesIn(trimmedEnd(raw)) === 0) return false;
    return this.#fieldsExpected !== undefined && fields.length !== this.#fieldsExpected;
  }

  /** Of the empty lines, which csv-parse skips silently, and of blanks before the first sign. */
  #blankBytes(bytes: Buffer): number {
    const first = bytes[0] ?? 0;
    if (first > SPACE && first < 0x80) return 0;
    const blanks = this.#delimiter === '\t' ? BLANKS_BUT_TABS : BLANKS;
    return Buffer.byteLength(blanks.exec(bytes.toString('utf8'))?.[0] ?? '');
  }

  /** Gives up the first line of what is left, and says why. */
  #brokenLine(rest: Buffer): { fault: CsvFault; bytes: number } {
    this.#brokenLines += 1;
    const blankBytes = this.#blankBytes(rest);
    const line = this.#line + linesIn(rest.subarray(0, blankBytes));
    if (this.#brokenLines > BROKEN_LINES_MAX) {
      throw new ContactsCsvError(
        'notCsv',
        `More than ${String(BROKEN_LINES_MAX)} lines hold quotes that do not pair, the last of ` +
          `them line ${String(line)}: a quote inside a quoted field is written twice.`,
      );
    }
    const bytes = blankBytes + endOfFirstLine(rest.subarray(blankBytes));
    const reason = this.#quoteFault(rest.subarray(blankBytes, bytes));
    this.#line += linesIn(rest.subarray(0, bytes));
    return { fault: { kind: 'fault', line, code: 'BadQuotes', reason }, bytes };
  }

  #quoteFault(line: Buffer): string {
    try {
      parse(line, this.#dialect());
    } catch (error) {
      if (quoteErrorCode(error) !== 'CSV_QUOTE_NOT_CLOSED') {
        return 'has text after a closing quote: a quote inside a quoted field is written twice';
      }
    }
    return 'opens a quote that is not closed';
  }

  #dialect() {
    return {
      delimiter: this.#delimiter,
      record_delimiter: ['\r\n', '\n', '\r'],
      relax_quotes: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    };
  }
}

function quoteErrorCode(error: unknown): string {
  if (error instanceof CsvError) return error.code;
  throw error;
}

interface Batch {
  readonly items: (CsvRecord | CsvFault)[];
  readonly usedBytes: number;
  /** Why the batch was not used up: a quote still open at its end, or a record not to be trusted. */
  readonly stuck: 'open' | 'broken' | undefined;
}

const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
/** What csv-parse trims: white space and line ends as ECMAScript has them. */
const BLANKS = /^\s+/u;
const BLANKS_BUT_TABS = /^[^\S\t]+/u;

const LINE_END = /\r\n|\n|\r/;

/** Line ends in the bytes; CR LF counts once. */
function linesIn(bytes: Uint8Array): number {
  let lines = 0;
  for (let index = 0; index < bytes.length; index += 1) {
    const isEnd = bytes[index] === LF || (bytes[index] === CR && bytes[index + 1] !== LF);
    if (isEnd) lines += 1;
  }
  return lines;
}

/** Length up to and with the first line end; all of it when there is none. */
function endOfFirstLine(bytes: Uint8Array): number {
  const index = bytes.findIndex((byte) => byte === LF || byte === CR);
  if (index === -1) return bytes.length;
  return bytes[index] === CR && bytes[index + 1] === LF ? index + 2 : index + 1;
}

/** Length up to and with the last line end. A CR at the very end may be half of a CR LF. */
function endOfLastLine(bytes: Buffer): number {
  const lineFeed = bytes.lastIndexOf(LF);
  if (lineFeed !== -1) return lineFeed + 1;
  const end = bytes.at(-1) === CR ? bytes.length - 1 : bytes.length;
  return bytes.subarray(0, end).lastIndexOf(CR) + 1;
}

function trimmedEnd(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === LF || bytes[end - 1] === CR)) end -= 1;
  return bytes.subarray(0, end);
}

function firstLine(bytes: Buffer): string {
  return bytes.subarray(0, endOfFirstLine(bytes)).toString('latin1');
}
