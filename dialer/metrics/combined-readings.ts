/**
 * Readings of engagements that share a label: those beyond `metrics.engagementsMax`, or of one name.
 * Counts are added up; of what cannot be added the worst is told.
 */
import type { Labels, MetricDefinition, SetReading } from '../../machines/meter.port.ts';

interface Reading {
  value: number;
  readonly apply: (set: SetReading, value: number) => void;
}

export class CombinedReadings {
  readonly #readings = new Map<string, Reading>();

  sum<L extends string>(metric: MetricDefinition<L>, labels: Labels<L>, value: number): void {
    this.#take(metric, labels, value, (one, other) => one + other);
  }

  highest<L extends string>(metric: MetricDefinition<L>, labels: Labels<L>, value: number): void {
    this.#take(metric, labels, value, Math.max);
  }

  lowest<L extends string>(metric: MetricDefinition<L>, labels: Labels<L>, value: number): void {
    this.#take(metric, labels, value, Math.min);
  }

  setAll(set: SetReading): void {
    for (const { value, apply } of this.#readings.values()) apply(set, value);
  }

  #take<L extends string>(
    metric: MetricDefinition<L>,
    labels: Labels<L>,
    value: number,
    combine: (one: number, other: number) => number,
  ): void {
    const key = JSON.stringify([metric.name, ...metric.labels.map((label) => labels[label])]);
    const known = this.#readings.get(key);
    if (known !== undefined) known.value = combine(known.value, value);
    else {
      const apply = (set: SetReading, combined: number): void => set(metric, labels, combined);
      this.#readings.set(key, { value, apply });
    }
  }
}
