/**
 * What the gateway hears of one customer: early media until the answer, who answered from then on, and
 * voice and digits while somebody needs them. A tap is made for it when first needed, and let go when
 * nothing is listened for.
 */
import type { Detection } from '../../machines/telephony-commands.ts';
import type { AnswerVerdict, EarlyMediaVerdict } from '../../machines/telephony-events.ts';
import type { Heard, Listening, ListeningPort, ListenOrder } from '../audio-taps/listening.port.ts';
import { elapsedMs, type GatewayClock } from '../clock.ts';
import type { MediaEndpoint, ReceivedDigit } from '../media/media-endpoint.ts';
import type { AttemptEventBody } from './event-outlet.ts';

/** Beyond the longest time a verdict may take by the audio: then the audio has stopped coming. */
const VERDICT_MARGIN_MS = 1_500;

export interface EarsParts {
  readonly endpoint: Pick<MediaEndpoint, 'tapped'>;
  readonly listening: ListeningPort;
  readonly clock: GatewayClock;
  readonly emit: (body: AttemptEventBody) => void;
  readonly onEarlyMedia: (verdict: EarlyMediaVerdict) => void;
}

/** Whoever acts on what is heard after the answer. */
export interface EarsHandlers {
  onVerdict(verdict: AnswerVerdict): void;
  /** `atMs`: end of the speech, by the gateway's clock. */
  onGreetingEnded(atMs: number): void;
  onBeep(): void;
  onVoice(speaking: boolean): void;
  onDigit(digit: ReceivedDigit): void;
  /** Nothing is heard any more. */
  onDeaf(): void;
}

export class CustomerEars {
  readonly #parts: EarsParts;
  #handlers: EarsHandlers | undefined;
  #listening: Listening | undefined;
  #order: ListenOrder = {};
  #answeredAtMs = 0;
  #verdict: AnswerVerdict | undefined;
  #speechAtMs: number | undefined;
  #greetingEndedAtMs: number | undefined;
  #awaitsVerdict = false;
  #isDeaf = false;
  #timer: unknown;
  #over = false;

  constructor(parts: EarsParts) {
    this.#parts = parts;
  }

  get verdict(): AnswerVerdict | undefined {
    return this.#verdict;
  }

  /** By the gateway's clock; undefined while it is not known. */
  get greetingEndedAtMs(): number | undefined {
    return this.#greetingEndedAtMs;
  }

  /** Whether what is played to the customer leaves the ears open. */
  get hearsWhilePlaying(): boolean {
    return !this.#isDeaf && this.#parts.listening.capabilities.survivesPlayback;
  }

  get isDeaf(): boolean {
    return this.#isDeaf;
  }

