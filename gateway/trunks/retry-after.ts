import type { SipResponse } from '../sip/srf.port.ts';

/** A far end must not be able to take a trunk away from us for good. */
const RETRY_AFTER_MAX_MS = 300_000;

/** `Retry-After: 18 (overload);duration=60` (RFC 3261 §20.33), ms; undefined when it does not say. */
export function retryAfterMsOf(response: Pick<SipResponse, 'get'>): number | undefined {
  const seconds = /^\s*(\d{1,9})/.exec(response.get('Retry-After') ?? '')?.[1];
  if (seconds === undefined || Number(seconds) === 0) return undefined;
  return Math.min(RETRY_AFTER_MAX_MS, Number(seconds) * 1_000);
}
