/** Goal: one event, one answer: nothing is lost, nothing is done twice, and every run ends. */
import fc from 'fast-check';
import t from 'tap';
import { RESULTS } from '../../machines/result.ts';
import {
  OPERATORS_OF,
  type Operator,
  type ValueType,
} from '../../journey-core/definition/condition.schema.ts';
import { durationMs, durationText } from '../../journey-core/definition/duration.ts';
import { journeyDiagram } from '../../journey-core/definition/journey-diagram.ts';
import type { Journey } from '../../journey-core/definition/journey.schema.ts';
import { advance } from '../../journey-core/interpreter/advance.ts';
import {
  conversationOutcomeOf,
  SMS_RESULTS,
} from '../../journey-core/interpreter/conversation-outcome.ts';
import type { JourneyEffect } from '../../journey-core/interpreter/effects.ts';
import { judgeTest } from '../../journey-core/interpreter/judge-test.ts';
import type { JsonValue } from '../../journey-core/interpreter/json-value.ts';
import { newRun, type JourneyRun } from '../../journey-core/interpreter/run.ts';
import { indexOfShare, stableShare } from '../../journey-core/interpreter/stable-share.ts';
import { validateJourney } from '../../journey-core/validation/validate-journey.ts';
import { anyJourney } from '../support/journey-arbitraries.ts';
import { exampleJourney } from '../support/journey-example.ts';

const NOW = Date.UTC(2026, 10, 23, 9);
const HOUR = 3_600_000;
const at = { nowMs: NOW, timeZone: 'Europe/Amsterdam' };

const holds: Readonly<
  Record<ValueType, readonly [Operator, JsonValue, JsonValue | undefined, boolean][]>
