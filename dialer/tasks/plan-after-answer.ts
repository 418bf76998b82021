/** What each call does with whoever answers it: decided in the transaction that claims the start. */
import type { Transaction } from 'kysely';
import { Type, type Static } from 'typebox';
import { Value } from 'typebox/value';
import type { CallAttemptInput } from '../../machines/call-attempt.events.ts';
import type { Database } from '../store/schema/database.ts';
import type { WorkstreamRow } from '../store/schema/engagement-tables.ts';
import type { TaskRow } from '../store/schema/task-tables.ts';

export type AfterAnswer = CallAttemptInput['afterAnswer'];

export interface CallToAnswer {
  readonly attemptId: string;
  readonly deliveryId: string;
  readonly task: TaskRow;
  /** Whose number is dialled. */
  readonly contactId: string;
  /** Nothing is dialled for this task after it, should a machine answer (DM-28). */
  readonly isLastAttempt: boolean;
}

/**
 * Answers one plan for each call, in order. Statements only: it runs inside the claim, so that what
 * it writes (an AI agent's token) is there exactly when the attempt is. Called again for the calls
 * that recovery finds open.
 */
export type PlanAfterAnswer = (
  tx: Transaction<Database>,
  calls: readonly CallToAnswer[],
) => Promise<readonly AfterAnswer[]>;

/** The part of a workstream's settings that says what is played. */
export const AnswerSettings = Type.Object({
  prompts: Type.Array(Type.String(), {
    description: 'Played to whoever answers, then the call ends. None: hung up at once.',
    maxItems: 32,
    default: [],
  }),
  recording: Type.Boolean({
    description: 'Calls are recorded from the moment in which somebody is connected.',
    default: false,
  }),
  transcription: Type.Boolean({
    description:
      'Recordings are put in writing, where a transcriber is configured; needs `recording`.',
    default: false,
  }),
});
export type AnswerSettings = Static<typeof AnswerSettings>;

export function answerSettingsOf({ settings }: Pick<WorkstreamRow, 'settings'>): AnswerSettings {
  return Value.Parse(AnswerSettings, Value.Default(AnswerSettings, JSON.parse(settings)));
}

/** What a workstream without an AI agent announces. */
export function promptsOf(workstream: Pick<WorkstreamRow, 'settings'>): readonly string[] {
  return answerSettingsOf(workstream).prompts;
}

/** For a workstream without an AI agent. */
export function playPrompts(workstream: WorkstreamRow): PlanAfterAnswer {
  const prompts = promptsOf(workstream);
  return (_, calls) => Promise.resolve(calls.map(() => ({ prompts })));
}
