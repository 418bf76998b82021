/** The one JSON shape of every benchmark, and the same for people. */
import { cpus, release, totalmem, type } from 'node:os';

export interface BenchMetric {
  readonly value: number;
  readonly unit: string;
}

export interface BenchTarget {
  /** A comparison, such as `<= 40`. */
  readonly target: string;
  readonly measured: number;
  readonly pass: boolean;
}

export interface BenchHost {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly node: string;
  readonly os: string;
}

export interface BenchReport {
  readonly name: string;
  readonly host: BenchHost;
  readonly metrics: Readonly<Record<string, BenchMetric>>;
  /** One measure over another; what is divided by what is said by the name. */
  readonly ratios: Readonly<Record<string, number>>;
  readonly targets: Readonly<Record<string, BenchTarget>>;
}

export interface BenchOptions {
  /** Length of the measured part. */
  readonly seconds: number;
  /** Offered load, starts per second. */
  readonly rate: number;
  /** Rows to work among, where that is what is measured. */
  readonly tasks?: number;
  /** Only this part, where a benchmark has parts. */
  readonly part?: string;
  /** Of the test material, where it can be made smaller, above 0 and at most 1. */
  readonly share?: number;
  /** Folder of the test material, where it is kept between runs. */
  readonly corpus?: string;
  /** Progress in words, for stderr. */
  readonly say: (line: string) => void;
}

export function benchHost(): BenchHost {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGib: rounded(totalmem() / 2 ** 30),
    node: process.version,
    os: `${type()} ${release()}`,
  };
}

export function atMost(measured: number, limit: number): BenchTarget {
  return { target: `<= ${limit}`, measured: rounded(measured), pass: measured <= limit };
}

export function atLeast(measured: number, limit: number): BenchTarget {
  return { target: `>= ${limit}`, measured: rounded(measured), pass: measured >= limit };
}

/** The value below which a share of the samples lies (nearest rank). NaN when there are none. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** Four significant digits: more would claim a precision that no run has. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

export function reportInWords(report: BenchReport): string {
  const lines = [
    `${report.name} on ${report.host.cores} × ${report.host.cpu}, Node ${report.host.node}`,
  ];
  const width = Math.max(...Object.keys(report.metrics).map((name) => name.length));
  for (const [name, { value, unit }] of Object.entries(report.metrics)) {
    lines.push(`  ${name.padEnd(width)}  ${value} ${unit}`.trimEnd());
  }
  for (const [name, ratio] of Object.entries(report.ratios)) {
    lines.push(`  ${name.padEnd(width)}  ${ratio}`);
  }
  for (const [name, { target, measured, pass }] of Object.entries(report.targets)) {
    lines.push(`  ${pass ? 'met' : 'MISSED'}: ${name} ${target}, measured ${measured}`);
  }
  return lines.join('\n');
}
