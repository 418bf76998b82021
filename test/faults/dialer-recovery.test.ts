/** Goal: a process may die at any moment; every task still ends once, and nobody is dialled twice. */
import fc from 'fast-check';
import t from 'tap';
import { DialerWorld, HOUR_MS, MINUTE_MS } from '../support/dialer-world.ts';
import type { SimulatedGateway } from '../support/simulated-gateway.ts';

const TASKS = 3;
const ANSWERS = { does: 'answer' } as const;

/** Where the process dies; `at` arms the trap before it is started. */
interface Death {
  readonly name: string;
  readonly at: (world: DialerWorld) => void;
  /** Results of the calls when the gateway remembers; all are Unknown when it forgets. */
  readonly remembered: string;
  /** What it is when the gateway has forgotten, when that is not Unknown after the gap. */
  readonly forgotten?: string;
  readonly others?: string;
}

const onEvent = (world: DialerWorld, type: string): void => {
  // Subscribed before the dialer: it dies without having heard of it.
  const unsubscribe = world.gateway.subscribe((event) => {
    if (event.type !== type) return;
    unsubscribe();
    world.kill();
  });
};
const onCommand = (world: DialerWorld, type: string): void => {
  const { gateway } = world;
  gateway.isLost = (command) => {
    if (command.type !== type) return false;
    gateway.isLost = () => false;
    world.kill();
    return true;
  };
};

const deaths: readonly Death[] = [
  {
    name: 'in the claim, before it is committed',
    at: (world) => world.killWhen('insert', 'attempts'),
    remembered: 'Undetermined',
    forgotten: 'Undetermined',
  },
  {
    name: 'after the attempt row, before the dial has reached the gateway',
    at: (world) => onCommand(world, 'attempt.dial'),
    // Nobody can know that: the one whose dial was lost is Unknown.
    remembered: 'Unknown',
  },
  {
    name: 'after the dial was taken, before the INVITE',
    at: (world) => (world.gateway.onDial = () => world.kill()),
    remembered: 'Undetermined',
    others: 'Unknown', // claimed with it, and their dials were lost
  },
  {
    name: 'after the INVITE, before it is known',
    at: (world) => onEvent(world, 'attempt.sent'),
    remembered: 'Undetermined',
  },
  {
    name: 'after 180',
    at: (world) => onEvent(world, 'attempt.alerting'),
    remembered: 'Undetermined',
  },
  {
    name: 'after 200',
    at: (world) => onEvent(world, 'attempt.answered'),
    remembered: 'Undetermined',
  },
  {
    name: 'when the prompt is ordered',
    at: (world) => onCommand(world, 'attempt.play'),
    remembered: 'Undetermined',
  },
  {
    name: 'when the hang-up is ordered',
    at: (world) => onCommand(world, 'attempt.hangup'),
    remembered: 'Undetermined',
  },
  {
    name: 'after BYE, before the end is known',
    at: (world) => onEvent(world, 'attempt.ended'),
    remembered: 'Undetermined',
  },
  {
    name: 'when the end is known, before it is recorded',
    at: (world) => world.killWhen('update', 'deliveries'),
    remembered: 'Undetermined',
    // The gateway's last word was taken down before the Result was made of it.
    forgotten: 'Undetermined',
  },
];

for (const { name, at, remembered, forgotten = 'Unknown', others = 'Undetermined' } of deaths) {
  for (const isForgetful of [false, true]) {
    const memory = isForgetful ? 'forgets' : 'remembers';
    t.test(`killed ${name}; the gateway ${memory}`, async (t) => {
      const world = await DialerWorld.open(t);
      const id = await world.engagement();
      await world.start();
      at(world);
      const ids = await world.tasks(id, world.people(TASKS));
      await world.advance(MINUTE_MS);
      t.notOk(world.isRunning, 'the trap was sprung');
      if (isForgetful) world.gateway.forget();
      await world.start();
      await world.advance(10 * MINUTE_MS);
      t.equal(world.dialer.live, 0);
      const results: (string | null)[] = [];
      for (const task of ids) {
        const [attempt, more] = await world.attempts(task);
        t.equal(more, undefined, 'one attempt each so far');
        results.push(attempt?.result ?? null);
        const row = await world.task(task);
        t.match(row, { state: 'final', status: 'Complete', last_result: attempt?.result });
      }
      t.ok(results.includes(isForgetful ? forgotten : remembered), results.join());
      const known = new Set(['Undetermined', others, isForgetful ? forgotten : remembered]);
      t.ok(
        results.every((result) => known.has(result ?? '')),
        results.join(),
      );
      t.equal(world.gateway.inFlight, 0, 'no call is left up');
      await world.check();
    });
  }
}

