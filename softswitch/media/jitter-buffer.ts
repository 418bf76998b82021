/**
 * Turns packets that come unevenly, out of order or not at all into one frame per tick.
 *
 * Samples lie in a ring at their RTP time, so packets of any length (10 to 60 ms and odd ones) fill
 * it and 20 ms frames come out. The play-out point runs behind the newest packet by a delay that
 * begins at `initialMs`, grows by a frame for every packet that came too late, and shrinks when
 * for a second there was more in store than the arrival spread of the last seconds asks for.
 */
import assert from 'node:assert/strict';
import { FRAME_SAMPLES, SAMPLES_PER_MS } from './audio-format.ts';
import { JitterEstimate } from './jitter-estimate.ts';
import { LossConcealment } from './loss-concealment.ts';
import { SampleRing } from './sample-ring.ts';

export interface JitterBufferOptions {
  /** Delay of the first packet, and the least delay kept. Default 40 ms. */
  readonly initialMs?: number;
  /** Delay beyond which the buffer does not grow. Default, and most, 200 ms. */
  readonly maxMs?: number;
}

export interface JitterBufferCounters {
  /** Packets that came after their time, and were dropped. */
  late: number;
  /** Frames with made-up audio in them. */
  concealedFrames: number;
  /** Frames left out to lower the delay, and frames put in to raise it. */
  skippedFrames: number;
  heldFrames: number;
  /** Times the play-out point was set anew: timestamp jumps, pauses, overflow. */
  resyncs: number;
}

/** `quiet` = nothing was due: before the first packet, or in a pause of the sender. */
export type PlayoutKind = 'audio' | 'lost' | 'quiet';

const MAX_MS_LIMIT = 200;
/** A packet this far ahead of, or behind, the play-out point is of a new time base: no jitter. */
const AHEAD_SAMPLES_MAX = 380 * SAMPLES_PER_MS;
const BEHIND_SAMPLES_MAX = 1_000 * SAMPLES_PER_MS;
/** Longest packet, 120 ms: with the above it fits the ring of 512 ms. */
export const PACKET_SAMPLES_MAX = 120 * SAMPLES_PER_MS;
/** After this many empty ticks the sender is taken to have paused; play-out begins anew after it. */
const PAUSE_TICKS = 5;
const LEVEL_WINDOW_TICKS = 50;
/** Kept in excess of the maximum delay: most of a far end's catch-up burst. */
const OVERFLOW_SLACK_SAMPLES = 160 * SAMPLES_PER_MS;
/** Frames are left out where it is quiet, or after this many ticks where it is not. */
const SKIP_SPACING_TICKS = 5;
const QUIET_PEAK = 300;
const JOIN_SAMPLES = 40;

export class JitterBuffer {
  readonly counters: JitterBufferCounters = {
    late: 0,
    concealedFrames: 0,
    skippedFrames: 0,
    heldFrames: 0,
    resyncs: 0,
  };
  readonly #initialSamples: number;
  readonly #maxSamples: number;
  readonly #ring = new SampleRing();
  readonly #present = new Uint8Array(FRAME_SAMPLES);
  readonly #scratch = new Int16Array(FRAME_SAMPLES);
  readonly #estimate = new JitterEstimate();
  readonly #concealment = new LossConcealment(this.#ring);
  #started = false;
  /** RTP times as plain numbers that do not wrap: next sample to play, end of the newest packet. */
  #playAt = 0;
  #newestEnd = 0;
  /** Before this time nothing is missing: the delay of a (new) beginning. */
  #quietUntil = 0;
  #emptyTicks = 0;
  #holdsDue = 0;
  #skipsDue = 0;
  #ticksSinceSkip = 0;
  #windowTicks = 0;
  #windowMinLevel = Infinity;

  constructor(options: JitterBufferOptions = {}) {
    const { initialMs = 40, maxMs = MAX_MS_LIMIT } = options;
    assert(initialMs >= 0 && initialMs <= maxMs, `initialMs outside 0-${maxMs}: ${initialMs}`);
    assert(maxMs <= MAX_MS_LIMIT, `maxMs above ${MAX_MS_LIMIT}: ${maxMs}`);
    this.#initialSamples = wholeFrames(initialMs * SAMPLES_PER_MS);
    this.#maxSamples = wholeFrames(maxMs * SAMPLES_PER_MS);
  }

