/** The waitFor step: which of the things that happened decides, and which are kept for later. */
import type { Awaited, StepOf } from '../definition/step.schemas.ts';
import { durationMs } from '../definition/duration.ts';
import type { Journey } from '../definition/journey.schema.ts';
import type { Choice } from './enter-step.ts';
import { judgeCondition } from './judge-condition.ts';
import { own } from './json-value.ts';
import type { Heard } from './run.ts';
import type { RunDraft } from './run-draft.ts';

type WaitForStep = StepOf<'waitFor'>;

/** What was heard since the last message decides first, in the order in which it came. */
export function arriveAtWaitFor(draft: RunDraft, step: WaitForStep): Choice | null {
  for (const heard of draft.run.heard) {
    const choice = choiceOf(draft, step, heard);
    if (choice !== null) return choice;
  }
  for (const segment of draft.facts?.segments ?? []) {
    const choice = choiceOf(draft, step, { kind: 'segment', segment });
    if (choice !== null) return choice;
  }
  const dueAtMs = draft.nowMs + (durationMs(step.timeout.after) ?? 0);
  draft.waitFor({ kind: 'events', timerId: draft.key, dueAtMs });
  return null;
}

/** Something happened: it ends this wait, or is kept, or means nothing to any wait. */
export function hear(draft: RunDraft, heard: Heard): Choice | null {
  const { run, graph } = draft;
  const step = graph.stepOf.get(run.stepId ?? '');
  if (run.waiting?.kind === 'events' && step?.type === 'waitFor') {
    const choice = choiceOf(draft, step, heard);
    if (choice !== null) {
      draft.stopWaiting();
      return choice;
    }
  }
  const isKept = heard.kind === 'step' || run.isCollecting;
  if (isKept && isAwaitedSomewhere(draft.journey, heard)) draft.keep(heard);
  return null;
}

export function timeOut(draft: RunDraft, step: WaitForStep): Choice {
  endWait(draft, step);
  const { after, next } = step.timeout;
  return { next, place: '/timeout/next', because: `timed out after ${after}` };
}

function choiceOf(draft: RunDraft, step: WaitForStep, heard: Heard): Choice | null {
  const index = step.on.findIndex((awaited) => isMet(draft, awaited, heard));
  const awaited = step.on[index];
  if (awaited === undefined) return null;
  remember(draft, step, heard);
  endWait(draft, step);
  return { next: awaited.next, place: `/on/${index}/next`, because: heardText(heard) };
}

function isMet(draft: RunDraft, awaited: Awaited, heard: Heard): boolean {
  if ('step' in awaited) {
    return (
      heard.kind === 'step' &&
      awaited.step === heard.stepId &&
      awaited.is === heard.is &&
      // What came of an earlier round is not what this one waits for.
      heard.visit === own(draft.run.visits, heard.stepId)
    );
  }
  if ('segment' in awaited) return heard.kind === 'segment' && awaited.segment === heard.segment;
  if (heard.kind !== 'trigger' || awaited.trigger !== heard.trigger) return false;
  if (awaited.conditions === undefined) return true;
  return judgeCondition(awaited.conditions, draft.known(heard.values)).holds;
}

/** From here on conditions can ask for it. */
function remember(draft: RunDraft, step: WaitForStep, heard: Heard): void {
  if (heard.kind === 'segment') return;
  const from = heard.kind === 'step' ? heard.stepId : step.id;
  const before = heard.kind === 'step' ? own(draft.run.variables, from) : undefined;
  // An e-mail that was opened keeps what was known of its sending.
  const values = { ...before, ...heard.values };
  draft.change({ variables: { ...draft.run.variables, [from]: values } });
}

/** The first decides; what else this wait listened for is ignored from then on (spec G.3). */
function endWait(draft: RunDraft, step: WaitForStep): void {
  const heard = draft.run.heard.filter((item) => !step.on.some((on) => isListened(on, item)));
  draft.change({ heard, isCollecting: false });
}

function isListened(awaited: Awaited, heard: Heard): boolean {
  if ('step' in awaited) return heard.kind === 'step' && awaited.step === heard.stepId;
  if ('segment' in awaited) return heard.kind === 'segment' && awaited.segment === heard.segment;
  return heard.kind === 'trigger' && awaited.trigger === heard.trigger;
}

function isAwaitedSomewhere({ steps }: Journey, heard: Heard): boolean {
  return steps.some(
    (step) => step.type === 'waitFor' && step.on.some((awaited) => isListened(awaited, heard)),
  );
}

function heardText(heard: Heard): string {
  switch (heard.kind) {
    case 'step':
      return `${heard.stepId}: ${heard.is}`;
    case 'trigger':
      return heard.trigger;
    case 'segment':
      return `joined ${heard.segment}`;
  }
}
