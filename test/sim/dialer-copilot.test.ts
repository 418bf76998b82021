/** Goal: a Copilot engagement dials what it may, when it may, and never more than that. */
import fc from 'fast-check';
import t from 'tap';
import { upsertContacts } from '../../dialer/contacts/upsert-contacts.ts';
import { DialerWorld, HOUR_MS, MINUTE_MS, WORLD_EPOCH_MS } from '../support/dialer-world.ts';
import type { FarEnd } from '../support/simulated-gateway.ts';

const BUSY: FarEnd = { does: 'reject', statusCode: 486 };
const NOBODY: FarEnd = { does: 'ring' };
const HOURS = { monday: [{ from: '16:00', to: '17:00' }] };
/** Contacts `p100`, `p101` … have these numbers. */
const numberOf = (n: number): string => `+1555555${String(n).padStart(4, '0')}`;

t.test('[DM-01] a cap of 501 calls is refused, 500 is taken', async (t) => {
  const world = await DialerWorld.open(t);
  await t.rejects(world.engagement({ cap: 501 }), { code: 'REQUEST_INVALID' });
  await t.rejects(world.engagement({ cap: 0 }), { code: 'REQUEST_INVALID' });
  t.type(await world.engagement({ cap: 500 }), 'string');
});

t.test('[DM-01] with a cap of 3 there are never more than 3 calls, and there are 3', async (t) => {
  const world = await DialerWorld.open(t);
  await world.start();
  const ids = await world.tasks(await world.engagement({ cap: 3 }), world.people(20));
  await world.advance(5 * MINUTE_MS);
  t.equal(world.gateway.inFlightMax, 3);
  t.equal(world.gateway.dialled.length, 20);
  for (const id of ids) t.match(await world.task(id), { state: 'final', status: 'Complete' });
  await world.check();
  t.equal(world.audited, 20, 'and the audit has seen each INVITE');
});

t.test('[DM-01] the cap is never passed and every task ends once, whoever answers', async (t) => {
  const farEnds = fc.constantFrom<FarEnd>(
    ...[BUSY, NOBODY, { does: 'answer' } as const, { does: 'reject', statusCode: 404 } as const],
    { does: 'answer', afterMs: 500, hangUpAfterMs: 100 },
  );
  const worlds = fc.record({
    cap: fc.integer({ min: 1, max: 6 }),
    script: fc.array(farEnds, { minLength: 1, maxLength: 12 }),
    tasks: fc.integer({ min: 1, max: 10 }),
    retriesMax: fc.integer({ min: 0, max: 2 }),
  });
  const holds = fc.asyncProperty(worlds, async ({ cap, script, tasks, retriesMax }) => {
    const farEnd = (destination: string, nth: number): FarEnd =>
      script[(Number(destination.slice(-2)) + nth) % script.length] ?? BUSY;
    const world = await DialerWorld.open(t, { farEnd, limits: { numberGapMinMs: 0 } });
    await world.start();
    const reattempt = { reasons: ['busy', 'noAnswer'], retriesMax, waitMinutes: 1 };
    const id = await world.engagement({ cap, config: { reattempt } });
    const ids = await world.tasks(id, world.people(tasks));
    await world.advance(2 * HOUR_MS);
    await world.check();
    world.kill();
    for (const task of ids) {
      if ((await world.task(task)).state !== 'final') return false;
    }
    return world.gateway.inFlightMax <= cap;
  });
  await fc.assert(holds, { numRuns: 8 });
  t.pass();
});

t.test('a number is not rung by two engagements at once, nor before its gap is over', async (t) => {
  const world = await DialerWorld.open(t);
  await world.start();
  const [first, second] = [await world.engagement(), await world.engagement()];
  await world.tasks(first, world.people(1));
  await world.advance(1_000);
  const [waiting = ''] = await world.tasks(second, world.people(1));
  await world.advance(MINUTE_MS);
  t.match(await world.task(waiting), { state: 'waiting' });
  t.strictSame(await world.told(`task:${waiting}`), ['task.created', 'task.postponed']);
  await world.advance(HOUR_MS);
  const [one, two] = world.gateway.dialsTo(numberOf(100));
  t.equal((two?.atMs ?? 0) - (one?.atMs ?? 0), 15 * MINUTE_MS);
  await world.check();
});

