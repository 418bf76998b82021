/** Goal: representatives are reserved before anybody is rung for them, and nobody is rung for nobody. */
import assert from 'node:assert/strict';
import t from 'tap';
import { changeEngagement } from '../../dialer/engagements/change-settings.ts';
import { pacingAccount, renderPacing } from '../../dialer/explain/pacing-account.ts';
import { readPacing } from '../../dialer/pacing-log/read-pacing.ts';
import { createEngagement } from '../../dialer/engagements/create-engagement.ts';
import { MINUTE_MS } from '../support/dialer-world.ts';
import { PacedWorld } from '../support/paced-world.ts';
import type { FarEnd } from '../support/simulated-gateway.ts';

t.setTimeout(120_000);

const PERSON: FarEnd = { does: 'answer', afterMs: 3_000, hangUpAfterMs: 20_000, verdict: 'human' };
const MACHINE: FarEnd = { does: 'answer', afterMs: 3_000, verdict: 'machine' };
const BUSY: FarEnd = { does: 'reject', statusCode: 486, afterMs: 1_000 };
const ANSWERING = {
  ...{ amdAction: 'hangup', customerWaitThresholdSeconds: 6 },
  abandonedMessage: { text: 'This was Example Ltd. Nobody was free to talk to you.' },
};

const progressive = {
  engagementType: 'repLed',
  mode: { kind: 'progressive' },
  answering: ANSWERING,
};

t.test('[DM-17] [DM-20] [WS-16] one call for each who is reserved, and never before', async (t) => {
  const paced = await PacedWorld.open(t, { farEnd: () => PERSON });
  const { world } = paced;
  const id = await world.engagement({ config: progressive });
  const tasks = await world.tasks(id, world.people(12));
  await world.advance(5_000);
  t.equal(world.gateway.dialled.length, 0, 'nobody is there: nobody is rung');
  paced.wrapUpAtOnce();
  for (const name of ['ada', 'bob', 'eve']) await paced.representative(id, name);
  await world.advance(3_000);
  t.equal(world.gateway.inFlight, 3, 'three representatives, three calls');
  await world.advance(5 * MINUTE_MS);
  t.equal(world.gateway.inFlightMax, 3);
  t.equal(world.gateway.dialled.length, 12);
  for (const task of tasks) {
    t.match(await world.task(task), { status: 'Complete', last_result: 'LiveAnswer' });
  }
  t.ok(
    world.gateway.dialled.every(({ lobbyId }) => lobbyId !== null),
    'each INVITE is for a lobby that was ready',
  );
  await world.advance(MINUTE_MS);
  t.equal(world.gateway.lobbies.size, 0, 'with nothing left to dial they are let go');
  await world.check();
});

t.test('[DM-21] [DM-26] a machine is never bridged, and its representative is kept', async (t) => {
  let dialled = 0;
  const farEnd = (): FarEnd =>
    (dialled += 1) % 3 === 0 ? PERSON : dialled % 3 === 1 ? MACHINE : BUSY;
  const paced = await PacedWorld.open(t, { farEnd });
  const { world } = paced;
  const id = await world.engagement({ config: progressive });
  const tasks = await world.tasks(id, world.people(9));
  paced.wrapUpAtOnce();
  const ada = await paced.representative(id, 'ada');
  await world.advance(4 * MINUTE_MS);
  const results = await Promise.all(
    tasks.map(async (task) => (await world.task(task)).last_result),
  );
  const count = (result: string): number => results.filter((one) => one === result).length;
  t.same(
    [count('LiveAnswer'), count('AnsweringMachineHangup'), count('Busy')],
    [3, 3, 3],
    String(results),
  );
  const told = await world.told(`representative:${ada}`);
  const times = (type: string): number => told.filter((one) => one === type).length;
  t.equal(times('representative.connected'), 3, 'people only');
  t.equal(times('representative.lobbyCalled'), times('representative.reserved'));
  t.equal(times('representative.reserved'), 3, 'kept through machines and busy lines');
  await world.check();
});

