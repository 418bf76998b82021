/**
 * Runs that were told something or whose timer is due, many in one transaction: read, advanced, and
 * written with everything that they asked for. A worker that dies on the way has done nothing.
 */
import type { Transaction } from 'kysely';
import { newRun } from '../../../journey-core/interpreter/run.ts';
import type { DialerLog } from '../../dialer-log.ts';
import type { IdSource } from '../../ids/uuid7.ts';
import type { OpenDatabase } from '../../store/open-database.ts';
import { countTogether, type Runnable } from '../../store/run-together.ts';
import type { Database } from '../../store/schema/database.ts';
import { isDefect } from '../../store/store-defect.ts';
import { inTransaction } from '../in-transaction.ts';
import type { JourneyChore } from '../journey-chore.ts';
import { advanceTaken, type AdvancedRun } from './advance-taken.ts';
import { JourneyDefinitions, versionKey } from './journey-definitions.ts';
import { holdRuns, isBrokenRunDue, takeBrokenRun, takeRuns, type TakenRun } from './take-runs.ts';
import { effectQueries } from './write-effects.ts';
import { assertWritten, runQueries } from './write-runs.ts';

export interface RunChoreOptions {
  readonly database: OpenDatabase;
  readonly ids: IdSource;
  readonly log: DialerLog;
  readonly nowMs: () => number;
  readonly definitions: JourneyDefinitions;
  /** Runs of one transaction. Default 250: others wait for the store no longer than they would notice. */
  readonly limit?: number;
}

type Tx = Transaction<Database>;
type Take = (tx: Tx) => Promise<readonly TakenRun[]>;

const LIMIT = 250;

export class RunChore implements JourneyChore {
  readonly name = 'runs';
  readonly #options: RunChoreOptions;

  constructor(options: RunChoreOptions) {
    this.#options = options;
  }

  /** Runs that were advanced, or put aside with their fault. */
  async turn(): Promise<number> {
    const { database, nowMs, limit = LIMIT } = this.#options;
    const atMs = nowMs();
    const taken: string[] = [];
    try {
      const done = await this.#advance(atMs, async (tx) => {
        const runs = await takeRuns(database, tx, { nowMs: atMs, limit });
        taken.splice(0, taken.length, ...runs.map(({ row }) => row.id));
        return runs;
      });
      if (!(await isBrokenRunDue(database, atMs))) return done;
      return done + (await this.#advance(atMs, (tx) => takeBrokenRun(database, tx, atMs)));
    } catch (error) {
      if (!isDefect(error)) throw error;
      return this.#oneByOne(taken, atMs);
    }
  }

  /** When the next timer is due. */
  async nextAtMs(): Promise<number | null> {
    const { db } = this.#options.database;
    const next = await db
      .selectFrom('journey_runs')
      .select('wake_at_ms')
      .where('wake_at_ms', 'is not', null)
      .orderBy('wake_at_ms')
      .limit(1)
      .executeTakeFirst();
    return next?.wake_at_ms ?? null;
  }

  async #advance(atMs: number, take: Take): Promise<number> {
    const { database } = this.#options;
    const advanced = await inTransaction(database, async (tx) =>
      this.#work(tx, await take(tx), atMs),
    );
    for (const { row, fault } of advanced) {
      if (fault !== null) this.#warn(row.id, fault);
    }
    return advanced.length;
  }

  async #work(tx: Tx, taken: readonly TakenRun[], nowMs: number): Promise<readonly AdvancedRun[]> {
    if (taken.length === 0) return [];
    const { definitions, ids } = this.#options;
    const keys = taken.map(({ row }) => ({ journeyId: row.journey_id, version: row.version }));
    const versions = await definitions.read(tx, keys);
    const known = taken.flatMap((one) => {
      const version = versions.get(keyOf(one));
      return version === undefined ? [] : [{ ...one, version }];
    });
    const strangers = taken.filter((one) => !versions.has(keyOf(one))).map(withoutVersion);
    const advanced = [...(await advanceTaken(tx, known, nowMs)), ...strangers];
    const runs = runQueries(tx, advanced, nowMs);
    const well = advanced.filter(({ fault }) => fault === null);
    const effects = await effectQueries(tx, { ids, nowMs }, well);
    const answers = await countTogether(tx, [...runs, ...forgetQueries(tx, well), ...effects]);
    assertWritten(advanced, answers.slice(0, runs.length));
    return advanced;
  }

  /** One of them is what the store refuses: it is put aside, and the others go on. */
  async #oneByOne(runIds: readonly string[], atMs: number): Promise<number> {
    const { database } = this.#options;
    let done = 0;
    for (const id of runIds) {
      try {
        done += await this.#advance(atMs, (tx) => holdRuns(database, tx, [id]));
      } catch (error) {
        if (!isDefect(error)) throw error;
        const fault = error instanceof Error ? error.message : String(error);
        done += await this.#putAside(id, fault, atMs);
      }
    }
    return done;
  }

  async #putAside(id: string, fault: string, atMs: number): Promise<number> {
    const { database } = this.#options;
    const put = await inTransaction(database, async (tx) => {
      const held = await holdRuns(database, tx, [id]);
      const faulty = held.map((one) => ({ ...withoutVersion(one), fault }));
      if (faulty.length === 0) return 0;
      assertWritten(faulty, await countTogether(tx, runQueries(tx, faulty, atMs)));
      return faulty.length;
    });
    if (put > 0) this.#warn(id, fault);
    return put;
  }

  #warn(runId: string, fault: string): void {
    this.#options.log.warn({ runId, fault }, 'a journey run was put aside');
  }
}

function keyOf({ row }: TakenRun): string {
  return versionKey({ journeyId: row.journey_id, version: row.version });
}

function withoutVersion(one: TakenRun): AdvancedRun {
  const { id: runId, journey_id: journeyId, version, contact_id: personId } = one.row;
  return {
    ...one,
    version: { journey: NO_JOURNEY, state: '', journeyState: '', owner: '' },
    run: newRun({ runId, journeyId, version, personId }),
    effects: [],
    fault: `version ${version} of journey ${journeyId} cannot be read`,
  };
}

const NO_JOURNEY: AdvancedRun['version']['journey'] = {
  ...{ format: 'ringfence-journey/1', name: '-', timeZone: 'UTC' },
  entry: { kind: 'trigger', trigger: '-' },
  steps: [{ id: 'end', type: 'exit' }],
};

/** What they have taken in. */
function forgetQueries(tx: Tx, advanced: readonly AdvancedRun[]): Runnable[] {
  const seqs = advanced.flatMap(({ inbox }) => inbox.map(({ seq }) => seq));
  return seqs.length === 0 ? [] : [tx.deleteFrom('journey_run_events').where('seq', 'in', seqs)];
}
