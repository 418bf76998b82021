/** Journeys on a store with a clock that is set by hand: people, segments, triggers, and what they do. */
import type { Journey } from '../../journey-core/definition/journey.schema.ts';
import type { JourneyEvent } from '../../journey-core/interpreter/events.ts';
import type { Values } from '../../journey-core/interpreter/json-value.ts';
import { createBusinessUnit, type Writer } from '../../dialer/engagements/create-engagement.ts';
import { idSource, type IdSource } from '../../dialer/ids/uuid7.ts';
import { EntryRounds } from '../../dialer/journeys/entry/entry-rounds.ts';
import { occurrenceRouter } from '../../dialer/journeys/entry/route-occurrences.ts';
import { inTransaction } from '../../dialer/journeys/in-transaction.ts';
import type { JourneyChore } from '../../dialer/journeys/journey-chore.ts';
import { JourneyWorker } from '../../dialer/journeys/journey-worker.ts';
import { lifecycleChore } from '../../dialer/journeys/lifecycle/lifecycle-chore.ts';
import { closeVersion, newVersion } from '../../dialer/journeys/lifecycle/publish-journey.ts';
import { JourneyDefinitions } from '../../dialer/journeys/runs/journey-definitions.ts';
import { RunChore } from '../../dialer/journeys/runs/run-chore.ts';
import { tellRuns } from '../../dialer/journeys/runs/tell-runs.ts';
import { enterSegment, leaveSegment } from '../../dialer/segments/change-members.ts';
import type { OpenDatabase } from '../../dialer/store/open-database.ts';
import type { JourneyEffectRow } from '../../dialer/store/schema/journey-tables.ts';
import { createTriggerIn } from '../../dialer/triggers/trigger-settings.ts';
import { raiseTrigger } from '../../dialer/triggers/raise-trigger.ts';
import { silentLog } from './silent-log.ts';

/** What comes of what a journey asked for, and how long after. Undefined: nothing ever. */
export type OutcomeOf = (
  effect: JourneyEffectRow,
) => { readonly afterMs: number; readonly event: JourneyEvent } | undefined;

export interface SceneOptions {
  readonly database: OpenDatabase;
  readonly startMs: number;
  readonly outcomeOf?: OutcomeOf;
  /** Default: a new one. */
  readonly businessUnitId?: string;
  /** Default: set by hand. */
  readonly nowMs?: () => number;
  /** Runs and people of one transaction. */
  readonly limit?: number;
}

export class JourneyScene {
  readonly clock: { nowMs: number };
  readonly database: OpenDatabase;
  readonly ids: IdSource;
  readonly businessUnitId: string;
  readonly #options: SceneOptions;

  static async open(options: SceneOptions): Promise<JourneyScene> {
    const nowMs = options.nowMs ?? (() => options.startMs);
    const ids = idSource(() => nowMs());
    const { database, businessUnitId: known } = options;
    const unit = known ?? (await createBusinessUnit({ database, ids, nowMs: nowMs() }, 'Scene'));
    return new JourneyScene(options, ids, unit);
  }

  private constructor(options: SceneOptions, ids: IdSource, businessUnitId: string) {
    this.#options = options;
    this.database = options.database;
    this.clock = { nowMs: options.startMs };
    this.ids = ids;
    this.businessUnitId = businessUnitId;
  }

  get nowMs(): number {
    return this.#options.nowMs?.() ?? this.clock.nowMs;
  }

  get writer(): Writer {
    const { database, ids, businessUnitId, nowMs } = this;
    return { database, ids, businessUnitId, nowMs, actor: 'test' };
  }

  async contacts(count: number, attributes: Values = {}): Promise<string[]> {
    const rows = Array.from({ length: count }, () => {
      const id = this.ids.id();
      return {
        ...{ id, business_unit_id: this.businessUnitId, unique_identifier: `C-${id}` },
        ...{ external_attributes: JSON.stringify(attributes), version: 1 },
        ...{ created_at_ms: this.nowMs, updated_at_ms: this.nowMs },
      };
    });
    for (let from = 0; from < rows.length; from += 500) {
      await this.database.db
        .insertInto('contacts')
        .values(rows.slice(from, from + 500))
        .execute();
    }
    return rows.map(({ id }) => id);
  }

  async contact(attributes: Values = {}): Promise<string> {
    const [id = ''] = await this.contacts(1, attributes);
    return id;
  }

  async change(contactId: string, attributes: Values): Promise<void> {
    await this.database.db
      .updateTable('contacts')
      .set((eb) => ({
        external_attributes: JSON.stringify(attributes),
        version: eb('version', '+', 1),
        updated_at_ms: this.nowMs,
      }))
      .where('id', '=', contactId)
      .execute();
  }

