/**
 * The session timer of one call of a user agent (RFC 4028): a call whose far end has gone without a
 * BYE ends after the interval at the latest.
 */
import type { Timer, TimerWheel } from '../timers/timer-wheel.ts';
import type { SipHeaderField, SipRequest, SipResponse } from './message.ts';
import {
  asksTooSmallInterval,
  MIN_SE_SECONDS,
  minSeOf,
  sessionIntervalOf,
  supports,
} from './session-expires.ts';

export interface SessionTimerOptions {
  /** What we ask for in calls of ours, and where a caller asks for nothing. Default: nothing. */
  readonly seconds?: number;
  /** The shortest interval we take. At least 90 s. */
  readonly minSeconds?: number;
  /** Who refreshes calls that we take, where the caller leaves it open. Default: the caller. */
  readonly refresher?: 'uac' | 'uas';
}

export interface SessionTimerParts {
  readonly timers: TimerWheel;
  /** Undefined: what the far end asks for is not heard. */
  readonly options: SessionTimerOptions | undefined;
  /** Sends UPDATE or re-INVITE with these header fields; `done` gets the final response. */
  readonly refresh: (
    headers: readonly SipHeaderField[],
    done: (response: SipResponse) => void,
  ) => void;
  readonly onExpired: () => void;
}

/** §10: how long before its end a session that nobody refreshed is hung up. */
const EARLY_BYE_SECONDS_MAX = 32;

export class SessionTimer {
  readonly #parts: SessionTimerParts;
  #minSeconds: number;
  #refreshTimer: Timer | undefined;
  #expiryTimer: Timer | undefined;
  #isStopped = false;

  constructor(parts: SessionTimerParts) {
    this.#parts = parts;
    this.#minSeconds = minSecondsOf(parts.options);
  }

  /** For an INVITE of ours (§7.1). */
  offer(): SipHeaderField[] {
    const { seconds } = this.#parts.options ?? {};
    return seconds === undefined ? [] : this.#ask(Math.max(seconds, this.#minSeconds), '');
  }

  /** A 422 to our request: true when it is worth another try, with a longer interval (§7.3). */
  enlarge(response: SipResponse): boolean {
    const minSeconds = minSeOf(response);
    if (response.statusCode !== 422 || minSeconds === undefined) return false;
    if (minSeconds <= this.#minSeconds) return false;
    this.#minSeconds = minSeconds;
    return true;
  }

  /** See `intervalRefusal`. */
  refusal(request: SipRequest): SipHeaderField[] | undefined {
    return intervalRefusal(request, this.#parts.options);
  }

  /** For our 2xx to an INVITE or UPDATE, and the interval begins (§9, table 2). */
  grant(request: SipRequest): SipHeaderField[] {
    this.#disarm();
    const { options } = this.#parts;
    const asked = sessionIntervalOf(request);
    const peerCan = supports(request, 'timer');
    const seconds = (peerCan ? asked?.seconds : undefined) ?? options?.seconds;
    if (options === undefined || seconds === undefined) return [];
    const interval = Math.max(seconds, this.#minSeconds, minSeOf(request) ?? 0);
    const refresher = peerCan ? (asked?.refresher ?? options.refresher ?? 'uac') : 'uas';
    this.#arm(interval, refresher === 'uas');
    return [
      ...(peerCan ? [{ name: 'Require', value: 'timer' }] : []),
      { name: 'Session-Expires', value: `${interval};refresher=${refresher}` },
    ];
  }

  /** A 2xx to our INVITE or refresh: what it says replaces what was agreed (§7.2). */
  agreed(response: SipResponse): void {
    this.#disarm();
    const interval = sessionIntervalOf(response);
    if (this.#parts.options === undefined || interval === undefined) return;
    this.#arm(interval.seconds, interval.refresher !== 'uas');
  }

  stop(): void {
    this.#isStopped = true;
    this.#disarm();
  }

  #ask(seconds: number, refresher: string): SipHeaderField[] {
    return [
      { name: 'Session-Expires', value: `${seconds}${refresher}` },
      { name: 'Min-SE', value: String(this.#minSeconds) },
    ];
  }

  #arm(seconds: number, weRefresh: boolean): void {
    if (this.#isStopped) return;
    const { timers, onExpired } = this.#parts;
    const earlySeconds = Math.min(EARLY_BYE_SECONDS_MAX, seconds / 3);
    this.#expiryTimer = timers.schedule((seconds - earlySeconds) * 1_000, onExpired);
    if (!weRefresh) return;
    this.#refreshTimer = timers.schedule((seconds / 2) * 1_000, () => this.#refresh(seconds));
  }

  /** Until it has succeeded the old interval goes on, and ends the call if need be. */
  #refresh(seconds: number): void {
    const interval = Math.max(seconds, this.#minSeconds);
    this.#parts.refresh(this.#ask(interval, ';refresher=uac'), (response) => {
      if (this.#isStopped) return;
      if (response.statusCode < 300) {
        this.agreed(response);
        // A peer without timers says nothing; asking it on still shows when it has gone.
        if (sessionIntervalOf(response) === undefined) this.#arm(interval, true);
      } else if (this.enlarge(response)) this.#refresh(seconds);
    });
  }

  #disarm(): void {
    this.#refreshTimer?.cancel();
    this.#expiryTimer?.cancel();
  }
}

/** The Min-SE of the 422 that a request deserves (§9); undefined when it can be taken. */
export function intervalRefusal(
  request: SipRequest,
  options: SessionTimerOptions | undefined,
): SipHeaderField[] | undefined {
  if (options === undefined || !supports(request, 'timer')) return undefined;
  const minSeconds = minSecondsOf(options);
  if (!asksTooSmallInterval(request, minSeconds)) return undefined;
  return [{ name: 'Min-SE', value: String(minSeconds) }];
}

function minSecondsOf(options: SessionTimerOptions | undefined): number {
  return Math.max(MIN_SE_SECONDS, options?.minSeconds ?? 0);
}