> = {
  text: [
    ['is', 'Paris', ' paris ', true],
    ['is', 'Paris', 'Pari', false],
    ['is', '', '', false],
    ['is', null, 'x', false],
    ['isNot', 'Paris', 'Rome', true],
    ['isNot', 'Paris', 'PARIS', false],
    ['isNot', null, 'Rome', true],
    ['contains', 'Call back later', 'BACK', true],
    ['contains', 'Call', 'back', false],
    ['contains', null, 'x', false],
    ['doesNotContain', 'Call', 'back', true],
    ['doesNotContain', 'Call back', 'back', false],
    ['doesNotContain', null, 'x', true],
    ['beginsWith', 'Rotterdam', 'rot', true],
    ['beginsWith', 'Rotterdam', 'dam', false],
    ['beginsWith', null, '', false],
    ['endsWith', 'Rotterdam', 'DAM', true],
    ['endsWith', 'Rotterdam', 'rot', false],
    ['isEmpty', '  ', undefined, true],
    ['isEmpty', null, undefined, true],
    ['isEmpty', 'x', undefined, false],
    ['hasValue', 'x', undefined, true],
    ['hasValue', '', undefined, false],
    ['in', 'Rome', ['paris', 'rome'], true],
    ['in', 'Rome', ['Paris'], false],
    ['in', null, ['Paris'], false],
  ],
  number: [
    ['equals', '3', 3, true],
    ['equals', 3, 3.5, false],
    ['equals', 'three', 3, false],
    ['notEquals', 3, 4, true],
    ['notEquals', 3, 3, false],
    ['notEquals', null, 3, true],
    ['lessThan', 2, 3, true],
    ['lessThan', 3, 3, false],
    ['atMost', 3, 3, true],
    ['atMost', 3.1, 3, false],
    ['greaterThan', 4, 3, true],
    ['greaterThan', 3, 3, false],
    ['atLeast', 3, 3, true],
    ['atLeast', 2.9, 3, false],
    ['greaterThan', null, 0, false],
    ['lessThan', '', 1, false],
    ['lessThan', '1e400', 5, false],
    ['between', 5, [5, 9], true],
    ['between', 9, [5, 9], true],
    ['between', 9.1, [5, 9], false],
    ['between', null, [0, 9], false],
    ['isEmpty', null, undefined, true],
    ['isEmpty', 0, undefined, false],
    ['hasValue', 0, undefined, true],
  ],
  boolean: [
    ['isTrue', true, undefined, true],
    ['isTrue', 'TRUE', undefined, true],
    ['isTrue', null, undefined, false],
    ['isTrue', 'yes', undefined, false],
    ['isFalse', false, undefined, true],
    ['isFalse', 'false', undefined, true],
    ['isFalse', null, undefined, false],
    ['isFalse', true, undefined, false],
    ['isEmpty', null, undefined, true],
    ['isEmpty', false, undefined, false],
    ['hasValue', false, undefined, true],
  ],
  dateTime: [
    ['before', '2026-11-22', '2026-11-23', true],
    ['before', '2026-11-23', '2026-11-23', false],
    ['after', '2026-11-23T10:01', '2026-11-23T10:00', true],
    ['after', '2026-11-23T09:00:00Z', '2026-11-23T10:00', false],
    ['on', '2026-11-22T23:30:00Z', '2026-11-23', true],
    ['on', '2026-11-22T22:30:00Z', '2026-11-23', false],
    ['inLast', '2026-11-21T09:00:01Z', '2d', true],
    ['inLast', '2026-11-21T09:00:00Z', '2d', false],
    ['inLast', '2026-11-23T09:00:01Z', '2d', false],
    ['inNext', '2026-11-25T08:59:59Z', '2d', true],
    ['inNext', '2026-11-25T09:00:00Z', '2d', false],
    ['inNext', '2026-11-22', '2d', false],
    ['before', 'soon', '2026-11-23', false],
    ['after', null, '2026-11-23', false],
    ['on', NOW, '2026-11-23', true],
    ['isEmpty', null, undefined, true],
    ['hasValue', '2026-11-23', undefined, true],
  ],
  reference: [
    ['is', 'A-7', 'a-7', true],
    ['isNot', 'A-7', 'A-8', true],
    ['in', 'A-7', ['A-6', 'A-7'], true],
    ['isEmpty', '', undefined, true],
    ['hasValue', 'A-7', undefined, true],
  ],
  list: [
    ['containsAny', ['Call back', 'Busy'], ['call back'], true],
    ['containsAny', ['Busy'], ['Call back'], false],
    ['containsAny', null, ['x'], false],
    ['containsAll', ['a', 'b', 'c'], ['A', 'b'], true],
    ['containsAll', ['a'], ['a', 'b'], false],
    ['containsNone', ['a'], ['b'], true],
    ['containsNone', ['a', 'b'], ['b'], false],
    ['containsNone', [], ['b'], true],
    ['isEmpty', [], undefined, true],
    ['isEmpty', ['a'], undefined, false],
    ['hasValue', ['a'], undefined, true],
  ],
};

for (const [type, table] of Object.entries(holds)) {
  t.test(`[JRN-36] ${type}: each operator of the type, by table`, async (t) => {
    for (const [operator, value, operand, expected] of table) {
      const line = `${JSON.stringify(value)} ${operator} ${JSON.stringify(operand)}`;
      t.equal(judgeTest(operator, value, operand, at), expected, line);
    }
    const met = new Set(table.map(([operator]) => operator));
    t.same(
      OPERATORS_OF[type as ValueType].filter((operator) => !met.has(operator)),
      [],
    );
  });
}

t.test('no operator throws, whatever the value and the operand', async (t) => {
  const operators = [...new Set(Object.values(OPERATORS_OF).flat())];
  const any = fc.jsonValue() as fc.Arbitrary<JsonValue>;
  fc.assert(
    fc.property(
      fc.constantFrom(...operators),
      any,
      any,
      (operator, value, operand) => typeof judgeTest(operator, value, operand, at) === 'boolean',
    ),
  );
  t.pass();
});

t.test(
  '[JRN-08] [JRN-09] each result is attempted or not attempted, as it should be',
  async (t) => {
    const not = RESULTS.filter((result) => conversationOutcomeOf(result) === 'notAttempted');
    t.same(not, ['NotAHandset', 'InvalidAddress', 'Terminated', 'Cancelled', 'Expired', 'Error']);
    t.same(
      SMS_RESULTS.filter((result) => conversationOutcomeOf(result) === 'attempted'),
      ['ConversationClosed', 'ResponseTimeout', 'NotDelivered'],
    );
    t.equal(conversationOutcomeOf('NotDelivered', 'OptedOut'), 'notAttempted');
  },
);

