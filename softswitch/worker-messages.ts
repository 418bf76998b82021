/**
 * What the thread that starts the switch and the switch's two workers say to each other. Calls never
 * pass here: they travel over real sockets. A worker gets its options as `workerData`, posts `ready`
 * once every socket is bound (or `failed` and exits), answers `stats`, and on `stop` closes its
 * sockets, posts `stopped` and lets its event loop run out. Anything uncaught ends the worker and is
 * seen by the starter as the worker's `error` and `exit` events.
 */
import type { SipProtocol } from './sip/sip-address.ts';

/**
 * Address of what only the gateway and the switch's other half speak to: the control port, the event
 * socket, the media half's SIP. Stays on loopback when `host` is one that carriers reach.
 */
export type InnerHost = string;
export const INNER_HOST_DEFAULT: InnerHost = '127.0.0.1';

/** PEM files of SIP over TLS; see `SipTlsOptions`. */
export interface SipTlsFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
  /** Absent: the authorities that Node.js ships with. */
  readonly authoritiesFile?: string;
  readonly verifiesServers: boolean;
}

/** Signalling: SIP towards carriers, drachtio's control protocol towards the gateway. */
export interface SignallingWorkerOptions {
  /** Address the SIP port is bound to, and the one written into Via and Contact. */
  readonly host: string;
  readonly innerHost?: InnerHost;
  /** Port 0 takes any free port; UDP and TCP get the same number. */
  readonly sip: {
    readonly port: number;
    readonly protocols: readonly SipProtocol[];
    /** Needed, with `tls`, where `tls` is among the protocols. */
    readonly tlsPort?: number;
    readonly tls?: SipTlsFiles;
  };
  /** `address` or `address:port`. Default: the machine's. */
  readonly dnsServers?: readonly string[];
  readonly control: {
    readonly port: number;
    readonly secret: string;
    /**
     * Calls whose client has left, with no other of its tags, are ended after this: ms. Default 120 000.
     */
    readonly clientGoneMs?: number;
  };
  /** RFC 3261 §17.1.1.1: estimate of the round trip, from which all its timers follow. Default 500. */
  readonly t1Ms?: number;
}

/** Media: FreeSWITCH's role, that is SIP user agent server, event socket and RTP. */
export interface MediaWorkerOptions {
  /** Address of RTP, the one written into SDP. */
  readonly host: string;
  readonly innerHost?: InnerHost;
  readonly media: {
    /** Port of the `drachtio_mrf` SIP profile; 0 takes any free one. */
    readonly sipPort: number;
    /** Even RTP ports are taken from this range, both ends included. */
    readonly rtpPortMin: number;
    readonly rtpPortMax: number;
    /** How long a released RTP port rests, so that late packets of one call never reach another. */
    readonly rtpQuarantineMs: number;
    /**
     * FreeSWITCH's `rtp_secure_media`: SRTP with keys in SDP (RFC 4568). `mandatory` refuses plain RTP,
     * `forbidden` (the default) refuses SRTP, `optional` offers both and takes either.
     */
    readonly secureMedia?: 'forbidden' | 'optional' | 'mandatory';
    /** Above this, new sessions are answered 503 as FreeSWITCH does; absent means no limit. */
    readonly sessionsPerSecondMax?: number;
  };
  readonly esl: { readonly port: number; readonly password: string };
}

/** Starter → worker. `requestId` pairs a `stats` question with its answer. */
export type ToWorker =
  { readonly type: 'stop' } | { readonly type: 'stats'; readonly requestId: number };

/** Ports actually bound, which is the only news when 0 was asked for. */
export interface SignallingPorts {
  /** UDP and TCP; with TLS alone that. */
  readonly sipPort: number;
  readonly sipTlsPort?: number;
  readonly controlPort: number;
}

export interface MediaPorts {
  readonly mediaSipPort: number;
  readonly eslPort: number;
}

/** Gauges and counters since start: flat, so that they can become metrics as they are. */
export type WorkerStats = Readonly<Record<string, number>>;

/** Worker → starter, in this order: `ready` or `failed`; any number of `stats`; `stopped`. */
export type FromWorker<Ports> =
  | { readonly type: 'ready'; readonly ports: Ports }
  | { readonly type: 'failed'; readonly problem: string; readonly code?: string }
  | { readonly type: 'stats'; readonly requestId: number; readonly stats: WorkerStats }
  | { readonly type: 'stopped' };
