/**
 * The part of drachtio-srf 5.0 that the gateway uses, with the types it has in fact. The package's
 * own declarations are looser and leave out what matters here (where a response came from, which
 * transaction a request became), so srf.ts casts once and nobody else does.
 */
import type { Socket } from 'node:net';

export interface SipMessage {
  readonly body: string | undefined;
  get(header: string): string | undefined;
  has(header: string): boolean;
  /** Who made it: `application` is the switch itself, on a request without being asked. */
  readonly source: 'network' | 'application';
  /** Empty on a response that the stack made up (timer B, transport error). */
  readonly source_address: string;
  readonly source_port?: number | string;
}

export interface SipResponse extends SipMessage {
  readonly status: number;
  readonly reason: string;
  readonly stackDialogId: string | undefined;
  /** As UAS: the answer to a request that the network sent us. */
  send(status: number, options?: { headers?: Record<string, string>; body?: string }): void;
}

export interface SipRequest extends SipMessage {
  readonly method: string;
  readonly uri: string;
  /** The switch's name for the transaction; a digest retry gets a new one, and srf follows it. */
  readonly stackTxnId: string;
  readonly stackDialogId: string | undefined;
  cancel(callback: (error: Error | null) => void): void;
  on(event: 'response', listener: (response: SipResponse) => void): void;
}

export interface SipDialog {
  /** `<Call-ID>;from-tag=<tag>`: any connection with our tag may use it. */
  readonly id: string;
  readonly sip: {
    readonly callId: string;
    readonly localTag: string;
    readonly remoteTag: string | undefined;
  };
  readonly local: { sdp: string };
  readonly remote: { readonly sdp: string | undefined; readonly uri: string };
  readonly req: SipRequest;
  readonly res: SipResponse;
  on(event: 'destroy', listener: (bye: SipRequest, reason: string) => void): this;
  on(
    event: 'modify' | 'update' | 'info' | 'refer',
    listener: (request: SipRequest, response: SipResponse) => void,
  ): this;
  once(event: 'ack', listener: (ack: SipRequest) => void): this;
  removeAllListeners(): this;
  modify(sdp: string): Promise<string>;
  destroy(): Promise<unknown>;
}

export interface SipFailure extends Error {
  /** Set on a final response that built no dialog; absent when the request never left. */
  readonly status?: number;
  readonly res?: SipResponse;
  /** ENODIALOG: the switch does not know the dialog (any more). */
  readonly code?: string;
}

export interface InviteOptions {
  readonly headers: Record<string, string>;
  readonly localSdp?: string;
  /** Next hop instead of the Request-URI's host. */
  readonly proxy?: string;
}

export interface RequestOptions {
  readonly method: 'BYE' | 'CANCEL' | 'OPTIONS' | 'NOTIFY' | 'REGISTER';
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly stackDialogId?: string;
  readonly stackTxnId?: string;
  /** Next hop instead of the Request-URI's host. */
  readonly proxy?: string;
}

/** The connection inside srf: reached only to be able to give one up (srf has no call for that). */
export interface DrachtioAgent {
  readonly mapServer: ReadonlyMap<Socket, unknown>;
  readonly wp: { closing?: boolean; on(event: 'connect', listener: (s: Socket) => void): void };
  on(event: 'error', listener: () => void): void;
  removeAllListeners(): void;
}

export interface SrfPort {
  readonly app: { readonly client?: DrachtioAgent };
  connect(options: {
    host: string;
    port: number;
    secret: string;
    /** Whose dialogs these are: a connection with the same tags takes over from a lost one. */
    tags: string[];
    /** 1: srf leaves reconnecting to us; its own never resets a hung attempt and has no upper bound. */
    reconnect: { maxAttempts: 1 };
  }): unknown;
  on(
    event: 'connect',
    listener: (error: Error | null, hostports?: string, version?: string) => void,
  ): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
  /** Registers for a method; requests inside a known dialog never get here. */
  use(method: string, handler: (request: SipRequest, response: SipResponse) => void): unknown;
  /** Callback form only: a BYE in the same TCP segment as the 200 must find its listener. */
  createUAC(
    uri: string,
    options: InviteOptions,
    progress: {
      cbRequest(error: Error | null, request?: SipRequest): void;
      cbProvisional(response: SipResponse): void;
    },
    done: (error: SipFailure | null, dialog?: SipDialog) => void,
  ): unknown;
  /** Answers an INVITE of the network with 200 and that SDP. */
  createUAS(
    request: SipRequest,
    response: SipResponse,
    options: { localSdp: string; headers?: Record<string, string> },
    done: (error: Error | null, dialog?: SipDialog) => void,
  ): unknown;
  request(
    uri: string,
    options: RequestOptions,
    sent: (error: SipFailure | null, request?: SipRequest) => void,
  ): unknown;
  removeDialog(dialog: SipDialog): void;
}