t.test('[DM-28] a message is left in the last loop, and in no loop before', async (t) => {
  const paced = await PacedWorld.open(t, { farEnd: () => MACHINE });
  const { world } = paced;
  const answering = {
    ...ANSWERING,
    ...{ amdAction: 'leaveMessageOnLastAttemptOnly', amdMessage: 'Please call us back.' },
  };
  const reattempt = { reasons: ['answeringMachine'], retriesMax: 2, waitMinutes: 20 };
  const id = await world.engagement({ config: { ...progressive, answering, reattempt } });
  const [task = ''] = await world.tasks(id, world.people(1));
  await paced.representative(id, 'ada');
  await world.advance(90 * MINUTE_MS);
  t.same(
    (await world.attempts(task)).map(({ result }) => result),
    ['AnsweringMachineHangup', 'AnsweringMachineHangup', 'AnsweringMachine'],
  );
  await world.check();
});

t.test('a representative who is lost while it rings: the call is taken back', async (t) => {
  const slow: FarEnd = { ...PERSON, afterMs: 8_000 };
  const paced = await PacedWorld.open(t, { farEnd: () => slow });
  const { world } = paced;
  const id = await world.engagement({ config: progressive });
  const [task = ''] = await world.tasks(id, world.people(1));
  const ada = await paced.representative(id, 'ada');
  await world.advance(4_000);
  t.equal(world.gateway.inFlight, 1);
  const lobby = world.gateway.lobbyOf(ada);
  world.gateway.lobbyLeaves(lobby?.lobbyId ?? '', 'representative');
  await world.advance(3_000);
  t.equal(world.gateway.inFlight, 0);
  t.match(await world.attempts(task), [{ result: 'NoAnswer', sub_reason: 'dialer_recall' }]);
  await world.check();
});

t.test(
  '[DM-31] [DM-33] [DM-24] predictive: who is nobody’s turn is abandoned, and flagged',
  async (t) => {
    const paced = await PacedWorld.open(t, { farEnd: () => PERSON });
    const { world } = paced;
    const config = {
      ...{ engagementType: 'repLed', mode: { kind: 'predictive' } },
      answering: { ...ANSWERING, stopRule: { percent: 100, lookbackMinutes: 60 } },
    };
    const id = await world.engagement({ config });
    const tasks = await world.tasks(id, world.people(30));
    paced.wrapUpAtOnce();
    for (const name of ['ada', 'bob']) await paced.representative(id, name);
    await world.advance(10 * MINUTE_MS);
    const deliveries = (await Promise.all(tasks.map((task) => world.deliveries(task)))).flat();
    const flagged = deliveries.filter((one) => one.exceeded_customer_wait_threshold === 1);
    const joined = await world.db.selectFrom('attempts').selectAll().execute();
    for (const delivery of deliveries) {
      const attempt = joined.find(({ delivery_id }) => delivery_id === delivery.id);
      assert(attempt !== undefined);
      const isAbandoned = delivery.sub_reason === 'abandoned_by_system';
      t.equal(delivery.exceeded_customer_wait_threshold, isAbandoned ? 1 : 0);
      if (attempt.result === 'LiveAnswer') t.equal(attempt.joined_at_ms === null, isAbandoned);
    }
    t.ok(deliveries.length >= 20, `${deliveries.length} calls, ${flagged.length} abandoned`);
    await world.check();
  },
);

