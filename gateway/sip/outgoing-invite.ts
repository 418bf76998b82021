/**
 * One INVITE as UAC, through srf, with every end of it settled exactly once.
 *
 * What srf leaves to its caller and is done here: CANCEL asked for before the request was echoed by
 * the switch waits for the echo; only status 200 builds a dialog in srf, so any other 2xx, and a 200
 * without Contact, is told apart from a refusal (somebody did pick up); a connection that drops
 * settles the INVITE as lost.
 */
import type { GatewayClock } from '../clock.ts';
import type { GatewayCounters } from '../counters.ts';
import type {
  InviteOptions,
  SipDialog,
  SipFailure,
  SipRequest,
  SipResponse,
  SrfPort,
} from './srf.port.ts';

/** Enough to end the INVITE or its dialog over another connection. */
export interface InviteIdentity {
  readonly callId: string;
  readonly transactionId: string;
  /** What the dialog is called, once there is one. */
  readonly dialogId: string;
  readonly uri: string;
}

export type InviteFailure =
  | { readonly kind: 'final'; readonly response: SipResponse }
  /** A 2xx that cannot be used as an answer: the dialog exists and must be ended. */
  | { readonly kind: 'unusable2xx'; readonly response: SipResponse; readonly problem: string }
  /** It never left. */
  | { readonly kind: 'notSent'; readonly problem: string };

export interface InviteHandlers {
  onSent(identity: InviteIdentity): void;
  onProvisional(response: SipResponse): void;
  onAnswered(dialog: SipDialog): void;
  onFailed(failure: InviteFailure): void;
  /** The connection to the switch ended first: what became of the INVITE is not known. */
  onLost(): void;
}

/** The echo of a request comes within milliseconds; a switch that needs longer is dead or hung. */
export const ECHO_LIMIT_MS = 5_000;

export interface OutgoingInviteParts {
  readonly srf: SrfPort;
  readonly counters: GatewayCounters;
  readonly clock: GatewayClock;
  readonly uri: string;
  readonly options: InviteOptions;
  readonly handlers: InviteHandlers;
}

export class OutgoingInvite {
  readonly #parts: OutgoingInviteParts;
  #request: SipRequest | undefined;
  #echoTimer: unknown;
  #cancelled = false;
  #settled = false;
  #onSettled: (() => void) | undefined;

  constructor(parts: OutgoingInviteParts) {
    this.#parts = parts;
  }

  get identity(): InviteIdentity | undefined {
    return this.#request === undefined ? undefined : identityOf(this.#request);
  }

  onSettled(listener: () => void): void {
    if (this.#settled) listener();
    else this.#onSettled = listener;
  }

  launch(onNoEcho: () => void): void {
    const { srf, uri, options, clock } = this.#parts;
    this.#echoTimer = clock.setTimeout(onNoEcho, ECHO_LIMIT_MS);
    const progress = {
      cbRequest: (error: Error | null, request?: SipRequest) => {
        if (error === null && request !== undefined) this.#onEcho(request);
      },
      cbProvisional: (response: SipResponse) => {
        if (!this.#settled) this.#parts.handlers.onProvisional(response);
      },
    };
    try {
      srf.createUAC(uri, options, progress, (error, dialog) => this.#onDone(error, dialog));
    } catch (error) {
      this.#settle()?.onFailed({ kind: 'notSent', problem: (error as Error).message });
    }
  }

  /** The switch holds the CANCEL back until a provisional response came (RFC 3261 §9.1). */
  cancel(): void {
    if (this.#cancelled || this.#settled) return;
    this.#cancelled = true;
    if (this.#request !== undefined) this.#sendCancel(this.#request);
  }

  linkLost(): void {
    this.#settle()?.onLost();
  }

  /** Stops listening: whoever gave up on the answer has handed the INVITE to the dialog closer. */
  abandon(): void {
    this.#settle();
  }

  #onEcho(request: SipRequest): void {
    this.#parts.clock.clearTimeout(this.#echoTimer);
    this.#request = request;
    if (this.#settled) return;
    this.#parts.handlers.onSent(identityOf(request));
    if (this.#cancelled) this.#sendCancel(request);
  }

  #sendCancel(request: SipRequest): void {
    this.#parts.counters.cancelsSent += 1;
    // An error means that the final response is on its way up already.
    request.cancel(() => undefined);
  }

  #onDone(error: SipFailure | null, dialog: SipDialog | undefined): void {
    const handlers = this.#settle();
    if (handlers === undefined) {
      // Answered after we stopped waiting: nobody else will hang it up.
      if (dialog !== undefined) void dialog.destroy().catch(() => undefined);
      return;
    }
    if (dialog !== undefined) handlers.onAnswered(dialog);
    else if (error !== null) handlers.onFailed(failureOf(error));
  }

  #settle(): InviteHandlers | undefined {
    if (this.#settled) return undefined;
    this.#settled = true;
    this.#parts.clock.clearTimeout(this.#echoTimer);
    this.#onSettled?.();
    return this.#parts.handlers;
  }
}

function failureOf(error: SipFailure): InviteFailure {
  const response = error.res;
  if (response === undefined) return { kind: 'notSent', problem: error.message };
  if (response.status >= 300) return { kind: 'final', response };
  const problem = response.has('Contact')
    ? `answered ${response.status} instead of 200`
    : 'answered without a Contact';
  return { kind: 'unusable2xx', response, problem };
}

function identityOf(request: SipRequest): InviteIdentity {
  const callId = request.get('Call-ID') ?? '';
  const fromTag = /;tag=([^;\s>]+)/i.exec(request.get('From') ?? '')?.[1] ?? '';
  return {
    callId,
    transactionId: request.stackTxnId,
    dialogId: `${callId};from-tag=${fromTag}`,
    uri: request.uri,
  };
}
