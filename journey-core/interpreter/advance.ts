/**
 * The interpreter: what a run does next. Pure and total: the same definition, run, event and time
 * give the same answer, nothing is thrown whatever the event is, and an event that means nothing
 * gives the run back as it was.
 *
 * One call goes on until the run waits or ends. It ends: only repeat steps lead back, and each run
 * counts them. Of a definition that validates; a run at a step that is not there exits as `error`.
 */
import type { Journey, ExitRule } from '../definition/journey.schema.ts';
import { stepGraph } from '../validation/step-graph.ts';
import type { JourneyEffect } from './effects.ts';
import { choiceOfNumber, enterStep, type Choice } from './enter-step.ts';
import { readEvent, type ToldEvent } from './events.ts';
import { asksAnything, factsAsked, stepAsks } from './facts.ts';
import { judgeCondition } from './judge-condition.ts';
import { own, type Values } from './json-value.ts';
import type { Heard, JourneyRun } from './run.ts';
import { RunDraft } from './run-draft.ts';
import { hear, timeOut } from './wait-for.ts';

export interface Advance {
  readonly run: JourneyRun;
  readonly effects: readonly JourneyEffect[];
}

/**
 * `event` is a `JourneyEvent`, as it came: anything else does nothing. `nowMs` is epoch ms and must
 * not run backwards between calls for one run. `happenedAtMs` is when the event came, where it is
 * told late: what came before a limit decides, though the limit has passed meanwhile. Cost grows with
 * the steps that are gone through.
 */
export function advance(
  journey: Journey,
  run: JourneyRun,
  event: unknown,
  nowMs: number,
  happenedAtMs = nowMs,
): Advance {
  const told = readEvent(event);
  if (told === undefined) return { run, effects: [] };
  const times = { nowMs, happenedAtMs };
  const draft = new RunDraft(journey, stepGraph(journey), run, { ...times, facts: told.facts });
  if (run.status === 'exited') afterExit(draft, told.event);
  else if (run.status === 'new') enter(draft, told.event);
  else take(draft, told.event);
  return { run: draft.run, effects: draft.effects };
}

function enter(draft: RunDraft, event: ToldEvent): void {
  if (event.type === 'stop') {
    draft.exit('stopped', event.reason);
    return;
  }
  if (event.type !== 'enter') return;
  draft.change({ status: 'active', enteredAtMs: draft.nowMs, entry: event.attributes });
  draft.emit({ type: 'recordEntry', atMs: draft.nowMs });
  follow(draft, goTo(draft, draft.graph.firstId));
}

/** A conversation may outlast the run: it still has its one outcome. */
function afterExit(draft: RunDraft, event: ToldEvent): void {
  if (event.type === 'outcome') settle(draft, event);
}

function take(draft: RunDraft, event: ToldEvent): void {
  if (event.type === 'trigger' || event.type === 'segmentJoined') {
    if (!draft.takeOnce(event.id)) return;
    if (leaves(draft, event)) return;
  }
  if (event.type === 'stop') {
    draft.exit('stopped', event.reason);
    return;
  }
  overdue(draft, event);
  if (draft.run.waiting?.kind === 'facts' && draft.facts !== undefined) {
    follow(draft, arrive(draft));
  }
  if (draft.run.status !== 'active') {
    afterExit(draft, event);
    return;
  }
  switch (event.type) {
    case 'enter':
    case 'facts':
      return;
    case 'timerDue':
      due(draft, event.timerId);
      return;
    case 'numberTaken':
      numbered(draft, event);
      return;
    case 'outcome': {
      const heard = settle(draft, event);
      if (heard !== undefined) follow(draft, hear(draft, heard));
      return;
    }
    case 'interaction':
      interact(draft, event);
      return;
    case 'trigger':
      reachGoal(draft, event);
      follow(draft, hear(draft, { kind: 'trigger', trigger: event.trigger, values: event.values }));
      return;
    case 'segmentJoined':
      follow(draft, hear(draft, { kind: 'segment', segment: event.segment }));
  }
}

/** Exits come first: nothing that is due at the same moment is done any more. */
function leaves(
  draft: RunDraft,
  event: Extract<ToldEvent, { readonly type: 'trigger' | 'segmentJoined' }>,
): boolean {
  const rule = (draft.journey.exits?.on ?? []).find((candidate) => isMet(draft, candidate, event));
  if (rule === undefined) return false;
  // The exit of this person may be the goal all the same.
  if (event.type === 'trigger') reachGoal(draft, event);
  if ('segment' in rule) draft.exit('segment', rule.segment);
  else draft.exit('trigger', rule.trigger);
  return true;
}

function isMet(
  draft: RunDraft,
  rule: ExitRule,
  event: Extract<ToldEvent, { readonly type: 'trigger' | 'segmentJoined' }>,
): boolean {
  if ('segment' in rule) return event.type === 'segmentJoined' && event.segment === rule.segment;
  if (event.type !== 'trigger' || event.trigger !== rule.trigger) return false;
  return (
    rule.conditions === undefined ||
    judgeCondition(rule.conditions, draft.known(event.values)).holds
  );
}

