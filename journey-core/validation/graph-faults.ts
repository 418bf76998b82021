/** Whether the steps make a graph that every run leaves: references, ways back, ends. */
import { nearestName } from '../../config/nearest-name.ts';
import type { Journey } from '../definition/journey.schema.ts';
import { RESERVED_STEP_IDS } from '../definition/names.schema.ts';
import { REPEATS_TOTAL_MAX } from '../definition/step.schemas.ts';
import { fault, type JourneyFault } from './journey-fault.ts';
import { edges, reachableFrom, stepGraph, type StepEdge, type StepGraph } from './step-graph.ts';

/** The second look presumes that every reference leads somewhere. */
export function graphFaults(journey: Journey): JourneyFault[] {
  const names = [...idFaults(journey), ...referenceFaults(journey)];
  if (names.length > 0) return names;
  const graph = stepGraph(journey);
  return [
    ...unreachableFaults(journey, graph),
    ...cycleFaults(graph),
    ...repeatFaults(graph),
    ...repeatTotalFaults(journey),
    ...exitFaults(journey, graph),
  ];
}

function idFaults({ steps }: Journey): JourneyFault[] {
  const first = new Map<string, number>();
  return steps.flatMap(({ id }, index) => {
    const path = `/steps/${index}/id`;
    if ((RESERVED_STEP_IDS as readonly string[]).includes(id)) {
      const problem = `'${id}' stands for something else in conditions`;
      return [fault(path, 'RESERVED_NAME', problem, 'choose another id')];
    }
    const before = first.get(id);
    if (before === undefined) {
      first.set(id, index);
      return [];
    }
    const problem = `'${id}' is the id of /steps/${before} too`;
    return [fault(path, 'DUPLICATE', problem, 'give each step an id of its own')];
  });
}

function referenceFaults({ steps }: Journey): JourneyFault[] {
  const known = steps.map(({ id }) => id);
  return steps.flatMap((step, index) =>
    edges(step).flatMap(({ to, place }) => {
      if (known.includes(to)) return [];
      const near = nearestName(to, known);
      const remedy =
        near === undefined ? 'add that step, or name another' : `did you mean ${near}?`;
      return [fault(`/steps/${index}${place}`, 'UNKNOWN_STEP', `there is no step '${to}'`, remedy)];
    }),
  );
}

function unreachableFaults({ steps }: Journey, graph: StepGraph): JourneyFault[] {
  const reached = reachableFrom(graph, [graph.firstId]);
  return steps.flatMap(({ id }, index) => {
    if (reached.has(id)) return [];
    const problem = `step '${id}' cannot be reached from the first step`;
    return [fault(`/steps/${index}`, 'UNREACHABLE_STEP', problem, 'lead to it, or take it out')];
  });
}

/** Depth first over every edge but those of repeat steps: an edge to a step still open goes back. */
function cycleFaults(graph: StepGraph): JourneyFault[] {
  const state = new Map<string, 'open' | 'done'>();
  const found: JourneyFault[] = [];
  const trail: { readonly id: string; readonly edges: StepEdge[] }[] = [];
  const enter = (id: string): void => {
    state.set(id, 'open');
    trail.push({ id, edges: forward(graph, id) });
  };
  for (const id of graph.stepOf.keys()) {
    if (!state.has(id)) enter(id);
    for (let last = trail.at(-1); last !== undefined; last = trail.at(-1)) {
      const edge = last.edges.pop();
      if (edge === undefined) {
        state.set(last.id, 'done');
        trail.pop();
      } else if (state.get(edge.to) === 'open') found.push(cycle(graph, edge));
      else if (!state.has(edge.to)) enter(edge.to);
    }
  }
  return found;
}

function forward({ edgesOf }: StepGraph, id: string): StepEdge[] {
  return (edgesOf.get(id) ?? []).filter(({ isRepeat }) => !isRepeat).reverse();
}

function cycle(graph: StepGraph, { from, to, place }: StepEdge): JourneyFault {
  const problem = `leads back to '${to}', and a run could go round for ever`;
  const remedy = 'go back by a step of type repeat, which counts';
  return fault(`/steps/${graph.indexOf.get(from) ?? 0}${place}`, 'CYCLE', problem, remedy);
}

function repeatFaults(graph: StepGraph): JourneyFault[] {
  return [...graph.stepOf.values()].flatMap((step) => {
    if (step.type !== 'repeat' || step.to === step.id) {
      return step.type === 'repeat' ? [notBack(graph, step.id, step.to)] : [];
    }
    return reachesForward(graph, step.to).has(step.id) ? [] : [notBack(graph, step.id, step.to)];
  });
}

function repeatTotalFaults({ steps }: Journey): JourneyFault[] {
  let total = 0;
  return steps.flatMap((step, index) => {
    if (step.type !== 'repeat') return [];
    total += step.timesMax;
    if (total <= REPEATS_TOTAL_MAX) return [];
    const problem = `makes ${total} repeats in the whole journey`;
    const remedy = `keep all repeat steps together to ${REPEATS_TOTAL_MAX}`;
    return [fault(`/steps/${index}/timesMax`, 'OUT_OF_BOUNDS', problem, remedy)];
  });
}

/** As `reachableFrom`, without going back. */
function reachesForward(graph: StepGraph, start: string): ReadonlySet<string> {
  const reached = new Set<string>();
  const open = [start];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (reached.has(id)) continue;
    reached.add(id);
    open.push(...forward(graph, id).map(({ to }) => to));
  }
  return reached;
}

function notBack(graph: StepGraph, id: string, to: string): JourneyFault {
  const path = `/steps/${graph.indexOf.get(id) ?? 0}/to`;
  const problem = `'${to}' is not a step that leads to '${id}'`;
  return fault(path, 'REPEAT_NOT_BACK', problem, 'name a step that comes before this one');
}

/** Without ways back every walk ends at a step without a successor, and only exits have none. */
function exitFaults({ steps }: Journey, graph: StepGraph): JourneyFault[] {
  const reached = reachableFrom(graph, [graph.firstId]);
  if (steps.some(({ id, type }) => type === 'exit' && reached.has(id))) return [];
  const problem = 'no step of type exit can be reached';
  return [fault('/steps', 'NO_EXIT', problem, 'add one, and lead every branch to it')];
}
