/** What HTTP itself can get wrong, before or beside the dialer. */
export const HTTP_CODES = [
  'ROUTE_NOT_FOUND',
  'METHOD_NOT_ALLOWED',
  'NOT_ACCEPTABLE',
  'BODY_TOO_LARGE',
  'BODY_UNREADABLE',
  'MEDIA_TYPE_UNSUPPORTED',
  'FILE_NOT_CSV',
  'FILE_TOO_LARGE',
  'KEY_UNAUTHORIZED',
  'KEY_FORBIDDEN',
  'LAST_ADMIN_KEY',
  'TOO_MANY_REQUESTS',
  'TOO_MANY_STREAMS',
  'IDEMPOTENCY_KEY_REUSED',
  'PRECONDITION_REQUIRED',
  'JOURNEYS_OFF',
  'STARTING',
  'INTERNAL',
] as const;
export type HttpErrorCode = (typeof HTTP_CODES)[number];

/** One place of a request that is wrong, and why. */
export interface RequestFault {
  /** JSON pointer (RFC 6901) into the body, or the name of a parameter. */
  readonly pointer: string;
  readonly detail: string;
}

export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly code: HttpErrorCode;
  /** To be sent with the problem. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: HttpErrorCode, detail: string, headers: Record<string, string> = {}) {
    super(detail);
    this.code = code;
    this.headers = headers;
  }
}

/** A request that breaks its schema, with every place where it does. */
export class RequestFaults extends Error {
  override readonly name = 'RequestFaults';
  readonly faults: readonly RequestFault[];

  constructor(faults: readonly RequestFault[]) {
    super(faults.map(({ pointer, detail }) => `${pointer} ${detail}`.trim()).join('; '));
    this.faults = faults;
  }
}
