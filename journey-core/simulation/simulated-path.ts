/** A simulation as it is shown: the steps in order, and for each what was found and decided. */
import { durationText } from '../definition/duration.ts';
import { instantText } from '../definition/instant.ts';
import type { Journey } from '../definition/journey.schema.ts';
import type { ConditionFinding } from '../interpreter/judge-condition.ts';
import type { Values } from '../interpreter/json-value.ts';
import type { SendDecision } from '../sending/decide-send.ts';
import { stepGraph } from '../validation/step-graph.ts';
import type { Happening, Simulation } from './simulate-journey.ts';

export interface PathStep {
  readonly step: string;
  readonly type: string;
  readonly visit: number;
  /** ISO 8601 in the journey's time zone, as all times here. */
  readonly at: string;
  /** What the checks before sending said. */
  readonly decisions: (SendDecision & {
    readonly at: string;
    /** Of a hold. */
    readonly until: string | null;
  })[];
  /** What came of what was sent; null: nothing, or nothing was sent. */
  outcome: { readonly at: string; readonly is: string; readonly values: Values } | null;
  /** What else it did: activities, triggers. */
  readonly did: Values[];
  /** Null: the run ended or stands here. */
  left: {
    readonly at: string;
    readonly next: string;
    readonly because: string;
    readonly findings: readonly ConditionFinding[];
  } | null;
}

export interface SimulatedPath {
  readonly journey: string;
  readonly startedAt: string;
  /** Why the person did not enter; null: entered. */
  readonly refusal: string | null;
  readonly path: readonly PathStep[];
  readonly exit: {
    readonly at: string;
    readonly reason: string;
    readonly detail: string | null;
    readonly step: string | null;
  } | null;
  readonly goalAt: string | null;
  /** From entry to exit. */
  readonly took: string | null;
  /** What was sent and has no outcome in the plan. */
  readonly unanswered: readonly string[];
}

export function simulatedPath(journey: Journey, simulation: Simulation): SimulatedPath {
  const at = (atMs: number): string => instantText(atMs, journey.timeZone);
  const path: PathStep[] = [];
  const unanswered: string[] = [];
  for (const happening of simulation.happenings) {
    if (happening.what === 'unanswered') unanswered.push(stepOfKey(happening.key));
    else tell(journey, path, happening, at);
  }
  const { exit, run, startedAtMs, refusal } = simulation;
  return {
    journey: journey.name,
    startedAt: at(startedAtMs),
    refusal,
    path,
    exit:
      exit === null
        ? null
        : { at: at(exit.atMs), reason: exit.reason, detail: exit.detail, step: exit.stepId },
    goalAt: run.goalAtMs === null ? null : at(run.goalAtMs),
    took: exit === null ? null : durationText(exit.atMs - startedAtMs),
    unanswered,
  };
}

/** `runId:stepId:visit`; a step's id has no colon. */
function stepOfKey(key: string): string {
  return key.split(':').at(-2) ?? '';
}

function tell(
  journey: Journey,
  path: PathStep[],
  happening: Happening,
  at: (atMs: number) => string,
): void {
  const find = (stepId: string, visit: number): PathStep | undefined =>
    path.find((item) => item.step === stepId && item.visit === visit);
  const ofKey = (key: string): PathStep | undefined =>
    find(stepOfKey(key), Number(key.split(':').at(-1)));
  if (happening.what === 'decision') {
    const { decision } = happening;
    const until = decision.decide === 'hold' ? at(decision.untilMs) : null;
    ofKey(happening.key)?.decisions.push({ at: at(happening.atMs), until, ...decision });
  }
  if (happening.what !== 'effect') return;
  const { effect } = happening;
  switch (effect.type) {
    case 'recordStep': {
      const { stepId: step, visit, atMs } = effect;
      const type = stepGraph(journey).stepOf.get(step)?.type ?? 'unknown';
      path.push({
        step,
        type,
        visit,
        at: at(atMs),
        decisions: [],
        outcome: null,
        did: [],
        left: null,
      });
      return;
    }
    case 'recordChoice': {
      const step = find(effect.stepId, effect.visit);
      const { next, because, findings, atMs } = effect;
      if (step !== undefined) step.left = { at: at(atMs), next, because, findings };
      return;
    }
    case 'recordOutcome': {
      const step = ofKey(effect.key);
      const { outcome: is, values, atMs } = effect;
      if (step !== undefined) step.outcome = { at: at(atMs), is, values };
      return;
    }
    case 'createActivity': {
      const { activity, subject, assignTo } = effect;
      ofKey(effect.key)?.did.push({ activity, subject, assignTo });
      return;
    }
    case 'activateTrigger':
      ofKey(effect.key)?.did.push({ trigger: effect.trigger, attributes: effect.attributes });
      return;
    default:
  }
}
