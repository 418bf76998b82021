/** A journey in words: who enters, in what time, and what happens to them. */
import type { Journey } from '../definition/journey.schema.ts';
import type { Step } from '../definition/step.schemas.ts';
import { edges } from '../validation/step-graph.ts';

export interface DraftSummary {
  readonly entry: string;
  /** Dates, rates, waits and limits, in the order of the journey. */
  readonly timing: readonly string[];
  readonly steps: readonly DescribedStep[];
}

export interface DescribedStep {
  readonly id: string;
  readonly type: Step['type'];
  readonly text: string;
  /** Where it goes on, and when. */
  readonly next: readonly { readonly to: string; readonly when: string }[];
}

export function describeJourney(journey: Journey): DraftSummary {
  return {
    entry: entryText(journey),
    timing: timingOf(journey),
    steps: journey.steps.map((step) => ({
      ...{ id: step.id, type: step.type, text: stepText(step) },
      next: edges(step).map(({ to, label }) => ({ to, when: label })),
    })),
  };
}

function entryText({ entry }: Journey): string {
  const except = entry.exclude === undefined ? '' : `, except members of ${entry.exclude}`;
  if (entry.kind === 'trigger') {
    const conditions = entry.conditions === undefined ? '' : ' under conditions';
    return `trigger ${entry.trigger}${conditions}${except}`;
  }
  const how = {
    oneTime: 'once: its members at the start',
    ongoing: 'its members, and whoever joins',
    repeating: `all its members every ${entry.every ?? ''}`,
  };
  return `segment ${entry.segment}, ${how[entry.frequency]}${except}`;
}

function timingOf({ entry, reentry, steps, timeZone }: Journey): string[] {
  const rate = entry.kind === 'segment' ? entry.rate : undefined;
  const days = rate?.weekdays === undefined ? '' : ` on ${rate.weekdays.join(', ')}`;
  const delay = reentry?.delay === undefined ? '' : ` after ${reentry.delay}`;
  return [
    `time zone ${timeZone}`,
    ...(entry.opensAt === undefined ? [] : [`opens at ${entry.opensAt}`]),
    ...(entry.closesAt === undefined ? [] : [`closes at ${entry.closesAt}`]),
    ...(rate === undefined ? [] : [`at most ${rate.count} people per ${rate.per}${days}`]),
    ...(reentry === undefined ? [] : [`entering again: ${reentry.allow}${delay}`]),
    ...steps.flatMap((step) => {
      if (step.type === 'wait') return [`${step.id}: ${stepText(step)}`];
      return step.type === 'waitFor' ? [`${step.id}: at most ${step.timeout.after}`] : [];
    }),
  ];
}

function stepText(step: Step): string {
  switch (step.type) {
    case 'voice':
      return `call with engagement ${step.engagement}`;
    case 'sms':
      return `text conversation ${step.engagement}, beginning with ${step.message}`;
    case 'message':
      return `send ${step.message} by ${step.webhook}`;
    case 'wait':
      return waitText(step);
    case 'waitFor':
      return `wait for ${[...new Set(step.on.map(awaitedText))].join(', ')}`;
    case 'branch':
      return `branch by ${step.branches.map(({ title }, n) => title ?? `condition ${n + 1}`).join('; ')}`;
    case 'split':
      return `share people out by ${step.by}`;
    case 'abTest':
      return `test ${step.variants.map(({ id }) => id).join(' against ')}`;
    case 'bestChannel':
      return `the best of ${step.variants.map(({ id }) => id).join(', ')}`;
    case 'activity':
      return `${step.activity === 'task' ? 'task' : 'phone call'} for ${step.assignTo ?? 'the owner'}: ${step.subject}`;
    case 'activateTrigger':
      return `activate trigger ${step.trigger}`;
    case 'repeat':
      return `back to ${step.to}, ${step.timesMax} times at most`;
    case 'exit':
      return 'end';
  }
}

function awaitedText(awaited: Extract<Step, { type: 'waitFor' }>['on'][number]): string {
  if ('step' in awaited) return `what comes of ${awaited.step}`;
  return 'trigger' in awaited ? `trigger ${awaited.trigger}` : `joining ${awaited.segment}`;
}

function waitText(step: Extract<Step, { type: 'wait' }>): string {
  if (step.for !== undefined) return `wait ${step.for}`;
  if (step.until !== undefined) return `wait until ${step.until}`;
  const { before, after, attribute = '' } = step.untilAttribute ?? {};
  const shift =
    before !== undefined ? `${before} before ` : after !== undefined ? `${after} after ` : '';
  return `wait until ${shift}${attribute}`;
}
