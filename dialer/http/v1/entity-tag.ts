/** Versions as entity tags (RFC 9110 §8.8.3): an edit names the version that it was made on. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DialerError } from '../../../machines/errors.ts';
import { HttpError } from '../http-error.ts';

export function tagged(reply: FastifyReply, { version }: { readonly version: number }): void {
  void reply.header('etag', `"${version}"`);
}

/** Throws PRECONDITION_REQUIRED without `If-Match`, VERSION_CONFLICT when no version can match it. */
export function versionAsked({ headers }: FastifyRequest): number {
  const tag = headers['if-match'];
  if (tag === undefined) {
    throw new HttpError('PRECONDITION_REQUIRED', 'send If-Match with the ETag of what you read');
  }
  const version = /^"(\d{1,9})"$/.exec(tag.trim())?.[1];
  if (version !== undefined) return Number(version);
  throw new DialerError('VERSION_CONFLICT', 'If-Match names no version: send one ETag as it came');
}
