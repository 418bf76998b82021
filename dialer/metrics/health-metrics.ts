/** What the readiness probe finds, as metrics: an alert needs no second prober. */
import { gauge, type Meter, type MetricTable } from '../../machines/meter.port.ts';
import type { Readiness } from '../health/readiness.ts';

export const HEALTH_METRICS = {
  checks: gauge(
    'health_check_passing',
    '1 for each check of /health/ready that passes, 0 for one that fails: store, drachtio, freeswitch, trunks, lease, bus.',
    ['check'],
  ),
} as const satisfies MetricTable;

/** A check has failed after its own limit; a scrape waits a little longer than that. ms */
const READ_LIMIT_MS = 5_000;

export function measureHealth(readiness: Pick<Readiness, 'report'>, meter: Meter): void {
  meter.register(HEALTH_METRICS);
  meter.onScrape({
    name: 'health',
    limitMs: READ_LIMIT_MS,
    metrics: [HEALTH_METRICS.checks],
    read: async (set) => {
      const { checks } = await readiness.report();
      for (const { name: check, ok } of checks) set(HEALTH_METRICS.checks, { check }, ok ? 1 : 0);
    },
  });
}
