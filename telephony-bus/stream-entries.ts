/** Replies of Redis about streams, RESP2, checked: what has another shape is an error of the caller's. */
import assert from 'node:assert/strict';

export interface StreamEntry {
  readonly id: string;
  /** Undefined when the entry is not one of ours. */
  readonly text: string | undefined;
}

/** The one field of each entry. */
export const ENTRY_FIELD = 'm';

/** Of XREAD and XREADGROUP on one stream: `[[key, entries]]`, or nil after a time without any. */
export function entriesRead(reply: unknown): readonly StreamEntry[] {
  if (reply === null) return [];
  const [stream] = listOf(reply);
  const [, entries] = listOf(stream);
  return entriesOf(entries);
}

/** Of XRANGE, XREVRANGE, and inside XAUTOCLAIM. An entry that was trimmed meanwhile is nil there. */
export function entriesOf(reply: unknown): readonly StreamEntry[] {
  return listOf(reply).flatMap((entry): StreamEntry[] => {
    if (entry === null) return [];
    const [id, fields] = listOf(entry);
    return [{ id: textOf(id), text: fieldOf(fields) }];
  });
}

export interface Claimed {
  readonly next: string;
  readonly entries: readonly StreamEntry[];
}

/** Of XAUTOCLAIM: where to go on, what was claimed. */
export function claimed(reply: unknown): Claimed {
  const [next, entries] = listOf(reply);
  return { next: textOf(next), entries: entriesOf(entries) };
}

/** Of XINFO GROUPS and the like: name, value, name, value. */
export function pairsOf(reply: unknown): ReadonlyMap<string, unknown> {
  const words = listOf(reply);
  const pairs = new Map<string, unknown>();
  for (let index = 0; index + 1 < words.length; index += 2) {
    pairs.set(textOf(words[index]), words[index + 1]);
  }
  return pairs;
}

export function listOf(reply: unknown): readonly unknown[] {
  assert(Array.isArray(reply), 'Redis answered with no list');
  return reply;
}

export function textOf(reply: unknown): string {
  assert(typeof reply === 'string', 'Redis answered with no text');
  return reply;
}

function fieldOf(fields: unknown): string | undefined {
  if (!Array.isArray(fields)) return undefined;
  const at = fields.indexOf(ENTRY_FIELD);
  const text: unknown = at % 2 === 0 ? fields[at + 1] : undefined;
  return typeof text === 'string' ? text : undefined;
}

/** Which of two entries came first: ids are `milliseconds-count`. */
export function earlierId(a: string, b: string): string {
  const [aMs = '0', aCount = '0'] = a.split('-');
  const [bMs = '0', bCount = '0'] = b.split('-');
  const difference = Number(aMs) - Number(bMs) || Number(aCount) - Number(bCount);
  return difference <= 0 ? a : b;
}
