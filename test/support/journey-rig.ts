/**
 * Journeys on a store: real runs, the real outbox and real tasks; only time, and who answers a call, are
 * the test's.
 */
import type { CompiledQuery, QueryExecutor } from 'kysely';
import type { Test } from 'tap';
import type { Writer } from '../../dialer/engagements/create-engagement.ts';
import { storedConfig } from '../../dialer/engagements/complete-config.ts';
import { letPeopleIn } from '../../dialer/journeys/entry/let-people-in.ts';
import {
  effectChores,
  type EffectChoresOptions,
  type SendingSettings,
} from '../../dialer/journeys/effects/effect-chores.ts';
import { JourneyWorker } from '../../dialer/journeys/journey-worker.ts';
import { JourneyDefinitions } from '../../dialer/journeys/runs/journey-definitions.ts';
import { RunChore } from '../../dialer/journeys/runs/run-chore.ts';
import { SHIPPED } from '../../dialer/rule-packs/rule-packs.ts';
import { acquireLease } from '../../dialer/store/leases.ts';
import type { OpenDatabase } from '../../dialer/store/open-database.ts';
import type {
  JourneyEffectRow,
  JourneyPathRow,
  JourneyRunRow,
} from '../../dialer/store/schema/journey-tables.ts';
import type { TaskRow } from '../../dialer/store/schema/task-tables.ts';
import { claimStarts, type ClaimedStart } from '../../dialer/tasks/claim-starts.ts';
import { recordAttemptEnd } from '../../dialer/tasks/record-attempt-end.ts';
import type { Journey } from '../../journey-core/definition/journey.schema.ts';
import type { Result, RetryClass } from '../../machines/result.ts';
import { ApiRig, type Json } from './api-rig.ts';
import { settledEvents } from './settled-events.ts';
import { silentLog } from './silent-log.ts';
import type { StorePlace } from './store-target.ts';
import { attemptEnd } from './work-scene.ts';

const HOUR_MS = 3_600_000;
/** Longer than any test's clock runs. */
const LEASE_MS = 10 ** 12;

export interface JourneyRigOptions {
  readonly sending?: SendingSettings;
  readonly hasConversations?: boolean;
}

export interface CallEnd {
  readonly result: Result;
  readonly retryClass?: RetryClass;
  readonly codes?: readonly string[];
  readonly returned?: Readonly<Record<string, string>>;
}

export class JourneyRig {
  readonly api: ApiRig;
  readonly #options: JourneyRigOptions;
  readonly #lease: { readonly name: string; readonly epoch: number };
  readonly worker: JourneyWorker;
  #people = 0;

  /** Monday, 1 March 2027, 15:00 UTC. */
  static async open(
    t: Test,
    place: StorePlace,
    options: JourneyRigOptions = {},
  ): Promise<JourneyRig> {
    const api = await ApiRig.open(t, place);
    api.clock.nowMs = Date.UTC(2027, 2, 1, 15, 0);
    const { nowMs } = api.clock;
    const request = { name: 'group-of-journeys', owner: 'test', nowMs, leaseMs: LEASE_MS };
    const lease = await acquireLease(api.database.db, request);
    if (lease === undefined) throw new Error('no lease');
    const rig = new JourneyRig(api, options, lease);
    await rig.settle();
    return rig;
  }

  private constructor(
    api: ApiRig,
    options: JourneyRigOptions,
    lease: { readonly name: string; readonly epoch: number },
  ) {
    this.api = api;
    this.#options = options;
    this.#lease = lease;
    this.worker = this.workerOn(api.database);
  }

  get nowMs(): number {
    return this.api.clock.nowMs;
  }

  /** As another process has one. */
  workerOn(database: OpenDatabase, more: Partial<EffectChoresOptions> = {}): JourneyWorker {
    const { ids, clock, dialer } = this.api;
    const { sending, hasConversations = true } = this.#options;
    const nowMs = (): number => clock.nowMs;
    const definitions = new JourneyDefinitions();
    const common = { database, ids, nowMs, log: silentLog, definitions };
    return new JourneyWorker({
      ...{ nowMs, log: silentLog },
      chores: [
        new RunChore(common),
        ...effectChores({
          ...{ ...common, rulePacks: SHIPPED, dialer: () => dialer, hasConversations },
          ...(sending === undefined ? {} : { sending }),
          random: () => 0.5,
          ...more,
        }),
      ],
    });
  }

