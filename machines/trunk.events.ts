/** What a trunk's machine hears, and what it is given. */
import type { TrunkClosure, TrunkState } from './gateway-events.ts';

export interface TrunkSettings {
  /** Pause between two OPTIONS; 0: none are sent. */
  readonly keepAliveMs: number;
  /** Asked for at the registrar, seconds; 0: the trunk wants no registration. */
  readonly registerSeconds: number;
  /** A suspended trunk is tried again after this; 0: only when somebody says so. */
  readonly suspendMs: number;
}

export type TrunkEvent =
  /** An INVITE was answered by the trunk, whatever it said of the call. */
  | { readonly type: 'call.worked'; readonly detail: string }
  /** An INVITE could not be delivered. */
  | { readonly type: 'call.failed'; readonly detail: string }
  /** The one call that may try a trunk that takes none is on its way. */
  | { readonly type: 'call.tried' }
  /** Credentials were refused, or demanded and not configured. */
  | { readonly type: 'auth.refused'; readonly detail: string }
  | { readonly type: 'options.done'; readonly outcome: OptionsOutcome }
  | { readonly type: 'register.done'; readonly outcome: RegisterOutcome }
  /** Too many of the numbers dialled of late do not exist, says the trunk. */
  | { readonly type: 'share.exceeded'; readonly detail: string }
  | { readonly type: 'operator.suspend'; readonly detail: string }
  /** Closed before, and not over: by a gateway of before, or at another one. `forMs` 0: by hand. */
  | {
      readonly type: 'closure.restored';
      readonly cause: TrunkClosure['cause'];
      readonly detail: string;
      readonly forMs: number;
    }
  | { readonly type: 'operator.resume' }
  | { readonly type: 'gateway.closing' };

export interface OptionsOutcome {
  /** unknown: our own switch could not ask. */
  readonly state: 'up' | 'down' | 'unknown';
  readonly detail: string;
  /** There is proof that no INVITE can arrive: a closed port, a name that does not resolve. */
  readonly isDead: boolean;
}

export type RegisterOutcome =
  /** `seconds`: for how long, as the registrar granted it. */
  | { readonly kind: 'registered'; readonly seconds: number; readonly detail: string }
  /** 423: it wants longer registrations than ours. */
  | { readonly kind: 'tooBrief'; readonly seconds: number }
  | { readonly kind: 'authRefused'; readonly detail: string; readonly lot: number }
  /** `lot` in [0, 1) spreads the next try; `retryAfterMs` is the registrar's own wish. */
  | {
      readonly kind: 'failed';
      readonly detail: string;
      readonly lot: number;
      readonly retryAfterMs: number | null;
    };

/** Calls are refused, for a time. */
export interface TrunkPause {
  readonly cause: TrunkClosure['cause'];
  /** 0: until somebody says so. */
  readonly forMs: number;
}

export interface TrunkMachineContext {
  readonly settings: TrunkSettings;
  readonly detail: string;
  /** The last of them: another object each time. */
  readonly pause: TrunkPause | null;
  /** Seconds asked of the registrar next. */
  readonly registerSeconds: number;
  /** Until the next REGISTER. */
  readonly registerPauseMs: number;
  readonly registerFailures: number;
  /** Tries in vain since calls are refused: each doubles the pause. */
  readonly vainTries: number;
}

export type TrunkStateName = TrunkState['state'];