  async segment(name: string, contactIds: readonly string[] = []): Promise<string> {
    const id = this.ids.id();
    const row = {
      ...{ id, business_unit_id: this.businessUnitId, name, description: '', kind: 'static' },
      ...{ round: 0, member_count: 0, version: 1 },
      ...{ created_at_ms: this.nowMs, updated_at_ms: this.nowMs },
    };
    await this.database.db.insertInto('segments').values(row).execute();
    await this.join({ id, name }, contactIds);
    return id;
  }

  async join(
    segment: { readonly id: string; readonly name: string },
    contactIds: readonly string[],
  ): Promise<void> {
    for (let from = 0; from < contactIds.length; from += 500) {
      const some = contactIds.slice(from, from + 500);
      await inTransaction(this.database, (tx) => enterSegment(tx, this.writer, segment, some));
    }
  }

  async leave(segment: { readonly id: string; readonly name: string }, contactIds: string[]) {
    await inTransaction(this.database, (tx) => leaveSegment(tx, this.writer, segment, contactIds));
  }

  /** Ready to use. */
  async trigger(name: string, kind: 'custom' | 'business' = 'custom', attributes: string[] = []) {
    const given = {
      ...{ name, kind, state: 'ready' },
      attributes: attributes.map((attribute) => ({
        name: attribute,
        type: 'text',
        required: false,
      })),
    };
    await inTransaction(this.database, (tx) => createTriggerIn(tx, this.writer, given));
  }

  async raise(name: string, contactId: string, attributes: Values = {}): Promise<void> {
    await inTransaction(this.database, async (tx) => {
      const trigger = await tx
        .selectFrom('triggers')
        .selectAll()
        .where('name', '=', name)
        .where('business_unit_id', '=', this.businessUnitId)
        .executeTakeFirstOrThrow();
      await raiseTrigger(tx, this.writer, trigger, { contactId, attributes });
    });
  }

  /** As publishing does it, without asking what the journey relies on. Answers the journey's id. */
  async publish(written: Partial<Journey> & Pick<Journey, 'entry' | 'steps'>, of?: string) {
    const name = `Journey ${this.ids.id()}`;
    const journey: Journey = { format: 'ringfence-journey/1', name, timeZone: 'UTC', ...written };
    const id = of ?? this.ids.id();
    await inTransaction(this.database, async (tx) => {
      const { nowMs, businessUnitId } = this;
      const known = await tx
        .selectFrom('journeys')
        .select('latest_version')
        .where('id', '=', id)
        .executeTakeFirst();
      const number = (known?.latest_version ?? 0) + 1;
      const version = newVersion(this.writer, { id }, journey, number);
      const state = (version.opens_at_ms ?? nowMs) > nowMs ? 'scheduled' : 'live';
      const changed = { state, live_version: number, latest_version: number };
      if (known === undefined) {
        const row = {
          ...{ id, business_unit_id: businessUnitId, name, owner: 'owner', draft: null },
          ...{ draft_faults: 0, copied_from: null, version: 1, ...changed },
          ...{ created_at_ms: nowMs, updated_at_ms: nowMs },
        };
        await tx.insertInto('journeys').values(row).execute();
      } else {
        await closeVersion(tx, { journey_id: id, number: number - 1 });
        await tx.updateTable('journeys').set(changed).where('id', '=', id).execute();
      }
      await tx.insertInto('journey_versions').values(version).execute();
    });
    return id;
  }

  /** Everything that runs the journeys, as one worker has it. */
  chores(): JourneyChore[] {
    const { database, ids } = this;
    const { limit, outcomeOf } = this.#options;
    const nowMs = (): number => this.nowMs;
    const common = {
      ...{ database, ids, nowMs, log: silentLog, definitions: new JourneyDefinitions() },
      ...(limit === undefined ? {} : { limit, pageSize: limit }),
    };
    return [
      occurrenceRouter(common),
      new EntryRounds(common),
      new RunChore(common),
      lifecycleChore(common),
      ...(outcomeOf === undefined ? [] : [virtualOutcomes(common, outcomeOf)]),
    ];
  }

  worker(chores = this.chores()): JourneyWorker {
    return new JourneyWorker({ chores, log: silentLog, nowMs: () => this.nowMs, pollMs: 50 });
  }

  /** Until nothing is left at this moment, by so many workers at once. */
  async settle(workers = 1): Promise<void> {
    const all = Array.from({ length: workers }, () => this.worker());
    for (;;) {
      const done = await Promise.all(all.map((worker) => worker.turn()));
      if (workers === 1) return;
      // A worker may find nothing because another one holds it: the last look is nobody's but one's.
      if (done.every((count) => count === 0) && (await all[0]?.turn()) === 0) return;
    }
  }

