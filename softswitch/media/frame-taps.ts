/**
 * Both directions of a leg, side by side, for whoever records or forwards them. After a stall of ours
 * received frames come a tick late and then several at a time: they are paired with what was sent at
 * their own moment, so that a recording stays in step with the call.
 */
import { FRAME_SAMPLES } from './audio-format.ts';
import { FrameFifo } from './frame-fifo.ts';
import type { RtpSession } from './rtp-session.ts';

export interface FrameTap {
  /**
   * One frame (20 ms) of what the far end said and of what was sent to it, valid during the call.
   * `heard` is false when nothing came from the far end: `received` is then of our own making.
   */
  frame(received: Int16Array, sent: Int16Array, heard: boolean): void;
}

/** As many frames as a leg can be behind (rtp-session.ts), and one. */
const FRAMES_MAX = 12;

export class FrameTaps {
  readonly #session: RtpSession;
  readonly #taps = new Set<FrameTap>();
  #received: FrameFifo | undefined;
  #sent: FrameFifo | undefined;
  readonly #heard: boolean[] = [];

  constructor(session: RtpSession) {
    this.#session = session;
  }

  /** Returns the tap's removal. A leg without taps pays nothing. */
  add(tap: FrameTap): () => void {
    this.#taps.add(tap);
    if (this.#taps.size === 1) this.#listen();
    return () => {
      if (this.#taps.delete(tap) && this.#taps.size === 0) this.#stop();
    };
  }

  #listen(): void {
    const received = (this.#received ??= new FrameFifo(FRAMES_MAX));
    const sent = (this.#sent ??= new FrameFifo(FRAMES_MAX));
    received.clear();
    sent.clear();
    this.#heard.length = 0;
    this.#session.onFrame = (pcm, kind) => {
      if (received.count === FRAMES_MAX) this.#heard.shift();
      received.push(pcm);
      this.#heard.push(kind === 'audio');
    };
    this.#session.onSentFrame = (pcm) => {
      if (sent.count === 0 && received.count === 1) this.#pass(received, pcm);
      else {
        sent.push(pcm);
        this.#pair(received, sent);
      }
    };
  }

  #stop(): void {
    this.#session.onFrame = undefined;
    this.#session.onSentFrame = undefined;
  }

  /** One of each, as in nearly every tick. */
  #pass(received: FrameFifo, sent: Int16Array): void {
    received.shift(receivedFrame);
    const heard = this.#heard.shift() === true;
    for (const tap of this.#taps) tap.frame(receivedFrame, sent, heard);
  }

  #pair(received: FrameFifo, sent: FrameFifo): void {
    while (sent.count > 0 || received.count > 0) {
      if (received.count === 0 && this.#session.isBehind) return;
      const came = received.shift(receivedFrame);
      const heard = came && this.#heard.shift() === true;
      if (!came) receivedFrame.fill(0);
      if (!sent.shift(sentFrame)) sentFrame.fill(0);
      for (const tap of this.#taps) tap.frame(receivedFrame, sentFrame, heard);
    }
  }
}

/** One pair for all legs: each is done with it at the end of its tick. */
const receivedFrame = new Int16Array(FRAME_SAMPLES);
const sentFrame = new Int16Array(FRAME_SAMPLES);
