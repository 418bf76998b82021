import { headersOf, type SipMessage } from './message.ts';
import { parseParams, quote } from './quoted-text.ts';

/** One value of a Reason header field (RFC 3326): `Q.850;cause=17;text="User busy"`. */
export interface Reason {
  /** As written: `SIP`, `Q.850`, or another registered protocol. */
  readonly protocol: string;
  readonly cause: number | undefined;
  readonly text: string | undefined;
}

/** All values in order; one without a protocol is left out. */
export function reasonsOf(message: SipMessage): Reason[] {
  const reasons: Reason[] = [];
  for (const value of headersOf(message, 'Reason')) {
    const semicolon = value.indexOf(';');
    const protocol = (semicolon < 0 ? value : value.slice(0, semicolon)).trim();
    if (protocol === '') continue;
    const params = parseParams(semicolon < 0 ? '' : value.slice(semicolon));
    const cause = params.get('cause');
    reasons.push({
      protocol,
      cause: cause !== undefined && /^\d{1,5}$/.test(cause) ? Number(cause) : undefined,
      text: params.get('text'),
    });
  }
  return reasons;
}

export function formatReason(protocol: string, cause: number, text?: string): string {
  return `${protocol};cause=${cause}${text === undefined ? '' : `;text=${quote(text)}`}`;
}
