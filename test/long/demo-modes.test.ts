/**
 * Goal: each mode that representatives lead works over real SIP and RTP, with phones that are another
 * thread's: who answers is what the number plan says, and nobody is rung before somebody is there.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import type { DemoReport } from '../../cli/demo/demo-report.ts';
import { openSqlite } from '../../dialer/store/sqlite/open-sqlite.ts';
import { planEntryFor } from '../../lab/number-plan.ts';

t.setTimeout(200_000);
// They wait for telephones more than they compute.
t.jobs = 2;

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TSX = join(ROOT, 'node_modules', '.bin', 'tsx');
const REPRESENTATIVES = 3;
/** People, a busy line, a machine, a fax, tones before the answer, silence. */
const LAST_DIGITS = [1, 2, 3, 4, 5, 30, 46, 66, 72, 81, 86, 91];
const NUMBERS = LAST_DIGITS.map((digits) => `+1206555${String(100 + digits).padStart(4, '0')}`);

async function demo(t: Test, mode: string) {
  const folder = await mkdtemp(join(tmpdir(), 'ringfence-modes-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const [contacts, store] = [join(folder, 'people.csv'), join(folder, 'demo.db')];
  await writeFile(contacts, `${['phone', ...NUMBERS].join('\n')}\n`);
  const child = spawn(
    TSX,
    [
      ...[join(ROOT, 'cli', 'main.ts'), 'demo', '--mode', mode, '--contacts', contacts],
      ...['--representatives', String(REPRESENTATIVES), '--keep-store', store],
      ...['--show-numbers', '--json'],
    ],
    { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  t.teardown(() => child.kill('SIGKILL'));
  const hung = setTimeout(() => child.kill('SIGKILL'), 150_000);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [exitCode] = (await once(child, 'close')) as [number | null];
  clearTimeout(hung);
  t.equal(exitCode, 0, stderr);
  const report = JSON.parse(stdout) as DemoReport;
  t.equal(report.attempts, NUMBERS.length);
  t.equal(report.invites, NUMBERS.length);
  await checkReservations(t, store);
  return report;
}

/** Counted over the log: an INVITE left only when somebody was waiting for whoever answers. */
async function checkReservations(t: Test, file: string): Promise<void> {
  const database = await openSqlite({ file, nowMs: () => Date.now() });
  t.teardown(() => database.close());
  const waiting = await database.db
    .selectFrom('events')
    .select('at_ms')
    .where('type', '=', 'representative.waiting')
    .orderBy('seq')
    .execute();
  const sent = await database.db
    .selectFrom('attempts')
    .select(['sent_at_ms', 'joined_at_ms', 'result'])
    .orderBy('sent_at_ms')
    .execute();
  t.ok(waiting.length >= 1, `${waiting.length} times somebody waited in the lobby`);
  const first = waiting[0]?.at_ms ?? Infinity;
  t.ok(
    sent.every(({ sent_at_ms: atMs }) => (atMs ?? 0) >= first),
    'every INVITE is later than a reservation',
  );
  for (const { result, joined_at_ms: joinedAtMs } of sent) {
    if (result === 'AnsweringMachineHangup' || result === 'NotAHandset') {
      t.equal(joinedAtMs, null, `${result}: nobody was bridged to it`);
    }
  }
}

for (const mode of ['progressive', 'predictive']) {
  t.test(`${mode}: who answers is what the plan says`, async (t) => {
    const report = await demo(t, mode);
    for (const { to, result, subReason } of report.contacts) {
      const { behaviour, expected } = planEntryFor(to);
      // Over-dialled by design: somebody may answer for whom nobody is free in time.
      const isAbandoned = mode === 'predictive' && subReason === 'abandoned_by_system';
      t.same(
        { result, subReason: isAbandoned ? null : subReason },
        expected,
        `${to}: ${behaviour}`,
      );
    }
  });
}

t.test('preview: answered calls are CallEnded, whoever answered', async (t) => {
  const report = await demo(t, 'preview');
  for (const { to, result } of report.contacts) {
    const { behaviour, expected } = planEntryFor(to);
    const isAnswered = ['LiveAnswer', 'AnsweringMachineHangup', 'NotAHandset', 'Undetermined'];
    if (isAnswered.includes(expected.result)) t.equal(result, 'CallEnded', `${to}: ${behaviour}`);
    else t.equal(result, expected.result, `${to}: ${behaviour}`);
  }
});
