/**
 * The connection to drachtio-server: kept up with back-off, and every request sent over it settled.
 *
 * srf keeps a request that was never answered for ever when its TCP connection drops. So each request
 * here also listens to the end of the connection it was sent on, and to a time limit.
 */
import { Backoff } from '../backoff.ts';
import type { GatewayClock } from '../clock.ts';
import type { GatewayCounters } from '../counters.ts';
import type { GatewayLog } from '../gateway-log.ts';
import { OneTimeSignal } from '../one-time-signal.ts';
import { Authorization, type DigestAccount } from './authorization.ts';
import { OutgoingInvite, type InviteHandlers } from './outgoing-invite.ts';
import { repetitionOf } from './repetition.ts';
import { SipLinkConnector, type LinkProblem } from './sip-link-connector.ts';
import type {
  InviteOptions,
  RequestOptions,
  SipDialog,
  SipFailure,
  SipRequest,
  SipResponse,
  SrfPort,
} from './srf.port.ts';

export interface SipLinkOptions {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  readonly connectTimeoutMs: number;
  readonly reconnectDelayMinMs: number;
  readonly reconnectDelayMaxMs: number;
}

export interface SipLinkParts {
  readonly srf: SrfPort;
  readonly options: SipLinkOptions;
  readonly clock: GatewayClock;
  readonly log: GatewayLog;
  readonly counters: GatewayCounters;
}

export type RequestOutcome =
  | { readonly kind: 'response'; readonly response: SipResponse }
  /** drachtio would not send it: the dialog is gone, the URI cannot be used. */
  | { readonly kind: 'refused'; readonly error: SipFailure }
  | { readonly kind: 'lost' }
  | { readonly kind: 'timeout' };

/**
 * Longer than timer F (32 s, RFC 3261 §17.1.2.2), after which the switch itself makes up a 408: our
 * own limit is only for a switch that says nothing at all.
 */
export const REQUEST_LIMIT_MS = 35_000;

export interface RequestMore {
  readonly limitMs?: number;
  readonly account?: DigestAccount;
  readonly onSent?: (request: SipRequest) => void;
}

export class SipLink {
  readonly #parts: SipLinkParts;
  readonly #connector: SipLinkConnector;
  readonly #backoff: Backoff;
  readonly #upListeners: (() => void)[] = [];
  readonly #downListeners: ((problem: LinkProblem) => void)[] = [];
  /** Fires when the connection that is up now ends. Absent while there is none. */
  #current: OneTimeSignal<LinkProblem> | undefined;
  #problem: LinkProblem = { code: 'SWITCH_CONNECT_FAILED', detail: 'not connected yet' };
  #reconnectTimer: unknown;
  #closed = false;

