/**
 * What a run wants done, as data. Whoever runs it carries effects out through an outbox, in order,
 * at least once: `key` and `timerId` make each of them idempotent.
 */
import type { Compliance, ContactPointKind } from '../definition/sending.schema.ts';
import type { ConditionFinding } from './judge-condition.ts';
import type { FactsAsked } from './facts.ts';
import type { Values } from './json-value.ts';
import type { RunExit } from './run.ts';

/** What both conversations and messages say about hours, consent and caps (`decideSend`). */
interface Outgoing {
  readonly key: string;
  readonly stepId: string;
  /** As the step has it: `inherit`, `none`, or the name of a setting. */
  readonly quietTime: string;
  /** No hour that is not quiet before this: blocked. Epoch ms. */
  readonly notAfterMs: number;
  readonly frequencyCap: 'apply' | 'bypass';
  /** By name, as the step has them. */
  readonly inputs: Values;
}

/** Comes back as `conversationResult` or `conversationBlocked`, exactly once. */
export interface StartConversation extends Outgoing {
  readonly type: 'startConversation';
  readonly channel: 'voice' | 'sms';
  readonly engagement: string;
  /** Of a call. A text message carries its own. */
  readonly compliance: Compliance | null;
  /** The first text message. */
  readonly message: string | null;
}

/** Comes back as `messageResult`, exactly once, and as any number of `messageInteraction`. */
export interface SendMessage extends Outgoing {
  readonly type: 'sendMessage';
  readonly message: string;
  readonly webhook: string;
  /** Null: the contact point of the message's channel. */
  readonly to: ContactPointKind | null;
}

export type JourneyEffect =
  | StartConversation
  | SendMessage
  /** Withdraw what has not started; harmless when it has. Its outcome still comes. */
  | { readonly type: 'cancelSending'; readonly key: string }
  /** Comes back as `timerDue`, not before. A run has one timer: a new one replaces it. */
  | { readonly type: 'setTimer'; readonly timerId: string; readonly dueAtMs: number }
  | { readonly type: 'cancelTimer'; readonly timerId: string }
  /** Comes back as `facts`. */
  | { readonly type: 'readFacts'; readonly asked: FactsAsked }
  /** The next number of this step, counted over all runs of the version. Back as `numberTaken`. */
  | { readonly type: 'takeNumber'; readonly key: string; readonly stepId: string }
  | {
      readonly type: 'createActivity';
      readonly key: string;
      readonly activity: 'phoneCall' | 'task';
      readonly subject: string;
      readonly description: string | null;
      /** Null: the journey's owner. */
      readonly assignTo: string | null;
      readonly dueAtMs: number | null;
    }
  | {
      readonly type: 'activateTrigger';
      readonly key: string;
      readonly trigger: string;
      readonly attributes: Values;
    }
  | JourneyRecord;

/** What reports and a person's timeline are made of. Carries no address; findings may be personal. */
export type JourneyRecord =
  | { readonly type: 'recordEntry'; readonly atMs: number }
  | {
      readonly type: 'recordStep';
      readonly stepId: string;
      readonly visit: number;
      readonly atMs: number;
    }
  /** Why it went from here to the next step: one per step that is left. */
  | {
      readonly type: 'recordChoice';
      readonly stepId: string;
      readonly visit: number;
      readonly atMs: number;
      readonly next: string;
      /** The reference taken, below the step: `/branches/0/next`. */
      readonly place: string;
      /** In words: `attempted`, `timed out after 1d`. */
      readonly because: string;
      /** Of an attribute branch: what each branch was judged, down to the one taken. */
      readonly findings: readonly ConditionFinding[];
    }
  | {
      readonly type: 'recordOutcome';
      readonly key: string;
      readonly stepId: string;
      readonly visit: number;
      readonly outcome: string;
      readonly values: Values;
      readonly atMs: number;
    }
  | { readonly type: 'recordGoal'; readonly trigger: string; readonly atMs: number }
  | ({ readonly type: 'recordExit' } & RunExit);
