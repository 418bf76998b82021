/** Goal: the pacer's parts say what they claim, and its decisions keep the laws of pacing. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { AbandonmentBudget } from '../../dialer/pacing/abandonment-budget.ts';
import {
  AbandonmentWindow,
  type AbandonmentLimit,
  type WindowPeriod,
} from '../../dialer/pacing/abandonment-window.ts';
import { AnswerHazard, answerTable } from '../../dialer/pacing/answer-hazard.ts';
import { answerPrior } from '../../dialer/pacing/answer-prior.ts';
import { AnswerEstimate } from '../../dialer/pacing/answer-estimate.ts';
import { BlockingRisk, type EventGroup } from '../../dialer/pacing/blocking-risk.ts';
import { DurationSurvival } from '../../dialer/pacing/duration-survival.ts';
import { expectedExcess, normalCdf } from '../../dialer/pacing/normal-distribution.ts';
import { PacerCore } from '../../dialer/pacing/pacer-core.ts';
import type { PacerConfig } from '../../dialer/pacing/pacer-config.ts';
import {
  PacingSpan,
  SPAN_MAX_MS,
  SPAN_MIN_MS,
  type ClosedSpan,
} from '../../dialer/pacing-log/pacing-span.ts';
import type { PacerDecision, PredictiveExplanation } from '../../dialer/pacing/pacer-events.ts';
import { addEvent, noneYet, probabilityAhead } from '../../dialer/pacing/poisson-binomial.ts';
import { predictiveStarts } from '../../dialer/pacing/predictive-starts.ts';
import { SeededRandom } from '../../simulator/seeded-random.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const UNKNOWING: PacerConfig = {
  mode: 'predictive',
  repLed: true,
  abandonmentRatioMax: 0.03,
  patienceMs: 2_000,
  ringTimeoutMs: 22_000,
};
const PREDICTIVE: PacerConfig = { ...UNKNOWING, believed: { answerProbability: 0.25 } };
const PROGRESSIVE: PacerConfig = { ...PREDICTIVE, mode: 'progressive' };

function ready(pacer: PacerCore, count: number, atMs = 0): void {
  for (let i = 0; i < count; i += 1) pacer.note(atMs, { event: 'rep.ready', rep: `r${i}` });
}

function start(pacer: PacerCore, count: number, atMs = 0, from = 0): void {
  for (let i = from; i < from + count; i += 1) {
    pacer.note(atMs, { event: 'attempt.started', attempt: `a${i}` });
  }
}

t.test('the normal distribution agrees with printed tables', async (t) => {
  for (const [z, p] of [
    [0, 0.5],
    [1.2816, 0.9],
    [-1.6449, 0.05],
    [3, 0.99865],
  ] as const) {
    t.ok(Math.abs(normalCdf(z) - p) < 1e-4, `P(Z <= ${z})`);
  }
  t.ok(Math.abs(expectedExcess(0, 1) - 0.39894) < 1e-4);
  t.equal(expectedExcess(2, 0), 2);
});

t.test('counts of events are exact, and add up below a cap', async () => {
  const probabilities = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 });
  fc.assert(
    fc.property(probabilities, probabilities, fc.integer({ min: -4, max: 9 }), (as, fs, least) => {
      const distributionOf = (qs: readonly number[], cap: number) => {
        const counts = noneYet(cap);
        for (const q of qs) addEvent(counts, q);
        return counts;
      };
      // Every subset of answers and of frees, one by one.
      let exact = 0;
      for (let set = 0; set < 2 ** (as.length + fs.length); set += 1) {
        let probability = 1;
        let ahead = 0;
        [...as, ...fs].forEach((q, i) => {
          const happens = Math.floor(set / 2 ** i) % 2 === 1;
          probability *= happens ? q : 1 - q;
          if (happens) ahead += i < as.length ? 1 : -1;
        });
        if (ahead >= least) exact += probability;
      }
      const cap = Math.max(0, least + fs.length);
      const found = probabilityAhead(distributionOf(as, cap), distributionOf(fs, fs.length), least);
      return Math.abs(found - exact) < 1e-9;
    }),
    { numRuns: 60 },
  );
});

t.test(
  'how long talks last is learnt from a wrong belief, unfinished talks included',
  async (t) => {
    const random = new SeededRandom(1, 'talks');
    const curve = new DurationSurvival({
      prior: { meanMs: 600_000, cv: 0.5 },
      priorWeight: 20,
      memoryCount: 1_000,
    });
    // Two humps, 20 s and 300 s; every talk is cut off at 200 s, so that long ones are only exposure.
    for (let i = 0; i < 2_000; i += 1) {
      const mean = random.uniform() < 0.6 ? 20_000 : 300_000;
      const lastsMs = random.logNormal(mean, 0.3);
      curve.exposed(0, Math.min(lastsMs, 200_000));
      if (lastsMs < 200_000) curve.ended(lastsMs);
    }
    t.ok(Math.abs(curve.endsWithin(0, 60_000) - 0.6) < 0.05, 'the first hump');
    t.ok(curve.endsWithin(60_000, 60_000) < 0.05, 'the gap');
    t.ok(curve.endsWithin(30_000, 20_000) < curve.endsWithin(10_000, 20_000), 'not memoryless');
    t.ok(curve.meanMs() > 60_000);
  },
);

t.test(
  'answers are expected when they came, and calls still ringing are no refusals',
  async (t) => {
    const options = { priorWeight: 50, ringTimeoutMs: 22_000, memoryCount: 5_000 };
    const prior = { answerProbability: 0.5, meanMs: 5_000, cv: 0.3 };
    const hazard = new AnswerHazard({ prior, ...options });
    const random = new SeededRandom(2, 'rings');
    for (let i = 0; i < 4_000; i += 1) {
      const answersAtMs = random.uniform() < 0.3 ? random.logNormal(12_000, 0.2) : Infinity;
      // A third is cancelled at 11 s: censored, neither answered nor refused.
      const endsAtMs = Math.min(answersAtMs, i % 3 === 0 ? 11_000 : 22_000);
      for (let bin = 0; bin < 22; bin += 1) {
        const seconds = Math.min(endsAtMs / 1_000 - bin, 1);
        if (seconds > 0) hazard.exposed(bin, seconds);
      }
      if (endsAtMs === answersAtMs) hazard.answered(Math.floor(endsAtMs / 1_000));
    }
    const table = answerTable(hazard, 1, 22);
    const within = (age: number, k: number): number => table.within[age * 23 + k] ?? Number.NaN;
    t.ok(Math.abs(within(0, 22) - 0.3) < 0.03, `all in all: ${within(0, 22)}`);
    t.ok(within(0, 6) < 0.03, 'hardly any in the first seconds');
    t.ok(within(9, 5) > within(0, 5), 'most in the middle');
    t.ok(within(16, 6) < 0.1, 'hardly any at the end');
  },
);

t.test(
  'a jump of the answer rate raises an alarm within a minute, a steady rate none',
  async (t) => {
    const alarmAfter = (rate: (second: number) => number, seed: number): number | undefined => {
      const estimate = new AnswerEstimate(PREDICTIVE);
      const random = new SeededRandom(seed, 'rings');
      let calls: { startMs: number; answerMs: number }[] = [];
      for (let atMs = 0; atMs < 1_500_000; atMs += 500) {
        const still: typeof calls = [];
        for (const call of calls) {
          estimate.exposed(Math.max(0, atMs - 500 - call.startMs), atMs - call.startMs);
          if (atMs >= call.answerMs) estimate.answered(atMs, atMs - call.startMs);
          else if (atMs - call.startMs >= 22_000) estimate.failed(22_000);
          else still.push(call);
        }
        calls = still;
        // Four calls a second: what 200 representatives take.
        for (let i = 0; i < 2; i += 1) {
          const answers = random.uniform() < rate(atMs / 1_000);
          const ringMs = random.logNormal(11_000, 0.45);
          calls.push({ startMs: atMs, answerMs: answers ? atMs + ringMs : Infinity });
        }
        estimate.advance(atMs);
        if (atMs > 1_200_000 && estimate.isAlarmed(atMs)) return atMs / 1_000 - 1_200;
      }
      return undefined;
    };
    for (const seed of [1, 2, 3]) {
      const delay = alarmAfter((second) => (second < 1_200 ? 0.25 : 0.4), seed);
      t.ok(delay !== undefined && delay <= 60, `seed ${seed}: ${String(delay)} s`);
    }
    t.equal(
      alarmAfter(() => 0.25, 4),
      undefined,
    );
  },
);

t.test('a belief draws on what is alike, the more the more is known', async (t) => {
  const tenant = { calls: 10_000, answers: 2_000 };
  t.ok(Math.abs(answerPrior([tenant]).probability - 0.2) < 0.001);
  const few = answerPrior([tenant, { calls: 10, answers: 9 }]);
  const many = answerPrior([tenant, { calls: 1_000, answers: 900 }]);
  t.ok(few.probability > 0.2 && few.probability < 0.4);
  t.ok(many.probability > 0.85);
  t.equal(few.weightCalls, 10);
  t.equal(many.weightCalls, 50);
  t.equal(answerPrior([]).probability, 0.3);
});

t.test('legal windows count what their law counts, since when it counts', async (t) => {
  const limit = (period: WindowPeriod, rest: Partial<AbandonmentLimit> = {}): AbandonmentLimit => ({
    name: 'law',
    period,
    ratioMax: 0.03,
    numerator: ['noRepresentative', 'amdFalsePositive'],
    denominator: 'liveAnswers',
    ...rest,
  });
  const lost = { connected: 0, noRepresentative: 1, amdFalsePositive: 0 };
  const taken = { connected: 1, noRepresentative: 0, amdFalsePositive: 0 };
  const wronged = { connected: 0, noRepresentative: 0, amdFalsePositive: 0.5 };

  const tumbling = new AbandonmentWindow(
    limit({ kind: 'tumbling', lengthMs: 30 * DAY_MS, startAtMs: 5 * DAY_MS }),
  );
  tumbling.note(6 * DAY_MS, lost);
  tumbling.note(34 * DAY_MS, wronged);
  t.same(tumbling.at(34 * DAY_MS), { live: 1.5, abandoned: 1.5 });
  t.same(tumbling.at(35 * DAY_MS), { live: 0, abandoned: 0 }, 'nothing rolls over');

  const rolling = new AbandonmentWindow(limit({ kind: 'rolling', lengthMs: DAY_MS }));
  rolling.note(0, lost);
  rolling.note(23 * HOUR_MS, taken);
  t.same(rolling.at(24 * HOUR_MS - 1), { live: 2, abandoned: 1 });
  t.same(rolling.at(24.2 * HOUR_MS), { live: 1, abandoned: 0 });

  const calendar = new AbandonmentWindow(
    limit(
      { kind: 'calendar', startsAtMs: [0, 31 * DAY_MS] },
      { numerator: ['noRepresentative'], denominator: 'connected' },
    ),
  );
  calendar.note(30 * DAY_MS, lost);
  calendar.note(30 * DAY_MS, wronged);
  calendar.note(30 * DAY_MS, taken);
  t.same(calendar.at(30 * DAY_MS), { live: 1, abandoned: 1 });
  t.same(calendar.at(31 * DAY_MS), { live: 0, abandoned: 0 });
});

t.test('the strictest window decides, and what was overspent is earned back', async (t) => {
  const shared = { numerator: ['noRepresentative'], denominator: 'liveAnswers' } as const;
  const budget = new AbandonmentBudget({
    limits: [
      { name: 'month', period: { kind: 'calendar', startsAtMs: [] }, ratioMax: 0.05, ...shared },
      { name: 'day', period: { kind: 'rolling', lengthMs: DAY_MS }, ratioMax: 0.03, ...shared },
    ],
    setPointShare: 0.9,
    recoveryAnswers: 100,
    trimPerCall: 0.2,
    creditMax: 4,
    debtMax: 8,
  });
  t.match(budget.at(0), { ratio: 0.027, window: 'day', trim: 1 });
  const note = (connected: number, noRepresentative: number): void =>
    budget.note(0, { connected, noRepresentative, amdFalsePositive: 0 });
  note(94, 6);
  t.equal(budget.at(0).ratio, 0);
  t.ok(budget.at(0).trim < 0.6);
  t.equal(budget.exhausted(0, 0.5, 10), 'day');
  note(400, 0);
  t.ok(budget.at(0).ratio > 0.02);
  t.equal(budget.exhausted(0, 0.5, 10), undefined);
  note(10_000, 0);
  t.ok(budget.at(0).trim < Math.exp(0.2 * 4) + 0.01, 'a quiet morning buys no reckless noon');
});

t.test('[DM-17] progressive: three representatives, three calls', async (t) => {
  const pacer = new PacerCore(PROGRESSIVE);
  ready(pacer, 3);
  t.match(pacer.tick(0), { start: 3, binding: 'representatives' });
  t.equal(pacer.tick(100).start, 0, 'ordered calls count before they are reported');
  start(pacer, 3, 200);
  t.equal(pacer.tick(5_000).start, 0);
  pacer.note(6_000, { event: 'attempt.ended', attempt: 'a0', result: 'NoAnswer' });
  t.equal(pacer.tick(6_000).start, 1, 'the same representative has the next call');
  pacer.note(6_000, { event: 'attempt.started', attempt: 'a3' });
  pacer.note(7_000, { event: 'attempt.answered', attempt: 'a1' });
  pacer.note(7_000, { event: 'attempt.connected', attempt: 'a1', rep: 'r1' });
  t.equal(pacer.tick(8_000).start, 0, 'who talks has no other call');
  pacer.note(9_000, { event: 'rep.gone', rep: 'r2' });
  t.equal(pacer.tick(9_000).start, 0);
});

t.test(
  '[DM-18] progressive with AI agent: 1 to 5 calls per available representative',
  async (t) => {
    for (const callsPerRepMax of [1, 2, 5]) {
      const pacer = new PacerCore({ ...PROGRESSIVE, repLed: false, callsPerRepMax });
      ready(pacer, 3);
      t.equal(pacer.tick(0).start, 3 * callsPerRepMax);
    }
    for (const callsPerRepMax of [0, 6, 1.5]) {
      t.throws(() => new PacerCore({ ...PROGRESSIVE, repLed: false, callsPerRepMax }));
    }
    const repLed = new PacerCore({ ...PROGRESSIVE, callsPerRepMax: 5 });
    ready(repLed, 3);
    t.equal(repLed.tick(0).start, 3, 'reserved representatives have one call each');
  },
);

t.test('[DM-22] predictive: more calls than representatives, within the cap', async (t) => {
  const config = { ...PREDICTIVE, believed: { answerProbability: 0.33 } };
  const pacer = new PacerCore(config);
  ready(pacer, 30);
  const { start: starts } = pacer.tick(0);
  t.ok(starts > 45 && starts < 120, `${starts} calls for 30 representatives`);
  const capped = new PacerCore({ ...config, inFlightMax: 40 });
  ready(capped, 30);
  t.match(capped.tick(0), { start: 40, binding: 'inFlightMax' });
  const slow = new PacerCore({ ...config, startsPerTickMax: 7 });
  ready(slow, 30);
  t.match(slow.tick(0), { start: 7, binding: 'startsPerTickMax' });
});

t.test('[DM-23] every decision carries what it was made of', async (t) => {
  const pacer = new PacerCore(PREDICTIVE);
  ready(pacer, 12);
  start(pacer, 10);
  pacer.note(11_000, { event: 'attempt.connected', attempt: 'a0', rep: 'r0' });
  const { binding, explanation } = pacer.tick(12_000);
  t.equal(binding, 'risk');
  t.match(explanation, { mode: 'predictive', idle: 11, busy: 1, ringing: 9, waiting: 0 });
  t.match(explanation, { window: '30 days', alarm: false });
  for (const value of Object.values(explanation)) {
    if (typeof value === 'number') t.ok(Number.isFinite(value));
  }
});

/** A pool as the decision sees it. */
const pools = fc.record({
  idle: fc.integer({ min: 0, max: 12 }),
  waiting: fc.integer({ min: 0, max: 3 }),
  ringing: fc.array(fc.double({ min: 0.01, max: 0.6, noNaN: true }), { maxLength: 30 }),
  busy: fc.array(fc.double({ min: 0.01, max: 0.5, noNaN: true }), { maxLength: 10 }),
  p: fc.double({ min: 0.05, max: 0.9, noNaN: true }),
  riskMax: fc.double({ min: 0.01, max: 0.4, noNaN: true }),
  /** Beside the pool: so many more busy ones make it a large one, which is not computed exactly. */
  large: fc.boolean(),
});
type Pool = typeof pools extends fc.Arbitrary<infer P> ? P : never;

