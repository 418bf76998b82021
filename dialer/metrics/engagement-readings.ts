/** Engagements as their rows have them: the counts are kept there by the transactions that change them. */
import { sql } from 'kysely';
import type { SetReading } from '../../machines/meter.port.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import { CombinedReadings } from './combined-readings.ts';
import { DIALER_METRICS as metrics } from './dialer-metrics.ts';
import type { EngagementLabels } from './engagement-labels.ts';
import { PACING_METRICS } from './pacing-metrics.ts';

const STATUSES = ['running', 'suspended', 'inactive'];
/** Those that were made last: a scrape reads no more, however many there have been. */
const ROWS_MAX = 1_000;

interface Sums {
  waiting: number;
  ready: number;
  working: number;
  final: number;
  inFlight: number;
  inFlightMax: number;
}

export async function readEngagements(
  { db }: Pick<OpenDatabase, 'db'>,
  labels: EngagementLabels,
  set: SetReading,
): Promise<void> {
  const rows = await db
    .selectFrom('engagements')
    .select(['id', 'name', 'status', 'suspension_type', 'config', 'in_flight'])
    .select(['tasks_waiting', 'tasks_ready', 'tasks_working', 'tasks_final'])
    .orderBy(sql`id`, 'desc')
    .limit(ROWS_MAX)
    .execute();
  const statuses = new Map(STATUSES.map((status) => [status, 0]));
  const sums = new Map<string, Sums>();
  const suspended = new CombinedReadings();
  // Oldest first, so that labels stay with those who had them.
  for (const row of rows.reverse()) {
    statuses.set(row.status, (statuses.get(row.status) ?? 0) + 1);
    const label = labels.nameOf(row.id, row.name);
    const sum = sums.get(label) ?? noSums();
    sums.set(label, sum);
    if (row.status === 'suspended' && row.suspension_type !== null) {
      const { suspension_type: type } = row;
      suspended.sum(PACING_METRICS.suspended, { engagement: label, type }, 1);
    }
    sum.waiting += row.tasks_waiting;
    sum.ready += row.tasks_ready;
    sum.working += row.tasks_working;
    sum.final += row.tasks_final;
    sum.inFlight += row.in_flight;
    if (row.status === 'running') sum.inFlightMax += capOf(row.config);
  }
  suspended.setAll(set);
  for (const [status, count] of statuses) set(metrics.engagements, { status }, count);
  for (const [engagement, sum] of sums) {
    set(metrics.tasks, { engagement, state: 'waiting' }, sum.waiting);
    set(metrics.tasks, { engagement, state: 'ready' }, sum.ready);
    set(metrics.tasks, { engagement, state: 'working' }, sum.working);
    set(metrics.tasks, { engagement, state: 'final' }, sum.final);
    set(metrics.inFlight, { engagement }, sum.inFlight);
    set(metrics.inFlightMax, { engagement }, sum.inFlightMax);
  }
}

function noSums(): Sums {
  return { waiting: 0, ready: 0, working: 0, final: 0, inFlight: 0, inFlightMax: 0 };
}

/** An engagement whose configuration does not read back dials nothing. */
function capOf(config: string): number {
  try {
    const { mode } = JSON.parse(config) as { mode?: { maxConcurrentCalls?: unknown } };
    return typeof mode?.maxConcurrentCalls === 'number' ? mode.maxConcurrentCalls : 0;
  } catch {
    return 0;
  }
}
