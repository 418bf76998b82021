/** Goal: whatever claims, ends, and passing time do to tasks, and however many do it at once, nobody
 * is dialled twice, no cap is passed, no task is lost, and every count is the number of its rows. */
import fc from 'fast-check';
import { CompiledQuery, sql, type KyselyPlugin } from 'kysely';
import t, { type Test } from 'tap';
import { takeOverTasks } from '../../dialer/actors/recovery.ts';
import { changeEngagement } from '../../dialer/engagements/change-settings.ts';
import { CALL_ORDERS, type CallOrder } from '../../dialer/engagements/engagement-config.schema.ts';
import { cancelEngagementTasks, cancelTask, cancelTasks } from '../../dialer/tasks/cancel-task.ts';
import { reorderStep } from '../../dialer/tasks/reorder-tasks.ts';
import { eventQueries } from '../../dialer/store/event-log.ts';
import { readNumberFacts, releaseQuery, takeNumbers } from '../../dialer/store/number-guards.ts';
import type { OpenDatabase } from '../../dialer/store/open-database.ts';
import { storeTargets, TEST_NOW_MS as NOW, type StoreTarget } from '../support/store-target.ts';
import {
  GAP_MS,
  MINUTE_MS,
  UNKNOWN_GAP_MS,
  UNTRIED_GAP_MS,
  WorkScene,
  type EndWish,
  type SceneOptions,
  type TaskWish,
} from '../support/work-scene.ts';

const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const mobile = (index: number): string => `+1202555${String(index).padStart(4, '0')}`;
const wishes = (count: number, from = 0): TaskWish[] =>
  Array.from({ length: count }, (_, index) => ({ phones: { mobile: mobile(from + index) } }));

const noAnswer: EndWish = { result: 'NoAnswer', retryClass: 'noAnswer' };
const answered: EndWish = { result: 'LiveAnswer', retryClass: 'connected' };
const unknown: EndWish = { result: 'Unknown', retryClass: 'failed' };
const noNumber: EndWish = { result: 'InvalidAddress', retryClass: 'permanent' };
const untried: EndWish = { result: 'CallFailed', retryClass: 'untried', wasTried: false };

const onePerson = { reattempt: { reasons: ['noAnswer'], retriesMax: 2, waitMinutes: 10 } };

async function scene(
  database: OpenDatabase,
  more: Omit<SceneOptions, 'database' | 'clock'> = {},
): Promise<WorkScene> {
  return WorkScene.open({ database, clock: { nowMs: NOW }, ...more });
}

/** Until a transaction of this database waits for a row that another has locked. */
async function somebodyWaits({ db }: OpenDatabase): Promise<void> {
  for (;;) {
    const { rows } = await sql`select pid from pg_stat_activity
      where wait_event_type = 'Lock' and datname = current_database()`.execute(db);
    if (rows.length > 0) return;
  }
}

const targets = await storeTargets(t);

