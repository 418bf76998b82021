/** The meter of one process, on a registry of its own: two in one process know nothing of each other. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type {
  Labels,
  Meter,
  MetricDefinition,
  MetricTable,
  ScrapeSource,
} from '../../machines/meter.port.ts';
import type { DialerLog } from '../dialer-log.ts';
import { METER_METRICS } from './meter-metrics.ts';

export interface PrometheusMeterOptions {
  readonly log: DialerLog;
  /** A source that has not answered by then is left out of the scrape. ms */
  readonly readLimitMs?: number;
}

type Registered =
  | { readonly type: 'counter'; readonly metric: Counter }
  | { readonly type: 'gauge'; readonly metric: Gauge }
  | { readonly type: 'histogram'; readonly metric: Histogram };

const READ_LIMIT_MS = 2_000;

export class PrometheusMeter implements Meter {
  readonly #options: PrometheusMeterOptions;
  readonly #registry = new Registry();
  readonly #registered = new Map<string, Registered>();
  readonly #sources: ScrapeSource[] = [];
  #scraping: Promise<string> | undefined;

  constructor(options: PrometheusMeterOptions) {
    this.#options = options;
    this.register(METER_METRICS);
  }

  /** Of the text format that `scrape` gives. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  register(table: MetricTable): void {
    for (const definition of Object.values(table)) {
      this.#registered.set(definition.name, this.#make(definition));
    }
  }

  add<L extends string>({ name }: MetricDefinition<L>, labels: Labels<L>, by = 1): void {
    const registered = this.#of(name);
    if (registered.type === 'histogram') throw new Error(`${name} is observed, not added to`);
    registered.metric.inc(labels, by);
  }

  observe<L extends string>({ name }: MetricDefinition<L>, labels: Labels<L>, value: number): void {
    const registered = this.#of(name);
    if (registered.type !== 'histogram') throw new Error(`${name} is no histogram`);
    registered.metric.observe(labels, value);
  }

  onScrape(source: ScrapeSource): void {
    this.#sources.push(source);
  }

  /** Two scrapers at once are told the same. */
  scrape(): Promise<string> {
    this.#scraping ??= this.#scrape().finally(() => (this.#scraping = undefined));
    return this.#scraping;
  }

  async #scrape(): Promise<string> {
    await Promise.all(this.#sources.map((source) => this.#read(source)));
    return this.#registry.metrics();
  }

  /** All or nothing of a source: what it read is set once it is through. */
  async #read({ name, metrics, read, limitMs }: ScrapeSource): Promise<void> {
    const readings: (() => void)[] = [];
    for (const metric of metrics) this.#of(metric.name).metric.reset();
    const set = <L extends string>(
      metric: MetricDefinition<L>,
      labels: Labels<L>,
      value: number,
    ): void => {
      readings.push(() => this.#set(metric.name, labels, value));
    };
    try {
      await this.#within(limitMs, async () => read(set));
      for (const apply of readings) apply();
    } catch (error) {
      this.add(METER_METRICS.readFailures, { source: name });
      this.#options.log.warn({ source: name, error }, 'metrics could not be read');
    }
  }

  #set(name: string, labels: Labels<string>, value: number): void {
    const registered = this.#of(name);
    if (registered.type === 'gauge') registered.metric.set(labels, value);
    else if (registered.type === 'counter') registered.metric.inc(labels, value);
    else throw new Error(`${name} cannot be set`);
  }

  async #within(limitMs: number | undefined, work: () => Promise<void>): Promise<void> {
    const readLimitMs = limitMs ?? this.#options.readLimitMs ?? READ_LIMIT_MS;
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer in ${readLimitMs} ms`)), readLimitMs);
    });
    try {
      await Promise.race([work(), limit]);
    } finally {
      clearTimeout(timer);
    }
  }

  #of(name: string): Registered {
    const registered = this.#registered.get(name);
    if (registered === undefined) throw new Error(`the metric ${name} is not registered`);
    return registered;
  }

  #make({ name, type, help, labels: labelNames, buckets = [] }: MetricDefinition): Registered {
    const shared = { name, help, labelNames: [...labelNames], registers: [this.#registry] };
    switch (type) {
      case 'counter':
        return { type, metric: new Counter(shared) };
      case 'gauge':
        return { type, metric: new Gauge(shared) };
      case 'histogram':
        return { type, metric: new Histogram({ ...shared, buckets: [...buckets] }) };
    }
  }
}
