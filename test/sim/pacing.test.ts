/** Goal: in worlds that the pacers know nothing of, people are kept from being abandoned. */
import { PassThrough } from 'node:stream';
import { createInterface } from 'node:readline';
import t from 'tap';
import { runProgram } from '../../cli/program.ts';
import { runPacer } from '../../cli/pacer.command.ts';
import { readScenario, scenarioOf } from '../../simulator/read-scenario.ts';
import type { Scenario } from '../../simulator/scenario.schema.ts';
import type { SimulatedPacer } from '../../simulator/simulated-pacer.ts';
import { pacerConfigOf } from '../../simulator/simulated-pacer.ts';
import { PacerCore } from '../../dialer/pacing/pacer-core.ts';
import { simulate } from '../../simulator/simulated-world.ts';
import type { SimulationResult } from '../../simulator/world-report.ts';
import { CapturedTerminal } from '../support/captured-terminal.ts';

/** Fractions of an hour: enough to see a rule broken, not to tell one per cent from another. */
function world(name: string, changes: Partial<Scenario>): Scenario {
  return { ...readScenario(name), ...changes };
}

function pooledRatio(runs: readonly SimulationResult[]): number {
  const live = runs.reduce((sum, run) => sum + run.liveAnswers, 0);
  return runs.reduce((sum, run) => sum + run.abandoned, 0) / live;
}

t.test('[DM-22] predictive keeps people busy, and the abandoned within the limit', async (t) => {
  const scenario = world('reference-50', { hours: 0.8 });
  const predictive = [1].map((seed) => simulate(scenario, { seed }));
  const progressive = simulate({ ...scenario, mode: 'progressive' }, { seed: 1 });
  t.equal(progressive.abandoned, 0, 'progressive with reserved representatives abandons nobody');
  t.ok(pooledRatio(predictive) <= 0.03, `abandoned ${pooledRatio(predictive)}`);
  for (const { utilization, dialed, reps } of predictive) {
    t.ok(utilization > progressive.utilization + 0.15, `utilised ${utilization}`);
    t.ok(dialed > reps);
  }
});

t.test('[DM-23] an answer rate that jumps unannounced stays within the limit', async (t) => {
  const runs = [simulate(world('answer-rate-jump', {}), { seed: 1 })];
  t.ok(pooledRatio(runs) <= 0.03, `abandoned ${pooledRatio(runs)}`);
  const wrong = [simulate(world('wrong-belief', { hours: 0.4 }), { seed: 1 })];
  t.ok(pooledRatio(wrong) <= 0.035, `a wrong belief: abandoned ${pooledRatio(wrong)}`);
});

t.test(
  '[DM-23] a lower limit, an earlier lunch and a lost trunk each lower what is dialled',
  async (t) => {
    const scenario = world('reference-50', { hours: 0.4 });
    const run = (changes: Partial<Scenario>): SimulationResult =>
      simulate({ ...scenario, ...changes }, { seed: 3 });
    const base = run({});
    t.ok(run({ abandonmentRatioMax: 0.005 }).abandoned < base.abandoned);
    const nothing = run({ abandonmentRatioMax: 0 });
    t.equal(nothing.abandoned, 0);
    t.same(Object.keys(nothing.decisions), ['representatives']);
    const lunch = run({ breaks: [{ fromMinute: 12, toMinute: 24, reps: 40 }] });
    t.ok(lunch.dialed < 0.8 * base.dialed);
    t.ok(lunch.abandonmentRatio < 0.06, 'forty representatives left at once');
    const narrow = run({ trunk: { channels: 60, callsPerSecond: 2 } });
    t.ok(narrow.dialed <= 0.4 * 3_600 * 2 + 2);
    const out = run({ outages: [{ fromMinute: 5, toMinute: 6 }] });
    t.ok(out.abandonmentRatio < 0.04, 'a trunk that returns is not a list that answers');
  },
);

t.test('false positives of detection are charged to the same budget', async (t) => {
  const scenario = world('amd-false-positives', { hours: 1 });
  const result = simulate(scenario, { seed: 5 });
  t.ok(result.falsePositives > 0);
  t.ok(result.abandoned > result.falsePositives);
  t.ok(result.abandonmentRatio <= 0.032, `abandoned ${result.abandonmentRatio}`);
});

t.test(
  'the urgent engagement has the queue while it has numbers, the other one before and after',
  async (t) => {
    const scenario = world('two-priorities', {
      hours: 0.6,
      engagements: [
        { name: 'routine', priority: 'normal', fromMinute: 0 },
        { name: 'recall', priority: 'critical', tasks: 300, fromMinute: 10 },
      ],
    });
    const starts: { atMs: number; engagement: string }[] = [];
    simulate(scenario, {
      seed: 1,
      trace: (line) => {
        const { event, atMs, engagement } = line as Record<string, unknown>;
        if (event === 'attempt.started')
          starts.push({ atMs: Number(atMs), engagement: String(engagement) });
      },
    });
    const recall = starts.flatMap(({ engagement }, i) => (engagement === 'recall' ? [i] : []));
    const [first = 0, last = 0] = [recall[0], recall.at(-1)];
    t.equal(recall.length, 300);
    t.equal(last - first, 299, 'nothing of the lower class was started in between');
    t.equal(starts[first]?.atMs, 600_000);
    t.ok(first > 100);
    t.ok(starts.length > last + 50);
  },
);

