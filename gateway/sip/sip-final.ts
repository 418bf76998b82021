/** What a final response, or the BYE of the far end, says about why an attempt ended. */
import { analyticsBlockOf } from '../../machines/analytics-block.ts';
import type { AttemptEnded, SipFinal } from '../../machines/attempt-ended.ts';
import { parseReasonHeaders, q850CausesOf } from '../../machines/reason-header.ts';
import type { SipMessage, SipResponse } from './srf.port.ts';

export type FinalAccount = Pick<AttemptEnded, 'sip' | 'q850' | 'reasonHeaders' | 'redress'>;

/** The attempt ended without any final response to its INVITE. */
export const NO_FINAL: FinalAccount = {
  sip: { statusCode: null, reasonPhrase: null, origin: 'none' },
  q850: [],
  reasonHeaders: [],
};

/**
 * drachtio marks a response that its stack made up (408 when timer B ran out, 503 when the transport
 * failed) only by leaving the source address empty: `sip|network|0|udp||0|...` *(measured)*.
 */
export function originOf(response: Pick<SipMessage, 'source_address'>): 'network' | 'stack' {
  return response.source_address === '' ? 'stack' : 'network';
}

export function accountOfFinal(response: SipResponse): FinalAccount {
  const sip: SipFinal = {
    statusCode: response.status,
    reasonPhrase: response.reason,
    origin: originOf(response),
  };
  const reasons = accountOfReasons(response);
  const redress = callInfoRedress(response) ?? analyticsBlockOf({ sip, ...reasons })?.redress;
  return { sip, ...reasons, ...(redress == null ? {} : { redress }) };
}

/** Several Reason headers reach us joined with commas; the parser takes them apart again. */
export function accountOfReasons(
  message: Pick<SipMessage, 'get'>,
): Pick<AttemptEnded, 'q850' | 'reasonHeaders'> {
  const header = message.get('Reason');
  const reasonHeaders = header === undefined ? [] : [header];
  return { reasonHeaders, q850: q850CausesOf(parseReasonHeaders(reasonHeaders)) };
}

/** RFC 8688 §3.2: a 608 names whom to ask in a Call-Info with the purpose `jwscard`. */
function callInfoRedress(response: SipResponse): string | undefined {
  if (response.status !== 608 && response.status !== 603) return undefined;
  const callInfo = response.get('Call-Info');
  return callInfo !== undefined && /purpose\s*=\s*"?jwscard/i.test(callInfo) ? callInfo : undefined;
}
