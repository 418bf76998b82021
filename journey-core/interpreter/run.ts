/** The state of one person's way through a journey: plain JSON, a row of its own. */
import type { JsonValue, Values } from './json-value.ts';

export type ExitReason =
  | 'completed' // came to an exit step
  | 'trigger' // an exit trigger came
  | 'segment' // joined an exit segment
  | 'stopped' // the journey was stopped, or the person taken out by hand
  | 'error'; // the definition does not have the step; never from a definition that validates

export interface RunExit {
  readonly reason: ExitReason;
  /** Name of the trigger or segment, or what was wrong. */
  readonly detail: string | null;
  readonly stepId: string | null;
  readonly atMs: number;
}

/** What a run that stands still waits for. A run has at most one timer. */
export type Waiting =
  | { readonly kind: 'time'; readonly timerId: string; readonly dueAtMs: number }
  | { readonly kind: 'events'; readonly timerId: string; readonly dueAtMs: number }
  | { readonly kind: 'facts' }
  | { readonly kind: 'number'; readonly key: string };

/** A conversation or a message that the run asked for. */
export interface Sending {
  /** `runId:stepId:visit`: idempotency key of the effect, and the address of what comes back. */
  readonly key: string;
  readonly stepId: string;
  readonly visit: number;
  readonly type: 'voice' | 'sms' | 'message';
  /** One of three for ever; null until then. */
  readonly outcome: string | null;
}

/** Something that happened and that a wait may still ask for. */
export type Heard =
  | {
      readonly kind: 'step';
      readonly stepId: string;
      readonly visit: number;
      readonly is: string;
      readonly values: Values;
    }
  | { readonly kind: 'trigger'; readonly trigger: string; readonly values: Values }
  | { readonly kind: 'segment'; readonly segment: string };

export interface JourneyRun {
  readonly runId: string;
  readonly journeyId: string;
  /** Of the definition: a run finishes the version it began. */
  readonly version: number;
  readonly personId: string;
  readonly status: 'new' | 'active' | 'exited';
  readonly enteredAtMs: number | null;
  /** What the entry trigger carried; empty for a segment. */
  readonly entry: Values;
  readonly stepId: string | null;
  readonly waiting: Waiting | null;
  /** How often each step was entered. */
  readonly visits: Readonly<Record<string, number>>;
  /** What waits heard, by the step it came of. */
  readonly variables: Readonly<Record<string, Values>>;
  readonly sendings: readonly Sending[];
  /** Oldest first; at most `HEARD_MAX`. */
  readonly heard: readonly Heard[];
  /** Triggers are kept for the next wait: something was sent since the last one ended. */
  readonly isCollecting: boolean;
  /** Ids of events that were taken in; the last `SEEN_MAX`. */
  readonly seen: readonly string[];
  readonly goalAtMs: number | null;
  readonly exit: RunExit | null;
}

/** Kept per run at most; the oldest goes. */
export const HEARD_MAX = 100;
/** An event repeated later than this many others is taken for a new one. */
export const SEEN_MAX = 100;

export function newRun(
  ids: Pick<JourneyRun, 'runId' | 'journeyId' | 'version' | 'personId'>,
): JourneyRun {
  return {
    runId: ids.runId,
    journeyId: ids.journeyId,
    version: ids.version,
    personId: ids.personId,
    status: 'new',
    enteredAtMs: null,
    entry: {},
    stepId: null,
    waiting: null,
    visits: {},
    variables: {},
    sendings: [],
    heard: [],
    isCollecting: false,
    seen: [],
    goalAtMs: null,
    exit: null,
  };
}

export type { JsonValue };