  /** What is in store, in ms. */
  get levelMs(): number {
    return Math.max(0, this.#newestEnd - this.#playAt) / SAMPLES_PER_MS;
  }

  /** The delay aimed at, in ms: a whole number of frames. */
  get targetMs(): number {
    return this.#targetSamples() / SAMPLES_PER_MS;
  }

  /** Interarrival jitter (RFC 3550 §6.4.1), in samples. */
  get jitterSamples(): number {
    return this.#estimate.jitterSamples;
  }

  /** Forgets the sender: another SSRC follows. Counters go on. */
  reset(): void {
    this.#started = false;
    this.#emptyTicks = 0;
    this.#ring.clear();
    this.#estimate.reset();
    this.#concealment.reset();
  }

  /**
   * The sender has begun another time base: what was in store of the old one is dropped. To be told by
   * who sees sequence numbers, since by its time alone a packet of the new one may look late.
   */
  rebase(timestamp: number): void {
    if (!this.#started) return;
    this.#estimate.reset();
    this.#begin(timestamp);
  }

  /** Takes the first `length` samples of `pcm` (at most `PACKET_SAMPLES_MAX`), received at `nowMs` (monotonic). */
  put(timestamp: number, pcm: Int16Array, length: number, nowMs: number): void {
    if (!this.#started) this.#begin(timestamp);
    let start = this.#timeOf(timestamp);
    const ahead = start - this.#playAt;
    if (ahead > AHEAD_SAMPLES_MAX || ahead < -BEHIND_SAMPLES_MAX) {
      this.#estimate.reset();
      this.#begin(timestamp);
      start = this.#timeOf(timestamp);
    } else if (this.#emptyTicks >= PAUSE_TICKS) {
      this.#begin(timestamp);
      start = this.#timeOf(timestamp);
    }
    this.#estimate.take(nowMs * SAMPLES_PER_MS - start, nowMs);
    const end = start + length;
    if (end <= this.#playAt) {
      this.counters.late += 1;
      this.#holdsDue = 1;
      return;
    }
    const from = Math.max(0, this.#playAt - start);
    this.#ring.store(start + from, pcm, from, length);
    if (end > this.#newestEnd) this.#newestEnd = end;
    if (this.#level() > this.#maxSamples + OVERFLOW_SLACK_SAMPLES) this.#overflow();
  }

  /** The next frame. `into` is always filled, with silence when there is nothing else. */
  pull(into: Int16Array): PlayoutKind {
    if (!this.#started) {
      into.fill(0);
      return 'quiet';
    }
    const level = this.#level();
    if (level <= 0) return this.#pullEmpty(into);
    this.#emptyTicks = 0;
    this.#watchLevel(level);
    if (this.#holdsDue > 0) {
      this.#holdsDue = 0;
      if (level + FRAME_SAMPLES <= this.#maxSamples) return this.#hold(into);
    }
    const kind = this.#take(into);
    return this.#skipsDue > 0 ? this.#maybeSkip(into, kind) : kind;
  }

  #level(): number {
    return this.#newestEnd - this.#playAt;
  }

  #targetSamples(): number {
    // Half a frame more than the spread: a tick may come just before the packet it should play.
    const wanted = wholeFrames(this.#estimate.spreadSamples + FRAME_SAMPLES / 2);
    return Math.min(this.#maxSamples, Math.max(this.#initialSamples, wanted));
  }

  #timeOf(timestamp: number): number {
    return this.#playAt + ((timestamp - this.#playAt) | 0);
  }

  #begin(timestamp: number): void {
    if (this.#started) {
      this.counters.resyncs += 1;
      this.#ring.clear();
      this.#concealment.reset();
    }
    this.#started = true;
    const delay = this.#targetSamples();
    // Above 2^32, so that times stay positive however far back a packet reaches.
    const start = timestamp + 2 ** 32;
    this.#playAt = start - delay;
    this.#quietUntil = start;
    this.#newestEnd = start;
    this.#emptyTicks = 0;
    this.#holdsDue = 0;
    this.#skipsDue = 0;
    this.#restartWindow();
  }

  /** The sender is ahead of its own time by more than we keep: go to what it sends now. */
  #overflow(): void {
    this.counters.resyncs += 1;
    const playAt = this.#newestEnd - this.#targetSamples();
    this.#ring.drop(this.#playAt, playAt - this.#playAt);
    this.#playAt = playAt;
    this.#restartWindow();
  }

  /** Nothing in store. Play-out waits: what comes late is still played, with more delay. */
  #pullEmpty(into: Int16Array): PlayoutKind {
    this.#emptyTicks += 1;
    this.#restartWindow();
    if (this.#emptyTicks > PAUSE_TICKS) {
      into.fill(0);
      return 'quiet';
    }
    this.#present.fill(0);
    this.#conceal(this.#playAt, into);
    return 'lost';
  }

  #hold(into: Int16Array): PlayoutKind {
    this.counters.heldFrames += 1;
    this.#present.fill(0);
    this.#conceal(this.#playAt, into);
    return 'lost';
  }

  /** Takes the frame at the play-out point, whatever is there of it, and moves on. */
  #take(into: Int16Array): PlayoutKind {
    const at = this.#playAt;
    const there = this.#ring.take(at, into, this.#present);
    this.#playAt = at + FRAME_SAMPLES;
    if (there < FRAME_SAMPLES) return this.#completePart(at, into);
    this.#concealment.good(into);
    return 'audio';
  }

  #completePart(at: number, into: Int16Array): PlayoutKind {
    let missing = 0;
    let notDue = 0;
    for (let i = 0; i < FRAME_SAMPLES; i += 1) {
      if (this.#present[i] === 1) continue;
      into[i] = 0;
      if (at + i < this.#quietUntil) {
        notDue += 1;
        this.#present[i] = 1; // silence is what belongs there
      } else missing += 1;
    }
    if (notDue === FRAME_SAMPLES) return 'quiet';
    if (missing === 0) {
      this.#concealment.good(into);
      return 'audio';
    }
    this.#conceal(at, into);
    this.#ring.overwrite(at, into);
    return missing > FRAME_SAMPLES / 2 ? 'lost' : 'audio';
  }

  #conceal(at: number, into: Int16Array): void {
    const audible = this.#concealment.conceal(at, into, this.#present);
    if (audible) this.counters.concealedFrames += 1;
  }

