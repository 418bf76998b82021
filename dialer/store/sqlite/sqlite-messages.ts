/** What the store's thread and its clients say. One session at a time may write; see sqlite.worker. */
import type { MessagePort } from 'node:worker_threads';
import type { Bindable } from '../bindable.ts';

export interface SqliteThreadOptions {
  /** Path of the database file; its folder exists. */
  readonly file: string;
  /** How long commits may be gathered before one is made. Default 4 ms. */
  readonly gatherMs?: number;
}

export interface SqlStatement {
  readonly sql: string;
  readonly parameters: readonly Bindable[];
}

export interface SqlResult {
  readonly rows: readonly unknown[];
  /** Rows inserted, changed or deleted; 0 for a query. */
  readonly changes: number;
}

/**
 * Long lists cross between threads as JSON, which for texts and numbers is exact and several times
 * cheaper than a structured clone of each value; short ones as they are.
 */
export type Crossing<T> = readonly T[] | string;

const CLONED_MAX = 16;

export function crossing<T>(list: readonly T[]): Crossing<T> {
  return list.length > CLONED_MAX ? JSON.stringify(list) : list;
}

export function crossed<T>(list: Crossing<T>): readonly T[] {
  return typeof list === 'string' ? (JSON.parse(list) as readonly T[]) : list;
}

export interface SentStatement {
  readonly sql: string;
  readonly parameters: Crossing<Bindable>;
}

export interface SentResult {
  readonly rows: Crossing<unknown>;
  readonly changes: number;
}

/** Client → thread. `id` pairs a question with its answer; every one is answered. */
export type ToSqlite =
  | { readonly type: 'read'; readonly id: number; readonly statement: SentStatement }
  /** Answered when the write session is this client's alone, until it commits or rolls back. */
  | { readonly type: 'begin'; readonly id: number }
  | { readonly type: 'write'; readonly id: number; readonly statements: readonly SentStatement[] }
  | { readonly type: 'commit'; readonly id: number }
  | { readonly type: 'rollback'; readonly id: number }
  /** A whole write session in one message. */
  | { readonly type: 'unit'; readonly id: number; readonly statements: readonly SentStatement[] }
  /** From the thread that opened the file: once those before it have written. */
  | { readonly type: 'close'; readonly id: number }
  /** Another client, in a thread of its own. It leaves by closing its port. */
  | { readonly type: 'attach'; readonly id: number; readonly port: MessagePort };

/** Thread → client. A commit is answered once it is on disk. */
export type FromSqlite =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly problem: string }
  /** To the thread that opened the file, for its metrics. */
  | { readonly type: 'committed'; readonly sessions: number; readonly tookMs: number }
  | { readonly type: 'done'; readonly id: number; readonly results: readonly SentResult[] }
  | {
      readonly type: 'error';
      readonly id: number;
      readonly code: string;
      readonly problem: string;
    };