const HORIZON_S = 20;

function startsFor({ idle, waiting, ringing, busy, p, riskMax, large }: Pool): number {
  const rising = (total: number): EventGroup => ({
    count: 1,
    within: Float64Array.from({ length: HORIZON_S + 1 }, (_, k) => (total * k) / HORIZON_S),
    offset: 0,
  });
  const crowd = { ...rising(0.1), count: 60 };
  const risk = new BlockingRisk({
    horizonS: HORIZON_S,
    spare: idle - waiting,
    ringing: ringing.map(rising),
    busy: [...busy.map(rising), ...(large ? [crowd] : [])],
    fresh: rising(p),
    answersCv: large ? 0.1 : 0,
  });
  const limits = { idle, inFlight: ringing.length + waiting, riskMax, startsMax: 400 };
  return predictiveStarts(risk, { ...limits, inFlightMax: 400, exhausted: () => false }).start;
}

t.test('[DM-23] representatives, answer rate, ringing and risk each move the target', async () => {
  fc.assert(
    fc.property(pools, fc.double({ min: 0.01, max: 0.6, noNaN: true }), (pool, other) => {
      const base = startsFor(pool);
      const moreIdle = startsFor({ ...pool, idle: pool.idle + 1 });
      const moreAnswers = startsFor({ ...pool, p: Math.min(0.95, pool.p * 1.2) });
      const moreRinging = startsFor({ ...pool, ringing: [...pool.ringing, other] });
      const moreBudget = startsFor({ ...pool, riskMax: pool.riskMax * 1.2 });
      return moreIdle >= base && moreAnswers <= base && moreRinging <= base && moreBudget >= base;
    }),
    { numRuns: 150 },
  );
});

