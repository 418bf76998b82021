/** Short ways to write SIP messages in tests. */
import { createResponse, type ResponseOptions } from '../../softswitch/sip/create-response.ts';
import {
  serializeSipMessage,
  type SipMessage,
  type SipRequest,
} from '../../softswitch/sip/message.ts';
import { parseSipMessage } from '../../softswitch/sip/parse-message.ts';

/** Lines to wire form: CRLF, and the empty line at the end of the header section. */
export function sipText(lines: readonly string[], body = ''): Buffer {
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'utf8');
}

export function parsed(bytes: Buffer): SipMessage {
  const outcome = parseSipMessage(bytes);
  if (!outcome.ok) throw new Error(outcome.problem);
  return outcome.message;
}

export function parsedRequest(bytes: Buffer): SipRequest {
  const message = parsed(bytes);
  if (message.kind !== 'request') throw new Error('a response');
  return message;
}

export interface RequestParts {
  method: string;
  uri: string;
  callId?: string;
  cseq?: number;
  /** sent-by and parameters of the only Via. */
  via?: string;
  fromTag?: string;
  toTag?: string;
  headers?: readonly string[];
  body?: string;
}

export function rawRequest(parts: RequestParts): Buffer {
  const { method, uri, callId = 'call-1', cseq = 1, fromTag = 'far', toTag, body = '' } = parts;
  return sipText(
    [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/UDP ${parts.via ?? '192.0.2.9:10000;branch=z9hG4bKraw;rport'}`,
      'Max-Forwards: 70',
      `From: <sip:far@192.0.2.9>;tag=${fromTag}`,
      `To: <sip:near@192.0.2.1>${toTag === undefined ? '' : `;tag=${toTag}`}`,
      `Call-ID: ${callId}`,
      `CSeq: ${cseq} ${method}`,
      ...(parts.headers ?? ['Contact: <sip:far@192.0.2.9:10000>']),
      `Content-Length: ${Buffer.byteLength(body)}`,
    ],
    body,
  );
}

/** What a far end answers to a request it received. */
export function rawResponse(
  request: SipMessage,
  statusCode: number,
  options: ResponseOptions = { toTag: 'far-tag' },
): Buffer {
  if (request.kind !== 'request') throw new Error('only a request is answered');
  return serializeSipMessage(createResponse(request, statusCode, options));
}

/** A new request of ours, as a TU would hand it to the stack. */
export function newRequest(method: string, uri: string, body = ''): SipRequest {
  return {
    kind: 'request',
    method,
    uri,
    headers: [
      { name: 'From', value: '<sip:near@192.0.2.1>;tag=near' },
      { name: 'To', value: `<${uri}>` },
      { name: 'Call-ID', value: 'call-1' },
      { name: 'CSeq', value: `1 ${method}` },
      { name: 'Contact', value: '<sip:near@192.0.2.1>' },
    ],
    body: Buffer.from(body),
  };
}