t.test('two tasks to one number claimed at once: the second waits for the gap', async (t) => {
  const world = await DialerWorld.open(t, { limits: { numberGapMinMs: 0 } });
  await world.start();
  const twins = ['a', 'b'].map((uniqueIdentifier) => {
    return { uniqueIdentifier, phones: { mobile: '+15555550100' } };
  });
  const ids = await world.tasks(await world.engagement(), twins);
  await world.advance(5 * MINUTE_MS);
  t.equal(world.gateway.dialled.length, 2);
  for (const id of ids) t.match(await world.task(id), { status: 'Complete' });
});

t.test('[DM-43] a suspension starts nothing more and leaves live calls alone', async (t) => {
  const world = await DialerWorld.open(t);
  const dialer = await world.start();
  const id = await world.engagement({ cap: 2 });
  await world.tasks(id, world.people(6));
  await world.advance(1_000);
  const suspension = { type: 'adminAction', reason: 'the script is wrong' } as const;
  t.equal(await dialer.suspend({ engagementId: id, suspension, actor: 'operator:ann' }), true);
  await world.advance(10 * MINUTE_MS);
  t.equal(world.gateway.dialled.length, 2);
  t.match(await world.engagementRow(id), {
    status: 'suspended',
    suspension_type: 'adminAction',
    suspension_reason: 'the script is wrong',
    in_flight: 0,
    tasks_final: 2,
    tasks_ready: 4,
  });
  const cancelled = world.gateway.commands.filter(({ type }) => type === 'attempt.cancel');
  t.equal(cancelled.length, 0, 'live calls were let to their own end');
  t.equal(await dialer.suspend({ engagementId: id, suspension, actor: 'operator:bob' }), false);

  t.equal(await dialer.resume({ engagementId: id, actor: 'operator:ann' }), true);
  await world.advance(10 * MINUTE_MS);
  t.equal(world.gateway.dialled.length, 6);
  t.strictSame(await world.told(`engagement:${id}`), [
    'engagement.created',
    'engagement.suspended',
    'engagement.resumed',
  ]);
  await world.check();
});

t.test(
  '[DM-43] a suspension written by somebody else is seen by the very next claim',
  async (t) => {
    const world = await DialerWorld.open(t);
    await world.start();
    const id = await world.engagement({ cap: 1 });
    await world.tasks(id, world.people(3));
    await world.advance(1_000);
    await world.db
      .updateTable('engagements')
      .set((eb) => ({ status: 'suspended', version: eb('version', '+', 1) }))
      .where('id', '=', id)
      .execute();
    await world.advance(10 * MINUTE_MS);
    t.equal(world.gateway.dialled.length, 1);
    t.match(world.news.filter(({ type }) => type === 'engagement.suspended').length, 1);
  },
);

t.test('[DM-43] a chain suspended between two numbers goes back and goes on later', async (t) => {
  const world = await DialerWorld.open(t, { farEnd: () => BUSY });
  const dialer = await world.start();
  const id = await world.engagement({ config: { phoneTypes: ['mobile', 'home'] } });
  const phones = { mobile: numberOf(1), home: numberOf(2) };
  const [task = ''] = await world.tasks(id, [{ uniqueIdentifier: 'a', phones }]);
  await world.settle();
  const suspension = { type: 'apiAction', reason: 'by the test' } as const;
  await dialer.suspend({ engagementId: id, suspension, actor: 'key:1' });
  await world.advance(MINUTE_MS);
  t.match(await world.task(task), { state: 'ready', status: 'Pending', attempt_count: 1 });
  t.equal(dialer.live, 0);
  await dialer.resume({ engagementId: id, actor: 'key:1' });
  await world.advance(MINUTE_MS);
  t.match(await world.task(task), { status: 'Complete', last_result: 'Busy', attempt_count: 2 });
  await world.check();
});

