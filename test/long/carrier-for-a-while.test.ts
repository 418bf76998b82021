/**
 * Goal: what only shows with time. Loss at the real timers of RFC 3261 still ends every attempt
 * truthfully, and a silent peer is given up after 32 s. The benchmark of the dialer, which takes minutes,
 * runs to its end with little to do. (Load that lasts is soak.test.ts.)
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import type { BenchReport } from '../../bench/bench-report.ts';
import { CALL_ORDERS } from '../../dialer/engagements/engagement-config.schema.ts';
import { DialingRig, type DialOptions } from '../support/dialing-rig.ts';
import { FaultRelay } from '../support/fault-relay.ts';
import { SippFarEnd, type SippOptions } from '../support/sipp.ts';
import { ownScript } from '../support/own-script.ts';

t.setTimeout(600_000);
// The first waits; the others have the processor to themselves.
t.jobs = 2;

const PER_SECOND = 20;
const LOSSY_ATTEMPTS = 200;

async function startFarEnd(t: Test, options: SippOptions): Promise<SippFarEnd> {
  const farEnd = await SippFarEnd.start(options);
  t.teardown(() => farEnd.stop());
  return farEnd;
}

async function startRig(t: Test, address: string): Promise<DialingRig> {
  const rig = await DialingRig.start({ trunks: [{ name: 'far-end', address }] });
  t.teardown(() => rig.stop());
  return rig;
}

/** Starts attempts at a steady rate, whether or not those before have ended. */
async function dialSteadily(rig: DialingRig, count: number, options: DialOptions) {
  const startedAtMs = performance.now();
  const outcomes: ReturnType<DialingRig['dialToEnd']>[] = [];
  while (outcomes.length < count) {
    const waitMs = startedAtMs + (outcomes.length * 1000) / PER_SECOND - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    outcomes.push(rig.dialToEnd(options));
  }
  return Promise.all(outcomes);
}

/** Channels, dialogs and ports of calls are gone; warm endpoints are all that may be left. */
async function leavesNothing(t: Test, rig: DialingRig, withinMs: number): Promise<void> {
  const endAtMs = performance.now() + withinMs;
  for (;;) {
    const { signalling, media } = await rig.switch.stats();
    const gauges = rig.gateway.gauges;
    const warm = gauges.endpointsWarm + gauges.endpointsCreating;
    const isClean =
      gauges.attemptsInFlight + gauges.attemptsReleasing + gauges.dialogsEnding === 0 &&
      gauges.endpointsInCalls === 0 &&
      (media['channels'] ?? 0) <= warm &&
      (media['rtpPortsTaken'] ?? 0) <= warm &&
      (signalling['dialogs'] ?? 0) <= warm;
    if (isClean || performance.now() > endAtMs) {
      t.ok(isClean, `nothing left: ${JSON.stringify({ gauges, signalling, media })}`);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

t.test('[OUT-06] a silent peer is given up after 64 × T1, not before', async (t) => {
  const silent = await startFarEnd(t, { scenario: 'silent' });
  const rig = await startRig(t, silent.uri);
  const { result, subReason, evidence } = await rig.dialToEnd({ trunk: 'far-end' });
  t.equal(result, 'CallFailed');
  t.equal(subReason, 'trunk_timeout');
  t.match(evidence.ended?.sip, { statusCode: 408, origin: 'stack' });
  const trace = await silent.messages();
  const [first, last] = [trace.at(0)?.atMs ?? 0, trace.at(-1)?.atMs ?? 0];
  // drachtio-server leaves out the first, after T1.
  const repeats = rig.switch.isEmbedded ? 6 : 5;
  t.equal(trace.length, 1 + repeats, 'and its retransmissions (RFC 3261 §17.1.1.2)');
  t.ok(Math.abs(last - first - 31_500) < 600, `the last after 31.5 s: ${last - first} ms`);
});

t.test(`20 % lost in each direction, ${LOSSY_ATTEMPTS} attempts, real timers`, async (t) => {
  const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 2 ** 31);
  t.comment(`seed ${seed}: replay with TEST_SEED=${seed}`);
  const loss = { lossRatio: 0.2, duplicateRatio: 0.02, delayMinMs: 5, delayMaxMs: 40 };
  const relay = await FaultRelay.open({ seed, toTarget: loss, toClient: loss });
  t.teardown(() => relay.close());
  const farEnd = await startFarEnd(t, {
    scenario: 'answer-over-loss',
    ignoreUnexpected: true,
    pauseMs: 500,
    advertisedPort: relay.port,
  });
  relay.setTarget(farEnd);
  const rig = await startRig(t, `sip:${relay.host}:${relay.port}`);
  const outcomes = await dialSteadily(rig, LOSSY_ATTEMPTS, { trunk: 'far-end' });
  const reasons = outcomes.map(({ subReason }) => subReason);
  const answered = reasons.filter((reason) => reason === 'not_classified').length;
  const timedOut = outcomes.filter(
    ({ subReason, evidence: { alerting } }) =>
      subReason === (alerting === null ? 'trunk_timeout' : 'ring_timeout'),
  ).length;
  t.equal(answered + timedOut, LOSSY_ATTEMPTS, `seed ${seed}: ${reasons.join(' ')}`);
  t.ok(answered > LOSSY_ATTEMPTS * 0.95, `${answered} answered in spite of the loss`);
  t.ok((await farEnd.callIds()).size <= LOSSY_ATTEMPTS, 'no attempt was dialled twice');
  await leavesNothing(t, rig, 45_000);
});

t.test('the benchmark of the dialer measures all that it names, on both databases', async (t) => {
  const main = ownScript(new URL('../../bench/main.ts', import.meta.url));
  const bench = [...main, 'dialer', '--json'];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...bench, '--tasks', '1000', '--seconds', '1'],
    { cwd: fileURLToPath(new URL('../..', import.meta.url)) },
  );
  const report = JSON.parse(stdout) as BenchReport;
  t.equal(report.name, 'dialer');
  for (const store of ['sqlite', 'postgres']) {
    for (const callOrder of CALL_ORDERS) {
      t.hasProp(report.targets, `${store}_next_p99_ms_${callOrder}`);
    }
    t.ok((report.metrics[`${store}_claims`]?.value ?? 0) > 0, `${store} claimed`);
    t.ok((report.metrics[`${store}_starts_beside_import`]?.value ?? 0) > 0, `${store} dialed on`);
  }
  const values = Object.values(report.metrics).map(({ value }) => value);
  t.ok([...values, ...Object.values(report.ratios)].every(Number.isFinite), 'no figure is missing');
});
