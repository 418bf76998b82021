/** Goal: an A/B test tells variants apart that differ, and hardly ever ones that do not. */
import t from 'tap';
import { abWinner, type VariantTally } from '../../dialer/journeys/analytics/ab-winner.ts';
import { stableShare } from '../../journey-core/interpreter/stable-share.ts';

const tally = (variant: string, runs: number, goals: number): VariantTally => {
  return { variant, runs, goals };
};

t.test('[JRN-29] a winner is named when the counts allow it', (t) => {
  const cases: readonly (readonly [string, readonly VariantTally[], string | undefined])[] = [
    ['nobody came', [tally('a', 0, 0), tally('b', 0, 0)], undefined],
    ['one variant', [tally('a', 500, 400)], undefined],
    ['few', [tally('a', 50, 50), tally('b', 50, 0)], undefined],
    ['equals', [tally('a', 10_000, 1_000), tally('b', 10_000, 1_000)], undefined],
    ['a little better', [tally('a', 1_000, 110), tally('b', 1_000, 100)], undefined],
    ['clearly better', [tally('a', 1_000, 100), tally('b', 1_000, 200)], 'b'],
    ['unequal shares', [tally('a', 9_000, 900), tally('b', 1_000, 200)], 'b'],
    ['no goal at all', [tally('a', 5_000, 0), tally('b', 5_000, 0)], undefined],
    ['always the goal', [tally('a', 5_000, 5_000), tally('b', 5_000, 5_000)], undefined],
    [
      'two good ones of three',
      [tally('a', 1_000, 100), tally('b', 1_000, 200), tally('c', 1_000, 205)],
      undefined,
    ],
    [
      'the best of three',
      [tally('a', 1_000, 100), tally('b', 1_000, 110), tally('c', 1_000, 220)],
      'c',
    ],
  ];
  for (const [name, tallies, winner] of cases) t.equal(abWinner(tallies), winner, name);
  t.end();
});

/** Whether a test that is looked at after everybody ever names a winner, and after how many. */
function watched(seed: number, rates: readonly [number, number], people: number) {
  const tallies = [
    { variant: 'a', runs: 0, goals: 0 },
    { variant: 'b', runs: 0, goals: 0 },
  ];
  for (let n = 0; n < people; n += 1) {
    const index = stableShare(`${seed}/${n}/side`) < 0.5 ? 0 : 1;
    const own = tallies[index];
    if (own === undefined) continue;
    own.runs += 1;
    if (stableShare(`${seed}/${n}/goal`) < rates[index]) own.goals += 1;
    const winner = abWinner(tallies);
    if (winner !== undefined) return { winner, after: n + 1 };
  }
  return undefined;
}

t.test('[JRN-29] looked at all the time, equals seldom have a winner, others soon', (t) => {
  const TRIALS = 100;
  const seeds = Array.from({ length: TRIALS }, (_, seed) => seed);
  const alarms = seeds.filter((seed) => watched(seed, [0.2, 0.2], 2_000) !== undefined);
  t.ok(alarms.length <= 0.05 * TRIALS, `${alarms.length} of ${TRIALS} equals were told apart`);
  const found = seeds.slice(0, 25).map((seed) => watched(seed, [0.2, 0.35], 4_000)?.winner);
  t.same(new Set(found), new Set(['b']), 'what is better is found every time');
  t.end();
});
