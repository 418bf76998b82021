/** One RTP leg: its own UDP sockets, paced sending, a jitter buffer, DTMF both ways, RTCP. */
import { FRAME_SAMPLES } from './audio-format.ts';
import type { AudioSource } from './audio-source.ts';
import { DtmfSender, type DtmfSendOptions } from './dtmf-sender.ts';
import { alaw, mulaw } from './g711.ts';
import type { JitterBufferOptions } from './jitter-buffer.ts';
import type { MediaClock } from './media-clock.ts';
import { MediaError } from './media-error.ts';
import type { ReceiveRest } from './receive-rest.ts';
import { RtcpExchange } from './rtcp-exchange.ts';
import type { RtpPortPool } from './rtp-port-pool.ts';
import { RtpReceiver } from './rtp-receiver.ts';
import { RtpSender } from './rtp-sender.ts';
import { rtpStats, type RtpStats } from './rtp-stats.ts';
import { SecureTransport, type SrtpKeys } from './srtp/secure-transport.ts';
import { openUdpTransport, type RtpTransport } from './rtp-transport.ts';

export type { RtpStats } from './rtp-stats.ts';

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
  /** What we send events with; without it, digits cannot be sent. */
  readonly telephoneEventPayloadType?: number;
  /** What we receive them with, where that differs (RFC 3264 §5.1 allows it). */
  readonly telephoneEventReceivePayloadType?: number;
  readonly direction: MediaDirection;
  /** Absent: plain RTP. */
  readonly srtp?: SrtpKeys;
}

export interface RtpSessionOptions {
  /** Address to bind to, IPv4 or IPv6. */
  readonly host: string;
  /** Ports come from the pool; without one, the system gives an even port. */
  readonly pool?: RtpPortPool;
  readonly clock: MediaClock;
  readonly jitter?: JitterBufferOptions;
  /** Of the thread: one for all sessions. */
  readonly rest?: ReceiveRest;
}

/** `lost` = nothing to play at this time: concealed for a moment, then silence. */
export type FrameKind = 'audio' | 'lost';

/** The other half of a bridge, or anything that takes a leg's audio and gives it some. */
export interface MediaPeer {
  frame(pcm: Int16Array, kind: FrameKind): void;
  dtmf(digit: string, durationMs: number): void;
  /** Like a source's `read`, but false only means that there is nothing in this tick. */
  read(into: Int16Array): boolean;
}

/** Sources of no length, one set at the end of the other, must not hold up the clock for ever. */
const SOURCES_PER_TICK_MAX = 16;

/** As many frames as the clock catches up (200 ms), and one. */
const OWED_FRAMES_MAX = 11;

/** The frame being sent: one for all legs, since each is done with it at the end of its tick. */
const outgoing = new Int16Array(FRAME_SAMPLES);
const mixture = new Int16Array(FRAME_SAMPLES);
const added = new Int16Array(FRAME_SAMPLES);

export class RtpSession {
  /** Even port that RTP is received on; RTCP is on the one above. */
  readonly localPort: number;

  /** Pulled once per tick. When it ends it is taken away and `onSourceEnd` called. */
  source: AudioSource | undefined;
  /** The source came to its own end (not called when it was replaced or the leg closed). */
  onSourceEnd: ((source: AudioSource) => void) | undefined;
  /** Send silence when there is nothing else to send; otherwise nothing is sent. */
  sendSilence = false;
  /** Received audio after the jitter buffer, each tick from the first packet on: 160 samples, valid until the next tick. */
  onFrame: ((pcm: Int16Array, kind: FrameKind) => void) | undefined;
  /** What is sent, before coding, each tick from `setRemote` on, valid during the call; `silence` when nothing is sent. */
  onSentFrame: ((pcm: Int16Array, kind: 'audio' | 'silence') => void) | undefined;
  /** A digit was received; called once per digit, at its end. */
  onDtmf: ((digit: string, durationMs: number) => void) | undefined;
  /** Set by a bridge. `source` has precedence over the peer's audio while it lasts. */
  peer: MediaPeer | undefined;

  /** Mixed into what is sent, while something is; what `onSentFrame` gets is without it. */
  readonly whispers = new Set<AudioSource>();
  /** Mixed into what the peer gets of the far end; what `onFrame` gets is without it. */
  readonly overlays = new Set<AudioSource>();

  readonly #transport: SecureTransport;
  readonly #clock: MediaClock;
  readonly #sender: RtpSender;
  readonly #receiver: RtpReceiver;
  readonly #dtmf = new DtmfSender();
  readonly #rtcp: RtcpExchange;
  readonly #received = new Int16Array(FRAME_SAMPLES);
  #remote: RtpRemote | undefined;
  #sends = false;
  #receives = false;
  #leaveClock: (() => void) | undefined;
  #lastReceivedAtMs: number;
  #fromStranger = 0;
  #unwanted = 0;
  /** Frames not played yet, because the process was held up. */
  #owedFrames = 0;
  #closed = false;

