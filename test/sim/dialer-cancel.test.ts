/** Goal: a task that is cancelled ends as Cancelled, once, wherever it is: nobody is dialled for it
 * afterwards, its call is ended, and what others do at the same moment changes nothing of that. */
import fc from 'fast-check';
import t from 'tap';
import { cancelTask } from '../../dialer/tasks/cancel-task.ts';
import { DialerWorld, HOUR_MS, MINUTE_MS } from '../support/dialer-world.ts';
import type { FarEnd } from '../support/simulated-gateway.ts';

const NOBODY: FarEnd = { does: 'ring' };
const BUSY: FarEnd = { does: 'reject', statusCode: 486 };
const asked = { actor: 'operator:ann', reason: 'no longer due' };

const cancel = (world: DialerWorld, taskId: string) =>
  world.dialer.cancelTask({ businessUnitId: world.businessUnitId, taskId, ...asked });

const commandsOf = (world: DialerWorld, ...types: string[]): string[] =>
  world.gateway.commands.map(({ type }) => type).filter((type) => types.includes(type));

t.test('[API-18] a call that rings is given up, one that talks is hung up', async (t) => {
  const farEnd = (destination: string): FarEnd =>
    destination.endsWith('100') ? NOBODY : { does: 'answer' };
  const world = await DialerWorld.open(t, { farEnd, withAgent: true });
  world.gateway.agent = { does: 'talk', forMs: HOUR_MS };
  await world.start();
  const engagement = await world.engagement({ config: { reattempt: EVERY_MINUTE } });
  const [ringing = '', talking = ''] = await world.tasks(engagement, world.people(2));
  await world.advance(5_000);
  t.same([await cancel(world, ringing), await cancel(world, talking)], ['ending', 'ending']);
  t.equal(await cancel(world, talking), 'ending', 'asked again, nothing is done twice');
  await world.advance(HOUR_MS / 2);
  t.same(commandsOf(world, 'attempt.cancel', 'attempt.hangup'), [
    'attempt.cancel',
    'attempt.hangup',
  ]);
  t.equal(world.gateway.inFlight, 0);
  t.equal(world.gateway.dialled.length, 2, 'and no loop follows');
  t.match(await world.task(ringing), { status: 'Cancelled', last_result: 'Cancelled' });
  t.match(await world.task(talking), { status: 'Cancelled', last_result: 'LiveAnswer' });
  t.equal(await cancel(world, talking), 'alreadyFinal');
  await world.check();
});

t.test('[API-18] what waits or is ready ends at once, and is never dialled', async (t) => {
  const world = await DialerWorld.open(t, { farEnd: () => BUSY });
  await world.start();
  const engagement = await world.engagement({ cap: 1, config: { reattempt: EVERY_MINUTE } });
  const [first = '', second = ''] = await world.tasks(engagement, world.people(2));
  await world.advance(30_000);
  t.match(await world.task(first), { state: 'waiting', last_result: 'Busy' });
  const before = world.gateway.dialled.length;
  t.same([await cancel(world, first), await cancel(world, second)], ['cancelled', 'cancelled']);
  await world.advance(HOUR_MS);
  t.equal(world.gateway.dialled.length, before);
  t.equal((await world.told(`task:${first}`)).at(-1), 'task.finished');
  t.equal(await cancel(world, 'nobody'), 'unknown');
  await world.check();
});

t.test('[API-18] cancelled in the moment of its claim, it is given back undialled', async (t) => {
  const world = await DialerWorld.open(t);
  await world.start();
  const engagement = await world.engagement();
  const [task = '', other = ''] = await world.tasks(engagement, world.people(2));
  // The claim is under way: it commits, and before it is heard of here the task is cancelled.
  const seen: string[] = [];
  const inTheGap = async (): Promise<void> => {
    while ((await world.task(task)).state === 'ready') await Promise.resolve();
    seen.push(await cancel(world, task));
  };
  await inTheGap();
  t.same(seen, ['ending']);
  await world.advance(MINUTE_MS);
  t.match(await world.task(task), { state: 'final', status: 'Cancelled' });
  t.match(await world.task(other), { state: 'final', status: 'Complete' });
  t.equal(world.dialer.live, 0);
  await world.check();
});

t.test('[API-18] one between two numbers does not go on to the second', async (t) => {
  const world = await DialerWorld.open(t, { farEnd: () => BUSY });
  const engagement = await world.engagement({ config: { phoneTypes: ['mobile', 'home'] } });
  await world.start();
  const phones = { mobile: '+15555550100', home: '+15555550101' };
  const [task = ''] = await world.tasks(engagement, [{ uniqueIdentifier: 'a', phones }]);
  const outcomes: Promise<string>[] = [];
  world.dialer.subscribe((news) => {
    if (news.type === 'attempt.recorded') outcomes.push(cancel(world, task));
  });
  await world.advance(MINUTE_MS);
  const [outcome] = await Promise.all(outcomes);
  t.match(outcome, /^ending|cancelled$/);
  t.match(await world.task(task), { state: 'final', status: 'Cancelled' });
  t.ok(world.gateway.dialled.length < 2 || commandsOf(world, 'attempt.cancel').length === 1);
  await world.check();
});

