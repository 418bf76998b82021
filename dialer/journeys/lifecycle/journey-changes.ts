/** What one definition has that another has not, step by step. */
import { isDeepStrictEqual } from 'node:util';
import { isMapping } from '../../../config/config-path.ts';
import { pointerKey } from '../../../journey-core/validation/journey-fault.ts';

export interface JourneyChange {
  /** Of what was changed, in the later definition; of what was removed, in the earlier. */
  readonly pointer: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** Of a step, or of something in one. */
  readonly stepId: string | null;
}

type Definition = Readonly<Record<string, unknown>>;

/** Steps are told apart by their ids: moving one is no change. */
export function journeyChanges(before: Definition, after: Definition): JourneyChange[] {
  const { steps: stepsBefore, ...restBefore } = before;
  const { steps: stepsAfter, ...restAfter } = after;
  return [
    ...valueChanges(restBefore, restAfter, '', null, DEPTH_OF_REST),
    ...stepChanges(listOf(stepsBefore), listOf(stepsAfter)),
  ];
}

/** Nothing of it reaches anybody who is inside: the name, the description, the goal's percentage. */
export function isLightChange(before: Definition, after: Definition): boolean {
  return journeyChanges(before, after).every(({ pointer }) =>
    ['/name', '/description', '/goal/targetPercent'].includes(pointer),
  );
}

/** `/entry/opensAt`, `/goal/targetPercent`: below that a value is one thing. */
const DEPTH_OF_REST = 2;
const DEPTH_OF_STEP = 1;

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function stepChanges(before: readonly unknown[], after: readonly unknown[]): JourneyChange[] {
  const byId = (steps: readonly unknown[]) =>
    new Map(
      steps.flatMap((step, index) => {
        const id = isMapping(step) && typeof step['id'] === 'string' ? step['id'] : `#${index}`;
        return [[id, { step, index }] as const];
      }),
    );
  const [old, now] = [byId(before), byId(after)];
  const gone = [...old].flatMap(([stepId, { index }]): JourneyChange[] =>
    now.has(stepId) ? [] : [{ pointer: `/steps/${index}`, change: 'removed', stepId }],
  );
  const rest = [...now].flatMap(([stepId, { step, index }]): JourneyChange[] => {
    const pointer = `/steps/${index}`;
    const known = old.get(stepId);
    if (known === undefined) return [{ pointer, change: 'added', stepId }];
    return valueChanges(known.step, step, pointer, stepId, DEPTH_OF_STEP);
  });
  const isFirstOther = firstId(before) !== firstId(after) && before.length > 0 && after.length > 0;
  const first: JourneyChange = { pointer: '/steps/0', change: 'changed', stepId: firstId(after) };
  // Runs begin with the first: to put another step there is a change, though no step is another.
  const isTold = [...gone, ...rest].length > 0;
  return isFirstOther && !isTold ? [first] : [...gone, ...rest];
}

function firstId([first]: readonly unknown[]): string | null {
  return isMapping(first) && typeof first['id'] === 'string' ? first['id'] : null;
}

function valueChanges(
  before: unknown,
  after: unknown,
  pointer: string,
  stepId: string | null,
  depth: number,
): JourneyChange[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (depth === 0 || !isMapping(before) || !isMapping(after)) {
    return [{ pointer, change: 'changed', stepId }];
  }
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys.flatMap((key): JourneyChange[] => {
    const at = `${pointer}/${pointerKey(key)}`;
    if (!Object.hasOwn(after, key)) return [{ pointer: at, change: 'removed', stepId }];
    if (!Object.hasOwn(before, key)) return [{ pointer: at, change: 'added', stepId }];
    return valueChanges(before[key], after[key], at, stepId, depth - 1);
  });
}
