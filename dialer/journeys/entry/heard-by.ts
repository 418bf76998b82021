/** What a definition listens to while somebody is inside: all else need not be told. */
import type { Journey } from '../../../journey-core/definition/journey.schema.ts';

export interface HeardBy {
  readonly triggers: ReadonlySet<string>;
  /** Joining them. */
  readonly segments: ReadonlySet<string>;
}

const heard = new WeakMap<Journey, HeardBy>();

/** Exits, the goal, and what waits wait for. Remembered per object. */
export function heardBy(journey: Journey): HeardBy {
  const known = heard.get(journey);
  if (known !== undefined) return known;
  const rules = [
    ...(journey.exits?.on ?? []),
    ...(journey.goal === undefined ? [] : [journey.goal]),
    ...journey.steps.flatMap((step) => (step.type === 'waitFor' ? step.on : [])),
  ];
  const made = {
    triggers: new Set(rules.flatMap((rule) => ('trigger' in rule ? [rule.trigger] : []))),
    segments: new Set(rules.flatMap((rule) => ('segment' in rule ? [rule.segment] : []))),
  };
  heard.set(journey, made);
  return made;
}
