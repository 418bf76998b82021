/** What one decision costs with 200 representatives and 600 calls ringing. */
import { PacerCore } from '../../dialer/pacing/pacer-core.ts';
import { percentile } from '../bench-report.ts';

const REPRESENTATIVES = 200;
const RINGING = 600;
const RING_MS = 22_000;
const TICK_MS = 250;
const DECISIONS = 6_000;
const WARM_UP = 1_000;

export interface DecisionTime {
  readonly meanUs: number;
  readonly p99Us: number;
  /** Processor time of the whole process: what is left when others want the processor too. */
  readonly cpuMeanUs: number;
  readonly decisions: number;
}

export function decisionTime(): DecisionTime {
  const pacer = new PacerCore({
    mode: 'predictive',
    repLed: true,
    abandonmentRatioMax: 0.03,
    patienceMs: 2_000,
    ringTimeoutMs: RING_MS,
    cancelRinging: true,
    believed: { answerProbability: 0.1 },
  });
  for (let i = 0; i < REPRESENTATIVES; i += 1) {
    pacer.note(-i * 1_700, { event: 'rep.ready', rep: `r${i}` });
  }
  for (let i = 0; i < REPRESENTATIVES - 6; i += 1) {
    pacer.note(0, { event: 'rep.busy', rep: `r${i}` });
  }
  const ringing: { attempt: string; startedAtMs: number }[] = [];
  const talking = Array.from({ length: REPRESENTATIVES - 6 }, (_, i) => `r${i}`);
  let calls = 0;
  const samples: number[] = [];
  let cpuUs = 0;
  for (let tick = 0; tick < DECISIONS + WARM_UP; tick += 1) {
    const atMs = tick * TICK_MS;
    // Calls end as they age and new ones take their place, spread over all ages; every tenth is
    // answered, by the one who has talked longest.
    while ((ringing[0]?.startedAtMs ?? Number.POSITIVE_INFINITY) <= atMs - RING_MS) {
      const attempt = ringing.shift()?.attempt ?? '';
      if (calls % 10 === 0) {
        const rep = talking.shift() ?? '';
        talking.push(rep);
        pacer.note(atMs, { event: 'rep.ready', rep });
        pacer.note(atMs, { event: 'attempt.connected', attempt, rep });
      }
      pacer.note(atMs, { event: 'attempt.ended', attempt, result: 'NoAnswer' });
      calls += 1;
    }
    while (ringing.length < Math.min(RINGING, 7 * (tick + 1))) {
      const attempt = `a${calls + ringing.length}`;
      pacer.note(atMs, { event: 'attempt.started', attempt });
      pacer.note(atMs, { event: 'attempt.alerting', attempt });
      ringing.push({ attempt, startedAtMs: atMs });
    }
    const cpuBefore = process.cpuUsage();
    const begunMs = performance.now();
    pacer.tick(atMs);
    const tookMs = performance.now() - begunMs;
    const { user, system } = process.cpuUsage(cpuBefore);
    if (tick < WARM_UP) continue;
    samples.push(1_000 * tookMs);
    cpuUs += user + system;
  }
  const meanUs = samples.reduce((sum, sample) => sum + sample, 0) / samples.length;
  const cpuMeanUs = cpuUs / samples.length;
  return { meanUs, p99Us: percentile(samples, 0.99), cpuMeanUs, decisions: samples.length };
}
