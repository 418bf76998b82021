/** What the dialer sees of its store. docs/metrics.md is written from these rows. */
import { gauge, histogram, type Meter, type MetricTable } from '../../machines/meter.port.ts';
import type { OpenDatabase } from '../store/open-database.ts';

export const STORE_METRICS = {
  commit: histogram(
    'dialer_store_commit_seconds',
    'COMMIT until it is durable: SQLite, the disk; PostgreSQL, its answer.',
    [],
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  ),
  group: histogram(
    'dialer_store_commit_sessions',
    'Transactions that one COMMIT made durable together; always 1 on PostgreSQL.',
    [],
    [1, 2, 4, 8, 16, 32, 64, 128, 256],
  ),
  waiting: gauge(
    'dialer_store_requests_waiting',
    'SQLite: statements and transactions without an answer. PostgreSQL: wishes for a connection.',
  ),
} as const satisfies MetricTable;

export function measureStore(database: Pick<OpenDatabase, 'onCommit' | 'waiting'>, meter: Meter) {
  meter.register(STORE_METRICS);
  database.onCommit(({ sessions, tookMs }) => {
    meter.observe(STORE_METRICS.commit, {}, tookMs / 1_000);
    meter.observe(STORE_METRICS.group, {}, sessions);
  });
  meter.onScrape({
    name: 'store',
    metrics: [STORE_METRICS.waiting],
    read: (set) => set(STORE_METRICS.waiting, {}, database.waiting()),
  });
}
