/**
 * drachtio-srf as the tests use it. The package's own types leave out promises it returns and
 * arguments it takes, so the part used here is described as it behaves.
 */
import { once } from 'node:events';
import type { EventEmitter } from 'node:events';
import Srf from 'drachtio-srf';

export interface SrfMessage {
  readonly body: string;
  readonly source: string;
  readonly source_address: string;
  readonly source_port: number;
  readonly protocol: string;
  readonly stackTxnId: string;
  readonly stackDialogId: string;
  readonly receivedOn?: string;
  get(name: string): string;
  has(name: string): boolean;
  getParsedHeader(name: string): { uri: string; params: Record<string, string> };
}

export interface SrfRequest extends SrfMessage, EventEmitter {
  readonly method: string;
  readonly uri: string;
  cancel(
    options?: { headers?: Record<string, string> },
    callback?: (error: Error | null, request?: SrfRequest) => void,
  ): void;
}

export interface SrfResponse extends SrfMessage {
  readonly status: number;
  readonly reason: string;
  send(
    status: number,
    options?: { headers?: Record<string, string>; body?: string },
    callback?: (error: unknown, sent?: SrfMessage) => void,
    onPrack?: (prack: SrfRequest) => void,
  ): void;
}

export interface SrfDialog extends EventEmitter {
  readonly id: string;
  readonly sip: { callId: string; localTag: string; remoteTag: string };
  readonly local: { uri: string; sdp: string };
  readonly remote: { uri: string; sdp: string };
  readonly res: SrfResponse;
  destroy(options?: { headers?: Record<string, string> }): Promise<SrfRequest>;
  modify(sdp: string): Promise<string>;
  request(options: {
    method: string;
    headers?: Record<string, string>;
    body?: string;
  }): Promise<SrfResponse>;
}

export interface UacOptions {
  localSdp?: string;
  headers?: Record<string, string>;
  callingNumber?: string;
  auth?: { username: string; password: string };
  proxy?: string;
  noAck?: boolean;
  followRedirects?: boolean;
}

/** A request from the network with the response the application fills in. */
export interface IncomingPair {
  readonly request: SrfRequest;
  readonly response: SrfResponse;
}

/** What `createUAC` rejects with. */
export interface SrfError extends Error {
  readonly status?: number;
  readonly reason?: string;
  readonly code?: string;
  readonly res?: SrfResponse;
}

interface SrfInstance extends EventEmitter {
  connect(options: ControlTarget & { reconnect?: { maxAttempts: number } }): void;
  disconnect(): void;
  createUAC(
    uri: string,
    options: UacOptions,
    progress?: {
      cbRequest?: (error: Error | null, request: SrfRequest) => void;
      cbProvisional?: (response: SrfResponse) => void;
    },
  ): Promise<unknown>;
  createUAS(
    request: SrfRequest,
    response: SrfResponse,
    options: { localSdp: string; headers?: Record<string, string> },
  ): Promise<SrfDialog>;
  request(
    uri: string,
    options: { method: string; headers?: Record<string, string>; body?: string; auth?: unknown },
    callback: (error: Error | null, request: SrfRequest) => void,
  ): void;
  use(method: string, handler: (request: SrfRequest, response: SrfResponse) => void): void;
}

export interface ControlTarget {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
}

/** One drachtio-srf application, connected and authenticated. */
export class SrfClient {
  readonly srf: SrfInstance;
  /** `tcp/127.0.0.1:5070,udp/127.0.0.1:5070` */
  readonly hostPorts: string;
  #isOpen = true;

  static async connect(target: ControlTarget, tag = 'contract'): Promise<SrfClient> {
    const srf = new Srf(tag) as unknown as SrfInstance;
    const { host, port, secret } = target;
    srf.connect({ host, port, secret, reconnect: { maxAttempts: 1 } });
    const [error, hostPorts] = (await once(srf, 'connect')) as [Error | null, string?];
    if (error !== null || hostPorts === undefined) {
      srf.disconnect();
      throw error ?? new Error('no host ports');
    }
    srf.on('error', () => undefined); // a switch that stops under us is the test's business
    return new SrfClient(srf, hostPorts);
  }