/** What may come over a pacer's pipe, in any order: also late, repeated and about nobody. */
const someEvent = fc.tuple(
  fc.constantFrom(
    'rep.ready',
    'rep.ready',
    'rep.busy',
    'rep.wrapUp',
    'rep.gone',
    'attempt.alerting',
    'attempt.detecting',
    'attempt.answered',
    'attempt.escalated',
    'attempt.connected',
    'attempt.abandoned',
    'attempt.ended',
    'tick',
    'tick',
  ),
  fc.integer({ min: 0, max: 9 }),
  fc.integer({ min: 0, max: 30 }),
  fc.integer({ min: 0, max: 4_000 }),
);
const histories = fc.array(someEvent, { minLength: 5, maxLength: 120 });

interface Played {
  readonly decisions: readonly string[];
  readonly inFlightMost: number;
  /** Most calls in flight beyond the representatives who were idle, right after a start. */
  readonly overDialled: number;
}

/** Plays a history; every ordered call is started. Counts by itself what is in flight and idle. */
function play(
  config: PacerConfig,
  history: typeof histories extends fc.Arbitrary<infer H> ? H : never,
): Played {
  const pacer = new PacerCore(config);
  const inFlight = new Set<string>();
  const connected = new Set<string>();
  const idle = new Set<string>();
  const decisions: string[] = [];
  let atMs = 0;
  let calls = 0;
  let inFlightMost = 0;
  let overDialled = 0;
  for (const [event, rep, back, afterMs] of history) {
    atMs += afterMs;
    if (event === 'tick') {
      const decision = pacer.tick(atMs);
      decisions.push(JSON.stringify(decision));
      for (let i = 0; i < decision.start; i += 1) {
        calls += 1;
        inFlight.add(`a${calls}`);
        pacer.note(atMs, { event: 'attempt.started', attempt: `a${calls}` });
      }
      inFlightMost = Math.max(inFlightMost, inFlight.size);
      if (decision.start > 0) overDialled = Math.max(overDialled, inFlight.size - idle.size);
      continue;
    }
    const name = { rep: `r${rep}`, attempt: `a${calls - back}` };
    pacer.note(atMs, { event, ...name });
    if (event === 'rep.ready') idle.add(name.rep);
    else if (event.startsWith('rep.') || event === 'attempt.connected') idle.delete(name.rep);
    if (event === 'attempt.connected' && inFlight.delete(name.attempt)) connected.add(name.attempt);
    if (event === 'attempt.abandoned' || event === 'attempt.ended') inFlight.delete(name.attempt);
  }
  return { decisions, inFlightMost, overDialled };
}

