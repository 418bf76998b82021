/** The account of one delivery: who was called, when, why then, what happened, what came next. */
import type { ReportCategory, Result, SubReason } from '../../machines/result.ts';

export interface Moment {
  readonly atMs: number;
  readonly text: string;
}

/** One thing that had to hold for the call to start, and what was found. */
export interface Reason {
  readonly rule: string;
  readonly fact: string;
}

export interface Account {
  /** Null for a task of which no call was made. */
  readonly deliveryId: string | null;
  readonly taskId: string;
  readonly attemptId: string | null;
  readonly person: {
    readonly contactId: string;
    readonly uniqueIdentifier: string | null;
    readonly name: string | null;
    readonly timeZone: string | null;
  };
  /** Null when none was to start. The person's number is masked, ours is not. */
  readonly call: {
    readonly atMs: number;
    readonly number: string;
    readonly phoneType: string | null;
    readonly fromNumber: string | null;
    readonly trunk: string | null;
    readonly gatewayId: string | null;
    readonly callId: string | null;
    /** False: it was to start, and was refused or taken back before. Null while that is not known. */
    readonly mayHaveLeft: boolean | null;
    /** Machines that worked it, with their versions. */
    readonly machines: string | null;
  } | null;
  readonly engagement: {
    readonly id: string;
    readonly name: string;
    readonly dialMode: string;
    readonly workstream: string;
  };
  /** Why the call was allowed, and why at that moment. */
  readonly reasons: readonly Reason[];
  /** What an account might be expected to say, and no rule of this release looks at. */
  readonly notExamined: readonly string[];
  /** What had happened to the task until then. */
  readonly before: readonly Moment[];
  readonly onTheWire: readonly Moment[];
  /** Null while it goes on. */
  readonly outcome: OutcomeAccount | null;
  /** What became of the task. */
  readonly after: readonly Moment[];
  readonly task: { readonly status: string; readonly attempts: number };
  /** Names and values as they were passed in and returned. */
  readonly attributes: {
    readonly input: Readonly<Record<string, string>>;
    readonly result: Readonly<Record<string, string>>;
  };
  /** Log entries on which this rests. */
  readonly eventsRead: number;
}

export interface OutcomeAccount {
  readonly atMs: number;
  readonly result: Result;
  readonly subReason: SubReason | null;
  /** In plain words. */
  readonly meaning: string;
  /** What is known of who, or what, picked up; null: nobody did. */
  readonly whoAnswered: string | null;
  readonly category: ReportCategory;
  /** Row of docs/outcomes.md that gave the Result, with the condition it stands for. */
  readonly rule: { readonly row: number; readonly when: string } | null;
  readonly retryClass: string | null;
  readonly warnings: readonly string[];
  readonly advice: readonly string[];
  /** Whom to ask about a call that was blocked. */
  readonly redress: string | null;
  /** SIP and Q.850 as stored with the delivery. */
  readonly diagnostics: Readonly<Record<string, unknown>> | null;
}