t.test(
  '[RTY-06] an attempt that nobody knows of waits its four hours before another',
  async (t) => {
    const world = await DialerWorld.open(t);
    const reattempt = { reasons: ['failed'], retriesMax: 1, waitMinutes: 5 };
    const id = await world.engagement({ config: { reattempt } });
    await world.start();
    onEvent(world, 'attempt.alerting');
    const [task = ''] = await world.tasks(id, world.people(1));
    await world.advance(MINUTE_MS);
    world.gateway.forget();
    await world.start();
    await world.advance(MINUTE_MS);
    t.match(await world.task(task), { state: 'waiting', last_result: 'Unknown', loop: 2 });
    await world.advance(5 * HOUR_MS);
    const [first, second] = await world.attempts(task);
    t.equal((second?.created_at_ms ?? 0) - (first?.ended_at_ms ?? 0), 4 * HOUR_MS);
    t.match(await world.task(task), { status: 'Complete', last_result: 'Undetermined' });
  },
);

t.test('a gateway that is gone for good makes its attempts Unknown in a minute', async (t) => {
  const world = await DialerWorld.open(t);
  const id = await world.engagement();
  await world.start();
  onEvent(world, 'attempt.answered');
  const [task = ''] = await world.tasks(id, world.people(1));
  await world.advance(MINUTE_MS);
  world.gateway.isLost = () => true;
  await world.start();
  await world.advance(50_000);
  t.equal(world.dialer.live, 1, 'it is asked again');
  await world.advance(20_000);
  t.match(await world.task(task), { last_result: 'Unknown', last_sub_reason: 'recovered' });
  await world.check();
});

t.test('an owner of before is refused at the gateway, and takes no part any more', async (t) => {
  const world = await DialerWorld.open(t);
  const id = await world.engagement();
  const first = await world.start();
  const [task = ''] = await world.tasks(id, world.people(1));
  await world.advance(1_000);
  const leaseLost = first.leaseLost;
  // The same identity starts again while the first still runs: a restart that left a process over.
  await world.start();
  await world.advance(2 * HOUR_MS);
  t.match(await leaseLost, { code: 'LEASE_LOST' });
  t.equal(first.live, 0);
  t.equal(world.gateway.dialled.length, 1);
  t.match(await world.task(task), { status: 'Complete', last_result: 'Undetermined' });
  t.equal((await world.attempts(task)).length, 1);
  await world.check();
});

t.test('a claim whose commit was not answered is taken back, and made again', async (t) => {
  const world = await DialerWorld.open(t);
  const id = await world.engagement();
  await world.start();
  world.loseAnswerOf('attempts');
  const ids = await world.tasks(id, world.people(TASKS));
  await world.settle();
  t.equal(world.gateway.dialled.length, 0, 'nothing is dialled of which nobody is sure');
  for (const task of ids) {
    t.match(await world.task(task), { state: 'waiting', attempt_count: 1 });
    t.match(await world.attempts(task), [{ result: 'Cancelled', sub_reason: 'dialer_recall' }]);
  }
  await world.advance(10 * MINUTE_MS);
  t.equal(world.gateway.dialled.length, TASKS);
  for (const task of ids) t.match(await world.task(task), { last_result: 'Undetermined' });
  await world.check();
});

t.test('nor does a chain dial its next number when that is in doubt', async (t) => {
  const farEnd = (to: string) =>
    to.endsWith('0') ? ({ does: 'reject', statusCode: 486 } as const) : ANSWERS;
  const world = await DialerWorld.open(t, { farEnd });
  const id = await world.engagement({ config: { phoneTypes: ['mobile', 'home'] } });
  await world.start();
  const phones = { mobile: '+15555550100', home: '+15555550101' };
  const [task = ''] = await world.tasks(id, [{ uniqueIdentifier: 'a', phones }]);
  await world.settle();
  world.loseAnswerOf('attempts');
  await world.advance(1_000);
  t.match(await world.task(task), { state: 'waiting', attempt_count: 2 });
  t.equal(world.gateway.dialled.length, 1);
  t.equal(world.dialer.live, 0);
  await world.advance(10 * MINUTE_MS);
  t.same(
    world.gateway.dialled.map(({ destination }) => destination),
    [phones.mobile, phones.home],
  );
  t.match(await world.task(task), { state: 'final', last_result: 'Undetermined' });
  await world.check();
});

