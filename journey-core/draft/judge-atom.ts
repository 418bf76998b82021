/** What a condition of the text comes to on one way out of a wait: yes, no, or a test at that place. */
import type { Condition, Test } from '../definition/condition.schema.ts';
import { SMS_RESULTS } from '../interpreter/conversation-outcome.ts';
import type { AnyOf, Atom, OutcomeAtom, Sending } from './draft-plan.ts';

/**
 * A way out of a wait. `later`: what came of it was waited for before, and only its result is left
 * to ask; `person`: nothing was sent.
 */
export type Way =
  | 'attempted'
  | 'notAttempted'
  | 'blocked'
  | 'opened'
  | 'clicked'
  | 'replied'
  | 'notSent'
  | 'happened'
  | 'timeout'
  | 'later'
  | 'person';

export type Verdict = boolean | Condition;

export function judgeAnyOf(when: AnyOf, way: Way, target: Sending | null): Verdict {
  const open: Test[][] = [];
  for (const all of when) {
    const verdicts = all.map((atom) => judgeAtom(atom, way, target));
    if (verdicts.includes(false)) continue;
    const tests = verdicts.filter((verdict) => typeof verdict !== 'boolean');
    if (tests.length === 0) return true;
    open.push(tests);
  }
  const [first] = open;
  if (first === undefined) return false;
  if (open.length > 1) {
    return { any: open.map((tests) => (tests.length === 1 ? (tests[0] as Test) : { all: tests })) };
  }
  return first.length === 1 ? (first[0] as Test) : { all: first };
}

function judgeAtom(atom: Atom, way: Way, target: Sending | null): boolean | Test {
  if (atom.kind === 'person') return atom.test;
  if (target === null) return atom.kind === 'outcome' && atom.outcome === nameOfWay(way);
  if (target.type === 'message') {
    return atom.kind === 'outcome' && ofMessage(atom.outcome, way);
  }
  if (way !== 'attempted' && way !== 'later') {
    return atom.kind === 'outcome' && withoutResult(atom.outcome, way);
  }
  if (atom.kind === 'result')
    return isPossible(atom.test, target) && { from: target.id, ...atom.test };
  return ofResult(atom.outcome, way, target);
}

/** Conversations by text have results of their own. */
function isPossible(
  { attribute, value }: { attribute: string; value?: unknown },
  { type }: Sending,
): boolean {
  if (attribute !== 'Result' || type === 'voice') return true;
  const known: readonly unknown[] = SMS_RESULTS;
  return (Array.isArray(value) ? (value as unknown[]) : [value]).every((one) =>
    known.includes(one),
  );
}

function nameOfWay(way: Way): string {
  return way === 'timeout' ? 'nothing' : way;
}

function ofMessage(outcome: OutcomeAtom, way: Way): boolean {
  const quiet = way === 'timeout' || way === 'notSent' || way === 'blocked';
  if (outcome === 'notOpened' || outcome === 'notClicked' || outcome === 'notReplied') return quiet;
  return outcome === nameOfWay(way);
}

function withoutResult(outcome: OutcomeAtom, way: Way): boolean {
  if (outcome === 'notReached' || outcome === 'notReplied') return way !== 'blocked';
  return outcome === nameOfWay(way);
}

const MACHINES = ['AnsweringMachine', 'AnsweringMachineHangup'];

function ofResult(outcome: OutcomeAtom, way: Way, { id, type }: Sending): boolean | Test {
  const reached = type === 'voice' ? 'LiveAnswer' : 'ConversationClosed';
  const result = { from: id, attribute: 'Result' } as const;
  switch (outcome) {
    case 'answered':
    case 'replied':
      return { ...result, operator: 'is', value: reached };
    case 'notReached':
    case 'notReplied':
      return { ...result, operator: 'isNot', value: reached };
    case 'machine':
      return type === 'voice' && { ...result, operator: 'in', value: MACHINES };
    case 'busy':
      return type === 'voice' && { ...result, operator: 'is', value: 'Busy' };
    case 'attempted':
      return way === 'attempted' || { ...result, operator: 'hasValue' };
    default:
      return false;
  }
}
