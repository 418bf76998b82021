/** Ringback, busy and reorder by frequency and cadence (ITU-T E.180 supplement 2, some 15 countries). */
import { isSurelyTone } from './answer-tones.ts';
import type { FrameAnalysis } from './frame-analysis.ts';
import { FRAME_MS } from './frame-analysis.ts';
import type { Tone, ToneTracker } from './tone-tracker.ts';

export type CallProgress = 'ringback' | 'busy' | 'reorder';

interface Band {
  readonly lowHz: readonly [number, number];
  /** Of the second tone; none when it is a single one. */
  readonly highHz?: readonly [number, number];
}

/**
 * 425 (most of Europe, Latin America, Russia), 400 (Japan, older UK), 440 (France), 450 (China);
 * 440 + 480 (North America, Korea), 400 + 450 (UK, Hong Kong, India), 400 + 425 (Australia).
 */
const RINGING: readonly Band[] = [{ lowHz: [385, 465] }, { lowHz: [385, 455], highHz: [415, 495] }];
/** The same single tones, and 480 + 620 (North America). */
const REFUSING: readonly Band[] = [
  { lowHz: [385, 465] },
  { lowHz: [385, 455], highHz: [415, 495] },
  { lowHz: [465, 495], highHz: [605, 635] },
];
/** A busy tone is silent for 750 ms at most; a ringing one for 1 s at least, but within a double ring. */
const RING_PAUSE_LEAST_MS = 900;
const RING_LEAST_MS = 300;
/** A tone that sounds for longer than any busy tone, and one that sounds without end: dial tone. */
const RING_SURE_MS = 950;
const RING_MOST_MS = 3_200;
const BURST_LEAST_MS = 150;
const BURST_MOST_MS = 800;
/** Reorder is the same tone faster: 200 to 250 ms. Brazil's busy is as fast, and read as reorder. */
const REORDER_BELOW_MS = 300;
const ALIKE = 0.25;

/** Two bursts and the pause between them. */
export class CallProgressListener {
  readonly #bursts: Tone[] = [];

  /** What the tones mean, whenever they mean something: the caller drops what it knows. */
  feed(
    analysis: FrameAnalysis,
    tracker: ToneTracker,
    ended: Tone | undefined,
  ): CallProgress | undefined {
    if (ended !== undefined && isSurelyTone(ended)) this.#add(ended);
    const nowMs = analysis.frames * FRAME_MS;
    const last = this.#bursts.at(-1);
    if (last === undefined) return undefined;
    const lengthMs = last.endMs - last.startMs;
    const pauseMs = nowMs - last.endMs;
    const isSilent = tracker.soundingMs < BURST_LEAST_MS;
    const isRing = lengthMs >= RING_LEAST_MS && lengthMs <= RING_MOST_MS && fits(last, RINGING);
    if (isRing && (lengthMs >= RING_SURE_MS || (isSilent && pauseMs >= RING_PAUSE_LEAST_MS))) {
      return 'ringback';
    }
    return this.#refusal();
  }

  #add(tone: Tone): void {
    this.#bursts.push(tone);
    if (this.#bursts.length > 3) this.#bursts.shift();
  }

  /** Three bursts alike, with two pauses about as long. */
  #refusal(): CallProgress | undefined {
    const [first, second, third] = this.#bursts;
    if (first === undefined || second === undefined || third === undefined) return undefined;
    const bursts = [first, second, third];
    if (!bursts.every((tone) => fits(tone, REFUSING))) return undefined;
    if (!bursts.every((tone) => Math.abs(tone.hz - first.hz) <= 15)) return undefined;
    const onMs = bursts.map((tone) => tone.endMs - tone.startMs);
    const offMs = [second.startMs - first.endMs, third.startMs - second.endMs];
    const meanOnMs = mean(onMs);
    const meanOffMs = mean(offMs);
    if (meanOnMs < BURST_LEAST_MS || meanOnMs > BURST_MOST_MS) return undefined;
    if (!onMs.every((ms) => Math.abs(ms - meanOnMs) <= ALIKE * meanOnMs)) return undefined;
    if (!offMs.every((ms) => Math.abs(ms - meanOffMs) <= ALIKE * meanOffMs)) return undefined;
    if (meanOffMs < 0.65 * meanOnMs || meanOffMs > 1.6 * meanOnMs) return undefined;
    return (meanOnMs + meanOffMs) / 2 < REORDER_BELOW_MS ? 'reorder' : 'busy';
  }
}

/** A beating pair that was too short to be taken apart counts as the tone between its two. */
function fits(tone: Tone, bands: readonly Band[]): boolean {
  return bands.some(({ lowHz, highHz }) => {
    if (!isWithin(tone.hz, lowHz)) return false;
    return highHz === undefined ? tone.secondHz === 0 : isWithin(tone.secondHz, highHz);
  });
}

function isWithin(hz: number, [least, most]: readonly [number, number]): boolean {
  return hz >= least && hz <= most;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
