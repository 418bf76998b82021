/** What became of the contacts of a run, read from the dialer's store. */
import type { OpenDatabase } from '../../dialer/store/open-database.ts';
import type { DeliveryRow, TaskRow } from '../../dialer/store/schema/task-tables.ts';
import type { SubReason } from '../../machines/result.ts';
import type { ContactTask } from './contact-tasks.ts';
import { NO_SIP, outcomeOfRefusal, type TaskOutcome } from './task-outcome.ts';

type Task = Pick<TaskRow, 'id' | 'status' | 'last_result' | 'last_sub_reason'>;
type Delivery = Pick<DeliveryRow, 'id' | 'result' | 'sip_diagnostics'> & {
  readonly number: string | null;
  readonly sentAtMs: number | null;
};

/** In the order of the list. A task that nobody has finished shows its status so far. */
export async function readOutcomes(
  { db }: Pick<OpenDatabase, 'db'>,
  engagementId: string,
  rows: readonly ContactTask[],
): Promise<TaskOutcome[]> {
  const tasks = await db
    .selectFrom('tasks')
    .innerJoin('contacts', 'contacts.id', 'tasks.contact_id')
    .select(['tasks.id', 'tasks.status', 'tasks.last_result', 'tasks.last_sub_reason'])
    .select('contacts.unique_identifier as identifier')
    .where('tasks.engagement_id', '=', engagementId)
    .execute();
  const taskOf = new Map(tasks.map((task) => [task.identifier, task]));
  const deliveriesOf = await deliveriesByTask({ db }, engagementId);
  const returned = await returnedByDelivery({ db }, engagementId);
  return rows.map((row) => {
    const refused = outcomeOfRefusal(row);
    if (refused !== undefined) return refused;
    const task = taskOf.get(row.contact?.uniqueIdentifier ?? '');
    if (task === undefined) throw new Error(`line ${String(row.line)} has no task in the store`);
    return outcomeOf(row, task, deliveriesOf.get(task.id) ?? [], returned);
  });
}

type Db = Pick<OpenDatabase, 'db'>;

async function deliveriesByTask(
  { db }: Db,
  engagementId: string,
): Promise<Map<string, Delivery[]>> {
  const deliveries = await db
    .selectFrom('deliveries')
    .leftJoin('contact_points', 'contact_points.id', 'deliveries.contact_point_id')
    .leftJoin('attempts', 'attempts.delivery_id', 'deliveries.id')
    .select(['deliveries.id', 'deliveries.task_id', 'deliveries.result'])
    .select(['deliveries.sip_diagnostics', 'contact_points.value as number'])
    .select('attempts.sent_at_ms as sentAtMs')
    .where('deliveries.engagement_id', '=', engagementId)
    .orderBy('deliveries.seq_no')
    .execute();
  const byTask = new Map<string, Delivery[]>();
  for (const delivery of deliveries) {
    const own = byTask.get(delivery.task_id);
    if (own === undefined) byTask.set(delivery.task_id, [delivery]);
    else own.push(delivery);
  }
  return byTask;
}

async function returnedByDelivery(
  { db }: Db,
  engagementId: string,
): Promise<Map<string, Record<string, string>>> {
  const attributes = await db
    .selectFrom('delivery_attributes')
    .innerJoin('deliveries', 'deliveries.id', 'delivery_attributes.delivery_id')
    .select(['delivery_id', 'keyword', 'value'])
    .where('deliveries.engagement_id', '=', engagementId)
    .where('type', '=', 'Result')
    .orderBy('keyword')
    .execute();
  const byDelivery = new Map<string, Record<string, string>>();
  for (const { delivery_id: id, keyword, value } of attributes) {
    byDelivery.set(id, { ...byDelivery.get(id), [keyword]: value });
  }
  return byDelivery;
}

function outcomeOf(
  row: ContactTask,
  task: Task,
  deliveries: readonly Delivery[],
  returned: ReadonlyMap<string, Record<string, string>>,
): TaskOutcome {
  const tried = deliveries.filter((delivery) => diagnosticsOf(delivery).invites > 0);
  const last = deliveries.at(-1);
  const diagnostics = last === undefined ? undefined : diagnosticsOf(last);
  const attributes = last === undefined ? undefined : returned.get(last.id);
  return {
    line: row.line,
    to: last?.number ?? row.to,
    status: task.status,
    result: task.last_result,
    subReason: task.last_sub_reason,
    sip: diagnostics?.sip ?? NO_SIP,
    attempts: tried.map(({ result }) => result ?? 'Unknown'),
    invites: tried.reduce((sum, delivery) => sum + diagnosticsOf(delivery).invites, 0),
    ...(attributes === undefined ? {} : { attributes }),
    ...(last === undefined ? {} : { deliveryId: last.id }),
    ...(diagnostics?.refused === undefined ? {} : { reason: diagnostics.refused }),
    ...(last === undefined && task.status === 'Expired' ? TOO_LATE : {}),
  };
}

/** The only way to expire without a call: the calling hours of a real trunk, or the task's day. */
const TOO_LATE = {
  subReason: 'too_late' satisfies SubReason,
  reason: 'outside the calling hours of the contact, or its day is over',
};

interface Diagnostics {
  readonly sip: TaskOutcome['sip'];
  readonly invites: number;
  readonly refused?: string;
}

/** As machines/sip-diagnostics.ts writes them. */
function diagnosticsOf({ sip_diagnostics: json, sentAtMs }: Delivery): Diagnostics {
  const said = JSON.parse(json ?? '{}') as {
    readonly sipCode?: number | null;
    readonly origin?: string;
    readonly q850?: number | null;
    readonly invites?: number | null;
    readonly refusedDetail?: string;
  };
  const code = said.origin === 'network' ? (said.sipCode ?? null) : null;
  return {
    sip: { code, q850: said.q850 ?? null },
    // Without a record of the end: one at least, if any left.
    invites: said.invites ?? (sentAtMs === null ? 0 : 1),
    ...(said.refusedDetail === undefined ? {} : { refused: said.refusedDetail }),
  };
}