t.test('[DM-03] a closed queue starts nothing until it opens, to the second', async (t) => {
  const world = await DialerWorld.open(t);
  await world.start();
  await world.tasks(await world.engagement({ queue: { hours: HOURS } }), world.people(2));
  await world.advance(HOUR_MS - 1);
  t.equal(world.gateway.dialled.length, 0);
  await world.advance(1);
  t.strictSame(
    world.gateway.dialled.map(({ atMs }) => atMs - WORLD_EPOCH_MS),
    [HOUR_MS, HOUR_MS],
  );
});

t.test('[DM-03] a queue that closes while it is dialled starts nothing more', async (t) => {
  const world = await DialerWorld.open(t);
  await world.start();
  const hours = { monday: [{ from: '14:00', to: '15:01' }] };
  await world.tasks(await world.engagement({ cap: 1, queue: { hours } }), world.people(30));
  await world.advance(HOUR_MS);
  const last = world.gateway.dialled.at(-1);
  t.ok(world.gateway.dialled.length > 5);
  t.ok(last !== undefined && last.atMs < WORLD_EPOCH_MS + MINUTE_MS);
});

t.test('[DM-03] queue hours can be ignored in Copilot mode, and in no other place', async (t) => {
  const world = await DialerWorld.open(t);
  await world.start();
  const engagement = await world.engagement({ ignoreQueueHours: true, queue: { hours: HOURS } });
  await world.tasks(engagement, world.people(1));
  await world.advance(1_000);
  t.equal(world.gateway.dialled.length, 1);
  await t.rejects(world.engagement({ config: { ignoreQueueHours: true } }), {
    code: 'REQUEST_INVALID',
  });
});

t.test('[DM-05] the first failure of the AI agent suspends: no INVITE follows it', async (t) => {
  const world = await DialerWorld.open(t, { withAgent: true });
  const dialer = await world.start();
  world.gateway.agent = { does: 'fail', afterMs: 400 };
  const id = await world.engagement({ cap: 1, config: { aiFailure: { action: 'suspend' } } });
  const [task = ''] = await world.tasks(id, world.people(5));
  await world.advance(HOUR_MS);
  t.equal(world.gateway.dialled.length, 1);
  t.match(await world.task(task), { last_result: 'BotFailed', last_sub_reason: 'agent_setup' });
  t.match(await world.engagementRow(id), {
    status: 'suspended',
    suspension_type: 'botFailure',
    ai_handled_total: 1,
    ai_failed_total: 1,
  });
  world.gateway.agent = { does: 'talk', forMs: 1_000 };
  await dialer.resume({ engagementId: id, actor: 'operator:ann' });
  await world.advance(HOUR_MS);
  t.match(await world.engagementRow(id), { status: 'running', tasks_final: 5 });
  await world.check();
});

t.test('[DM-06] a rate of 2 % suspends when it is reached, not before', async (t) => {
  const world = await DialerWorld.open(t, { withAgent: true });
  await world.start();
  let handled = 0;
  world.gateway.onDial = () => {
    handled += 1;
    // 1 of 51 is below 2 %, and so is 1 of 69; 2 of 70 is not.
    const fails = handled === 51 || handled === 70;
    world.gateway.agent = fails ? { does: 'fail', afterMs: 1 } : { does: 'talk', forMs: 100 };
  };
  const aiFailure = { action: 'threshold', ratePercent: 2 };
  const id = await world.engagement({ cap: 1, config: { aiFailure } });
  await world.tasks(id, world.people(90));
  await world.advance(3 * HOUR_MS);
  t.equal(world.gateway.dialled.length, 70);
  t.match(await world.engagementRow(id), {
    status: 'suspended',
    suspension_reason: 'the AI agent failed in 2 of the last 70 calls it took, the limit is 2 %',
  });
});

