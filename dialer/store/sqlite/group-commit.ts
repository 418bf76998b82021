/**
 * Group commit: many write sessions, one COMMIT, one wait for the disk.
 *
 * Sessions run one after the other, each inside a savepoint of one outer transaction. A session that
 * is done waits with the others; the outer transaction is committed when nobody else wants to write,
 * when the oldest has waited `gatherMs`, or when `groupMax` are waiting, and only then are they all
 * told that they are durable. A session sees what those before it wrote although they may still be
 * lost together with it: no session can survive one that it has read from.
 *
 * Some failures (disk full, I/O error, `or rollback`) make SQLite undo the outer transaction by
 * itself. Everybody waiting in it is told, and so is the session it happened in.
 */
import type Libsql from 'libsql';

export interface GroupCommitOptions {
  readonly database: Libsql.Database;
  readonly gatherMs: number;
  readonly groupMax: number;
  readonly nowMs: () => number;
  /** Told after each commit: how many sessions were in it, and how long the disk took. ms */
  readonly onCommit?: (sessions: number, tookMs: number) => void;
}

export interface Waiting {
  settle(error: Error | undefined): void;
}

export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #group: Waiting[] = [];
  #openedAtMs = 0;
  /** We hold the outer transaction, as far as we know; SQLite may have ended it since. */
  #isOpen = false;
  #inSession = false;
  /** What ended the outer transaction under the session that is still open. */
  #lostBy: Error | undefined;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  beginSession(): void {
    const { database, nowMs } = this.#options;
    if (!this.#isOpen) {
      database.exec('begin immediate');
      this.#isOpen = true;
      this.#openedAtMs = nowMs();
    }
    try {
      database.exec('savepoint session');
    } catch (error) {
      this.#commit();
      throw error;
    }
    this.#inSession = true;
  }

  /**
   * Runs one of the session's statements. Once the outer transaction is gone none may run any more:
   * it would be committed by itself.
   */
  run<T>(statement: () => T): T {
    if (this.#lostBy !== undefined) throw this.#lostBy;
    try {
      return statement();
    } catch (error) {
      this.#noticeLoss(error);
      throw error;
    }
  }

  /** Ends the session well. `waiting` = sessions that will begin right after it. */
  endSession(session: Waiting, waiting: number): void {
    const lostBy = this.#lostBy;
    if (lostBy !== undefined) {
      this.abandonSession(waiting);
      throw lostBy;
    }
    try {
      this.#options.database.exec('release session');
    } catch (error) {
      this.#noticeLoss(error);
      this.abandonSession(waiting);
      throw error;
    }
    this.#inSession = false;
    this.#group.push(session);
    this.#commitIfDue(waiting);
  }

  /** Undoes the session, and only it. */
  abandonSession(waiting: number): void {
    this.#inSession = false;
    if (this.#lostBy !== undefined) {
      this.#lostBy = undefined; // SQLite has undone it already
      return;
    }
    this.#options.database.exec('rollback to session');
    this.#options.database.exec('release session');
    this.#commitIfDue(waiting);
  }

  /** Commits what waits, if anything does; a session still open is undone. For closing. */
  finish(): void {
    if (this.#inSession) this.abandonSession(0);
    if (this.#isOpen) this.#commit();
  }

  #noticeLoss(error: unknown): void {
    if (!this.#isOpen || this.#options.database.inTransaction) return;
    this.#isOpen = false;
    this.#lostBy = asError(error);
    this.#settleGroup(this.#lostBy);
  }

  #commitIfDue(waiting: number): void {
    const { gatherMs, groupMax, nowMs } = this.#options;
    const isOld = nowMs() - this.#openedAtMs >= gatherMs;
    if (waiting === 0 || isOld || this.#group.length >= groupMax) this.#commit();
  }

  #commit(): void {
    const { database, nowMs, onCommit } = this.#options;
    this.#isOpen = false;
    let failure: Error | undefined;
    const beganAtMs = nowMs();
    try {
      database.exec('commit');
      if (this.#group.length > 0) onCommit?.(this.#group.length, nowMs() - beganAtMs);
    } catch (error) {
      failure = asError(error);
      this.#rollBackAfterFailure();
    }
    this.#settleGroup(failure);
  }

  #settleGroup(failure: Error | undefined): void {
    const group = this.#group;
    this.#group = [];
    for (const session of group) session.settle(failure);
  }

  /** A failed COMMIT may leave the transaction open (disk full) or not: either way it must end. */
  #rollBackAfterFailure(): void {
    if (this.#options.database.inTransaction) this.#options.database.exec('rollback');
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
