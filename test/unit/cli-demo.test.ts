import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { chooseTrunk } from '../../cli/choose-trunk.ts';
import { lastCallingHours } from '../../cli/calling-hours.ts';
import {
  isShippedList,
  readContactTasks,
  SHIPPED_CONTACTS,
  type ContactList,
} from '../../cli/demo/contact-tasks.ts';
import { writeDemoWork } from '../../cli/demo/demo-engagement.ts';
import { demoReport, learntLines, resultTable } from '../../cli/demo/demo-report.ts';
import { DemoRun } from '../../cli/demo/demo-run.ts';
import { refuseOldStore } from '../../cli/demo/demo-store.ts';
import { intakeFile } from '../../cli/demo/intake-file.ts';
import { progressLine, startProgress } from '../../cli/demo/progress.ts';
import { readOutcomes } from '../../cli/demo/read-outcomes.ts';
import type { TaskOutcome } from '../../cli/demo/task-outcome.ts';
import { loadConfig } from '../../config/load-config.ts';
import { readContactsCsv } from '../../dialer/intake/contacts-csv.ts';
import { CapturedTerminal } from '../support/captured-terminal.ts';
import { DialerWorld } from '../support/dialer-world.ts';
import type { FarEnd } from '../support/simulated-gateway.ts';

const { config } = loadConfig(undefined, {});
const trunk = chooseTrunk({ text: 'sip:127.0.0.1:5070' }, config);
const folder = t.testdir({});

const numberOf = (n: number) => `+120655501${String(n).padStart(2, '0')}`;
const listOfNumbers = (count: number) =>
  listOf(['phone', ...Array.from({ length: count }, (_, n) => numberOf(n)), ''].join('\n'));

interface Given {
  readonly list: ContactList;
  readonly farEnd: (destination: string, nth: number) => FarEnd;
  readonly trunkAddress?: string;
}

/** The demo's work, its run and its outcomes, on the real dialer in simulated time. */
async function demoOn(t: Test, { list, farEnd, trunkAddress = trunk.address }: Given) {
  const world = await DialerWorld.open(t, { farEnd, withAgent: true, callsPerSecondMax: 10 });
  const { database } = world;
  const work = await writeDemoWork({
    ...{ database, list, nowMs: world.nowMs, dialing: config.dialing },
    trunk: { ...trunk, name: 'lab', address: trunkAddress },
    agentUri: 'sip:agent@127.0.0.1:5080;transport=udp',
    ...{ mode: 'copilot', representativeUris: [] },
    options: { concurrency: 3, ringTimeoutMs: 20_000 },
  });
  const dialer = await world.start();
  let isDone = false;
  const run = new DemoRun({
    ...{ dialer, work, telephony: world.gateway, taskCount: list.tasks.length },
    clock: {
      now: () => world.nowMs,
      setTimeout: (fire, delayMs) => world.clock.setTimeout(fire, delayMs),
      clearTimeout: (timer) => world.clock.clearTimeout(timer as number),
    },
    onChange: () => undefined,
  });
  const done = run.run().then(() => (isDone = true));
  /** Until the run is over; what it asks of the store is answered before time goes on. */
  const seeThrough = async (limitMs: number): Promise<void> => {
    for (const endMs = world.nowMs + limitMs; !isDone && world.nowMs < endMs;) {
      await world.advance(1_000);
      await readOutcomes(database, work.engagementId, list.tasks);
      await world.settle();
    }
    if (!isDone) throw new Error('the run does not come to its end');
    await done;
  };
  const outcomes = () => readOutcomes(database, work.engagementId, list.tasks);
  return { world, run, seeThrough, outcomes };
}

const inShort = ({ status, result, subReason, attempts }: TaskOutcome) => [
  ...[status, result, subReason, attempts.length],
];