  /** Binds the sockets. Throws `RTP_PORTS_EXHAUSTED` or `RTP_BIND_FAILED`. */
  static async open(options: RtpSessionOptions): Promise<RtpSession> {
    const { host, pool, rest } = options;
    return new RtpSession(await openUdpTransport(host, pool, rest), options);
  }

  /** A session over sockets that are open already. */
  constructor(sockets: RtpTransport, options: Pick<RtpSessionOptions, 'clock' | 'jitter'>) {
    const transport = new SecureTransport(sockets);
    this.#transport = transport;
    this.#clock = options.clock;
    this.localPort = transport.localPort;
    this.#sender = new RtpSender((bytes) => {
      const remote = this.#remote;
      if (remote !== undefined) transport.sendRtp(bytes, remote.port, remote.address);
    });
    this.#receiver = new RtpReceiver((digit, durationMs) => {
      this.onDtmf?.(digit, durationMs);
      this.peer?.dtmf(digit, durationMs);
    }, options.jitter ?? {});
    const clock = options.clock;
    this.#rtcp = new RtcpExchange(
      { nowMs: () => clock.nowMs(), epochMs: () => Date.now(), random: () => Math.random() },
      this.#sender,
      this.#receiver,
    );
    this.#lastReceivedAtMs = clock.nowMs();
    transport.onRtp = (bytes, address, port) => this.#onRtp(bytes, address, port);
    transport.onRtcp = (bytes, address, port) => this.#onRtcp(bytes, address, port);
  }

  /** The far end last set. */
  get remote(): RtpRemote | undefined {
    return this.#remote;
  }

  /** Time since the last packet from the far end; since the remote was set, when there was none. */
  get idleMs(): number {
    return this.#clock.nowMs() - this.#lastReceivedAtMs;
  }

  /** Received frames were put off to the next tick: they are late, not lost. */
  get isBehind(): boolean {
    return this.#owedFrames > 0;
  }

  /** May be called again (re-INVITE): SSRC, sequence and timestamps go on. */
  setRemote(remote: RtpRemote): void {
    if (this.#closed) return;
    const before = this.#remote;
    this.#remote = remote;
    this.#transport.secure(remote.srtp);
    const reachable = isReachable(remote);
    const { direction } = remote;
    this.#sends = reachable && (direction === 'sendrecv' || direction === 'sendonly');
    this.#receives = direction === 'sendrecv' || direction === 'recvonly';
    this.#sender.useCodec(remote.payloadType === 8 ? alaw : mulaw, remote.payloadType);
    this.#receiver.telephoneEventPayloadType =
      remote.telephoneEventReceivePayloadType ?? remote.telephoneEventPayloadType;
    if (remote.telephoneEventPayloadType === undefined) this.#dtmf.abort(notNegotiated);
    if (before === undefined) {
      this.#rtcp.start();
      this.#leaveClock = this.#clock.add(this);
    } else if (before.address !== remote.address || before.port !== remote.port) {
      this.#receiver.reset();
    }
    this.#lastReceivedAtMs = this.#clock.nowMs();
  }

  /**
   * Queues digits (`0-9*#A-DF`, `w` and `W` pause 500 ms and 1 s). Resolves when the last digit's
   * end packets are out. While the leg is on hold the queue waits. Rejects with `INVALID_DTMF`,
   * `TELEPHONE_EVENT_NOT_NEGOTIATED` or, when the leg goes, `RTP_SESSION_CLOSED`.
   */
  sendDtmf(digits: string, durationMs: number, options?: DtmfSendOptions): Promise<void> {
    if (this.#closed) return Promise.reject(sessionClosed());
    if (this.#remote?.telephoneEventPayloadType === undefined) {
      return Promise.reject(notNegotiated());
    }
    return this.#dtmf.queue(digits, durationMs, options);
  }

  /** Drops the digits that wait; the one being sent is brought to its end. */
  stopDtmf(): void {
    this.#dtmf.clear(() => new MediaError('INVALID_DTMF', 'the digits were taken back'));
  }

  stats(): RtpStats {
    return rtpStats(this.#sender, this.#receiver, this.#dtmf, this.#rtcp, {
      fromStranger: this.#fromStranger,
      unwanted: this.#unwanted,
      socketErrors: this.#transport.errorCount,
      notAuthentic: this.#transport.refusedPackets,
      idleMs: this.idleMs,
    });
  }

  /** Sends RTCP BYE, closes the sockets, gives the port back to the pool. May be called twice. */
  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#leaveClock?.();
      this.#sendRtcp(this.#rtcp.farewell());
      this.source = undefined;
      this.peer = undefined;
      this.#dtmf.abort(sessionClosed);
    }
    await this.#transport.close();
  }

  /** The clock's. One frame each way. */
  tick(skippedTicks: number, late: boolean): void {
    const nowMs = this.#clock.nowMs();
    this.#playDue(skippedTicks, late, nowMs);
    this.#sender.advance(skippedTicks);
    const hasAudio = this.#nextFrame(outgoing);
    if (!hasAudio) outgoing.fill(0);
    this.#send(hasAudio);
    if (this.#closed) return;
    this.onSentFrame?.(outgoing, hasAudio && this.#sends ? 'audio' : 'silence');
    this.#sendRtcp(this.#rtcp.poll(nowMs));
  }

  /**
   * Plays one frame. After a stall of ours the packets that came in the meantime are still unread:
   * their frames are put off to the next tick, instead of being made up and then delayed.
   */
  #playDue(skippedTicks: number, late: boolean, nowMs: number): void {
    this.#owedFrames = Math.min(OWED_FRAMES_MAX, this.#owedFrames + skippedTicks + 1);
    if (late && this.#owedFrames < OWED_FRAMES_MAX) return;
    do this.#playReceived(nowMs);
    while (--this.#owedFrames > 0 && this.#receiver.levelMs > 0);
    this.#owedFrames = 0;
  }

  #playReceived(nowMs: number): void {
    const kind = this.#receiver.pull(this.#received, nowMs);
    if (!this.#receiver.hasAudio) return;
    const frameKind = kind === 'audio' ? 'audio' : 'lost';
    this.onFrame?.(this.#received, frameKind);
    this.peer?.frame(mixed(this.#received, this.overlays), frameKind);
  }

  /** From the source, else from the peer, else silence if that is to be sent. */
  #nextFrame(into: Int16Array): boolean {
    // A source that ends may be followed by another one, set by the callback: no frame is missed.
    for (let turn = 0; turn < SOURCES_PER_TICK_MAX; turn += 1) {
      const source = this.source;
      if (source === undefined) break;
      if (source.read(into)) return true;
      if (this.source !== source) continue; // it was replaced while it was read
      this.source = undefined;
      this.onSourceEnd?.(source);
    }
    if (this.peer?.read(into) === true) return true;
    if (!this.sendSilence) return false;
    into.fill(0);
    return true;
  }

  #send(hasAudio: boolean): void {
    if (this.#closed) return;
    const eventPayloadType = this.#remote?.telephoneEventPayloadType;
    if (!this.#sends) this.#sender.pause();
    else if (eventPayloadType !== undefined && this.#dtmf.tick(this.#sender.timestamp)) {
      const { payload, marker, timestamp } = this.#dtmf;
      this.#sender.sendEvent(eventPayloadType, payload, marker, timestamp);
    } else if (hasAudio) this.#sender.sendAudio(mixed(outgoing, this.whispers));
    else this.#sender.pause();
  }

  #sendRtcp(report: Buffer | undefined): void {
    const remote = this.#remote;
    if (report === undefined || remote === undefined) return;
    if (!isReachable(remote)) return;
    this.#transport.sendRtcp(report, remote.rtcpPort ?? remote.port + 1, remote.address);
  }

  #onRtp(bytes: Uint8Array, address: string, port: number): void {
    const remote = this.#remote;
    if (port !== remote?.port || address !== remote.address) {
      this.#fromStranger += 1;
      return;
    }
    const nowMs = this.#clock.nowMs();
    this.#lastReceivedAtMs = nowMs;
    if (this.#receives) this.#receiver.take(bytes, nowMs);
    else this.#unwanted += 1;
  }

  #onRtcp(bytes: Uint8Array, address: string, port: number): void {
    const remote = this.#remote;
    if (address === remote?.address && port === (remote.rtcpPort ?? remote.port + 1)) {
      this.#rtcp.take(bytes);
    }
  }
}

/** The frame with those sources added; the frame itself when there are none. */
function mixed(frame: Int16Array, sources: ReadonlySet<AudioSource>): Int16Array {
  if (sources.size === 0) return frame;
  mixture.set(frame);
  for (const source of sources) {
    if (!source.read(added)) continue;
    for (let i = 0; i < FRAME_SAMPLES; i += 1) {
      const sum = (mixture[i] as number) + (added[i] as number);
      mixture[i] = Math.max(-32_768, Math.min(32_767, sum));
    }
  }
  return mixture;
}

/** Port 0 and the unspecified address mean that there is nowhere to send to, for now. */
function isReachable({ port, address }: RtpRemote): boolean {
  return port > 0 && address !== '0.0.0.0' && address !== '::';
}

function sessionClosed(): MediaError {
  return new MediaError('RTP_SESSION_CLOSED', 'the RTP session is closed');
}

function notNegotiated(): MediaError {
  return new MediaError(
    'TELEPHONE_EVENT_NOT_NEGOTIATED',
    'the far end did not accept telephone-event (RFC 4733): digits cannot be sent as events',
  );
}