t.test('a task that was between two numbers is ready again', async (t) => {
  const farEnd = () => ({ does: 'reject', statusCode: 486 }) as const;
  const world = await DialerWorld.open(t, { farEnd });
  const id = await world.engagement({ config: { phoneTypes: ['mobile', 'home'] } });
  await world.start();
  const phones = { mobile: '+15555550100', home: '+15555550101' };
  const [task = ''] = await world.tasks(id, [{ uniqueIdentifier: 'a', phones }]);
  await world.settle();
  world.killWhen('insert', 'attempts');
  await world.advance(MINUTE_MS);
  t.notOk(world.isRunning);
  t.match(await world.task(task), { state: 'working', attempt_count: 1 });
  await world.start();
  await world.advance(MINUTE_MS);
  t.match(await world.task(task), { status: 'Complete', attempt_count: 2, crash_count: 0 });
  t.ok((await world.told(`task:${task}`)).includes('task.released'));
  await world.check();
});

t.test('a task at whose side two processes died in a row is put in quarantine', async (t) => {
  const reattempt = { reasons: ['noAnswer'], retriesMax: 5, waitMinutes: 5 };
  const world = await DialerWorld.open(t);
  const id = await world.engagement({ config: { reattempt } });
  const [task = ''] = await world.tasks(id, world.people(1));
  onEvent(world, 'attempt.ended');
  await world.start();
  await world.advance(MINUTE_MS);
  t.notOk(world.isRunning);
  world.killWhen('update', 'deliveries');
  await world.startMortal();
  await world.advance(MINUTE_MS);
  t.notOk(world.isRunning);
  t.equal((await world.task(task)).crash_count, 1);
  await world.start();
  await world.advance(5 * HOUR_MS);
  t.match(await world.task(task), { state: 'final', status: 'Error', quarantined: 1 });
  t.equal(world.gateway.dialled.length, 1, 'it is not started again');
  t.strictSame((await world.told(`task:${task}`)).slice(-4), [
    ...['task.recovered', 'task.quarantined', 'attempt.recorded', 'task.finished'],
  ]);
  await world.check();
});

t.test('an attempt that goes well between two crashes clears the task of suspicion', async (t) => {
  const reattempt = { reasons: ['noAnswer'], retriesMax: 5, waitMinutes: 20 };
  const world = await DialerWorld.open(t);
  const id = await world.engagement({ config: { reattempt } });
  const [task = ''] = await world.tasks(id, world.people(1));
  onEvent(world, 'attempt.alerting');
  await world.start();
  await world.advance(MINUTE_MS);
  await world.start();
  await world.advance(MINUTE_MS);
  t.equal((await world.task(task)).crash_count, 1, 'recovery alone clears nobody');
  await world.advance(30 * MINUTE_MS);
  t.match(await world.task(task), { crash_count: 0, attempt_count: 2 });
});

t.test('a chain that throws ends as Error with its evidence; the others go on', async (t) => {
  const world = await DialerWorld.open(t, {
    planAfterAnswer: () => (_, calls) =>
      Promise.resolve(
        calls.map(({ task }) => {
          // What a plan must never be: the machine throws over it when somebody answers.
          if (task.request_id === 'poison') return null as unknown as { prompts: string[] };
          return { prompts: ['greeting'] };
        }),
      ),
  });
  const id = await world.engagement();
  await world.start();
  const [poison = ''] = await world.tasks(id, world.people(1), { requestId: 'poison' });
  const [sound = ''] = await world.tasks(id, world.people(1, 200));
  await world.advance(MINUTE_MS);
  t.match(await world.task(poison), {
    ...{ state: 'final', status: 'Error', last_result: 'Error', quarantined: 1 },
  });
  t.match(await world.attempts(poison), [{ result: 'Unknown', phase: 'ended' }]);
  t.match(await world.task(sound), { status: 'Complete' });
  const evidence = await world.db
    .selectFrom('events')
    .select('payload')
    .where('type', '=', 'task.quarantined')
    .executeTakeFirstOrThrow();
  t.match(JSON.parse(evidence.payload), { why: 'chain_broke', stack: /call-attempt/ });
  const recorded = await world.db
    .selectFrom('events')
    .select('payload')
    .where('type', '=', 'attempt.recorded')
    .where('stream_id', '=', `task:${poison}`)
    .execute();
  t.match(
    recorded.map(({ payload }) => JSON.parse(payload) as unknown),
    [{ result: 'Unknown', wasTried: true, next: { kind: 'finish', reason: 'quarantined' } }],
    'whoever reads the log knows that the call is over',
  );
  t.equal(world.gateway.inFlight, 0, 'the call was hung up');
  t.equal(world.dialer.live, 0);
  await world.check();
});

