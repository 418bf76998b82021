/** Goal: representatives go where spec C.1 says, and engagements slow down and stop as B.6 and B.7 say. */
import fc from 'fast-check';
import t from 'tap';
import {
  allotRepresentatives,
  competitionKey,
  heldMaxOf,
  type Competitor,
} from '../../dialer/competition/allot-representatives.ts';
import { stopVerdict } from '../../dialer/engagements/stop-rule.ts';
import {
  throttled,
  throttleStep,
  type ThrottleReading,
} from '../../dialer/throttle/throttle-step.ts';

function competitor(engagementId: string, more: Partial<Competitor> = {}): Competitor {
  return {
    ...{ engagementId, priority: 3, pending: 10, idle: 0, busy: 0, heldMax: 10 },
    ...{ sharesIdle: false, ringing: 0, ...more },
  };
}

const NO_TURNS = new Map<number, string>();

t.test(
  '[ORD-01] [ORD-02] a lower class is served when the higher has nothing pending',
  async (t) => {
    const critical = competitor('c', { priority: 1, pending: 2 });
    const normal = competitor('n');
    t.match(allotRepresentatives([normal, critical], 5, NO_TURNS), [
      { engagementId: 'n', reserve: 3 },
      { engagementId: 'c', reserve: 2 },
    ]);
    t.match(allotRepresentatives([normal, { ...critical, pending: 9 }], 5, NO_TURNS), [
      { engagementId: 'n', reserve: 0 },
      { engagementId: 'c', reserve: 5 },
    ]);
    const holder = { ...normal, idle: 3 };
    t.match(allotRepresentatives([holder, { ...critical, pending: 9 }], 0, NO_TURNS), [
      { engagementId: 'n', release: 3 },
      { engagementId: 'c', reserve: 3 },
    ]);
    const waiting = { ...critical, pending: 0 };
    t.match(allotRepresentatives([normal, waiting], 5, NO_TURNS), [{ reserve: 5 }, { reserve: 0 }]);
  },
);

t.test('[ORD-03] equals take turns, one delivery each, and nobody loses a turn', async (t) => {
  const turns = new Map<number, string>();
  const served: string[] = [];
  const pending = new Map([
    ['a', 4],
    ['b', 4],
    ['c', 0],
  ]);
  for (let delivery = 0; delivery < 8; delivery += 1) {
    const all = [...pending].map(([id, left]) => competitor(id, { pending: left }));
    const chosen = allotRepresentatives(all, 1, turns).find(({ reserve }) => reserve === 1);
    const id = chosen?.engagementId ?? '';
    served.push(id);
    turns.set(3, id);
    pending.set(id, (pending.get(id) ?? 0) - 1);
    if (delivery === 4) pending.set('c', 1);
  }
  t.same(served, ['a', 'b', 'a', 'b', 'a', 'b', 'c', 'a']);
});

t.test(
  '[ORD-11] [DM-25] other skills are another competition; shares bound what is held',
  async (t) => {
    t.not(competitionKey('q', ['a']), competitionKey('q', ['b']));
    t.equal(competitionKey('q', ['a', 'b']), competitionKey('q', ['b', 'a']));
    t.equal(heldMaxOf(10, 50), 5);
    t.equal(heldMaxOf(3, 10), 1, 'one at least');
    t.equal(heldMaxOf(0, 100), 0);
    const half = competitor('e', { heldMax: 5, busy: 2, idle: 1 });
    t.match(allotRepresentatives([half], 9, NO_TURNS), [{ reserve: 2, release: 0 }]);
  },
);

t.test('those whom ringing calls may need are not taken away', async (t) => {
  const predictive = competitor('p', { idle: 4, ringing: 3, sharesIdle: true });
  const critical = competitor('c', { priority: 1 });
  t.match(allotRepresentatives([predictive, critical], 0, NO_TURNS), [
    { release: 1 },
    { reserve: 1 },
  ]);
});

