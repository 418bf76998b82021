/**
 * What must hold after a dialer was killed and started again: its store against what a stranger, the
 * far end, wrote down of the INVITEs that reached it.
 */
import type { Test } from 'tap';
import type { OpenDatabase } from '../../dialer/store/open-database.ts';
import type { AttemptRow } from '../../dialer/store/schema/task-tables.ts';
import type { Trial } from './kill-trial.ts';
import type { SippMessage } from './sipp.ts';

/** One INVITE as the far end saw it; repetitions on the wire are the same one. */
interface SeenInvite {
  readonly attemptId: string;
  readonly fence: number;
  readonly callId: string;
  /** When it came first, epoch ms by the far end's clock, which is ours. */
  readonly atMs: number;
}

/** A process that dies with two crashes behind a task puts it aside. */
const CRASHES_MAX = 2;

export async function checkTrial(t: Test, trial: Trial): Promise<void> {
  const { database, messages } = trial;
  const attempts = await database.db.selectFrom('attempts').selectAll().execute();
  await checkTasks(t, database);
  checkWire(t, attempts, invitesOf(messages));
  await checkAttempts(t, database, attempts);
  await checkCounts(t, database, attempts);
}

/** Everybody has one end, and only who was at two deaths is put aside. */
async function checkTasks(t: Test, { db }: OpenDatabase): Promise<void> {
  const tasks = await db.selectFrom('tasks').selectAll().execute();
  const events = await db
    .selectFrom('events')
    .select(['stream_id', 'type'])
    .where('type', 'in', ['task.finished', 'task.recovered'])
    .execute();
  const eventsOf = (taskId: string, type: string): number =>
    events.filter((event) => event.stream_id === `task:${taskId}` && event.type === type).length;
  t.same(
    tasks.filter(({ state }) => state !== 'final').map(({ id, state }) => ({ id, state })),
    [],
    'every task is final',
  );
  t.same(
    tasks.map(({ id }) => eventsOf(id, 'task.finished')).filter((count) => count !== 1),
    [],
    'every task was finished once',
  );
  t.same(
    tasks
      .filter(({ id, status, quarantined }) => {
        const isPutAside = eventsOf(id, 'task.recovered') >= CRASHES_MAX && quarantined === 1;
        return status !== 'Complete' && !(status === 'Error' && isPutAside);
      })
      .map(({ id, status }) => ({ id, status })),
    [],
    'every task is complete, but for those that two processes died with',
  );
}

/** 0 doubled, 0 lost: INVITEs and attempts are the same set, one for one. */
function checkWire(t: Test, attempts: readonly AttemptRow[], invites: readonly SeenInvite[]): void {
  const rows = new Map(attempts.map((row) => [row.id, row]));
  t.equal(
    new Set(invites.map(({ attemptId }) => attemptId)).size,
    invites.length,
    'no attempt was seen in two INVITEs of different calls',
  );
  t.same(
    invites.filter(({ attemptId, fence, atMs }) => {
      const row = rows.get(attemptId);
      return row?.fence !== fence || row.created_at_ms > atMs;
    }),
    [],
    'the attempt of every INVITE stood in the store before it, with its fence',
  );
  const seen = new Map(invites.map(({ attemptId, callId }) => [attemptId, callId]));
  t.same(
    attempts
      .filter(({ id, call_id: callId }) => callId !== null && seen.get(id) !== callId)
      .map(({ id, call_id: callId }) => ({ id, callId })),
    [],
    'every call of the store was seen at the far end under its Call-ID',
  );
  t.same(
    attempts
      .filter(
        ({ id, result, phase }) => !seen.has(id) && !(result === 'Unknown' && phase === 'ended'),
      )
      .map(({ id, result }) => ({ id, result })),
    [],
    'an attempt that nobody saw is Unknown',
  );
}

