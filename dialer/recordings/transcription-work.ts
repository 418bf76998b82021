/**
 * Has recordings transcribed by the gateways that hold their files, so many at a time per gateway. The
 * queue is the rows themselves: a process that dies loses none, and a recording at which processes die is
 * given up in the end, since every try is on disk before it begins. Runs where the lease is held.
 */
import { sql, type Transaction } from 'kysely';
import {
  TRANSCRIPTION_PIECE_MAX_MS,
  type RecordingRef,
  type RecordingTranscribe,
} from '../../machines/transcription.ts';
import type { EventOf, TelephonyEvent } from '../../machines/telephony-events.ts';
import type { TelephonyPort } from '../../machines/telephony.port.ts';
import type { DialerClock } from '../clock.ts';
import type { DialerLog } from '../dialer-log.ts';
import { appendEvents } from '../store/event-log.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { Database } from '../store/schema/database.ts';
import { untilStored } from '../store/until-stored.ts';

export interface TranscriptionSettings {
  /** Of one piece, at the gateway. ms */
  readonly timeoutMs: number;
  /** Per gateway. */
  readonly atOnceMax: number;
  readonly triesMax: number;
  /** Before the second try; doubles with each. ms */
  readonly retryDelayMinMs: number;
}

export interface TranscriptionWorkParts {
  readonly database: OpenDatabase;
  readonly telephony: TelephonyPort;
  readonly settings: TranscriptionSettings;
  readonly clock: DialerClock;
  readonly log: DialerLog;
  /** For the event log. */
  readonly actor: string;
  readonly storeRetryMs: number;
  /** Looks for what has come this often. Default: a second. */
  readonly lookEveryMs?: number;
}

const LOOK_EVERY_MS = 1_000;
const DUE_MAX = 100;
/** Before what was asked for already is asked for again. */
const NEWS_FIRST_LOOKS = 5;
const RETRY_DELAY_MAX_MS = 3_600_000;
/** A gateway that is not there is waited for so long, and one that refuses. */
const REFUSED_FOR_MAX_MS = 86_400_000;
/** Beyond what the gateway may take, for its answer to arrive. */
const NEWS_WITHIN_MS = 60_000;

type OutcomeEvent = EventOf<'recording.transcribed'> | EventOf<'recording.transcriptionFailed'>;

