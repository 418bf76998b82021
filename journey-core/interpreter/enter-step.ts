/** What each type of step does with a run that comes to it: goes on at once, or stands still. */
import { durationMs, WAIT_MAX_MS } from '../definition/duration.ts';
import { instantMs } from '../definition/instant.ts';
import { SEND_WITHIN_DEFAULT_MS } from '../definition/sending.schema.ts';
import type { Given, SendingStep, Step, StepOf } from '../definition/step.schemas.ts';
import { asInstantMs } from './judge-test.ts';
import { judgeCondition, type ConditionFinding } from './judge-condition.ts';
import type { Values } from './json-value.ts';
import { own } from './json-value.ts';
import type { RunDraft } from './run-draft.ts';
import { indexOfShare, stableShare } from './stable-share.ts';
import { arriveAtWaitFor } from './wait-for.ts';

/** Which reference of the step is taken, and why. */
export interface Choice {
  readonly next: string;
  readonly place: string;
  readonly because: string;
  readonly findings?: readonly ConditionFinding[];
}

/** Null: the run stands still, or has ended. */
export function enterStep(draft: RunDraft, step: Step): Choice | null {
  switch (step.type) {
    case 'voice':
    case 'sms':
    case 'message':
      return send(draft, step);
    case 'wait':
      return wait(draft, step);
    case 'waitFor':
      return arriveAtWaitFor(draft, step);
    case 'branch':
      return branch(draft, step);
    case 'split':
      return split(draft, step);
    case 'abTest':
      return abTest(draft, step);
    case 'bestChannel':
      return bestChannel(draft, step);
    case 'activity':
      return activity(draft, step);
    case 'activateTrigger':
      draft.emit({
        ...{ type: 'activateTrigger', key: draft.key, trigger: step.trigger },
        attributes: givenValues(draft, step.attributes),
      });
      return { next: step.next, place: '/next', because: `raised ${step.trigger}` };
    case 'repeat':
      return repeat(draft, step);
    case 'exit':
      draft.exit('completed', null);
      return null;
  }
}

/** Does not wait for what comes of it: that is for a waitFor step (spec G.2). */
function send(draft: RunDraft, step: SendingStep): Choice {
  const { key, visit, nowMs, run } = draft;
  if (!run.isCollecting) {
    const heard = run.heard.filter(({ kind }) => kind === 'step');
    draft.change({ heard, isCollecting: true });
  }
  const { id: stepId, type } = step;
  draft.change({ sendings: [...run.sendings, { key, stepId, visit, type, outcome: null }] });
  const withinMs = step.sendWithin === undefined ? undefined : durationMs(step.sendWithin);
  const outgoing = {
    ...{ key, stepId, quietTime: step.quietTime ?? 'inherit' },
    notAfterMs: nowMs + (withinMs ?? SEND_WITHIN_DEFAULT_MS),
    frequencyCap: draft.journey.frequencyCap ?? 'apply',
    inputs: givenValues(draft, step.inputs),
  };
  if (step.type === 'message') {
    const { message, webhook, to = null } = step;
    draft.emit({ type: 'sendMessage', ...outgoing, message, webhook, to });
  } else {
    draft.emit({
      ...{ type: 'startConversation', ...outgoing, channel: step.type },
      engagement: step.engagement,
      compliance: step.type === 'voice' ? step.compliance : null,
      message: step.type === 'sms' ? step.message : null,
    });
  }
  return { next: step.next, place: '/next', because: 'asked for it' };
}

/** Attributes without a value are left out. */
function givenValues(draft: RunDraft, given: Readonly<Record<string, Given>> | undefined): Values {
  const known = draft.known();
  return Object.fromEntries(
    Object.entries(given ?? {}).flatMap(([name, source]) => {
      const value = 'from' in source ? known.valueOf(source.from, source.attribute) : source.value;
      return value === undefined || value === null ? [] : [[name, value] as const];
    }),
  );
}

function wait(draft: RunDraft, step: StepOf<'wait'>): Choice | null {
  const due = dueAtMs(draft, step);
  if ('next' in due) return due;
  if (due.atMs <= draft.nowMs) {
    return { next: step.next, place: '/next', because: 'the time has come already' };
  }
  draft.waitFor({ kind: 'time', timerId: draft.key, dueAtMs: due.atMs });
  return null;
}

