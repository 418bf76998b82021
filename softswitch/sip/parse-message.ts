import type { SipMessage, SipRequest } from './message.ts';

export type ParseOutcome =
  | { ok: true; message: SipMessage }
  | {
      ok: false;
      problem: string;
      /** The final response a UAS owes for it: 400, or 505 for another SIP version. */
      statusCode: number;
      /** Best-effort request, complete enough for `createResponse`, so that it can be answered. */
      salvage?: SipRequest;
    };

/** Never throws, whatever the bytes. */
export declare function parseSipMessage(bytes: Buffer): ParseOutcome;