t.test('[DM-22] whatever happens, the cap on calls in flight is never passed', async () => {
  const modes = fc.constantFrom<PacerConfig>(PREDICTIVE, PROGRESSIVE, {
    ...PREDICTIVE,
    repLed: false,
  });
  fc.assert(
    fc.property(modes, fc.integer({ min: 0, max: 20 }), histories, (mode, inFlightMax, history) => {
      return play({ ...mode, inFlightMax }, history).inFlightMost <= inFlightMax;
    }),
    { numRuns: 80 },
  );
});

t.test('[DM-24] with representatives reserved, progressive never dials without one', async () => {
  const never = fc.property(histories, (history) => play(PROGRESSIVE, history).overDialled <= 0);
  fc.assert(never, { numRuns: 80 });
});

t.test('[DM-24] a budget of nothing never over-dials, predictive or not', async () => {
  const config = { ...PREDICTIVE, abandonmentRatioMax: 0 };
  const never = fc.property(histories, (history) => play(config, history).overDialled <= 0);
  fc.assert(never, { numRuns: 80 });
});

t.test('the same events at the same times give the same decisions', async () => {
  const modes = fc.constantFrom<PacerConfig>(PREDICTIVE, { ...PREDICTIVE, repLed: false });
  const same = fc.property(modes, histories, (mode, history) => {
    return play(mode, history).decisions.join() === play(mode, history).decisions.join();
  });
  fc.assert(same, { numRuns: 40 });
});