for (const target of targets) {
  const open = async (t: Test) => target.place(t).open();
  const { name } = target;

  t.test(`${name}: of many who want one number exactly one gets it`, async (t) => {
    const { db } = await open(t);
    const take = (attemptId: string, nowMs: number) =>
      db.transaction().execute(async (tx) => {
        const requests = [{ number: '+1', attemptId }];
        return (await takeNumbers(tx, requests, { nowMs, gapMinMs: GAP_MS })).has('+1');
      });
    const race = async (round: string, nowMs: number): Promise<string[]> => {
      const ids = Array.from({ length: 20 }, (_, index) => `${round}-${index}`);
      const won = await Promise.all(ids.map((id) => take(id, nowMs)));
      return ids.filter((_, index) => won[index]);
    };
    const release = (attemptId: string, wasTried: boolean) =>
      db.transaction().execute((tx) => releaseQuery(tx, { attemptId, wasTried }).execute());
    const facts = async () =>
      (await db.transaction().execute((tx) => readNumberFacts(tx, ['+1', '+2']))).get('+1');

    const [first, ...others] = await race('first', NOW);
    t.same(others, []);
    t.same(await facts(), { isInFlight: true, lastAttemptAtMs: NOW });
    t.same(await race('in flight', NOW + DAY_MS), [], 'however long it takes');
    await release('first-nobody', true);
    t.match(await facts(), { isInFlight: true }, 'another attempt releases nothing');
    if (first !== undefined) await release(first, true);
    t.same(await race('gap', NOW + GAP_MS - 1), []);
    const [second, ...rest] = await race('second', NOW + GAP_MS);
    t.same(rest, []);
    if (second !== undefined) {
      await release(second, false);
      await release(second, false);
    }
    t.same(await facts(), { isInFlight: false, lastAttemptAtMs: NOW }, 'as if never tried');
    t.equal((await race('third', NOW + GAP_MS)).length, 1, 'so that no gap keeps anybody');
  });

  t.test(`[DM-28] ${name}: the last number of the last loop is the last attempt`, async (t) => {
    const lasts = async (reasons: readonly string[]): Promise<boolean[]> => {
      const reattempt = { reasons, retriesMax: 1, waitMinutes: 10 };
      const work = await scene(await open(t), { config: { reattempt } });
      const phones = { mobile: mobile(1), home: mobile(2) };
      const [task = ''] = await work.add([{ phones }]);
      const seen: boolean[] = [];
      let { starts } = await work.claim(1);
      for (let [start] = starts; start !== undefined; [start] = starts) {
        seen.push(start.isLastAttempt);
        const machine = {
          result: 'AnsweringMachineHangup',
          retryClass: 'answeringMachine',
        } as const;
        const next = (await work.record(start.attemptId, machine))?.next;
        if (next?.kind === 'finish') break;
        work.clock.nowMs += HOUR_MS;
        await work.promote();
        ({ starts } = next?.kind === 'goOn' ? await work.claimNext(task) : await work.claim(1));
      }
      return seen;
    };
    t.same(await lasts(['answeringMachine']), [false, false, false, true]);
    t.same(await lasts(['busy']), [false, true], 'no other loop follows a machine');
  });

  t.test(`[DM-33] [OUT-21] ${name}: what was heard of a call is on its delivery`, async (t) => {
    const reattempt = { reasons: ['failed'], retriesMax: 3, waitMinutes: 10 };
    const database = await open(t);
    const work = await scene(database, { config: { reattempt } });
    const ids = await work.add(wishes(3));
    const { starts } = await work.claim(3);
    const { db } = database;
    await db
      .updateTable('attempts')
      .set({ answered_at_ms: NOW + 5_000 })
      .execute();
    const abandoned: EndWish = { result: 'LiveAnswer', retryClass: 'failed' };
    const heards = [
      { waitExceeded: true, speechDetected: true, speechStartMs: 400, optOutDigit: '9' },
      { speechDetected: true, speechStartMs: null },
      {},
    ];
    for (const [index, heard] of heards.entries()) {
      await work.record(starts[index]?.attemptId ?? '', { ...abandoned, heard });
    }
    const rows = await db.selectFrom('deliveries').selectAll().orderBy('id').execute();
    t.match(
      rows.map((row) => [
        row.exceeded_customer_wait_threshold,
        row.speech_detected,
        row.speech_started_at_ms,
      ]),
      [
        [1, 1, NOW + 5_400],
        [0, 1, null],
        [0, 0, null],
      ],
    );
    t.match(await db.selectFrom('delivery_attributes').selectAll().execute(), [
      { delivery_id: rows[0]?.id, type: 'Result', keyword: 'optOut', value: '9' },
    ]);
    t.match(await work.task(ids[0] ?? ''), { state: 'final' }, 'it dials that number no more');
    t.match(await work.task(ids[1] ?? ''), { state: 'waiting' });
    const points = await db.selectFrom('contact_points').select('invalid_since_ms').execute();
    t.ok(
      points.every((point) => point.invalid_since_ms === null),
      'which is a number all the same',
    );
    const told = await db
      .selectFrom('events')
      .select('payload')
      .where('type', '=', 'contactPoint.optedOut')
      .execute();
    t.match(told, [{ payload: /"digit":"9"/ }]);
  });

  t.test(`${name}: numbers wanted by many at once, in any order, lock nobody up`, async (t) => {
    const { db } = await open(t);
    const numbers = Array.from({ length: 12 }, (_, index) => `+${index}`);
    const orders = [numbers, [...numbers].reverse(), [...numbers.slice(6), ...numbers.slice(0, 6)]];
    const taken = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        db.transaction().execute((tx) => {
          const wanted = orders[index % orders.length] ?? [];
          const requests = wanted.map((number) => ({ number, attemptId: `${number}/${index}` }));
          return takeNumbers(tx, requests, { nowMs: NOW, gapMinMs: GAP_MS });
        }),
      ),
    );
    t.same(
      taken.map(({ size }) => size).sort((a, b) => b - a),
      [12, ...Array.from({ length: 11 }, () => 0)],
    );
  });

  t.test(`${name}: a claim writes attempt, delivery, guard and event together`, async (t) => {
    const database = await open(t);
    const work = await scene(database);
    const [taskId = ''] = await work.add(wishes(1));
    const { starts, looked } = await work.claim(5);
    t.equal(looked, 1);
    t.match(starts, [{ fence: 1, number: mobile(0), phoneType: 'mobile', seqNo: 1 }]);
    const [start] = starts;
    const attempt = await database.db.selectFrom('attempts').selectAll().executeTakeFirstOrThrow();
    t.match(attempt, { id: start?.attemptId, phase: 'starting', fence: 1, invites: 0 });
    t.match(attempt, { gateway_id: 'gateway-1', created_at_ms: NOW, ended_at_ms: null });
    const delivery = await database.db.selectFrom('deliveries').selectAll().execute();
    t.match(delivery, [{ id: start?.deliveryId, task_id: taskId, status: 'InProcess', seq_no: 1 }]);
    t.match(await work.task(taskId), { state: 'working', status: 'InProcess', attempt_count: 1 });
    const events = await database.db
      .selectFrom('events')
      .select(['type', 'payload'])
      .where('stream_id', '=', `task:${taskId}`)
      .orderBy('stream_seq')
      .execute();
    t.equal(events.at(-1)?.type, 'attempt.claimed');
    t.notMatch(JSON.stringify(events), /2025550000/, 'the log holds no number');
    t.same((await work.claim(5)).starts, [], 'and it is claimed once');
  });

  t.test(`${name}: a claim under a lease that has passed on starts nothing`, async (t) => {
    const work = await scene(await open(t));
    await work.add(wishes(1));
    work.fence += 1;
    await t.rejects(work.claim(1), { code: 'LEASE_LOST' });
    work.fence -= 1;
    t.equal((await work.claim(1)).starts.length, 1);
  });

  t.test(
    `${name}: concurrent claimers start each task once, and never more than the cap`,
    async (t) => {
      const database = await open(t);
      const work = await scene(database, { cap: 25 });
      const ids = await work.add(wishes(60));
      const all = await Promise.all(Array.from({ length: 12 }, () => work.claim(5)));
      const started = all.flatMap(({ starts }) => starts);
      t.equal(started.length, 25);
      t.equal(new Set(started.map(({ task }) => task.id)).size, 25);
      t.equal(new Set(started.map(({ attemptId }) => attemptId)).size, 25);
      t.same(new Set(started.map(({ task }) => task.id)), new Set(ids.slice(0, 25)), 'in order');
      const ending = started.slice(0, 10);
      const [, ...again] = await Promise.all([
        Promise.all(ending.map(({ attemptId }) => work.record(attemptId, answered))),
        ...Array.from({ length: 12 }, () => work.claim(5)),
      ]);
      const next = [...again, await work.claim(60)].flatMap(({ starts }) => starts);
      t.equal(next.length, 10);
      t.equal(new Set([...started, ...next].map(({ task }) => task.id)).size, 35);
      t.same((await work.counts()).kept, (await work.counts()).counted);
    },
  );

  t.test(
    `${name}: engagements that want the same numbers in another order claim in peace`,
    async (t) => {
      const database = await open(t);
      const up = wishes(20);
      const first = await scene(database, { cap: 50 });
      const second = await scene(database, { cap: 50, ids: first.writer.ids });
      await first.add(up);
      await second.add([...up].reverse());
      const all = await Promise.all([first.claim(50), second.claim(50)]);
      const rung = all.flatMap(({ starts }) => starts.map(({ number }) => number));
      t.equal(rung.length, 20);
      t.equal(new Set(rung).size, 20);
      for (const work of [first, second]) {
        t.same((await work.counts()).kept, (await work.counts()).counted);
      }
    },
  );

  t.test(`${name}: two tasks of one number never ring it together`, async (t) => {
    const database = await open(t);
    const work = await scene(database);
    const other = await scene(database, { ids: work.writer.ids });
    const same = { phones: { mobile: mobile(1) } };
    const ids = await work.add([same, same, { phones: { mobile: mobile(2) } }]);
    await other.add([same]);
    const { starts, changes } = await work.claim(10);
    t.same(
      starts.map(({ task }) => task.id),
      [ids[0], ids[2]],
    );
    t.match(changes, [{ kind: 'postponed', reason: 'number_in_flight', untilMs: NOW + GAP_MS }]);
    t.match(await work.task(ids[1] ?? ''), { state: 'waiting', due_at_ms: NOW + GAP_MS });
    t.match(await other.claim(1), { starts: [], changes: [{ reason: 'number_in_flight' }] });
    await work.record(starts[0]?.attemptId ?? '', answered);
    other.clock.nowMs = work.clock.nowMs = NOW + GAP_MS;
    await work.promote();
    const both = await Promise.all([work.claim(1), other.claim(1)]);
    t.equal(both.flatMap((claimed) => claimed.starts).length, 1, 'over all business units');
  });

  t.test(`${name}: [CFG-13] [ORD-09] each call order is kept`, async (t) => {
    const database = await open(t);
    const priorities = ['10', '2', undefined, '2026-03-01', '-1', 'soon', '2'];
    const windowsOf = (index: number) => [
      { startMs: NOW - HOUR_MS, endMs: NOW + (10 - ((index * 3) % 7)) * HOUR_MS },
    ];
    const expected: Record<CallOrder, number[]> = {
      earliestScheduledDate: [2, 4, 6, 1, 3, 5, 0],
      firstInFirstOut: [0, 1, 2, 3, 4, 5, 6],
      lastInFirstOut: [6, 5, 4, 3, 2, 1, 0],
      customAscending: [4, 1, 6, 0, 2, 3, 5],
      customDescending: [0, 1, 6, 4, 2, 3, 5],
    };
    for (const [order, callOrder] of CALL_ORDERS.entries()) {
      const work = await scene(database, { config: { callOrder }, cap: 50 });
      const ids = await work.add(
        wishes(7, order * 10).map((wish, index) => {
          const priorityValue = priorities[index];
          const priority = priorityValue === undefined ? {} : { priorityValue };
          return { ...wish, ...priority, windows: windowsOf(index) };
        }),
      );
      const { starts } = await work.claim(7);
      const claimed = starts.map(({ task }) => ids.indexOf(task.id));
      t.same(claimed, expected[callOrder], callOrder);
      const fallback = starts.filter(({ task }) => task.priority_fallback === 1);
      t.equal(fallback.length, callOrder.startsWith('custom') ? 3 : 0);
    }
  });

  const change = async (work: WorkScene, config: Readonly<Record<string, unknown>>) => {
    const { id, version } = await work.engagement();
    await work.database.db
      .transaction()
      .execute((tx) => changeEngagement(tx, work.writer, { id, version, patch: { config } }));
  };
  const step = (work: WorkScene, batchMax: number) =>
    reorderStep(
      { database: work.database, nowMs: work.clock.nowMs, actor: 'test', batchMax },
      work.engagementId,
    );

  t.test(`${name}: [CFG-13] an order changed while many claim loses nobody`, async (t) => {
    const seed = { seed: Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000) };
    t.comment(JSON.stringify(seed));
    const random = fc.sample(fc.integer({ min: -50, max: 50 }), { ...seed, numRuns: 120 });
    const work = await scene(await open(t), { config: { callOrder: 'firstInFirstOut' }, cap: 500 });
    const wish = (wish: TaskWish, index: number): TaskWish => ({
      ...wish,
      priorityValue: String(random[index] ?? 0),
    });
    const ids = [...(await work.add(wishes(100).map(wish)))];
    const claimed: string[] = [];
    const claim = async (count: number) => {
      const { starts } = await work.claim(count);
      claimed.push(...starts.map(({ task }) => task.id));
    };
    const inForce = async () => (await work.engagement()).order_in_force;
    for (const callOrder of ['customDescending', 'lastInFirstOut', 'customAscending'] as const) {
      await change(work, { callOrder });
      t.not(await inForce(), null);
      for (let end = 'more', round = 0; end === 'more'; round += 1) {
        const from = ids.length;
        const fresh = from < 120 ? work.add(wishes(1, from).map((one) => wish(one, from))) : [];
        const [stepped, added] = await Promise.all([step(work, 17), fresh, claim(2)]);
        ids.push(...added);
        end = stepped;
        if (round > 100) throw new Error('it does not end');
      }
      t.equal(await inForce(), null);
    }
    t.equal(new Set(claimed).size, claimed.length, 'nobody is claimed twice');
    const left = ids.filter((id) => !claimed.includes(id));
    const values = new Map(ids.map((id, index) => [id, random[index] ?? 0]));
    const mark = claimed.length;
    while (claimed.length < ids.length) await claim(40);
    t.same(
      claimed.slice(mark),
      left.toSorted((a, b) => (values.get(a) ?? 0) - (values.get(b) ?? 0) || (a < b ? -1 : 1)),
      'those who are left by the last order',
    );
    const { kept, counted } = await work.counts();
    t.same(kept, counted);
  });

  t.test(`${name}: [ORD-10] a changed retry priority moves those who wait`, async (t) => {
    const reattempt = { ...onePerson.reattempt, waitMinutes: 15 };
    const config = { reattempt, callOrder: 'firstInFirstOut' };
    const work = await scene(await open(t), { config });
    const [retried = ''] = await work.add(wishes(1));
    const { starts } = await work.claim(1);
    await work.record(starts[0]?.attemptId ?? '', noAnswer);
    await work.add(wishes(2, 10));
    await change(work, { reattempt: { priority: 'lower' } });
    t.equal(await step(work, 100), 'more');
    t.equal(await step(work, 100), 'done');
    work.clock.nowMs = NOW + GAP_MS;
    await work.promote();
    const order = (await work.claim(5)).starts.map(({ task }) => task.id);
    t.equal(order.indexOf(retried), 2);
    t.equal((await work.engagement()).order_slot, 0, 'its order has not changed');
  });

  t.test(`${name}: whoever reorders waits for no task that is held`, async (t) => {
    const database = await open(t);
    // Only there are rows locked one by one: SQLite has one transaction that writes.
    if (database.kind === 'sqlite') return;
    const work = await scene(database, { config: { callOrder: 'firstInFirstOut' } });
    const ids = await work.add(wishes(3));
    await change(work, { callOrder: 'lastInFirstOut' });
    await database.db.transaction().execute(async (tx) => {
      const held = tx.updateTable('tasks').set({ crash_count: 0 });
      await held.where('id', '=', ids[1] ?? '').execute();
      t.equal(await step(work, 10), 'more');
      t.equal((await work.engagement()).reorder_after_id, ids[0], 'up to the one that is held');
      t.equal(await step(work, 10), 'more');
    });
    t.equal(await step(work, 10), 'more');
    t.equal(await step(work, 10), 'done');
    const { starts } = await work.claim(3);
    t.same(
      starts.map(({ task }) => ids.indexOf(task.id)),
      [2, 1, 0],
    );
  });

  for (const [priority, expected] of [
    ['higher', ['retry', 'new', 'new']],
    ['same', ['retry', 'new', 'new']],
    ['lower', ['new', 'new', 'retry']],
  ] as const) {
    t.test(`${name}: [ORD-10] a due retry of priority '${priority}' takes its place`, async (t) => {
      const reattempt = { ...onePerson.reattempt, priority, waitMinutes: 15 };
      const config = { reattempt, callOrder: 'firstInFirstOut' };
      const work = await scene(await open(t), { config });
      const [retried = ''] = await work.add(wishes(1));
      const { starts } = await work.claim(1);
      await work.record(starts[0]?.attemptId ?? '', noAnswer);
      await work.add(wishes(2, 10));
      work.clock.nowMs = NOW + GAP_MS;
      await work.promote();
      const order = (await work.claim(5)).starts.map(({ task }) => task.id);
      t.same(
        order.map((id) => (id === retried ? 'retry' : 'new')),
        expected,
      );
    });
  }

  t.test(`${name}: the end of an attempt is recorded once, and says what is next`, async (t) => {
    const work = await scene(await open(t), { config: onePerson });
    const phones = { mobile: mobile(1), home: mobile(2) };
    const [taskId = ''] = await work.add([{ phones }]);
    const first = (await work.claim(1)).starts[0]?.attemptId ?? '';
    const twice = await Promise.all([work.record(first, noAnswer), work.record(first, noAnswer)]);
    const [once, ...more] = twice.filter((recorded) => recorded !== undefined);
    t.match(once, { taskId, next: { kind: 'goOn', progress: { numberIndex: 1 } } });
    t.same(more, [], 'the second time nothing happens');
    t.equal(await work.record(first, answered), undefined);
    t.match(await work.task(taskId), { state: 'working', last_result: 'NoAnswer' });

    const second = (await work.claimNext(taskId)).starts[0];
    t.match(second, { number: mobile(2), seqNo: 2, phoneType: 'home' });
    const dueAtMs = NOW + 10 * MINUTE_MS;
    t.match((await work.record(second?.attemptId ?? '', noAnswer))?.next, {
      kind: 'wait',
      dueAtMs,
    });
    t.match(await work.task(taskId), { state: 'waiting', due_at_ms: dueAtMs, loop: 2 });

    work.clock.nowMs = NOW + GAP_MS;
    await work.promote();
    const third = (await work.claim(1)).starts[0];
    t.match(third, { number: mobile(1), seqNo: 3, progress: { loop: 2 } });
    t.match((await work.record(third?.attemptId ?? '', answered))?.next, {
      kind: 'finish',
      status: 'Complete',
      reason: 'customer_reached',
    });
    t.match(await work.task(taskId), { state: 'final', customer_reached: 1, attempt_count: 3 });
    t.match((await work.counts()).kept, { final: 1, inFlight: 0, attempts: 3, working: 0 });
    t.same((await work.counts()).kept, (await work.counts()).counted);
  });

  t.test(`${name}: [API-18] a cancelled task ends once, whatever state it is in`, async (t) => {
    const database = await open(t);
    const work = await scene(database, { config: onePerson });
    const later = [{ startMs: NOW + HOUR_MS, endMs: NOW + DAY_MS }];
    const [waiting = ''] = await work.add([{ phones: { mobile: mobile(3) }, windows: later }]);
    const [ringing = '', talking = '', ready = ''] = await work.add(wishes(3));
    const [first, second] = (await work.claim(2)).starts;
    const cancel = async (id: string) => (await cancelTask(work.cancelContext(), id)).outcome;
    const outcomes = [];
    for (const id of [waiting, ready, ringing, talking]) outcomes.push(await cancel(id));
    t.same(outcomes, ['cancelled', 'cancelled', 'ending', 'ending']);
    t.equal(await cancel(ready), 'alreadyFinal');
    t.equal(await cancel(ringing), 'ending', 'asked twice, told the same');
    t.equal(await cancel('00000000-0000-7000-8000-000000000000'), 'unknown');
    const foreign = { ...work.cancelContext(), businessUnitId: 'another' };
    t.equal((await cancelTask(foreign, talking)).outcome, 'unknown');

    // One was given up; the other was answered before the hang-up came.
    await work.record(first?.attemptId ?? '', noAnswer);
    t.match((await work.record(second?.attemptId ?? '', answered))?.next, { status: 'Cancelled' });
    for (const id of [waiting, ready, ringing, talking]) {
      t.match(await work.task(id), { state: 'final', status: 'Cancelled', owner_epoch: null });
    }
    t.match(await work.task(talking), { last_result: 'LiveAnswer', customer_reached: 1 });
    t.same((await work.counts()).kept, (await work.counts()).counted);
    const told = await database.db
      .selectFrom('events')
      .select(['stream_id', 'type', 'actor', 'payload'])
      .where('type', 'in', ['task.finished', 'task.cancelRequested'])
      .orderBy('seq')
      .execute();
    t.match(told, [
      { type: 'task.finished', stream_id: `task:${waiting}`, actor: 'operator:ann' },
      { type: 'task.finished', stream_id: `task:${ready}`, payload: /"because":"no longer due"/ },
      { type: 'task.cancelRequested', stream_id: `task:${ringing}`, payload: /no longer due/ },
      { type: 'task.cancelRequested', stream_id: `task:${talking}` },
      { type: 'task.finished', stream_id: `task:${ringing}` },
      { type: 'task.finished', stream_id: `task:${talking}` },
    ]);
    t.equal(told.length, 6);
  });

  t.test(
    `${name}: [API-18] a task cancelled beside claims is claimed or ends, not both`,
    async (t) => {
      const work = await scene(await open(t), { cap: 100 });
      const ids = await work.add(wishes(60));
      const asked = [ids.slice(0, 40), ids.slice(20), [...ids].reverse()];
      const [claims, cancels] = await Promise.all([
        Promise.all(Array.from({ length: 4 }, () => work.claim(10))),
        Promise.all(asked.map((some) => cancelTasks(work.cancelContext(), some))),
      ]);
      const claimed = new Set(claims.flatMap(({ starts }) => starts.map(({ task }) => task.id)));
      const cancelled = cancels.flatMap((done) => done.cancelled);
      t.equal(new Set(cancelled).size, cancelled.length, 'each ended once');
      const inWork = new Set(cancels.flatMap((done) => done.inWork.map(({ id }) => id)));
      t.same([...inWork].sort(), [...claimed].sort(), 'and every other is marked');
      t.equal(cancelled.length + claimed.size, 60);
      t.match((await work.counts()).kept, { final: cancelled.length, working: claimed.size });
      t.same((await work.counts()).kept, (await work.counts()).counted);
    },
  );

  t.test(`${name}: [API-18] cancelled beside a chain that goes on, it does not wait`, async (t) => {
    const database = await open(t);
    const work = await scene(database, { cap: 1 });
    const [taskId = ''] = await work.add([{ phones: { mobile: mobile(1), home: mobile(2) } }]);
    await work.record((await work.claim(1)).starts[0]?.attemptId ?? '', noAnswer);
    await database.db.updateTable('engagements').set({ status: 'suspended' }).execute();
    const { nowMs } = work.clock;
    const marking = await database.db.startTransaction().execute();
    await marking.updateTable('tasks').set({ cancel_requested_at_ms: nowMs }).execute();
    const goingOn = work.claimNext(taskId);
    if (database.kind === 'postgres') await somebodyWaits(database);
    await marking.commit().execute();
    t.match((await goingOn).starts, []);
    t.match(await work.task(taskId), { state: 'final', status: 'Cancelled' });
    t.same((await work.counts()).kept, (await work.counts()).counted);
  });

  t.test(`${name}: all tasks of an engagement are cancelled, or those that wait`, async (t) => {
    const work = await scene(await open(t), { cap: 3 });
    await work.add(wishes(620));
    await work.claim(3);
    const all = async (scope: 'queued' | 'open') => {
      const counts = { batches: 0, cancelled: 0, inWork: 0 };
      const batches = cancelEngagementTasks(work.cancelContext(), work.engagementId, scope);
      for await (const { cancelled, inWork } of batches) {
        counts.batches += 1;
        counts.cancelled += cancelled.length;
        counts.inWork += inWork.length;
      }
      return counts;
    };
    t.same(await all('queued'), { batches: 2, cancelled: 617, inWork: 0 });
    t.same(await all('open'), { batches: 1, cancelled: 0, inWork: 3 });
    t.same(await all('open'), { batches: 0, cancelled: 0, inWork: 0 });
    t.match((await work.counts()).kept, { final: 617, working: 3, ready: 0 });
    t.same((await work.counts()).kept, (await work.counts()).counted);
  });

  t.test(`${name}: ends that are not plain: unknown, untried, no such number`, async (t) => {
    const database = await open(t);
    const reasons = ['noAnswer', 'failed'];
    const reattempt = { reasons, retriesMax: 5, waitMinutes: 1 };
    const work = await scene(database, { config: { reattempt } });
    const [unsure = '', never = '', wrong = ''] = await work.add(wishes(3, 20));
    const { starts } = await work.claim(3);
    const attemptOf = (taskId: string) =>
      starts.find(({ task }) => task.id === taskId)?.attemptId ?? '';

    await work.record(attemptOf(unsure), unknown);
    const waits = { state: 'waiting', due_at_ms: NOW + UNKNOWN_GAP_MS };
    t.match(await work.task(unsure), waits, 'the person may have been rung');

    await work.record(attemptOf(never), untried);
    const again = { state: 'waiting', due_at_ms: NOW + UNTRIED_GAP_MS, loop: 1 };
    t.match(await work.task(never), again, 'nobody was rung, and no attempt is used up');
    const facts = await database.db
      .transaction()
      .execute((tx) => readNumberFacts(tx, [mobile(21)]));
    t.same(facts.get(mobile(21)), { isInFlight: false, lastAttemptAtMs: 0 });

    await work.record(attemptOf(wrong), noNumber);
    t.match(await work.task(wrong), { state: 'final', last_result: 'InvalidAddress' });
    const [again2 = ''] = await work.add([{ phones: { mobile: mobile(22) } }]);
    work.clock.nowMs = NOW + DAY_MS / 2;
    t.same((await work.claim(5)).starts, [], 'nobody dials it any more');
    t.match(await work.task(again2), { state: 'final', status: 'Error' });
  });

  t.test(`${name}: a number whose owner was erased while it rang is free again`, async (t) => {
    const database = await open(t);
    const work = await scene(database);
    await work.add(wishes(1));
    const attemptId = (await work.claim(1)).starts[0]?.attemptId ?? '';
    await database.db.updateTable('contact_points').set({ value: '' }).execute();
    await work.record(attemptId, noAnswer);
    const facts = await database.db.transaction().execute((tx) => readNumberFacts(tx, [mobile(0)]));
    t.match(facts.get(mobile(0)), { isInFlight: false });
  });

  t.test(`${name}: numbers that come and go during a call do not mislead the walk`, async (t) => {
    const database = await open(t);
    const work = await scene(database);
    const [taskId = ''] = await work.add([{ phones: { business: mobile(1), home: mobile(2) } }]);
    const first = (await work.claim(1)).starts[0];
    t.equal(first?.number, mobile(1));
    // An import gives the contact a mobile number while the business number rings.
    await database.db.transaction().execute(async (tx) => {
      const point = { id: 'new-point', kind: 'phone', value: mobile(3), created_at_ms: NOW };
      const { businessUnitId } = work.writer;
      await tx
        .insertInto('contact_points')
        .values({ ...point, business_unit_id: businessUnitId })
        .execute();
      await tx.updateTable('contacts').set({ mobile_point_id: 'new-point' }).execute();
    });
    await work.record(first?.attemptId ?? '', noNumber);
    const second = (await work.claimNext(taskId)).starts[0];
    t.equal(second?.number, mobile(2), 'on from where the attempt was, not from its old place');
    t.match(second?.progress, { droppedForGood: [first?.target.contactPointId] });
    // And another takes the number away that rings now.
    await database.db.updateTable('contacts').set({ home_point_id: null }).execute();
    t.match((await work.record(second?.attemptId ?? '', noAnswer))?.next, { kind: 'finish' });
  });

  t.test(`${name}: a chain in work that may not go on now is ready again, not lost`, async (t) => {
    const database = await open(t);
    const work = await scene(database, { cap: 1 });
    const phones = { mobile: mobile(1), home: mobile(2) };
    const [first = '', second = ''] = await work.add([{ phones }, ...wishes(1, 10)]);
    const attemptId = (await work.claim(1)).starts[0]?.attemptId ?? '';
    await work.record(attemptId, noAnswer);
    const other = (await work.claim(1)).starts[0];
    t.equal(other?.task.id, second);
    t.match(await work.claimNext(first), { starts: [] }, 'another has taken the only place');
    t.match(await work.task(first), { state: 'ready', status: 'Pending' });
    await work.record(other?.attemptId ?? '', answered);
    const next = (await work.claim(1)).starts[0];
    t.equal(next?.number, mobile(2), 'and goes on where it stood');
    await work.record(next?.attemptId ?? '', noAnswer);

    const [third = ''] = await work.add([{ phones: { mobile: mobile(5), home: mobile(6) } }]);
    const ringing = (await work.claim(1)).starts[0]?.attemptId ?? '';
    await work.record(ringing, noAnswer);
    const { engagementId: id } = work;
    const set = (status: string) =>
      database.db.updateTable('engagements').set({ status }).where('id', '=', id).execute();
    await set('suspended');
    t.match(await work.claimNext(third), { starts: [] });
    t.match(await work.task(third), { state: 'ready' });
    await set('running');
    t.equal((await work.claim(1)).starts[0]?.number, mobile(6));
    t.same((await work.counts()).kept, (await work.counts()).counted);
  });

  t.test(`${name}: the promoter is exact, and ends what nothing may start any more`, async (t) => {
    const database = await open(t);
    const work = await scene(database, { config: onePerson });
    const later = (startMs: number, endMs: number) => ({ windows: [{ startMs, endMs }] });
    const [soon = '', late = '', short = ''] = await work.add([
      { ...wishes(1)[0], ...later(NOW + 1_000, NOW + DAY_MS), phones: { mobile: mobile(1) } },
      { ...later(NOW + 2_000, NOW + DAY_MS), phones: { mobile: mobile(2) } },
      { ...later(NOW, NOW + 1_500), phones: { mobile: mobile(3) } },
    ]);
    t.match(await work.promote(), { promoted: 0, nextDueAtMs: NOW + 1_000 });
    work.clock.nowMs = NOW + 999;
    t.match(await work.promote(), { promoted: 0, expired: 0 });
    work.clock.nowMs = NOW + 1_000;
    const { engagementId } = work;
    t.match(await work.promote(), { promoted: 1, engagementIds: [engagementId] });
    t.match(await work.task(soon), { state: 'ready' });
    work.clock.nowMs = NOW + 1_500;
    t.match(await work.promote(), { expired: 1, nextDueAtMs: NOW + 2_000 });
    t.match(await work.task(short), { state: 'final', status: 'Expired', last_result: 'Expired' });
    work.clock.nowMs = NOW + 2_000;
    t.match(await work.promote(), { promoted: 1, nextDueAtMs: NOW + DAY_MS });
    const tried = (await work.claim(1)).starts[0];
    await work.record(tried?.attemptId ?? '', noAnswer);
    work.clock.nowMs = NOW + DAY_MS;
    t.match(await work.promote(), { expired: 2 });
    t.match(await work.task(tried?.task.id ?? ''), { status: 'Complete', last_result: 'NoAnswer' });
    t.match(await work.task(late), { status: 'Expired' });
    t.same((await work.counts()).kept, (await work.counts()).counted);
  });

  t.test(`${name}: promoters that work side by side move every task once`, async (t) => {
    const database = await open(t);
    const one = await scene(database);
    const other = await scene(database, { ids: one.writer.ids });
    for (const [index, work] of [one, other].entries()) {
      const windows = [{ startMs: NOW + MINUTE_MS, endMs: NOW + DAY_MS }];
      await work.add(wishes(100, index * 1_000).map((wish) => ({ ...wish, windows })));
      work.clock.nowMs = NOW + MINUTE_MS;
    }
    const promoters = Array.from({ length: 12 }, (_, index) => (index % 2 === 0 ? one : other));
    const done = await Promise.all(promoters.map((work) => work.promote(20)));
    let promoted = done.reduce((sum, promotion) => sum + promotion.promoted, 0);
    for (let more = 1; more > 0; promoted += more) more = (await one.promote(50)).promoted;
    t.equal(promoted, 200);
    for (const work of [one, other]) {
      t.match((await work.counts()).kept, { ready: 100, waiting: 0 });
      t.same((await work.counts()).kept, (await work.counts()).counted);
    }
  });

  t.test(`${name}: what is asked all the time is found by an index, among many`, async (t) => {
    const database = await open(t);
    await fillWithTasks(database);
    const asked: AskedQuery[] = [];
    const recording = recordingQueries(database, asked);
    const work = await scene(recording);
    await work.add(wishes(2, 9_000));
    const [start] = (await work.claim(1)).starts;
    await work.record(start?.attemptId ?? '', noAnswer);
    await work.promote();
    const lease = { name: work.leaseName, owner: 'test', epoch: work.fence, expiresAtMs: 0 };
    const parts = { lease, clock: { now: () => NOW }, actor: 'test' };
    await recording.db.transaction().execute((tx) => takeOverTasks(tx, parts));
    const event = { streamId: 'task:1', type: 'test.done', actor: 'test' };
    asked.push(
      ...(await database.db
        .transaction()
        .execute((tx) => Promise.resolve(eventQueries(tx, 'bu', NOW, [event])))),
    );
    for (const [what, pattern, index] of HOT_QUERIES) {
      const query = asked.find((one) => pattern.test(one.sql));
      t.ok(query, `${what} is asked`);
      const plan = query === undefined ? '' : await planOf(database, query);
      t.match(plan, index, what);
      t.notMatch(plan, WHOLE_TABLE, what);
    }
  });

  t.test(
    `${name}: whatever happens in whatever order, nothing is lost and nothing doubled (law)`,
    async (t) => {
      await lawHolds(t, target);
    },
  );
}