t.test('[DM-06] the rate is 1 % unless it is set, and 5 % at most', async (t) => {
  const world = await DialerWorld.open(t);
  const rate = async (aiFailure: object): Promise<unknown> => {
    const { config } = await world.engagementRow(await world.engagement({ config: { aiFailure } }));
    return (JSON.parse(config) as { aiFailure: { ratePercent: number } }).aiFailure.ratePercent;
  };
  t.equal(await rate({ action: 'threshold' }), 1);
  t.equal(await rate({ action: 'threshold', ratePercent: 5 }), 5);
  for (const ratePercent of [0, 6]) {
    const refused = rate({ action: 'threshold', ratePercent });
    await t.rejects(refused, { code: 'REQUEST_INVALID' });
  }
});

t.test('[DM-07] with no AI-failure rule failures suspend nothing', async (t) => {
  const world = await DialerWorld.open(t, { withAgent: true });
  await world.start();
  world.gateway.agent = { does: 'fail', afterMs: 1 };
  const id = await world.engagement({ config: { aiFailure: { action: 'none' } } });
  await world.tasks(id, world.people(5));
  await world.advance(MINUTE_MS);
  t.match(await world.engagementRow(id), { status: 'running', ai_failed_total: 5 });
});

t.test('[RTY-01] there are four reasons to try again, and no fifth can be given', async (t) => {
  const world = await DialerWorld.open(t);
  const reasons = ['noAnswer', 'busy', 'failed', 'answeringMachine'];
  t.type(await world.engagement({ config: { reattempt: { reasons } } }), 'string');
  await t.rejects(world.engagement({ config: { reattempt: { reasons: ['declined'] } } }), {
    code: 'REQUEST_INVALID',
  });
});

t.test('[RTY-02] a busy number is tried again only when busy is a reason', async (t) => {
  const world = await DialerWorld.open(t, { farEnd: () => BUSY });
  await world.start();
  const rule = { retriesMax: 1, waitMinutes: 20 };
  const not = { reattempt: { ...rule, reasons: ['noAnswer'] } };
  const selected = { reattempt: { ...rule, reasons: ['busy'] } };
  const [once = ''] = await world.tasks(await world.engagement({ config: not }), world.people(1));
  const [twice = ''] = await world.tasks(
    await world.engagement({ config: selected }),
    world.people(1, 200),
  );
  await world.advance(HOUR_MS);
  t.match(await world.task(once), { status: 'Complete', last_result: 'Busy', attempt_count: 1 });
  t.match(await world.task(twice), { status: 'Complete', last_result: 'Busy', attempt_count: 2 });
});

t.test('[RTY-05] with 2 retries a contact who never answers is dialled in 3 loops', async (t) => {
  const world = await DialerWorld.open(t, { farEnd: () => NOBODY });
  await world.start();
  const reattempt = { reasons: ['noAnswer'], retriesMax: 2, waitMinutes: 30 };
  const [id = ''] = await world.tasks(
    await world.engagement({ config: { reattempt } }),
    world.people(1),
  );
  await world.advance(10 * HOUR_MS);
  t.equal(world.gateway.dialled.length, 3);
  t.match(await world.task(id), { loop: 3, status: 'Complete', last_result: 'NoAnswer' });
  t.strictSame(
    (await world.deliveries(id)).map(({ seq_no, result, sub_reason }) => [
      seq_no,
      result,
      sub_reason,
    ]),
    [1, 2, 3].map((seq) => [seq, 'NoAnswer', 'ring_timeout']),
  );
});