t.test('a pacer that starts anew knows what its windows have spent', async (t) => {
  const startsWith = (abandoned: number): number => {
    const spent = { connected: 400 - abandoned, noRepresentative: abandoned, amdFalsePositive: 0 };
    const pacer = new PacerCore({ ...PREDICTIVE, past: [{ atMs: 0, ...spent }] });
    ready(pacer, 20, 1_000);
    return pacer.tick(1_000).start;
  };
  t.equal(startsWith(40), 20, 'spent: a call for each representative and no more');
  t.ok(startsWith(8) > 25);
});

t.test('other limits count what has been spent already, and what was learnt stays', async (t) => {
  const limit = (name: string, period: WindowPeriod, ratioMax: number): AbandonmentLimit => ({
    ...{ name, period, ratioMax, denominator: 'liveAnswers' },
    numerator: ['noRepresentative', 'amdFalsePositive'],
  });
  const days = limit('days', { kind: 'tumbling', lengthMs: 30 * DAY_MS, startAtMs: 0 }, 0.03);
  const config = { ...PREDICTIVE, limits: [days] };
  const pacer = new PacerCore(config);
  ready(pacer, 20);
  for (let n = 0; n < 400; n += 1) {
    const [atMs, attempt] = [n * 30_000, `a${n}`];
    pacer.note(atMs, { event: 'attempt.started', attempt });
    // Answered at once, by one in two: twice what was believed.
    if (n % 2 === 0) {
      pacer.note(atMs + 4_000, { event: 'attempt.ended', attempt });
      continue;
    }
    pacer.note(atMs + 4_000, { event: 'attempt.answered', attempt });
    if (n % 20 === 1) pacer.note(atMs + 6_000, { event: 'attempt.abandoned', attempt });
    else pacer.note(atMs + 4_100, { event: 'attempt.connected', attempt, rep: 'r0' });
    pacer.note(atMs + 20_000, { event: 'attempt.ended', attempt });
    pacer.tick(atMs + 21_000);
  }
  const atMs = 400 * 30_000;
  t.same(pacer.windows(atMs), [{ window: 'days', live: 200, abandoned: 20, ratioMax: 0.03 }]);
  const before = pacer.tick(atMs).explanation as PredictiveExplanation;
  t.ok(before.answerProbability > 0.4, `${before.answerProbability}`);
  const rolling = limit('day', { kind: 'rolling', lengthMs: DAY_MS }, 0.05);
  const past = limit('month', { kind: 'calendar', startsAtMs: [-DAY_MS, atMs / 2] }, 0.05);
  pacer.reconfigure({
    ...config,
    limits: [rolling, past],
    ringTimeoutMs: 40_000,
    patienceMs: 6_000,
  });
  t.match(pacer.windows(atMs), [
    { window: 'day', live: 200, abandoned: 20 },
    { window: 'month', live: 100, abandoned: 10 },
  ]);
  const { explanation } = pacer.tick(atMs + 1_000) as { explanation: PredictiveExplanation };
  // 88 % of 5 % of the 200 seen and the 400 to come, less the 20 that are lost.
  t.ok(Math.abs(explanation.ratioAimedAt - 6.4 / 400) < 1e-9, `${explanation.ratioAimedAt}`);
  t.equal(explanation.window, 'day');
  const learnt = explanation.answerProbability / before.answerProbability;
  t.ok(
    learnt > 0.9 && learnt < 1.25,
    `${before.answerProbability}, ${explanation.answerProbability}`,
  );
  pacer.reconfigure({ ...config, ringTimeoutMs: 15_000 });
  t.ok((pacer.tick(atMs + 2_000).explanation as PredictiveExplanation).answerProbability > 0.35);
  t.throws(() => pacer.reconfigure({ ...config, mode: 'progressive' }), /another pacer/);
});