  /** Stops at every timer on the way, as clocks do. */
  async until(atMs: number, workers = 1): Promise<void> {
    await this.settle(workers);
    for (;;) {
      const next = await this.#nextAtMs();
      if (next === null || next > atMs) break;
      this.clock.nowMs = Math.max(next, this.clock.nowMs + 1);
      await this.settle(workers);
    }
    this.clock.nowMs = Math.max(atMs, this.clock.nowMs);
    await this.settle(workers);
  }

  async #nextAtMs(): Promise<number | null> {
    const times: number[] = [];
    for (const chore of this.chores()) {
      const next = await chore.nextAtMs?.();
      if (next !== undefined && next !== null) times.push(next);
    }
    return times.length === 0 ? null : Math.min(...times);
  }

  /** By contact: the steps of each of their runs but the last one, `end`, outcomes, and how it ended. */
  async paths(journeyId: string): Promise<Map<string, string>> {
    const rows = await this.database.db
      .selectFrom('journey_path')
      .select(['contact_id', 'run_id', 'n', 'kind', 'step_id', 'place', 'code'])
      .where('journey_id', '=', journeyId)
      .orderBy('run_id')
      .orderBy('n')
      .execute();
    const paths = new Map<string, string>();
    for (const { contact_id: id, kind, step_id: step, place, code } of rows) {
      if (!['step', 'outcome', 'exit', 'entry', 'goal'].includes(kind)) continue;
      const word =
        kind === 'step'
          ? step
          : kind === 'outcome'
            ? `(${place})`
            : kind === 'exit'
              ? `${code}.`
              : kind === 'goal'
                ? '!'
                : '>';
      if (step === 'end' && kind === 'step') continue;
      paths.set(id, `${paths.get(id) ?? ''} ${word}`.trim());
    }
    return paths;
  }

  async path(journeyId: string, contactId: string): Promise<string> {
    return (await this.paths(journeyId)).get(contactId) ?? '';
  }

  async inside(journeyId: string): Promise<number> {
    const rows = await this.database.db
      .selectFrom('journey_runs')
      .select('id')
      .where('journey_id', '=', journeyId)
      .where('status', '=', 'active')
      .execute();
    return rows.length;
  }

  async count(journeyId: string, place: string, stepId = '', version = 1): Promise<number> {
    const row = await this.database.db
      .selectFrom('journey_counts')
      .select('count')
      .where('journey_id', '=', journeyId)
      .where('version', '=', version)
      .where('place', '=', place)
      .where('step_id', '=', stepId)
      .executeTakeFirst();
    return row?.count ?? 0;
  }
}

interface Common {
  readonly database: OpenDatabase;
  readonly nowMs: () => number;
}

/** In place of the dialer and of webhooks: each effect has the outcome that it is to have. */
export function virtualOutcomes({ database, nowMs }: Common, outcomeOf: OutcomeOf): JourneyChore {
  const turn = (): Promise<number> =>
    inTransaction(database, async (tx) => {
      const due = tx
        .selectFrom('journey_effects')
        .selectAll()
        .where('due_at_ms', '<=', nowMs())
        .orderBy('due_at_ms')
        .limit(100);
      const rows = await (
        database.kind === 'postgres' ? due.forUpdate().skipLocked() : due
      ).execute();
      for (const row of rows) {
        const outcome = outcomeOf(row);
        const isCut = row.state === 'cancelling';
        const event: JourneyEvent | undefined = isCut
          ? { type: 'conversationResult', key: row.key, result: 'Cancelled' }
          : outcome?.event;
        const isNow = isCut || row.state === 'asked';
        const change = isNow
          ? { state: isCut ? 'cancelled' : 'settled', due_at_ms: null }
          : { state: 'asked', due_at_ms: outcome === undefined ? null : nowMs() + outcome.afterMs };
        await tx.updateTable('journey_effects').set(change).where('key', '=', row.key).execute();
        if (!isNow || event === undefined) continue;
        const writer = { businessUnitId: row.business_unit_id, nowMs: nowMs() };
        await tellRuns(tx, writer, [{ runId: row.run_id, id: `outcome:${row.key}`, event }]);
      }
      return rows.length;
    });
  return {
    name: 'virtual outcomes',
    turn,
    nextAtMs: async () => {
      const next = await database.db
        .selectFrom('journey_effects')
        .select('due_at_ms')
        .where('due_at_ms', 'is not', null)
        .orderBy('due_at_ms')
        .limit(1)
        .executeTakeFirst();
      return next?.due_at_ms ?? null;
    },
  };
}
