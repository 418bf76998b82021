/**
 * How many calls to start now: as many as risk no more than the budget permits. A chance
 * constraint on the margin: the next call is started while the over-answers that it adds, per
 * answer that it brings, stay inside the permitted risk. In flight never fewer than the
 * representatives who are idle: those calls can abandon nobody.
 */
import type { BlockingRisk } from './blocking-risk.ts';
import type { BindingLimit } from './pacer-events.ts';

export interface StartLimits {
  readonly idle: number;
  /** Started and neither connected nor ended. */
  readonly inFlight: number;
  readonly inFlightMax: number;
  readonly startsMax: number;
  /** Risk that one call may carry; 0 starts none without an idle representative. */
  readonly riskMax: number;
  /** A legal window without room for what these calls may cost. */
  readonly exhausted: (expectedOver: number, expectedAnswers: number) => boolean;
}

export interface Starts {
  readonly start: number;
  readonly binding: BindingLimit;
  readonly risk: number;
  readonly horizonS: number;
}

/** O(starts × horizon), plus the distributions' size in a small pool. */
export function predictiveStarts(risk: BlockingRisk, limits: StartLimits): Starts {
  const { idle, inFlight, inFlightMax, startsMax, riskMax, exhausted } = limits;
  let start = 0;
  for (;;) {
    const { risk: next, horizonS } = risk.ofOneMore();
    const stop = (binding: BindingLimit): Starts => ({
      start,
      binding,
      risk: next,
      horizonS,
    });
    if (inFlight + start >= inFlightMax) return stop('inFlightMax');
    if (start >= startsMax) return stop('startsPerTickMax');
    if (inFlight + start >= idle) {
      if (riskMax <= 0) return stop('representatives');
      if (next > riskMax) return stop('risk');
      if (exhausted(risk.expectedOver(), risk.expectedAnswers())) return stop('budget');
    }
    risk.add();
    start += 1;
  }
}
