/** Goal: nothing starts that must not, nothing waits that need not, and every wait names its end. */
import fc from 'fast-check';
import { DateTime } from 'luxon';
import t from 'tap';
import {
  eligibility,
  type EligibilityFacts,
  type EligibilityTask,
} from '../../dialer/eligibility/eligibility.ts';
import { queueFactAt, type QueueHours } from '../../dialer/eligibility/queue-hours.ts';
import { defaultWindows, windowAt } from '../../dialer/eligibility/window.ts';
import type { ReattemptRule } from '../../dialer/engagements/engagement-config.schema.ts';
import {
  currentStep,
  FIRST_STEP,
  stepAfter,
  withoutRepeats,
  type AttemptMeaning,
  type ChainContact,
  type WalkStep,
} from '../../dialer/tasks/chain-walk.ts';
import {
  customValue,
  FALLBACK_ORDER_KEY,
  orderKeyOf,
  valueKindOf,
} from '../../dialer/tasks/order-key.ts';

const NOW = Date.UTC(2026, 2, 2, 15, 0);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const target = { contactId: 'c1', phoneType: 'mobile', contactPointId: 'p1' } as const;
const dial: WalkStep = {
  kind: 'dial',
  target,
  progress: FIRST_STEP,
  afterMs: 0,
  isRetry: false,
};
const readyTask: EligibilityTask = {
  isCancelled: false,
  isQuarantined: false,
  expiresAtMs: NOW + 10 * HOUR,
  step: dial,
  windows: [{ startMs: NOW - HOUR, endMs: NOW + 10 * HOUR }],
  lastResult: null,
  hasOptedOut: false,
};
const openFacts: EligibilityFacts = {
  engagement: 'running',
  number: {
    ...{ isDialable: true, isOptedOut: false, isInFlight: false },
    ...{ lastAttemptAtMs: null, gapMinMs: 15 * MINUTE },
  },
  queue: { kind: 'open' },
  capacityFree: 1,
};
const withNumber = (more: Partial<EligibilityFacts['number']>): Partial<EligibilityFacts> => ({
  number: { ...openFacts.number, ...more },
});

