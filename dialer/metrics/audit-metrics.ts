/** What the audit of calls found, and how far it is. docs/metrics.md is written from these rows. */
import { counter, gauge, type Meter, type MetricTable } from '../../machines/meter.port.ts';
import { AUDIT_RULES } from '../audit/audit-rules.ts';
import type { OpenDatabase } from '../store/open-database.ts';

export const AUDIT_METRICS = {
  violations: counter(
    'dialer_compliance_violations_total',
    'Calls that should not have been made, by rule (docs/operations.md); stays 0. Counted since the store was made.',
    ['rule'],
  ),
  calls: counter(
    'dialer_compliance_calls_audited_total',
    'INVITEs whose rules were looked at once more, after the fact.',
  ),
  age: gauge(
    'dialer_compliance_audit_age_seconds',
    'Since the audit last had looked at every call that there was.',
  ),
} as const satisfies MetricTable;

export interface MeasuredAudit {
  readonly database: Pick<OpenDatabase, 'db'>;
  readonly meter: Meter;
  readonly ageMs: () => number;
}

export function measureAudit({ database, meter, ageMs }: MeasuredAudit): void {
  meter.register(AUDIT_METRICS);
  meter.onScrape({
    ...{ name: 'audit', metrics: [AUDIT_METRICS.age] },
    read: (set) => set(AUDIT_METRICS.age, {}, ageMs() / 1_000),
  });
  meter.onScrape({
    ...{ name: 'violations', metrics: [AUDIT_METRICS.violations] },
    read: async (set) => {
      const rows = await database.db
        .selectFrom('compliance_violations')
        .select(({ fn }) => ['rule', fn.countAll<number>().as('count')])
        .groupBy('rule')
        .execute();
      const counts = new Map(rows.map(({ rule, count }) => [rule, count]));
      for (const rule of Object.keys(AUDIT_RULES)) {
        set(AUDIT_METRICS.violations, { rule }, counts.get(rule) ?? 0);
      }
    },
  });
}
