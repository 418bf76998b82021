/** Who answered: a person, a machine, a fax, an announcement or nobody; then, when may one speak. */
import assert from 'node:assert/strict';
import type { AnswerVerdict } from '../../machines/telephony-events.ts';
import { ANSWER_FEATURES, readFeatures } from './answer-features.ts';
import { ANSWER_THRESHOLDS, verdictOn, type Moment } from './answer-rule.ts';
import type { AnswerTone } from './answer-tones.ts';
import { FRAME_MS, FRAME_SAMPLES } from './frame-analysis.ts';
import { HUMAN_TREES } from './human-probability.ts';
import { FLOOR_FRAMES_MIN } from './speech-levels.ts';
import { SpeechListener } from './speech-listener.ts';

export interface AnswerDetectorOptions {
  /** From first speech to the verdict at the latest, 1000 to 7000 ms. */
  readonly limitMs: number;
  /** Without speech, from the first sample. */
  readonly initialSilenceMs: number;
}

/** Times are ms of audio fed since the first sample. */
export type DetectorEvent =
  | { readonly type: 'speechStarted'; readonly atMs: number }
  | {
      readonly type: 'classified';
      readonly atMs: number;
      readonly verdict: AnswerVerdict;
      /** P(human) at the decision. */
      readonly humanProbability: number;
      readonly evidence: Record<string, number | string | null>;
    }
  | {
      readonly type: 'greetingEnded';
      /** End of the speech. */
      readonly atMs: number;
      readonly decidedAtMs: number;
    }
  | {
      readonly type: 'beep';
      /** Onset. */
      readonly atMs: number;
      readonly endMs: number;
      readonly frequencyHz: number;
    };

const NOTHING: readonly DetectorEvent[] = [];
/** A ringing phone is silent for 4 s between two rings (North America); nobody has answered yet. */
const RINGBACK_SILENCE_MS = 4_400;
/** Hiss spreads by less, whatever its level. */
const SOUND_LEAST_DB = -32;
const SOUND_SPREAD_DB = 2.5;
const TONE_WAIT_MS = 100;
/** Longer than a recorded text pauses between two sentences. */
const MACHINE_PAUSE_MS = 1_300;
const UNDECIDED_PAUSE_MS = 900;

export class AnswerDetector {
  readonly #limitMs: number;
  readonly #initialSilenceMs: number;
  readonly #listener = new SpeechListener();
  readonly #features = new Float64Array(ANSWER_FEATURES.length);
  #probability = 0.5;
  #verdict: AnswerVerdict | undefined;
  #hasStarted = false;
  #hasGreetingEnded = false;
  /** No speech is expected before this: a ringback leaks through. */
  #ringbackUntilMs = 0;
  #events: DetectorEvent[] = [];

  constructor({ limitMs, initialSilenceMs }: AnswerDetectorOptions) {
    assert(limitMs >= 1_000 && limitMs <= 7_000, `limitMs ${limitMs}`);
    assert(initialSilenceMs >= 0, `initialSilenceMs ${initialSilenceMs}`);
    this.#limitMs = limitMs;
    this.#initialSilenceMs = initialSilenceMs;
  }

  /** 20 ms at 8 kHz. */
  feed(frame: Int16Array): readonly DetectorEvent[] {
    assert(frame.length === FRAME_SAMPLES, `a frame of ${frame.length} samples`);
    return this.#advance(frame);
  }

  /** 20 ms that did not arrive. */
  lost(): readonly DetectorEvent[] {
    return this.#advance(null);
  }

