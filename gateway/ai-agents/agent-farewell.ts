/** Why the agent's BYE came: it was done, or something broke on its side. */
import { parseReasonHeaders } from '../../machines/reason-header.ts';
import type { SipMessage } from '../sip/srf.port.ts';

/** ITU-T Q.850 causes of a call that ended as calls do. */
const ORDERLY_CAUSES = new Set([16, 31]);

/**
 * What a Reason header (RFC 3326) says is wrong, or undefined for an orderly end. A BYE without one is
 * orderly: most agents send none.
 */
export function failureOfBye(bye: Pick<SipMessage, 'get'>): string | undefined {
  const header = bye.get('Reason');
  if (header === undefined) return undefined;
  for (const { protocol, cause, text } of parseReasonHeaders([header])) {
    if (cause === null) continue;
    const isOrderly =
      protocol === 'Q.850' ? ORDERLY_CAUSES.has(cause) : cause < 400 || cause === 487; // SIP: a final response's code
    if (!isOrderly) return `BYE: ${protocol} ${cause}${text === null ? '' : ` ${text}`}`;
  }
  return undefined;
}