t.test(
  'A run on the dialer tells what became of each contact, in the order of the list',
  async (t) => {
    const list = await listOf(
      'mobile,home phone,Slot\n+12065550100,,9:00\n+12065550101,+12065550102,\n1001,,\n',
    );
    const { world, run, seeThrough, outcomes } = await demoOn(t, {
      list,
      farEnd: (to) =>
        to.endsWith('01') ? { does: 'reject', statusCode: 486 } : { does: 'answer' },
    });
    await seeThrough(60_000);
    t.match(await outcomes(), [
      { line: 2, to: '+12065550100', status: 'Complete', result: 'LiveAnswer', sip: { code: 200 } },
      // Busy at the mobile number, so the home number is dialled, which decides.
      {
        line: 3,
        to: '+12065550102',
        result: 'LiveAnswer',
        attempts: ['Busy', 'LiveAnswer'],
        invites: 2,
      },
      { line: 4, status: 'Error', result: 'Error', attempts: [], reason: /short number/ },
    ]);
    t.equal(world.gateway.dialled.length, 3);
    t.equal(run.isTrunkSilent, false);
    const input = await world.db.selectFrom('tasks').select('input_attributes').execute();
    t.ok(input.some(({ input_attributes: json }) => json === '{"Slot":"9:00"}'));
    await world.check();
  },
);

t.test('Stopping hangs up what is live, starts nothing more, and tells both', async (t) => {
  const { world, run, seeThrough, outcomes } = await demoOn(t, {
    list: await listOfNumbers(6),
    farEnd: () => ({ does: 'ring' }),
  });
  await world.advance(1_000);
  t.equal(run.inFlight, 3);
  await run.stop();
  await seeThrough(5_000);
  t.same((await outcomes()).map(inShort), [
    ...Array<unknown>(3).fill(['Cancelled', 'Cancelled', 'cancelled_ringing', 1]),
    ...Array<unknown>(3).fill(['Cancelled', 'Cancelled', 'cancelled', 0]),
  ]);
  t.equal(world.gateway.dialled.length, 3);
});

t.test('A trunk that gives no sign of life is not dialled to the end of the list', async (t) => {
  const { world, run, seeThrough, outcomes } = await demoOn(t, {
    list: await listOfNumbers(20),
    farEnd: () => ({ does: 'ignore' }),
  });
  await seeThrough(100_000);
  t.equal(run.isTrunkSilent, true);
  t.ok(world.gateway.dialled.length <= 6, `${String(world.gateway.dialled.length)} dials`);
  const all = await outcomes();
  t.match(all[0], { result: 'CallFailed', subReason: 'trunk_timeout', sip: { code: null } });
  t.match(all[19], { status: 'Cancelled', attempts: [] });
});

t.test('Silent numbers on a trunk that has answered do not stop the run', async (t) => {
  const { world, run, seeThrough } = await demoOn(t, {
    list: await listOfNumbers(8),
    farEnd: (to) => (to === numberOf(0) ? { does: 'reject', statusCode: 486 } : { does: 'ignore' }),
  });
  await seeThrough(150_000);
  t.equal(run.isTrunkSilent, false);
  t.equal(world.gateway.dialled.length, 8);
});

t.test(
  'Over a real trunk a contact outside its calling hours expires without a dial',
  async (t) => {
    // The world begins at 15:00 UTC: 10:00 in New York, 7:00 in Los Angeles, midnight in Tokyo.
    const zones = ['America/Los_Angeles', 'America/New_York', 'Asia/Tokyo', 'No/Zone'];
    const rows = zones.map((zone, n) => `${numberOf(n)},${zone}`);
    const { world, seeThrough, outcomes } = await demoOn(t, {
      list: await listOf(['phone,TimeZone', ...rows, ''].join('\n')),
      farEnd: () => ({ does: 'answer' }),
      trunkAddress: 'sip:192.0.2.10:5060;transport=udp',
    });
    await seeThrough(20_000);
    const expired = ['Expired', 'Expired', 'too_late', 0];
    t.same((await outcomes()).map(inShort), [
      ...[expired, ['Complete', 'LiveAnswer', null, 1], expired, expired],
    ]);
    t.same(
      world.gateway.dialled.map(({ destination }) => destination),
      [numberOf(1)],
    );
    const windows = await world.db.selectFrom('deliveries').select('window_end_ms').execute();
    const nineInTheEvening = Date.UTC(2026, 2, 3, 2, 0);
    t.same(windows, [{ window_end_ms: nineInTheEvening }], 'and nothing starts after 21:00 there');
  },
);