t.test(
  '[DM-34] [DM-35] [CFG-17] too many long waits stop it, until somebody resumes it',
  async (t) => {
    const paced = await PacedWorld.open(t, { farEnd: () => PERSON });
    const { world } = paced;
    // Nobody can be joined: the phones of the lobby do not answer any more once it dials.
    const stopRule = { percent: 3, lookbackMinutes: 60 };
    const id = await world.engagement({
      config: { ...progressive, answering: { ...ANSWERING, stopRule } },
    });
    await world.tasks(id, world.people(60));
    paced.wrapUpAtOnce();
    const ada = await paced.representative(id, 'ada');
    world.gateway.onDial = () => {
      if (world.gateway.dialled.length % 10 !== 0) return;
      // Lost when the person has answered, and before they are joined.
      world.clock.setTimeout(() => {
        const lobby = world.gateway.lobbyOf(ada);
        if (lobby !== undefined) world.gateway.lobbyLeaves(lobby.lobbyId, 'representative');
        world.gateway.phonesAnswer = false;
        world.clock.setTimeout(() => (world.gateway.phonesAnswer = true), 20_000);
      }, 3_005);
    };
    await world.advance(20 * MINUTE_MS);
    const row = await world.engagementRow(id);
    t.match(row, { status: 'suspended', suspension_type: 'exceededCustomerWaitThreshold' });
    const { dialled } = world.gateway;
    const before = dialled.length;
    await world.advance(90 * MINUTE_MS);
    t.equal(dialled.length, before, 'it stays stopped, whatever the look-back says by now');
    t.equal(world.gateway.lobbies.size, 0, 'and nobody waits in the lobby for it');
    const request = { engagementId: id, businessUnitId: world.businessUnitId, actor: 'operator' };
    t.equal(await world.dialer.resume(request), true);
    await world.advance(MINUTE_MS);
    t.ok(dialled.length > before, 'started again by a person');
    await world.check();
  },
);

t.test('[DM-25] half of the queue is held at most', async (t) => {
  const paced = await PacedWorld.open(t, { farEnd: () => ({ does: 'ring' }) });
  const { world } = paced;
  const mode = { kind: 'progressive', queueAllotmentPercent: 50 };
  const id = await world.engagement({ config: { ...progressive, mode } });
  await world.tasks(id, world.people(20));
  for (let n = 0; n < 10; n += 1) await paced.representative(id, `r${n}`);
  await world.advance(MINUTE_MS);
  t.equal(world.gateway.inFlightMax, 5);
  t.equal(world.dialer.desk.held(id).length, 5);
});

t.test('[WS-11] [DM-43] who leaves is not dialled for, and a stop lets everybody go', async (t) => {
  const paced = await PacedWorld.open(t, { farEnd: () => PERSON });
  const { world } = paced;
  const id = await world.engagement({ config: progressive });
  await world.tasks(id, world.people(30));
  paced.wrapUpAtOnce();
  const ada = await paced.representative(id, 'ada');
  await paced.representative(id, 'bob');
  await world.advance(2_000);
  await paced.setPresence(ada, 'lunch');
  await world.advance(MINUTE_MS);
  t.equal(world.gateway.inFlightMax, 2);
  t.ok(world.gateway.inFlight <= 1, 'the other one goes on alone');
  const request = { engagementId: id, businessUnitId: world.businessUnitId, actor: 'operator' };
  await world.dialer.suspend({ ...request, suspension: { type: 'apiAction', reason: 'lunch' } });
  const { length } = world.gateway.dialled;
  await world.advance(MINUTE_MS);
  t.equal(world.gateway.dialled.length, length);
  t.equal(world.gateway.lobbies.size, 0);
  await world.check();
});