/** A fixed date beyond the longest wait ends there; a person's date leads to `otherwise`. */
function dueAtMs(draft: RunDraft, step: StepOf<'wait'>): { readonly atMs: number } | Choice {
  const { nowMs, journey } = draft;
  const latestMs = nowMs + WAIT_MAX_MS;
  if (step.for !== undefined) {
    return { atMs: Math.min(nowMs + (durationMs(step.for) ?? 0), latestMs) };
  }
  if (step.until !== undefined) {
    return { atMs: Math.min(instantMs(step.until, journey.timeZone) ?? nowMs, latestMs) };
  }
  const source = step.untilAttribute;
  if (source === undefined) return { atMs: nowMs };
  const place = '/untilAttribute/otherwise';
  const value = draft.known().valueOf(source.from, source.attribute);
  const dateMs = asInstantMs(value, journey.timeZone);
  if (dateMs === undefined) return { next: source.otherwise, place, because: 'there is no date' };
  const atMs =
    dateMs - (durationMs(source.before ?? '') ?? 0) + (durationMs(source.after ?? '') ?? 0);
  if (atMs <= latestMs) return { atMs };
  return { next: source.otherwise, place, because: 'the date is more than 90 days ahead' };
}

/** Judged at this moment; what changes later does not alter the way (spec G.4). */
function branch(draft: RunDraft, step: StepOf<'branch'>): Choice {
  const known = draft.known();
  const findings: ConditionFinding[] = [];
  for (const [index, { when, next, title }] of step.branches.entries()) {
    const finding = judgeCondition(when, known);
    findings.push(finding);
    if (!finding.holds) continue;
    const because = title ?? `branch ${index + 1}`;
    return { next, place: `/branches/${index}/next`, because, findings };
  }
  return { next: step.otherwise, place: '/otherwise', because: 'otherwise', findings };
}

function split(draft: RunDraft, step: StepOf<'split'>): Choice | null {
  if (step.by === 'number') {
    draft.emit({ type: 'takeNumber', key: draft.key, stepId: step.id });
    draft.waitFor({ kind: 'number', key: draft.key });
    return null;
  }
  const shares = step.branches.map(({ percent = 0 }) => percent);
  const index = indexOfShare(shares, shareOf(draft));
  const taken = step.branches[index];
  const because = taken?.title ?? `${taken?.percent ?? 0} %`;
  return { next: taken?.next ?? '', place: `/branches/${index}/next`, because };
}

/** The run's number from 1 fills the branches in their order. */
export function choiceOfNumber(step: StepOf<'split'>, number: number): Choice {
  let upTo = 0;
  for (const [index, { count = 0, next, title }] of step.branches.entries()) {
    upTo += count;
    if (number > upTo) continue;
    const because = `number ${number}: ${title ?? `branch ${index + 1}`}`;
    return { next, place: `/branches/${index}/next`, because };
  }
  const because = `number ${number}: all branches are full`;
  return { next: step.otherwise ?? '', place: '/otherwise', because };
}

/** The same for a run however often it comes back to the step. */
function shareOf({ run }: RunDraft): number {
  return stableShare(`${run.runId}:${run.stepId ?? ''}`);
}

function abTest(draft: RunDraft, { id, variants }: StepOf<'abTest'>): Choice {
  const winner = own(draft.facts?.variants, id);
  const won = variants.findIndex((variant) => variant.id === winner);
  const shares = variants.map(({ percent }) => percent);
  const index = won >= 0 ? won : indexOfShare(shares, shareOf(draft));
  return variantChoice(variants, index, won >= 0 ? 'the winner' : 'by chance');
}

function bestChannel(draft: RunDraft, { id, variants }: StepOf<'bestChannel'>): Choice {
  const best = own(draft.facts?.variants, id);
  const known = variants.findIndex((variant) => variant.id === best);
  const index = known >= 0 ? known : Math.floor(shareOf(draft) * variants.length);
  return variantChoice(variants, index, known >= 0 ? 'best for this person' : 'by chance');
}

function variantChoice(
  variants: readonly { readonly id: string; readonly next: string }[],
  index: number,
  why: string,
): Choice {
  const { id, next } = variants[index] ?? { id: '', next: '' };
  return { next, place: `/variants/${index}/next`, because: `${id}: ${why}` };
}

function activity(draft: RunDraft, step: StepOf<'activity'>): Choice {
  const dueInMs = step.dueIn === undefined ? undefined : durationMs(step.dueIn);
  draft.emit({
    ...{ type: 'createActivity', key: draft.key, activity: step.activity, subject: step.subject },
    description: step.description ?? null,
    assignTo: step.assignTo ?? null,
    dueAtMs: dueInMs === undefined ? null : draft.nowMs + dueInMs,
  });
  return { next: step.next, place: '/next', because: `made a ${step.activity}` };
}

function repeat({ visit }: RunDraft, { to, next, timesMax }: StepOf<'repeat'>): Choice {
  if (visit <= timesMax) return { next: to, place: '/to', because: `${visit} of ${timesMax}` };
  return { next, place: '/next', because: `went back ${timesMax} times` };
}