  private constructor(srf: SrfInstance, hostPorts: string) {
    this.srf = srf;
    this.hostPorts = hostPorts;
  }

  /** Where SIP reaches the switch over UDP, as a URI. */
  uri(user: string): string {
    const hostPort = /udp\/([^,]+)/.exec(this.hostPorts)?.[1] ?? '';
    return `sip:${user}@${hostPort}`;
  }

  /** Starts a call; the request as sent and every provisional response can be awaited meanwhile. */
  call(uri: string, options: UacOptions): SrfCall {
    return new SrfCall(this.srf, uri, options);
  }

  /** Sends a request outside a dialog and waits for its final response. */
  request(
    uri: string,
    options: { method: string; headers?: Record<string, string>; body?: string; auth?: unknown },
  ): Promise<{ sent: SrfRequest; response: SrfResponse }> {
    // The response may come in the same read as the echo: nothing may be awaited in between.
    return new Promise((resolve, reject) => {
      this.srf.request(uri, options, (error, sent) => {
        if (error !== null) reject(error);
        else sent.once('response', (response: SrfResponse) => resolve({ sent, response }));
      });
    });
  }

  /**
   * Asks for requests of that method; resolves when the switch has heard it, so that a request sent
   * from then on arrives here. `arrived` is the first one.
   */
  async expect(method: string): Promise<{ readonly arrived: Promise<IncomingPair> }> {
    const arrived = new Promise<IncomingPair>((resolve) => {
      this.srf.use(method.toLowerCase(), (request, response) => resolve({ request, response }));
    });
    await this.heard();
    return { arrived };
  }

  /** Resolves when the switch has dealt with all this client has said so far. */
  async heard(): Promise<void> {
    // A request to the switch itself is refused on the spot, in its turn on the connection.
    const refused = this.request(this.uri('barrier'), { method: 'OPTIONS' });
    await refused.catch(() => undefined);
  }

  /** May be called twice, by a test and by its teardown. */
  close(): void {
    if (this.#isOpen) this.srf.disconnect();
    this.#isOpen = false;
  }

  /** Closes; resolves when the switch has noticed. */
  async closed(): Promise<void> {
    const closed = once(this.srf, 'close');
    this.close();
    await closed;
  }
}

export class SrfCall {
  /** Settles with the dialog, or with the error drachtio-srf gives. */
  readonly outcome: Promise<SrfDialog>;
  readonly sent: Promise<SrfRequest>;
  readonly provisionals: SrfResponse[] = [];
  readonly #waiting: (() => void)[] = [];

  constructor(srf: SrfInstance, uri: string, options: UacOptions) {
    let onSent: ((request: SrfRequest) => void) | undefined;
    this.sent = new Promise((resolve) => (onSent = resolve));
    this.outcome = srf.createUAC(uri, options, {
      cbRequest: (error, request) => {
        if (error === null) onSent?.(request);
      },
      cbProvisional: (response) => {
        this.provisionals.push(response);
        for (const wake of this.#waiting.splice(0)) wake();
      },
    }) as Promise<SrfDialog>;
    this.outcome.catch(() => undefined); // awaited later by whoever expects the failure
  }

  /** The first provisional response with that status. */
  async provisional(status: number): Promise<SrfResponse> {
    for (;;) {
      const found = this.provisionals.find((response) => response.status === status);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** The error of a call that must not succeed. */
  async failure(): Promise<SrfError> {
    const outcome = await this.outcome.then(
      () => undefined,
      (error: unknown) => error as SrfError,
    );
    if (outcome === undefined) throw new Error('the call was answered');
    return outcome;
  }
}
