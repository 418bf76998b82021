/** The engagements that a starting service finds in its store, with the work that is left in them. */
import type { OpenDatabase } from '../dialer/store/open-database.ts';

export interface FoundEngagement {
  readonly id: string;
  readonly name: string;
  /** `running` or `suspended`. */
  readonly status: string;
  readonly suspensionReason: string | null;
  readonly waiting: number;
  readonly ready: number;
  readonly working: number;
}

/** Those that may dial now or once they are resumed, in the order in which they were made. */
export function readEngagements({ db }: Pick<OpenDatabase, 'db'>): Promise<FoundEngagement[]> {
  return db
    .selectFrom('engagements')
    .select(['id', 'name', 'status', 'suspension_reason as suspensionReason'])
    .select(['tasks_waiting as waiting', 'tasks_ready as ready', 'tasks_working as working'])
    .where('status', '<>', 'inactive')
    .orderBy('id')
    .execute();
}

export function engagementInWords(found: FoundEngagement): string {
  const { name, status, suspensionReason, waiting, ready, working } = found;
  const state = suspensionReason === null ? status : `${status} (${suspensionReason})`;
  const work = [
    [ready, 'ready'],
    [waiting, 'waiting'],
    [working, 'in work'],
  ] as const;
  const left = work.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return `“${name}” is ${state}: ${left.length === 0 ? 'no tasks left' : `tasks ${left.join(', ')}`}`;
}