t.test('[RTY-06] the next loop begins when the wait is over, exactly', async (t) => {
  const world = await DialerWorld.open(t, { farEnd: () => BUSY });
  await world.start();
  const reattempt = { reasons: ['busy'], retriesMax: 1, waitMinutes: 95 };
  const [id = ''] = await world.tasks(
    await world.engagement({ config: { reattempt } }),
    world.people(1),
  );
  await world.advance(3 * HOUR_MS);
  const [first, second] = await world.attempts(id);
  t.equal((second?.created_at_ms ?? 0) - (first?.ended_at_ms ?? 0), 95 * MINUTE_MS);
});

t.test('[RTY-17] with the order home, mobile the home number is dialled first', async (t) => {
  const world = await DialerWorld.open(t, { farEnd: () => BUSY });
  await world.start();
  const id = await world.engagement({ cap: 1, config: { phoneTypes: ['home', 'mobile'] } });
  const phones = { mobile: numberOf(1), home: numberOf(2), business: numberOf(3) };
  const [task = ''] = await world.tasks(id, [{ uniqueIdentifier: 'a', phones }]);
  await world.advance(MINUTE_MS);
  t.strictSame(
    world.gateway.dialled.map(({ destination }) => destination),
    [numberOf(2), numberOf(1)],
  );
  t.strictSame(
    (await world.deliveries(task)).map(({ phone_type }) => phone_type),
    ['home', 'mobile'],
  );
});

t.test('a mobile that is entered as home number too is rung once in a loop', async (t) => {
  const world = await DialerWorld.open(t, { farEnd: () => BUSY });
  await world.start();
  const id = await world.engagement({ cap: 1, config: { phoneTypes: ['mobile', 'home'] } });
  const same = { mobile: numberOf(1), home: numberOf(1) };
  const phones = { mobile: numberOf(2), business: numberOf(3), home: numberOf(2) };
  const tasks = await world.tasks(id, [
    { uniqueIdentifier: 'a', phones: same },
    { uniqueIdentifier: 'b', phones },
  ]);
  await world.advance(20 * HOUR_MS);
  for (const n of [1, 2]) {
    t.equal(world.gateway.dialled.filter((one) => one.destination === numberOf(n)).length, 1);
  }
  for (const task of tasks) t.match(await world.task(task), { state: 'final' });
});

t.test('[RTY-37] a task without windows may start for a day, and not after it', async (t) => {
  const world = await DialerWorld.open(t);
  const id = await world.engagement();
  const [task = ''] = await world.tasks(id, world.people(1));
  const row = await world.task(task);
  t.equal(row.expires_at_ms - row.created_at_ms, 24 * HOUR_MS);
  t.strictSame(JSON.parse(row.windows), {
    request: [{ startMs: row.created_at_ms, endMs: row.expires_at_ms }],
    byContact: {},
  });
});

t.test('[RTY-37] within that day it is dialled, and at its end no more', async (t) => {
  const world = await DialerWorld.open(t);
  const dialer = await world.start();
  const ids = [await world.engagement(), await world.engagement()];
  const suspension = { type: 'adminAction', reason: 'by the test' } as const;
  for (const engagementId of ids) {
    await dialer.suspend({ engagementId, suspension, actor: 'test' });
  }
  const [inTime = '', late = ''] = ids;
  const [dialled = ''] = await world.tasks(inTime, world.people(1));
  const [missed = ''] = await world.tasks(late, world.people(1, 200));
  await world.advance(24 * HOUR_MS - MINUTE_MS);
  await dialer.resume({ engagementId: inTime, actor: 'test' });
  await world.advance(MINUTE_MS);
  await dialer.resume({ engagementId: late, actor: 'test' });
  await world.advance(HOUR_MS);
  t.match(await world.task(dialled), { status: 'Complete', attempt_count: 1 });
  t.match(await world.task(missed), { status: 'Expired', attempt_count: 0 });
});