const cases: readonly {
  name: string;
  task?: Partial<EligibilityTask>;
  facts?: Partial<EligibilityFacts>;
  expected: object;
}[] = [
  { name: 'all is well: start', expected: { decide: 'start', target } },
  {
    name: 'a suspended engagement starts nothing and finishes nothing',
    facts: { engagement: 'suspended' },
    expected: { decide: 'postpone', untilMs: 0, reason: 'engagement_suspended' },
  },
  {
    name: 'but for what was cancelled',
    task: { isCancelled: true },
    facts: { engagement: 'suspended' },
    expected: { decide: 'finish', result: 'Cancelled', reason: 'cancelled' },
  },
  {
    name: 'an inactive engagement cancels',
    facts: { engagement: 'inactive' },
    expected: { decide: 'finish', result: 'Cancelled', reason: 'engagement_inactive' },
  },
  {
    name: 'a cancelled task is finished as cancelled',
    task: { isCancelled: true },
    expected: { decide: 'finish', result: 'Cancelled', subReason: 'cancelled' },
  },
  {
    name: 'a quarantined task is never started',
    task: { isQuarantined: true },
    expected: { decide: 'finish', result: 'Error', reason: 'quarantined' },
  },
  {
    name: '[RTY-39] a task past its last window is Expired',
    task: { expiresAtMs: NOW },
    expected: { decide: 'finish', result: 'Expired', reason: 'window_over' },
  },
  {
    name: 'a window that opens later postpones to its start',
    task: { windows: [{ startMs: NOW + HOUR, endMs: NOW + 2 * HOUR }] },
    expected: { decide: 'postpone', untilMs: NOW + HOUR, reason: 'window_not_open' },
  },
  {
    name: 'windows that are all past finish the task although it has not expired',
    task: { windows: [{ startMs: NOW - 2 * HOUR, endMs: NOW }] },
    expected: { decide: 'finish', result: 'Expired' },
  },
  {
    name: 'a number that cannot be dialled is skipped, not the task',
    facts: withNumber({ isDialable: false }),
    expected: { decide: 'skipNumber' },
  },
  {
    name: '[CNS-01] a number that opted out is passed over, whatever else is true of it',
    facts: withNumber({ isOptedOut: true, isInFlight: true, isDialable: false }),
    expected: { decide: 'skipNumber', reason: 'opted_out' },
  },
  {
    name: 'when no other number is left the task is Cancelled: nobody was called',
    task: { step: { kind: 'exhausted', hadNumbers: false }, hasOptedOut: true },
    expected: { decide: 'finish', result: 'Cancelled', subReason: 'opted_out' },
  },
  {
    name: 'one that was called before keeps its last Result',
    task: {
      step: { kind: 'exhausted', hadNumbers: true },
      ...{ hasOptedOut: true, lastResult: 'NoAnswer' },
    },
    expected: { decide: 'finish', result: 'NoAnswer', reason: 'chain_exhausted' },
  },
  {
    name: 'a number in flight from any engagement waits for its gap',
    facts: withNumber({ isInFlight: true, lastAttemptAtMs: NOW - MINUTE }),
    expected: { decide: 'postpone', untilMs: NOW + 14 * MINUTE, reason: 'number_in_flight' },
  },
  {
    name: 'a number in flight beyond its gap is looked at again in a minute',
    facts: withNumber({ isInFlight: true, lastAttemptAtMs: NOW - HOUR }),
    expected: { decide: 'postpone', untilMs: NOW + MINUTE, reason: 'number_in_flight' },
  },
  {
    name: 'the gap between two attempts to one number is kept to the millisecond',
    facts: withNumber({ lastAttemptAtMs: NOW - 15 * MINUTE + 1 }),
    expected: { decide: 'postpone', untilMs: NOW + 1, reason: 'number_gap' },
  },
  {
    name: 'a gap just over is over',
    facts: withNumber({ lastAttemptAtMs: NOW - 15 * MINUTE }),
    expected: { decide: 'start' },
  },
  {
    name: '[DM-03] a closed queue postpones to its opening',
    facts: { queue: { kind: 'closed', opensAtMs: NOW + HOUR } },
    expected: { decide: 'postpone', untilMs: NOW + HOUR, reason: 'queue_closed' },
  },
  {
    name: '[DM-03] ignored queue hours do not hold anything up',
    facts: { queue: { kind: 'ignored' } },
    expected: { decide: 'start' },
  },
  {
    name: 'a queue that never opens again lets the task expire now',
    facts: { queue: { kind: 'closed', opensAtMs: null } },
    expected: { decide: 'finish', result: 'Expired', reason: 'expires_before_next_start' },
  },
  {
    name: 'a start that could come only after the end never comes',
    task: { expiresAtMs: NOW + 30 * MINUTE },
    facts: { queue: { kind: 'closed', opensAtMs: NOW + 30 * MINUTE } },
    expected: { decide: 'finish', result: 'Expired', reason: 'expires_before_next_start' },
  },
  {
    name: 'no free place leaves the task ready',
    facts: { capacityFree: 0 },
    expected: { decide: 'postpone', untilMs: NOW, reason: 'no_capacity' },
  },
  {
    name: 'a used-up chain ends with its last Result',
    task: { step: { kind: 'exhausted', hadNumbers: true }, lastResult: 'Busy' },
    expected: { decide: 'finish', result: 'Busy', reason: 'chain_exhausted' },
  },
  {
    name: 'a chain without any number is a data error',
    task: { step: { kind: 'exhausted', hadNumbers: false } },
    expected: { decide: 'finish', result: 'Error', subReason: 'config', reason: 'no_number' },
  },
];

