/** What becomes of a plain text: a draft, and everything that was made of each of its sentences. */
import type { Journey } from '../definition/journey.schema.ts';
import type { JourneyFault } from '../validation/journey-fault.ts';
import type { DraftSummary } from './describe-journey.ts';
import type { Placeholder } from './connect-assets.ts';
import type { TextPlace } from './sentences.ts';

/** A part of the text that was taken in. */
export interface UnderstoodPart {
  readonly text: string;
  readonly at: TextPlace;
  /** In the words of the format: `wait 2h`. */
  readonly means: string;
}

/** A part of the text that is not in the draft. */
export interface PartLeftOut {
  readonly text: string;
  readonly at: TextPlace;
  /** Why, and what would be understood. */
  readonly reason: string;
}

export interface JourneyDraft {
  /**
   * Holds the assets that it relies on; what could not be found among those given is there in state
   * `toBeConnected` and blocks publishing. Null: no step was understood, or it would not hold together.
   */
  readonly journey: Journey | null;
  /** Of the journey; only of severity `error` when it is null and steps were understood. */
  readonly faults: readonly JourneyFault[];
  /** Entry, timing and steps in words; null without a journey. */
  readonly summary: DraftSummary | null;
  readonly placeholders: readonly Placeholder[];
  readonly understood: readonly UnderstoodPart[];
  readonly notUnderstood: readonly PartLeftOut[];
  /** What the text does not say and the draft had to. */
  readonly assumptions: readonly string[];
}
