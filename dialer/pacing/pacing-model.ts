/** What a pacer knows: who talks, who rings, how long the one and the other last. */
import { AnswerEstimate } from './answer-estimate.ts';
import { AttemptBoard } from './attempt-board.ts';
import { DurationSurvival } from './duration-survival.ts';
import { freeForecast, type FreeForecast } from './free-forecast.ts';
import type { PacerConfig } from './pacer-config.ts';
import { PACING_CONSTANTS as C } from './pacing-constants.ts';
import { RepresentativeBoard } from './representative-board.ts';

export class PacingModel {
  readonly answers: AnswerEstimate;
  readonly attempts: AttemptBoard;
  readonly representatives: RepresentativeBoard;
  #patienceMs: number;
  readonly #talk: DurationSurvival;
  readonly #wrapUp: DurationSurvival;
  #frees: FreeForecast | undefined;
  #freesAtMs = Number.NEGATIVE_INFINITY;

  constructor(config: PacerConfig) {
    const { believed = {} } = config;
    const { wrapUpMs = 0 } = believed;
    this.#patienceMs = config.patienceMs;
    this.answers = new AnswerEstimate(config);
    this.attempts = new AttemptBoard(this.answers);
    this.#talk = new DurationSurvival({
      prior: believed.handle ?? C.handleDefault,
      priorWeight: C.handlePriorCount,
      memoryCount: C.durationMemoryCount,
    });
    this.#wrapUp = new DurationSurvival({
      prior: { meanMs: wrapUpMs > 0 ? wrapUpMs : C.wrapUpDefaultMs, cv: C.wrapUpCvDefault },
      priorWeight: C.wrapUpPriorCount,
      memoryCount: C.durationMemoryCount,
    });
    this.representatives = new RepresentativeBoard(
      { talk: this.#talk, wrapUp: this.#wrapUp },
      {
        wrapUpShare: wrapUpMs > 0 ? 1 : 0,
        memoryCount: C.durationMemoryCount,
        reserved: config.repLed,
      },
    );
  }

  /** Patience and ring time-out may be others now; what was learnt stays. */
  reconfigure({ patienceMs, ringTimeoutMs }: PacerConfig): void {
    this.#patienceMs = patienceMs;
    this.answers.ringUntil(ringTimeoutMs);
    this.#frees = undefined;
  }

  get horizonS(): number {
    return this.answers.horizonS;
  }

  /** When busy representatives will be free: learnt slowly, so reckoned every few seconds. */
  frees(atMs: number): FreeForecast {
    if (this.#frees === undefined || atMs - this.#freesAtMs >= C.freeTableEveryMs) {
      this.representatives.advance(atMs);
      this.#frees = freeForecast({
        talk: this.#talk,
        wrapUp: this.#wrapUp,
        wrapUpShare: this.representatives.wrapUpShare,
        horizonS: this.horizonS,
        patienceMs: this.#patienceMs,
      });
      this.#freesAtMs = atMs;
    }
    return this.#frees;
  }
}
