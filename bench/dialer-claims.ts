/** Starts claimed and handed over, and the head of the ready found, beside bare statements. */
import { performance } from 'node:perf_hooks';
import type { CallOrder } from '../dialer/engagements/engagement-config.schema.ts';
import { claimStarts } from '../dialer/tasks/claim-starts.ts';
import { readReadyHeads } from '../dialer/tasks/ready-heads.ts';
import type { CommandReply } from '../machines/command-reply.ts';
import { WorkScene } from '../test/support/work-scene.ts';
import { percentile } from './bench-report.ts';
import type { BenchStore, RawConnection, RawStatement } from './dialer-stores.ts';

/** A pacer asks for a few starts at a time, and several engagements ask at once. */
const STARTS_PER_CLAIM = 10;
const ENGAGEMENTS = 8;

export interface ClaimRate {
  readonly perSecond: number;
  /** The same rows by bare statements, in transactions of as many starts. */
  readonly rawPerSecond: number;
}

export async function measureClaims(store: BenchStore, seconds: number): Promise<ClaimRate> {
  const { database } = store;
  const clock = { nowMs: Date.now() };
  const scenes: WorkScene[] = [];
  for (let count = 0; count < ENGAGEMENTS; count += 1) {
    const ids = scenes[0]?.writer.ids;
    scenes.push(await WorkScene.open({ database, clock, ...(ids === undefined ? {} : { ids }) }));
  }
  let numbers = 0;
  const refill = async (work: WorkScene): Promise<void> => {
    const wishes = Array.from({ length: 500 }, () => ({
      phones: { mobile: `+1${(numbers += 1)}` },
    }));
    await work.add(wishes);
  };
  // Filled before the clock runs: making tasks is not what is measured.
  const perEngagement = Math.ceil((seconds * 6_000) / ENGAGEMENTS / 500);
  for (const work of scenes) for (let i = 0; i < perEngagement; i += 1) await refill(work);
  const startedAt = performance.now();
  const untilMs = startedAt + seconds * 1_000;
  const counts = await Promise.all(scenes.map((work) => claimUntil(work, untilMs)));
  const elapsedMs = performance.now() - startedAt;
  const claimed = counts.reduce((sum, count) => sum + count, 0);
  const rawPerSecond = await measureRaw(store, Math.min(seconds, 5));
  return { perSecond: (claimed / elapsedMs) * 1_000, rawPerSecond };
}

/** Eligible task claimed → attempt row durable → command handed over. */
async function claimUntil(work: WorkScene, untilMs: number): Promise<number> {
  const { writer, engagementId, config } = work;
  const uncapped = { ...config, mode: { ...config.mode, maxConcurrentCalls: 1_000_000 } };
  const port = { send: (): Promise<CommandReply> => Promise.resolve({ accepted: true }) };
  let claimed = 0;
  while (performance.now() < untilMs) {
    work.clock.nowMs = Date.now();
    const { starts } = await claimStarts(work.context(), {
      ...{ businessUnitId: writer.businessUnitId, engagementId, config: uncapped },
      ...{ queue: { kind: 'open' }, startsMax: STARTS_PER_CLAIM },
    });
    if (starts.length === 0) break;
    for (const start of starts) if (!(await port.send()).accepted) throw new Error(start.attemptId);
    claimed += starts.length;
  }
  return claimed;
}

/** What a start cannot do without: task moved, delivery, attempt, guard and event written. */
async function measureRaw(store: BenchStore, seconds: number): Promise<number> {
  const connections = await Promise.all(
    Array.from({ length: store.name === 'sqlite' ? 1 : ENGAGEMENTS }, () => store.raw()),
  );
  let row = 0;
  const startedAt = performance.now();
  const untilMs = startedAt + seconds * 1_000;
  const work = async (connection: RawConnection): Promise<void> => {
    while (performance.now() < untilMs) {
      const rows = Array.from({ length: STARTS_PER_CLAIM }, () => (row += 1));
      await connection.transaction(rows.flatMap(startInRaw));
    }
  };
  await Promise.all(connections.map(work));
  const elapsedMs = performance.now() - startedAt;
  await Promise.all(connections.map((connection) => connection.close()));
  return (row / elapsedMs) * 1_000;
}