t.test('nothing believed: progressive until people have answered', async (t) => {
  const pacer = new PacerCore(UNKNOWING);
  ready(pacer, 20);
  t.match(pacer.tick(0), { start: 20, binding: 'warmUp' });
});

t.test('calls that have rung long enough are taken back when nobody will be free', async (t) => {
  const cancelledAt = (atMs: number, config: PacerConfig): readonly string[] => {
    const pacer = new PacerCore(config);
    ready(pacer, 2);
    start(pacer, 6);
    for (let i = 0; i < 6; i += 1) {
      // Two of them alert late: their ringing has not been long enough.
      pacer.note(i < 4 ? 500 : 6_000, { event: 'attempt.alerting', attempt: `a${i}` });
    }
    pacer.note(9_000, { event: 'attempt.connected', attempt: 'a0', rep: 'r0' });
    pacer.note(9_000, { event: 'attempt.connected', attempt: 'a1', rep: 'r1' });
    return pacer.tick(atMs).cancel;
  };
  t.same(cancelledAt(15_400, PREDICTIVE), [], '14.9 s of ringing are too few');
  t.same(cancelledAt(15_600, PREDICTIVE), ['a2', 'a3']);
  t.same(cancelledAt(15_600, { ...PREDICTIVE, ringMinMs: 18_000 }), []);
  t.same(cancelledAt(15_600, { ...PREDICTIVE, cancelRinging: false }), []);
});

