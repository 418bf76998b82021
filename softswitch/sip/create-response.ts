import { EMPTY_BODY, type SipHeaderField, type SipRequest, type SipResponse } from './message.ts';
import { withTag } from './name-addr.ts';

export interface ResponseOptions {
  reason?: string;
  headers?: readonly SipHeaderField[];
  body?: Buffer | string;
  /** Default application/sdp when there is a body. */
  contentType?: string;
  /** Tag put on To when it has none; a ServerTransaction adds its own when this is left out. */
  toTag?: string;
}

/**
 * RFC 3261 §8.2.6: Via, From, To, Call-ID and CSeq are the request's. Record-Route too in a
 * response that may make a dialog (§12.1.1), Timestamp in a 100.
 */
export function createResponse(
  request: SipRequest,
  statusCode: number,
  options: ResponseOptions = {},
): SipResponse {
  const mayMakeDialog = statusCode > 100 && statusCode < 300 && request.method !== 'CANCEL';
  const headers: SipHeaderField[] = [];
  for (const field of request.headers) {
    switch (field.name) {
      case 'Via':
      case 'From':
      case 'Call-ID':
      case 'CSeq':
        headers.push(field);
        break;
      case 'To':
        headers.push(
          options.toTag === undefined
            ? field
            : { name: 'To', value: withTag(field.value, options.toTag) },
        );
        break;
      case 'Record-Route':
        if (mayMakeDialog) headers.push(field);
        break;
      case 'Timestamp':
        if (statusCode === 100) headers.push(field);
        break;
    }
  }
  if (options.headers !== undefined) headers.push(...options.headers);
  const body = bodyBytes(options.body);
  if (body.length > 0) addContentType(headers, options.contentType);
  return {
    kind: 'response',
    statusCode,
    reason: options.reason ?? reasonPhrase(statusCode),
    headers,
    body,
  };
}

export function bodyBytes(body: Buffer | string | undefined): Buffer {
  if (body === undefined || body === '') return EMPTY_BODY;
  return typeof body === 'string' ? Buffer.from(body, 'utf8') : body;
}

/** SDP is what a body without a type nearly always is (RFC 3261 §7.4.1 wants one stated). */
export function addContentType(headers: SipHeaderField[], contentType: string | undefined): void {
  if (headers.some(({ name }) => name === 'Content-Type')) return;
  headers.push({ name: 'Content-Type', value: contentType ?? 'application/sdp' });
}

const PHRASES: Readonly<Record<number, string>> = {
  100: 'Trying',
  180: 'Ringing',
  181: 'Call Is Being Forwarded',
  182: 'Queued',
  183: 'Session Progress',
  199: 'Early Dialog Terminated',
  200: 'OK',
  202: 'Accepted',
  204: 'No Notification',
  300: 'Multiple Choices',
  301: 'Moved Permanently',
  302: 'Moved Temporarily',
  305: 'Use Proxy',
  380: 'Alternative Service',
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  407: 'Proxy Authentication Required',
  408: 'Request Timeout',
  410: 'Gone',
  412: 'Conditional Request Failed',
  413: 'Request Entity Too Large',
  414: 'Request-URI Too Long',
  415: 'Unsupported Media Type',
  416: 'Unsupported URI Scheme',
  420: 'Bad Extension',
  421: 'Extension Required',
  422: 'Session Interval Too Small',
  423: 'Interval Too Brief',
  428: 'Use Identity Header',
  429: 'Provide Referrer Identity',
  433: 'Anonymity Disallowed',
  436: 'Bad Identity-Info',
  437: 'Unsupported Certificate',
  438: 'Invalid Identity Header',
  469: 'Bad Info Package',
  470: 'Consent Needed',
  480: 'Temporarily Unavailable',
  481: 'Call/Transaction Does Not Exist',
  482: 'Loop Detected',
  483: 'Too Many Hops',
  484: 'Address Incomplete',
  485: 'Ambiguous',
  486: 'Busy Here',
  487: 'Request Terminated',
  488: 'Not Acceptable Here',
  489: 'Bad Event',
  491: 'Request Pending',
  493: 'Undecipherable',
  494: 'Security Agreement Required',
  500: 'Server Internal Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Server Time-out',
  505: 'Version Not Supported',
  513: 'Message Too Large',
  555: 'Push Notification Service Not Supported',
  580: 'Precondition Failure',
  600: 'Busy Everywhere',
  603: 'Decline',
  604: 'Does Not Exist Anywhere',
  606: 'Not Acceptable',
  607: 'Unwanted',
  608: 'Rejected',
};

/** The registered phrase; for an unknown code that of its class (RFC 3261 §8.1.3.2). */
export function reasonPhrase(statusCode: number): string {
  return PHRASES[statusCode] ?? PHRASES[Math.floor(statusCode / 100) * 100] ?? 'Unknown';
}
