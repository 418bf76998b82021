/**
 * A pacer without clock, timers or I/O: it is told what happened and asked how many calls to start.
 * The same events at the same times give the same decisions, so that a log replays to the same
 * answer. Live pacers, the simulator and `ringfence pacer --stdio` share it.
 */
import assert from 'node:assert/strict';
import { AbandonmentBudget, type WindowStanding } from './abandonment-budget.ts';
import type { LiveOutcome } from './abandonment-window.ts';
import { checkPacerConfig, limitsOf, type PacerConfig } from './pacer-config.ts';
import type { PacerDecision, PacerEvent } from './pacer-events.ts';
import { PACING_CONSTANTS as C } from './pacing-constants.ts';
import { PacingModel } from './pacing-model.ts';
import { predictiveDecision } from './predictive-decision.ts';
import { progressiveDecision } from './progressive-decision.ts';

const CONNECTED: LiveOutcome = { connected: 1, noRepresentative: 0, amdFalsePositive: 0 };
const ABANDONED: LiveOutcome = { connected: 0, noRepresentative: 1, amdFalsePositive: 0 };
/** Results that detection leads to (spec E.1), and what others call them. */
const MACHINE = /machine|voicemail/i;

export class PacerCore {
  #config: PacerConfig;
  readonly #model: PacingModel;
  readonly #budget: AbandonmentBudget;
  #pending = 0;
  #orderedAtMs = 0;

  constructor(config: PacerConfig) {
    checkPacerConfig(config);
    this.#config = config;
    this.#model = new PacingModel(config);
    this.#budget = new AbandonmentBudget({
      limits: limitsOf(config),
      setPointShare: C.setPointShare,
      recoveryAnswers: C.recoveryAnswers,
      trimPerCall: C.trimPerCall,
      creditMax: C.creditMax,
      debtMax: C.debtMax,
    });
    for (const { atMs, ...outcome } of config.past ?? []) this.#budget.note(atMs, outcome);
  }

  /**
   * Other settings from here on; mode and who talks first stay. What was learnt stays, and what was
   * spent counts against the new limits.
   */
  reconfigure(config: PacerConfig): void {
    checkPacerConfig(config);
    const { mode, repLed, believed } = this.#config;
    assert(config.mode === mode && config.repLed === repLed, 'another mode is another pacer');
    this.#config = { ...config, ...(believed === undefined ? {} : { believed }) };
    this.#model.reconfigure(this.#config);
    this.#budget.limit(limitsOf(config));
  }

  /** Something happened. Repeated, late and unknown events change nothing. */
  note(atMs: number, event: PacerEvent): void {
    const { representatives } = this.#model;
    switch (event.event) {
      case 'rep.ready':
        return representatives.ready(atMs, event.rep);
      case 'rep.busy':
        return representatives.busy(atMs, event.rep, false);
      case 'rep.wrapUp':
        return representatives.wrapUp(atMs, event.rep);
      case 'rep.gone':
        return representatives.gone(atMs, event.rep);
      default:
        return this.#noteAttempt(atMs, event);
    }
  }

  /** How many calls to start now. They count as in flight from here on, for a second at most
   * until `attempt.started` says that they are. */
  tick(atMs: number): PacerDecision {
    this.#model.attempts.advance(atMs);
    if (atMs - this.#orderedAtMs >= C.orderMs) this.#pending = 0;
    const decision = this.#decide(atMs);
    if (decision.start > 0) {
      this.#pending += decision.start;
      this.#orderedAtMs = atMs;
    }
    return decision;
  }

  /** How the legal windows stand that it keeps to. */
  windows(atMs: number): readonly WindowStanding[] {
    return this.#budget.standings(atMs);
  }

  #decide(atMs: number): PacerDecision {
    const [model, config, pending] = [this.#model, this.#config, this.#pending];
    if (config.mode === 'progressive') return progressiveDecision(model, config, pending);
    return predictiveDecision({ atMs, model, config, budget: this.#budget, pending });
  }

  #noteAttempt(
    atMs: number,
    event: Exclude<PacerEvent, { readonly rep: string }> | Connected,
  ): void {
    const { attempts, representatives } = this.#model;
    const next = this.#config.repLed ? 'waiting' : 'withAgent';
    switch (event.event) {
      case 'attempt.started':
        if (attempts.started(atMs, event.attempt)) this.#pending = Math.max(0, this.#pending - 1);
        return;
      case 'attempt.alerting':
        return attempts.alerting(atMs, event.attempt);
      case 'attempt.detecting':
        // With an AI agent the talk begins at once, whoever answered; detection runs beside it.
        if (next === 'withAgent') return attempts.answered(atMs, event.attempt, next);
        return attempts.detectionBegan(event.attempt);
      case 'attempt.answered':
        return attempts.answered(atMs, event.attempt, next);
      case 'attempt.escalated':
        return this.#reachQueue(atMs, event.attempt);
      case 'attempt.connected':
        this.#reachQueue(atMs, event.attempt);
        if (attempts.connected(event.attempt)) this.#budget.note(atMs, CONNECTED);
        return representatives.busy(atMs, event.rep, true);
      case 'attempt.abandoned':
        this.#reachQueue(atMs, event.attempt);
        if (attempts.ended(atMs, event.attempt) === 'waiting') this.#budget.note(atMs, ABANDONED);
        return;
      case 'attempt.ended':
        return this.#ended(atMs, event.attempt, event.result ?? '');
    }
  }

  /** Whoever is connected or lost has answered and asked for a representative before. */
  #reachQueue(atMs: number, attempt: string): void {
    const { attempts } = this.#model;
    attempts.answered(atMs, attempt, this.#config.repLed ? 'waiting' : 'withAgent');
    attempts.escalated(atMs, attempt);
  }

  #ended(atMs: number, attempt: string, result: string): void {
    const left = this.#model.attempts.ended(atMs, attempt);
    const share = this.#config.amdFalsePositiveRatio ?? 0;
    if (left === undefined || left === 'connected' || share === 0 || !MACHINE.test(result)) return;
    this.#budget.note(atMs, { connected: 0, noRepresentative: 0, amdFalsePositive: share });
  }
}

type Connected = Extract<PacerEvent, { readonly event: 'attempt.connected' }>;
