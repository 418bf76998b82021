/** What the first bytes of a file say: whether it is UTF-8 text at all, and what separates fields. */
import { ContactsCsvError } from './contacts-csv-error.ts';

const UTF8_BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * The start without its byte-order mark. Refused are UTF-16 (guessing names from a wrong decoding
 * would spoil them silently, and RFC 4180 exports of today can be saved as UTF-8), workbooks and
 * archives, and anything with NUL bytes.
 */
export function textStart(start: Buffer): Buffer {
  const begins = (...bytes: number[]) => bytes.every((byte, index) => start[index] === byte);
  if (begins(0xff, 0xfe) || begins(0xfe, 0xff)) {
    throw new ContactsCsvError(
      'notUtf8',
      'The file is UTF-16, and contacts are read as UTF-8: save it as "CSV UTF-8".',
    );
  }
  if (begins(0x50, 0x4b, 0x03, 0x04) || begins(0xd0, 0xcf, 0x11, 0xe0)) {
    throw new ContactsCsvError(
      'notText',
      'The file is a workbook or an archive, not CSV: save the sheet as "CSV UTF-8".',
    );
  }
  if (start.includes(0)) {
    throw new ContactsCsvError(
      'notText',
      'The file holds NUL bytes, so it is UTF-16 or no text at all: save it as "CSV UTF-8".',
    );
  }
  return begins(...UTF8_BOM) ? start.subarray(UTF8_BOM.length) : start;
}

const DELIMITERS = [',', ';', '\t', '|'];

/**
 * The sign that separates the fields of the header line: the one that occurs most outside quotes,
 * a comma when none does. Spreadsheets write semicolons where the comma is the decimal sign.
 */
export function delimiterOf(headerLine: string): string {
  const bare = headerLine.replaceAll(/"[^"]*"/g, '');
  let best = ',';
  for (const delimiter of DELIMITERS) {
    if (bare.split(delimiter).length > bare.split(best).length) best = delimiter;
  }
  return best;
}
