/** An engagement with tasks in a store, and the handful of things that dialing does to them. */
import { sql } from 'kysely';
import { promoteDue, type Promotion } from '../../dialer/actors/promoter.ts';
import { upsertContacts, type ContactInput } from '../../dialer/contacts/upsert-contacts.ts';
import {
  createBusinessUnit,
  createEngagement,
  createQueue,
  createWorkstream,
  type Writer,
} from '../../dialer/engagements/create-engagement.ts';
import { storedConfig } from '../../dialer/engagements/complete-config.ts';
import type { EngagementConfig } from '../../dialer/engagements/engagement-config.schema.ts';
import type { QueueFact } from '../../dialer/eligibility/eligibility.ts';
import { idSource, type IdSource } from '../../dialer/ids/uuid7.ts';
import { acquireLease } from '../../dialer/store/leases.ts';
import type { OpenDatabase } from '../../dialer/store/open-database.ts';
import type { EngagementRow } from '../../dialer/store/schema/engagement-tables.ts';
import type { TaskRow } from '../../dialer/store/schema/task-tables.ts';
import {
  NOTHING_HEARD,
  type AttemptEnd,
  type HeardOfCall,
} from '../../dialer/tasks/attempt-end.ts';
import type { CancelContext } from '../../dialer/tasks/cancel-task.ts';
import {
  claimNextNumber,
  claimStarts,
  type ClaimContext,
  type ClaimResult,
} from '../../dialer/tasks/claim-starts.ts';
import { createTasks, type TaskInput } from '../../dialer/tasks/create-tasks.ts';
import { recordAttemptEnd, type RecordedEnd } from '../../dialer/tasks/record-attempt-end.ts';
import type { Result, RetryClass } from '../../machines/result.ts';

export const MINUTE_MS = 60_000;
export const GAP_MS = 15 * MINUTE_MS;
export const UNKNOWN_GAP_MS = 240 * MINUTE_MS;
export const UNTRIED_GAP_MS = MINUTE_MS;

export interface SceneClock {
  nowMs: number;
}

export interface TaskWish extends Omit<Partial<TaskInput>, 'contactIds'> {
  /** Of one contact, by phone type. */
  readonly phones: NonNullable<ContactInput['phones']>;
}

export interface SceneOptions {
  readonly database: OpenDatabase;
  readonly clock: SceneClock;
  /** Shared where several scenes must not make the same ids. */
  readonly ids?: IdSource;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly cap?: number;
}

let scenes = 0;

export class WorkScene {
  readonly database: OpenDatabase;
  readonly clock: SceneClock;
  readonly config: EngagementConfig;
  readonly writer: Writer;
  readonly engagementId: string;
  readonly leaseName: string;
  fence: number;
  /** Share of attempts whose machine verdict is drawn for an audit. */
  amdAuditShare = 0;
  #contacts = 0;

  /** In a business unit of its own. */
  static async open({ database, clock, config = {}, cap = 10, ids }: SceneOptions) {
    scenes += 1;
    const source = ids ?? idSource(() => clock.nowMs);
    const unitWriter = { database, ids: source, nowMs: clock.nowMs };
    const businessUnitId = await createBusinessUnit(unitWriter, `unit ${scenes}`);
    const writer: Writer = { ...unitWriter, businessUnitId, actor: 'test' };
    const workstreamId = await createWorkstream(writer, {
      name: 'voice',
      trunk: 'carrier',
      number: '+12025550199',
      settings: { prompts: ['greeting'] },
    });
    const queueId = await createQueue(writer, { name: 'queue' });
    const mode = { kind: 'copilot', maxConcurrentCalls: cap };
    const full = storedConfig(JSON.stringify({ mode, ...config }));
    const engagementId = await createEngagement(writer, {
      ...{ name: 'engagement', workstreamId, queueId, config: full },
    });
    const name = `group-${engagementId}`;
    const request = { name, owner: 'test', nowMs: clock.nowMs, leaseMs: 10 ** 12 };
    const lease = await acquireLease(database.db, request);
    if (lease === undefined) throw new Error('no lease');
    return new WorkScene({ database, clock, writer, engagementId, config: full, lease });
  }

  private constructor(made: {
    database: OpenDatabase;
    clock: SceneClock;
    writer: Writer;
    engagementId: string;
    config: EngagementConfig;
    lease: { readonly name: string; readonly epoch: number };
  }) {
    this.database = made.database;
    this.clock = made.clock;
    this.writer = made.writer;
    this.engagementId = made.engagementId;
    this.config = made.config;
    this.leaseName = made.lease.name;
    this.fence = made.lease.epoch;
  }

  /** One task a wish, each of a contact of its own. Answers the task ids. */
  async add(wishes: readonly TaskWish[]): Promise<readonly string[]> {
    const writer = { ...this.writer, nowMs: this.clock.nowMs };
    return this.database.db.transaction().execute(async (tx) => {
      const contacts = await upsertContacts(
        tx,
        writer,
        wishes.map(({ phones }) => {
          this.#contacts += 1;
          return { uniqueIdentifier: `contact-${this.#contacts}`, phones };
        }),
      );
      const inputs = wishes.map(({ phones: _, ...wish }, index): TaskInput => {
        const contactIds = [contacts[index]?.id ?? ''];
        return { source: 'api', ...wish, contactIds };
      });
      return createTasks(tx, writer, { id: this.engagementId }, inputs);
    });
  }

