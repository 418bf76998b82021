/**
 * Group commit: many write sessions, one COMMIT, one wait for the disk.
 *
 * Sessions run one after the other, each inside a savepoint of one outer transaction. A session that
 * is done waits with the others; the outer transaction is committed when nobody else wants to write,
 * when the oldest has waited `gatherMs`, or when `groupMax` are waiting, and only then are they all
 * told that they are durable. A session sees what those before it wrote although they may still be
 * lost together with it: no session can survive one that it has read from.
 */
import type Libsql from 'libsql';

export interface GroupCommitOptions {
  readonly database: Libsql.Database;
  readonly gatherMs: number;
  readonly groupMax: number;
  readonly nowMs: () => number;
}

export interface Waiting {
  settle(error: Error | undefined): void;
}

export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #group: Waiting[] = [];
  #openedAtMs = 0;
  #isOpen = false;
  #inSession = false;

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
    database.exec('savepoint session');
    this.#inSession = true;
  }

  /** Ends the session well. `waiting` = sessions that will begin right after it. */
  endSession(session: Waiting, waiting: number): void {
    this.#options.database.exec('release session');
    this.#inSession = false;
    this.#group.push(session);
    this.#commitIfDue(waiting);
  }

  /** Undoes the session, and only it. */
  abandonSession(waiting: number): void {
    this.#options.database.exec('rollback to session');
    this.#options.database.exec('release session');
    this.#inSession = false;
    this.#commitIfDue(waiting);
  }

  /** Commits what waits, if anything does; a session still open is undone. For closing. */
  finish(): void {
    if (this.#inSession) this.abandonSession(0);
    else if (this.#isOpen) this.#commit();
  }

  #commitIfDue(waiting: number): void {
    const { gatherMs, groupMax, nowMs } = this.#options;
    const isOld = nowMs() - this.#openedAtMs >= gatherMs;
    if (waiting === 0 || isOld || this.#group.length >= groupMax) this.#commit();
  }

  #commit(): void {
    const group = this.#group;
    this.#group = [];
    this.#isOpen = false;
    let failure: Error | undefined;
    try {
      this.#options.database.exec('commit');
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
      this.#rollBackAfterFailure();
    }
    for (const session of group) session.settle(failure);
  }

  /** A failed COMMIT may leave the transaction open (disk full) or not: either way it must end. */
  #rollBackAfterFailure(): void {
    try {
      this.#options.database.exec('rollback');
    } catch {
      // SQLite has rolled back by itself.
    }
  }
}