t.test('a seed gives one run, event for event; another gives another', async (t) => {
  const traceOf = (seed: number): string => {
    const lines: string[] = [];
    const scenario = world('reference-10', { hours: 0.2 });
    simulate(scenario, { seed, trace: (line) => lines.push(JSON.stringify(line)) });
    return lines.join('\n');
  };
  const first = traceOf(1);
  t.equal(traceOf(1), first);
  t.not(traceOf(2), first);
  t.match(first, /"decision":"engagement".*"riskMax"/, 'every decision with its inputs');
});

t.test('a scenario file is checked, with the place of each fault', async (t) => {
  t.match(scenarioOf('a.yaml', ''), { reps: 50, answerProbability: 0.25, patienceMs: 2_000 });
  t.throws(() => scenarioOf('a.yaml', 'reps: 0\nhandle: { meanMs: 5 }\nansers: 1\n'), {
    code: 'CONFIG_INVALID',
    message: /a\.yaml:3:9: ansers: .*\na\.yaml:1:7: reps: /,
  });
  t.throws(() => readScenario('no-such-world'), { code: 'CONFIG_INVALID' });
});

t.test('`simulate` prints one JSON value, and its trace holds every decision', async (t) => {
  const terminal = new CapturedTerminal();
  const folder = t.testdir({ 'world.yaml': 'reps: 5\nhours: 0.1\n' });
  const command = ['simulate', `${folder}/world.yaml`, '--seed', '3', '--json'];
  t.equal(await runProgram([...command, '--trace', `${folder}/trace.ndjson`], terminal), 0);
  const result = JSON.parse(terminal.stdout) as SimulationResult;
  t.match(result, { mode: 'predictive', reps: 5, seed: 3 });
  const decisions = Object.values(result.decisions).reduce((sum, count) => sum + count, 0);
  t.equal(decisions, 721, 'two a second, the first at once');
});

/** The pacer in its own stream: a simulated world drives it as strangers do, line by line. */
async function overPipes(
  lines: readonly object[] | string,
): Promise<{ exitCode: number; out: string[]; err: string }> {
  const input = new PassThrough();
  const terminal = new CapturedTerminal();
  const done = runPacer({ stdio: true, explain: false }, terminal, input);
  input.end(
    typeof lines === 'string' ? lines : lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
  );
  const exitCode = await done;
  const out = terminal.stdout.split('\n').filter((line) => line !== '');
  return { exitCode, out, err: terminal.stderr };
}

t.test('[DM-23] over pipes the pacer decides as it does in the simulator', async (t) => {
  const scenario = world('reference-10', { hours: 0.15 });
  const config = pacerConfigOf(scenario);
  const lines: object[] = [{ config }];
  const decisions: string[] = [];
  simulate(scenario, {
    seed: 9,
    pacer: (): SimulatedPacer => {
      const pacer = new PacerCore(config);
      return {
        note: (atMs, event) => {
          lines.push({ atMs, ...event });
          pacer.note(atMs, event);
        },
        tick: (atMs) => {
          lines.push({ atMs, event: 'tick' });
          const { start, cancel, binding } = pacer.tick(atMs);
          decisions.push(JSON.stringify({ atMs, start, cancel, binding }));
          return { start, cancel, binding };
        },
      };
    },
  });
  const { exitCode, out } = await overPipes(lines);
  t.equal(exitCode, 0);
  t.same(out, decisions);
  t.ok(decisions.length > 1_000);
});

t.test('the pacer answers each tick before it reads on', async (t) => {
  const input = new PassThrough();
  const terminal = { out: new PassThrough(), err: new PassThrough() };
  const done = runPacer({ stdio: true, explain: true }, terminal, input);
  const answers = createInterface({ input: terminal.out })[Symbol.asyncIterator]();
  const config = { mode: 'progressive', repLed: true, abandonmentRatioMax: 0.03 };
  const times = { patienceMs: 2_000, ringTimeoutMs: 22_000 };
  input.write(`${JSON.stringify({ config: { ...config, ...times } })}\n`);
  input.write('{"atMs":0,"event":"rep.ready","rep":7}\n{"atMs":0,"event":"tick"}\n');
  const first = await answers.next();
  t.match(JSON.parse(String(first.value)), {
    atMs: 0,
    start: 1,
    cancel: [],
    binding: 'representatives',
  });
  input.end('{"atMs":500,"event":"tick"}\n');
  const second = await answers.next();
  t.match(JSON.parse(String(second.value)), { atMs: 500, start: 0, explanation: { idle: 1 } });
  t.equal(await done, 0);
});

t.test('a line that cannot be understood ends the pacer with its number', async (t) => {
  const config =
    '{"config":{"mode":"predictive","repLed":true,"abandonmentRatioMax":0.03,"patienceMs":2000,"ringTimeoutMs":22000}}\n';
  const tick = '{"atMs":5,"event":"tick"}\n';
  const cases: [string, RegExp][] = [
    ['', /^line 1: /],
    ['{"config":{"mode":"reckless"}}\n', /^line 1: config/],
    [`${config}nonsense\n`, /^line 2: this is not JSON/],
    [`${config}${tick}{"atMs":4,"event":"tick"}\n`, /^line 3: atMs goes back/],
    [`${config}{"atMs":0,"event":"attempt.started"}\n`, /^line 2: .*without "attempt"/],
    [`${config}{"atMs":0,"event":"rep.asleep","rep":"a"}\n`, /^line 2: event/],
  ];
  for (const [given, expected] of cases) {
    const { exitCode, err } = await overPipes(given);
    t.equal(exitCode, 1);
    t.match(err, expected);
  }
});