t.test('[ORD-01] [ORD-02] [ORD-03] live: critical first, and equals take turns', async (t) => {
  const paced = await PacedWorld.open(t, { farEnd: () => BUSY });
  const { world } = paced;
  const first = await world.engagement({ config: progressive });
  const { queue_id: queueId, workstream_id: workstreamId } = await world.engagementRow(first);
  const beside = async (priority: string): Promise<string> => {
    const config = { ...progressive, priority };
    const id = await createEngagement(world.writer, {
      ...{ name: `beside ${priority}`, workstreamId, queueId, config },
    });
    await world.dialer.engagementChanged(id);
    return id;
  };
  const second = await beside('normal');
  const critical = await beside('critical');
  await world.tasks(first, world.people(6, 100));
  await world.tasks(second, world.people(6, 200));
  await world.tasks(critical, world.people(3, 300));
  await paced.representative(first, 'ada');
  await world.advance(3 * MINUTE_MS);
  const order = world.gateway.dialled.map(({ destination }) => destination.slice(-3, -2));
  t.equal(order.slice(0, 3).join(''), '333', 'the critical ones before any other');
  const turns = order.slice(3).join('');
  t.match(turns, /^(?:12){6}$|^(?:21){6}$/, `equals alternate: ${turns}`);
  await world.tasks(critical, world.people(1, 310));
  await world.tasks(first, world.people(2, 110));
  await world.advance(MINUTE_MS);
  t.equal(
    world.gateway.dialled[15]?.destination.slice(-3),
    '310',
    'and again, as soon as it has one',
  );
  await world.check();
});

const agentLed = (mode: Readonly<Record<string, unknown>>) => ({
  config: { engagementType: 'aiLed', mode },
});

t.test(
  '[DM-18] [DM-19] [WS-20] AI-led: so many calls for each, joined when the agent asks',
  async (t) => {
    const paced = await PacedWorld.open(t, { farEnd: () => PERSON, withAgent: true });
    const { world } = paced;
    world.gateway.agent = { does: 'escalate', afterMs: 5_000 };
    const id = await world.engagement(agentLed({ kind: 'progressive', maxCallsPerRep: 3 }));
    await world.tasks(id, world.people(20));
    paced.wrapUpAtOnce();
    for (const name of ['ada', 'bob']) await paced.representative(id, name);
    await world.advance(4_000);
    t.equal(world.gateway.inFlight, 6, 'two representatives, three calls each');
    t.equal(world.gateway.lobbies.size, 0, 'and nobody is reserved for them');
    await world.advance(MINUTE_MS);
    t.equal(world.gateway.inFlightMax, 6);
    const joined = await world.db
      .selectFrom('attempts')
      .selectAll()
      .where('joined_at_ms', 'is not', null)
      .execute();
    t.ok(joined.length >= 2, `${joined.length} were joined by a representative`);
    t.ok(
      joined.every((one) => (one.escalated_at_ms ?? Infinity) < (one.joined_at_ms ?? 0)),
      'after their agent had asked for one, and without being asked themselves',
    );
    await world.check();
  },
);

t.test('[DM-04] Copilot: whoever wants a person is offered as in any queue', async (t) => {
  const long: FarEnd = { ...PERSON, hangUpAfterMs: 120_000 };
  const paced = await PacedWorld.open(t, { farEnd: () => long, withAgent: true });
  const { world } = paced;
  world.gateway.agent = { does: 'escalate', afterMs: 1_000 };
  const id = await world.engagement(agentLed({ kind: 'copilot', maxConcurrentCalls: 1 }));
  const [task = ''] = await world.tasks(id, world.people(1));
  const { desk } = world.dialer;
  const offered: string[] = [];
  desk.subscribe(({ work, representativeId, invitation }) => {
    if (work !== 'invited' || invitation === null) return;
    offered.push(representativeId);
    // The first who is asked declines.
    if (offered.length === 1) desk.reject(representativeId, invitation.id);
    else desk.accept(representativeId, invitation.id);
  });
  await world.advance(10_000);
  t.same(offered, [], 'nobody is there: the customer stays with the agent');
  const ada = await paced.representative(id, 'ada');
  await world.advance(5_000);
  t.same(offered, [ada], 'she has declined, and is not asked again at once');
  const bob = await paced.representative(id, 'bob');
  await world.advance(5_000);
  t.same(offered, [ada, bob]);
  const [attempt] = await world.attempts(task);
  t.ok((attempt?.joined_at_ms ?? 0) > (attempt?.escalated_at_ms ?? Infinity));
  t.equal(desk.whoHas(attempt?.id ?? ''), offered[1]);
  await world.check();
});

