/** A machine as Markdown: a Mermaid state diagram and the rules that hold in every state. */
import type { AnyStateMachine, AnyStateNode, TransitionDefinition } from 'xstate';
import { toDirectedGraph, type DirectedGraphNode } from 'xstate/graph';

type Transition = TransitionDefinition<never, never>;

interface Edge {
  readonly from: AnyStateNode;
  readonly to: AnyStateNode | undefined;
  readonly label: string;
}

/** `source` is the machine's file, seen from the repository's root. */
export function machineDiagram(machine: AnyStateMachine, source: string): string {
  const root = toDirectedGraph(machine);
  const [everywhere, elsewhere] = [edgesOf(root), root.children.flatMap(edgesBelow)];
  const staying = elsewhere.filter(({ from, to }) => to === undefined || to === from);
  const moving = elsewhere.filter((edge) => !staying.includes(edge));
  return [
    `# ${machine.id}`,
    '',
    `Generated from \`${source}\` by \`npm run docs\`; a test fails when`,
    'this file is stale. Labels are events, `after` a named wait, and guards in brackets. Two dots:',
    'a transition without an event, taken at once.',
    '',
    '```mermaid',
    'stateDiagram-v2',
    ...statesOf(root, 1),
    ...joined(moving),
    ...root.children.flatMap(finals),
    '```',
    '',
    '## In every state that does not name the event itself',
    '',
    ...table(everywhere, 'leads to'),
    '',
    '## Heard, and the state stays',
    '',
    ...table(staying, 'in'),
    '',
  ].join('\n');
}

function table(edges: readonly Edge[], heading: string): string[] {
  const rows = edges.map(({ from, to, label }) => {
    const state =
      heading === 'in' ? nameOf(from) : to === undefined ? 'the same state' : nameOf(to);
    return `| \`${label}\` | ${state} |`;
  });
  return [`| event | ${heading} |`, '| --- | --- |', ...rows];
}

function statesOf(node: DirectedGraphNode, depth: number): string[] {
  const pad = '  '.repeat(depth);
  const [initial] = node.stateNode.initial.target;
  const lines = initial === undefined ? [] : [`${pad}[*] --> ${idOf(initial)}`];
  for (const child of node.children) {
    const { stateNode } = child;
    if (stateNode.type !== 'compound') {
      lines.push(`${pad}state "${stateNode.key}" as ${idOf(stateNode)}`);
      continue;
    }
    lines.push(`${pad}state "${stateNode.key}" as ${idOf(stateNode)} {`);
    lines.push(...statesOf(child, depth + 1), `${pad}}`);
  }
  return lines;
}

function finals({ stateNode, children }: DirectedGraphNode): string[] {
  const own = stateNode.type === 'final' ? [`  ${idOf(stateNode)} --> [*]`] : [];
  return [...own, ...children.flatMap(finals)];
}

/** One arrow per pair of states, its labels under each other. */
function joined(edges: readonly Edge[]): string[] {
  const labels = new Map<string, string[]>();
  for (const { from, to, label } of edges) {
    if (to === undefined) continue;
    const arrow = `  ${idOf(from)} --> ${idOf(to)}`;
    labels.set(arrow, [...(labels.get(arrow) ?? []), label]);
  }
  return [...labels].map(([arrow, all]) => `${arrow}: ${[...new Set(all)].join('<br/>')}`);
}

function edgesBelow(node: DirectedGraphNode): Edge[] {
  return [...edgesOf(node), ...node.children.flatMap(edgesBelow)];
}

/** xstate/graph leaves out transitions without an event: they are read from the state itself. */
function edgesOf({ stateNode, edges }: DirectedGraphNode): Edge[] {
  const named = edges.map(({ source, transition, label }) =>
    edgeOf(source, transition as unknown as Transition, label.text),
  );
  const silent = (stateNode.always ?? []).map((transition) =>
    edgeOf(stateNode, transition as unknown as Transition, '..'),
  );
  return [...named, ...silent];
}

function edgeOf(from: AnyStateNode, { guard, target }: Transition, event: string): Edge {
  const wait = /^xstate\.after\.(\w+)\./.exec(event)?.[1];
  const condition = guard === undefined ? '' : ` [${guardName(guard)}]`;
  const [to] = (target ?? []) as unknown as readonly AnyStateNode[];
  return { from, to, label: `${wait === undefined ? event : `after ${wait}`}${condition}` };
}

function guardName(guard: unknown): string {
  if (typeof guard === 'string') return guard;
  return (guard as { readonly type: string }).type;
}

function nameOf(node: AnyStateNode): string {
  return node.path.join('.');
}

function idOf(node: AnyStateNode): string {
  return node.path.join('_');
}