/** In-doubt attempts are settled by what was known of them, or are Unknown. */
async function checkAttempts(
  t: Test,
  { db }: OpenDatabase,
  attempts: readonly AttemptRow[],
): Promise<void> {
  t.same(
    attempts.filter(({ phase, result, ended_at_ms: endedAtMs }) => {
      return phase !== 'ended' || result === null || endedAtMs === null;
    }),
    [],
    'every attempt has ended with a Result',
  );
  const recoveries = await db
    .selectFrom('events')
    .select(['stream_id', 'payload'])
    .where('type', '=', 'task.recovered')
    .execute();
  const takenOver = new Set(
    recoveries.map(({ stream_id: streamId, payload }) => {
      const { fromEpoch } = JSON.parse(payload) as { fromEpoch: number };
      return `${streamId} ${fromEpoch}`;
    }),
  );
  t.same(
    attempts
      .filter(({ result }) => result === 'Unknown')
      .filter(({ sub_reason: why, task_id: taskId, fence }) => {
        return why !== 'recovered' || !takenOver.has(`task:${taskId} ${fence}`);
      })
      .map(({ id, sub_reason: why }) => ({ id, why })),
    [],
    'what is Unknown was in the hands of a process that died',
  );
}

/** Counts that are kept equal counts that are made, and nothing is left in flight. */
async function checkCounts(
  t: Test,
  { db }: OpenDatabase,
  attempts: readonly AttemptRow[],
): Promise<void> {
  const engagement = await db.selectFrom('engagements').selectAll().executeTakeFirstOrThrow();
  const tasks = await db.selectFrom('tasks').select('attempt_count').execute();
  const guards = await db
    .selectFrom('number_guards')
    .select('number')
    .where('in_flight_attempt_id', 'is not', null)
    .execute();
  const deliveries = await db.selectFrom('deliveries').select(['id', 'status', 'result']).execute();
  t.same(guards, [], 'no number is in flight');
  t.equal(deliveries.length, attempts.length, 'every attempt has its delivery');
  t.same(
    deliveries.filter(({ status, result }) => status !== 'Complete' || result === null),
    [],
    'every delivery is complete',
  );
  t.match(
    engagement,
    {
      tasks_waiting: 0,
      tasks_ready: 0,
      tasks_working: 0,
      tasks_final: tasks.length,
      attempts_total: attempts.length,
      in_flight: 0,
    },
    'the counts of the engagement are those of its rows',
  );
  t.equal(
    tasks.reduce((sum, task) => sum + task.attempt_count, 0),
    attempts.length,
    'the counts of the tasks are those of their attempts',
  );
}

/** Where the gateway lives on, it knows of the calls that a dead dialer left. */
export async function checkSettled(t: Test, { database: { db } }: Trial): Promise<void> {
  const settled = await db
    .selectFrom('attempts')
    .innerJoin('events', (join) =>
      join
        .on('events.type', '=', 'task.recovered')
        .on((eb) => eb('events.stream_id', '=', eb(eb.val('task:'), '||', eb.ref('task_id')))),
    )
    .select('attempts.id')
    .where('attempts.fence', '=', 1)
    .where('attempts.result', '<>', 'Unknown')
    .execute();
  t.ok(settled.length > 0, 'attempts in doubt were settled by their gateway');
}

/** Nobody is left on a line that nobody attends. */
export function checkHangUps(t: Test, { messages }: Pick<Trial, 'messages'>): void {
  const callIdsOf = (isMeant: (message: SippMessage) => boolean): Set<string> =>
    new Set(messages.filter(isMeant).map(({ text }) => /^Call-ID: *(\S+)/im.exec(text)?.[1] ?? ''));
  const answered = callIdsOf(
    ({ direction, startLine, text }) =>
      direction === 'sent' && startLine.includes(' 200 ') && /^CSeq: *\d+ INVITE/im.test(text),
  );
  const hungUp = callIdsOf(({ startLine }) => startLine.startsWith('BYE '));
  t.same(
    [...answered].filter((callId) => !hungUp.has(callId)),
    [],
    'every call was hung up',
  );
}

function invitesOf(messages: readonly SippMessage[]): readonly SeenInvite[] {
  const invites = new Map<string, SeenInvite>();
  for (const { direction, startLine, text, atMs } of messages) {
    if (direction !== 'received' || !startLine.startsWith('INVITE ')) continue;
    const header = /^X-Ringfence-Attempt: *([^;\s]+);fence=(\d+)\s*$/im.exec(text);
    const callId = /^Call-ID: *(\S+)\s*$/im.exec(text)?.[1] ?? '';
    const [, attemptId = 'none', fence = '-1'] = header ?? [];
    const key = `${attemptId} ${callId}`;
    if (!invites.has(key)) invites.set(key, { attemptId, fence: Number(fence), callId, atMs });
  }
  return [...invites.values()];
}
