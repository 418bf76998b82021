/**
 * drachtio-fsmrf 4.1.2, unmodified, as the tests use it. The package has no types of its own, so the
 * part used here is described as it behaves.
 */
import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type { SrfClient, SrfDialog } from './srf-client.ts';

export interface EslEvent {
  getHeader(name: string): string | null;
  getBody(): string;
}

interface EslConnection extends EventEmitter {
  socket: Socket | null;
  send(command: string, args?: Record<string, string>): void;
  sendRecv(command: string, reply: (event: EslEvent) => void): void;
  bgapi(command: string, argument: string, reply: (event: EslEvent) => void): void;
  subscribe(events: string): void;
}

export interface Playback {
  readonly playbackSeconds: string;
  readonly playbackMilliseconds: string;
  readonly playbackLastOffsetPos: string;
}

export interface Endpoint extends EventEmitter {
  readonly uuid: string;
  readonly conn: EslConnection;
  readonly dialog: SrfDialog;
  readonly connected: boolean;
  readonly local: { readonly sdp: string; readonly mediaIp: string; readonly mediaPort: string };
  readonly remote: { readonly sdp: string; readonly mediaIp: string; readonly mediaPort: string };
  readonly sip: { readonly callId: string };
  readonly dtmfType: string;
  modify(sdp: string): Promise<unknown>;
  play(file: string | string[] | { file: string; timeoutSecs?: number }): Promise<Playback>;
  playCollect(options: Record<string, string | number>): Promise<{
    readonly digits: string | null;
    readonly invalidDigits: string | null;
    readonly terminatorUsed: string | null;
  }>;
  bridge(other: Endpoint): Promise<void>;
  unbridge(): Promise<void>;
  join(
    conference: string,
    options?: { flags?: Record<string, boolean>; profile?: string },
  ): Promise<{ readonly memberId: number; readonly confUuid: string }>;
  set(name: string | Record<string, string>, value?: string): Promise<void>;
  mute(): Promise<unknown>;
  unmute(): Promise<unknown>;
  execute(application: string, argument?: string): Promise<EslEvent>;
  api(command: string, argument?: string): Promise<EslEvent>;
  record(
    file: string,
    options?: { timeLimitSecs?: number; silenceThresh?: number; silenceHits?: number },
  ): Promise<{
    readonly terminatorUsed: string | null;
    readonly recordSeconds: string;
    readonly recordMilliseconds: string;
    readonly recordSamples: string;
  }>;
  recordSession(file: string, ...more: string[]): Promise<EslEvent>;
  getChannelVariables(includeMedia: boolean): Promise<Record<string, string | number>>;
  destroy(): Promise<void>;
}

export interface FsmrfConference extends EventEmitter {
  readonly uuid: string;
  /** The leg that keeps it open. */
  readonly endpoint: Endpoint;
  getSize(): Promise<number>;
  play(file: string): Promise<{ readonly milliseconds: number }>;
  destroy(): Promise<void>;
}

interface MediaServer extends EventEmitter {
  readonly conn: EslConnection;
  readonly address: string;
  readonly sip: { readonly ipv4: { readonly udp: { readonly address: string } } };
  createEndpoint(options?: {
    remoteSdp?: string;
    headers?: Record<string, string>;
  }): Promise<Endpoint>;
  createConference(name: string): Promise<FsmrfConference>;
  api(command: string): Promise<string>;
  connected(): boolean;
  disconnect(): void;
}

type MrfClass = new (
  srf: unknown,
  options?: { customEvents?: string[] },
) => {
  connect(options: {
    address: string;
    port: number;
    secret: string;
    listenAddress: string;
  }): Promise<MediaServer>;
};

const Mrf = createRequire(import.meta.url)('drachtio-fsmrf') as MrfClass;

export interface EslTarget {
  readonly host: string;
  readonly port: number;
  readonly password: string;
  /** Ours, as the media server reaches it; default: the loopback. */
  readonly ourHost?: string;
}

/** One media server as fsmrf sees it. */
export class MrfClient {
  readonly server: MediaServer;

  static async connect(client: SrfClient, target: EslTarget): Promise<MrfClient> {
    const server = await new Mrf(client.srf).connect({
      address: target.host,
      port: target.port,
      secret: target.password,
      listenAddress: target.ourHost ?? '127.0.0.1', // by default fsmrf listens on the first outer address
    });
    server.conn.socket?.setNoDelay(true); // modesl writes line by line; see docs of the gateway
    return new MrfClient(server);
  }

  private constructor(server: MediaServer) {
    this.server = server;
  }

  /** Without an SDP the switch offers and the far end's answer comes later, with `modify`. */
  async endpoint(remoteSdp?: string, headers?: Record<string, string>): Promise<Endpoint> {
    const endpoint = await this.server.createEndpoint({
      ...(remoteSdp === undefined ? {} : { remoteSdp }),
      ...(headers === undefined ? {} : { headers }),
    });
    endpoint.conn.socket?.setNoDelay(true);
    return endpoint;
  }

  /** The body of an API command's answer. */
  api(command: string): Promise<string> {
    return this.server.api(command);
  }

  createConference(name: string): Promise<FsmrfConference> {
    return this.server.createConference(name);
  }

  close(): void {
    this.server.disconnect();
  }
}
