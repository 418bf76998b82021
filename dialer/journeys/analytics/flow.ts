/** A version as a flow of people: what a Sankey diagram needs, and the same as Mermaid (JRN-63). */
import { journeyDiagram } from '../../../journey-core/definition/journey-diagram.ts';
import type { Journey } from '../../../journey-core/definition/journey.schema.ts';
import type { StepAnalytics, BranchAnalytics } from './step-analytics.ts';
import type { VersionAnalytics } from './version-analytics.ts';

export interface FlowNode {
  readonly id: string;
  readonly type: string;
  readonly title: string | null;
  readonly entered: number;
  readonly waiting: number;
  /** Ended here, whatever the reason. */
  readonly exited: number;
}

export interface FlowEdge extends Pick<BranchAnalytics, 'place' | 'label' | 'count'> {
  readonly from: string;
  readonly to: string;
}

export interface Flow {
  readonly version: number;
  readonly entered: number;
  readonly nodes: readonly FlowNode[];
  /** Every way that the version has, also those that nobody went. */
  readonly edges: readonly FlowEdge[];
  readonly mermaid: string;
}

export function flowOf(journey: Journey, analytics: VersionAnalytics): Flow {
  const { version, entered, steps } = analytics;
  const edges = steps.flatMap(({ id: from, branches }) =>
    branches.map(({ place, label, next: to, count }) => ({ from, to, place, label, count })),
  );
  const taken = new Map(edges.map(({ from, place, count }) => [`${from} ${place}`, count]));
  const counts = {
    ...{ entered, steps: new Map(steps.map((step) => [step.id, step])) },
    taken: (stepId: string, place: string) => taken.get(`${stepId} ${place}`) ?? 0,
  };
  const mermaid = journeyDiagram(journey, counts);
  return { version, entered, nodes: steps.map(nodeOf), edges, mermaid };
}

function nodeOf({ id, type, title, entered, waiting, left }: StepAnalytics): FlowNode {
  return { id, type, title, entered, waiting, exited: entered - waiting - left };
}
