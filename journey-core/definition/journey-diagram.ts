/** A journey as a Mermaid flowchart. */
import { edges } from '../validation/step-graph.ts';
import type { Journey } from './journey.schema.ts';
import type { Step } from './step.schemas.ts';

/** How many have come along, to be written onto the diagram. */
export interface DiagramCounts {
  readonly entered: number;
  /** By the id of the step. */
  readonly steps: ReadonlyMap<string, { readonly entered: number; readonly waiting: number }>;
  /** How often this reference of the step was taken. */
  readonly taken: (stepId: string, place: string) => number;
}

/** Lines of Mermaid; GitHub and most wikis draw it inside a `mermaid` fence. */
export function journeyDiagram(journey: Journey, counts?: DiagramCounts): string {
  const names = new Map(journey.steps.map(({ id }, index) => [id, `s${index + 1}`]));
  const nameOf = (id: string): string => names.get(id) ?? 'unknown';
  const first = journey.steps[0]?.id ?? '';
  return [
    'flowchart TD',
    `  entry([${quoted(entryText(journey))}]) -->${labelled(countText(counts?.entered))} ${nameOf(first)}`,
    ...journey.steps.map((step) => `  ${nameOf(step.id)}${shaped(step, counts)}`),
    ...journey.steps.flatMap((step) =>
      edges(step).map(({ to, label, isRepeat, place }) => {
        const arrow = isRepeat ? '-.->' : '-->';
        const count = countText(counts?.taken(step.id, place));
        const text = [label, count].filter((part) => part !== '').join(': ');
        return `  ${nameOf(step.id)} ${arrow}${labelled(text)} ${nameOf(to)}`;
      }),
    ),
    ...exitLines(journey),
    '',
  ].join('\n');
}

function entryText({ entry }: Journey): string {
  if (entry.kind === 'trigger') return `on ${entry.trigger}`;
  const every = entry.every === undefined ? '' : ` every ${entry.every}`;
  return `segment ${entry.segment}, ${entry.frequency}${every}`;
}

function exitLines({ exits }: Journey): string[] {
  if (exits === undefined) return [];
  const reasons = exits.on.map((rule) =>
    'segment' in rule ? `joins ${rule.segment}` : rule.trigger,
  );
  return [
    `  anywhere[/${quoted(reasons.join(', '))}/] -.-> out([${quoted('exit from anywhere')}])`,
  ];
}

function countText(count: number | undefined): string {
  return count === undefined ? '' : String(count);
}

function labelled(text: string): string {
  return text === '' ? '' : `|${quoted(text)}|`;
}

function shaped(step: Step, counts: DiagramCounts | undefined): string {
  const { entered, waiting } = counts?.steps.get(step.id) ?? { entered: 0, waiting: 0 };
  const standing = waiting === 0 ? `${entered}` : `${entered}, ${waiting} waiting`;
  const lines = [
    step.title ?? step.id,
    detailOf(step),
    ...(counts === undefined ? [] : [standing]),
  ];
  const text = quoted(lines.join('<br/>'));
  switch (step.type) {
    case 'branch':
    case 'split':
    case 'abTest':
    case 'bestChannel':
      return `{${text}}`;
    case 'wait':
    case 'waitFor':
      return `[/${text}\\]`;
    case 'exit':
      return `([${text}])`;
    case 'voice':
    case 'sms':
    case 'message':
      return `[[${text}]]`;
    default:
      return `[${text}]`;
  }
}

function detailOf(step: Step): string {
  switch (step.type) {
    case 'voice':
      return `call: ${step.engagement}`;
    case 'sms':
      return `text conversation: ${step.engagement}`;
    case 'message':
      return `message: ${step.message}`;
    case 'wait':
      return waitText(step);
    case 'waitFor':
      return `wait up to ${step.timeout.after}`;
    case 'activity':
      return `${step.activity}: ${step.subject}`;
    case 'activateTrigger':
      return `raise ${step.trigger}`;
    case 'split':
      return `split by ${step.by}`;
    case 'branch':
      return 'first that holds';
    case 'repeat':
    case 'exit':
    case 'abTest':
    case 'bestChannel':
      return step.type;
  }
}

function waitText(step: Extract<Step, { type: 'wait' }>): string {
  if (step.for !== undefined) return `wait ${step.for}`;
  if (step.until !== undefined) return `wait until ${step.until}`;
  const date = step.untilAttribute;
  const shift =
    date?.before === undefined
      ? date?.after === undefined
        ? ''
        : `${date.after} after `
      : `${date.before} before `;
  return `wait until ${shift}${date?.attribute ?? ''}`;
}

/** Mermaid ends a label at a quote; `#quot;` is its way to write one. */
function quoted(text: string): string {
  return `"${text.replaceAll('"', '#quot;').replaceAll('\n', ' ')}"`;
}