  constructor(parts: SipLinkParts) {
    this.#parts = parts;
    const { options } = parts;
    this.#backoff = new Backoff({
      minMs: options.reconnectDelayMinMs,
      maxMs: options.reconnectDelayMaxMs,
    });
    this.#connector = new SipLinkConnector(parts, {
      onUp: (hostports) => this.#onUp(hostports),
      onDown: (problem) => this.#onDown(problem),
    });
  }

  get isUp(): boolean {
    return this.#current !== undefined;
  }

  /** Why it is down, or was last. */
  get problem(): LinkProblem {
    return this.#problem;
  }

  onUp(listener: () => void): void {
    this.#upListeners.push(listener);
  }

  /** Called when a connection that was up is lost; never for a try that failed. */
  onDown(listener: (problem: LinkProblem) => void): void {
    this.#downListeners.push(listener);
  }

  start(): void {
    this.#connector.connect();
  }

  /** Drops the connection, as when the switch no longer answers on it, and connects again. */
  reset(detail: string): void {
    if (!this.#closed) this.#connector.giveUp(detail);
  }

  /** The INVITE leaves at once; `handlers` hear exactly one of answered, failed and lost. */
  invite(uri: string, options: InviteOptions, handlers: InviteHandlers): OutgoingInvite {
    const { srf, counters, clock } = this.#parts;
    const invite = new OutgoingInvite({ srf, counters, clock, uri, options, handlers });
    if (this.#current === undefined) invite.linkLost();
    else {
      const stopListening = this.#current.onFire(() => invite.linkLost());
      invite.onSettled(stopListening);
      invite.launch(() => this.reset('an INVITE was not acknowledged'));
    }
    return invite;
  }

  /** With an account a challenge is answered, once for each realm; the last final response counts. */
  async request(
    uri: string,
    options: RequestOptions,
    more: RequestMore = {},
  ): Promise<RequestOutcome> {
    const authorization = more.account === undefined ? undefined : new Authorization(more.account);
    let next = { uri, options };
    for (;;) {
      let sentUri = next.uri;
      const outcome = await this.#requestOnce(next.uri, next.options, {
        ...more,
        onSent: (request) => {
          sentUri = request.uri;
          more.onSent?.(request);
        },
      });
      if (outcome.kind !== 'response' || authorization?.accept(outcome.response) !== true) {
        return outcome;
      }
      const { method, body = '', stackDialogId } = options;
      const credentials = authorization.headersFor({ method, uri: sentUri, body });
      // Inside a dialog the switch counts the CSeq and knows the way.
      const again =
        stackDialogId === undefined ? repetitionOf(outcome.response, method, uri) : { headers: {} };
      const headers = { ...options.headers, ...again.headers, ...credentials };
      next = { uri, options: { ...options, ...again, headers } };
    }
  }

  #requestOnce(uri: string, options: RequestOptions, more: RequestMore): Promise<RequestOutcome> {
    const current = this.#current;
    if (current === undefined) return Promise.resolve({ kind: 'lost' });
    const { srf, clock } = this.#parts;
    return new Promise((resolve) => {
      const settle = (outcome: RequestOutcome): void => {
        stopListening();
        clock.clearTimeout(limit);
        resolve(outcome);
      };
      const stopListening = current.onFire(() => settle({ kind: 'lost' }));
      const limit = clock.setTimeout(
        () => settle({ kind: 'timeout' }),
        more.limitMs ?? REQUEST_LIMIT_MS,
      );
      try {
        srf.request(uri, options, (error, request) => {
          if (error !== null || request === undefined) {
            settle({ kind: 'refused', error: error ?? new Error('not sent') });
            return;
          }
          more.onSent?.(request);
          request.on('response', (response) => {
            if (response.status >= 200) settle({ kind: 'response', response });
          });
        });
      } catch (error) {
        settle({ kind: 'refused', error: error as Error });
      }
    });
  }

  /** Tells the switch something to which no answer comes up (CANCEL by transaction). */
  tell(uri: string, options: RequestOptions): void {
    if (this.#current === undefined) return;
    try {
      this.#parts.srf.request(uri, options, (error) => {
        if (error !== null) this.#parts.log.debug({ err: error }, 'the switch refused a request');
      });
    } catch (error) {
      this.#parts.log.debug({ err: error }, 'the switch could not be told');
    }
  }

  /** srf forgets the dialog: requests of the far end in it are then answered 481 by sip-routes.ts. */
  forget(dialog: SipDialog): void {
    this.#parts.srf.removeDialog(dialog);
    dialog.removeAllListeners();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#parts.clock.clearTimeout(this.#reconnectTimer);
    this.#connector.close();
    this.#lose({ code: 'SWITCH_CONNECT_FAILED', detail: 'the gateway was closed' });
  }

  #onUp(hostports: string): void {
    if (this.#closed) return;
    const { log, counters, options } = this.#parts;
    this.#current = new OneTimeSignal();
    this.#backoff.reset();
    counters.signallingConnected += 1;
    log.info({ host: options.host, port: options.port, sip: hostports }, 'drachtio connected');
    for (const listener of this.#upListeners) listener();
  }

  #onDown(problem: LinkProblem): void {
    if (this.#closed) return;
    const { log, clock, counters } = this.#parts;
    const wasUp = this.isUp;
    const pauseMs = this.#backoff.take();
    if (wasUp) counters.signallingLost += 1;
    log.warn({ ...problem, pauseMs }, wasUp ? 'drachtio lost' : 'drachtio not reached');
    // Before the listeners: what they await may need the timer that brings the connection back.
    this.#reconnectTimer = clock.setTimeout(() => this.#connector.connect(), pauseMs);
    this.#lose(problem);
  }

  #lose(problem: LinkProblem): void {
    const lost = this.#current;
    this.#current = undefined;
    this.#problem = problem;
    if (lost === undefined) return;
    lost.fire(problem);
    for (const listener of this.#downListeners) listener(problem);
  }
}
