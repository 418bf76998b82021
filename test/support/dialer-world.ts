/**
 * The real dialer on its store, a simulated gateway and a virtual clock. Processes can be killed: what
 * they had in memory is gone, what they had committed is not, and the gateway's calls live on.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TableNode, type CompiledQuery, type Kysely, type QueryExecutor } from 'kysely';
import type { Test } from 'tap';
import type { DialerLimits } from '../../dialer/actors/dialer-parts.ts';
import { auditCalls, beginAudit } from '../../dialer/audit/audit-calls.ts';
import type { DialerClock } from '../../dialer/clock.ts';
import { upsertContacts, type ContactInput } from '../../dialer/contacts/upsert-contacts.ts';
import type { DialerNews } from '../../dialer/dialer-news.ts';
import {
  createBusinessUnit,
  createEngagement,
  createQueue,
  createWorkstream,
  type Writer,
} from '../../dialer/engagements/create-engagement.ts';
import { idSource, type IdSource } from '../../dialer/ids/uuid7.ts';
import { startDialer, type Dialer } from '../../dialer/main.ts';
import type { OpenDatabase } from '../../dialer/store/open-database.ts';
import { partsOf } from '../../dialer/store/run-together.ts';
import type { Database } from '../../dialer/store/schema/database.ts';
import type { EngagementRow } from '../../dialer/store/schema/engagement-tables.ts';
import type { AttemptRow, DeliveryRow, TaskRow } from '../../dialer/store/schema/task-tables.ts';
import { openSqlite } from '../../dialer/store/sqlite/open-sqlite.ts';
import { createTasks, type TaskInput } from '../../dialer/tasks/create-tasks.ts';
import type { PlanAfterAnswer } from '../../dialer/tasks/plan-after-answer.ts';
import type { CommandReply } from '../../machines/command-reply.ts';
import type { TelephonyPort } from '../../machines/telephony.port.ts';
import { VirtualClock } from '../../machines/virtual-clock.ts';
import { silentLog } from './silent-log.ts';
import { SimulatedGateway, type FarEnd } from './simulated-gateway.ts';
import { isGatewayCommand } from '../../machines/gateway-commands.ts';

/** A Monday, 15:00 UTC. */
export const WORLD_EPOCH_MS = Date.UTC(2026, 2, 2, 15, 0);
export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;

/** In memory where there is such a place: what is simulated here is no power cut. */
const FOLDER = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

const LIMITS: DialerLimits = {
  numberGapMinMs: 15 * MINUTE_MS,
  unknownGapMs: 4 * HOUR_MS,
  untriedGapMs: 5_000,
  storeRetryMs: 1_000,
  claimSizeMax: 100,
  recheckMs: 10 * MINUTE_MS,
};

export interface WorldOptions {
  readonly farEnd?: (destination: string, nth: number) => FarEnd;
  readonly limits?: Partial<DialerLimits>;
  readonly channelsMax?: number;
  readonly callsPerSecondMax?: number;
  /** An AI agent takes the calls; else a prompt is played. */
  readonly withAgent?: boolean;
  readonly planAfterAnswer?: () => PlanAfterAnswer;
  /** False: a preview call cannot be held back. */
  readonly delaysStarts?: boolean;
  /** Gateways that can dial over the trunk now; the first that can is taken. Default: one. */
  readonly gateways?: readonly string[];
  /** Share of attempts whose machine verdict is drawn for an audit. Default: none. */
  readonly amdAuditShare?: number;
}

export interface EngagementGiven {
  readonly cap?: number;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly ignoreQueueHours?: boolean;
  readonly queue?: Readonly<Record<string, unknown>>;
}

interface Process {
  readonly dialer: Dialer;
  readonly kill: () => void;
}

export class DialerWorld {
  readonly clock = new VirtualClock();
  readonly gateway: SimulatedGateway;
  readonly news: DialerNews[] = [];
  readonly ids: IdSource = idSource(() => this.nowMs);
  readonly #options: WorldOptions;
  readonly #database: OpenDatabase;
  #process: Process | undefined;
  businessUnitId = '';
  /** INVITEs that the audit of `check` has looked at. */
  audited = 0;
  /** Those that can dial now. */
  gateways: readonly string[];
  #loseAnswerOf: string | undefined;
  #hasWritten = false;
  #killBefore: { readonly kind: string; readonly table: string } | undefined;

