/**
 * How every part of Ringfence measures. A metric is a row of a table; the table registers it, and
 * docs/metrics.md is written from the same rows. Who measures knows nothing of Prometheus.
 *
 * Rules for rows: base units in the name (`_seconds`, `_bytes`, `_ratio`), counters end in `_total`,
 * and a label takes few values, known beforehand: never a telephone number, never an id.
 */
export interface MetricDefinition<L extends string = string> {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** One sentence, for `# HELP` and the document. */
  readonly help: string;
  readonly labels: readonly L[];
  /** Upper bounds of a histogram, in its unit. */
  readonly buckets?: readonly number[];
  /** How a ratio is formed, and after which standard. */
  readonly formula?: string;
}

export type MetricTable = Readonly<Record<string, MetricDefinition>>;

export type Labels<L extends string> = Readonly<Record<L, string>>;

/** Sets a gauge, or a counter that is kept elsewhere, to what was read. */
export type SetReading = <L extends string>(
  metric: MetricDefinition<L>,
  labels: Labels<L>,
  value: number,
) => void;

export interface Meter {
  /** Makes the rows known, so that they are there before anything was measured. */
  register(table: MetricTable): void;
  add<L extends string>(metric: MetricDefinition<L>, labels: Labels<L>, by?: number): void;
  observe<L extends string>(metric: MetricDefinition<L>, labels: Labels<L>, value: number): void;
  /**
   * Has `read` asked at each scrape for the metrics it names, all anew: what it does not set is
   * gone. It has to be cheap, and may fail: then its metrics are absent, and the rest is served.
   */
  onScrape(source: ScrapeSource): void;
}

export interface ScrapeSource {
  /** Label of the counter of failed reads. */
  readonly name: string;
  readonly metrics: readonly MetricDefinition[];
  /** For one that takes longer than others may. ms */
  readonly limitMs?: number;
  readonly read: (set: SetReading) => void | Promise<void>;
}

export function counter<const L extends string = never>(
  name: string,
  help: string,
  labels: readonly L[] = [],
): MetricDefinition<L> {
  return { name, type: 'counter', help, labels };
}

export function gauge<const L extends string = never>(
  name: string,
  help: string,
  labels: readonly L[] = [],
): MetricDefinition<L> {
  return { name, type: 'gauge', help, labels };
}

export function ratio<const L extends string = never>(
  name: string,
  help: string,
  labels: readonly L[],
  formula: string,
): MetricDefinition<L> {
  return { name, type: 'gauge', help, labels, formula };
}

export function histogram<const L extends string = never>(
  name: string,
  help: string,
  labels: readonly L[],
  buckets: readonly number[],
): MetricDefinition<L> {
  return { name, type: 'histogram', help, labels, buckets };
}
