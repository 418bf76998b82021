/** Taps calls and listens to them, in the thread it was made in. */
import type {
  AudioTap,
  AudioTapCapabilities,
  AudioTapFactory,
  TappedChannel,
} from './audio-tap.port.ts';
import type { AnswerDetectorOptions, DetectorEvent } from '../amd/answer-detector.ts';
import type {
  AnswerListener,
  Detectors,
  DigitListener,
  EarlyMediaListener,
} from './detectors.port.ts';
import { FRAME_MS } from './audio-tap.port.ts';
import type { Heard, Listening, ListeningPort, ListenOrder } from './listening.port.ts';
import { VoiceActivity } from './voice-activity.ts';

export class ListeningRoom implements ListeningPort {
  readonly #taps: AudioTapFactory;
  readonly #detectors: Detectors;

  constructor(taps: AudioTapFactory, detectors: Detectors) {
    this.#taps = taps;
    this.#detectors = detectors;
  }

  get capabilities(): AudioTapCapabilities {
    return this.#taps.capabilities;
  }

  listen(channel: TappedChannel, tell: (heard: Heard) => void): Listening {
    return new RoomListening(this.#taps, this.#detectors, channel, tell);
  }
}

class RoomListening implements Listening {
  readonly #detectors: Detectors;
  readonly #tell: (heard: Heard) => void;
  readonly #tap: Promise<AudioTap | undefined>;
  #answerOptions: AnswerDetectorOptions | undefined;
  #answer: AnswerListener | undefined;
  #answerFedMs = 0;
  #early: EarlyMediaListener | undefined;
  #digits: DigitListener | undefined;
  #voice: VoiceActivity | undefined;
  #over = false;

  constructor(
    taps: AudioTapFactory,
    detectors: Detectors,
    channel: TappedChannel,
    tell: (heard: Heard) => void,
  ) {
    this.#detectors = detectors;
    this.#tell = tell;
    this.#tap = taps
      .start(channel, (pcm) => this.#hear(pcm))
      .catch((error: unknown) => {
        this.#deaf(error instanceof Error ? error.message : String(error));
        return undefined;
      });
  }

  /** What was listened for already goes on; what is not named any more ends. */
  order({ earlyMedia, answer, digits, voice }: ListenOrder): void {
    const detectors = this.#detectors;
    this.#early = earlyMedia && (this.#early ?? detectors.earlyMedia());
    this.#digits = digits && (this.#digits ?? detectors.digits());
    this.#voice = voice && (this.#voice ?? new VoiceActivity());
    this.#answerOptions = answer;
    if (answer === undefined) this.#answer = undefined;
  }

  stop(): void {
    if (this.#over) return;
    this.#over = true;
    void this.#tap.then((tap) => tap?.stop());
  }

  #deaf(problem: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#tell({ type: 'deaf', problem });
  }

  #hear(pcm: Int16Array | undefined): void {
    if (this.#over) return;
    this.#hearAnswer(pcm);
    if (pcm === undefined) return;
    const verdict = this.#early?.feed(pcm);
    if (verdict !== undefined) this.#tell({ type: 'earlyMedia', verdict });
    const voice = this.#voice?.feed(pcm);
    if (voice !== undefined) this.#tell({ type: 'voice', ...voice });
    const digit = this.#digits?.feed(pcm);
    if (digit !== undefined) this.#tell({ type: 'digit', ...digit });
  }

  #hearAnswer(pcm: Int16Array | undefined): void {
    if (this.#answerOptions === undefined) return;
    if (this.#answer === undefined) {
      this.#answer = this.#detectors.answer(this.#answerOptions);
      this.#answerFedMs = 0;
    }
    this.#answerFedMs += FRAME_MS;
    const events = pcm === undefined ? this.#answer.lost() : this.#answer.feed(pcm);
    for (const event of events) this.#tell(this.#heard(event));
  }

  #heard(event: DetectorEvent): Heard {
    const agoMs = Math.max(0, this.#answerFedMs - event.atMs);
    switch (event.type) {
      case 'speechStarted':
      case 'greetingEnded':
        return { type: event.type, agoMs };
      case 'classified': {
        const { type, verdict, humanProbability, evidence } = event;
        return { type, agoMs, verdict, humanProbability, evidence };
      }
      case 'beep':
        return { type: 'beep', agoMs, frequencyHz: event.frequencyHz };
    }
  }
}
