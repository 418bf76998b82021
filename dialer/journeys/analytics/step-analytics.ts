/** One step in numbers: who came, who stands there, where they went, what it sent and what came of it. */
import type { Journey } from '../../../journey-core/definition/journey.schema.ts';
import type { Step } from '../../../journey-core/definition/step.schemas.ts';
import { stepGraph } from '../../../journey-core/validation/step-graph.ts';
import { sumOf, type Counted } from './counted.ts';

export interface BranchAnalytics {
  /** The reference below the step: `/branches/0/next`. */
  readonly place: string;
  readonly label: string;
  readonly next: string;
  readonly count: number;
}

/** Of conversations and messages. Counts of sendings, of which a run may have several. */
export interface SendingAnalytics {
  /** Asked for by runs; the others are some of these. */
  readonly wanted: number;
  /** Asked of the dialer, or of the webhook. */
  readonly requested: number;
  /** Waiting for the end of quiet time, now. */
  readonly heldNow: number;
  /** How often something was held. */
  readonly held: number;
  /** Without an outcome yet, those that are held among them. */
  readonly pending: number;
  /** `attempted`, `notAttempted`, `blocked`; of messages `sent`, `notSent`, `blocked`. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly blockedBy: Readonly<Record<string, number>>;
  /** Of those asked for: `Result` of conversations, reasons of messages. */
  readonly results: Readonly<Record<string, number>>;
  /** `opened`, `clicked`, `replied`. */
  readonly interactions: Readonly<Record<string, number>>;
  /** attempted ÷ requested (JRN-65); null: nothing was requested, or these are messages. */
  readonly attemptedRate: number | null;
}

export interface VariantAnalytics {
  readonly id: string;
  readonly runs: number;
  readonly goals: number;
  /** goals ÷ runs; null: nobody came by it. */
  readonly goalRate: number | null;
  readonly isWinner: boolean;
}

export interface StepAnalytics {
  readonly id: string;
  readonly type: Step['type'];
  readonly title: string | null;
  /** Arrivals: whoever comes back counts again. */
  readonly entered: number;
  /** Different runs among them. */
  readonly runs: number;
  /** Standing there now. */
  readonly waiting: number;
  /** Went on to another step. */
  readonly left: number;
  /** Ended here, by reason. */
  readonly exited: Readonly<Record<string, number>>;
  readonly branches: readonly BranchAnalytics[];
  /** Null: a step that sends nothing. */
  readonly sending: SendingAnalytics | null;
  /** Null: a step without variants. */
  readonly variants: readonly VariantAnalytics[] | null;
}

export interface StepSource {
  readonly journey: Journey;
  readonly counted: Counted;
  /** Of a step: what is held now. */
  readonly heldNow: (stepId: string) => number;
  /** Of an A/B test that is decided: the variant. */
  readonly winnerOf: (stepId: string) => string | undefined;
}

/** Everything is from counts that are written with what they count: all of it is of one moment. */
export function stepAnalytics(source: StepSource, step: Step): StepAnalytics {
  const { journey, counted } = source;
  const { id } = step;
  const branches = (stepGraph(journey).edgesOf.get(id) ?? []).map(({ place, label, to }) => {
    return { place, label, next: to, count: counted.of(id, `choice:${place}`) };
  });
  const entered = counted.of(id, 'step');
  const left = counted.sum(id, 'choice:');
  const exited = counted.by(id, 'exit:');
  return {
    ...{ id, type: step.type, title: step.title ?? null, entered, runs: counted.of(id, 'runs') },
    waiting: entered - left - sumOf(Object.values(exited)),
    ...{ left, exited, branches },
    sending: isSending(step) ? sendingAnalytics(source, step, left) : null,
    variants:
      step.type === 'abTest' || step.type === 'bestChannel'
        ? step.variants.map((variant) => variantAnalytics(source, id, variant.id))
        : null,
  };
}

function isSending({ type }: Step): boolean {
  return type === 'voice' || type === 'sms' || type === 'message';
}

function sendingAnalytics(
  { counted, heldNow }: StepSource,
  { id, type }: Step,
  wanted: number,
): SendingAnalytics {
  const outcomes = counted.by(id, 'outcome:');
  const [reached, missed] =
    type === 'message' ? ['sent', 'notSent'] : ['attempted', 'notAttempted'];
  const requested = counted.sum(id, 'requested:');
  return {
    ...{ wanted, requested, heldNow: heldNow(id), held: counted.sum(id, 'held:') },
    pending: wanted - sumOf(Object.values(outcomes)),
    outcomes: Object.fromEntries(
      [reached, missed, 'blocked'].map((name) => [name, outcomes[name] ?? 0]),
    ),
    blockedBy: counted.by(id, 'outcome:blocked:'),
    results: { ...counted.by(id, `outcome:${reached}:`), ...counted.by(id, `outcome:${missed}:`) },
    interactions: counted.by(id, 'interaction:'),
    attemptedRate: type === 'message' ? null : rateOf(outcomes['attempted'] ?? 0, requested),
  };
}

function variantAnalytics(
  { counted, winnerOf }: StepSource,
  stepId: string,
  id: string,
): VariantAnalytics {
  const runs = counted.of(stepId, `variant:${id}`);
  const goals = counted.of(stepId, `goal:${id}`);
  return { id, runs, goals, goalRate: rateOf(goals, runs), isWinner: winnerOf(stepId) === id };
}

/** Null over nothing. */
export function rateOf(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