t.test('durations are read and written', async (t) => {
  t.equal(durationMs('1w2d3h4m5s'), ((9 * 24 + 3) * 60 + 4) * 60_000 + 5_000);
  for (const wrong of ['', 'd', '2h1d', '1.5h', '-1h', '1d 2h', '90'])
    t.equal(durationMs(wrong), undefined, wrong);
  fc.assert(
    fc.property(
      fc.nat(10_000_000),
      (seconds) => durationMs(durationText(seconds * 1_000)) === seconds * 1_000,
    ),
  );
});

/** One run of an example, told one event after another. */
class Teller {
  readonly journey: Journey;
  readonly effects: JourneyEffect[] = [];
  run: JourneyRun = newRun({ runId: 'r1', journeyId: 'j', version: 1, personId: 'p' });
  constructor(name: string | Journey) {
    this.journey = typeof name === 'string' ? exampleJourney(name) : name;
  }
  tell(event: unknown, afterMs = 0): JourneyEffect[] {
    const { run, effects } = advance(this.journey, this.run, event, NOW + afterMs);
    this.run = run;
    this.effects.push(...effects);
    return [...effects];
  }
  /** Enters, with everything that any step asks for. */
  enter(attributes: object = {}): this {
    this.tell({ type: 'enter', attributes, facts: FACTS });
    return this;
  }
  count(type: JourneyEffect['type']): number {
    return this.effects.filter((effect) => effect.type === type).length;
  }
}
const FACTS = { attributes: {}, segments: [], variants: {} };
const ended = (key: string, result: string, rest: object = {}) => ({
  type: 'conversationResult',
  key,
  result,
  facts: FACTS,
  ...rest,
});

t.test(
  'a call is asked for once, with all that the dialer needs, and the run goes on at once',
  async (t) => {
    const teller = new Teller('confirm-delivery').enter();
    const [started] = teller.effects.filter(({ type }) => type === 'startConversation');
    t.match(started, {
      key: 'r1:call:1',
      channel: 'voice',
      engagement: 'confirmDelivery',
      quietTime: 'inherit',
      compliance: { profile: 'deliveries', purpose: 'deliveryUpdates' },
      frequencyCap: 'apply',
      notAfterMs: NOW + 12 * HOUR,
      inputs: {},
    });
    t.match(teller.run, {
      stepId: 'callOutcome',
      waiting: { kind: 'events', dueAtMs: NOW + 24 * HOUR },
    });
  },
);

t.test('[JRN-10] a blocked call asks nothing of the dialer and takes its branch', async (t) => {
  const teller = new Teller('confirm-delivery').enter();
  teller.tell({ type: 'conversationBlocked', key: 'r1:call:1', reason: 'no_consent' });
  t.match(teller.run, {
    status: 'exited',
    exit: { reason: 'completed' },
    variables: { call: { Reason: 'no_consent' } },
  });
  t.equal(teller.count('startConversation'), 1);
});

t.test('an outcome that comes before its wait is heard when the run gets there', async (t) => {
  const teller = new Teller('payment-plan').enter();
  teller.tell(ended('r1:text:1', 'ConversationClosed', { attributes: { Agreed: 'true' } }));
  t.equal(teller.run.stepId, 'callOutcome');
  teller.tell(ended('r1:call:1', 'NoAnswer'), HOUR);
  t.equal(teller.count('createActivity'), 1);
  t.equal(teller.run.exit?.reason, 'completed');
});

