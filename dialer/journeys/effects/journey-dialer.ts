/**
 * What journeys ask of a dialer. One in the same process writes into the same store, so that a task and
 * the note that it was asked for are one transaction. One elsewhere is asked over `/v1`, and may have
 * done what it was asked although its answer was lost.
 */
import type { Transaction } from 'kysely';
import type { ConversationEnded } from '../../../journey-core/interpreter/events.ts';
import type { PhoneType } from '../../engagements/engagement-config.schema.ts';
import type { Writer } from '../../engagements/create-engagement.ts';
import type { Window } from '../../eligibility/window.ts';
import type { Database } from '../../store/schema/database.ts';
import type { TaskRestrictions } from '../../tasks/task-restrictions.ts';

type Tx = Transaction<Database>;

export interface ConversationRequest {
  /** Of the effect: asked twice, it is one task. */
  readonly key: string;
  readonly journeyId: string;
  readonly runId: string;
  readonly contactId: string;
  readonly engagement: CallingEngagement;
  /** In order: nothing else is dialled. */
  readonly contactPointIds: readonly string[];
  /** Hours in which a call may start. */
  readonly windows: readonly Window[];
  readonly inputAttributes: Readonly<Record<string, string>>;
  readonly consent: TaskRestrictions['consent'];
}

export interface CallingEngagement {
  readonly id: string;
  /** Kinds of number that it dials. */
  readonly phoneTypes: readonly PhoneType[];
}

/** Why an engagement cannot be asked: there is none of that name, or it takes no work any more. */
export type NoEngagement = 'engagement_missing' | 'engagement_closed';

export type TaskStanding =
  /** Not over, or what came of it is still being said. Ask again then, unless it is heard before. */
  | { readonly is: 'open'; readonly askAgainAtMs: number }
  | { readonly is: 'ended'; readonly ended: Omit<ConversationEnded, 'type' | 'key'> }
  | { readonly is: 'gone' };

export interface DialerHere {
  readonly where: 'here';
  engagement(
    tx: Tx,
    businessUnitId: string,
    name: string,
  ): Promise<CallingEngagement | NoEngagement>;
  /** Answers the task's id. */
  request(tx: Tx, writer: Writer, request: ConversationRequest): Promise<string>;
  /** After the commit. */
  requested(engagementId: string): void;
  standing(tx: Tx, taskId: string, nowMs: number): Promise<TaskStanding>;
  /** Harmless when it has ended. */
  cancel(businessUnitId: string, taskId: string): Promise<void>;
}

export interface DialerElsewhere {
  readonly where: 'elsewhere';
  engagement(name: string): Promise<CallingEngagement | NoEngagement>;
  /** Throws when nobody knows whether it was made. */
  request(request: ConversationRequest): Promise<{ readonly taskId: string } | NoEngagement>;
  /** What an earlier request with this key has made. */
  taskOf(key: string): Promise<string | undefined>;
  standing(taskId: string, nowMs: number): Promise<TaskStanding>;
  cancel(taskId: string): Promise<void>;
}

export type JourneyDialer = DialerHere | DialerElsewhere;