t.test(
  'with an AI agent, demand comes when it asks, and idle representatives may be lost',
  async (t) => {
    const config = { ...PREDICTIVE, repLed: false };
    const asks = { ...config, believed: { answerProbability: 0.25, escalationProbability: 0.3 } };
    const startsOf = (one: PacerConfig, prepare: (pacer: PacerCore) => void): number => {
      const pacer = new PacerCore(one);
      ready(pacer, 15);
      prepare(pacer);
      return pacer.tick(60_000).start;
    };
    const nothing = (): void => undefined;
    t.ok(startsOf(asks, nothing) > 2 * startsOf(config, nothing), 'few ask: many more calls');
    const lost = (pacer: PacerCore): void => {
      for (let round = 0; round < 15; round += 1) {
        pacer.note(1_000 * round, { event: 'rep.busy', rep: `r${round}` });
        pacer.note(1_000 * round + 500, { event: 'rep.ready', rep: `r${round}` });
      }
    };
    t.ok(startsOf(config, lost) < startsOf(config, nothing), 'others take them: fewer calls');
    t.equal(startsOf(PREDICTIVE, lost), startsOf(PREDICTIVE, nothing), 'reserved ones stay');
    const ours = (tellsBusyFirst: boolean) => (pacer: PacerCore) => {
      for (let call = 0; call < 15; call += 1) {
        const names = { attempt: `a${call}`, rep: 'r0' };
        pacer.note(call, { event: 'attempt.started', attempt: names.attempt });
        if (tellsBusyFirst) pacer.note(call, { event: 'rep.busy', rep: 'r0' });
        pacer.note(call, { event: 'attempt.connected', ...names });
        pacer.note(call, { event: 'attempt.ended', attempt: names.attempt });
        pacer.note(call, { event: 'rep.ready', rep: 'r0' });
      }
    };
    t.equal(
      startsOf(config, ours(true)),
      startsOf(config, ours(false)),
      'our own calls take nobody',
    );
  },
);

