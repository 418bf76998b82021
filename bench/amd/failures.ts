/** What went wrong, by stratum, with a few clips of each to listen to. */
import type { Judged, JudgedEarly } from './classify.ts';
import { isPerson, ourRule, verdictAt } from './scores.ts';

const EXAMPLES = 4;

export function describeFailures(
  answers: readonly Judged[],
  early: readonly JudgedEarly[],
): string[] {
  const failed = answers.filter((one) => !isRight(one));
  const groups = grouped(failed, keyOf);
  const lines = [...groups]
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([key, group]) => {
      const examples = group.slice(0, EXAMPLES).map((one) => {
        const { truth } = one;
        const { atMs, humanProbability } = verdictAt(one);
        const noise = truth.snrDb === null ? 'no noise' : `${truth.noise} ${truth.snrDb} dB`;
        return `${truth.file} at ${atMs} p ${humanProbability.toFixed(2)} (${noise})`;
      });
      return `${String(group.length).padStart(5)}  ${key}: ${examples.join('; ')}`;
    });
  const wrongEarly = early.filter(({ truth, result }) => result.heard.at(-1) !== truth.earlyMedia);
  const earlyLines = [...grouped(wrongEarly, earlyKeyOf)].map(([key, group]) => {
    const files = group.slice(0, EXAMPLES).map(({ truth }) => truth.file);
    return `${String(group.length).padStart(5)}  ${key}: ${files.join('; ')}`;
  });
  return [
    `treated wrongly: ${failed.length} of ${answers.length} synthetic clips`,
    ...lines,
    ...earlyLines,
  ];
}

function isRight(one: Judged): boolean {
  const treatment = ourRule()(one);
  if (isPerson(one)) return treatment === 'person';
  return treatment === (one.truth.class === 'silence' ? 'nobody' : 'machine');
}

function keyOf(one: Judged): string {
  return `${one.truth.class ?? ''}/${one.truth.stratum} as ${verdictAt(one).verdict}`;
}

function earlyKeyOf({ truth, result }: JudgedEarly): string {
  return `${truth.stratum} as ${result.heard.at(-1) ?? 'nothing'}`;
}

function grouped<T>(items: readonly T[], keyOfItem: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOfItem(item);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return groups;
}
