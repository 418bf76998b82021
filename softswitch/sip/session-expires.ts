/** What messages say about session timers (RFC 4028), read the same by every user of the stack. */
import { headerOf, headersOf, type SipMessage } from './message.ts';

/** RFC 4028 §5: no interval below this may be asked for or granted. */
export const MIN_SE_SECONDS = 90;

export interface SessionInterval {
  readonly seconds: number;
  /** Of the transaction that set it; undefined when its 2xx or request does not say. */
  readonly refresher: 'uac' | 'uas' | undefined;
}

/** The Session-Expires of a message, raised to the minimum as drachtio-server does. */
export function sessionIntervalOf(message: SipMessage): SessionInterval | undefined {
  const value = headerOf(message, 'Session-Expires');
  const seconds = secondsOf(value);
  if (value === undefined || seconds === undefined) return undefined;
  const refresher = /;\s*refresher\s*=\s*(uac|uas)\b/i.exec(value)?.[1]?.toLowerCase();
  return {
    seconds: Math.max(MIN_SE_SECONDS, seconds),
    refresher: refresher === 'uac' || refresher === 'uas' ? refresher : undefined,
  };
}

/** RFC 4028 §9: an interval below the minimum is refused with 422. */
export function asksTooSmallInterval(request: SipMessage, minSeconds = MIN_SE_SECONDS): boolean {
  const seconds = secondsOf(headerOf(request, 'Session-Expires'));
  return seconds !== undefined && seconds < minSeconds;
}

export function minSeOf(message: SipMessage): number | undefined {
  return secondsOf(headerOf(message, 'Min-SE'));
}

/** Whether the sender understands the extension: it offers or demands it. */
export function supports(message: SipMessage, option: string): boolean {
  const named = [...headersOf(message, 'Supported'), ...headersOf(message, 'Require')];
  return named.some((name) => name.toLowerCase() === option);
}

export function requires(message: SipMessage, option: string): boolean {
  return headersOf(message, 'Require').some((name) => name.toLowerCase() === option);
}

function secondsOf(value: string | undefined): number | undefined {
  const digits = /^\s*(\d{1,9})/.exec(value ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}
