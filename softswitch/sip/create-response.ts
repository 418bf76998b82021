import type { SipHeaderField, SipRequest, SipResponse } from './message.ts';

export interface ResponseOptions {
  reason?: string;
  headers?: readonly SipHeaderField[];
  body?: Buffer | string;
  /** Default application/sdp when there is a body. */
  contentType?: string;
  /** Tag put on To when it has none; a ServerTransaction adds its own when this is left out. */
  toTag?: string;
}

/** RFC 3261 §8.2.6: Via, From, To, Call-ID and CSeq copied, Record-Route too where a dialog may form. */
export declare function createResponse(
  request: SipRequest,
  statusCode: number,
  options?: ResponseOptions,
): SipResponse;

/** The phrase RFC 3261 §21 gives the code; the class's for one unknown. */
export declare function reasonPhrase(statusCode: number): string;
