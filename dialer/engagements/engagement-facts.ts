/** Everything about an engagement that dialing asks for, read from its rows. */
import { Value } from 'typebox/value';
import { storedConfig } from './complete-config.ts';
import { QueueHours, queueFactAt } from '../eligibility/queue-hours.ts';
import type { QueueFact } from '../eligibility/eligibility.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { EngagementRow, QueueRow, WorkstreamRow } from '../store/schema/engagement-tables.ts';
import { RepresentativeRules } from '../representatives/representative-rules.schema.ts';
import type { EngagementConfig } from './engagement-config.schema.ts';
import type { Suspension } from './suspend-engagement.ts';

export interface EngagementFacts {
  readonly engagement: EngagementRow;
  readonly config: EngagementConfig;
  readonly workstream: WorkstreamRow;
  readonly queue: { readonly hours: QueueHours | null; readonly timeZone: string };
  /** What its workstream asks of representatives. */
  readonly rules: RepresentativeRules;
}

/** Undefined when there is no such engagement. Throws when what is stored breaks its schema. */
export async function readEngagementFacts(
  { db }: Pick<OpenDatabase, 'db'>,
  engagementId: string,
): Promise<EngagementFacts | undefined> {
  const engagement = await db
    .selectFrom('engagements')
    .selectAll()
    .where('id', '=', engagementId)
    .executeTakeFirst();
  if (engagement === undefined) return undefined;
  const ofTenant = engagement.business_unit_id;
  const workstream = await db
    .selectFrom('workstreams')
    .selectAll()
    .where('id', '=', engagement.workstream_id)
    .where('business_unit_id', '=', ofTenant)
    .executeTakeFirstOrThrow();
  const queue = await db
    .selectFrom('queues')
    .selectAll()
    .where('id', '=', engagement.queue_id)
    .where('business_unit_id', '=', ofTenant)
    .executeTakeFirstOrThrow();
  const config = storedConfig(engagement.config);
  return { engagement, config, workstream, queue: hoursOf(queue), rules: rulesOf(workstream) };
}

function rulesOf({ settings }: WorkstreamRow): RepresentativeRules {
  const { representatives = {} } = JSON.parse(settings) as { representatives?: unknown };
  return Value.Parse(RepresentativeRules, Value.Default(RepresentativeRules, representatives));
}

function hoursOf({ hours, time_zone: timeZone }: QueueRow): EngagementFacts['queue'] {
  return { hours: hours === null ? null : Value.Parse(QueueHours, JSON.parse(hours)), timeZone };
}

/** Whether the queue lets calls start now; an engagement may be set to ignore its hours. */
export function queueFactOf({ config, queue }: EngagementFacts, nowMs: number): QueueFact {
  const { mode } = config;
  const fact = queueFactAt(queue.hours, queue.timeZone, nowMs);
  const ignores = mode.kind === 'copilot' && mode.ignoreQueueHours;
  return fact.kind === 'closed' && ignores ? { kind: 'ignored' } : fact;
}

/** Null while it runs. */
export function suspensionOf({ engagement }: EngagementFacts): Suspension | null {
  if (engagement.status === 'running') return null;
  const type = (engagement.suspension_type ?? 'adminAction') as Suspension['type'];
  return { type, reason: engagement.suspension_reason ?? `it is ${engagement.status}` };
}
