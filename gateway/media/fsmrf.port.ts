/**
 * The parts of drachtio-fsmrf 4.1 and of its event-socket library that the gateway uses, as they are
 * in fact: the packages have no types of their own. fsmrf.ts casts once and nobody else does.
 */
import type { EventEmitter } from 'node:events';
import type { Server, Socket } from 'node:net';
import type { SipDialog } from '../sip/srf.port.ts';

export interface EslEvent {
  getHeader(name: string): string | undefined;
  getBody(): string | undefined;
}

/** One event socket. It connects by itself, and again by itself when it drops, unless `closing`. */
export interface EslConnection {
  socket: Socket | null;
  closing?: boolean;
  send(command: string, args?: Record<string, string>): void;
  api(command: string, reply: (event: EslEvent) => void): void;
  sendRecv(command: string, reply: (event: EslEvent) => void): void;
  /** In addition to what is told already. */
  subscribe(events: string): void;
  on(event: string, listener: (value: never) => void): void;
  removeAllListeners(event?: string): void;
}

export type EslConnectionClass = new (
  host: string,
  port: number,
  password: string,
  onReady: () => void,
) => EslConnection;

/** One channel of FreeSWITCH, with its event socket and its SIP dialog. */
export interface FsmrfEndpoint extends EventEmitter {
  readonly uuid: string;
  /** null once the event socket of the channel has ended. */
  readonly conn: EslConnection | null;
  readonly dialog: SipDialog | null;
  readonly local: { readonly sdp: string | undefined };
  execute(application: string, argument: string): Promise<EslEvent>;
  api(command: string, argument: string): Promise<EslEvent>;
}

export interface FsmrfMediaServer extends EventEmitter {
  readonly maxSessions: number;
  readonly currentSessions: number;
  /** FreeSWITCH connects to this one, once for each endpoint. */
  readonly _server?: EventEmitter & { readonly server: Server };
  createEndpoint(options: { headers?: Record<string, string> }): Promise<FsmrfEndpoint>;
  disconnect(): void;
}

export type MediaServerClass = new (
  connection: EslConnection,
  mrf: { readonly srf: EndpointSignallingPort; readonly customEvents: readonly string[] },
  listenAddress: string,
  listenPort: number,
  advertisedAddress: string | undefined,
  advertisedPort: number | undefined,
  profile: string,
) => FsmrfMediaServer;

/** All that fsmrf asks of drachtio-srf in order to make an endpoint. */
export interface EndpointSignallingPort {
  createUAC(
    uri: string,
    options: { headers: Record<string, string>; localSdp?: string },
  ): Promise<SipDialog>;
}
