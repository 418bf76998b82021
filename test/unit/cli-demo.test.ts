import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { attemptInput } from '../../cli/attempt-plan.ts';
import { chooseTrunk } from '../../cli/choose-trunk.ts';
import { ContactRun, type ContactRunParts } from '../../cli/demo/contact-run.ts';
import {
  isShippedList,
  readContactTasks,
  SHIPPED_CONTACTS,
  type ContactTask,
} from '../../cli/demo/contact-tasks.ts';
import { demoReport, resultTable } from '../../cli/demo/demo-report.ts';
import { progressLine, startProgress } from '../../cli/demo/progress.ts';
import type { TaskOutcome } from '../../cli/demo/task-outcome.ts';
import { loadConfig } from '../../config/load-config.ts';
import { TelephonyActors } from '../../machines/telephony-actor.ts';
import { VirtualClock } from '../../machines/virtual-clock.ts';
import { CapturedTerminal } from '../support/captured-terminal.ts';
import { ScriptedGateway, type FarEnd } from '../support/scripted-gateway.ts';

const { config } = loadConfig(undefined, {});
const trunk = chooseTrunk({ text: 'sip:127.0.0.1:5070' }, config);
const folder = t.testdir({});

const numberOf = (n: number) => `+120655501${String(n).padStart(2, '0')}`;
const taskOf = (n: number): ContactTask => ({ line: n + 2, to: numberOf(n) });
const tasksOf = (count: number) => Array.from({ length: count }, (_, n) => taskOf(n));

interface Given {
  readonly tasks: readonly ContactTask[];
  readonly farEnd: (destination: string, nth: number) => FarEnd;
  readonly parts?: Partial<ContactRunParts>;
}

