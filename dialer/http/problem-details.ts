/**
 * Errors as RFC 9457 problem details: one table from code to status and title, one handler for all
 * routes. `type` is a stable URN, `detail` is about this occurrence, and a 5xx says nothing of the
 * inside.
 */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { DialerError, type ErrorCode } from '../../machines/errors.ts';
import type { DialerLog } from '../dialer-log.ts';

/** What HTTP itself can get wrong, before or beside the dialer. */
export type HttpErrorCode =
  'ROUTE_NOT_FOUND' | 'BODY_TOO_LARGE' | 'BODY_UNREADABLE' | 'MEDIA_TYPE_UNSUPPORTED' | 'INTERNAL';

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode | HttpErrorCode;
  readonly detail?: string;
}

type Row = readonly [status: number, title: string];

/** Codes that reach a client as themselves. Every other one is our own trouble: 500. */
const ROWS: Readonly<Partial<Record<ErrorCode | HttpErrorCode, Row>>> = {
  AI_SESSION_UNAUTHORIZED: [401, 'The token is not valid for this call'],
  AI_SESSION_ENDED: [410, 'The call has ended too long ago'],
  ATTRIBUTES_INVALID: [400, 'The attributes cannot be read'],
  ATTRIBUTE_TOO_LONG: [400, 'An attribute is too long'],
  ATTRIBUTES_TOO_MANY: [400, 'There are too many attributes'],
  REQUEST_INVALID: [400, 'The request is not valid'],
  NOT_FOUND: [404, 'There is no such thing'],
  STORE_UNAVAILABLE: [503, 'The store cannot be reached'],
  ROUTE_NOT_FOUND: [404, 'There is no such address'],
  BODY_TOO_LARGE: [413, 'The body is too large'],
  BODY_UNREADABLE: [400, 'The body cannot be read'],
  MEDIA_TYPE_UNSUPPORTED: [415, 'The body must be application/json'],
};
const INTERNAL: Row = [500, 'Something went wrong here'];

export function problemOf(code: ErrorCode | HttpErrorCode, detail?: string): Problem {
  const row = ROWS[code];
  const [status, title] = row ?? INTERNAL;
  const shownCode = row === undefined ? 'INTERNAL' : code;
  const type = `urn:ringfence:problem:${shownCode.toLowerCase().replaceAll('_', '-')}`;
  const shown = detail === undefined || status >= 500 ? {} : { detail };
  return { type, title, status, code: shownCode, ...shown };
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.status === 401) void reply.header('www-authenticate', 'Bearer');
  if (problem.status === 503) void reply.header('retry-after', '1');
  return reply.code(problem.status).type('application/problem+json').send(problem);
}

/** For `setErrorHandler`. The log gets the whole error and the route, never the address asked for. */
export function errorHandler(log: DialerLog) {
  return (error: FastifyError | DialerError, request: FastifyRequest, reply: FastifyReply) => {
    const problem =
      error instanceof DialerError ? problemOf(error.code, error.message) : problemOfFastify(error);
    const route = request.routeOptions.url;
    if (problem.status >= 500) log.error({ err: error, route }, 'a request failed');
    return sendProblem(reply, problem);
  };
}

function problemOfFastify(error: FastifyError): Problem {
  switch (error.statusCode) {
    case 413:
      return problemOf('BODY_TOO_LARGE');
    case 415:
      return problemOf('MEDIA_TYPE_UNSUPPORTED');
    case 400:
      return problemOf('BODY_UNREADABLE', 'the body is not valid JSON');
    default:
      return problemOf('INTERNAL');
  }
}