t.test('an engagement that cannot be read holds up nobody else', async (t) => {
  const world = await DialerWorld.open(t);
  const [broken, sound] = [await world.engagement(), await world.engagement()];
  await world.start();
  const [lost = ''] = await world.tasks(broken, world.people(1));
  const [kept = ''] = await world.tasks(sound, world.people(1, 200));
  await world.advance(1_000);
  world.kill();
  await world.db
    .updateTable('engagements')
    .set({ config: '{}' })
    .where('id', '=', broken)
    .execute();
  await world.start();
  await world.advance(MINUTE_MS);
  t.match(await world.task(lost), { status: 'Error', quarantined: 1 });
  t.match(await world.task(kept), { status: 'Complete' });
});

t.test('an orderly stop starts nothing, lets calls end, and leaves nothing open', async (t) => {
  const world = await DialerWorld.open(t);
  const id = await world.engagement({ cap: 2 });
  const dialer = await world.start();
  const ids = await world.tasks(id, world.people(5));
  await world.advance(1_000);
  const stopped = dialer.stop({ graceMs: 30_000, limitMs: 5_000 });
  await world.advance(20_000);
  await stopped;
  t.match(await world.engagementRow(id), { in_flight: 0, tasks_final: 2, tasks_ready: 3 });
  t.notOk(world.gateway.commands.some(({ type }) => type === 'attempt.cancel'));
  await world.start();
  await world.advance(MINUTE_MS);
  t.match(await world.engagementRow(id), { tasks_final: 5 });
  for (const task of ids) t.equal((await world.task(task)).crash_count, 0);
  await world.check();
});

t.test('a stop whose grace is over hangs up, and records what it hung up', async (t) => {
  const farEnd = () => ({ does: 'ring' }) as const;
  const world = await DialerWorld.open(t, { farEnd });
  const reattempt = { reasons: ['noAnswer'], retriesMax: 1, waitMinutes: 30 };
  const id = await world.engagement({ config: { reattempt } });
  const dialer = await world.start();
  const [task = ''] = await world.tasks(id, world.people(1));
  await world.advance(1_000);
  const stopped = dialer.stop({ graceMs: 2_000, limitMs: 5_000 });
  await world.advance(10_000);
  await stopped;
  t.match(await world.task(task), {
    ...{ state: 'waiting', last_result: 'NoAnswer', last_sub_reason: 'shutdown' },
  });
  t.equal(world.gateway.inFlight, 0);
  await world.check();
});

t.test(
  'killed at random moments, again and again: nothing is lost, nothing is doubled',
  async (t) => {
    const lives = fc.array(
      fc.record({ livesMs: fc.integer({ min: 0, max: 12_000 }), forgets: fc.boolean() }),
      { minLength: 1, maxLength: 5 },
    );
    const holds = fc.asyncProperty(lives, async (deaths) => {
      const farEnd: ConstructorParameters<typeof SimulatedGateway>[2] = (destination) => {
        const n = Number(destination.slice(-2));
        if (n % 3 === 0) return { does: 'reject', statusCode: 486, afterMs: 200 * n };
        return { does: 'answer', afterMs: 100 * n, hangUpAfterMs: 1_500 };
      };
      const world = await DialerWorld.open(t, { farEnd });
      const id = await world.engagement({ cap: 3 });
      const ids = await world.tasks(id, world.people(8));
      for (const { livesMs, forgets } of deaths) {
        await world.start();
        await world.advance(livesMs);
        world.kill();
        if (forgets) world.gateway.forget();
      }
      await world.start();
      await world.advance(HOUR_MS);
      await world.check();
      const rows = await Promise.all(ids.map((task) => world.task(task)));
      world.kill();
      const dials = world.gateway.dialled.map(({ attemptId }) => attemptId);
      const isOnceEach = new Set(dials).size === dials.length;
      return isOnceEach && rows.every(({ state }) => state === 'final');
    });
    await fc.assert(holds, { numRuns: 10 });
    t.pass();
  },
);
