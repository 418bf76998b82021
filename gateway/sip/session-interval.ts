/** What a 422 (Session Interval Too Small, RFC 4028 §6) makes of the session timer that we asked for. */
import type { SipResponse } from './srf.port.ts';

/** A day: whoever wants longer ones is called without a timer, or not at all. */
const INTERVAL_MAX_S = 86_400;

/** Undefined when asking again is of no use: no 422, no interval in it, or none that is longer. */
export function intervalAsked(
  response: Pick<SipResponse, 'status' | 'get'>,
  sent: Readonly<Record<string, string>>,
): Record<string, string> | undefined {
  if (response.status !== 422) return undefined;
  const asked = /^\s*(\d{1,9})/.exec(response.get('Min-SE') ?? '')?.[1];
  const [before, rest = ''] = (sent['Session-Expires'] ?? '').split(/;(.*)/);
  const seconds = Number(asked);
  if (asked === undefined || before === '' || seconds > INTERVAL_MAX_S) return undefined;
  if (seconds <= Number(before)) return undefined;
  const refresher = rest === '' ? '' : `;${rest}`;
  // §7.3: Min-SE of the repetition is what the 422 said.
  return { 'Session-Expires': `${seconds}${refresher}`, 'Min-SE': String(seconds) };
}
