/** Goal: what is foretold of a list is what its own state, hours and calls lead to. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Value } from 'typebox/value';
import { runProgram } from '../../cli/program.ts';
import { upsertContacts } from '../../dialer/contacts/upsert-contacts.ts';
import {
  createBusinessUnit,
  createEngagement,
  createQueue,
  createWorkstream,
} from '../../dialer/engagements/create-engagement.ts';
import { readForecastInput, type ForecastInput } from '../../dialer/forecast/forecast-input.ts';
import type { ForecastJob } from '../../dialer/forecast/forecast.port.ts';
import { Forecast } from '../../dialer/forecast/forecast.schema.ts';
import {
  createRepresentativeIn,
  setPresenceIn,
} from '../../dialer/representatives/write-representative.ts';
import { idSource } from '../../dialer/ids/uuid7.ts';
import { openSqlite } from '../../dialer/store/sqlite/open-sqlite.ts';
import { createTasks } from '../../dialer/tasks/create-tasks.ts';
import { SHIPPED } from '../../dialer/rule-packs/rule-packs.ts';
import { forecastInThreads } from '../../simulator/forecast/forecast-thread.ts';
import { forecast, quantile } from '../../simulator/forecast/forecast.ts';
import { CapturedTerminal } from '../support/captured-terminal.ts';
import { DialerWorld, HOUR_MS, MINUTE_MS } from '../support/dialer-world.ts';
import type { FarEnd } from '../support/simulated-gateway.ts';

t.setTimeout(120_000);

const REP_LED = {
  engagementType: 'repLed',
  mode: { kind: 'progressive' },
  answering: {
    ...{ amdAction: 'hangup', customerWaitThresholdSeconds: 2, waitFrom: 'greetingEnd' },
    abandonedMessage: { text: 'This was Example Ltd. Nobody was free to talk to you.' },
  },
};

interface Scene {
  readonly world: DialerWorld;
  readonly id: string;
  readonly input: (more?: Partial<ForecastJob>) => Promise<ForecastInput>;
  readonly job: (more?: Partial<ForecastJob>) => ForecastJob;
}

async function scene(
  t: Test,
  given: { readonly people: number; readonly reps: number } & Parameters<
    DialerWorld['engagement']
  >[0],
): Promise<Scene> {
  const { people, reps, ...engagement } = given;
  const world = await DialerWorld.open(t);
  const id = await world.engagement({ config: REP_LED, ...engagement });
  await world.tasks(id, world.people(people));
  const { queue_id: queueId } = await world.engagementRow(id);
  await world.db.transaction().execute(async (tx) => {
    for (let n = 0; n < reps; n += 1) {
      const input = { name: `rep ${n}`, sipUri: `sip:r${n}@127.0.0.1`, queueIds: [queueId] };
      const person = await createRepresentativeIn(tx, world.writer, input);
      await setPresenceIn(tx, world.writer, person.id, 'available');
    }
  });
  const job = (more: Partial<ForecastJob> = {}): ForecastJob => {
    const { businessUnitId, nowMs: atMs } = world;
    return { businessUnitId, engagementId: id, atMs, seed: 1, runs: 3, ...more };
  };
  const source = {
    database: world.database,
    trunkOf: () => undefined,
    numberGapMs: 0,
    rulePacks: SHIPPED,
  };
  const input = (more?: Partial<ForecastJob>): Promise<ForecastInput> =>
    readForecastInput(source, job(more));
  return { world, id, input, job };
}

const hours = ({ at, finishAt }: Forecast): number =>
  (Date.parse(finishAt.median ?? '') - Date.parse(at)) / HOUR_MS;

t.test('a forecast is a function of the store, the moment and the seed', async (t) => {
  const { input, job } = await scene(t, {
    ...{ people: 60, reps: 3 },
    config: { ...REP_LED, mode: { kind: 'predictive' } },
  });
  const state = await input();
  const found = forecast(state, job());
  t.ok(Value.Check(Forecast, found), JSON.stringify([...Value.Errors(Forecast, found)]));
  t.same(forecast(await input(), job()), found);
  t.not(forecast(state, job({ seed: 2 })).finishAt.median, found.finishAt.median);
  t.equal(found.pendingTasks, 60);
  t.equal(found.representatives, 3);
  t.equal(found.simulatedShare, 1);
  t.equal(found.dialed.median, 60, 'one call each: no retries, one number');
  t.ok(found.liveAnswers.median > 6 && found.liveAnswers.median < 32, 'the prior: three in ten');
  t.ok(found.finishAt.low !== null && found.finishAt.high !== null);
  for (const { low, median, high } of [found.utilization, found.abandonmentRatio, found.dialed]) {
    t.ok(low <= median && median <= high);
  }
  t.match(found.notes.join(' '), /Only 0 calls were seen/);
});

t.test(
  'more people take longer, more representatives take less, retries are reckoned with',
  async (t) => {
    const { input, job, world, id } = await scene(t, { people: 300, reps: 5 });
    const base = forecast(await input(), job());
    const many = forecast(await input({ representatives: 20 }), job());
    t.ok(hours(many) < 0.6 * hours(base), `${hours(many)} h, ${hours(base)} h`);
    await world.tasks(id, world.people(300, 300));
    const twice = forecast(await input(), job());
    t.ok(hours(twice) > 1.5 * hours(base), `${hours(twice)} h`);
    const reattempt = { reasons: ['noAnswer'], retriesMax: 2, waitMinutes: 90 };
    const retried = await scene(t, { people: 300, reps: 5, config: { ...REP_LED, reattempt } });
    const again = forecast(await retried.input(), retried.job());
    t.ok(again.dialed.median > 1.8 * base.dialed.median, `${again.dialed.median} calls`);
    t.ok(again.tasksReached.median > 1.4 * base.tasksReached.median);
    t.ok(hours(again) > 3, 'two pauses of 90 minutes');
  },
);

t.test('nothing is foretold while the queue is closed, or after the windows', async (t) => {
  const day = [{ from: '14:30', to: '15:30' }];
  const weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'] as const;
  const spans = Object.fromEntries(weekdays.map((name) => [name, day]));
  const { input, job, world } = await scene(t, {
    ...{ people: 150, reps: 2 },
    queue: { hours: { ...spans, saturday: [], sunday: [], closedOn: [] }, timeZone: 'UTC' },
  });
  const found = forecast(await input(), job());
  // Half an hour is left of Monday; the tasks' own window is a day long.
  const finish = Date.parse(found.finishAt.median ?? '');
  t.ok(finish > world.nowMs + 23 * HOUR_MS, 'it goes on on Tuesday');
  t.ok(finish <= world.nowMs + 24.5 * HOUR_MS, 'and what is left then expires');
  t.ok(found.tasksExpired.median > 0);
  t.equal(found.dialed.median + found.tasksExpired.median, 150);
  t.ok(found.dialingHours.median < 1.2);
});

t.test('what the calls have shown replaces the prior, and feeds the pacer', async (t) => {
  let nth = 0;
  const person: FarEnd = {
    ...{ does: 'answer', afterMs: 4_000, hangUpAfterMs: 40_000, verdict: 'human' },
  };
  const farEnd = (): FarEnd =>
    (nth += 1) % 2 === 0 ? person : { does: 'reject', statusCode: 486 };
  const world = await DialerWorld.open(t, { farEnd });
  await world.start();
  const id = await world.engagement({ config: REP_LED });
  const { queue_id: queueId } = await world.engagementRow(id);
  const { desk } = world.dialer;
  desk.subscribe(({ work, representativeId }) => {
    if (work === 'wrapUp') world.clock.setTimeout(() => desk.wrapUpDone(representativeId), 5_000);
  });
  for (const name of ['ada', 'bob', 'eve', 'joe']) {
    const rep = await world.db.transaction().execute(async (tx) => {
      const input = { name, sipUri: `sip:${name}@127.0.0.1`, queueIds: [queueId] };
      const { id: repId } = await createRepresentativeIn(tx, world.writer, input);
      await setPresenceIn(tx, world.writer, repId, 'available');
      return repId;
    });
    await desk.changed(rep);
  }
  await world.tasks(id, world.people(100));
  await world.advance(30 * MINUTE_MS);
  await world.tasks(id, world.people(40, 200));
  const { businessUnitId, nowMs: atMs, database } = world;
  const job: ForecastJob = { businessUnitId, engagementId: id, atMs, seed: 1, runs: 3 };
  const source = { database, trunkOf: () => undefined, numberGapMs: 0, rulePacks: SHIPPED };
  const state = await readForecastInput(source, job);
  t.equal(state.observed.calls, 100);
  t.equal(state.observed.answers, 50);
  t.equal(state.observed.busy, 50);
  t.ok(Math.abs(state.observed.talk.meanMs - 40_000) < 2_500, `${state.observed.talk.meanMs} ms`);
  t.ok(Math.abs(state.observed.wrapUp.meanMs - 5_000) < 300, `${state.observed.wrapUp.meanMs} ms`);
  t.ok(Math.abs((state.pacer.believed?.answerProbability ?? 0) - 0.48) < 0.05);
  const past = state.pacer.past ?? [];
  t.equal(
    past.reduce((sum, { connected }) => sum + connected, 0),
    50,
  );
  const found = forecast(state, job);
  t.ok(found.presumed.answerProbability.value > 0.42);
  t.ok(found.liveAnswers.median >= 12 && found.liveAnswers.median <= 27);
});

t.test(
  'a list too long to be simulated call by call goes on at the rate that was found',
  async (t) => {
    const { input, job } = await scene(t, { people: 100, reps: 3 });
    const state = await input({ representatives: 12 });
    const tasks = state.tasks.map((task) => ({ ...task, count: 10 }));
    const long = { ...state, tasks, pendingTasks: 1_000 };
    const found = forecast(long, job(), { callsMax: 900, workedMsMax: 9 * HOUR_MS });
    t.ok(found.simulatedShare > 0.25 && found.simulatedShare < 0.35, `${found.simulatedShare}`);
    t.equal(found.dialed.median + found.tasksExpired.median, 1_000);
    const whole = forecast(long, job());
    t.equal(whole.simulatedShare, 1);
    const off = Math.abs(hours(found) / hours(whole) - 1);
    t.ok(off < 0.25, `${hours(found)} h by rate, ${hours(whole)} h call by call`);
  },
);

t.test('the thread says the same of the same store, in bounded time and number', async (t) => {
  const { world, job, input } = await scene(t, { people: 40, reps: 3 });
  const here = forecast(await input(), job());
  const abandonment = {
    ...{ applied: ['us'], rulePacks: [] },
    ...{ amdFalsePositiveRatio: 0, amdAuditShare: 0 },
  };
  const options = { database: world.database, trunks: {}, numberGapMs: 0, abandonment };
  const port = forecastInThreads({ ...options, atOnceMax: 1 });
  const first = port(job());
  await t.rejects(port(job()), { code: 'TOO_MANY_FORECASTS' });
  t.same(await first, here);
  const slow = forecastInThreads({ ...options, limitMs: 1 });
  await t.rejects(slow(job()), { code: 'FORECAST_TIMEOUT' });
});

t.test('the command forecasts from the file of a store, as it is done here', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-forecast-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'store.db');
  const atMs = Date.UTC(2026, 2, 2, 15);
  const nowMs = (): number => atMs;
  const database = await openSqlite({ file, gatherMs: 0, nowMs });
  const ids = idSource(nowMs);
  const businessUnitId = await createBusinessUnit({ database, ids, nowMs: atMs }, 'Test');
  const writer = { database, ids, nowMs: atMs, businessUnitId, actor: 'test' };
  const trunk = { trunk: 'lab', number: '+15555550199' };
  const workstreamId = await createWorkstream(writer, { name: 'w', ...trunk });
  const queueId = await createQueue(writer, { name: 'q' });
  const id = await createEngagement(writer, { name: 'e', workstreamId, queueId, config: REP_LED });
  await database.db.transaction().execute(async (tx) => {
    const contacts = Array.from({ length: 10 }, (_, n) => {
      return { uniqueIdentifier: `p${n}`, phones: { mobile: `+1555555010${n}` } };
    });
    const made = await upsertContacts(tx, writer, contacts);
    const inputs = made.map(({ id: contactId }) => {
      return { contactIds: [contactId], source: 'api' as const };
    });
    await createTasks(tx, writer, { id }, inputs);
  });
  const request = { seed: 3, runs: 2, representatives: 2, atMs };
  const job = { ...request, businessUnitId, engagementId: id };
  const source = { database, trunkOf: () => undefined, numberGapMs: 900_000, rulePacks: SHIPPED };
  const expected = forecast(await readForecastInput(source, job), job);
  await database.close();
  const config = join(folder, 'r.yaml');
  writeFileSync(config, 'log:\n  level: warn\n');
  const at = new Date(atMs).toISOString();
  const options = ['--seed', '3', '--runs', '2', '--representatives', '2', '--at', at, '--json'];
  const command = ['simulate', '--engagement', id, '--config', config, '--store'];
  const terminal = new CapturedTerminal();
  t.equal(await runProgram([...command, file, ...options], terminal), 0);
  t.same(JSON.parse(terminal.stdout), expected);
  t.match(terminal.stderr, /10 tasks, 2 representatives, progressive: done 2026-03-02T15:/);
  const none = new CapturedTerminal();
  t.equal(await runProgram([...command, join(folder, 'none.db'), ...options], none), 1);
  t.match(JSON.parse(none.stdout), { error: { code: 'STORE_MISSING' } });
  t.equal(await runProgram(['simulate'], none), 1);
});

t.test('quantiles lie between their neighbours', async (t) => {
  t.equal(quantile([1, 2, 3, 4, 5], 0.5), 3);
  t.equal(quantile([0, 10], 0.1), 1);
  t.equal(quantile([7], 0.9), 7);
  t.equal(quantile([1, Number.POSITIVE_INFINITY], 0), 1);
});