function startInRaw(row: number): RawStatement[] {
  const id = `raw-${row}`;
  const at = Date.now();
  return [
    { sql: `update tasks set state = 'working' where id = ?`, values: [id] },
    {
      sql: `insert into deliveries (id, business_unit_id, engagement_id, task_id, contact_id, seq_no, channel,
        status, dial_mode, queue_id, exceeded_customer_wait_threshold, speech_detected, created_at_ms,
        updated_at_ms) values (?, 'bu', 'raw', ?, 'c', 1, 'voice', 'InProcess', 'copilot', 'q', 0, 0, ?, ?)`,
      values: [id, id, at, at],
    },
    {
      sql: `insert into attempts (id, business_unit_id, engagement_id, task_id, delivery_id, contact_point_id,
        fence, gateway_id, trunk, phase, invites, ai_handled, created_at_ms, machine_version)
        values (?, 'bu', 'raw', ?, ?, 'p', 1, 'g', 't', 'starting', 0, 0, ?, 'v')`,
      values: [id, id, id, at],
    },
    {
      sql: `insert into number_guards (number, in_flight_attempt_id, last_attempt_at_ms, previous_attempt_at_ms)
        values (?, ?, ?, 0)`,
      values: [id, id, at],
    },
    {
      sql: `insert into events (business_unit_id, stream_id, stream_seq, type, version, at_ms, actor, payload)
        values ('bu', ?, 1, 'attempt.claimed', 1, ?, 'raw', '{}')`,
      values: [id, at],
    },
  ];
}

export interface HeadLatency {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The head's row by one bare statement. */
  readonly rawP50Ms: number;
}

/** The head with all that eligibility asks about; each is taken away before the next is looked for. */
export async function measureHeads(
  store: BenchStore,
  scenes: ReadonlyMap<CallOrder, WorkScene>,
  samples: number,
  say: (line: string) => void,
): Promise<ReadonlyMap<CallOrder, HeadLatency>> {
  const latencies = new Map<CallOrder, HeadLatency>();
  const raw = await store.raw();
  for (const [callOrder, work] of scenes) {
    const found: number[] = [];
    const foundRaw: number[] = [];
    for (let sample = 0; sample < samples; sample += 1) {
      found.push(await headAndAway(work));
      foundRaw.push(await rawHead(raw, work.engagementId));
    }
    const [p50Ms, p99Ms] = [percentile(found, 0.5), percentile(found, 0.99)];
    latencies.set(callOrder, { p50Ms, p99Ms, rawP50Ms: percentile(foundRaw, 0.5) });
    say(`  ${callOrder}: p50 ${p50Ms.toFixed(3)} ms, p99 ${p99Ms.toFixed(3)} ms`);
  }
  await raw.close();
  return latencies;
}

async function headAndAway({ database, writer, engagementId, config }: WorkScene): Promise<number> {
  return database.db.transaction().execute(async (tx) => {
    const query = {
      businessUnitId: writer.businessUnitId,
      engagementId,
      slot: 0 as const,
      limit: 1,
    };
    const startedAt = performance.now();
    const { heads } = await readReadyHeads(database, tx, {
      ...query,
      phoneTypes: config.phoneTypes,
    });
    const tookMs = performance.now() - startedAt;
    const id = heads[0]?.task.id;
    if (id === undefined) throw new Error('no task is left');
    await tx.updateTable('tasks').set({ state: 'working' }).where('id', '=', id).execute();
    return tookMs;
  });
}

async function rawHead(raw: RawConnection, engagementId: string): Promise<number> {
  const startedAt = performance.now();
  const rows = await raw.all({
    sql: `select * from tasks where state = 'ready' and engagement_id = ?
      order by retry_class, order_key, id limit 1`,
    values: [engagementId],
  });
  if (rows.length !== 1) throw new Error('no task is left');
  return performance.now() - startedAt;
}