function reachGoal(draft: RunDraft, event: { trigger: string; values: Values }): void {
  const { goal } = draft.journey;
  if (goal?.trigger !== event.trigger || draft.run.goalAtMs !== null) return;
  const known = draft.known(event.values);
  if (goal.conditions !== undefined && !judgeCondition(goal.conditions, known).holds) return;
  draft.change({ goalAtMs: draft.nowMs });
  draft.emit({ type: 'recordGoal', trigger: event.trigger, atMs: draft.nowMs });
}

/**
 * A timer that is due goes before what came after it, even where its own event is late: the limit
 * of a wait does not depend on how busy anybody is.
 */
function overdue(draft: RunDraft, event: ToldEvent): void {
  const { waiting } = draft.run;
  if (waiting === null || !('timerId' in waiting)) return;
  if (waiting.dueAtMs > draft.happenedAtMs) return;
  if (event.type !== 'timerDue') {
    draft.emit({ type: 'cancelTimer', timerId: waiting.timerId });
    due(draft, waiting.timerId);
  }
}

function due(draft: RunDraft, timerId: string): void {
  const { waiting, stepId } = draft.run;
  if (waiting === null || !('timerId' in waiting) || waiting.timerId !== timerId) return;
  if (draft.nowMs < waiting.dueAtMs) {
    draft.emit({ type: 'setTimer', timerId, dueAtMs: waiting.dueAtMs });
    return;
  }
  draft.change({ waiting: null });
  const step = draft.graph.stepOf.get(stepId ?? '');
  if (step?.type === 'waitFor') follow(draft, timeOut(draft, step));
  else if (step?.type === 'wait') {
    follow(draft, { next: step.next, place: '/next', because: 'waited' });
  } else draft.exit('error', `a timer of step '${stepId ?? ''}', which does not wait`);
}

function numbered(
  draft: RunDraft,
  { key, number }: Extract<ToldEvent, { readonly type: 'numberTaken' }>,
): void {
  const { waiting, stepId } = draft.run;
  const step = draft.graph.stepOf.get(stepId ?? '');
  if (waiting?.kind !== 'number' || waiting.key !== key || step?.type !== 'split') return;
  draft.change({ waiting: null });
  follow(draft, choiceOfNumber(step, number));
}

/** The one outcome of a conversation or a message; every further one is a repeat. */
function settle(
  draft: RunDraft,
  { key, is, values }: Extract<ToldEvent, { readonly type: 'outcome' }>,
): Heard | undefined {
  const { sendings } = draft.run;
  const index = sendings.findIndex((sending) => sending.key === key);
  const sending = sendings[index];
  if (sending?.outcome !== null) return undefined;
  if (!OUTCOMES_OF[sending.type].includes(is)) return undefined;
  draft.change({ sendings: sendings.with(index, { ...sending, outcome: is }) });
  const { stepId, visit } = sending;
  const atMs = draft.nowMs;
  draft.emit({ type: 'recordOutcome', key, stepId, visit, outcome: is, values, atMs });
  return { kind: 'step', stepId, visit, is, values };
}

const CONVERSATION: readonly string[] = ['attempted', 'notAttempted', 'blocked'];
const OUTCOMES_OF = {
  voice: CONVERSATION,
  sms: CONVERSATION,
  message: ['sent', 'notSent', 'blocked'] as readonly string[],
} as const;

function interact(
  draft: RunDraft,
  { id, key, is }: Extract<ToldEvent, { readonly type: 'interaction' }>,
): void {
  const sending = draft.run.sendings.find((item) => item.key === key);
  if (sending?.type !== 'message' || !draft.takeOnce(id)) return;
  const { stepId, visit } = sending;
  follow(draft, hear(draft, { kind: 'step', stepId, visit, is, values: {} }));
}

/** Goes on until the run waits or ends. A loop: a long way in one call must not exhaust the stack. */
function follow(draft: RunDraft, choice: Choice | null): void {
  for (let taken = choice; taken !== null;) {
    const { next, place, because, findings = [] } = taken;
    const stepId = draft.run.stepId ?? '';
    const at = { stepId, visit: draft.visit, atMs: draft.nowMs };
    draft.emit({ type: 'recordChoice', ...at, next, place, because, findings });
    taken = goTo(draft, next);
  }
}

function goTo(draft: RunDraft, stepId: string): Choice | null {
  const visit = (own(draft.run.visits, stepId) ?? 0) + 1;
  draft.change({ stepId, visits: { ...draft.run.visits, [stepId]: visit } });
  draft.emit({ type: 'recordStep', stepId, visit, atMs: draft.nowMs });
  return arrive(draft);
}

/** The run stands at its step and has not done it yet. */
function arrive(draft: RunDraft): Choice | null {
  const step = draft.graph.stepOf.get(draft.run.stepId ?? '');
  if (step === undefined) {
    draft.exit('error', `there is no step '${draft.run.stepId ?? ''}'`);
    return null;
  }
  if (draft.facts === undefined && asksAnything(stepAsks(step))) {
    if (draft.run.waiting?.kind !== 'facts') draft.waitFor({ kind: 'facts' });
    draft.emit({ type: 'readFacts', asked: factsAsked(draft.journey) });
    return null;
  }
  draft.change({ waiting: null });
  return enterStep(draft, step);
}
