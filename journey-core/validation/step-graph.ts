/** The graph of a journey's steps: its edges with their places, and what can be reached from where. */
import type { Journey } from '../definition/journey.schema.ts';
import type { Step } from '../definition/step.schemas.ts';

export interface StepEdge {
  readonly from: string;
  readonly to: string;
  /** Place of the reference below the step: `/branches/0/next`. */
  readonly place: string;
  /** What makes a run take it; empty where there is no choice. */
  readonly label: string;
  /** Of a `waitFor`: which of the awaited things leads here. */
  readonly onIndex?: number;
  /** Leads back by intent, and a limited number of times. */
  readonly isRepeat: boolean;
}

export interface StepGraph {
  readonly stepOf: ReadonlyMap<string, Step>;
  readonly indexOf: ReadonlyMap<string, number>;
  readonly edgesOf: ReadonlyMap<string, readonly StepEdge[]>;
  readonly firstId: string;
}

const graphs = new WeakMap<Journey, StepGraph>();

/** Of a definition that has the right shape. Remembered per object: definitions are not changed. */
export function stepGraph(journey: Journey): StepGraph {
  const known = graphs.get(journey);
  if (known !== undefined) return known;
  const stepOf = new Map<string, Step>();
  const indexOf = new Map<string, number>();
  for (const [index, step] of journey.steps.entries()) {
    if (stepOf.has(step.id)) continue;
    stepOf.set(step.id, step);
    indexOf.set(step.id, index);
  }
  const edgesOf = new Map([...stepOf].map(([id, step]) => [id, edges(step)]));
  const graph = { stepOf, indexOf, edgesOf, firstId: journey.steps[0]?.id ?? '' };
  graphs.set(journey, graph);
  return graph;
}

/** Every reference from a step to a step that may follow it. */
export function edges(step: Step): readonly StepEdge[] {
  const edge = (to: string, place: string, label = ''): StepEdge => {
    return { from: step.id, to, place, label, isRepeat: false };
  };
  switch (step.type) {
    case 'exit':
      return [];
    case 'branch':
      return [
        ...step.branches.map(({ next, title }, index) =>
          edge(next, `/branches/${index}/next`, title ?? `branch ${index + 1}`),
        ),
        edge(step.otherwise, '/otherwise', 'otherwise'),
      ];
    case 'split':
      return [
        ...step.branches.map(({ next, title, percent, count }, index) => {
          const share = percent === undefined ? `first ${count ?? 0}` : `${percent} %`;
          return edge(next, `/branches/${index}/next`, title ?? share);
        }),
        ...(step.otherwise === undefined
          ? []
          : [edge(step.otherwise, '/otherwise', 'after those')]),
      ];
    case 'abTest':
    case 'bestChannel':
      return step.variants.map(({ next, id }, index) => edge(next, `/variants/${index}/next`, id));
    case 'waitFor':
      return [
        ...step.on.map((awaited, onIndex) => {
          const label = awaited.title ?? awaitedText(awaited);
          return { ...edge(awaited.next, `/on/${onIndex}/next`, label), onIndex };
        }),
        edge(step.timeout.next, '/timeout/next', `after ${step.timeout.after}`),
      ];
    case 'wait': {
      const otherwise = step.untilAttribute?.otherwise;
      const place = '/untilAttribute/otherwise';
      return [
        edge(step.next, '/next'),
        ...(otherwise === undefined ? [] : [edge(otherwise, place, 'no date')]),
      ];
    }
    case 'repeat':
      return [
        { ...edge(step.to, '/to', `at most ${step.timesMax} times`), isRepeat: true },
        edge(step.next, '/next', 'then'),
      ];
    default:
      return [edge(step.next, '/next')];
  }
}

function awaitedText(awaited: Extract<Step, { type: 'waitFor' }>['on'][number]): string {
  if ('step' in awaited) return `${awaited.step} ${awaited.is}`;
  return 'trigger' in awaited ? awaited.trigger : `joins ${awaited.segment}`;
}

/** Every step that a run standing at one of `starts` can come to, those included. */
export function reachableFrom(
  { edgesOf, stepOf }: StepGraph,
  starts: readonly string[],
): ReadonlySet<string> {
  const reached = new Set<string>();
  const open = starts.filter((id) => stepOf.has(id));
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (reached.has(id)) continue;
    reached.add(id);
    for (const { to } of edgesOf.get(id) ?? []) if (stepOf.has(to)) open.push(to);
  }
  return reached;
}