t.test(
  '[JRN-19] repeats change nothing: one outcome per conversation, one branch per event',
  async (t) => {
    const teller = new Teller('confirm-delivery').enter();
    const reached = ended('r1:call:1', 'LiveAnswer', { dispositionCodes: ['Call back'] });
    teller.tell(reached, HOUR);
    t.equal(teller.run.stepId, 'twoHours');
    for (const again of [
      reached,
      ended('r1:call:1', 'InvalidAddress'),
      { type: 'conversationBlocked', key: 'r1:call:1', reason: 'x' },
      { type: 'enter' },
      ended('r1:call:9', 'Busy'),
    ]) {
      t.same(teller.tell(again, HOUR), []);
    }
    t.equal(teller.count('recordOutcome'), 1);
  },
);

t.test(
  '[JRN-18] the time-out is at the limit: a timer that comes too soon is set again',
  async (t) => {
    const teller = new Teller('confirm-delivery').enter();
    const due = { type: 'timerDue', timerId: 'r1:callOutcome:1', facts: FACTS };
    t.match(teller.tell(due, 24 * HOUR - 1), [{ type: 'setTimer', dueAtMs: NOW + 24 * HOUR }]);
    t.equal(teller.run.stepId, 'callOutcome');
    teller.tell(due, 24 * HOUR);
    t.match(
      teller.effects.find(
        (effect) => effect.type === 'recordChoice' && effect.stepId === 'callOutcome',
      ),
      { place: '/timeout/next' },
    );
    t.same(teller.tell(due, 24 * HOUR), []);
  },
);

t.test('an outcome after the limit comes too late, even before the timer was told', async (t) => {
  const teller = new Teller('confirm-delivery').enter();
  teller.tell(ended('r1:call:1', 'LiveAnswer'), 24 * HOUR);
  t.equal(teller.effects.filter((effect) => effect.type === 'sendMessage').length, 1);
  t.equal(teller.count('recordOutcome'), 1);
});

t.test(
  '[JRN-40] an exit withdraws what was asked and has not ended; its outcome is still recorded once',
  async (t) => {
    const teller = new Teller('confirm-delivery').enter();
    const left = { type: 'trigger', id: 'e1', trigger: 'deliveryCancelled' };
    const told = teller.tell(left, 30 * HOUR).map(({ type }) => type);
    t.same(told, ['cancelTimer', 'cancelSending', 'recordExit'], 'before anything that is due');
    t.same(teller.tell(left, 30 * HOUR), []);
    t.match(teller.tell(ended('r1:call:1', 'Cancelled'), 31 * HOUR), [
      { type: 'recordOutcome', outcome: 'notAttempted' },
    ]);
    t.same(teller.tell(ended('r1:call:1', 'LiveAnswer'), 32 * HOUR), []);
  },
);

t.test('[JRN-43] the goal is recorded once and ends nothing', async (t) => {
  const teller = new Teller('confirm-delivery').enter();
  const won = (id: string) => ({ type: 'trigger', id, trigger: 'deliveryConfirmed' });
  t.match(teller.tell(won('e1')), [{ type: 'recordGoal' }]);
  t.same(teller.tell(won('e2')), []);
  t.equal(teller.run.status, 'active');
});

t.test(
  '[JRN-21] a branch asks for facts when it is reached, and judges those of that moment',
  async (t) => {
    const teller = new Teller('vip-onboarding').enter();
    teller.tell({ type: 'segmentJoined', id: 'e1', segment: 'activeCustomers' }, HOUR);
    t.match(teller.run, { stepId: 'who', waiting: { kind: 'facts' } });
    t.match(teller.effects.at(-1), {
      type: 'readFacts',
      asked: { attributes: ['yearlySpend', 'city'], segments: ['activeCustomers', 'vip'] },
    });
    teller.tell({ type: 'facts', facts: { ...FACTS, attributes: { yearlySpend: 10 } } }, HOUR);
    t.equal(teller.run.exit?.reason, 'completed');
    t.same(teller.tell({ type: 'facts', facts: { ...FACTS, segments: ['vip'] } }, 2 * HOUR), []);
  },
);