  /** The audio is over: what is undecided is said now. */
  end(): readonly DetectorEvent[] {
    this.#events = [];
    for (const tone of this.#listener.end()) this.#tell(tone);
    const hasSpoken = this.#listener.sensitive.onsetFrame >= 0;
    if (this.#verdict === undefined) this.#classify(hasSpoken ? 'unknown' : 'silence');
    if (!this.#hasGreetingEnded && hasSpoken) this.#endGreeting();
    return this.#events;
  }

  #advance(frame: Int16Array | null): readonly DetectorEvent[] {
    this.#events = NOTHING as DetectorEvent[];
    const tone = this.#listener.feed(frame);
    if (tone !== undefined) this.#tell(tone);
    if (this.#verdict === undefined) this.#decide();
    if (!this.#hasGreetingEnded) this.#listenForEnd();
    return this.#events;
  }

  #tell(tone: AnswerTone): void {
    switch (tone.kind) {
      case 'beep': {
        const { startMs, endMs, hz } = tone.tone;
        if (this.#verdict === undefined) this.#classify('machine', { beepHz: Math.round(hz) });
        if (!this.#hasGreetingEnded && this.#listener.sensitive.endFrame >= 0) this.#endGreeting();
        this.#add({ type: 'beep', atMs: startMs, endMs, frequencyHz: Math.round(hz) });
        return;
      }
      case 'fax':
        if (this.#verdict === undefined) this.#classify('fax', { tone: tone.signal });
        return;
      case 'sit':
        if (this.#verdict === undefined) this.#classify('sit', { tone: tone.code });
        return;
      case 'progress':
        this.#ringbackUntilMs = tone.tone.endMs + RINGBACK_SILENCE_MS;
    }
  }

  #decide(): void {
    const { sensitive, analysis, tracker, nowMs } = this.#listener;
    if (analysis.frames < FLOOR_FRAMES_MIN) return;
    if (sensitive.onsetFrame < 0) {
      const waitMs = Math.max(this.#initialSilenceMs, this.#ringbackUntilMs);
      const mayBegin = tracker.soundingMs > 0 || sensitive.burstMs > 0;
      if (nowMs >= waitMs && !mayBegin) this.#classify(this.#hasSound ? 'unknown' : 'silence');
      return;
    }
    this.#start();
    readFeatures(this.#listener, this.#features);
    this.#probability = HUMAN_TREES.probability(this.#features);
    // A person who waits makes no tone: it is a SIT's, a fax's or a beep.
    if (tracker.soundingMs >= TONE_WAIT_MS && sensitive.elapsedMs < this.#limitMs) return;
    const verdict = verdictOn(this.#moment, this.#limitMs, ANSWER_THRESHOLDS);
    if (verdict !== undefined) this.#classify(verdict);
  }

  /** A loud and lively sound in which no pause tells noise from speech. */
  get #hasSound(): boolean {
    const { peakDb, spreadDb } = this.#listener.levels;
    return peakDb >= SOUND_LEAST_DB && spreadDb >= SOUND_SPREAD_DB;
  }

  get #moment(): Moment {
    const { sensitive, strict, levels } = this.#listener;
    return {
      probability: this.#probability,
      onsetMs: sensitive.onsetFrame * FRAME_MS,
      elapsedMs: sensitive.elapsedMs,
      speechMs: sensitive.speechMs,
      pauseMs: sensitive.pauseMs,
      strictPauseMs: strict.pauseMs,
      strictBurstMs: strict.burstMs,
      rangeDb: levels.rangeDb,
    };
  }

  #start(): void {
    if (this.#hasStarted) return;
    this.#hasStarted = true;
    this.#add({ type: 'speechStarted', atMs: this.#listener.sensitive.onsetFrame * FRAME_MS });
  }

  #classify(verdict: AnswerVerdict, more: Record<string, number | string> = {}): void {
    this.#verdict = verdict;
    this.#listener.settle();
    const cadence = this.#listener.sensitive;
    const hasSpeech = cadence.onsetFrame >= 0;
    let probability = this.#probability;
    if (verdict === 'fax' || verdict === 'sit' || 'beepHz' in more) probability = 0.001;
    this.#add({
      type: 'classified',
      atMs: this.#listener.nowMs,
      verdict,
      humanProbability: probability,
      evidence: {
        speechStartMs: hasSpeech ? cadence.onsetFrame * FRAME_MS : null,
        speechMs: cadence.speechMs,
        utterances: cadence.utterances,
        longestUtteranceMs: cadence.longestUtteranceMs,
        longestPauseMs: cadence.longestPauseMs,
        pauseMs: cadence.pauseMs,
        floorDb: Math.round(this.#listener.levels.floorDb),
        peakDb: Math.round(this.#listener.levels.peakDb),
        ...more,
      },
    });
  }

  #listenForEnd(): void {
    const cadence = this.#listener.sensitive;
    if (cadence.onsetFrame < 0 || this.#verdict === undefined) return;
    const isPerson = this.#verdict === 'human';
    if (isPerson) {
      this.#endGreeting();
      return;
    }
    const pauseMs = this.#verdict === 'unknown' ? UNDECIDED_PAUSE_MS : MACHINE_PAUSE_MS;
    if (cadence.pauseMs >= pauseMs && this.#listener.tracker.soundingMs === 0) this.#endGreeting();
  }

  #endGreeting(): void {
    this.#hasGreetingEnded = true;
    const atMs = this.#listener.sensitive.endFrame * FRAME_MS;
    this.#add({ type: 'greetingEnded', atMs, decidedAtMs: this.#listener.nowMs });
  }

  #add(event: DetectorEvent): void {
    if (this.#events === NOTHING) this.#events = [];
    this.#events.push(event);
  }
}