t.test('limits that alternate at every decision are no flood of rows', async () => {
  const bindings = fc.constantFrom<PacerDecision['binding']>('risk', 'budget', 'representatives');
  const decisions = fc.array(fc.tuple(bindings, fc.integer({ min: 50, max: 3_000 })), {
    minLength: 1,
    maxLength: 400,
  });
  fc.assert(
    fc.property(decisions, (all) => {
      const closed: ClosedSpan[] = [];
      let span = new PacingSpan('e', 0);
      let atMs = 0;
      for (const [binding, afterMs] of all) {
        if (span.isPaced && span.isOver(atMs, binding)) {
          closed.push(span.closed());
          span = new PacingSpan('e', atMs);
        }
        const explanation = { mode: 'predictive', idle: 1 / 3, busy: 0, wrappingUp: 0 };
        const inputs = { ...explanation, ringing: 0, waiting: 0 };
        span.decided(atMs, { start: 2, cancel: [], binding, explanation: inputs });
        atMs += afterMs;
      }
      closed.push(span.closed());
      assert.ok(closed.length <= atMs / SPAN_MIN_MS + 1, `${closed.length} rows of ${atMs} ms`);
      const sum = (of: (one: ClosedSpan) => number): number =>
        closed.reduce((total, one) => total + of(one), 0);
      assert.equal(
        sum((one) => one.decisions),
        all.length,
      );
      assert.equal(
        sum((one) => one.wanted),
        2 * all.length,
      );
      for (const { limits, binding, inputs, fromMs, untilMs } of closed) {
        assert.equal(limits[binding], Math.max(...Object.values(limits)));
        assert.equal(inputs?.['idle'], 0.3333);
        assert.ok(untilMs - fromMs <= SPAN_MAX_MS);
      }
    }),
  );
});
