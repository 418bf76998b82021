import type { ClientHandlers, ClientTransaction, ResponseOrigin } from './client-transaction.ts';
import type { SipHeaderField, SipRequest, SipResponse } from './message.ts';
import type { SipAddress } from './sip-address.ts';

/** One transaction towards one server, and the servers that are left once the name is looked up. */
interface Attempt {
  readonly transaction: ClientTransaction;
  readonly alternatives: () => readonly SipAddress[];
}

type StartAttempt = (
  request: SipRequest,
  destination: SipAddress,
  handlers: ClientHandlers,
) => Attempt;

/**
 * A request to a host name that several servers stand behind: where one fails, the next is tried, in
 * a transaction of its own (RFC 3263 §4.3). A failure is a request that could not be delivered, or a
 * 503; every other response is the answer. An INVITE goes on only where nothing can be ringing: not
 * after a time-out, nor after a connection that broke with the INVITE on it, though the RFC would.
 */
export class FailoverTransaction implements ClientTransaction {
  readonly #handlers: ClientHandlers;
  readonly #start: StartAttempt;
  #current!: ClientTransaction; // set before the constructor ends
  #servers: readonly SipAddress[] | undefined; // left to try; unknown until the first has failed
  #isCancelled = false;

  constructor(
    request: SipRequest,
    destination: SipAddress,
    handlers: ClientHandlers,
    start: StartAttempt,
  ) {
    this.#handlers = handlers;
    this.#start = start;
    this.#try(request, destination);
  }

  get id(): string {
    return this.#current.id;
  }

  get request(): SipRequest {
    return this.#current.request;
  }

  get destination(): SipAddress {
    return this.#current.destination;
  }

  get bytesSent(): Buffer {
    return this.#current.bytesSent;
  }

  get state(): string {
    return this.#current.state;
  }

  cancel(headers?: readonly SipHeaderField[]): void {
    this.#isCancelled = true;
    this.#current.cancel(headers);
  }

  #try(request: SipRequest, destination: SipAddress): void {
    let isOver = false;
    // Nothing is told before the attempt is here: transports and timers speak later.
    const attempt: Attempt = this.#start(request, destination, {
      onResponse: (response, from) => {
        const next = isFailure(request.method, response, from) ? this.#next(attempt) : undefined;
        if (next === undefined) {
          if (!isOver) this.#handlers.onResponse(response, from);
          return;
        }
        isOver = true;
        // Without the Via of the server that failed; the rest is the same request.
        this.#try({ ...request, headers: request.headers.slice(1) }, next);
      },
      onTerminated: () => {
        if (!isOver) this.#handlers.onTerminated?.();
      },
    });
    this.#current = attempt.transaction;
  }

  #next(attempt: Attempt): SipAddress | undefined {
    if (this.#isCancelled) return undefined;
    this.#servers ??= attempt.alternatives();
    const [next, ...others] = this.#servers;
    this.#servers = others;
    return next;
  }
}

function isFailure(
  method: string,
  { statusCode }: SipResponse,
  { source, problem }: ResponseOrigin,
): boolean {
  if (statusCode === 408 && source === 'stack') return method !== 'INVITE';
  if (statusCode !== 503) return false;
  return method !== 'INVITE' || source === 'network' || !BROKEN_ON_THE_WAY.has(problem ?? '');
}

const BROKEN_ON_THE_WAY = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT']);
