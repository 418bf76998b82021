/** Who answered: a person, a machine, a fax, an announcement or nobody; then, when may one speak. */
import assert from 'node:assert/strict';
import type { AnswerVerdict } from '../../machines/telephony-events.ts';
import { AnswerTones, isSurelyTone, type AnswerTone } from './answer-tones.ts';
import { FRAME_MS, FRAME_SAMPLES, FrameAnalysis } from './frame-analysis.ts';
import { humanProbability } from './human-probability.ts';
import { SpeechCadence } from './speech-cadence.ts';
import { FLOOR_FRAMES_MIN, SpeechLevels, UNHEARD_DB } from './speech-levels.ts';
import { ToneTracker, type Tone } from './tone-tracker.ts';

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
      readonly humanProbability: number;
      readonly evidence: Record<string, number | string | null>;
    }
  | { readonly type: 'greetingEnded'; readonly atMs: number; readonly decidedAtMs: number }
  | {
      readonly type: 'beep';
      readonly atMs: number;
      readonly endMs: number;
      readonly frequencyHz: number;
    };

const NOTHING: readonly DetectorEvent[] = [];
/** Where between floor and peak speech begins, for the two readings of the same levels. */
const SENSITIVE_SHARE = 0.45;
const STRICT_SHARE = 0.68;
/** What is looked back on: the verdict's 7 s and the noise before it. */
const LOOK_BACK_FRAMES = 400;
/** A ringing phone is silent for 4 s between two rings (North America); nobody has answered yet. */
const RINGBACK_SILENCE_MS = 4_400;
/** A person waits this long for an answer; recorded text pauses less. */
const SHORT_GREETING_PAUSE_MS = 480;
const SHORT_GREETING_MAX_MS = 3_200;
const MACHINE_SURE = 0.04;
/** Longer than a recorded text pauses between two sentences. */
const MACHINE_PAUSE_MS = 1_300;
const UNDECIDED_PAUSE_MS = 900;

