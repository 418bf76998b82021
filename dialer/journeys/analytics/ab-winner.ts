/**
 * When an A/B test is over. It is looked at whenever somebody comes to it, so the test has to stand
 * being looked at all the time: a fixed test at 5 % that is peeked at often enough finds a winner in
 * most pairs of equals.
 */

export interface VariantTally {
  readonly variant: string;
  /** Runs that were given it. */
  readonly runs: number;
  /** Of those, the ones that reached the goal. */
  readonly goals: number;
}

/** Chance that equals are told apart, however often they are looked at. */
const FALSE_WINNER_PROBABILITY = 0.05;
/** Typical distance of two goal rates, a fraction: how the test spreads its bets. */
const EXPECTED_DIFFERENCE = 0.05;
/** Before that the normal approximation does not hold. */
const RUNS_MIN = 100;
const GOALS_MIN = 10;

/**
 * The variant whose goal rate is higher than that of each other one; undefined while it cannot be
 * told. A mixture sequential probability ratio test on the difference of two rates, with the level
 * divided by the number of comparisons (Bonferroni over all pairs).
 *
 * Source: Johari, Pekelis, Walsh, "Always Valid Inference" (2015), §5.2. Errs towards going on.
 */
export function abWinner(tallies: readonly VariantTally[]): string | undefined {
  const [best, ...others] = tallies.toSorted((one, other) => rateOf(other) - rateOf(one));
  if (best === undefined || others.length === 0) return undefined;
  const pairs = (tallies.length * (tallies.length - 1)) / 2;
  const oddsMin = pairs / FALSE_WINNER_PROBABILITY;
  return others.every((other) => oddsOf(best, other) >= oddsMin) ? best.variant : undefined;
}

function rateOf({ runs, goals }: VariantTally): number {
  return runs === 0 ? 0 : goals / runs;
}

/** How much more likely the counts are when the rates differ than when they do not. */
function oddsOf(best: VariantTally, other: VariantTally): number {
  const goals = best.goals + other.goals;
  const runs = best.runs + other.runs;
  if (Math.min(best.runs, other.runs) < RUNS_MIN || goals < GOALS_MIN || goals >= runs) return 0;
  const rate = goals / runs;
  const variance = rate * (1 - rate) * (1 / best.runs + 1 / other.runs);
  const spread = EXPECTED_DIFFERENCE ** 2;
  const difference = rateOf(best) - rateOf(other);
  const exponent = (spread * difference ** 2) / (2 * variance * (variance + spread));
  return Math.sqrt(variance / (variance + spread)) * Math.exp(Math.min(exponent, 700));
}