t.test(
  '[DM-36] [DM-37] [DM-38] [DM-39] throttles slow an engagement down, and up again',
  async (t) => {
    for (const [metric, threshold] of [
      ['abandonmentRate', 10],
      ['averageWaitTime', 5],
      ['escalationCount', 1],
      ['openEscalations', 1],
    ] as const) {
      const paced = await PacedWorld.open(t, { farEnd: () => PERSON, withAgent: true });
      const { world } = paced;
      // Nobody ever takes one: the customers wait, and hang up.
      world.gateway.agent = { does: 'escalate', afterMs: 1_000 };
      const rules = [{ metric, threshold, periodMinutes: 1 }];
      const id = await world.engagement({
        config: {
          ...agentLed({ kind: 'copilot', maxConcurrentCalls: 4 }).config,
          throttle: { rules, adjustPercent: 50 },
        },
      });
      await world.tasks(id, world.people(80));
      await world.advance(59_000);
      t.equal(world.gateway.inFlight, 4, metric);
      await world.advance(31_000);
      t.ok(world.gateway.inFlight <= 2, `${metric}: ${world.gateway.inFlight} calls of four`);
      const steps = world.news.filter(({ type }) => type === 'engagement.throttled');
      t.match(steps[0], { step: { direction: 'slower', factor: 0.5, by: [metric] } });
      // From now on nobody asks for a person: what was measured passes out of the period.
      world.gateway.agent = { does: 'talk', forMs: 15_000 };
      await world.advance(3 * MINUTE_MS);
      const after = world.news.filter(({ type }) => type === 'engagement.throttled');
      t.match(after.at(-1), { step: { direction: 'faster' } }, `${metric}: faster again`);
      world.kill();
    }
  },
);

t.test('[DM-23] a restart grants no new budget, whatever its window', async (t) => {
  const { world } = await PacedWorld.open(t);
  const predictive = { ...progressive, mode: { kind: 'predictive' } };
  const packs = ['us', 'uk', 'ca'] as const;
  const DAY_MS = 24 * 60 * MINUTE_MS;
  const made: Record<string, string> = {};
  for (const pack of packs) {
    const answering = { ...ANSWERING, stopRule: { percent: 5 } };
    made[pack] = await world.engagement({
      config: { ...predictive, answering, rulePacks: [pack] },
    });
  }
  // 40 days later: the second block of 30 days, the 11th of April.
  world.kill();
  world.clock.advanceTo(world.clock.now() + 40 * DAY_MS);
  const nowMs = world.nowMs;
  /** So many people who answered `agoMs` ago, of whom so many were abandoned. */
  const answered = async (id: string, agoMs: number, live: number, lost: number): Promise<void> => {
    const row = await world.engagementRow(id);
    const [task = ''] = await world.tasks(id, world.people(1, (agoMs % 1_000) + 400));
    const rows = Array.from({ length: live }, (_, n) => ({
      ...{ id: world.ids.id(), business_unit_id: world.businessUnitId, engagement_id: id },
      ...{ task_id: task, batch_id: null, contact_id: task, contact_point_id: null, seq_no: n + 1 },
      ...{ channel: 'voice', status: 'Complete', dial_mode: 'predictive', queue_id: row.queue_id },
      ...{ result: 'LiveAnswer', result_at_ms: nowMs - agoMs },
      ...{ exceeded_customer_wait_threshold: n < lost ? 1 : 0, speech_detected: 1 },
      ...{ created_at_ms: nowMs - agoMs, updated_at_ms: nowMs - agoMs },
    }));
    await world.db.insertInto('deliveries').values(rows).execute();
  };
  for (const id of Object.values(made)) {
    await answered(id, 3 * 60 * MINUTE_MS, 60, 20);
    await answered(id, 2 * DAY_MS, 50, 5);
    await answered(id, 11.5 * DAY_MS, 40, 4); // March, and the first block
    await answered(id, 39 * DAY_MS, 30, 30);
  }
  await world.start();
  const windows = (): object[] =>
    packs.map((pack) => {
      const of = world.dialer.standing.pacing.find(
        ({ engagementId }) => engagementId === made[pack],
      );
      return of?.windows[0] ?? {};
    });
  const spent = [
    { window: 'us', live: 110, abandoned: 25, ratioMax: 0.03 },
    { window: 'uk', live: 60, abandoned: 20, ratioMax: 0.03 },
    { window: 'ca', live: 110, abandoned: 25, ratioMax: 0.05 },
  ];
  t.same(windows(), spent);
  world.kill();
  await world.start();
  t.same(windows(), spent, 'nor does the next one');
  // An edit is no new budget either: what was counted is held against the other limit.
  const id = made['uk'] ?? '';
  const { version } = await world.engagementRow(id);
  const patch = { config: { rulePacks: ['ca', 'uk'], ringTimeoutMs: 20_000 } };
  await world.db
    .transaction()
    .execute((tx) => changeEngagement(tx, world.writer, { id, version, patch }));
  await world.dialer.engagementChanged(id);
  const after = world.dialer.standing.pacing.find(({ engagementId }) => engagementId === id);
  t.same(after?.windows, [{ ...spent[2], window: 'ca' }, spent[1]]);
});