t.test('The calling hours that count are those that run, else those that ran last', (t) => {
  const hours = { from: '08:00', to: '21:00' };
  const ranIn = (zone: string, at: string) => {
    const found = lastCallingHours(hours, zone, Date.parse(at));
    return found && [found.startMs, found.endMs].map((ms) => new Date(ms).toISOString());
  };
  t.same(ranIn('America/New_York', '2026-03-02T15:00:00Z'), [
    ...['2026-03-02T13:00:00.000Z', '2026-03-03T02:00:00.000Z'],
  ]);
  t.same(ranIn('America/New_York', '2026-03-02T12:59:59Z'), [
    ...['2026-03-01T13:00:00.000Z', '2026-03-02T02:00:00.000Z'],
  ]);
  // Summer time began on this day at two in the morning.
  t.same(ranIn('America/New_York', '2026-03-08T15:00:00Z'), [
    ...['2026-03-08T12:00:00.000Z', '2026-03-09T01:00:00.000Z'],
  ]);
  t.equal(ranIn('No/Zone', '2026-03-02T15:00:00Z'), undefined);
  t.end();
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

t.test('What the dialer takes in says what the list said, whatever its columns', async (t) => {
  const list = await listOf(
    'tel,Home Phone Number,first name,note\n(206) 555-0123,206 555 0124,"Ann ""A"", Lee","a;b\nc"\n' +
      '+12065550123,+1 206 555 0125,Bob,\n+12065550124,,Cy,\n',
    'US',
  );
  t.match(list.tasks[1], { to: '+12065550125' }, 'only the number that nobody else has');
  t.match(list.tasks[2], { refusal: { task: 'Suppressed', reason: /the number of line 2/ } });
  const { rows } = await readContactsCsv(bytesOf(intakeFile(list)), {
    ...{ format: 'e164', bytesMax: 10_000, identifier: 'required' },
  });
  const read = [];
  for await (const row of rows) read.push(row);
  const second = list.tasks[1]?.contact?.phones;
  t.match(read, [
    {
      contact: {
        uniqueIdentifier: '2',
        phones: [{ destination: '+12065550123' }, { destination: '+12065550124' }],
        fields: { FirstName: 'Ann "A", Lee' },
        attributes: { note: 'a;b\nc' },
      },
    },
    { contact: { uniqueIdentifier: '4', phones: second, fields: { FirstName: 'Bob' } } },
  ]);
  t.equal(read.length, 2);
});

async function* bytesOf(file: Buffer): AsyncGenerator<Buffer> {
  await Promise.resolve();
  yield file;
}

t.test('What the dialer could not store is a bad row of the list', async (t) => {
  const { tasks } = await listOf(`phone,note\n+12065550123,${'x'.repeat(4_001)}\n`);
  t.match(tasks, [{ line: 2, refusal: { task: 'Error', reason: /more than 4000 characters/ } }]);
});

t.test('A store is kept in a new file only', (t) => {
  const file = join(folder, 'old.db');
  t.doesNotThrow(() => refuseOldStore(file));
  writeFileSync(file, '');
  t.throws(() => refuseOldStore(file), { code: 'STORE_EXISTS' });
  t.doesNotThrow(() => refuseOldStore(undefined));
  t.end();
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
    ...{ attempts: [], invites: 0, reason: 'is a short number' },
  }),
  outcome('+12065550123', { status: 'Suppressed', result: null, attempts: [], invites: 0 }),
];

function outcome(to: string, more: Partial<TaskOutcome>): TaskOutcome {
  const sip = { code: null, q850: null };
  const once = { attempts: [more.result ?? 'Busy'], invites: 1 };
  return { line: 2, to, status: 'Complete', result: null, subReason: null, sip, ...once, ...more };
}

t.test('The report counts attempts by Result, tasks by status, and masks numbers', (t) => {
  const report = demoReport(OUTCOMES, 1_234.5, { showNumbers: false, showDeliveries: false });
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
  const [spoken] = demoReport(
    [outcome('+12065550100', { attributes: { slot: '9' }, deliveryId: 'd1' })],
    ...[1, { showNumbers: true, showDeliveries: true } as const],
  ).contacts;
  t.match(spoken, { to: '+12065550100', attributes: { slot: '9' }, deliveryId: 'd1' });
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

t.test('What the agent returned is summed up: values that repeat, else their range', (t) => {
  const learnt = (...values: string[]) =>
    learntLines(values.map((value) => outcome('1', { attributes: { value } })));
  t.same(learnt('yes', 'no', 'yes'), ['value: yes ×2, no ×1']);
  t.same(learnt('5', '30', '4', '20', '100'), ['value: 4 to 100']);
  t.same(learnt('a', 'b', 'c', 'd', 'e'), ['value: 5 values']);
  t.same(learntLines(OUTCOMES), []);
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
