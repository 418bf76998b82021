/** Everything that a forecast starts from, read from the store. */
import { sql } from 'kysely';
import { DialerError } from '../../machines/errors.ts';
import { demandOf, pacerConfigOf } from '../actors/paced-engagement.ts';
import { readPacerPast } from '../call-history/pacer-past.ts';
import { readObservedCalls, type ObservedCalls } from '../call-history/observed-calls.ts';
import { readEngagementFacts, type EngagementFacts } from '../engagements/engagement-facts.ts';
import type { PacerConfig } from '../pacing/pacer-config.ts';
import type { RulePacks } from '../rule-packs/rule-packs.ts';
import { qualifies } from '../representatives/match-representatives.ts';
import { readProfiles } from '../representatives/read-profiles.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { TaskRow } from '../store/schema/task-tables.ts';
import type { StartCandidate } from '../tasks/decide-start.ts';
import { describeTasks } from '../tasks/ready-heads.ts';
import type { ForecastJob } from './forecast.port.ts';

/** A task that is not over, with how many of the list it stands for. */
export interface PendingTask extends StartCandidate {
  readonly dueAtMs: number;
  readonly retryClass: number;
  readonly orderKey: number;
  readonly count: number;
}

export interface TrunkCapacity {
  readonly channels: number;
  readonly callsPerSecond: number;
}

export interface ForecastInput {
  readonly facts: EngagementFacts;
  readonly atMs: number;
  readonly pacer: PacerConfig;
  readonly observed: ObservedCalls;
  readonly representatives: number;
  /** Nobody is there now: those of the roster are presumed. */
  readonly isRoster: boolean;
  readonly pendingTasks: number;
  readonly tasks: readonly PendingTask[];
  readonly trunk: TrunkCapacity;
  readonly numberGapMs: number;
}

export interface ForecastSource {
  readonly database: OpenDatabase;
  /** Of that trunk; undefined: it is not configured here, and bounds nothing. */
  readonly trunkOf: (name: string) => TrunkCapacity | undefined;
  readonly numberGapMs: number;
  readonly rulePacks: RulePacks;
}

/** More are sampled evenly, each standing for as many. */
export const TASKS_READ_MAX = 20_000;
const TASKS_AT_A_TIME = 200;
const UNBOUNDED: TrunkCapacity = { channels: 100_000, callsPerSecond: 100_000 };

export async function readForecastInput(
  { database, trunkOf, numberGapMs, rulePacks }: ForecastSource,
  job: ForecastJob,
): Promise<ForecastInput> {
  const { businessUnitId, engagementId, atMs } = job;
  const facts = await pacedFacts(database, job);
  const people = await whoIsThere(database, facts, job.representatives);
  const { pendingTasks, tasks } = await pendingOf(database, facts);
  if (pendingTasks === 0) {
    throw new DialerError('NOTHING_PENDING', `engagement ${engagementId} has no task left to dial`);
  }
  const isAiLed = facts.config.engagementType === 'aiLed';
  const observed = await readObservedCalls(database, {
    ...{ businessUnitId, engagementId, atMs, isAiLed },
  });
  const { past, believed } = await readPacerPast(database, facts, rulePacks, atMs);
  const config = pacerConfigOf(facts, rulePacks, atMs);
  const pacer = { ...config, past, believed };
  const trunk = trunkOf(facts.workstream.trunk) ?? UNBOUNDED;
  return {
    ...{ facts, atMs, pacer, observed, ...people, pendingTasks, tasks, trunk, numberGapMs },
  };
}

async function pacedFacts(
  database: OpenDatabase,
  { businessUnitId, engagementId }: ForecastJob,
): Promise<EngagementFacts> {
  const row = await database.db
    .selectFrom('engagements')
    .select(['channel', 'dial_mode'])
    .where('id', '=', engagementId)
    .where('business_unit_id', '=', businessUnitId)
    .executeTakeFirst();
  if (row === undefined) {
    throw new DialerError('NOT_FOUND', `there is no engagement ${engagementId}`);
  }
  if (row.channel !== 'voice' || !['progressive', 'predictive'].includes(row.dial_mode)) {
    const mode = row.channel === 'voice' ? row.dial_mode : row.channel;
    const detail = `engagement ${engagementId} is ${mode}: only progressive and predictive are paced`;
    throw new DialerError('NOT_PACED', detail);
  }
  const facts = await readEngagementFacts(database, engagementId);
  if (facts !== undefined) return facts;
  throw new DialerError('NOT_FOUND', `there is no engagement ${engagementId}`);
}

/** Present, in the queue, with the skills, as far as the engagement's share of the queue goes. */
async function whoIsThere(
  { db }: OpenDatabase,
  facts: EngagementFacts,
  asked: number | undefined,
): Promise<Pick<ForecastInput, 'representatives' | 'isRoster'>> {
  if (asked !== undefined) return { representatives: asked, isRoster: false };
  const { mode } = facts.config;
  const percent = ('queueAllotmentPercent' in mode ? mode.queueAllotmentPercent : undefined) ?? 100;
  const demand = demandOf(facts);
  const profiles = await readProfiles(db);
  const present = profiles.filter((profile) => qualifies(profile, demand)).length;
  const [presence = 'available'] = demand.rules.allowedPresences;
  const roster = profiles.filter((profile) => qualifies({ ...profile, presence }, demand)).length;
  const isRoster = present === 0;
  const all = isRoster ? roster : present;
  if (all > 0) return { representatives: Math.max(1, Math.floor((all * percent) / 100)), isRoster };
  const detail = `nobody is in the queue of engagement ${facts.engagement.id} with its skills`;
  throw new DialerError('NO_REPRESENTATIVES', detail);
}

async function pendingOf(
  { db }: OpenDatabase,
  { engagement, config }: EngagementFacts,
): Promise<Pick<ForecastInput, 'pendingTasks' | 'tasks'>> {
  const { id: engagementId, business_unit_id: businessUnitId } = engagement;
  const { phoneTypes } = config;
  const pendingTasks = engagement.tasks_waiting + engagement.tasks_ready + engagement.tasks_working;
  const stride = Math.max(1, Math.ceil(pendingTasks / TASKS_READ_MAX));
  const rows = await db
    .selectFrom(
      db
        .selectFrom('tasks')
        .selectAll()
        .select(sql<number>`row_number() over (order by id)`.as('place'))
        .where('business_unit_id', '=', businessUnitId)
        .where('engagement_id', '=', engagementId)
        .where('state', '<>', 'final')
        .as('pending'),
    )
    .selectAll()
    .where(sql<boolean>`(place - 1) % ${sql.lit(stride)} = 0`)
    .orderBy('place')
    .execute();
  const tasks: PendingTask[] = [];
  for (let from = 0; from < rows.length; from += TASKS_AT_A_TIME) {
    const some: TaskRow[] = rows.slice(from, from + TASKS_AT_A_TIME);
    const { heads } = await db
      .transaction()
      .execute((tx) => describeTasks(tx, some, { businessUnitId, phoneTypes }));
    for (const { task, ...head } of heads) {
      const count = Math.min(stride, pendingTasks - tasks.length * stride);
      tasks.push({
        ...{ ...head, dueAtMs: task.due_at_ms, retryClass: task.retry_class },
        ...{ orderKey: task.order_key, count: Math.max(1, count) },
      });
    }
  }
  return { pendingTasks, tasks };
}