  /** Everything that can be done now is. */
  /** Until a turn has written nothing that another one would read. */
  async settle(): Promise<void> {
    const { database } = this.api;
    for (let last = -1, before = -2; last !== before;) {
      before = await settledEvents(database);
      await this.worker.turn();
      last = await settledEvents(database);
    }
  }

  async pass(ms: number): Promise<void> {
    this.api.clock.nowMs += ms;
    await this.settle();
  }

  writer(): Writer {
    const { database, ids, businessUnitId, clock } = this.api;
    return { database, ids, businessUnitId, nowMs: clock.nowMs, actor: 'test' };
  }

  async profile(name: string, more: Json = {}, purposes: readonly Json[] = []): Promise<string> {
    const id = await this.api.make('/v1/consent/profiles', {
      ...{ name, channels: ['voice', 'email'] },
      ...more,
    });
    for (const purpose of purposes) {
      await this.api.make('/v1/consent/purposes', { profileIds: [id], ...purpose });
    }
    return id;
  }

  async contact(phones: Json, more: Json = {}): Promise<string> {
    this.#people += 1;
    const uniqueIdentifier = `person-${this.#people}`;
    return this.api.make('/v1/contacts', { uniqueIdentifier, phones, ...more });
  }

  /** Live at once. Answers its id. */
  async journey(steps: Journey['steps'], more: Partial<Journey> = {}): Promise<string> {
    const { database, ids, businessUnitId } = this.api;
    const id = ids.id();
    const definition: Journey = {
      ...{ format: 'ringfence-journey/1', name: `Journey ${id}`, timeZone: 'UTC' },
      ...{ entry: { kind: 'trigger', trigger: 'begin' }, reentry: { allow: 'always' } },
      ...{ steps, ...more },
    };
    const at = { created_at_ms: this.nowMs, updated_at_ms: this.nowMs };
    await database.db
      .insertInto('journeys')
      .values({
        ...{ id, business_unit_id: businessUnitId, name: definition.name, owner: 'ann' },
        ...{ state: 'live', draft: null, draft_faults: 0, live_version: 1, latest_version: 1 },
        ...{ copied_from: null, version: 1, ...at },
      })
      .execute();
    await database.db
      .insertInto('journey_versions')
      .values({
        ...{ journey_id: id, number: 1, business_unit_id: businessUnitId, state: 'live' },
        ...{ definition: JSON.stringify(definition), entry_kind: 'trigger', entry_name: 'begin' },
        ...{ opens_at_ms: null, closes_at_ms: null, entry_due_at_ms: null, round_at_ms: null },
        ...{ scan_after_id: null, fault: null, ended_at_ms: null },
        ...{ published_at_ms: this.nowMs, published_by: 'ann' },
      })
      .execute();
    return id;
  }

  /** Answers the run. Nothing is done yet. */
  async enter(journeyId: string, contactId: string): Promise<string> {
    const { database, ids, businessUnitId } = this.api;
    const row = await database.db
      .selectFrom('journey_versions')
      .select('definition')
      .where('journey_id', '=', journeyId)
      .executeTakeFirstOrThrow();
    const journey = JSON.parse(row.definition) as Journey;
    const [runId] = await database.db
      .transaction()
      .execute((tx) =>
        letPeopleIn(
          tx,
          { ids, nowMs: this.nowMs },
          { businessUnitId, journeyId, version: 1, journey },
          [{ contactId, by: { trigger: 'begin', attributes: {} }, atMs: this.nowMs }],
        ),
      );
    if (runId === undefined) throw new Error('nobody was let in');
    return runId;
  }

  async run(id: string): Promise<JourneyRunRow> {
    const query = this.api.database.db.selectFrom('journey_runs').selectAll().where('id', '=', id);
    return query.executeTakeFirstOrThrow();
  }

  effects(runId: string): Promise<JourneyEffectRow[]> {
    return this.api.database.db
      .selectFrom('journey_effects')
      .selectAll()
      .where('run_id', '=', runId)
      .orderBy('created_at_ms')
      .orderBy('key')
      .execute();
  }

  path(runId: string): Promise<JourneyPathRow[]> {
    return this.api.database.db
      .selectFrom('journey_path')
      .selectAll()
      .where('run_id', '=', runId)
      .orderBy('n')
      .execute();
  }

