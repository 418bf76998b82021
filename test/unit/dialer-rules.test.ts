/** Goal: the dialer's pure rules hold at their edges: AI failures, trunk budgets, the lab's gap. */
import fc from 'fast-check';
import t from 'tap';
import { checkConfig } from '../../config/load-config.ts';
import { TrunkBudget } from '../../dialer/actors/trunk-budget.ts';
import { dialerSettings } from '../../dialer/dialer-settings.ts';
import { aiFailureVerdict } from '../../dialer/engagements/ai-failure-rule.ts';

const failures: readonly {
  name: string;
  rule: Parameters<typeof aiFailureVerdict>[0];
  handled: number;
  failed: number;
  suspends: boolean;
}[] = [
  {
    name: '[DM-05] suspend: the first failure is enough, of however few calls',
    rule: { action: 'suspend', ratePercent: 1 },
    ...{ handled: 1, failed: 1, suspends: true },
  },
  {
    name: '[DM-05] suspend: calls that went well suspend nothing',
    rule: { action: 'suspend', ratePercent: 1 },
    ...{ handled: 100, failed: 0, suspends: false },
  },
  {
    name: '[DM-06] 2 %: 2 of 100 reach it',
    rule: { action: 'threshold', ratePercent: 2 },
    ...{ handled: 100, failed: 2, suspends: true },
  },
  {
    name: '[DM-06] 2 %: 1 of 51 does not',
    rule: { action: 'threshold', ratePercent: 2 },
    ...{ handled: 51, failed: 1, suspends: false },
  },
  {
    name: '[DM-06] 2 %: 1 of 50 does',
    rule: { action: 'threshold', ratePercent: 2 },
    ...{ handled: 50, failed: 1, suspends: true },
  },
  {
    name: '[DM-06] 2 %: 19 calls decide nothing, were they all to fail',
    rule: { action: 'threshold', ratePercent: 2 },
    ...{ handled: 19, failed: 19, suspends: false },
  },
  {
    name: '[DM-06] 2 %: the 20th call decides',
    rule: { action: 'threshold', ratePercent: 2 },
    ...{ handled: 20, failed: 1, suspends: true },
  },
  {
    name: '[DM-06] 0 %: without any failure nothing is suspended',
    rule: { action: 'threshold', ratePercent: 0 },
    ...{ handled: 100, failed: 0, suspends: false },
  },
  {
    name: 'none: nothing ever is',
    rule: { action: 'none', ratePercent: 1 },
    ...{ handled: 100, failed: 100, suspends: false },
  },
];

for (const { name, rule, handled, failed, suspends } of failures) {
  t.test(`AI failures, ${name}`, async (t) => {
    t.equal(aiFailureVerdict(rule, { handled, failed }).action, suspends ? 'suspend' : 'goOn');
  });
}

const TRUNK = { name: 'lab', channelsMax: 3, callsPerSecondMax: 10 };

t.test('a trunk grants its channels and no more, and wakes who waits for one', async (t) => {
  const budget = new TrunkBudget({ ...TRUNK, callsPerSecondMax: 1_000 });
  t.strictSame(budget.take(5, 0), { granted: 3 });
  t.strictSame(budget.take(1, 1_000), { granted: 0, atMs: null });
  let woken = 0;
  budget.whenFree(() => (woken += 1));
  budget.free(1);
  budget.free(1);
  t.equal(woken, 1);
  t.strictSame(budget.take(5, 2_000), { granted: 2 });
});

t.test('starts that were granted and not made do not use up the rate', async (t) => {
  const budget = new TrunkBudget({ ...TRUNK, channelsMax: 100 });
  t.strictSame(budget.take(5, 0), { granted: 2 });
  t.match(budget.take(1, 0), { granted: 0, atMs: 1 });
  budget.giveBack(2);
  t.strictSame(budget.take(5, 0), { granted: 2 });
});

t.test('a trunk set to no channels or no calls grants nothing', async (t) => {
  for (const limit of [{ channelsMax: 0 }, { callsPerSecondMax: 0 }]) {
    const budget = new TrunkBudget({ ...TRUNK, ...limit });
    t.strictSame(budget.take(1, 0), { granted: 0, atMs: null });
    budget.countStart(0);
    budget.giveBack(0);
    t.strictSame(budget.take(1, 5_000), { granted: 0, atMs: null });
  }
});

t.test(
  'a trunk that refuses is asked by one call, after pauses that grow to a minute',
  async (t) => {
    const budget = new TrunkBudget({ ...TRUNK, callsPerSecondMax: 1_000 });
    let nowMs = 0;
    const pauses: number[] = [];
    for (let refusals = 0; refusals < 9; refusals += 1) {
      budget.refused(nowMs);
      budget.refused(nowMs); // another of the same batch
      const grant = budget.take(3, nowMs);
      const atMs = 'atMs' in grant ? (grant.atMs ?? 0) : 0;
      pauses.push(atMs - nowMs);
      nowMs = atMs;
      t.strictSame(budget.take(3, nowMs), { granted: 1 });
      budget.free(1);
    }
    t.strictSame(
      pauses,
      [1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1_000),
    );
    let woken = false;
    budget.whenFree(() => (woken = true));
    budget.works();
    t.ok(woken);
    t.strictSame(budget.take(3, nowMs + 1_000), { granted: 3 });
  },
);

t.test(
  'no second passes more calls than the trunk takes, 200 ms ahead of it (property)',
  async (t) => {
    const asks = fc.array(
      fc.record({
        afterMs: fc.integer({ min: 0, max: 400 }),
        wanted: fc.integer({ min: 1, max: 50 }),
      }),
      { minLength: 1, maxLength: 60 },
    );
    const rates = fc.integer({ min: 1, max: 200 });
    fc.assert(
      fc.property(rates, asks, (callsPerSecondMax, given) => {
        const budget = new TrunkBudget({ name: 'x', channelsMax: 1e6, callsPerSecondMax });
        let nowMs = 0;
        let granted = 0;
        return given.every(({ afterMs, wanted }) => {
          nowMs += afterMs;
          granted += budget.take(wanted, nowMs).granted;
          return granted <= ((nowMs + 200) / 1_000) * callsPerSecondMax + 1;
        });
      }),
    );
    t.pass();
  },
);

const trunkAt = (address: string): string =>
  `gateway: { trunks: [{ name: a, address: '${address}', callerId: '+12025550100' }] }\n`;

t.test(
  'the gap between two calls to one number is 15 minutes, in the lab what is set',
  async (t) => {
    const read = (text: string) => dialerSettings(checkConfig('x.yaml', text, {}).config);
    t.equal(read('').limits.numberGapMinMs, 15 * 60_000);
    const lab = `dialer: { labNumberGapMinMs: 0 }\n${trunkAt('sip:127.0.0.1:5070')}`;
    t.equal(read(lab).limits.numberGapMinMs, 0);
  },
);

t.test('the lab’s gap is refused while any trunk leads outside', async (t) => {
  const text = `dialer: { labNumberGapMinMs: 0 }\n${trunkAt('sip:198.51.100.7:5060')}`;
  t.throws(() => checkConfig('x.yaml', text, {}), /labNumberGapMinMs.*not on loopback: a/);
  const short = 'dialer: { numberGapMinMs: 1000 }\n';
  t.throws(() => checkConfig('x.yaml', short, {}), /numberGapMinMs/);
});