t.test('[OUT-10] the delivery’s row keeps the SIP code and the Q.850 cause', async (t) => {
  const world = await DialerWorld.open(t, { farEnd: () => BUSY });
  await world.start();
  const [task = ''] = await world.tasks(await world.engagement(), world.people(1));
  await world.advance(MINUTE_MS);
  const [delivery] = await world.deliveries(task);
  const diagnostics = delivery?.sip_diagnostics ?? '';
  t.match(JSON.parse(diagnostics), { sipCode: 486, q850: 17, origin: 'network' });
  t.ok(diagnostics.length <= 1_000);
});

t.test('[RTY-39] a window that passes without a start ends the task as Expired', async (t) => {
  const world = await DialerWorld.open(t);
  const dialer = await world.start();
  const id = await world.engagement();
  const suspension = { type: 'adminAction', reason: 'by the test' } as const;
  await dialer.suspend({ engagementId: id, suspension, actor: 'test' });
  const windows = [{ startMs: world.nowMs, endMs: world.nowMs + HOUR_MS }];
  const [task = ''] = await world.tasks(id, world.people(1), { windows });
  await world.advance(HOUR_MS - 1);
  t.match(await world.task(task), { state: 'ready' });
  await world.advance(1);
  t.match(await world.task(task), { state: 'final', status: 'Expired', last_result: 'Expired' });
  t.equal((await world.task(task)).updated_at_ms, WORLD_EPOCH_MS + HOUR_MS);
  const past = [{ startMs: 0, endMs: WORLD_EPOCH_MS }];
  const [late = ''] = await world.tasks(id, world.people(1, 200), { windows: past });
  t.match(await world.task(late), { state: 'final', status: 'Expired' });
  await world.check();
});

t.test('a task is started when its window opens, to the millisecond', async (t) => {
  const world = await DialerWorld.open(t);
  await world.start();
  const startMs = world.nowMs + 7 * MINUTE_MS + 3;
  const windows = [{ startMs, endMs: startMs + HOUR_MS }];
  await world.tasks(await world.engagement(), world.people(1), { windows });
  await world.advance(HOUR_MS);
  t.equal(world.gateway.dialled[0]?.atMs, startMs);
});

t.test('a number is taken out for good when the network says that there is none', async (t) => {
  const farEnd = (): FarEnd => ({ does: 'reject', statusCode: 404 });
  const world = await DialerWorld.open(t, { farEnd });
  await world.start();
  const id = await world.engagement();
  const [first = ''] = await world.tasks(id, world.people(1));
  await world.advance(HOUR_MS);
  const [second = ''] = await world.tasks(id, world.people(1));
  await world.advance(HOUR_MS);
  t.equal(world.gateway.dialled.length, 1);
  t.match(await world.task(first), { status: 'Complete', last_result: 'InvalidAddress' });
  t.match(await world.task(second), { status: 'Error', last_sub_reason: 'config' });
});

t.test('a dial that the gateway refuses for now uses up no attempt', async (t) => {
  let isDown = true;
  const world = await DialerWorld.open(t, {
    farEnd: () => (isDown ? { does: 'refuse', code: 'TRUNK_DOWN' } : { does: 'answer' }),
  });
  await world.start();
  const [id = ''] = await world.tasks(await world.engagement(), world.people(1));
  await world.advance(12_000);
  isDown = false;
  await world.advance(MINUTE_MS);
  t.equal(world.gateway.dialled.length, 1);
  t.match(await world.task(id), { status: 'Complete', loop: 1 });
  const results = (await world.deliveries(id)).map(({ sub_reason }) => sub_reason);
  t.strictSame(results, ['trunk_down', 'trunk_down', 'trunk_down', 'not_classified']);
});

