/** One RTP leg: its own UDP socket, paced sending, a jitter buffer, DTMF both ways. */
import type { AudioSource } from './audio-source.ts';
import { MediaError } from './media-error.ts';
import type { MediaClock } from './media-clock.ts';
import type { RtpPortPool } from './rtp-port-pool.ts';

/** Seen from us: `sendonly` means that we send and ignore what we get. */
export type MediaDirection = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export interface RtpRemote {
  /** Address and port of the SDP; packets from elsewhere are counted and dropped. */
  readonly address: string;
  readonly port: number;
  /** RTCP port when the SDP names one (RFC 3605); else port + 1. */
  readonly rtcpPort?: number;
  /** The codec we send: 0 = PCMU, 8 = PCMA (RFC 3551). Either is decoded when received. */
  readonly payloadType: 0 | 8;
  readonly telephoneEventPayloadType?: number;
  readonly direction: MediaDirection;
}

export interface RtpSessionOptions {
  readonly host: string;
  /** Ports come from the pool; without one, the system gives an even port. */
  readonly pool?: RtpPortPool;
  readonly clock: MediaClock;
}

/** `lost` = nothing to play at this time: concealed for a moment, then silence. */
export type FrameKind = 'audio' | 'lost';

/** The other half of a bridge, or anything that takes a leg's audio and gives it some. */
export interface MediaPeer {
  frame(pcm: Int16Array, kind: FrameKind): void;
  dtmf(digit: string, durationMs: number): void;
  read(into: Int16Array): boolean;
}

export interface RtpStats {
  readonly sent: { readonly packets: number; readonly octets: number; readonly dtmfEvents: number };
  readonly received: {
    readonly packets: number;
    readonly octets: number;
    readonly lost: number;
    readonly late: number;
    readonly duplicate: number;
    readonly reordered: number;
    readonly concealedFrames: number;
    readonly jitterMs: number;
    /** Packets from another address than the SDP's. */
    readonly fromStranger: number;
    readonly malformed: number;
    readonly dtmfEvents: number;
  };
  readonly jitterBufferMs: number;
  /** Since the last packet from the far end; since the remote was set, when there was none. */
  readonly idleMs: number;
  readonly roundTripMs: number | undefined;
}

export class RtpSession {
  readonly localPort: number;

  /** Pulled once per tick. When it ends it is taken away and `onSourceEnd` called. */
  source: AudioSource | undefined;
  /** The source came to its own end (not called when it was replaced). */
  onSourceEnd: ((source: AudioSource) => void) | undefined;
  /** Send silence when there is nothing else to send; otherwise nothing is sent. */
  sendSilence = false;
  /** Received audio after the jitter buffer: 160 samples, valid until the next tick; each tick from the first packet on. */
  onFrame: ((pcm: Int16Array, kind: FrameKind) => void) | undefined;
  /** Audio as it is sent, before coding; `silence` when nothing is sent in this tick. */
  onSentFrame: ((pcm: Int16Array, kind: 'audio' | 'silence') => void) | undefined;
  /** A digit was received, reported once, at its end. */
  onDtmf: ((digit: string, durationMs: number) => void) | undefined;
  /** Set by a bridge. `source` has precedence over the peer's audio while it lasts. */
  peer: MediaPeer | undefined;

  static open(options: RtpSessionOptions): Promise<RtpSession> {
    return Promise.reject(new MediaError('RTP_BIND_FAILED', `not ready: ${options.host}`));
  }

  private constructor(localPort: number) {
    this.localPort = localPort;
  }

  /** May be called again (re-INVITE): SSRC, sequence and timestamps go on. */
  setRemote(remote: RtpRemote): void {
    void remote;
  }

  /** Resolves when the last digit's end packets are out; digits queue. Rejects when closed. */
  sendDtmf(digits: string, durationMs: number): Promise<void> {
    return Promise.reject(new MediaError('INVALID_DTMF', `${digits} ${durationMs}`));
  }

  /** Drops the digits that wait; the one being sent is brought to its end. */
  stopDtmf(): void {
    void 0;
  }

  stats(): RtpStats {
    throw new MediaError('RTP_SESSION_CLOSED', 'not ready');
  }

  /** Sends RTCP BYE, closes the sockets, gives the port back to the pool. May be called twice. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}
