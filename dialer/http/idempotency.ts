/**
 * A creating request that is sent twice with one `Idempotency-Key` creates once. What was answered is
 * written in the transaction that creates, so that there is never the one without the other.
 */
import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Transaction } from 'kysely';
import type { Caller } from '../api-keys/api-keys.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { Database } from '../store/schema/database.ts';
import { callerOfRequest } from './access.ts';
import { HttpError } from './http-error.ts';

export interface Answer<T> {
  readonly status: number;
  readonly body: T;
}

export interface Once<T> extends Answer<T> {
  /** The answer of before: nothing was created this time. */
  readonly isReplay: boolean;
}

export interface OnceOptions<T> {
  readonly database: OpenDatabase;
  readonly nowMs: number;
  readonly work: (tx: Transaction<Database>) => Promise<Answer<T>>;
  /** Stands for the body where that was streamed elsewhere. */
  readonly digest?: string;
  /** What is kept for a repeated request, when that is less than what is answered now. */
  readonly kept?: (body: T) => unknown;
}

/** Answers to repeated requests are kept for this long. */
export const IDEMPOTENCY_KEPT_MS = 86_400_000;

const KEY = /^[\x21-\x7e]{1,200}$/;

/** Throws IDEMPOTENCY_KEY_REUSED when the key came with another request before. */
export async function once<T>(request: FastifyRequest, options: OnceOptions<T>): Promise<Once<T>> {
  const key = keyOf(request);
  const { database, work } = options;
  if (key === undefined) {
    const answer = await database.db.transaction().execute(work);
    return { ...answer, isReplay: false };
  }
  const asked = { caller: callerOfRequest(request), key, hash: hashOf(request, options.digest) };
  return database.db.transaction().execute(async (tx) => {
    const before = await replay<T>(tx, asked, options.nowMs);
    if (before !== undefined) return { ...before, isReplay: true };
    const answer = await work(tx);
    await keep(tx, asked, { ...answer, body: options.kept?.(answer.body) ?? answer.body });
    return { ...answer, isReplay: false };
  });
}

/** The answer that a request like this got before, without doing anything. */
export async function answeredBefore<T>(
  request: FastifyRequest,
  { db }: OpenDatabase,
  digest: string,
): Promise<Answer<T> | undefined> {
  const key = keyOf(request);
  if (key === undefined) return undefined;
  const asked = { caller: callerOfRequest(request), key, hash: hashOf(request, digest) };
  return answerOf<T>(asked, await rowOf(db, asked));
}

/** To be called from time to time. */
export async function forgetAnswers({ db }: OpenDatabase, nowMs: number): Promise<void> {
  await db
    .deleteFrom('idempotency_keys')
    .where('created_at_ms', '<', nowMs - IDEMPOTENCY_KEPT_MS)
    .execute();
}

interface Asked {
  readonly caller: Caller;
  readonly key: string;
  readonly hash: string;
}

function keyOf({ headers }: FastifyRequest): string | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined || typeof key === 'string') return key;
  return key[0];
}

/** Whether a header can be used as a key; for the schema of the routes. */
export const IDEMPOTENCY_KEY_PATTERN = KEY.source;

function hashOf(request: FastifyRequest, digest: string | undefined): string {
  const { method, params, routeOptions } = request;
  const asked = stableJson([method, routeOptions.url, params, digest ?? request.body ?? null]);
  return createHash('sha256').update(asked).digest('hex');
}

/** The same for the same content, in whichever order its names come. */
function stableJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/**
 * Takes the key, or answers what it got before. On PostgreSQL a second request with the same key waits
 * here for the first to commit or to give up.
 */
async function replay<T>(
  tx: Transaction<Database>,
  asked: Asked,
  nowMs: number,
): Promise<Answer<T> | undefined> {
  const taken = await tx
    .insertInto('idempotency_keys')
    .values({
      business_unit_id: asked.caller.businessUnitId,
      api_key_id: asked.caller.keyId,
      idempotency_key: asked.key,
      request_hash: asked.hash,
      response_status: 0,
      response_body: '',
      created_at_ms: nowMs,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('request_hash')
    .executeTakeFirst();
  return taken === undefined ? answerOf<T>(asked, await rowOf(tx, asked)) : undefined;
}

type StoredAnswer = Pick<
  Database['idempotency_keys'],
  'request_hash' | 'response_status' | 'response_body'
>;

function rowOf(
  db: Pick<Transaction<Database>, 'selectFrom'>,
  { caller, key }: Asked,
): Promise<StoredAnswer | undefined> {
  return db
    .selectFrom('idempotency_keys')
    .select(['request_hash', 'response_status', 'response_body'])
    .where('business_unit_id', '=', caller.businessUnitId)
    .where('api_key_id', '=', caller.keyId)
    .where('idempotency_key', '=', key)
    .executeTakeFirst();
}

function answerOf<T>({ hash }: Asked, row: StoredAnswer | undefined): Answer<T> | undefined {
  if (row === undefined) return undefined;
  if (row.request_hash !== hash) {
    throw new HttpError('IDEMPOTENCY_KEY_REUSED', 'this key came with another request before');
  }
  return { status: row.response_status, body: JSON.parse(row.response_body) as T };
}

async function keep(
  tx: Transaction<Database>,
  { caller, key }: Asked,
  { status, body }: Answer<unknown>,
): Promise<void> {
  await tx
    .updateTable('idempotency_keys')
    .set({ response_status: status, response_body: JSON.stringify(body) })
    .where('business_unit_id', '=', caller.businessUnitId)
    .where('api_key_id', '=', caller.keyId)
    .where('idempotency_key', '=', key)
    .execute();
}