t.test('[DM-23] the log tells why so many calls were started, in few rows', async (t) => {
  const farEnd = (): FarEnd => ({ does: 'ring' });
  const paced = await PacedWorld.open(t, { farEnd });
  const { world } = paced;
  const id = await world.engagement({ config: progressive });
  await world.tasks(id, world.people(30));
  for (const name of ['ada', 'bob']) await paced.representative(id, name);
  await world.advance(10 * MINUTE_MS);
  await world.dialer.pacingWritten();
  const asked = { businessUnitId: world.businessUnitId, engagementId: id, limit: 200 };
  const rows = await readPacing(world.database, asked);
  const decided = world.news.filter(({ type }) => type === 'pacing.decided').length;
  t.ok(decided > 500, `${decided} decisions`);
  t.ok(rows.length >= 9 && rows.length <= 30, `${rows.length} rows of ten minutes`);
  t.equal(
    rows.reduce((sum, row) => sum + row.decisions, 0),
    decided,
    'each decision is in one of them',
  );
  t.equal(
    rows.reduce((sum, row) => sum + row.started, 0),
    world.gateway.dialled.length,
  );
  for (const [at, row] of rows.entries()) {
    const newer = rows[at - 1];
    t.ok(row.from_ms <= row.until_ms && row.until_ms - row.from_ms <= MINUTE_MS);
    if (newer !== undefined) t.ok(newer.from_ms >= row.until_ms);
    t.ok(['representatives', 'noRepresentatives'].includes(row.binding), row.binding);
  }
  t.match(JSON.parse(rows[0]?.inputs ?? ''), { mode: 'progressive', callsPerRep: 1 });
  const account = await pacingAccount(world.database, id, world.nowMs);
  assert(account !== undefined, 'it is there');
  const text = renderPacing(account);
  t.match(text, /every representative who is free has a call \(representatives\)/);
  const earlier = rows[4]?.until_ms ?? 0;
  const until = await readPacing(world.database, {
    ...asked,
    ...{ fromMs: earlier, beforeMs: earlier + 1 },
  });
  t.ok(until.every((row) => row.from_ms <= earlier && row.until_ms >= earlier) && until.length > 0);
  // A restart loses nothing of it; after two weeks it is dropped.
  world.kill();
  world.clock.advanceTo(world.clock.now() + 15 * 24 * 60 * MINUTE_MS);
  await world.start();
  await world.settle();
  t.equal((await readPacing(world.database, asked)).length, 0);
});
