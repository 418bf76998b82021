/**
 * Writes down why so many calls were started and no more: one row for as long as the same limit binds, at
 * least once a minute and at most every five seconds for each engagement. Rows are dropped when they are
 * older than their retention.
 */
import type { DialerClock } from '../clock.ts';
import type { DialerLog } from '../dialer-log.ts';
import type { DialerNews, NewsFeed } from '../dialer-news.ts';
import type { IdSource } from '../ids/uuid7.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { PacingSpanRow } from '../store/schema/pacing-tables.ts';
import type { WorkInHand } from '../work-in-hand.ts';
import { PacingSpan, type ClosedSpan } from './pacing-span.ts';

export interface PacingLogParts {
  readonly database: OpenDatabase;
  readonly ids: IdSource;
  readonly clock: DialerClock;
  readonly log: DialerLog;
  readonly news: NewsFeed;
  readonly work: WorkInHand;
  /** Undefined: nobody knows the engagement, and nothing is kept of it. */
  readonly businessUnitOf: (engagementId: string) => string | undefined;
  readonly retentionMs: number;
}

const WRITE_AFTER_MS = 1_000;
const FORGET_EVERY_MS = 3_600_000;
/** Rows dropped in one transaction, so that nobody waits long for it. */
const FORGET_ROWS = 5_000;
/** A store that stays away for long: what is oldest is lost first. */
const UNWRITTEN_MAX = 10_000;

export class PacingLog {
  readonly #parts: PacingLogParts;
  readonly #open = new Map<string, PacingSpan>();
  readonly #unsubscribe: () => void;
  #unwritten: PacingSpanRow[] = [];
  #writing: Promise<void> = Promise.resolve();
  #writeTimer: unknown;
  #forgetTimer: unknown;
  #isStopped = false;

  constructor(parts: PacingLogParts) {
    this.#parts = parts;
    this.#unsubscribe = parts.news.subscribe((news) => this.#note(news));
  }

  /** Drops what is too old, now and from time to time. */
  begin(): void {
    const { clock, work } = this.#parts;
    if (this.#isStopped) return;
    work.run(() => this.#forget());
    this.#forgetTimer = clock.setTimeout(() => this.begin(), FORGET_EVERY_MS);
  }

  /** On disk is what is old enough to be told. Of the store's failures nobody hears but the log. */
  async written(): Promise<void> {
    const nowMs = this.#parts.clock.now();
    for (const [id, span] of this.#open) if (span.isReadable(nowMs)) this.#close(id);
    await this.#write();
  }

  async stop(): Promise<void> {
    this.drop();
    for (const id of [...this.#open.keys()]) this.#close(id);
    await this.#write();
  }

  /** At once: the store is somebody else's to write from now on. */
  drop(): void {
    this.#isStopped = true;
    this.#unsubscribe();
    this.#parts.clock.clearTimeout(this.#writeTimer);
    this.#parts.clock.clearTimeout(this.#forgetTimer);
  }

  #note(news: DialerNews): void {
    const nowMs = this.#parts.clock.now();
    if (news.type === 'pacing.decided') {
      const { engagementId, decision } = news;
      this.#spanFor(engagementId, nowMs, decision.binding).decided(nowMs, decision);
    } else if (news.type === 'claim.made') {
      const { engagementId, limiter } = news;
      // Where a pacer decides, its limit is what counts; elsewhere the claim's.
      const open = this.#open.get(engagementId);
      const span = open?.isPaced === true ? open : this.#spanFor(engagementId, nowMs, limiter);
      span.claimed(nowMs, news);
    }
  }

  #spanFor(engagementId: string, nowMs: number, binding: string): PacingSpan {
    const open = this.#open.get(engagementId);
    if (open?.isOver(nowMs, binding) === false) return open;
    this.#close(engagementId);
    const span = new PacingSpan(engagementId, nowMs);
    this.#open.set(engagementId, span);
    return span;
  }

  #close(engagementId: string): void {
    const span = this.#open.get(engagementId);
    const businessUnitId = this.#parts.businessUnitOf(engagementId);
    this.#open.delete(engagementId);
    if (span === undefined || businessUnitId === undefined) return;
    this.#unwritten.push(this.#rowOf(span.closed(), businessUnitId));
    this.#unwritten = this.#unwritten.slice(-UNWRITTEN_MAX);
    if (this.#isStopped || this.#writeTimer !== undefined) return;
    this.#writeTimer = this.#parts.clock.setTimeout(() => {
      this.#writeTimer = undefined;
      this.#parts.work.run(() => this.#write());
    }, WRITE_AFTER_MS);
  }

  #rowOf(span: ClosedSpan, businessUnitId: string): PacingSpanRow {
    const { decisions, wanted, started, recalled, binding } = span;
    return {
      ...{ id: this.#parts.ids.id(), business_unit_id: businessUnitId },
      ...{ engagement_id: span.engagementId, from_ms: span.fromMs, until_ms: span.untilMs },
      ...{ binding, decisions, wanted, started, recalled },
      limits: JSON.stringify(span.limits),
      claims: JSON.stringify(span.claims),
      inputs: span.inputs === null ? null : JSON.stringify(span.inputs),
    };
  }

  #write(): Promise<void> {
    const { database, log } = this.#parts;
    this.#writing = this.#writing.then(async () => {
      const rows = this.#unwritten;
      if (rows.length === 0) return;
      this.#unwritten = [];
      try {
        await database.db.insertInto('pacing_spans').values(rows).execute();
      } catch (error) {
        this.#unwritten = [...rows, ...this.#unwritten].slice(-UNWRITTEN_MAX);
        log.warn({ error }, 'pacing decisions could not be written down');
      }
    });
    return this.#writing;
  }

  async #forget(): Promise<void> {
    const { database, clock, retentionMs, log } = this.#parts;
    const beforeMs = clock.now() - retentionMs;
    try {
      for (let isMore = true; isMore && !this.#isStopped;) {
        const old = database.db
          .selectFrom('pacing_spans')
          .select('id')
          .where('until_ms', '<', beforeMs)
          .limit(FORGET_ROWS);
        const { numDeletedRows } = await database.db
          .deleteFrom('pacing_spans')
          .where('id', 'in', old)
          .executeTakeFirstOrThrow();
        isMore = Number(numDeletedRows) === FORGET_ROWS;
      }
    } catch (error) {
      log.warn({ error }, 'old pacing decisions could not be dropped');
    }
  }
}
