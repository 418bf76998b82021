/**
 * What a pacer is told and what it answers: the vocabulary of `ringfence pacer --stdio`
 * (docs/pacing.md), of the simulator and of the live pacers alike.
 */

export type PacerEvent =
  /** Free for the next call: in the lobby when representatives are reserved, else available. */
  | { readonly event: 'rep.ready'; readonly rep: string }
  /** Talking, for us or for others. */
  | { readonly event: 'rep.busy'; readonly rep: string }
  | { readonly event: 'rep.wrapUp'; readonly rep: string }
  /** Signed off, on a break, or vanished. */
  | { readonly event: 'rep.gone'; readonly rep: string }
  | { readonly event: 'attempt.started'; readonly attempt: string; readonly stratum?: string }
  | { readonly event: 'attempt.alerting'; readonly attempt: string }
  /** Something answered; whether it is a person is being found out. */
  | { readonly event: 'attempt.detecting'; readonly attempt: string }
  /** A person answered. */
  | { readonly event: 'attempt.answered'; readonly attempt: string }
  /** The AI agent asks for a representative (AI-led). */
  | { readonly event: 'attempt.escalated'; readonly attempt: string }
  | { readonly event: 'attempt.connected'; readonly attempt: string; readonly rep: string }
  | { readonly event: 'attempt.abandoned'; readonly attempt: string }
  | { readonly event: 'attempt.ended'; readonly attempt: string; readonly result?: string };

/** What kept the number of starts where it is. */
export type BindingLimit =
  /** Representatives free, each with a call: progressive, or the floor of predictive. */
  | 'representatives'
  /** One more call would risk too much at that horizon. */
  | 'risk'
  /** A legal window has no room. */
  | 'budget'
  /** Too little is known yet. */
  | 'warmUp'
  | 'inFlightMax'
  | 'startsPerTickMax'
  /** Nobody is signed in. */
  | 'noRepresentatives';

/** What every decision was made of: enough to see why, and to check it by hand. */
export interface PacerExplanation {
  readonly mode: string;
  readonly idle: number;
  readonly busy: number;
  readonly wrappingUp: number;
  readonly ringing: number;
  readonly waiting: number;
}

export interface ProgressiveExplanation extends PacerExplanation {
  readonly callsPerRep: number;
}

export interface PredictiveExplanation extends PacerExplanation {
  /** Representatives expected to become free within the horizon. */
  readonly freesExpected: number;
  /** Answers expected of the calls in flight within the horizon, new ones included. */
  readonly answersExpected: number;
  readonly overExpected: number;
  readonly answerProbability: number;
  /** The pessimistic quantile that is paced with. */
  readonly answerProbabilityUpper: number;
  /** Risk that one more call would carry, that it may carry, and the second it is worst at. */
  readonly risk: number;
  readonly riskMax: number;
  readonly horizonS: number;
  /** Abandonment aimed at, and the legal window that says so. */
  readonly ratioAimedAt: number;
  readonly window: string;
  /** The answer rate has just jumped. */
  readonly alarm: boolean;
}

export interface PacerDecision {
  readonly start: number;
  /** Attempts to take back, longest ringing first. */
  readonly cancel: readonly string[];
  readonly binding: BindingLimit;
  readonly explanation: PacerExplanation | ProgressiveExplanation | PredictiveExplanation;
}
