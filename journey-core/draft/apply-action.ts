/** Puts what was read into the plan: with the waits before it, for the people that it is for. */
import { durationText } from '../definition/duration.ts';
import type { Action, NewStep, ReadAction } from './read-action.ts';
import { isRefused, type Refused } from './attribute-phrases.ts';
import { beginBranch, type Suffix } from './conditional-clause.ts';
import { segmentEntry, type Taken } from './entry-phrases.ts';
import type { Source } from './draft-plan.ts';
import { addWait, sceneOf, waitText, type Lost, type Reading } from './read-sentence.ts';

export function applyAction(
  reading: Reading,
  read: ReadAction,
  suffix: Suffix | null,
  source: Source,
): Taken | Lost {
  const { plan, frame } = reading;
  if (read.segment !== null) {
    const taken = segmentEntry(frame, read.segment, sceneOf(reading));
    if (taken !== null && isRefused(taken)) return taken;
  }
  if (suffix !== null && 'condition' in suffix) {
    const refused = beginBranch(reading, suffix.condition, suffix.isUnless, source);
    if (refused !== null) return { lost: refused.refused };
  }
  const refused =
    (read.share === null ? null : plan.splitArm(read.share, source)) ??
    apply(reading, read, source);
  if (suffix !== null && 'condition' in suffix) plan.toEverybodyUnlessInside();
  if (refused !== null) return refused;
  reading.hasLostCondition = false;
  const segment = read.segment === null ? [] : [`entry: segment ${frame.segment ?? ''}`];
  const entry = suffix !== null && 'entry' in suffix ? [suffix.entry.means] : [];
  const waits = read.before.map(waitText);
  return {
    means: [...entry, ...segment, ...waits, meansOf(read)].filter((text) => text !== '').join(', '),
  };
}

function apply(reading: Reading, read: ReadAction, source: Source): Refused | null {
  const { plan } = reading;
  const { action, before, times, everyMs } = read;
  if (action.kind === 'retry') return retry(reading, read, source);
  for (const spec of before) {
    const refused = addWait(reading, spec, source);
    if (refused !== null) return refused;
  }
  switch (action.kind) {
    case 'step': {
      const refused = addStep(reading, action, source);
      if (refused !== null || (times ?? 1) <= 1) return refused;
      return plan.retry((times ?? 2) - 1, waits(everyMs), source);
    }
    case 'end':
      return plan.end(source);
    case 'await':
      return plan.await(action.timeoutMs, source);
    case 'awaitTrigger':
      if (action.timeoutMs === null) return { refused: 'it is not said how long: `up to 3 days`' };
      return plan.triggerBranch(action.trigger, action.timeoutMs, source);
    case 'nothing':
      return null;
  }
}

function addStep(
  reading: Reading,
  { name, step, message }: Extract<Action, { kind: 'step' }>,
  source: Source,
): Refused | null {
  const made = reading.plan.step(name, step, source);
  if (isRefused(made)) return made;
  if (step.type === 'voice' || step.type === 'sms') reading.frame.spokenOf = [step.type];
  else if (message !== undefined) reading.frame.spokenOf = [message.channel];
  if (message !== undefined && 'message' in made && !reading.messages.has(made.message)) {
    reading.messages.set(made.message, { name: made.message, ...message });
  }
  return null;
}

function retry(
  reading: Reading,
  { before, times, everyMs }: ReadAction,
  source: Source,
): Refused | null {
  const { plan } = reading;
  const steps = [
    ...before.map((spec) => ({ type: 'wait', ...spec }) as NewStep),
    ...waits(everyMs),
  ];
  if (plan.isInCallBranch || times !== null) return plan.retry(times ?? 1, steps, source);
  const call = plan.lastConversation();
  if (call === null) return { refused: 'nobody was called before it' };
  for (const spec of before) {
    const refused = addWait(reading, spec, source);
    if (refused !== null) return refused;
  }
  const made = plan.step(call.type === 'voice' ? 'call' : 'text', call, source);
  return isRefused(made) ? made : null;
}

function waits(everyMs: number | null): readonly NewStep[] {
  return everyMs === null ? [] : [{ type: 'wait', for: durationText(everyMs) } as NewStep];
}

function meansOf({ action, times }: ReadAction): string {
  const often = times === null ? '' : `, ${times} times at most`;
  switch (action.kind) {
    case 'step': {
      const { step } = action;
      if (step.type === 'voice') return `call${often}`;
      if (step.type === 'sms') return 'text conversation';
      if (step.type === 'message') return `${action.message?.channel ?? 'other'} message`;
      if (step.type === 'activity') return step.activity === 'task' ? 'task' : 'phone call';
      return step.type === 'activateTrigger' ? `activate trigger ${step.trigger}` : 'wait';
    }
    case 'retry':
      return `call again${often}`;
    case 'await':
      return 'wait for the outcome';
    case 'awaitTrigger':
      return `wait for trigger ${action.trigger}`;
    case 'end':
      return 'end';
    case 'nothing':
      return '';
  }
}