type Step =
  | { readonly kind: 'add'; readonly numbers: readonly number[]; readonly opensInMinutes: number }
  | { readonly kind: 'claim'; readonly startsMax: number; readonly times: number }
  | { readonly kind: 'end'; readonly pick: number; readonly end: EndWish; readonly goesOn: boolean }
  | { readonly kind: 'pass'; readonly minutes: number }
  | { readonly kind: 'cancel'; readonly pick: number }
  | { readonly kind: 'suspend' }
  | { readonly kind: 'resume' };

const ends = fc.constantFrom(noAnswer, answered, unknown, noNumber, untried, {
  result: 'Busy',
  retryClass: 'busy',
} as const);
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('add' as const),
      numbers: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 3 }),
      opensInMinutes: fc.integer({ min: -30, max: 60 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('claim' as const),
      startsMax: fc.integer({ min: 1, max: 4 }),
      times: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      pick: fc.nat(),
      end: ends,
      goesOn: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      minutes: fc.integer({ min: 1, max: 400 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), pick: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom({ kind: 'suspend' as const }, { kind: 'resume' as const }),
  },
);

async function lawHolds(t: Test, target: StoreTarget): Promise<void> {
  const database = await target.place(t).open();
  let run = 0;
  const law = fc.asyncProperty(fc.array(steps, { maxLength: 25 }), async (script) => {
    run += 1;
    const reattempt = { reasons: ['noAnswer', 'failed'], retriesMax: 2, waitMinutes: 20 };
    const work = await scene(database, { cap: 3, config: { reattempt } });
    const life = new Life(work, run);
    for (const step of script) {
      await life.take(step);
      await life.check();
    }
  });
  await fc.assert(law, { numRuns: 12, endOnFailure: true });
  t.ok(run >= 12);
}

/** One engagement's life in a law: the steps, and what must be true after each. */
class Life {
  readonly #work: WorkScene;
  readonly #run: number;
  readonly #open: string[] = [];

  constructor(work: WorkScene, run: number) {
    this.#work = work;
    this.#run = run;
  }

  async take(step: Step): Promise<void> {
    const work = this.#work;
    switch (step.kind) {
      case 'add':
        await work.add([this.#wish(step)]);
        break;
      case 'claim': {
        const claims = Array.from({ length: step.times }, () => work.claim(step.startsMax));
        for (const { starts } of await Promise.all(claims)) {
          this.#open.push(...starts.map(({ attemptId }) => attemptId));
        }
        break;
      }
      case 'end': {
        const [attemptId] = this.#open.splice(step.pick % (this.#open.length || 1), 1);
        if (attemptId === undefined) break;
        const recorded = await work.record(attemptId, step.end);
        if (recorded?.next.kind !== 'goOn') break;
        const { starts } = await work.claimNext(recorded.taskId);
        this.#open.push(...starts.map((start) => start.attemptId));
        break;
      }
      case 'pass':
        work.clock.nowMs += step.minutes * MINUTE_MS;
        await work.promote();
        break;
      case 'cancel':
        await this.#cancel(step.pick);
        break;
      case 'suspend':
      case 'resume':
        await this.#setStatus(step.kind === 'resume' ? 'running' : 'suspended');
    }
  }

  #wish({ numbers, opensInMinutes }: Extract<Step, { kind: 'add' }>): TaskWish {
    const [first = 0, second, third] = numbers.map((number) => mobile(this.#run * 20 + number));
    const startMs = this.#work.clock.nowMs + opensInMinutes * MINUTE_MS;
    return {
      phones: {
        mobile: String(first),
        ...(second === undefined ? {} : { business: second }),
        ...(third === undefined ? {} : { home: third }),
      },
      windows: [{ startMs, endMs: startMs + 500 * MINUTE_MS }],
    };
  }

  async #cancel(pick: number): Promise<void> {
    const { database, engagementId } = this.#work;
    const tasks = await database.db
      .selectFrom('tasks')
      .select('id')
      .where('engagement_id', '=', engagementId)
      .orderBy('id')
      .execute();
    const task = tasks[pick % (tasks.length || 1)];
    if (task === undefined) return;
    const [{ outcome }, { starts }] = await Promise.all([
      cancelTask(this.#work.cancelContext(), task.id),
      this.#work.claim(1),
    ]);
    this.#open.push(...starts.map(({ attemptId }) => attemptId));
    const after = await this.#work.task(task.id);
    const expected = { cancelled: 'final', alreadyFinal: 'final', ending: 'working' };
    if (outcome === 'unknown' || after.state !== expected[outcome]) {
      throw new Error(`${outcome}, and the task is ${after.state}`);
    }
  }

  async #setStatus(status: string): Promise<void> {
    const { database, engagementId } = this.#work;
    await database.db
      .updateTable('engagements')
      .set({ status })
      .where('id', '=', engagementId)
      .execute();
  }

  async check(): Promise<void> {
    const { kept, counted } = await this.#work.counts();
    for (const [name, count] of Object.entries(counted)) {
      const said = kept[name as keyof typeof kept];
      if (said !== count) throw new Error(`${name}: kept ${said}, counted ${count}`);
    }
    if (counted.inFlight > 3) throw new Error(`${counted.inFlight} in flight, the cap is 3`);
    if (counted.inFlight !== this.#open.length) throw new Error('an attempt was lost or doubled');
    if (counted.working !== counted.inFlight) throw new Error('a task in work has no attempt');
    const { database, engagementId } = this.#work;
    const { rows } = await sql<{ broken: number }>`select
      (select count(*) from attempts a left join number_guards g on g.in_flight_attempt_id = a.id
        where a.engagement_id = ${engagementId} and a.ended_at_ms is null and g.number is null)
      + (select count(*) from number_guards g join attempts a on a.id = g.in_flight_attempt_id
        where a.engagement_id = ${engagementId} and a.ended_at_ms is not null)
      + (select count(*) from (select task_id from attempts
        where engagement_id = ${engagementId} and ended_at_ms is null
        group by task_id having count(*) > 1) twice)
      + (select count(*) from tasks where engagement_id = ${engagementId}
        and state = 'waiting' and due_at_ms >= expires_at_ms) as broken`.execute(database.db);
    const doubled = await sql<{ stream_id: string }>`select stream_id from events
      where type = 'task.finished' group by stream_id having count(*) > 1`.execute(database.db);
    if (doubled.rows.length > 0) throw new Error('a task ended twice');
    if (rows[0]?.broken !== 0) throw new Error('guards, attempts and tasks do not agree');
  }
}

interface AskedQuery {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

/** By what their text says, with the index that answers them on both databases. */
const HOT_QUERIES: readonly (readonly [what: string, sql: RegExp, index: RegExp])[] = [
  ['the head of the ready', /"state" = 'ready' and "engagement_id"/, /tasks_ready\b/],
  ['what is due', /select "id".*"state" = 'waiting' and "due_at_ms"/, /tasks_waiting\b/],
  ['what has expired', /select "id".*"state" = 'ready' and "expires_at_ms"/, /tasks_ready_expiry/],
  ['the next due time', /"state" = 'waiting' order by "due_at_ms"/, /tasks_waiting\b/],
  ['the next expiry', /"state" = 'ready' order by "expires_at_ms"/, /tasks_ready_expiry\b/],
  ['the tasks left in work', /"state" = 'working' and \("owner_epoch"/, /tasks_working\b/],
  ['the last number of a stream', /max\(known\.stream_seq\)/, /events_by_stream\b/],
  [
    'the contacts of the head',
    /^select "id", "business_unit_id", "mobile_point_id"/,
    /contacts_pkey|sqlite_autoindex_contacts_1/,
  ],
  [
    'the numbers of the head',
    /left join "number_guards"/,
    /contact_points_pkey[^]*number_guards_pkey|contact_points_1[^]*number_guards_1/,
  ],
  [
    'the guard of an attempt',
    /update "number_guards".*"in_flight_attempt_id" =/,
    /number_guards_in_flight/,
  ],
];

const WHOLE_TABLE =
  /Seq Scan on (?:tasks|attempts|events|contacts|contact_points)|SCAN (?:tasks|attempts|events|contacts|contact_points)(?! USING)/;

/** Enough rows, with statistics, that a planner would rather not look at all of them. */
async function fillWithTasks(database: OpenDatabase): Promise<void> {
  for (let engagement = 0; engagement < 3; engagement += 1) {
    const work = await scene(database, { cap: 200 });
    for (let batch = 0; batch < 4; batch += 1) {
      const windows = [{ startMs: NOW + (batch % 2) * HOUR_MS, endMs: NOW + DAY_MS }];
      const many = wishes(400, 10_000 + engagement * 10_000 + batch * 400);
      await work.add(many.map((wish) => ({ ...wish, windows })));
    }
    const { starts } = await work.claim(100);
    for (const { attemptId } of starts.slice(10)) await work.record(attemptId, answered);
  }
  const guards = Array.from({ length: 5_000 }, (_, index) => ({
    ...{ number: `+999${index}`, in_flight_attempt_id: `attempt-${index}` },
    ...{ last_attempt_at_ms: NOW, previous_attempt_at_ms: 0 },
  }));
  await database.db.insertInto('number_guards').values(guards).execute();
  await sql`analyze`.execute(database.db);
}

function recordingQueries(database: OpenDatabase, asked: AskedQuery[]): OpenDatabase {
  const { db } = database;
  const plugin: KyselyPlugin = {
    transformQuery: ({ node, queryId }) => {
      asked.push(db.getExecutor().compileQuery(node, queryId));
      return node;
    },
    transformResult: ({ result }) => Promise.resolve(result),
  };
  return { ...database, db: db.withPlugin(plugin) };
}

async function planOf({ kind, db }: OpenDatabase, query: AskedQuery): Promise<string> {
  const explain = kind === 'sqlite' ? 'explain query plan' : 'explain';
  const compiled = CompiledQuery.raw(`${explain} ${query.sql}`, [...query.parameters]);
  const { rows } = await db.executeQuery<Record<string, unknown>>(compiled);
  return rows.map((row) => row['detail'] ?? row['QUERY PLAN']).join('\n');
}
