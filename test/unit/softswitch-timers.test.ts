import fc from 'fast-check';
import t from 'tap';
import { ManualTimerWheel } from '../../softswitch/timers/manual-timer-wheel.ts';
import { realTimerWheel } from '../../softswitch/timers/timer-wheel.ts';

t.test('The manual wheel jumps from due time to due time, ties in the order they were set', (t) => {
  const wheel = new ManualTimerWheel();
  const fired: string[] = [];
  const note = (name: string) => (): void => void fired.push(`${name} @${wheel.nowMs()}`);
  wheel.schedule(200, note('late'));
  wheel.schedule(100, () => {
    note('first')();
    wheel.schedule(50, note('set by first'));
    wheel.schedule(0, note('at once'));
  });
  wheel.schedule(100, note('tie'));
  const cancelled = wheel.schedule(120, note('never'));
  cancelled.cancel();
  cancelled.cancel();
  wheel.advance(1_000);
  t.same(fired, ['first @100', 'tie @100', 'at once @100', 'set by first @150', 'late @200']);
  t.equal(wheel.nowMs(), 1_000);
  t.equal(wheel.pending, 0);
  t.throws(() => wheel.advance(-1), /backwards/);
  wheel.schedule(1, note('x'));
  wheel.stop();
  wheel.advance(10);
  t.equal(fired.length, 5);
  t.end();
});

t.test('The real wheel fires everything once, never early, in order of ticks', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(60), { minLength: 1, maxLength: 60 }), async (delays) => {
      const wheel = realTimerWheel({ tickMs: 2, keepProcessAlive: true });
      const fired: { index: number; earlyMs: number; dueTick: number }[] = [];
      await new Promise<void>((resolve) => {
        delays.forEach((delayMs, index) => {
          const timer = wheel.schedule(delayMs, () => {
            const earlyMs = timer.dueAtMs - wheel.nowMs();
            fired.push({ index, earlyMs, dueTick: Math.ceil(timer.dueAtMs / 2) });
            if (fired.length === delays.length) resolve();
          });
        });
      });
      const ticks = fired.map(({ dueTick }) => dueTick);
      return (
        new Set(fired.map(({ index }) => index)).size === delays.length &&
        fired.every(({ earlyMs }) => earlyMs <= 0) &&
        ticks.every((tick, at) => at === 0 || tick >= (ticks[at - 1] ?? 0)) &&
        wheel.pending === 0
      );
    }),
    { numRuns: 10 },
  );
  t.pass();
});

t.test('A timer longer than a turn of the real wheel waits for its own turn', async (t) => {
  const wheel = realTimerWheel({ tickMs: 1, keepProcessAlive: true }); // one turn is 1,024 ms
  const startMs = wheel.nowMs();
  const tookMs = await new Promise<number>((resolve) => {
    wheel.schedule(1_100, () => resolve(wheel.nowMs() - startMs));
    wheel.schedule(76, () => undefined); // the same slot, a turn sooner
  });
  t.ok(tookMs >= 1_100, `${tookMs} ms`);
  t.equal(wheel.pending, 0);
});

t.test('A stall longer than a turn fires what it missed, earliest first', async (t) => {
  const wheel = realTimerWheel({ tickMs: 0.02, keepProcessAlive: true }); // one turn is 20 ms
  const fired: number[] = [];
  const done = new Promise<void>((resolve) => {
    for (const delayMs of [35, 5, 25, 15, 1]) {
      wheel.schedule(delayMs, () => {
        fired.push(delayMs);
        if (fired.length === 5) resolve();
      });
    }
  });
  const untilMs = performance.now() + 60;
  while (performance.now() < untilMs); // the loop is blocked, as by a long computation
  await done;
  t.same(new Set(fired), new Set([1, 5, 15, 25, 35]));
  t.same(fired, [1, 5, 15, 25, 35]);
});

t.test('Cancelling inside a timer, and a timer that throws, leave the others alone', async (t) => {
  const wheel = realTimerWheel({ keepProcessAlive: true });
  const fired: string[] = [];
  const uncaught = new Promise<unknown>((resolve) => process.once('uncaughtException', resolve));
  const done = new Promise<void>((resolve) => {
    wheel.schedule(10, () => {
      victim.cancel();
      throw new Error('a fault of the user');
    });
    const victim = wheel.schedule(10, () => void fired.push('victim'));
    wheel.schedule(10, () => void fired.push('neighbour'));
    wheel.schedule(40, () => {
      fired.push('later');
      resolve();
    });
  });
  await done;
  t.match(await uncaught, { message: 'a fault of the user' });
  t.same(fired, ['neighbour', 'later']);
});

t.test('Stopped, the real wheel holds nothing and takes nothing', (t) => {
  const wheel = realTimerWheel();
  for (let index = 0; index < 100; index += 1) wheel.schedule(index * 50, () => t.fail('fired'));
  t.equal(wheel.pending, 100);
  wheel.stop();
  t.equal(wheel.pending, 0);
  wheel.schedule(0, () => t.fail('fired')).cancel();
  t.equal(wheel.pending, 0);
  t.end();
});