for (const { name, task, facts, expected } of cases) {
  t.test(`eligibility: ${name}`, async (t) => {
    t.match(eligibility({ ...readyTask, ...task }, { ...openFacts, ...facts }, NOW), expected);
  });
}

t.test('eligibility: a start is always inside a window, outside the gap, with room', async (t) => {
  const some = fc.record({
    startMs: fc.integer({ min: -5, max: 5 }),
    lengthMs: fc.integer({ min: 1, max: 5 }),
    expiresMs: fc.integer({ min: -5, max: 10 }),
    lastMs: fc.option(fc.integer({ min: -10, max: 0 })),
    gapMs: fc.integer({ min: 0, max: 8 }),
    isInFlight: fc.boolean(),
    opensMs: fc.option(fc.integer({ min: -3, max: 6 })),
    capacityFree: fc.integer({ min: 0, max: 2 }),
  });
  fc.assert(
    fc.property(some, (s) => {
      const window = { startMs: NOW + s.startMs, endMs: NOW + s.startMs + s.lengthMs };
      const lastAttemptAtMs = s.lastMs === null ? null : NOW + s.lastMs;
      const decision = eligibility(
        { ...readyTask, windows: [window], expiresAtMs: NOW + s.expiresMs },
        {
          engagement: 'running',
          number: {
            isDialable: true,
            isOptedOut: false,
            isInFlight: s.isInFlight,
            lastAttemptAtMs,
            gapMinMs: s.gapMs,
          },
          queue:
            s.opensMs === null ? { kind: 'open' } : { kind: 'closed', opensAtMs: NOW + s.opensMs },
          capacityFree: s.capacityFree,
        },
        NOW,
      );
      if (decision.decide === 'postpone') {
        return decision.untilMs <= NOW + 0 || decision.untilMs < NOW + s.expiresMs;
      }
      if (decision.decide !== 'start') return true;
      return (
        window.startMs <= NOW &&
        NOW < window.endMs &&
        s.expiresMs > 0 &&
        !s.isInFlight &&
        (lastAttemptAtMs === null || lastAttemptAtMs + s.gapMs <= NOW) &&
        s.opensMs === null &&
        s.capacityFree > 0
      );
    }),
  );
  t.pass();
});

t.test(
  '[RTY-37] without windows a delivery may start from now for 24 hours, and no longer',
  async (t) => {
    const windows = defaultWindows(NOW);
    t.match(windowAt(windows, NOW), { kind: 'open' });
    t.match(windowAt(windows, NOW + 24 * HOUR - 1), { kind: 'open' });
    t.match(windowAt(windows, NOW + 24 * HOUR), { kind: 'over' });
  },
);

const weekdays = [
  { from: '08:00', to: '12:00' },
  { from: '13:00', to: '17:00' },
];
const officeHours: QueueHours = {
  monday: weekdays,
  tuesday: weekdays,
  wednesday: weekdays,
  thursday: weekdays,
  friday: weekdays,
  saturday: [],
  sunday: [],
  closedOn: ['2026-12-25'],
};
const inZone = (text: string, zone: string): number => DateTime.fromISO(text, { zone }).toMillis();

const hourCases = [
  { name: 'open in the morning', at: '2026-03-02T08:00', fact: 'open' },
  { name: 'closed at noon, opens at one', at: '2026-03-02T12:00', fact: '2026-03-02T13:00' },
  { name: 'closed at the end of the span', at: '2026-03-02T17:00', fact: '2026-03-03T08:00' },
  { name: 'closed over the weekend', at: '2026-03-06T20:00', fact: '2026-03-09T08:00' },
  { name: 'closed on a named day', at: '2026-12-25T09:00', fact: '2026-12-28T08:00' },
];
for (const zone of ['America/New_York', 'Europe/Berlin', 'Asia/Kolkata']) {
  for (const { name, at, fact } of hourCases) {
    t.test(`[DM-03] queue hours in ${zone}: ${name}`, async (t) => {
      const verdict = queueFactAt(officeHours, zone, inZone(at, zone));
      if (fact === 'open') t.same(verdict, { kind: 'open' });
      else t.same(verdict, { kind: 'closed', opensAtMs: inZone(fact, zone) });
    });
  }
}