t.test('a trunk’s channels and its calls per second are shared by its engagements', async (t) => {
  const world = await DialerWorld.open(t, { channelsMax: 4, callsPerSecondMax: 2 });
  await world.start();
  for (const from of [100, 200]) {
    await world.tasks(await world.engagement(), world.people(10, from));
  }
  await world.advance(MINUTE_MS);
  t.equal(world.gateway.inFlightMax, 4);
  t.equal(world.gateway.dialled.length, 20);
  const times = world.gateway.dialled.map(({ atMs }) => atMs);
  for (const [index, atMs] of times.entries()) {
    const later = times[index + 2];
    if (later !== undefined) t.ok(later - atMs >= 700, 'two calls a second, 200 ms ahead at most');
  }
  await world.check();
});

t.test('[CFG-09] an identifier given twice is one contact, brought up to date', async (t) => {
  const world = await DialerWorld.open(t);
  const upsert = (contacts: Parameters<typeof upsertContacts>[2]) =>
    world.db.transaction().execute((tx) => upsertContacts(tx, world.writer, contacts));
  const [first] = await upsert([
    { uniqueIdentifier: 'A-1', firstName: 'Ann', phones: { mobile: numberOf(1) }, state: 'NY' },
  ]);
  const [again, other] = await upsert([
    { uniqueIdentifier: 'A-1', state: 'OH', phones: { home: numberOf(2) } },
    { uniqueIdentifier: 'A-2', phones: { mobile: numberOf(1) } },
  ]);
  t.equal(again?.id, first?.id);
  t.strictSame([first?.isNew, again?.isNew, other?.isNew], [true, false, true]);
  const rows = await world.db.selectFrom('contacts').selectAll().orderBy('id').execute();
  t.equal(rows.length, 2);
  const [ann, ben] = rows;
  t.match(ann, { unique_identifier: 'A-1', first_name: 'Ann', state: 'OH', version: 2 });
  t.ok(ann?.mobile_point_id !== null && ann?.home_point_id !== null);
  t.equal(ben?.mobile_point_id, ann?.mobile_point_id, 'a number is written once');
});

t.test('what is dialled was claimed: on disk with its number taken, before the dial', async (t) => {
  const world = await DialerWorld.open(t, { farEnd: () => BUSY });
  await world.start();
  const found: Promise<unknown>[] = [];
  world.gateway.onDial = ({ attemptId, destination }) => {
    const row = world.db
      .selectFrom('attempts')
      .innerJoin('number_guards', 'number_guards.in_flight_attempt_id', 'attempts.id')
      .innerJoin('deliveries', 'deliveries.id', 'attempts.delivery_id')
      .select(['number', 'fence', 'attempts.phase', 'deliveries.status'])
      .where('attempts.id', '=', attemptId)
      .executeTakeFirst();
    found.push(row.then((attempt) => ({ destination, ...attempt })));
  };
  const config = {
    phoneTypes: ['mobile', 'home'],
    reattempt: { reasons: ['busy'], retriesMax: 1, waitMinutes: 30 },
  };
  const phones = { mobile: numberOf(1), home: numberOf(2) };
  await world.tasks(await world.engagement({ config }), [{ uniqueIdentifier: 'a', phones }]);
  await world.advance(2 * HOUR_MS);
  const taken = (number: string) => {
    return { destination: number, number, fence: 1, phase: 'starting', status: 'InProcess' };
  };
  const pair = [taken(numberOf(1)), taken(numberOf(2))];
  t.strictSame(await Promise.all(found), [...pair, ...pair]);
});

t.test('a chain that goes on to its next number keeps its one place', async (t) => {
  const world = await DialerWorld.open(t, { farEnd: () => BUSY });
  await world.start();
  const id = await world.engagement({ cap: 2, config: { phoneTypes: ['mobile', 'home'] } });
  const people = Array.from({ length: 8 }, (_, n) => ({
    uniqueIdentifier: `p${n}`,
    phones: { mobile: numberOf(n), home: numberOf(100 + n) },
  }));
  await world.tasks(id, people);
  await world.advance(MINUTE_MS);
  t.equal(world.gateway.inFlightMax, 2);
  t.equal(world.gateway.dialled.length, 16);
  await world.check();
});