export class AnswerDetector {
  readonly #limitMs: number;
  readonly #initialSilenceMs: number;
  readonly #analysis = new FrameAnalysis();
  readonly #tracker = new ToneTracker();
  readonly #tones = new AnswerTones();
  readonly #levels = new SpeechLevels();
  readonly #sensitive = new SpeechCadence();
  readonly #strict = new SpeechCadence();
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
    this.#analysis.feed(frame, this.#levels.floorDb);
    return this.#advance();
  }

  /** 20 ms that did not arrive. */
  lost(): readonly DetectorEvent[] {
    this.#analysis.lost();
    return this.#advance();
  }

  /** The audio is over: what is undecided is said now. */
  end(): readonly DetectorEvent[] {
    this.#events = [];
    const ended = this.#tracker.end(this.#analysis);
    if (ended !== undefined) this.#toneEnded(ended);
    for (const tone of [this.#toldBy(ended), this.#tones.end()]) {
      if (tone !== undefined) this.#tell(tone);
    }
    if (this.#verdict === undefined) {
      this.#classify(this.#sensitive.onsetFrame < 0 ? 'silence' : 'unknown');
    }
    if (!this.#hasGreetingEnded && this.#sensitive.endFrame >= 0) this.#endGreeting();
    return this.#events;
  }

  get #nowMs(): number {
    return this.#analysis.frames * FRAME_MS;
  }

  #advance(): readonly DetectorEvent[] {
    this.#events = NOTHING as DetectorEvent[];
    const analysis = this.#analysis;
    this.#levels.add(analysis.isSilent ? UNHEARD_DB : analysis.levelDb);
    const ended = this.#tracker.feed(analysis);
    if (ended !== undefined) this.#toneEnded(ended);
    else if (this.#tracker.isSteady) {
      this.#levels.markTone(this.#tracker.soundingFrom, analysis.frames - 1);
    }
    const tone = this.#toldBy(ended);
    if (tone !== undefined) this.#tell(tone);
    this.#read();
    if (this.#verdict === undefined) this.#decide();
    if (!this.#hasGreetingEnded) this.#listenForEnd();
    return this.#events;
  }

  #read(): void {
    const levels = this.#levels;
    const from = Math.max(0, levels.count - LOOK_BACK_FRAMES);
    levels.measure(from);
    this.#sensitive.read(levels, from, levels.threshold(SENSITIVE_SHARE));
    if (this.#verdict === undefined) {
      this.#strict.read(levels, from, levels.threshold(STRICT_SHARE));
    }
  }

  #toldBy(ended: Tone | undefined): AnswerTone | undefined {
    return this.#tones.feed(this.#analysis, this.#tracker, ended, this.#sensitive.activeMs);
  }

  #toneEnded(tone: Tone): void {
    if (!isSurelyTone(tone)) return;
    const from = Math.floor(tone.startMs / FRAME_MS);
    this.#levels.markTone(from, Math.ceil(tone.endMs / FRAME_MS) - 1);
  }

  #tell(tone: AnswerTone): void {
    switch (tone.kind) {
      case 'beep': {
        const { startMs, endMs, hz } = tone.tone;
        if (this.#verdict === undefined) this.#classify('machine', { beepHz: Math.round(hz) });
        if (!this.#hasGreetingEnded && this.#sensitive.endFrame >= 0) this.#endGreeting();
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
    const cadence = this.#sensitive;
    if (this.#analysis.frames < FLOOR_FRAMES_MIN) return;
    if (cadence.onsetFrame < 0) {
      const waitMs = Math.max(this.#initialSilenceMs, this.#ringbackUntilMs);
      if (this.#nowMs >= waitMs && this.#tracker.soundingMs === 0 && !cadence.isUndecided) {
        this.#classify('silence');
      }
      return;
    }
    this.#start();
    const probability = humanProbability(cadence);
    if (this.#hasShortGreetingEnded()) this.#classify('human');
    else if (cadence.elapsedMs >= this.#limitMs) {
      this.#classify(probability <= MACHINE_SURE ? 'machine' : 'unknown');
    }
  }

  #hasShortGreetingEnded(): boolean {
    const cadence = this.#sensitive;
    if (cadence.isUndecided || cadence.speechMs > SHORT_GREETING_MAX_MS) return false;
    const hasPaused = cadence.pauseMs >= SHORT_GREETING_PAUSE_MS;
    return hasPaused || this.#strict.pauseMs >= SHORT_GREETING_PAUSE_MS + 100;
  }

  #start(): void {
    if (this.#hasStarted) return;
    this.#hasStarted = true;
    this.#add({ type: 'speechStarted', atMs: this.#sensitive.onsetFrame * FRAME_MS });
  }

  #classify(verdict: AnswerVerdict, more: Record<string, number | string> = {}): void {
    this.#verdict = verdict;
    const cadence = this.#sensitive;
    const hasSpeech = cadence.onsetFrame >= 0;
    let probability = hasSpeech ? humanProbability(cadence) : 0.5;
    if (verdict === 'fax' || verdict === 'sit' || 'beepHz' in more) probability = 0.001;
    this.#add({
      type: 'classified',
      atMs: this.#nowMs,
      verdict,
      humanProbability: probability,
      evidence: {
        speechStartMs: hasSpeech ? cadence.onsetFrame * FRAME_MS : null,
        speechMs: cadence.speechMs,
        utterances: cadence.utterances,
        longestUtteranceMs: cadence.longestUtteranceMs,
        longestPauseMs: cadence.longestPauseMs,
        pauseMs: cadence.pauseMs,
        floorDb: Math.round(this.#levels.floorDb),
        peakDb: Math.round(this.#levels.peakDb),
        ...more,
      },
    });
  }

  #listenForEnd(): void {
    const cadence = this.#sensitive;
    if (cadence.onsetFrame < 0 || this.#verdict === undefined) return;
    const isPerson = this.#verdict === 'human';
    if (isPerson) {
      this.#endGreeting();
      return;
    }
    const pauseMs = this.#verdict === 'unknown' ? UNDECIDED_PAUSE_MS : MACHINE_PAUSE_MS;
    if (cadence.pauseMs >= pauseMs && this.#tracker.soundingMs === 0) this.#endGreeting();
  }

  #endGreeting(): void {
    this.#hasGreetingEnded = true;
    const atMs = this.#sensitive.endFrame * FRAME_MS;
    this.#add({ type: 'greetingEnded', atMs, decidedAtMs: this.#nowMs });
  }

  #add(event: DetectorEvent): void {
    if (this.#events === NOTHING) this.#events = [];
    this.#events.push(event);
  }
}