t.test(
  'a trigger before the message does not count for the wait behind it; one in between does',
  async (t) => {
    const journey = exampleJourney('confirm-delivery');
    const steps = [
      { id: 'before', type: 'wait', for: '1d', next: 'mail' },
      {
        id: 'mail',
        type: 'message',
        message: 'deliveryEmail',
        webhook: 'emailProvider',
        next: 'pause',
      },
      { id: 'pause', type: 'wait', for: '1d', next: 'confirmed' },
      {
        id: 'confirmed',
        type: 'waitFor',
        on: [{ trigger: 'deliveryConfirmed', next: 'done' }],
        timeout: { after: '1d', next: 'other' },
      },
      { id: 'other', type: 'activity', activity: 'task', subject: 's', next: 'done' },
      { id: 'done', type: 'exit' },
    ];
    const made = validateJourney({ ...journey, steps }).journey;
    if (made === null) throw new Error('does not validate');
    for (const { confirmedAt, tasks } of [
      { confirmedAt: 2, tasks: 1 },
      { confirmedAt: 30, tasks: 0 },
    ]) {
      const teller = new Teller(made).enter();
      const confirm = (): void =>
        void teller.tell(
          { type: 'trigger', id: 'e1', trigger: 'deliveryConfirmed' },
          confirmedAt * HOUR,
        );
      if (confirmedAt < 24) confirm();
      teller.tell({ type: 'timerDue', timerId: 'r1:before:1' }, 24 * HOUR);
      if (confirmedAt > 24) confirm();
      teller.tell({ type: 'timerDue', timerId: 'r1:pause:1' }, 48 * HOUR);
      teller.tell({ type: 'timerDue', timerId: 'r1:confirmed:1' }, 72 * HOUR);
      t.equal(teller.count('createActivity'), tasks);
      t.equal(teller.run.exit?.reason, 'completed');
    }
  },
);

t.test('one event ends one wait: the next one for the same waits anew', async (t) => {
  const next = (id: string) => [{ trigger: 'deliveryConfirmed', next: id }];
  const steps = [
    {
      id: 'mail',
      type: 'message',
      message: 'deliveryEmail',
      webhook: 'emailProvider',
      next: 'pause',
    },
    { id: 'pause', type: 'wait', for: '1d', next: 'first' },
    { id: 'first', type: 'waitFor', on: next('again'), timeout: { after: '1d', next: 'done' } },
    { id: 'again', type: 'waitFor', on: next('done'), timeout: { after: '1d', next: 'done' } },
    { id: 'done', type: 'exit' },
  ];
  const { journey } = validateJourney({ ...exampleJourney('confirm-delivery'), steps });
  if (journey === null) throw new Error('does not validate');
  const teller = new Teller(journey).enter();
  teller.tell({ type: 'trigger', id: 'e1', trigger: 'deliveryConfirmed' }, HOUR);
  teller.tell({ type: 'timerDue', timerId: 'r1:pause:1' }, 24 * HOUR);
  t.match(teller.run, { stepId: 'again', waiting: { kind: 'events' } });
});

t.test('[JRN-23] of two branches that hold the first is taken', async (t) => {
  const teller = new Teller('confirm-delivery').enter();
  teller.tell(
    ended('r1:call:1', 'LiveAnswer', {
      attributes: { Outcome: 'Reschedule' },
      dispositionCodes: ['Call back'],
    }),
  );
  t.equal(teller.count('createActivity'), 1);
});

t.test('[JRN-57] a stopped run does nothing more', async (t) => {
  const teller = new Teller('confirm-delivery').enter();
  t.same(
    teller.tell({ type: 'stop' }).map(({ type }) => type),
    ['cancelTimer', 'cancelSending', 'recordExit'],
  );
  t.same(teller.tell({ type: 'timerDue', timerId: 'r1:callOutcome:1' }, 25 * HOUR), []);
});

t.test('[JRN-28] shares by chance are even, and a run always falls on the same side', async (t) => {
  const counts = [0, 0, 0];
  for (let index = 0; index < 30_000; index += 1) {
    const place = indexOfShare([50, 30, 20], stableShare(`run-${index}:step`));
    counts[place] = (counts[place] ?? 0) + 1;
  }
  // Four standard deviations of a binomial of 30,000.
  for (const [index, percent] of [50, 30, 20].entries()) {
    const expected = 300 * percent;
    t.ok(
      Math.abs((counts[index] ?? 0) - expected) < 4 * Math.sqrt(expected * (1 - percent / 100)),
      String(counts),
    );
  }
  t.equal(stableShare('x'), stableShare('x'));
});