  /** The steps that it has come through. */
  async steps(runId: string): Promise<readonly string[]> {
    return (await this.path(runId)).flatMap(({ kind, step_id: step }) =>
      kind === 'step' && step !== null ? [step] : [],
    );
  }

  /** Of its last outcome: which, and the rest. */
  async outcome(runId: string): Promise<{ readonly is: string; readonly values: Json }> {
    const last = (await this.path(runId)).findLast(({ kind }) => kind === 'outcome');
    if (last === undefined) return { is: 'none', values: {} };
    const { values } = JSON.parse(last.detail) as { readonly values: Json };
    return { is: last.place ?? '', values };
  }

  tasks(runId: string): Promise<TaskRow[]> {
    return this.api.database.db
      .selectFrom('tasks')
      .selectAll()
      .where('journey_run_id', '=', runId)
      .orderBy('id')
      .execute();
  }

  /** What may be dialled of an engagement now is; the INVITE is the test's. */
  async claim(engagementId: string): Promise<readonly ClaimedStart[]> {
    const { database, ids, businessUnitId, clock } = this.api;
    const { starts } = await claimStarts(
      {
        ...{ database, ids, nowMs: clock.nowMs, leaseName: this.#lease.name },
        ...{ fence: this.#lease.epoch, gatewayId: 'gateway-1', trunk: 'carrier' },
        ...{ fromAddress: '+12025550199', numberGapMinMs: 0, actor: 'test' },
        machineVersion: 'test@1',
        planAfterAnswer: (_, calls) => Promise.resolve(calls.map(() => ({ prompts: [] }))),
      },
      {
        ...{ businessUnitId, engagementId, config: await this.#configOf(engagementId) },
        ...{ queue: { kind: 'open' }, startsMax: 10 },
      },
    );
    return starts;
  }

  /** The call ends like this, and what is said of it is stored. */
  async end({ attemptId, deliveryId, task }: ClaimedStart, end: CallEnd): Promise<void> {
    const { database, businessUnitId, clock } = this.api;
    const { codes = [], returned = {}, result } = end;
    if (codes.length > 0) {
      const stored = codes.map((code) => JSON.stringify(code)).join(',');
      await database.db
        .updateTable('deliveries')
        .set({ disposition_codes: stored })
        .where('id', '=', deliveryId)
        .execute();
    }
    for (const [keyword, value] of Object.entries(returned)) {
      const row = { delivery_id: deliveryId, business_unit_id: businessUnitId, type: 'Result' };
      await database.db
        .insertInto('delivery_attributes')
        .values({ ...row, keyword, value })
        .execute();
    }
    if (result === 'LiveAnswer') {
      await database.db
        .updateTable('attempts')
        .set({ answered_at_ms: clock.nowMs })
        .where('id', '=', attemptId)
        .execute();
    }
    const { retryClass = 'none' } = end;
    const diagnostics = result === 'Busy' ? JSON.stringify({ sipCode: 486 }) : null;
    await recordAttemptEnd(
      {
        ...{ database, nowMs: clock.nowMs, fence: this.#lease.epoch, actor: 'test' },
        ...{ unknownGapMs: HOUR_MS, untriedGapMs: 1_000, amdAuditShare: 0 },
      },
      await this.#configOf(task.engagement_id),
      { ...attemptEnd(attemptId, { result, retryClass }), sipDiagnostics: diagnostics },
    );
  }

  async #configOf(engagementId: string) {
    const { config } = await this.api.database.db
      .selectFrom('engagements')
      .select('config')
      .where('id', '=', engagementId)
      .executeTakeFirstOrThrow();
    return storedConfig(config);
  }
}

/** A process that dies before its `nth` statement, from 1: what it had not committed is gone. */
export function dyingBefore(
  database: OpenDatabase,
  nth: number,
): OpenDatabase & { dead(): boolean } {
  let asked = 0;
  const watch = (executor: QueryExecutor): QueryExecutor => {
    const execute = executor.executeQuery.bind(executor);
    executor.executeQuery = <R>(query: CompiledQuery) => {
      asked += 1;
      if (asked >= nth) throw new Error('this process is dead');
      return execute<R>(query);
    };
    const on = executor.withConnectionProvider.bind(executor);
    executor.withConnectionProvider = (provider) => watch(on(provider));
    return executor;
  };
  const db = database.db.withoutPlugins(); // has an executor of its own
  watch(db.getExecutor());
  return { ...database, db, dead: () => asked >= nth };
}
