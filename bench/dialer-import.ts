/** A large list read in while calls are being started beside it. */
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { createBatch } from '../dialer/intake/batch.ts';
import { importInThread } from '../dialer/intake/import-thread.ts';
import { contactListText, numberOfRow } from '../test/support/contact-list.ts';
import { WorkScene } from '../test/support/work-scene.ts';
import { percentile } from './bench-report.ts';
import type { BenchStore, RawStatement } from './dialer-stores.ts';

const STARTS_PER_SECOND = 50;
const STARTS_MAX = 2_500; // for an import of less than 50 s
const BYTES_MAX = 20_000_000;
const ROWS_PER_RAW_TRANSACTION = 500;
const RAW_ROWS = 20_000;

export interface ImportMeasure {
  readonly seconds: number;
  /** Resident memory of the whole process at its most, above what it was when a tenth was read. */
  readonly rssGrowthMb: number;
  /** The same rows by bare statements, one at a time, in transactions of as many rows. */
  readonly rawRowsPerSecond: number;
  readonly besideDialing: {
    readonly seconds: number;
    readonly starts: number;
    /** From the wish to start a call to its row being on disk. */
    readonly claimP99Ms: number;
    readonly eventLoopDelayP99Ms: number;
  };
}

export async function measureImport(store: BenchStore, rows: number): Promise<ImportMeasure> {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-list-'));
  const file = join(folder, 'list.csv');
  try {
    await writeList(file, rows);
    const alone = await importOnce(store, file, rows);
    const dialing = await dialBeside(store, () => importOnce(store, file, rows));
    const rawRowsPerSecond = await measureRaw(store, Math.min(rows, RAW_ROWS));
    return {
      seconds: alone.seconds,
      rssGrowthMb: alone.rssGrowthMb,
      rawRowsPerSecond,
      besideDialing: { ...dialing, seconds: dialing.done.seconds },
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function writeList(file: string, rows: number): Promise<void> {
  const stream = createWriteStream(file);
  for (const text of contactListText({ rows })) {
    if (!stream.write(text)) await once(stream, 'drain');
  }
  stream.end();
  await once(stream, 'close');
}

/** Into a business unit of its own, so that every row is a new contact. */
async function importOnce(
  { database }: BenchStore,
  file: string,
  rows: number,
): Promise<{ readonly seconds: number; readonly rssGrowthMb: number }> {
  const work = await WorkScene.open({ database, clock: { nowMs: Date.now() } });
  const { writer, engagementId } = work;
  const batchId = await createBatch(writer, { engagementId, sourceName: 'bench' });
  const job = { businessUnitId: writer.businessUnitId, batchId, actor: 'bench', file };
  let rssEarly: number | undefined;
  let rssPeak = 0;
  const startedAt = performance.now();
  const settings = { rules: { format: 'e164' } as const, bytesMax: BYTES_MAX };
  const summary = await importInThread(database, { ...job, ...settings }, ({ lastLine }) => {
    rssPeak = Math.max(rssPeak, process.memoryUsage.rss());
    if (lastLine >= rows / 10) rssEarly ??= process.memoryUsage.rss();
  }).ended;
  if (summary.status !== 'Completed') throw new Error(summary.errorMessage ?? summary.status);
  const seconds = (performance.now() - startedAt) / 1_000;
  return { seconds, rssGrowthMb: (rssPeak - (rssEarly ?? rssPeak)) / 2 ** 20 };
}

const NO_ANSWER = { result: 'NoAnswer', retryClass: 'noAnswer' } as const;

/** Starts claimed at a steady rate, and each one's end recorded. */
async function dialBeside<T>(store: BenchStore, during: () => Promise<T>) {
  const clock = { nowMs: Date.now() };
  const work = await WorkScene.open({ database: store.database, clock, cap: 500 });
  for (let from = 0; from < STARTS_MAX; from += 500) {
    const wishes = Array.from({ length: 500 }, (_, i) => ({
      phones: { mobile: `+99${100_000 + from + i}` },
    }));
    await work.add(wishes);
  }
  const delay = monitorEventLoopDelay({ resolution: 1 });
  let starts = 0;
  const waitsMs: number[] = [];
  const claims: Promise<void>[] = [];
  const timer = setInterval(() => {
    const askedAt = performance.now();
    const claim = async (): Promise<void> => {
      const claimed = await work.claim(1);
      waitsMs.push(performance.now() - askedAt);
      for (const { attemptId } of claimed.starts) {
        starts += 1;
        await work.record(attemptId, NO_ANSWER);
      }
    };
    claims.push(claim());
  }, 1_000 / STARTS_PER_SECOND);
  delay.enable();
  const done = await during();
  delay.disable();
  clearInterval(timer);
  await Promise.all(claims);
  const claimP99Ms = percentile(waitsMs, 0.99);
  return { done, starts, claimP99Ms, eventLoopDelayP99Ms: delay.percentile(99) / 1e6 };
}

async function measureRaw(store: BenchStore, rows: number): Promise<number> {
  const raw = await store.raw();
  const startedAt = performance.now();
  for (let from = 0; from < rows; from += ROWS_PER_RAW_TRANSACTION) {
    const count = Math.min(ROWS_PER_RAW_TRANSACTION, rows - from);
    const indexes = Array.from({ length: count }, (_, index) => from + index);
    await raw.transaction(indexes.flatMap(rowInRaw));
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  await raw.close();
  return rows / seconds;
}

function rowInRaw(row: number): RawStatement[] {
  const at = Date.now();
  const id = `raw-${String(row).padStart(9, '0')}`;
  return [
    {
      sql: `insert into contact_points (id, business_unit_id, kind, value, created_at_ms)
        values (?, 'raw', 'phone', ?, ?)`,
      values: [id, numberOfRow(row), at],
    },
    {
      sql: `insert into contacts (id, business_unit_id, unique_identifier, mobile_point_id,
        external_attributes, version, created_at_ms, updated_at_ms) values (?, 'raw', ?, ?, '{}', 1, ?, ?)`,
      values: [id, `C-${row}`, id, at, at],
    },
    {
      sql: `insert into tasks (id, business_unit_id, engagement_id, batch_id, source, state, status,
        due_at_ms, retry_class, order_key, priority_fallback, created_seq, contact_ids, contact_id, windows,
        input_attributes, expires_at_ms, progress, loop, attempt_count, customer_reached, crash_count,
        quarantined, created_at_ms, updated_at_ms) values (?, 'raw', 'raw', 'raw', 'file', 'ready',
        'Pending', ?, 1, ?, 0, ?, ?, ?, '{}', '{}', ?, '{}', 1, 0, 0, 0, 0, ?, ?)`,
      values: [id, at, row, row, `["${id}"]`, id, at + 86_400_000, at, at],
    },
    {
      sql: `insert into events (business_unit_id, stream_id, stream_seq, type, version, at_ms, actor, payload)
        values ('raw', ?, 1, 'task.created', 1, ?, 'raw', '{}')`,
      values: [`task:${id}`, at],
    },
  ];
}
