/** What audits of answering-machine detection have found. docs/metrics.md is written from these rows. */
import { gauge, ratio, type Meter, type MetricTable } from '../../machines/meter.port.ts';
import {
  AUDIT_SOURCES,
  AUDIT_WINDOW_MS,
  falsePositivesOf,
  readAmdSample,
  type AmdSample,
} from '../amd-audit/false-positives.ts';
import type { OpenDatabase } from '../store/open-database.ts';

export const AMD_AUDIT_METRICS = {
  falsePositives: ratio(
    'dialer_amd_audit_fp_ratio',
    'Share of audited machine verdicts that were people: point, and the 95 % bounds lower and upper (Clopper and Pearson); absent while none was audited.',
    ['source', 'bound'],
    'point = human / (human + machine)',
  ),
  audits: gauge(
    'dialer_amd_audits',
    'Drawn machine verdicts by what was heard: human, machine, unclear, or pending (nobody has said).',
    ['source', 'heard'],
  ),
  charged: gauge(
    'dialer_amd_fp_charged_ratio',
    'Share of every machine verdict that the abandonment budget is charged with: `abandonment.amdFalsePositiveRatio`.',
  ),
} as const satisfies MetricTable;

export interface MeasuredAmdAudits {
  readonly database: Pick<OpenDatabase, 'db'>;
  readonly meter: Meter;
  readonly nowMs: () => number;
  readonly chargedRatio: number;
}

/** People answer in minutes: what was read is told again until then, whoever scrapes. */
const KEPT_MS = 30_000;

export function measureAmdAudits({
  database,
  meter,
  nowMs,
  chargedRatio,
}: MeasuredAmdAudits): void {
  meter.register(AMD_AUDIT_METRICS);
  let kept: { readonly atMs: number; readonly sample: AmdSample } | undefined;
  const read = async (): Promise<AmdSample> => {
    const atMs = nowMs();
    if (kept !== undefined && Math.abs(atMs - kept.atMs) < KEPT_MS) return kept.sample;
    const sample = await readAmdSample(database, {
      fromMs: atMs - AUDIT_WINDOW_MS,
      beforeMs: atMs + 1,
    });
    kept = { atMs, sample };
    return sample;
  };
  meter.onScrape({
    ...{ name: 'amd audits', metrics: Object.values(AMD_AUDIT_METRICS) },
    read: async (set) => {
      set(AMD_AUDIT_METRICS.charged, {}, chargedRatio);
      const sample = await read();
      for (const source of AUDIT_SOURCES) {
        const counts = sample[source];
        for (const [heard, count] of Object.entries(counts)) {
          set(AMD_AUDIT_METRICS.audits, { source, heard }, count);
        }
        const found = falsePositivesOf(counts);
        if (found === undefined) continue;
        const { ratio: point, low: lower, high: upper } = found;
        for (const [bound, share] of Object.entries({ lower, point, upper })) {
          set(AMD_AUDIT_METRICS.falsePositives, { source, bound }, share);
        }
      }
    },
  });
}