t.test('a step that the definition does not have ends the run as an error', async (t) => {
  const teller = new Teller('confirm-delivery').enter();
  const run = { ...teller.run, stepId: 'gone' };
  const { run: after } = advance(
    teller.journey,
    run,
    { type: 'timerDue', timerId: 'r1:callOutcome:1' },
    NOW + 25 * HOUR,
  );
  t.match(after.exit, { reason: 'error' });
});

t.test('a diagram has every step and every edge', async (t) => {
  const diagram = journeyDiagram(exampleJourney('confirm-delivery'));
  t.match(diagram, /^flowchart TD\n/);
  t.match(diagram, /s2 -->\|"call attempted"\| s3\n/);
  t.match(diagram, /s6 -\.->\|"at most 1 times"\| s1\n/);
  t.match(diagram, /deliveryCancelled/);
});

/** What a run waits for from outside, as events: each with the time from which it may come. */
class World {
  readonly log: { readonly event: unknown; readonly nowMs: number }[] = [];
  readonly effects: JourneyEffect[] = [];
  readonly #journey: Journey;
  readonly #choices: readonly number[];
  #pending: { readonly event: unknown; readonly fromMs: number }[] = [];
  #made = 0;
  #nowMs = NOW;
  run = newRun({ runId: 'r', journeyId: 'j', version: 1, personId: 'p' });

  constructor(journey: Journey, choices: readonly number[]) {
    this.#journey = journey;
    this.#choices = choices;
  }

  #choice(of: number): number {
    this.#made += 1;
    return (this.#choices[this.#made % this.#choices.length] ?? 0) % of;
  }

