import { headerOf, type SipMessage } from './message.ts';

export interface CSeq {
  readonly number: number;
  readonly method: string;
}

const CSEQ = /^0*(\d{1,10})\s+([^\s]+)$/; // leading zeros are legal (RFC 4475 §3.1.1.1)
const CSEQ_MAX = 0xffff_ffff; // RFC 3261 §8.1.1.5: 32 bits, unsigned

export function parseCSeq(value: string): CSeq | undefined {
  const match = CSEQ.exec(value);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  const number = Number(match[1]);
  return number <= CSEQ_MAX ? { number, method: match[2] } : undefined;
}

/** Undefined only for a message that did not come from `parseSipMessage`. */
export function cseqOf(message: SipMessage): CSeq | undefined {
  const value = headerOf(message, 'CSeq');
  return value === undefined ? undefined : parseCSeq(value);
}