  context(): ClaimContext {
    return {
      database: this.database,
      ids: this.writer.ids,
      nowMs: this.clock.nowMs,
      leaseName: this.leaseName,
      fence: this.fence,
      gatewayId: 'gateway-1',
      trunk: 'carrier',
      fromAddress: '+12025550199',
      numberGapMinMs: GAP_MS,
      actor: 'test',
      machineVersion: 'test@1',
      planAfterAnswer: (_, calls) => Promise.resolve(calls.map(() => ({ prompts: [] }))),
    };
  }

  #request(startsMax: number, queue: QueueFact) {
    const { businessUnitId } = this.writer;
    const { engagementId, config } = this;
    return { businessUnitId, engagementId, config, queue, startsMax };
  }

  claim(startsMax: number, queue: QueueFact = { kind: 'open' }): Promise<ClaimResult> {
    return claimStarts(this.context(), this.#request(startsMax, queue));
  }

  claimNext(taskId: string): Promise<ClaimResult> {
    return claimNextNumber(this.context(), { ...this.#request(1, { kind: 'open' }), taskId });
  }

  record(
    attemptId: string,
    end: EndWish,
    database = this.database,
  ): Promise<RecordedEnd | undefined> {
    const context = {
      ...{ database, nowMs: this.clock.nowMs, fence: this.fence, actor: 'test' },
      ...{ unknownGapMs: UNKNOWN_GAP_MS, untriedGapMs: UNTRIED_GAP_MS },
      amdAuditShare: this.amdAuditShare,
    };
    return recordAttemptEnd(context, this.config, attemptEnd(attemptId, end));
  }

  promote(batchMax = 100): Promise<Promotion> {
    const { database, clock } = this;
    return promoteDue({ database, nowMs: clock.nowMs, actor: 'test', batchMax });
  }

  cancelContext(): CancelContext {
    const { database, clock, writer } = this;
    const { businessUnitId } = writer;
    const asked = { actor: 'operator:ann', reason: 'no longer due' };
    return { database, businessUnitId, nowMs: clock.nowMs, ...asked };
  }

  async task(id: string): Promise<TaskRow> {
    const query = this.database.db.selectFrom('tasks').selectAll().where('id', '=', id);
    return query.executeTakeFirstOrThrow();
  }

  engagement(): Promise<EngagementRow> {
    const query = this.database.db
      .selectFrom('engagements')
      .selectAll()
      .where('id', '=', this.engagementId);
    return query.executeTakeFirstOrThrow();
  }

  /** What the engagement says of its rows, and what counting them says. */
  async counts(): Promise<{ kept: Counts; counted: Counts }> {
    const row = await this.engagement();
    const kept = {
      waiting: row.tasks_waiting,
      ready: row.tasks_ready,
      working: row.tasks_working,
      final: row.tasks_final,
      attempts: row.attempts_total,
      inFlight: row.in_flight,
    };
    const { db } = this.database;
    const count = (condition: ReturnType<typeof sql>) =>
      sql`(select count(*) from tasks where engagement_id = ${this.engagementId} and ${condition})`;
    const { rows } = await sql<Counts>`select
      ${count(sql`state = 'waiting'`)} as "waiting", ${count(sql`state = 'ready'`)} as "ready",
      ${count(sql`state = 'working'`)} as "working", ${count(sql`state = 'final'`)} as "final",
      (select count(*) from attempts where engagement_id = ${this.engagementId}) as "attempts",
      (select count(*) from attempts where engagement_id = ${this.engagementId}
        and ended_at_ms is null) as "inFlight"`.execute(db);
    const [counted] = rows;
    if (counted === undefined) throw new Error('nothing was counted');
    return { kept, counted };
  }
}

export interface Counts {
  readonly waiting: number;
  readonly ready: number;
  readonly working: number;
  readonly final: number;
  readonly attempts: number;
  readonly inFlight: number;
}

export interface EndWish {
  readonly result: Result;
  readonly retryClass: RetryClass;
  readonly wasTried?: boolean;
  readonly wasAiHandled?: boolean;
  readonly heard?: Partial<HeardOfCall>;
}

export function attemptEnd(attemptId: string, wish: EndWish): AttemptEnd {
  const { result, retryClass, wasTried = true, wasAiHandled = false, heard = {} } = wish;
  return {
    attemptId,
    outcome: {
      row: 1,
      result,
      subReason: null,
      retryClass,
      advice: [],
      warnings: [],
      redress: null,
    },
    wasTried,
    sipDiagnostics: null,
    evidence: '{}',
    wasAiHandled,
    heard: { ...NOTHING_HEARD, ...heard },
  };
}