  static async open(t: Test, options: WorldOptions = {}): Promise<DialerWorld> {
    const folder = mkdtempSync(join(FOLDER, 'ringfence-dialer-'));
    const database = await openSqlite({
      file: join(folder, 'store.db'),
      gatherMs: 0,
      nowMs: () => WORLD_EPOCH_MS,
    });
    const world = new DialerWorld(database, options);
    t.teardown(async () => {
      world.kill();
      await database.close();
      rmSync(folder, { recursive: true, force: true });
    });
    const { ids, nowMs } = world;
    world.businessUnitId = await createBusinessUnit({ database, ids, nowMs }, 'Test');
    await beginAudit({ database, nowMs: () => world.nowMs });
    return world;
  }

  private constructor(database: OpenDatabase, options: WorldOptions) {
    this.#database = database;
    this.#options = options;
    this.gateways = options.gateways ?? ['g1'];
    const farEnd = options.farEnd ?? (() => ({ does: 'answer' }) as const);
    this.gateway = new SimulatedGateway(this.clock, WORLD_EPOCH_MS, farEnd);
    this.gateway.numberGapMinMs = this.limits.numberGapMinMs;
  }

  get nowMs(): number {
    return WORLD_EPOCH_MS + this.clock.now();
  }

  get limits(): DialerLimits {
    return { ...LIMITS, ...this.#options.limits };
  }

  get db(): Kysely<Database> {
    return this.#database.db;
  }

  get database(): OpenDatabase {
    return this.#database;
  }

  get dialer(): Dialer {
    assert(this.#process !== undefined, 'no dialer is running');
    return this.#process.dialer;
  }

  get writer(): Writer {
    const { ids, nowMs, businessUnitId } = this;
    return { database: this.#database, ids, nowMs, businessUnitId, actor: 'test' };
  }

  /** A process begins, with the identity of the one before. */
  async start(): Promise<Dialer> {
    const dialer = await this.#begin();
    assert(dialer !== undefined, 'it died while it began');
    return dialer;
  }

  /** The same for one that `killWhen` may catch while it begins. */
  async startMortal(): Promise<void> {
    await this.#begin();
  }

  async #begin(): Promise<Dialer | undefined> {
    let isAlive = true;
    let die: () => void = () => undefined;
    const dead = new Promise<undefined>((resolve) => (die = () => resolve(undefined)));
    const timers = mortalClock(this.clock, () => isAlive);
    const starting = startDialer({
      id: 'dialer-1',
      database: mortalDatabase(
        this.#database,
        (kind, table) => {
          if (this.#killBefore?.kind === kind && this.#killBefore.table === table) {
            this.#killBefore = undefined;
            isAlive = false;
            die();
            this.kill();
          }
          this.#hasWritten ||= kind === 'insert' && table === this.#loseAnswerOf;
          return isAlive;
        },
        this.#takeLoss,
      ),
      telephony: mortalPort(this.gateway, () => isAlive),
      gatewayId: 'g1',
      gatewayFor: (_, preferred) => {
        const { gateways } = this;
        return preferred !== undefined && gateways.includes(preferred) ? preferred : gateways[0];
      },
      trunks: [
        {
          name: 'lab',
          channelsMax: this.#options.channelsMax ?? 1_000,
          callsPerSecondMax: this.#options.callsPerSecondMax ?? 1_000,
        },
      ],
      clock: timers,
      ids: this.ids,
      log: silentLog,
      limits: this.limits,
      times: {
        setupTimeoutMs: 40_000,
        callLengthMaxMs: 2 * HOUR_MS,
        dialWithinMs: 30_000,
        playTimeoutMs: 15_000,
        delaysStarts: this.#options.delaysStarts ?? true,
      },
      lease: { leaseMs: HOUR_MS, waitMs: 0 },
      amdAuditShare: this.#options.amdAuditShare ?? 0,
      ...this.#plan(),
    });
    const dialer = await Promise.race([starting, dead]);
    if (dialer === undefined) return undefined;
    dialer.subscribe((news) => {
      if (isAlive) this.news.push(news);
    });
    this.#process = { dialer, kill: () => (isAlive = false) };
    await this.settle();
    return dialer;
  }

  /** As kill -9: from this moment on the process does nothing any more. */
  kill(): void {
    this.#process?.kill();
    this.#process = undefined;
  }

  /** Dies when it is about to write this: what its transaction had done is rolled back. */
  killWhen(kind: 'insert' | 'update', table: string): void {
    this.#killBefore = { kind, table };
  }

  /** The next transaction that inserts into it is committed, and its process is told that it failed. */
  loseAnswerOf(table: string): void {
    this.#loseAnswerOf = table;
  }

  readonly #takeLoss = (): boolean => {
    const isLost = this.#hasWritten;
    this.#hasWritten = false;
    if (isLost) this.#loseAnswerOf = undefined;
    return isLost;
  };

  get isRunning(): boolean {
    return this.#process !== undefined;
  }

  /** What is under way is done; time stands still. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 2; quiet += 1) {
      await this.#process?.dialer.settled();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** From timer to timer, with the store given its time at each. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.clock.now() + ms;
    await this.settle();
    for (let next = this.clock.nextDueMs; next !== undefined && next <= untilMs;) {
      this.clock.advanceTo(next);
      await this.settle();
      next = this.clock.nextDueMs;
    }
    this.clock.advanceTo(untilMs);
    await this.settle();
  }

  async engagement(given: EngagementGiven = {}): Promise<string> {
    const { cap = 10, config = {}, ignoreQueueHours = false, queue = {} } = given;
    const n = this.ids.sequence();
    const { writer } = this;
    const workstreamId = await createWorkstream(writer, {
      ...{ name: `w${n}`, trunk: 'lab', number: '+15555550199' },
      settings: { prompts: ['greeting'] },
    });
    const queueId = await createQueue(writer, { name: `q${n}`, ...queue });
    const id = await createEngagement(writer, {
      ...{ name: `e${n}`, workstreamId, queueId },
      config: { mode: { kind: 'copilot', maxConcurrentCalls: cap, ignoreQueueHours }, ...config },
    });
    if (this.#process !== undefined) await this.dialer.engagementChanged(id);
    return id;
  }

  /** One contact and one task for each entry. Answers the tasks' ids. */
  async tasks(
    engagementId: string,
    contacts: readonly ContactInput[],
    more: Partial<TaskInput> = {},
  ): Promise<readonly string[]> {
    const ids = await this.db.transaction().execute(async (tx) => {
      const made = await upsertContacts(tx, this.writer, contacts);
      const inputs = made.map(({ id }): TaskInput => {
        return { contactIds: [id], source: 'api', ...more };
      });
      return createTasks(tx, this.writer, { id: engagementId }, inputs);
    });
    if (this.#process !== undefined) this.dialer.tasksWritten(engagementId);
    return ids;
  }

  /** Contacts `p1`, `p2` … with one mobile number each, from +15555550`from` on. */
  people(count: number, from = 100): ContactInput[] {
    return Array.from({ length: count }, (_, index) => ({
      uniqueIdentifier: `p${from + index}`,
      phones: { mobile: `+1555555${String(from + index).padStart(4, '0')}` },
    }));
  }

  async task(id: string): Promise<TaskRow> {
    return this.db.selectFrom('tasks').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
  }

  async engagementRow(id: string): Promise<EngagementRow> {
    return this.db
      .selectFrom('engagements')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
  }

  async attempts(taskId: string): Promise<AttemptRow[]> {
    return this.db
      .selectFrom('attempts')
      .selectAll()
      .where('task_id', '=', taskId)
      .orderBy('id')
      .execute();
  }

  async deliveries(taskId: string): Promise<DeliveryRow[]> {
    return this.db
      .selectFrom('deliveries')
      .selectAll()
      .where('task_id', '=', taskId)
      .orderBy('seq_no')
      .execute();
  }

  /** Types of the events of a stream, in order. */
  async told(streamId: string): Promise<string[]> {
    const rows = await this.db
      .selectFrom('events')
      .select('type')
      .where('stream_id', '=', streamId)
      .orderBy('stream_seq')
      .execute();
    return rows.map(({ type }) => type);
  }

  /** What must hold whenever nothing is under way. */
  async check(): Promise<void> {
    const engagements = await this.db.selectFrom('engagements').selectAll().execute();
    for (const row of engagements) await this.#checkCounts(row);
    const finals = await this.db
      .selectFrom('events')
      .select(['stream_id', (eb) => eb.fn.countAll<number>().as('times')])
      .where('type', '=', 'task.finished')
      .groupBy('stream_id')
      .execute();
    for (const { stream_id, times } of finals) {
      assert.equal(times, 1, `${stream_id} was finished ${times} times`);
    }
    const held = await this.db
      .selectFrom('number_guards')
      .leftJoin('attempts', 'attempts.id', 'number_guards.in_flight_attempt_id')
      .select(['number_guards.in_flight_attempt_id', 'attempts.ended_at_ms'])
      .where('in_flight_attempt_id', 'is not', null)
      .execute();
    for (const guard of held) assert.equal(guard.ended_at_ms, null, 'a guard outlived its attempt');
    await this.#checkRules();
  }

  /** No call was made that should not have been. */
  async #checkRules(): Promise<void> {
    const { ids, limits } = this;
    const { numberGapMinMs } = limits;
    const options = { database: this.#database, ids, nowMs: () => this.nowMs, numberGapMinMs };
    for (let events = 1; events > 0;) {
      const turn = await auditCalls(options);
      assert.deepEqual(turn.violations, [], 'a call broke a rule');
      this.audited += turn.calls;
      ({ events } = turn);
    }
  }

  #plan(): { planAfterAnswer?: () => PlanAfterAnswer } {
    const { planAfterAnswer, withAgent } = this.#options;
    if (planAfterAnswer !== undefined) return { planAfterAnswer };
    return withAgent === true ? { planAfterAnswer: () => agentPlan } : {};
  }

  async #checkCounts(row: EngagementRow): Promise<void> {
    const tasks = await this.db
      .selectFrom('tasks')
      .select(['state', 'id'])
      .where('engagement_id', '=', row.id)
      .execute();
    const count = (state: string): number => tasks.filter((task) => task.state === state).length;
    const open = await this.db
      .selectFrom('attempts')
      .select('id')
      .where('engagement_id', '=', row.id)
      .where('ended_at_ms', 'is', null)
      .execute();
    assert.deepEqual(
      {
        waiting: row.tasks_waiting,
        ready: row.tasks_ready,
        working: row.tasks_working,
        final: row.tasks_final,
        inFlight: row.in_flight,
      },
      {
        waiting: count('waiting'),
        ready: count('ready'),
        working: count('working'),
        final: count('final'),
        inFlight: open.length,
      },
      `counts of engagement ${row.name}`,
    );
  }
}

