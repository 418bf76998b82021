/**
 * Errors as RFC 9457 problem details: one table from code to status and title, one handler for all
 * routes. `type` is a stable URN, `detail` is about this occurrence, and a 5xx says nothing of the
 * inside.
 */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { DialerError, type ErrorCode, type ErrorUser } from '../../machines/errors.ts';
import type { DialerLog } from '../dialer-log.ts';
import { HttpError, RequestFaults, type HttpErrorCode, type RequestFault } from './http-error.ts';

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode | HttpErrorCode;
  readonly detail?: string;
  /** Every place of the request that is wrong. */
  readonly errors?: readonly RequestFault[];
  /** What relies on it. */
  readonly usedBy?: readonly ErrorUser[];
}

type Row = readonly [status: number, title: string];

const INTERNAL: Row = [500, 'Something went wrong here'];

/** Codes that reach a client as themselves. Every other one is our own trouble: 500. */
export const PROBLEMS = {
  REQUEST_INVALID: [400, 'The request is not valid'],
  BODY_UNREADABLE: [400, 'The body cannot be read'],
  PHONE_MISSING: [400, 'A contact has no number'],
  PHONE_INVALID: [400, 'A number cannot be dialled'],
  TIME_ZONE_INVALID: [400, 'A time zone is not known'],
  WINDOW_INVALID: [400, 'A window ends before it begins'],
  ATTRIBUTES_INVALID: [400, 'The attributes cannot be read'],
  ATTRIBUTE_TOO_LONG: [400, 'An attribute is too long'],
  ATTRIBUTES_TOO_MANY: [400, 'There are too many attributes'],
  KEY_UNAUTHORIZED: [401, 'A valid key is needed'],
  AI_SESSION_UNAUTHORIZED: [401, 'The token is not valid for this call'],
  KEY_FORBIDDEN: [403, 'The key may not do this'],
  ROUTE_NOT_FOUND: [404, 'There is no such address'],
  NOT_FOUND: [404, 'There is no such thing'],
  METHOD_NOT_ALLOWED: [405, 'The address does not take this method'],
  NOT_ACCEPTABLE: [406, 'The answer cannot be given in this form'],
  ENGAGEMENT_INACTIVE: [409, 'The engagement takes no work'],
  INTAKE_NOT_ALLOWED: [409, 'The engagement is fed in another way'],
  NOT_CHANGEABLE: [409, 'This cannot be changed'],
  IN_USE: [409, 'Something relies on it as it is'],
  NOT_PACED: [409, 'The engagement is not paced'],
  NOTHING_PENDING: [409, 'The engagement has nothing left to dial'],
  NO_REPRESENTATIVES: [409, 'Nobody could take its calls'],
  TASK_FINAL: [409, 'The task has ended already'],
  JOURNEY_NOT_READY: [409, 'The journey is not ready'],
  JOURNEY_STATE: [409, 'The journey is in another state'],
  JOURNEYS_OFF: [409, 'Journeys are switched off'],
  LAST_ADMIN_KEY: [409, 'The last admin key cannot be revoked'],
  AI_SESSION_ENDED: [410, 'The call has ended too long ago'],
  VERSION_CONFLICT: [412, 'It was changed meanwhile'],
  BODY_TOO_LARGE: [413, 'The body is too large'],
  FILE_TOO_LARGE: [413, 'The file is too large'],
  MEDIA_TYPE_UNSUPPORTED: [415, 'The body has a form that is not taken here'],
  FILE_NOT_CSV: [415, 'Only CSV files are taken'],
  IDEMPOTENCY_KEY_REUSED: [422, 'The idempotency key was used for another request'],
  PRECONDITION_REQUIRED: [428, 'Say which version is to be changed'],
  TOO_MANY_REQUESTS: [429, 'Too many requests with this key'],
  TOO_MANY_FORECASTS: [429, 'Other forecasts are being reckoned'],
  TOO_MANY_STREAMS: [429, 'Too many event streams with this key'],
  INTERNAL,
  STORE_UNAVAILABLE: [503, 'The store cannot be reached'],
  FORECAST_TIMEOUT: [503, 'The forecast took too long'],
  STARTING: [503, 'The dialer is not ready'],
} as const satisfies Partial<Record<ErrorCode | HttpErrorCode, Row>>;

const ROWS: Readonly<Partial<Record<ErrorCode | HttpErrorCode, Row>>> = PROBLEMS;

export function problemOf(
  code: ErrorCode | HttpErrorCode,
  detail?: string,
  errors: readonly RequestFault[] = [],
): Problem {
  const row = ROWS[code];
  const [status, title] = row ?? INTERNAL;
  const shownCode = row === undefined ? 'INTERNAL' : code;
  const shown = detail === undefined || status >= 500 ? {} : { detail };
  const places = errors.length === 0 ? {} : { errors };
  return { type: problemType(shownCode), title, status, code: shownCode, ...shown, ...places };
}

export function problemType(code: ErrorCode | HttpErrorCode): string {
  return `urn:ringfence:problem:${code.toLowerCase().replaceAll('_', '-')}`;
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.status === 401 && !reply.hasHeader('www-authenticate')) {
    void reply.header('www-authenticate', 'Bearer');
  }
  if (problem.status === 503) void reply.header('retry-after', '1');
  void reply.removeHeader('etag');
  return reply.code(problem.status).type('application/problem+json').send(problem);
}

/** For `setErrorHandler`. The log gets the whole error and the route, never the address asked for. */
export function errorHandler(log: DialerLog) {
  return (error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply) => {
    const problem = problemFor(error);
    const route = request.routeOptions.url;
    if (problem.status >= 500) log.error({ err: error, route }, 'a request failed');
    if (error instanceof HttpError) void reply.headers(error.headers);
    return sendProblem(reply, problem);
  };
}

export function problemFor(error: FastifyError | Error): Problem {
  if (error instanceof DialerError) {
    const problem = problemOf(error.code, error.message, error.faults);
    return error.usedBy.length === 0 ? problem : { ...problem, usedBy: error.usedBy };
  }
  if (error instanceof HttpError) return problemOf(error.code, error.message);
  if (error instanceof RequestFaults) {
    return problemOf('REQUEST_INVALID', error.message, error.faults);
  }
  if (isOfDatabase(error)) return problemOf('STORE_UNAVAILABLE');
  return problemOfFastify(error as FastifyError);
}

/** PostgreSQL that is not there, or goes: SQLSTATE classes 08 and 57P, and what the socket says. */
function isOfDatabase(error: Error): boolean {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' && /^(?:ECONNREFUSED|ECONNRESET|08\w{3}|57P\w{2})$/.test(code);
}

function problemOfFastify(error: FastifyError): Problem {
  switch (error.statusCode) {
    case 413:
      return problemOf('BODY_TOO_LARGE');
    case 415:
      return problemOf('MEDIA_TYPE_UNSUPPORTED');
    case 404: // an address that cannot be decoded, or is longer than any of ours
    case 414:
      return problemOf('ROUTE_NOT_FOUND');
    case 400:
      return problemOf(
        'BODY_UNREADABLE',
        'the body is not valid JSON, or not what its length says',
      );
    default:
      return problemOf(isOfClient(error.statusCode) ? 'REQUEST_INVALID' : 'INTERNAL');
  }
}

/** What serves files has more of them than we do: conditions and ranges that do not hold. */
function isOfClient(statusCode = 500): boolean {
  return statusCode >= 400 && statusCode < 500;
}