t.test('properties of every allotment', async (t) => {
  const competitors = fc
    .array(
      fc.record({
        priority: fc.integer({ min: 1, max: 3 }),
        pending: fc.integer({ min: 0, max: 8 }),
        idle: fc.integer({ min: 0, max: 5 }),
        busy: fc.integer({ min: 0, max: 5 }),
        heldMax: fc.integer({ min: 0, max: 12 }),
        sharesIdle: fc.boolean(),
        ringing: fc.integer({ min: 0, max: 8 }),
      }),
      { maxLength: 6 },
    )
    .map((all) => all.map((one, index) => ({ engagementId: `e-${index}`, ...one })));
  fc.assert(
    fc.property(competitors, fc.integer({ min: 0, max: 12 }), (all, free) => {
      const allotted = allotRepresentatives(all, free, NO_TURNS);
      const reserved = allotted.reduce((sum, { reserve }) => sum + reserve, 0);
      const released = allotted.reduce((sum, { release }) => sum + release, 0);
      if (reserved > free + released) return false; // nobody is given twice
      return all.every((one, index) => {
        const { reserve = 0, release = 0 } = allotted[index] ?? {};
        const idle = one.idle + reserve - release;
        const isWithin = reserve === 0 || idle + one.busy <= one.heldMax;
        const isHungry = idle < Math.min(one.pending, one.heldMax - one.busy);
        // Whoever still wants one: nobody below was given any, and none stayed free.
        const below = all.every((other, at) => {
          return other.priority <= one.priority || (allotted[at]?.reserve ?? 0) === 0;
        });
        const isNoneLeft = reserved === free + released;
        return isWithin && (!isHungry || (below && isNoneLeft));
      });
    }),
    { numRuns: 2_000 },
  );
  t.pass('2,000 random competitions');
});

const reading = (value: number | null, threshold = 10): ThrottleReading => ({
  ...{ metric: 'averageWaitTime', threshold, value },
});

t.test(
  '[DM-40] above its threshold a throttle slows down by its step, below it speeds up',
  async (t) => {
    const rules = { adjustPercent: 20 };
    t.same(throttleStep(1, [reading(11)], rules), {
      ...{ factor: 0.8, direction: 'slower', by: ['averageWaitTime'] },
    });
    t.match(throttleStep(0.5, [reading(9)], rules), { factor: 0.6, direction: 'faster' });
    t.match(throttleStep(0.9, [reading(9)], rules), { factor: 1 }, 'never above the cap');
    t.match(throttleStep(0.5, [reading(10)], rules), { factor: 0.5, direction: 'same' });
    t.match(throttleStep(0.5, [reading(null)], rules), { direction: 'faster' }, 'nobody waits');
    t.equal(throttled(10, 0.55), 5);
    t.equal(throttled(10, 0.001), 1, 'one call at a time always may');
    let factor = 1;
    for (let minute = 0; minute < 100; minute += 1) {
      factor = throttleStep(factor, [reading(99)], { adjustPercent: 100 }).factor;
    }
    t.ok(factor > 0 && throttleStep(factor, [reading(1)], rules).factor > factor, 'it recovers');
  },
);

t.test(
  '[DM-41] two throttles: slower when either is above, faster when both are below',
  async (t) => {
    const rules = { adjustPercent: 10 };
    t.match(throttleStep(0.5, [reading(11), reading(1)], rules), { direction: 'slower' });
    t.match(throttleStep(0.5, [reading(1), reading(10)], rules), { direction: 'same' });
    t.match(throttleStep(0.5, [reading(1), reading(2)], rules), { direction: 'faster' });
  },
);

t.test('[DM-34] too many long waits stop an engagement, and too few answers do not', async (t) => {
  const rule = { percent: 3, lookbackMinutes: 60 };
  t.same(stopVerdict(rule, { live: 19, exceeded: 19 }), { action: 'goOn' });
  t.same(stopVerdict(rule, { live: 100, exceeded: 2 }), { action: 'goOn' });
  t.match(stopVerdict(rule, { live: 100, exceeded: 3 }), {
    action: 'suspend',
    reason: /^3 of the 100 people .* \(3\.0 %\)/,
  });
});