t.test('queue hours: clock changes follow the wall', async (t) => {
  const night: QueueHours = { ...officeHours, sunday: [{ from: '01:30', to: '02:30' }] };
  const zone = 'America/New_York';
  // 8 March 2026: 02:00 becomes 03:00, so the span that ends at 02:30 ends when 03:30 is read.
  const spring = inZone('2026-03-08T01:45', zone);
  t.same(queueFactAt(night, zone, spring), { kind: 'open' });
  // 1 November 2026: 01:00 to 02:00 is passed twice; open in both.
  const first = DateTime.fromISO('2026-11-01T01:45:00-04:00').toMillis();
  const second = DateTime.fromISO('2026-11-01T01:45:00-05:00').toMillis();
  t.same(queueFactAt(night, zone, first), { kind: 'open' });
  t.same(queueFactAt(night, zone, second), { kind: 'open' });
  t.throws(() => queueFactAt(night, 'Mars/Olympus', first), /unknown time zone/);
  t.same(queueFactAt(null, 'Mars/Olympus', first), { kind: 'open' }, 'no hours: never closed');
});

const rule: ReattemptRule = {
  reasons: ['noAnswer', 'busy'],
  retriesMax: 2,
  waitMinutes: 30,
  priority: 'same',
  delayBetweenNumbersMinutes: 2,
  delayBetweenContactsMinutes: 5,
};
const point = (phoneType: 'mobile' | 'business' | 'home', contactPointId: string) => ({
  phoneType,
  contactPointId,
});
const chain: readonly ChainContact[] = [
  { contactId: 'a', numbers: [point('home', 'a-home'), point('mobile', 'a-mobile')] },
  { contactId: 'b', numbers: [point('mobile', 'b-mobile')] },
];

/** Walks a whole chain; each attempt ends as `meaningOf` says. */
function walk(
  contacts: readonly ChainContact[],
  meaningOf: (contactPointId: string, loop: number) => AttemptMeaning,
  walkRule = rule,
): { dialled: string[]; pausesMinutes: number[]; end: WalkStep } {
  const dialled: string[] = [];
  const pausesMinutes: number[] = [];
  let step = currentStep(contacts, FIRST_STEP, walkRule);
  while (step.kind === 'dial') {
    const { target: dialledTarget, progress } = step;
    dialled.push(dialledTarget.contactPointId);
    pausesMinutes.push(step.afterMs / MINUTE);
    const meaning = meaningOf(dialledTarget.contactPointId, progress.loop);
    step = stepAfter(contacts, progress, walkRule, meaning);
  }
  return { dialled, pausesMinutes, end: step };
}

t.test(
  '[RTY-17] dials home before mobile when so ordered, and [RTY-05] three loops for two retries',
  async (t) => {
    const { dialled, pausesMinutes, end } = walk(chain, () => 'retry');
    t.same(
      dialled,
      [1, 2, 3].flatMap(() => ['a-home', 'a-mobile', 'b-mobile']),
    );
    t.same(pausesMinutes, [0, 2, 5, 30, 2, 5, 30, 2, 5], '[RTY-06] the wait stands between loops');
    t.same(end, { kind: 'exhausted', hadNumbers: true });
  },
);

t.test('[RTY-02] a Result that is no reason ends that number, not the walk', async (t) => {
  const meaning = (id: string): AttemptMeaning => (id === 'a-home' ? 'noRetry' : 'retry');
  t.same(walk(chain, meaning).dialled, [
    'a-home',
    'a-mobile',
    'b-mobile',
    'a-mobile',
    'b-mobile',
    'a-mobile',
    'b-mobile',
  ]);
  t.same(walk(chain, () => 'noRetry').dialled, ['a-home', 'a-mobile', 'b-mobile']);
});