  #watchLevel(level: number): void {
    if (level < this.#windowMinLevel) this.#windowMinLevel = level;
    this.#ticksSinceSkip += 1;
    this.#windowTicks += 1;
    if (this.#windowTicks < LEVEL_WINDOW_TICKS) return;
    const excess = this.#windowMinLevel - this.#targetSamples() - FRAME_SAMPLES;
    // Half of the excess each second: what is left is judged again by then.
    this.#skipsDue = excess > 0 ? Math.ceil(excess / (2 * FRAME_SAMPLES)) : 0;
    this.#restartWindow();
  }

  #restartWindow(): void {
    this.#windowTicks = 0;
    this.#windowMinLevel = Infinity;
  }

  /** Leaves `frame` out and plays the one after it, joined over 5 ms. */
  #maybeSkip(frame: Int16Array, kind: PlayoutKind): PlayoutKind {
    if (this.#level() < FRAME_SAMPLES) return kind;
    if (this.#ticksSinceSkip < SKIP_SPACING_TICKS && peakOf(frame) > QUIET_PEAK) return kind;
    this.#skipsDue -= 1;
    this.#ticksSinceSkip = 0;
    this.counters.skippedFrames += 1;
    this.#scratch.set(frame);
    const next = this.#take(frame);
    for (let i = 0; i < JOIN_SAMPLES; i += 1) {
      const share = (i + 1) / (JOIN_SAMPLES + 1);
      const leftOut = this.#scratch[i] as number;
      frame[i] = Math.round(leftOut * (1 - share) + (frame[i] as number) * share);
    }
    return next;
  }
}

function wholeFrames(samples: number): number {
  return Math.ceil(samples / FRAME_SAMPLES) * FRAME_SAMPLES;
}

function peakOf(frame: Int16Array): number {
  let peak = 0;
  for (let i = 0; i < frame.length; i += 1) {
    const level = Math.abs(frame[i] as number);
    if (level > peak) peak = level;
  }
  return peak;
}