const agentPlan: PlanAfterAnswer = (_, calls) =>
  Promise.resolve(
    calls.map(() => ({
      aiAgent: { kind: 'aiAgent', sipUri: 'sip:agent@127.0.0.1', setupTimeoutMs: 5_000 },
      fallbackPrompts: [],
    })),
  );

/** Timers of a dead process do not fire. */
function mortalClock(clock: VirtualClock, isAlive: () => boolean): DialerClock {
  return {
    now: () => WORLD_EPOCH_MS + clock.now(),
    setTimeout: (fire, delayMs) =>
      clock.setTimeout(() => {
        if (isAlive()) fire();
      }, delayMs),
    clearTimeout: (timer) => clock.clearTimeout(timer as number),
  };
}

/** A dead process writes nothing: a transaction that it had not committed is rolled back. */
function mortalDatabase(
  database: OpenDatabase,
  mayRun: (kind: string, table: string) => boolean,
  isAnswerLost: () => boolean,
): OpenDatabase {
  const watch = (executor: QueryExecutor): QueryExecutor => {
    const execute = executor.executeQuery.bind(executor);
    executor.executeQuery = (query) => {
      const writes = (partsOf(query) ?? [query]).map(whatItWrites);
      if (writes.every((write) => mayRun(...write))) return execute(query);
      throw new Error('this process is dead');
    };
    const on = executor.withConnectionProvider.bind(executor);
    executor.withConnectionProvider = (provider) => watch(on(provider));
    return executor;
  };
  const db = database.db.withoutPlugins(); // has an executor of its own
  watch(db.getExecutor());
  const begin = db.transaction.bind(db);
  db.transaction = () => {
    const builder = begin();
    const execute = builder.execute.bind(builder);
    builder.execute = async (work) => {
      const result = await execute(work);
      if (isAnswerLost()) throw new Error('the answer to the COMMIT was lost');
      return result;
    };
    return builder;
  };
  return { ...database, db };
}

function whatItWrites({ query, sql: text }: CompiledQuery): [kind: string, table: string] {
  switch (query.kind) {
    case 'InsertQueryNode':
      return ['insert', query.into?.table.identifier.name ?? ''];
    case 'UpdateQueryNode': {
      const { table } = query;
      if (table === undefined || !TableNode.is(table)) return ['update', ''];
      return ['update', table.table.identifier.name];
    }
    default: {
      const [, kind = query.kind, table = ''] = /^(insert) into (\w+)/.exec(text) ?? [];
      return [kind, table];
    }
  }
}

function mortalPort(gateway: SimulatedGateway, isAlive: () => boolean): TelephonyPort {
  return {
    send: (command) =>
      isAlive() && !isGatewayCommand(command)
        ? gateway.send(command)
        : new Promise<CommandReply>(() => undefined),
    subscribe: (listener) =>
      gateway.subscribe((event) => {
        if (isAlive()) listener(event);
      }),
  };
}