  /** Media flows before the answer. */
  early(): void {
    if (this.#handlers === undefined) this.#listenFor({ earlyMedia: true });
  }

  /** From here on it is about who answered. `detection` is what the dialer ordered, if it did. */
  answered(detection: Detection | undefined, handlers: EarsHandlers): void {
    this.#handlers = handlers;
    this.#answeredAtMs = this.#parts.clock.now();
    if (detection === undefined) {
      this.#listenFor({});
      return;
    }
    const { limitMs, initialSilenceMs } = detection;
    this.#awaitsVerdict = true;
    this.#listenFor({ answer: { limitMs, initialSilenceMs } });
    if (this.#isDeaf) this.#decideDeaf('the audio cannot be heard');
    else this.#guard(initialSilenceMs + limitMs);
  }

  /** Voice and digits, beside what is listened for already. */
  attend(what: Pick<ListenOrder, 'digits' | 'voice'>): void {
    const { answer } = this.#order;
    this.#listenFor({ ...(answer === undefined ? {} : { answer }), ...what });
  }

  /** The greeting and its beep matter no more: nothing but the verdict, if that is awaited still. */
  rest(): void {
    if (!this.#awaitsVerdict) this.#listenFor({});
  }

  stop(): void {
    if (this.#over) return;
    this.#over = true;
    this.#parts.clock.clearTimeout(this.#timer);
    this.#listening?.stop();
  }

  #listenFor(order: ListenOrder): void {
    if (this.#over) return;
    this.#order = order;
    if (Object.keys(order).length === 0) {
      this.#listening?.stop();
      this.#listening = undefined;
      return;
    }
    if (this.#isDeaf) return;
    const { listening, endpoint } = this.#parts;
    this.#listening ??= listening.listen(endpoint.tapped, (heard) => this.#hear(heard));
    this.#listening.order(order);
  }

  #hear(heard: Heard): void {
    if (this.#over) return;
    const { clock, emit, onEarlyMedia } = this.#parts;
    switch (heard.type) {
      case 'earlyMedia':
        if (this.#handlers === undefined) onEarlyMedia(heard.verdict);
        return;
      case 'speechStarted':
        this.#speechAtMs ??= this.#whenHeard(heard.agoMs);
        return;
      case 'classified': {
        const { verdict, humanProbability, evidence } = heard;
        this.#classify(verdict, humanProbability, heard.agoMs, evidence);
        return;
      }
      case 'greetingEnded': {
        if (this.#greetingEndedAtMs !== undefined) return;
        const atMs = this.#whenHeard(heard.agoMs);
        this.#greetingEndedAtMs = atMs;
        const afterAnswerMs = elapsedMs(this.#answeredAtMs, atMs);
        emit({ type: 'attempt.greetingEnded', afterAnswerMs });
        this.#handlers?.onGreetingEnded(atMs);
        return;
      }
      case 'beep': {
        const afterAnswerMs = elapsedMs(this.#answeredAtMs, this.#whenHeard(heard.agoMs));
        emit({ type: 'attempt.beep', afterAnswerMs });
        this.#handlers?.onBeep();
        return;
      }
      case 'voice':
        this.#handlers?.onVoice(heard.speaking);
        return;
      case 'digit': {
        const { digit, durationMs } = heard;
        this.#handlers?.onDigit({ digit, durationMs, source: 'inband' });
        return;
      }
      case 'deaf':
        this.#isDeaf = true;
        this.#listening = undefined;
        clock.clearTimeout(this.#timer);
        this.#decideDeaf(heard.problem);
        this.#handlers?.onDeaf();
        return;
    }
  }

  #classify(
    verdict: AnswerVerdict,
    humanProbability: number,
    agoMs: number,
    evidence: Readonly<Record<string, unknown>>,
  ): void {
    if (!this.#awaitsVerdict) return;
    this.#awaitsVerdict = false;
    this.#verdict = verdict;
    const { clock, emit } = this.#parts;
    clock.clearTimeout(this.#timer);
    const afterAnswerMs = elapsedMs(this.#answeredAtMs, this.#whenHeard(agoMs));
    const body = { verdict, humanProbability, afterAnswerMs, evidence: { ...evidence } };
    const speech =
      this.#speechAtMs === undefined
        ? {}
        : { speechAfterAnswerMs: elapsedMs(this.#answeredAtMs, this.#speechAtMs) };
    emit({ type: 'attempt.classified', ...body, ...speech });
    this.#handlers?.onVerdict(verdict);
  }

  /** Undecided means human (ruling 7), and so does unheard. */
  #decideDeaf(problem: string): void {
    this.#classify('unknown', 0.5, 0, { problem });
  }

  #guard(limitMs: number): void {
    const { clock } = this.#parts;
    this.#timer = clock.setTimeout(
      () => this.#decideDeaf(`no verdict within ${limitMs + VERDICT_MARGIN_MS} ms`),
      limitMs + VERDICT_MARGIN_MS,
    );
  }

  /** Never before the answer: the audio of a moment before belongs to it. */
  #whenHeard(agoMs: number): number {
    return Math.max(this.#answeredAtMs, Math.round(this.#parts.clock.now() - agoMs));
  }
}
