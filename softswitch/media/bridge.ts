/** Two legs that hear each other. */
import assert from 'node:assert/strict';
import { FrameFifo } from './frame-fifo.ts';
import type { FrameKind, MediaPeer, RtpSession } from './rtp-session.ts';

export interface Bridge {
  /** Ends the bridge; both legs stay open. May be called twice. */
  end(): void;
}

/**
 * Frames between the legs. Both are driven by the same clock, so in the long run one comes in for
 * each that goes out; the store only evens out the order of ticks within a catch-up. What is above
 * it is dropped, oldest first: 60 ms is the most delay a bridge can add.
 */
const FRAMES_MAX = 3;
const DTMF_MS_MIN = 40;
const DTMF_MS_MAX = 8_000;

/**
 * Connects two sessions: audio and DTMF of each go to the other. A leg is in one bridge at a time.
 *
 * Digits are passed on as events with the duration they had, after their end; a leg that did not
 * negotiate events does not get them. While the other leg is silent a leg is sent silence, so that
 * its far end sees a steady stream.
 */
export function bridgeSessions(a: RtpSession, b: RtpSession): Bridge {
  assert(a !== b, 'a leg cannot be bridged to itself');
  assert(a.peer === undefined && b.peer === undefined, 'a leg is in a bridge already');
  const fromA = new FrameFifo(FRAMES_MAX);
  const fromB = new FrameFifo(FRAMES_MAX);
  const peerOfA = peer(fromA, fromB, b);
  const peerOfB = peer(fromB, fromA, a);
  a.peer = peerOfA;
  b.peer = peerOfB;
  return {
    end() {
      if (a.peer === peerOfA) a.peer = undefined;
      if (b.peer === peerOfB) b.peer = undefined;
    },
  };
}

function peer(heard: FrameFifo, toSend: FrameFifo, other: RtpSession): MediaPeer {
  return {
    frame(pcm: Int16Array, _kind: FrameKind) {
      heard.push(pcm);
    },
    dtmf(digit, durationMs) {
      const passedMs = Math.min(DTMF_MS_MAX, Math.max(DTMF_MS_MIN, durationMs));
      // The other leg may be without events, or be closing: then there is nobody to tell.
      other.sendDtmf(digit, passedMs).catch(() => undefined);
    },
    read(into) {
      if (!toSend.shift(into)) into.fill(0);
      return true;
    },
  };
}
