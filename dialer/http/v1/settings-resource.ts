/** What workstreams, queues and engagements have in common: made once, then edited. */
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import type { Once } from '../idempotency.ts';
import type { ApiContext } from './api-context.ts';
import { tagged } from './entity-tag.ts';

/** A JSON merge patch: what it makes is checked as a whole, by the rules for something new. */
export function patchSchema(example: Readonly<Record<string, unknown>>) {
  return Type.Record(Type.String(), Type.Unknown(), {
    minProperties: 1,
    description:
      'JSON merge patch (RFC 7396): what is named is replaced, what is null goes back to its ' +
      'default. The result is checked as if it were made anew.',
    examples: [example],
  });
}

interface Made {
  readonly id: string;
  readonly version?: number;
}

/** Answers a creating request: with where to find what was made, and whether it was made now. */
export async function created<T extends Made>(
  reply: FastifyReply,
  address: string,
  answering: Promise<Once<T>>,
): Promise<T> {
  const { status, body, isReplay } = await answering;
  void reply.code(status).header('location', `${address}/${body.id}`);
  if (isReplay) void reply.header('idempotent-replayed', 'true');
  if (body.version !== undefined) tagged(reply, { version: body.version });
  return body;
}

/** Engagements read their workstream and their queue once, and anew when they are told to. */
export async function tellEngagements(
  { database, dialer, log }: ApiContext,
  column: 'workstream_id' | 'queue_id',
  id: string,
): Promise<void> {
  const rows = await database.db
    .selectFrom('engagements')
    .select('id')
    .where(column, '=', id)
    .where('status', '<>', 'inactive')
    .execute();
  for (const row of rows) {
    // The change is stored: to answer with an error now would be wrong.
    await dialer()
      ?.engagementChanged(row.id)
      .catch((error: unknown) => log.warn({ error }, 'an engagement was not told of a change'));
  }
}