export class TranscriptionWork {
  readonly #parts: TranscriptionWorkParts;
  #unsubscribe = (): void => undefined;
  #timer: unknown;
  #looking: Promise<void> | undefined;
  #writing: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(parts: TranscriptionWorkParts) {
    this.#parts = parts;
  }

  /**
   * What an earlier process had asked for is asked for again: a gateway that is at it says so. A little
   * later, since what was told while no dialer was there is still to be heard: from here on it is.
   */
  start(): void {
    this.#unsubscribe = this.#parts.telephony.subscribe((event) => {
      if (isOutcome(event)) this.#write(event);
    });
    this.#look(true);
  }

  /** Asks for nothing more; resolves when what was heard is written. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#unsubscribe();
    this.#parts.clock.clearTimeout(this.#timer);
    await this.#looking;
    await this.#writing;
  }

  #look(isFirst = false): void {
    if (this.#isStopped || this.#looking !== undefined) return;
    const { clock, log, lookEveryMs = LOOK_EVERY_MS } = this.#parts;
    clock.clearTimeout(this.#timer);
    const look = async (): Promise<void> => {
      try {
        if (isFirst) await this.#takeOver();
        await this.#askForDue();
        isFirst = false;
      } catch (error) {
        log.warn({ error }, 'recordings to be transcribed could not be looked at');
      }
      this.#looking = undefined;
      if (!this.#isStopped) this.#timer = clock.setTimeout(() => this.#look(isFirst), lookEveryMs);
    };
    this.#looking = look();
  }

  async #takeOver(): Promise<void> {
    const { database, clock, lookEveryMs = LOOK_EVERY_MS } = this.#parts;
    const dueAtMs = clock.now() + NEWS_FIRST_LOOKS * lookEveryMs;
    await database.db
      .updateTable('recordings')
      .set({ transcription: 'waiting', transcription_due_at_ms: dueAtMs })
      .where('transcription', '=', sql.lit('asked'))
      .execute();
  }

  async #askForDue(): Promise<void> {
    const { database, clock, settings } = this.#parts;
    const inHand = await inHandByGateway(database, clock.now());
    const busy = [...inHand].filter(([, count]) => count >= settings.atOnceMax);
    const gatewaysBusy = busy.map(([gatewayId]) => gatewayId);
    for (const row of await dueRows(database, clock.now(), gatewaysBusy)) {
      const count = inHand.get(row.gateway_id) ?? 0;
      if (this.#isStopped || count >= settings.atOnceMax) continue;
      if (await this.#ask(row)) inHand.set(row.gateway_id, count + 1);
    }
  }

  /** True when the gateway may be at work on it. */
  async #ask(row: DueRow): Promise<boolean> {
    const { clock, settings, telephony, log } = this.#parts;
    const ref = { attemptId: row.attempt_id, recordingId: row.recording_id };
    if (row.transcription_tries >= settings.triesMax) {
      await this.#given(ref, (tx) => this.#giveUp(tx, ref, 'no word came from the gateway'));
      return false;
    }
    const limitMs = limitOf(row.length_ms ?? 0, settings.timeoutMs);
    if (!(await this.#begun(row, clock.now() + limitMs + NEWS_WITHIN_MS))) return false;
    const command: RecordingTranscribe = {
      ...{ type: 'recording.transcribe', gatewayId: row.gateway_id, atMs: clock.now() },
      ...{ recording: ref, location: row.location ?? '', language: row.language ?? '', limitMs },
    };
    try {
      const reply = await telephony.send(command);
      if (reply.accepted) return true;
      const { code, detail } = reply;
      await this.#given(ref, (tx) => this.#refused(tx, ref, `${code}: ${detail}`));
      return false;
    } catch (error) {
      // It may have arrived: either there is news of it, or it is asked for again.
      log.warn({ ...ref, error }, 'nobody knows whether a recording is being transcribed');
      return true;
    }
  }

  /** On disk before it is asked for. False when somebody else was faster. */
  async #begun(row: DueRow, untilMs: number): Promise<boolean> {
    const { numUpdatedRows } = await this.#parts.database.db
      .updateTable('recordings')
      .set({
        ...{ transcription: 'asked', transcription_due_at_ms: untilMs },
        transcription_tries: row.transcription_tries + 1,
      })
      .where('attempt_id', '=', row.attempt_id)
      .where('recording_id', '=', row.recording_id)
      .where('transcription', '=', row.transcription)
      .where('transcription_due_at_ms', '=', row.transcription_due_at_ms)
      .executeTakeFirstOrThrow();
    return numUpdatedRows > 0n;
  }

  /** One after the other, and for as long as it takes. */
  #write(event: OutcomeEvent): void {
    const { recording } = event;
    this.#writing = this.#writing
      .then(() =>
        this.#given(recording, (tx) =>
          event.type === 'recording.transcribed'
            ? this.#transcribed(tx, event)
            : this.#failed(tx, event),
        ),
      )
      .then(() => this.#look());
  }

  async #given(
    recording: RecordingRef,
    work: (tx: Transaction<Database>) => Promise<void>,
  ): Promise<void> {
    const { database, clock, storeRetryMs, log } = this.#parts;
    const stored = untilStored(() => database.db.transaction().execute(work), {
      ...{ clock, storeRetryMs, isGivenUp: () => this.#isStopped },
      onFailure: (error) => {
        log.warn({ ...recording, error }, 'what became of a transcription is not written yet');
      },
    });
    await stored.catch(() => undefined); // told above; it is asked for again when its time is over
  }

  async #transcribed(
    tx: Transaction<Database>,
    { recording, turns }: EventOf<'recording.transcribed'>,
  ): Promise<void> {
    const row = await openRow(tx, recording);
    if (row === undefined) return;
    await changeRow(tx, recording, {
      ...{ transcription: 'done', transcription_problem: null },
      ...{ transcript: JSON.stringify(turns), transcribed_at_ms: this.#parts.clock.now() },
    });
    const facts = { language: row.language, turns: turns.length, tries: row.transcription_tries };
    await this.#log(tx, row.business_unit_id, recording, 'recording.transcribed', facts);
  }

  async #failed(
    tx: Transaction<Database>,
    { recording, detail, mayPass, retryAfterMs = 0 }: EventOf<'recording.transcriptionFailed'>,
  ): Promise<void> {
    const { clock, settings } = this.#parts;
    const row = await openRow(tx, recording);
    if (row === undefined) return;
    const tries = row.transcription_tries;
    if (!mayPass || tries >= settings.triesMax) {
      await this.#giveUp(tx, recording, detail);
      return;
    }
    const pauseMs = Math.max(retryAfterMs, this.#pauseAfter(tries));
    await changeRow(tx, recording, {
      ...{ transcription: 'waiting', transcription_due_at_ms: clock.now() + pauseMs },
      transcription_problem: detail,
    });
  }

  /** It was not begun, so it is no try; but nobody waits for ever. */
  async #refused(tx: Transaction<Database>, ref: RecordingRef, why: string): Promise<void> {
    const { clock, settings } = this.#parts;
    const row = await openRow(tx, ref);
    if (row === undefined) return;
    if (clock.now() - (row.transcription_queued_at_ms ?? 0) > REFUSED_FOR_MAX_MS) {
      await this.#giveUp(tx, ref, why);
      return;
    }
    await changeRow(tx, ref, {
      ...{ transcription: 'waiting', transcription_problem: why },
      transcription_due_at_ms: clock.now() + settings.retryDelayMinMs,
      transcription_tries: row.transcription_tries - 1,
    });
  }

  async #giveUp(tx: Transaction<Database>, ref: RecordingRef, detail: string): Promise<void> {
    const row = await openRow(tx, ref);
    if (row === undefined) return;
    await changeRow(tx, ref, { transcription: 'failed', transcription_problem: detail });
    const facts = { detail, tries: row.transcription_tries };
    await this.#log(tx, row.business_unit_id, ref, 'recording.transcriptionFailed', facts);
    this.#parts.log.warn({ ...ref, ...facts }, 'a recording was not transcribed');
  }

  /** Facts alone: what was said stands in the recording's row, where it can be erased. */
  async #log(
    tx: Transaction<Database>,
    businessUnitId: string,
    { attemptId, recordingId }: RecordingRef,
    type: OutcomeEvent['type'],
    facts: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const { clock, actor } = this.#parts;
    const payload = { recordingId, ...facts };
    const event = { streamId: `attempt:${attemptId}`, type, actor, payload };
    await appendEvents(tx, businessUnitId, clock.now(), [event]);
  }

  #pauseAfter(tries: number): number {
    const { retryDelayMinMs } = this.#parts.settings;
    return Math.min(RETRY_DELAY_MAX_MS, retryDelayMinMs * 2 ** Math.max(0, tries - 1));
  }
}

