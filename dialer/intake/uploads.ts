/**
 * Uploaded files being imported. Each is on disk from its last byte to the end of its batch, so that
 * a process that dies goes on where it was; nothing gives it out, and after that it is gone.
 */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DialerError } from '../../machines/errors.ts';
import type { DialerLog } from '../dialer-log.ts';
import type { IdSource } from '../ids/uuid7.ts';
import { isDefect } from '../store/store-defect.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import { endBatch } from './batch-step.ts';
import { ContactsCsvError } from './contacts-csv-error.ts';
import type { DestinationRules } from './destination.ts';
import { importInThread, type RunningImport } from './import-thread.ts';
import { batchFile, forget } from './upload-file.ts';

export interface UploadsOptions {
  readonly database: OpenDatabase;
  readonly ids: IdSource;
  readonly nowMs: () => number;
  readonly log: DialerLog;
  /** Where files wait for their last row. */
  readonly folder: string;
  readonly rulesOf: (engagementId: string) => Promise<DestinationRules>;
  /** Rows became tasks. */
  readonly onTasks: (engagementId: string) => void;
  readonly rowsPerTransaction?: number;
}

export interface UploadedBatch {
  readonly id: string;
  readonly businessUnitId: string;
  readonly engagementId: string;
  readonly actor: string;
}

/** Threads at work at one time: two leave room for the dialing. */
const IMPORTS_MAX = 2;
const RETRY_MS = 5_000;

export class Uploads {
  readonly #options: UploadsOptions;
  readonly #waiting: UploadedBatch[] = [];
  readonly #running = new Map<string, RunningImport>();
  readonly #ending = new Set<Promise<void>>();
  readonly #retries = new Set<NodeJS.Timeout>();
  #isStopped = false;

  constructor(options: UploadsOptions) {
    this.#options = options;
  }

  get folder(): string {
    return this.#options.folder;
  }

  /** The batch is written, and its file is in the folder under its id. Called again, it does nothing. */
  begin(batch: UploadedBatch): void {
    const isKnown = this.#running.has(batch.id) || this.#waiting.some(({ id }) => id === batch.id);
    if (isKnown || this.#isStopped) return;
    this.#waiting.push(batch);
    this.#next();
  }

  /** Goes on with what an earlier process left. A batch whose file is gone ends as Failed. */
  async resume(): Promise<void> {
    const { database, folder } = this.#options;
    const rows = await database.db
      .selectFrom('batches')
      .select(['id', 'business_unit_id', 'engagement_id'])
      .where('status', 'in', ['NotStarted', 'InProgress'])
      .orderBy('id')
      .execute();
    const open = new Set(rows.map(({ id }) => batchFile(folder, id)));
    for (const name of existsSync(folder) ? await readdir(folder) : []) {
      const path = join(folder, name);
      if (!open.has(path)) await forget(path);
    }
    for (const { id, business_unit_id: businessUnitId, engagement_id: engagementId } of rows) {
      const batch = { id, businessUnitId, engagementId, actor: 'system' };
      if (existsSync(batchFile(folder, id))) this.begin(batch);
      else await this.#fail(batch, 'fileLost', 'The rest of the file is lost: upload it again.');
    }
  }

  /** Between two transactions of each; the next start goes on. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#waiting.length = 0;
    for (const timer of this.#retries) clearTimeout(timer);
    await Promise.all([...this.#running.values()].map((running) => running.stop()));
    await Promise.all(this.#ending);
  }

  /** Resolves when no import is under way or waiting for its turn. */
  async settled(): Promise<void> {
    while (this.#ending.size > 0) await Promise.all(this.#ending);
  }

  #next(): void {
    while (this.#ending.size < IMPORTS_MAX && !this.#isStopped) {
      const batch = this.#waiting.shift();
      if (batch === undefined) return;
      const ending = this.#import(batch).finally(() => {
        this.#ending.delete(ending);
        this.#next();
      });
      this.#ending.add(ending);
    }
  }

  async #import(batch: UploadedBatch): Promise<void> {
    const { database, folder, onTasks, rowsPerTransaction, log } = this.#options;
    const { id: batchId, businessUnitId, engagementId, actor } = batch;
    const file = batchFile(folder, batchId);
    try {
      const rules = await this.#options.rulesOf(engagementId);
      if (this.#isStopped) return;
      const rows = rowsPerTransaction === undefined ? {} : { rowsPerTransaction };
      const job = { businessUnitId, batchId, actor, file, rules, ...rows };
      const running = importInThread(database, job, () => onTasks(engagementId));
      this.#running.set(batchId, running);
      await running.ended;
      await forget(file);
      onTasks(engagementId);
    } catch (error) {
      if (this.#isStopped) return;
      log.warn({ error, batchId }, 'an import was interrupted');
      await this.#afterFailure(batch, error);
    } finally {
      this.#running.delete(batchId);
    }
  }

  /** What no repetition mends ends the batch; after anything else it goes on a little later. */
  async #afterFailure(batch: UploadedBatch, error: unknown): Promise<void> {
    const isRefused = error instanceof DialerError && REFUSALS.has(error.code);
    if (isRefused || isDefect(error)) {
      const reason = isRefused ? error.message : 'a row could not be stored';
      await this.#fail(batch, 'notTaken', `The import ended early: ${reason}.`);
      return;
    }
    const timer = setTimeout(() => {
      this.#retries.delete(timer);
      this.begin(batch);
    }, RETRY_MS);
    timer.unref();
    this.#retries.add(timer);
  }

  async #fail(
    { id, businessUnitId, actor }: UploadedBatch,
    fault: 'fileLost' | 'notTaken',
    message: string,
  ): Promise<void> {
    const { database, ids, nowMs, folder, log } = this.#options;
    const writer = { database, ids, nowMs: nowMs(), businessUnitId, actor };
    try {
      await endBatch(writer, id, new ContactsCsvError(fault, message));
      await forget(batchFile(folder, id));
    } catch (error) {
      log.error({ error, batchId: id }, 'a batch that cannot go on could not be ended either');
    }
  }
}

const REFUSALS: ReadonlySet<string> = new Set(['REQUEST_INVALID', 'NOT_FOUND', 'CONTACTS_INVALID']);