t.test('a number that is none is left out for good', async (t) => {
  const meaning = (id: string): AttemptMeaning => (id === 'a-mobile' ? 'dropNumber' : 'retry');
  t.equal(walk(chain, meaning).dialled.filter((id) => id === 'a-mobile').length, 1);
});

t.test('reaching somebody ends the walk', async (t) => {
  const { dialled, end } = walk(chain, (id) => (id === 'a-mobile' ? 'reached' : 'retry'));
  t.same(dialled, ['a-home', 'a-mobile']);
  t.same(end, { kind: 'reached' });
});

t.test('a chain without numbers ends before anything is dialled', async (t) => {
  const { dialled, end } = walk([{ contactId: 'a', numbers: [] }], () => 'retry');
  t.same(dialled, []);
  t.same(end, { kind: 'exhausted', hadNumbers: false });
});

t.test(
  'the walk always ends, within its loops, and never dials a dropped number (law)',
  async (t) => {
    const meanings = fc.constantFrom<AttemptMeaning>(
      ...(['retry', 'noRetry', 'dropNumber', 'dropContact'] as const),
    );
    // Of nine numbers: families share them, and people enter one twice.
    const numbers = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 3 });
    const contacts = fc.array(numbers, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(
        contacts,
        fc.integer({ min: 0, max: 3 }),
        fc.infiniteStream(meanings),
        fc.boolean(),
        (ids, retriesMax, stream, isAsEntered) => {
          const types = ['mobile', 'business', 'home'] as const;
          const entered = ids.map((own, index) => ({
            contactId: `c${index}`,
            numbers: own.map((id, at) => point(types[at] ?? 'home', `n${id}`)),
          }));
          const people = isAsEntered ? entered : withoutRepeats(entered);
          const dropped = new Set<string>();
          const seen = new Map<string, number>();
          walk(
            people,
            (id) => {
              if (dropped.has(id)) throw new Error(`dialled a dropped number ${id}`);
              seen.set(id, (seen.get(id) ?? 0) + 1);
              const meaning = stream.next().value as AttemptMeaning;
              if (meaning.startsWith('drop')) dropped.add(id);
              return meaning;
            },
            { ...rule, retriesMax },
          );
          const places = (id: string): number =>
            isAsEntered
              ? entered.flatMap((one) => one.numbers).filter((one) => one.contactPointId === id)
                  .length
              : 1;
          return [...seen].every(([id, count]) => count <= places(id) * (1 + retriesMax));
        },
      ),
    );
    t.pass();
  },
);

t.test('a number that stands in a chain more than once has one place, its first', async (t) => {
  const family = withoutRepeats([
    { contactId: 'a', numbers: [point('mobile', 'a'), point('business', 'b'), point('home', 'a')] },
    { contactId: 'c', numbers: [point('mobile', 'c'), point('home', 'b')] },
    { contactId: 'd', numbers: [point('home', 'b')] },
  ]);
  t.strictSame(family, [
    { contactId: 'a', numbers: [point('mobile', 'a'), point('business', 'b')] },
    { contactId: 'c', numbers: [point('mobile', 'c')] },
    { contactId: 'd', numbers: [] },
  ]);
  t.same(walk(family, () => 'retry', { ...rule, retriesMax: 1 }).dialled, [
    ...['a', 'b', 'c'],
    ...['a', 'b', 'c'],
  ]);
});