  tell(event: unknown): void {
    this.log.push({ event, nowMs: this.#nowMs });
    const told = advance(this.#journey, this.run, event, this.#nowMs);
    // As a store would give it back.
    this.run = JSON.parse(JSON.stringify(told.run)) as JourneyRun;
    this.effects.push(...told.effects);
    for (const effect of told.effects) this.#expect(effect);
  }

  #expect(effect: JourneyEffect): void {
    const expect = (event: object, fromMs = this.#nowMs): void =>
      void this.#pending.push({ event, fromMs });
    const facts = {
      attributes: { score: this.#choice(6) },
      segments: this.#choice(2) === 0 ? ['members'] : [],
      variants: {},
    };
    if (effect.type === 'setTimer')
      expect({ type: 'timerDue', timerId: effect.timerId }, effect.dueAtMs);
    if (effect.type === 'readFacts') expect({ type: 'facts', facts });
    if (effect.type === 'takeNumber')
      expect({ type: 'numberTaken', key: effect.key, number: 1 + this.#choice(6) });
    if (effect.type === 'startConversation') {
      const { key } = effect;
      const result =
        effect.channel === 'voice'
          ? RESULTS[this.#choice(RESULTS.length)]
          : SMS_RESULTS[this.#choice(SMS_RESULTS.length)];
      const attributes = { Outcome: ['a', 'b', '__proto__'][this.#choice(3)] };
      expect(
        this.#choice(5) === 0
          ? { type: 'conversationBlocked', key, reason: 'no_consent' }
          : { type: 'conversationResult', key, result, attributes, attempts: 1 },
        this.#nowMs + this.#choice(48) * HOUR,
      );
    }
    if (effect.type === 'sendMessage') {
      const outcome = (['sent', 'notSent', 'blocked'] as const)[this.#choice(3)];
      expect({ type: 'messageResult', key: effect.key, outcome });
    }
  }

  /** Until nothing is awaited: in any order, with repeats, with what nobody asked for. */
  play(junk: readonly unknown[]): void {
    this.tell({ type: 'enter' });
    for (let turn = 0; this.#pending.length > 0; turn += 1) {
      if (turn > 20_000) throw new Error('the run does not end');
      const due = this.#pending.filter(({ fromMs }) => fromMs <= this.#nowMs);
      if (due.length === 0) this.#nowMs = Math.min(...this.#pending.map(({ fromMs }) => fromMs));
      const ready = this.#pending.filter(({ fromMs }) => fromMs <= this.#nowMs);
      const next = ready[this.#choice(ready.length)];
      if (next === undefined) continue;
      if (this.#choice(4) > 0) this.#pending = this.#pending.filter((item) => item !== next);
      this.tell(next.event);
      const stray = junk[this.#choice(junk.length + 6)];
      if (stray !== undefined) this.tell(stray);
    }
  }
}

const stray = fc.oneof(
  fc.jsonValue(),
  fc.record({
    type: fc.constantFrom(
      'trigger',
      'segmentJoined',
      'facts',
      'timerDue',
      'conversationResult',
      'stop?',
      'numberTaken',
    ),
    id: fc.jsonValue(),
    key: fc.jsonValue(),
    trigger: fc.jsonValue(),
    facts: fc.jsonValue(),
    result: fc.constantFrom(...RESULTS),
  }),
  fc.record({
    type: fc.constant('trigger'),
    id: fc.string(),
    trigger: fc.constantFrom('clicked', 'won', 'raised'),
    attributes: fc.jsonValue(),
  }),
  fc.record({
    type: fc.constant('segmentJoined'),
    id: fc.string(),
    segment: fc.constant('members'),
  }),
);
const choices = fc.array(fc.nat(10_000), { minLength: 40, maxLength: 120 });

t.test(
  'every journey that validates reaches an exit, each branch step takes one branch, merges run once, each conversation has one outcome, and the same events give the same run',
  async (t) => {
    let exits = 0;
    const law = fc.property(
      anyJourney,
      choices,
      fc.array(stray, { maxLength: 8 }),
      (journey, chosen, junk) => {
        const world = new World(journey, chosen);
        world.play(junk);
        const { run, effects } = world;
        if (run.status !== 'exited' || run.exit?.reason === 'error')
          throw new Error(`ended as ${JSON.stringify(run)}`);
        exits += 1;
        const of = <T extends JourneyEffect['type']>(type: T) =>
          effects.filter(
            (effect): effect is Extract<JourneyEffect, { type: T }> => effect.type === type,
          );
        const unique = (keys: readonly string[]): boolean => new Set(keys).size === keys.length;
        const visitOf = ({ stepId, visit }: { stepId: string; visit: number }): string =>
          `${stepId} ${visit}`;
        if (of('recordExit').length !== 1 || of('recordEntry').length !== 1)
          throw new Error('exits or enters twice');
        if (!unique(of('recordStep').map(visitOf))) throw new Error('a visit is told twice');
        if (!unique(of('recordChoice').map(visitOf))) throw new Error('two branches of one step');
        const repeats = journey.steps.reduce(
          (sum, step) => sum + (step.type === 'repeat' ? step.timesMax : 0),
          0,
        );
        if (Object.values(run.visits).some((visits) => visits > 1 + repeats))
          throw new Error('a merge ran twice');
        const asked = [...of('startConversation'), ...of('sendMessage')]
          .map(({ key }) => key)
          .sort();
        const outcomes = of('recordOutcome')
          .map(({ key }) => key)
          .sort();
        if (JSON.stringify(asked) !== JSON.stringify(outcomes))
          throw new Error(`asked ${asked.join()}, got ${outcomes.join()}`);
        let again = newRun({ runId: 'r', journeyId: 'j', version: 1, personId: 'p' });
        const repeated: JourneyEffect[] = [];
        for (const { event, nowMs } of world.log) {
          const told = advance(journey, again, event, nowMs);
          again = told.run;
          repeated.push(...told.effects);
        }
        if (JSON.stringify([again, repeated]) !== JSON.stringify([run, effects]))
          throw new Error('another run from the same events');
      },
    );
    fc.assert(law, { numRuns: 400 });
    t.equal(exits, 400);
  },
);
