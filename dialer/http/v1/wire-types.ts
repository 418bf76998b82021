/** What every resource of `/v1` is made of: ids, times, pages, the problem. */
import type { FastifyTypeProvider } from 'fastify';
import { Type, type Static, type TObject, type TSchema } from 'typebox';
import { DialerError } from '../../../machines/errors.ts';
import { maskNumber } from '../../../machines/masked-number.ts';
import type { Caller } from '../../api-keys/api-keys.ts';
import { IDEMPOTENCY_KEY_PATTERN } from '../idempotency.ts';

/**
 * Lets handlers see the types of what they are asked. What they answer comes from rows, whose texts
 * are wider than any schema: a test holds every answer against its schema instead.
 */
export interface TypeBoxTypes extends FastifyTypeProvider {
  readonly validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
  readonly serializer: unknown;
}

/** Ids of examples differ in their last two digits. */
export const exampleId = (last: string) => `019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a${last}`;

/** Of objects that are asked for: what is not named is refused. */
export const closed = { additionalProperties: false } as const;

export const Id = Type.String({
  description: 'UUID, lower case; later ones sort behind earlier ones.',
  pattern: '^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$',
  examples: [exampleId('11')],
});
export const Time = Type.String({
  description: 'RFC 3339, UTC in answers.',
  format: 'date-time',
  examples: ['2026-03-02T15:00:00.000Z'],
});
export const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

export function timeText(atMs: number): string {
  return new Date(atMs).toISOString();
}

export function timeOrNull(atMs: number | null): string | null {
  return atMs === null ? null : timeText(atMs);
}

/** A leap second is the next one (Date knows none). */
export function timeMs(text: string): number {
  const atMs = Date.parse(text.replace(/(T\d\d:\d\d):60/i, '$1:59'));
  if (Number.isSafeInteger(atMs)) return atMs;
  throw new DialerError('REQUEST_INVALID', 'a time cannot be read');
}

export const IdParams = Type.Object({ id: Id }, { additionalProperties: false });

export const Problem = Type.Object(
  {
    type: Type.String({ description: 'A stable URN for each code.' }),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String({ description: 'See docs/errors.md.' }),
    detail: Type.Optional(Type.String({ description: 'This occurrence, for people.' })),
    errors: Type.Optional(
      Type.Array(Type.Object({ pointer: Type.String(), detail: Type.String() }), {
        description: 'Every place of the request that is wrong.',
      }),
    ),
    usedBy: Type.Optional(
      Type.Array(
        Type.Object({
          kind: Type.Enum(['journey', 'segment']),
          id: Type.String(),
          name: Type.String(),
          version: Type.Optional(
            Type.Integer({ description: 'Of a journey; below zero: a test of its draft.' }),
          ),
          pointers: Type.Array(Type.String(), {
            description: 'Where: JSON pointers into its definition, or its condition.',
          }),
        }),
        { description: 'Of `IN_USE`: what relies on it, up to 100.' },
      ),
    ),
  },
  {
    description: 'RFC 9457 problem details.',
    examples: [
      {
        type: 'urn:ringfence:problem:not-found',
        title: 'There is no such thing',
        status: 404,
        code: 'NOT_FOUND',
        detail: `there is no engagement ${exampleId('11')}`,
      },
    ],
  },
);

/** The answers that any route may give besides its own. */
export const problems = { '4xx': Problem, '5xx': Problem };

export const CreatingHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      description: 'Sent again with the same key, the request is answered and creates nothing.',
      pattern: IDEMPOTENCY_KEY_PATTERN,
      examples: ['order-4711'],
    }),
  ),
});

export const EditingHeaders = Type.Object({
  'if-match': Type.Optional(
    Type.String({ description: 'The ETag of what is to be changed. Required.', examples: ['"3"'] }),
  ),
});

export const LIMIT_MAX = 200;

/** Parameters of every list. */
export const PAGE = {
  limit: Type.Integer({ minimum: 1, maximum: LIMIT_MAX, default: 50, examples: [50] }),
  cursor: Type.Optional(
    Type.String({
      description: '`nextCursor` of the page before.',
      pattern: '^[0-9a-zA-Z_-]{1,80}$',
      examples: [exampleId('11')],
    }),
  ),
};

export function pageOf<T extends TObject>(item: T) {
  const examples = (item as { examples?: readonly unknown[] }).examples ?? [];
  return Type.Object(
    {
      items: Type.Array(item),
      nextCursor: orNull(Type.String({ description: 'Null on the last page.' })),
    },
    { examples: [{ items: examples.slice(0, 1), nextCursor: null }] },
  );
}

/** Rows were asked for with one more than the limit, which tells whether there is another page. */
export function paged<R, T>(
  rows: readonly R[],
  limit: number,
  { key, body }: { readonly key: (row: R) => string; readonly body: (row: R) => T },
): { items: T[]; nextCursor: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const nextCursor = rows.length > limit && last !== undefined ? key(last) : null;
  return { items: shown.map(body), nextCursor };
}

/** In full only for keys that may see numbers. */
export function shownNumber({ showsNumbers }: Caller, number: string): string {
  return showsNumbers ? number : maskNumber(number);
}