function runOn({ tasks, farEnd, parts = {} }: Given) {
  const clock = new VirtualClock();
  const gateway = new ScriptedGateway(clock, farEnd);
  const actors = new TelephonyActors(gateway, () => clock.now());
  const seen = { changes: 0, faults: 0 };
  const run = new ContactRun({
    tasks,
    telephony: actors.logic,
    clock,
    concurrencyMax: 3,
    callsPerSecondMax: 10,
    attemptOf: ({ to }) => attemptInput({ config, trunk, ringTimeoutMs: 20_000 }, to),
    mayStart: () => true,
    onChange: () => (seen.changes += 1),
    onFault: () => (seen.faults += 1),
    ...parts,
  });
  let result: TaskOutcome[] | undefined;
  const done = run.run().then((outcomes) => (result = outcomes));
  /** Replies travel by promise: each step of the clock is followed by what it set off. */
  const advance = async (ms: number) => {
    await turn();
    const untilMs = clock.now() + ms;
    for (let dueMs = clock.nextDueMs; dueMs !== undefined && dueMs <= untilMs;) {
      clock.advanceTo(dueMs);
      await turn();
      dueMs = clock.nextDueMs;
    }
    clock.advanceTo(untilMs);
  };
  return { clock, gateway, run, seen, done, advance, result: () => result };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const answers: FarEnd = { does: 'answers', afterMs: 2_000 };
const busy: FarEnd = { does: 'rejects', statusCode: 486, afterMs: 100 };
const silent: FarEnd = { does: 'isSilent', afterMs: 32_000 };

t.test('A free slot takes the next contact; starts are spaced; the order stays', async (t) => {
  const tasks = tasksOf(10);
  const given = runOn({ tasks, farEnd: (to) => (to.endsWith('3') ? busy : answers) });
  await given.advance(60_000);
  const outcomes = given.result();
  t.same(
    outcomes?.map(({ to }) => to),
    tasks.map(({ to }) => to),
  );
  t.equal(given.gateway.inFlightMax, 3);
  const starts = given.gateway.dials.map(({ atMs }) => atMs);
  starts.slice(1).forEach((atMs, index) => t.ok(atMs - (starts[index] ?? 0) >= 100));
  t.match(outcomes?.[3], { status: 'Complete', result: 'Busy', sip: { code: 486 }, attempts: 1 });
  t.match(outcomes?.[0], { status: 'Complete', result: 'Undetermined', sip: { code: 200 } });
  t.equal(given.seen.faults, 0);
});

t.test('Stopping hangs up what is live, starts nothing more, and tells both', async (t) => {
  const given = runOn({ tasks: tasksOf(6), farEnd: () => ({ does: 'rings' }) });
  await given.advance(1_000);
  t.equal(given.run.inFlight, 3);
  given.run.stop({ hangUp: true });
  await given.advance(1_000);
  const outcomes = given.result();
  t.same(
    outcomes?.map(({ status, result, subReason, attempts }) => [
      ...[status, result, subReason, attempts],
    ]),
    [
      ...Array<unknown>(3).fill(['Cancelled', 'Cancelled', 'cancelled_ringing', 1]),
      ...Array<unknown>(3).fill(['Cancelled', 'Cancelled', 'cancelled', 0]),
    ],
  );
  t.equal(given.gateway.dials.length, 3);
  t.same(given.gateway.commands.filter(({ type }) => type === 'attempt.cancel').length, 3);
});

t.test('A trunk that gives no sign of life is not dialled to the end of the list', async (t) => {
  const given = runOn({ tasks: tasksOf(20), farEnd: () => silent });
  await given.advance(200_000);
  t.equal(given.run.isTrunkSilent, true);
  t.ok(given.gateway.dials.length <= 6, `${String(given.gateway.dials.length)} dials`);
  const outcomes = given.result() ?? [];
  t.match(outcomes[0], { result: 'CallFailed', subReason: 'trunk_timeout', sip: { code: null } });
  t.match(outcomes[19], { status: 'Cancelled', attempts: 0 });
});

t.test('Silent numbers on a trunk that has answered do not stop the run', async (t) => {
  const given = runOn({
    tasks: tasksOf(8),
    farEnd: (to) => (to === numberOf(0) ? busy : silent),
  });
  await given.advance(300_000);
  t.equal(given.run.isTrunkSilent, false);
  t.equal(given.gateway.dials.length, 8);
});

t.test('A refusal that passes is tried again after a pause and is no attempt', async (t) => {
  const given = runOn({
    tasks: tasksOf(2),
    farEnd: (_, nth) => (nth === 1 ? { does: 'isRefused', code: 'TRUNK_RATE_LIMITED' } : busy),
  });
  await given.advance(20_000);
  const [first, second] = given.result() ?? [];
  t.match(first, { result: 'Busy', attempts: 1, invites: 1 });
  t.match(second, { result: 'Busy', attempts: 1, invites: 1 });
  const times = given.gateway.dials.filter(({ destination }) => destination === numberOf(0));
  t.ok((times[1]?.atMs ?? 0) - (times[0]?.atMs ?? 0) >= 1_000);
});

t.test('A refusal that does not pass is the end of the task and no attempt', async (t) => {
  const given = runOn({
    tasks: tasksOf(1),
    farEnd: () => ({ does: 'isRefused', code: 'INVALID_DESTINATION' }),
  });
  await given.advance(5_000);
  t.match(given.result(), [
    { status: 'Error', result: 'Error', subReason: 'config', attempts: 0, invites: 0 },
  ]);
  t.equal(given.gateway.dials.length, 1);
});

t.test('A contact outside its calling hours expires without a dial', async (t) => {
  const given = runOn({
    tasks: tasksOf(3),
    farEnd: () => busy,
    parts: { mayStart: ({ line }) => line !== 3 },
  });
  await given.advance(10_000);
  t.match(given.result(), [
    { result: 'Busy' },
    { status: 'Expired', result: 'Expired', subReason: 'too_late', attempts: 0 },
    { result: 'Busy' },
  ]);
  t.same(
    given.gateway.dials.map(({ destination }) => destination),
    [numberOf(0), numberOf(2)],
  );
});

t.test('Whatever the far ends do, each contact is dialled once and has one outcome', async (t) => {
  const farEnds = fc.constantFrom<FarEnd>(answers, busy, silent, { does: 'rings' });
  await fc.assert(
    fc.asyncProperty(
      fc.array(farEnds, { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 0, max: 40_000 }),
      async (script, concurrencyMax, stopAtMs) => {
        const given = runOn({
          tasks: tasksOf(script.length),
          farEnd: (to) => script[Number(to.slice(-2))] ?? busy,
          parts: { concurrencyMax },
        });
        await given.advance(stopAtMs);
        given.run.stop({ hangUp: true });
        await given.advance(120_000);
        const outcomes = given.result();
        t.equal(outcomes?.length, script.length);
        t.ok(given.gateway.inFlightMax <= concurrencyMax);
        t.equal(given.gateway.inFlight, 0, 'no call is left up');
        const dialled = given.gateway.dials.map(({ destination }) => destination);
        t.equal(new Set(dialled).size, dialled.length);
        const attempts = outcomes?.reduce((sum, outcome) => sum + outcome.attempts, 0);
        t.equal(attempts, dialled.length);
      },
    ),
    { numRuns: 40 },
  );
});

async function listOf(csv: string, region?: string) {
  const path = join(folder, 'list.csv');
  writeFileSync(path, csv);
  return readContactTasks(path, trunk, region);
}

t.test('A bad row becomes an Error task in its place, the rest is dialled', async (t) => {
  const { tasks } = await listOf('phone,name\n1001,A\n+12065550123,B\nx,y,z\n');
  t.match(tasks, [
    { line: 2, to: '1001', refusal: { task: 'Error', reason: /short number/ } },
    { line: 3, to: '+12065550123' },
    { line: 4, refusal: { task: 'Error', reason: /3 fields where the header has 2/ } },
  ]);
});

t.test('A number is dialled once, however it is written', async (t) => {
  const { tasks } = await listOf('phone\n+1 206 555 0123\n(206) 555-0123\n', 'US');
  t.match(tasks[1], { refusal: { task: 'Suppressed', reason: /the number of line 2/ } });
});

t.test('A repeated identifier updates the contact and makes no second task', async (t) => {
  const { tasks } = await listOf(
    'UniqueIdentifier,phone\nC-1,+12065550123\nC-2,+12065550124\nC-1,+12065550125\n',
  );
  t.match(tasks, [
    { line: 2, to: '+12065550125' },
    { line: 3, to: '+12065550124' },
    { line: 4, refusal: { task: 'Suppressed', reason: /the identifier of line 2/ } },
  ]);
});

t.test('Chains are not followed here, and the command says so', async (t) => {
  const { warnings } = await listOf('phone,AccountId\n+12065550123,H-7\n');
  t.match(warnings[0], /AccountId is not followed here/);
});

t.test('The shipped list is known under any path', async (t) => {
  t.equal(await isShippedList(SHIPPED_CONTACTS), true);
  t.equal(await isShippedList(join(SHIPPED_CONTACTS, '../../lab/contacts.csv')), true);
  t.equal(await isShippedList(join(folder, 'other.csv')), false);
  const { tasks } = await readContactTasks(SHIPPED_CONTACTS, trunk, undefined);
  t.equal(tasks.length, 60);
  t.ok(tasks.every(({ refusal }) => refusal === undefined));
  t.ok(
    tasks.every(({ to }) => /^\+1\d{3}55501\d\d$/.test(to)),
    'every number is reserved for fiction',
  );
});

const OUTCOMES: TaskOutcome[] = [
  outcome('+12065550123', { result: 'Busy', sip: { code: 486, q850: null } }),
  outcome('+12065550124', { result: 'Busy', sip: { code: 480, q850: 17 }, invites: 2 }),
  outcome('1001', {
    ...{ status: 'Error', result: 'Error', subReason: 'config' },
    ...{ attempts: 0, invites: 0, reason: 'is a short number' },
  }),
  outcome('+12065550123', { status: 'Suppressed', result: null, attempts: 0, invites: 0 }),
];

function outcome(to: string, more: Partial<TaskOutcome>): TaskOutcome {
  const sip = { code: null, q850: null };
  const once = { attempts: 1, invites: 1 };
  return { line: 2, to, status: 'Complete', result: null, subReason: null, sip, ...once, ...more };
}

t.test('The report counts attempts by Result, tasks by status, and masks numbers', (t) => {
  const report = demoReport(OUTCOMES, 1_234.5, { showNumbers: false });
  t.strictSame(report, {
    attempts: 2,
    invites: 3,
    tasks: { Complete: 2, Error: 1, Suppressed: 1 },
    results: { Busy: 2 },
    contacts: [
      {
        to: '+1…23',
        task: 'Complete',
        result: 'Busy',
        subReason: null,
        sip: { code: 486, q850: null },
        attempts: 1,
      },
      {
        to: '+1…24',
        task: 'Complete',
        result: 'Busy',
        subReason: null,
        sip: { code: 480, q850: 17 },
        attempts: 1,
      },
      {
        to: '…',
        task: 'Error',
        result: 'Error',
        subReason: 'config',
        sip: { code: null, q850: null },
        attempts: 0,
        reason: 'is a short number',
      },
      {
        to: '+1…23',
        task: 'Suppressed',
        result: null,
        subReason: null,
        sip: { code: null, q850: null },
        attempts: 0,
      },
    ],
    durationMs: 1_235,
  });
  t.equal(demoReport(OUTCOMES, 1, { showNumbers: true }).contacts[0]?.to, '+12065550123');
  t.end();
});

t.test('The table groups by Result with reasons and SIP codes, most frequent first', (t) => {
  const table = resultTable(OUTCOMES);
  t.match(table, /│ Busy +│ +2 │ - +│ 486 ×1/);
  t.match(table, /480\/Q\.850 17 ×1/);
  t.ok(table.indexOf('Busy') < table.indexOf('Error'));
  t.notMatch(table, '2065550123');
  t.end();
});

t.test('Where there is no terminal progress is plain lines, few and never twice', (t) => {
  const terminal = new CapturedTerminal();
  let nowMs = 0;
  const progress = startProgress(terminal, () => nowMs);
  const state = (done: number, inFlight: number) => ({
    total: 4,
    inFlight,
    outcomes: OUTCOMES.slice(0, done),
  });
  progress.update(state(0, 1));
  nowMs = 1_000;
  progress.update(state(1, 2));
  nowMs = 5_000;
  progress.update(state(2, 1));
  progress.end(state(4, 0));
  progress.end(state(4, 0));
  t.same(terminal.stderr.trim().split('\n'), [
    '0/4 done, 1 in flight',
    '2/4 done, 1 in flight: Busy 2',
    '4/4 done, 0 in flight: Busy 2, Error 1, Suppressed 1',
  ]);
  t.equal(terminal.stdout, '');
  t.notMatch(terminal.stderr, '\u001b', 'no control sequences');
  t.equal(progressLine(state(0, 0)), '0/4 done, 0 in flight');
  t.end();
});