t.test('[API-18] what a dead process was told is carried out by the next', async (t) => {
  const world = await DialerWorld.open(t, { farEnd: () => NOBODY });
  const engagement = await world.engagement({ config: { reattempt: EVERY_MINUTE } });
  await world.start();
  const [task = ''] = await world.tasks(engagement, world.people(1));
  await world.advance(1_000);
  world.kill();
  const { database, businessUnitId, nowMs } = world;
  const { outcome } = await cancelTask({ database, businessUnitId, nowMs, ...asked }, task);
  t.equal(outcome, 'ending');
  await world.start();
  await world.advance(5_000);
  t.equal(world.gateway.inFlight, 0, 'without waiting for the ring timer');
  t.match(await world.task(task), { state: 'final', status: 'Cancelled' });
  await world.check();
});

t.test('[API-18] a cancellation written by another process is heard of', async (t) => {
  const world = await DialerWorld.open(t, { withAgent: true, limits: { recheckMs: MINUTE_MS } });
  world.gateway.agent = { does: 'talk', forMs: HOUR_MS };
  const engagement = await world.engagement();
  await world.start();
  const [task = ''] = await world.tasks(engagement, world.people(1));
  await world.advance(10_000);
  const { database, businessUnitId, nowMs } = world;
  await cancelTask({ database, businessUnitId, nowMs, ...asked }, task);
  await world.advance(2 * MINUTE_MS);
  t.equal(world.gateway.inFlight, 0);
  t.match(await world.task(task), { state: 'final', status: 'Cancelled' });
});

t.test('[API-18] all tasks of an engagement are cancelled, or those in the queue', async (t) => {
  const world = await DialerWorld.open(t, { farEnd: () => NOBODY });
  await world.start();
  const engagementId = await world.engagement({ cap: 2 });
  await world.tasks(engagementId, world.people(10));
  await world.advance(1_000);
  const { businessUnitId } = world;
  const all = { businessUnitId, engagementId, ...asked };
  const queued = await world.dialer.cancelEngagementTasks({ ...all, scope: 'queued' });
  t.same(queued, { cancelled: 8, ending: 0 });
  await world.advance(1_000);
  t.equal(world.gateway.inFlight, 2, 'calls that are being made go on');
  t.same(await world.dialer.cancelEngagementTasks(all), { cancelled: 0, ending: 2 });
  await world.advance(1_000);
  t.match(await world.engagementRow(engagementId), { tasks_final: 10, in_flight: 0 });
  await world.check();
});

t.test('[API-18] at whatever moment, and whoever answers, it ends as Cancelled once', async (t) => {
  const farEnds = fc.constantFrom<FarEnd>(BUSY, NOBODY, { does: 'answer' }, ANSWERS_AND_LEAVES);
  const cancelsAtMs = fc.array(fc.integer({ min: 0, max: 90_000 }), { minLength: 3, maxLength: 3 });
  const law = fc.asyncProperty(farEnds, cancelsAtMs, fc.boolean(), async (far, atMs, dies) => {
    const limits = { numberGapMinMs: 0, unknownGapMs: MINUTE_MS };
    const world = await DialerWorld.open(t, { farEnd: () => far, limits });
    await world.start();
    const engagement = await world.engagement({ cap: 2, config: { reattempt: EVERY_MINUTE } });
    const tasks = await world.tasks(engagement, world.people(3));
    const outcomes = new Map<string, string>();
    for (const [index, task] of tasks.entries()) {
      world.clock.setTimeout(() => {
        if (!world.isRunning) return;
        cancel(world, task).then(
          (outcome) => outcomes.set(task, outcome),
          () => undefined, // the process died before it was written
        );
        if (dies && index === 1) world.clock.setTimeout(() => world.kill(), 0);
      }, atMs[index] ?? 0);
    }
    await world.advance(95_000);
    if (!world.isRunning) await world.start();
    await world.advance(2 * HOUR_MS);
    await world.check();
    for (const task of tasks) {
      const { state, status } = await world.task(task);
      const asked = outcomes.get(task);
      if (state !== 'final') return false;
      if ((asked === 'cancelled' || asked === 'ending') && status !== 'Cancelled') return false;
    }
    world.kill();
    return world.gateway.inFlight === 0;
  });
  await fc.assert(law, { numRuns: 5 });
  t.pass();
});

const EVERY_MINUTE = { reasons: ['busy', 'noAnswer'], retriesMax: 3, waitMinutes: 1 };
const ANSWERS_AND_LEAVES: FarEnd = { does: 'answer', afterMs: 500, hangUpAfterMs: 1_000 };
