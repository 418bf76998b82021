/** The audio of one channel: its RTP session and SDP, playing into it, muting, joining two of them. */
import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import type { AudioNegotiation } from '../media/audio-negotiation.ts';
import type { AudioSource } from '../media/audio-source.ts';
import { bridgeSessions } from '../media/bridge.ts';
import { FrameTaps } from '../media/frame-taps.ts';
import type { MediaPeer, RtpRemote, RtpSession } from '../media/rtp-session.ts';
import { FRAME_SAMPLES } from '../media/audio-format.ts';
import type { Activity } from './app-run.ts';
import { parseDigits } from './dtmf-digits.ts';

export interface MediaJoin {
  end(): void;
}

const SILENCE = new Int16Array(FRAME_SAMPLES);

export class ChannelMedia {
  readonly session: RtpSession;
  readonly negotiation: AudioNegotiation;
  readonly taps: FrameTaps;
  readonly #muted = { read: false, write: false };

  constructor(session: RtpSession, negotiation: AudioNegotiation) {
    this.session = session;
    this.negotiation = negotiation;
    this.taps = new FrameTaps(session);
  }

  get codec(): 'PCMU' | 'PCMA' | undefined {
    const remote = this.negotiation.remote;
    if (remote === undefined) return undefined;
    return remote.payloadType === 8 ? 'PCMA' : 'PCMU';
  }

  /**
   * Sends to the far end agreed last. Where its c= line is a host name (RFC 8866 §5.7), nothing is sent
   * or taken until the name is looked up; `failed` is called when it has no address of our family.
   */
  connect(remote: RtpRemote, failed: () => void): void {
    if (isIP(remote.address) !== 0) {
      this.session.setRemote(remote);
      return;
    }
    this.session.setRemote({ ...remote, address: '0.0.0.0' });
    const family = this.negotiation.family === 'IP6' ? 6 : 4;
    lookup(remote.address, { family }, (error, address) => {
      if (this.negotiation.remote !== remote) return; // another description came meanwhile
      if (error !== null) failed();
      else this.session.setRemote({ ...remote, address });
    });
  }

  /** Plays until the source ends (`done`) or the activity is cancelled. */
  play(source: AudioSource, done: () => void): Activity {
    const { session } = this;
    const heard = this.#mutable(source);
    const take = (): void => {
      session.source = heard;
      session.onSourceEnd = (ended) => {
        if (ended === heard) done();
      };
    };
    const giveBack = (): void => {
      if (session.source === heard) session.source = undefined;
    };
    take();
    return { cancel: giveBack, suspend: giveBack, resume: take };
  }

  /** `set_mute`: `read` silences what the far end says, `write` what it hears. */
  mute(direction: 'read' | 'write', on: boolean): void {
    this.#muted[direction] = on;
  }

  /** Connects both ways, digits included, until `end` is called. */
  join(other: ChannelMedia): MediaJoin {
    const bridge = bridgeSessions(this.session, other.session);
    const unmute = [this.#muteThrough(), other.#muteThrough()];
    return {
      end: () => {
        for (const takeOff of unmute) takeOff();
        bridge.end();
      },
    };
  }

  /**
   * Queues digits as RFC 4733 events and returns at once, as FreeSWITCH does; false when there is
   * nothing sendable in the text. To a far end without events nothing is sent.
   */
  sendDigits(text: string): boolean {
    const parsed = parseDigits(text);
    if (parsed === undefined) return false;
    this.session.sendDtmf(parsed.digits, parsed.durationMs).catch(() => undefined);
    return true;
  }

  close(): void {
    this.session.source = undefined;
    this.session.onSourceEnd = undefined;
    this.session.onDtmf = undefined;
    void this.session.close();
  }

  #mutable(source: AudioSource): AudioSource {
    return {
      read: (into) => {
        const more = source.read(into);
        if (more && this.#muted.write) into.fill(0);
        return more;
      },
    };
  }

  /** Puts the mutes between this session and the peer that a bridge has just given it. */
  #muteThrough(): () => void {
    const { session } = this;
    const peer = session.peer;
    if (peer === undefined) return () => undefined;
    const through: MediaPeer = {
      frame: (pcm, kind) => peer.frame(this.#muted.read ? SILENCE : pcm, kind),
      dtmf: (digit, durationMs) => peer.dtmf(digit, durationMs),
      read: (into) => {
        const more = peer.read(into);
        if (more && this.#muted.write) into.fill(0);
        return more;
      },
    };
    session.peer = through;
    return () => {
      if (session.peer === through) session.peer = peer;
    };
  }
}
