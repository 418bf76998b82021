/** A simulated path in words, a few lines per step. */
import type { SendDecision } from '../sending/decide-send.ts';
import type { PathStep, SimulatedPath } from './simulated-path.ts';

export function pathLines(path: SimulatedPath): string[] {
  const start = `${path.journey}, from ${path.startedAt}`;
  if (path.refusal !== null) return [start, `did not enter: ${path.refusal}`];
  const steps = path.path.flatMap((step, index) => stepLines(step, index + 1));
  const { exit } = path;
  const detail = exit?.detail === null || exit === null ? '' : ` (${exit.detail})`;
  return [
    start,
    ...steps,
    exit === null
      ? 'the run has not ended'
      : `left at ${exit.at}, ${exit.reason}${detail}, after ${path.took ?? ''}`,
    ...(path.goalAt === null ? [] : [`reached the goal at ${path.goalAt}`]),
    ...path.unanswered.map((step) => `no outcome was chosen for '${step}': nothing came back`),
  ];
}

function stepLines(
  { step, type, visit, at, decisions, outcome, did, left }: PathStep,
  place: number,
) {
  const again = visit > 1 ? `, time ${visit}` : '';
  return [
    `${place}. ${step} (${type}${again})  ${at}`,
    ...decisions.flatMap((decision) => decisionLines(decision)),
    ...did.map((what) => `     did: ${JSON.stringify(what)}`),
    ...(outcome === null
      ? []
      : [`     ${outcome.is} at ${outcome.at}${valuesText(outcome.values)}`]),
    ...(left?.findings ?? []).flatMap(({ tests, holds }) =>
      tests.map(({ test, found }) => {
        return `     ${holds ? 'yes' : 'no '} ${test}: ${found ?? 'no value'}`;
      }),
    ),
    ...(left === null ? [] : [`     -> ${left.next}, ${left.because}  ${left.at}`]),
  ];
}

function valuesText(values: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(values).filter(([, value]) =>
    Array.isArray(value) ? value.length > 0 : true,
  );
  if (entries.length === 0) return '';
  return `: ${entries.map(([name, value]) => `${name} ${JSON.stringify(value)}`).join(', ')}`;
}

function decisionLines(decision: PathStep['decisions'][number]): string[] {
  const verdicts = decision.verdicts.map(({ contactPointId, consent, quiet, cap }) => {
    const cells = consent.cells.map(
      ({ of, name, enforcement, status, recordId }) =>
        `${of} ${name} ${enforcement}, ${status}${recordId === null ? '' : ` by ${recordId}`}`,
    );
    const parts = [
      `consent ${consent.reason}${cells.length === 0 ? '' : ` (${cells.join('; ')})`}`,
      ...(quiet === null ? [] : [quietText(quiet)]),
      ...(cap === null ? [] : [`cap ${cap.reason}`]),
    ];
    return `       ${contactPointId}: ${parts.join(', ')}`;
  });
  const what =
    decision.decide === 'block'
      ? `blocked: ${decision.reason}`
      : decision.decide === 'hold'
        ? `held until ${decision.until ?? ''}`
        : `sent to ${decision.contactPointIds.join(', ')}`;
  return [`     ${what}`, ...verdicts];
}

function quietText(quiet: NonNullable<SendDecision['verdicts'][number]['quiet']>): string {
  if (quiet === 'not_applied') return 'quiet time not applied';
  const rule = quiet.rule === 'general' ? 'general rule' : `rule ${quiet.rule + 1}`;
  return `${quiet.isQuiet ? 'quiet' : 'not quiet'} in ${quiet.timeZone} by the ${rule}`;
}