function isOutcome(event: TelephonyEvent): event is OutcomeEvent {
  return event.type === 'recording.transcribed' || event.type === 'recording.transcriptionFailed';
}

/** Both sides of the call, piece by piece; one more for where it is cut. */
function limitOf(lengthMs: number, timeoutMs: number): number {
  return 2 * (Math.ceil(lengthMs / TRANSCRIPTION_PIECE_MAX_MS) + 1) * timeoutMs;
}

type DueRow = Awaited<ReturnType<typeof dueRows>>[number];

/** By the partial index: its condition stands in the statement as it stands in the index. */
function dueRows({ db }: OpenDatabase, nowMs: number, gatewaysBusy: readonly string[]) {
  const due = db
    .selectFrom('recordings')
    .innerJoin('attempts', 'attempts.id', 'recordings.attempt_id')
    .select(['recordings.attempt_id', 'recording_id', 'recordings.language', 'length_ms'])
    .select(['location', 'transcription', 'transcription_due_at_ms', 'transcription_tries'])
    .select('attempts.gateway_id')
    .where('transcription', 'in', [sql.lit('waiting'), sql.lit('asked')])
    .where('transcription_due_at_ms', '<=', nowMs)
    .orderBy('transcription_due_at_ms')
    .limit(DUE_MAX);
  return gatewaysBusy.length === 0
    ? due.execute()
    : due.where('attempts.gateway_id', 'not in', gatewaysBusy).execute();
}

async function inHandByGateway({ db }: OpenDatabase, nowMs: number): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom('recordings')
    .innerJoin('attempts', 'attempts.id', 'recordings.attempt_id')
    .select(['attempts.gateway_id', (eb) => eb.fn.countAll<number>().as('count')])
    .where('transcription', 'in', [sql.lit('waiting'), sql.lit('asked')])
    .where('transcription', '=', sql.lit('asked'))
    .where('transcription_due_at_ms', '>', nowMs)
    .groupBy('attempts.gateway_id')
    .execute();
  return new Map(rows.map(({ gateway_id: id, count }) => [id, count]));
}

/** Undefined when nothing more is to become of it. */
function openRow(tx: Transaction<Database>, { attemptId, recordingId }: RecordingRef) {
  return tx
    .selectFrom('recordings')
    .select(['business_unit_id', 'language', 'transcription_tries', 'transcription_queued_at_ms'])
    .where('attempt_id', '=', attemptId)
    .where('recording_id', '=', recordingId)
    .where('transcription', 'in', ['waiting', 'asked'])
    .executeTakeFirst();
}

async function changeRow(
  tx: Transaction<Database>,
  { attemptId, recordingId }: RecordingRef,
  change: Partial<Database['recordings']>,
): Promise<void> {
  await tx
    .updateTable('recordings')
    .set(change)
    .where('attempt_id', '=', attemptId)
    .where('recording_id', '=', recordingId)
    .execute();
}
