/** Goal: three minutes of the soak (`npm run soak`): nothing grows, and nothing is left. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { hostTicks, wasStarved } from '../../bench/host-share.ts';
import { leakVerdict, type Sample } from '../../bench/leak-verdict.ts';
import { soak } from '../../bench/soak-run.ts';

t.setTimeout(600_000);

// As with --expose-gc: the switch's threads, which are started later, have it too.
setFlagsFromString('--expose-gc');
globalThis.gc ??= runInNewContext('gc') as NodeJS.GCFunction;

/** A number that comes and goes by `noise` around a level that rises by `risePerSample`. */
function series(risePerSample: number, noise: number): Sample[] {
  return Array.from({ length: 60 }, (_, index) => ({
    atSeconds: index * 2,
    value: 200 + risePerSample * index + noise * Math.sin(index * 1.7),
  }));
}

t.test('a slope is told from noise', (t) => {
  t.equal(leakVerdict(series(0, 20), 4).leaks, false, 'noise alone');
  t.equal(leakVerdict(series(1, 20), 4).leaks, true, 'a rise inside the noise');
  t.equal(leakVerdict(series(0.05, 0), 4).leaks, false, 'less than may come and go');
  t.equal(leakVerdict(series(-1, 0), 4).leaks, false, 'what falls does not leak');
  t.equal(leakVerdict(series(0, 0), 4).leaks, false, 'what stands still does not');
  t.throws(() => leakVerdict(series(0, 0).slice(0, 3), 4), /say nothing/);
  t.end();
});

t.test('what a machine had to spare is read from its ticks', (t) => {
  const before = hostTicks('cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1 1 1 1');
  t.same(before, { all: 1_000, idle: 850, stolen: 0 });
  const later = (idle: number, stolen: number) => ({ all: 2_000, idle: 850 + idle, stolen });
  t.equal(wasStarved(before, later(500, 0)), false, 'half of it');
  t.equal(wasStarved(before, later(100, 0)), true, 'next to nothing');
  t.equal(wasStarved(before, later(500, 200)), true, 'but a fifth went to another machine');
  t.end();
});

t.test('50 attempts a second with 200 live legs leave nothing behind', async (t) => {
  const report = await soak({
    ...{ rate: 50, liveLegs: 200, seconds: 180 },
    say: (line) => t.comment(line),
  });
  // 90 s at the rate that was asked for, and 90 s at what this machine can keep of it.
  t.ok(report.rate >= 12.5, `${report.rate} attempts a second`);
  const due = 90 * 50 + 90 * report.rate;
  t.ok(report.started >= due * 0.98, `${report.started} of ${due} attempts were started`);
  t.ok(
    report.liveLegsPeak >= report.rate * 4 * 0.9,
    `${report.liveLegsPeak} legs were live at once`,
  );
  t.same(report.problems, [], 'nothing leaks, nothing is left');
});
