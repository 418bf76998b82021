/**
 * Mixes a conference: every 20 ms each listener is sent the sum of what the others said, without his
 * own voice and without those he is not to hear. Sums are made in 32 bits and cut at 16 once, at the
 * end, so that one loud speaker does not distort what is subtracted again.
 */
import { FRAME_SAMPLES } from './audio-format.ts';
import type { AudioSource } from './audio-source.ts';
import { FrameFifo } from './frame-fifo.ts';
import type { MediaClock, Ticking } from './media-clock.ts';
import type { MediaPeer, RtpSession } from './rtp-session.ts';
import { clip } from './recording/recording.ts';

/** All that a mixer needs of a leg. */
type MixedLeg = Pick<RtpSession, 'peer'>;

/** As in a bridge: evens out the order of ticks within a catch-up, 60 ms at the most. */
const FRAMES_MAX = 3;

export class Seat {
  canSpeak = true;
  canHear = true;
  /** Whom the one in this seat does not hear. */
  readonly unheard = new Set<Seat>();
  /** Played to this seat alone, beside the conference. */
  source: AudioSource | undefined;
  onSourceEnd: ((source: AudioSource) => void) | undefined;
  readonly said = new Int16Array(FRAME_SAMPLES);
  hasSaid = false;
  readonly #incoming = new FrameFifo(FRAMES_MAX);
  readonly #outgoing = new FrameFifo(FRAMES_MAX);
  readonly #session: MixedLeg;
  readonly #peer: MediaPeer;

  constructor(session: MixedLeg) {
    this.#session = session;
    this.#peer = {
      frame: (pcm) => this.#incoming.push(pcm),
      dtmf: () => undefined, // reported as an event; `dist-dtmf` is not spoken here
      read: (into) => {
        if (!this.#outgoing.shift(into)) into.fill(0);
        return true;
      },
    };
  }

  /** Takes the leg's audio; `false` gives it back, for as long as an application has it. */
  attach(on: boolean): void {
    if (on) this.#session.peer = this.#peer;
    else if (this.#session.peer === this.#peer) this.#session.peer = undefined;
  }

  listen(): void {
    this.hasSaid = this.#incoming.shift(this.said) && this.canSpeak;
  }

  hear(pcm: Int16Array): void {
    this.#outgoing.push(pcm);
  }
}

export class ConferenceMixer implements Ticking {
  /** Played to everybody. */
  source: AudioSource | undefined;
  onSourceEnd: ((source: AudioSource) => void) | undefined;
  readonly #clock: MediaClock;
  readonly #seats = new Set<Seat>();
  #leaveClock: (() => void) | undefined;
  readonly #sum = new Int32Array(FRAME_SAMPLES);
  readonly #frame = new Int16Array(FRAME_SAMPLES);

  constructor(clock: MediaClock) {
    this.#clock = clock;
  }

  add(session: MixedLeg): Seat {
    const seat = new Seat(session);
    this.#seats.add(seat);
    seat.attach(true);
    this.#leaveClock ??= this.#clock.add(this);
    return seat;
  }

  remove(seat: Seat): void {
    seat.attach(false);
    this.#seats.delete(seat);
    for (const other of this.#seats) other.unheard.delete(seat);
    if (this.#seats.size > 0) return;
    this.#leaveClock?.();
    this.#leaveClock = undefined;
  }

  tick(): void {
    const sum = this.#sum.fill(0);
    for (const seat of this.#seats) {
      seat.listen();
      if (seat.hasSaid) add(sum, seat.said);
    }
    if (pull(this, this.#frame)) add(sum, this.#frame);
    for (const seat of this.#seats) {
      this.#mixFor(seat);
      seat.hear(this.#frame);
    }
  }

  #mixFor(listener: Seat): void {
    const out = this.#frame;
    const own = listener.source === undefined ? undefined : new Int16Array(FRAME_SAMPLES);
    const hasOwn = own !== undefined && pull(listener, own);
    if (!listener.canHear) {
      out.fill(0);
      return;
    }
    for (let i = 0; i < FRAME_SAMPLES; i += 1) {
      let sample = this.#sum[i] as number;
      if (listener.hasSaid) sample -= listener.said[i] as number;
      for (const unheard of listener.unheard) {
        if (unheard.hasSaid) sample -= unheard.said[i] as number;
      }
      out[i] = clip(hasOwn ? sample + (own[i] as number) : sample);
    }
  }
}

interface Playing {
  source: AudioSource | undefined;
  onSourceEnd: ((source: AudioSource) => void) | undefined;
}

/** A source that has ended is taken off, and the next one begins with the next frame. */
function pull(playing: Playing, into: Int16Array): boolean {
  const { source } = playing;
  if (source === undefined) return false;
  if (source.read(into)) return true;
  playing.source = undefined;
  playing.onSourceEnd?.(source);
  return false;
}

function add(sum: Int32Array, pcm: Int16Array): void {
  for (let i = 0; i < FRAME_SAMPLES; i += 1) sum[i] = (sum[i] as number) + (pcm[i] as number);
}