t.test(
  'a contact that is edited while it waits: nobody twice in a loop, and nobody left out',
  (t) => {
    const numbers = (...ids: string[]): ChainContact[] => [
      { contactId: 'a', numbers: ids.map((id) => point('mobile', id)) },
    ];
    const before = numbers('business', 'home');
    const first = currentStep(before, FIRST_STEP, rule);
    if (first.kind !== 'dial') throw new Error('nobody is dialled');
    for (const meaning of ['retry', 'noRetry'] as const) {
      const waits = stepAfter(before, first.progress, rule, meaning);
      if (waits.kind !== 'dial') throw new Error('the walk is over');
      for (const after of [
        numbers('mobile', 'business', 'home'),
        numbers('home'),
        numbers('home', 'business'),
        numbers('business', 'other', 'home'),
      ]) {
        const next = currentStep(after, waits.progress, rule);
        t.match(next, { kind: 'dial', target: { contactPointId: 'home' } }, 'home was next');
      }
      const gone = currentStep(numbers('mobile', 'business'), waits.progress, rule);
      t.notMatch(gone, { progress: { loop: 1 }, target: { contactPointId: 'business' } });
    }
    t.end();
  },
);

t.test('who asked not to be called is not called on another number; the next person is', (t) => {
  const first = currentStep(chain, FIRST_STEP, rule);
  if (first.kind !== 'dial') throw new Error('nobody is dialled');
  const next = stepAfter(chain, first.progress, rule, 'dropContact', 'a-home');
  t.match(next, { kind: 'dial', target: { contactPointId: 'b-mobile' } });
  const all = walk(chain, (id) => (id === 'a-home' ? 'dropContact' : 'retry')).dialled;
  t.same(all, ['a-home', 'b-mobile', 'b-mobile', 'b-mobile']);
  t.end();
});

t.test('[CFG-13] order keys put tasks where their call order says', async (t) => {
  const at = (windowEndMs: number, createdSeq: number, priorityValue: string | null) => ({
    windowEndMs,
    createdSeq,
    priorityValue,
    valueKind: 'number' as const,
  });
  const first = at(200, 1, '3');
  const second = at(100, 2, '1');
  const bad = at(50, 3, 'soon');
  const order = (callOrder: Parameters<typeof orderKeyOf>[0]['callOrder']): number[] =>
    [first, second, bad]
      .map((task) => ({ seq: task.createdSeq, key: orderKeyOf({ callOrder, ...task }).orderKey }))
      .sort((a, b) => a.key - b.key || a.seq - b.seq)
      .map(({ seq }) => seq);
  t.same(order('earliestScheduledDate'), [3, 2, 1]);
  t.same(order('firstInFirstOut'), [1, 2, 3]);
  t.same(order('lastInFirstOut'), [3, 2, 1]);
  t.same(order('customAscending'), [2, 1, 3], 'what has no value goes last');
  t.same(order('customDescending'), [1, 2, 3], 'what has no value goes last here too');
  t.equal(orderKeyOf({ callOrder: 'customAscending', ...bad }).isFallback, true);
  t.equal(orderKeyOf({ callOrder: 'customAscending', ...bad }).orderKey, FALLBACK_ORDER_KEY);
  const date = { ...first, priorityValue: '2026-03-02' };
  t.equal(orderKeyOf({ callOrder: 'customDescending', ...date }).isFallback, true, 'no number');
});

t.test('[ORD-07] [ORD-09] a custom value is a number, else a date, else nothing', async (t) => {
  const values: [string | null, number | undefined][] = [
    ['10', 10],
    [' -2.5 ', -2.5],
    ['2026-03-02', Date.UTC(2026, 2, 2)],
    ['2026-03-02T10:00', Date.UTC(2026, 2, 2, 10)],
    ['2026-03-02T10:00:00+02:00', Date.UTC(2026, 2, 2, 8)],
    ['', undefined],
    [null, undefined],
    ['1e400', undefined],
    ['99999999999999999999', undefined],
    ['2026-13-45', undefined],
    ['tomorrow', undefined],
  ];
  for (const [text, expected] of values) t.equal(customValue(text)?.value, expected, String(text));
  t.equal(customValue('2026')?.kind, 'number', 'a number first');
  t.equal(customValue('2026-03-02')?.kind, 'date');
  t.equal(
    valueKindOf([null, 'soon', '2026-03-02', '7']),
    'date',
    'the first with a meaning decides',
  );
  t.equal(valueKindOf([null, 'soon']), null);
});
