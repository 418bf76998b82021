/** Splits and tests: shares that make a whole, and a goal to judge by. */
import type { Journey } from '../definition/journey.schema.ts';
import type { StepOf } from '../definition/step.schemas.ts';
import { fault, type JourneyFault } from './journey-fault.ts';

/** Shares are written with a few decimals: thirds may be 33.33, 33.33, 33.34. */
const SUM_SLACK_PERCENT = 0.005;

export function splitFaults(step: StepOf<'split'>, path: string): JourneyFault[] {
  const [wanted, other] = step.by === 'percent' ? KEYS : [KEYS[1], KEYS[0]];
  const faults = step.branches.flatMap((branch, index) => {
    const at = `${path}/branches/${index}`;
    const problem = `is ${branch[other] ?? 0}, in a split by ${step.by}`;
    return [
      ...(branch[wanted] === undefined
        ? [fault(`${at}/${wanted}`, 'MISSING', 'is missing', `add ${wanted}: a number`)]
        : []),
      ...(branch[other] === undefined
        ? []
        : [fault(`${at}/${other}`, 'SPLIT_MIXED', problem, 'leave it out')]),
    ];
  });
  const isLacking = step.by === 'number' && step.otherwise === undefined;
  const isSurplus = step.by === 'percent' && step.otherwise !== undefined;
  if (isLacking) {
    const remedy = 'name the step for those who come when all branches are full';
    faults.push(fault(`${path}/otherwise`, 'MISSING', 'is missing', remedy));
  }
  if (isSurplus) {
    const problem = 'is never taken: the shares are everybody';
    faults.push(fault(`${path}/otherwise`, 'SPLIT_MIXED', problem, 'leave it out'));
  }
  if (faults.length > 0 || step.by === 'number') return faults;
  return sumFaults(
    step.branches.map(({ percent = 0 }) => percent),
    `${path}/branches`,
  );
}

const KEYS = ['percent', 'count'] as const;

function sumFaults(shares: readonly number[], path: string): JourneyFault[] {
  const sum = shares.reduce((total, share) => total + share, 0);
  if (Math.abs(sum - 100) <= SUM_SLACK_PERCENT) return [];
  const problem = `the shares make ${Number(sum.toFixed(3))} %, not 100`;
  return [fault(path, 'PERCENT_SUM', problem, 'change them to make 100')];
}

export function abTestFaults(
  { goal }: Journey,
  step: StepOf<'abTest' | 'bestChannel'>,
  path: string,
): JourneyFault[] {
  const ids = step.variants.map(({ id }) => id);
  const repeated = ids.flatMap((id, index) =>
    ids.indexOf(id) === index
      ? []
      : [
          fault(
            `${path}/variants/${index}/id`,
            'DUPLICATE',
            `'${id}' is another variant’s id too`,
            'give each an id of its own',
          ),
        ],
  );
  const goalFaults =
    goal === undefined
      ? [
          fault(
            `${path}/type`,
            'GOAL_MISSING',
            'the journey has no goal by which variants could be judged',
            'add goal: to the journey',
          ),
        ]
      : [];
  const sum =
    step.type === 'abTest'
      ? sumFaults(
          step.variants.map(({ percent }) => percent),
          `${path}/variants`,
        )
      : [];
  return [...repeated, ...goalFaults, ...sum];
}
