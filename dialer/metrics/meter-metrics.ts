/** What the meter says about itself. */
import { counter, type MetricTable } from '../../machines/meter.port.ts';

export const METER_METRICS = {
  readFailures: counter(
    'metrics_read_failures_total',
    'Scrapes for which a source of metrics gave no answer; its metrics were absent.',
    ['source'],
  ),
} as const satisfies MetricTable;
