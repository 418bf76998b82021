/**
 * The two levels behind a text conversation, in one go (spec G.2): whether an end of it was heard in
 * time, and which end it was.
 */
import { STEPS_MAX, type Journey } from './journey.schema.ts';
import type { Step, StepOf } from './step.schemas.ts';

export interface CreatedBranches {
  readonly journey: Journey;
  readonly addedStepIds: readonly string[];
}

/** For its author to change. */
const TIMEOUT = '1d';

/**
 * Level one: attempted, not attempted, blocked, or timed out. Level two, of those that were attempted:
 * closed, no reply, cancelled, and the rest. Every branch leads to where the step led, for its author to
 * lead on. Pure. Text: why it cannot be done.
 */
export function createBranches(journey: Journey, stepId: string): CreatedBranches | string {
  const index = journey.steps.findIndex(({ id }) => id === stepId);
  const step = journey.steps[index];
  if (step === undefined) return 'is no step of it';
  if (step.type !== 'sms') return `is of type ${step.type}: a text conversation is asked for`;
  const isHeard = journey.steps.some(
    (other) =>
      other.type === 'waitFor' && other.on.some((on) => 'step' in on && on.step === stepId),
  );
  if (isHeard) return 'has branches already: a wait hears of it';
  if (journey.steps.length + 2 > STEPS_MAX) return `would make more than ${STEPS_MAX} steps`;
  const taken = new Set(journey.steps.map(({ id }) => id));
  const waitId = freeId(taken, stepId, 'Outcome');
  const branchId = freeId(taken.add(waitId), stepId, 'Result');
  const { next } = step;
  const added = [waitStep(stepId, waitId, branchId, next), branchStep(stepId, branchId, next)];
  const steps: Step[] = [
    ...journey.steps.slice(0, index),
    { ...step, next: waitId },
    ...added,
    ...journey.steps.slice(index + 1),
  ];
  return { journey: { ...journey, steps }, addedStepIds: [waitId, branchId] };
}

function waitStep(stepId: string, id: string, branchId: string, next: string): StepOf<'waitFor'> {
  return {
    ...{ id, type: 'waitFor', title: 'Was there an end in time?' },
    on: [
      { title: 'conversation ended', step: stepId, is: 'attempted', next: branchId },
      { title: 'not attempted', step: stepId, is: 'notAttempted', next },
      { title: 'blocked', step: stepId, is: 'blocked', next },
    ],
    timeout: { after: TIMEOUT, next },
  };
}

function branchStep(stepId: string, id: string, next: string): StepOf<'branch'> {
  const is = (title: string, attribute: string, value: string) => ({
    ...{ title, when: { from: stepId, attribute, operator: 'is' as const, value } },
    next,
  });
  return {
    ...{ id, type: 'branch', title: 'How did it end?' },
    branches: [
      is('closed', 'Result', 'ConversationClosed'),
      is('no reply in time', 'Result', 'ResponseTimeout'),
      is('cancelled', 'ReturnCode', 'ConversationCancelled'),
    ],
    otherwise: next,
  };
}

const ID_CHARS_MAX = 64;

function freeId(taken: ReadonlySet<string>, stepId: string, end: string): string {
  for (let n = 1; ; n += 1) {
    const ending = n === 1 ? end : `${end}${n}`;
    const id = `${stepId.slice(0, ID_CHARS_MAX - ending.length)}${ending}`;
    if (!taken.has(id)) return id;
  }
}
