/** Tables as CSV (RFC 4180), sent as they are read: what a client does not take is not kept in memory. */
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { problems } from './wire-types.ts';

/** Rows of one reading of an export. */
export const EXPORT_PAGE = 500;

export const PRODUCES_CSV = { produces: 'text/csv' } as const;

export function csvResponse(header: string) {
  return {
    200: { content: { 'text/csv': { schema: Type.String({ examples: [header] }) } } },
    ...problems,
  };
}

/** A telephone number begins with a plus and is no formula. */
export interface CsvNumber {
  readonly number: string | null;
}

/** A text that a spreadsheet would take for a formula is led by an apostrophe. */
export function csvLine(values: readonly (string | null | CsvNumber)[]): string {
  const fields = values.map((value) => {
    if (value !== null && typeof value === 'object') return quoted(value.number ?? '');
    const text = value ?? '';
    return quoted(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);
  });
  return `${fields.join(',')}\r\n`;
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** What is wrong with what was asked for is said before the answer begins: the first lines are awaited. */
export async function sendCsv(
  reply: FastifyReply,
  fileName: string,
  lines: AsyncGenerator<string>,
): Promise<FastifyReply> {
  const first = await lines.next();
  return reply
    .type('text/csv; charset=utf-8')
    .header('content-disposition', `attachment; filename="${fileName}"`)
    .send(Readable.from(afterFirst(first, lines)));
}

async function* afterFirst(
  first: IteratorResult<string>,
  rest: AsyncGenerator<string>,
): AsyncGenerator<string> {
  if (first.done !== true) yield first.value;
  yield* rest;
}
