/**
 * Goal: the service loses nothing when it is killed, and what it leaves can be accounted for. Its own
 * command is killed in the middle of dialing and started again; the far end is the witness of who was
 * dialled, the store of what became of it, and `ringfence explain` of why.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { chooseTrunk } from '../../cli/choose-trunk.ts';
import { readContactTasks } from '../../cli/demo/contact-tasks.ts';
import { writeDemoWork, type DemoWork } from '../../cli/demo/demo-engagement.ts';
import { runProgram } from '../../cli/program.ts';
import { loadConfig } from '../../config/load-config.ts';
import type { Account } from '../../dialer/explain/account.ts';
import type { OpenDatabase } from '../../dialer/store/open-database.ts';
import { openSqlite } from '../../dialer/store/sqlite/open-sqlite.ts';
import { startLab, type Lab } from '../../lab/start-lab.ts';
import { CapturedTerminal } from '../support/captured-terminal.ts';
import { RINGFENCE } from '../support/own-script.ts';

t.setTimeout(240_000);

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SAFETY_MS = 120_000;
/** Killed when so many calls have reached the far end; more than twice as many are to be made. */
const INVITES_AT_DEATH = 10;
const CONCURRENCY = 8;

/** Fictional numbers: people, whom it dies with, then every behaviour, and two whose agent refuses. */
const PEOPLE = Array.from({ length: 12 }, (_, n) => `+120255501${String(n).padStart(2, '0')},`);
const ENDINGS = ['12', '20', '30', '45', '50', '55', '58', '62', '70', '85', '90'];
const ROWS = [
  ...PEOPLE,
  ...ENDINGS.map((ending) => `+131255501${ending},`),
  ...['+12025550113,setup', '+13125550114,setup'],
];

class Service {
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;
  readonly #ended: Promise<[number | null, NodeJS.Signals | null]>;
  #onOutput: () => void = () => undefined;

  constructor(t: Test, config: string) {
    const args = [...RINGFENCE, 'start', '--config', config, '--json'];
    this.#child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    const safety = setTimeout(() => this.#child.kill('SIGKILL'), SAFETY_MS);
    t.teardown(() => this.#child.kill('SIGKILL'));
    const hear = (text: string, name: 'stdout' | 'stderr'): void => {
      this[name] += text;
      this.#onOutput();
    };
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => hear(text, 'stdout'));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => hear(text, 'stderr'));
    this.#ended = once(this.#child, 'close').then((end) => {
      clearTimeout(safety);
      this.#onOutput();
      return end as [number | null, NodeJS.Signals | null];
    });
  }

  /** What it says once it serves. */
  async ready(): Promise<{ ready: boolean; resumed: Readonly<Record<string, number>> }> {
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (this.stdout.includes('\n')) resolve();
        else if (this.#child.exitCode !== null) reject(new Error(`it ended: ${this.stderr}`));
      };
      this.#onOutput = look;
      look();
    });
    return JSON.parse(this.stdout.split('\n', 1)[0] ?? '') as Awaited<ReturnType<Service['ready']>>;
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    this.#child.kill(signal);
    const [exitCode] = await this.#ended;
    return exitCode;
  }
}

interface Scene {
  readonly lab: Lab;
  readonly config: string;
  readonly storeFile: string;
  readonly database: OpenDatabase;
  readonly work: DemoWork;
}

/** A store with an engagement and its tasks, and the configuration of a service that has it. */
async function setScene(t: Test): Promise<Scene> {
  const folder = t.testdir({ 'people.csv': ['phone,labFailure', ...ROWS, ''].join('\n') });
  const lab = await startLab({ host: '127.0.0.1', sipPort: 0, aiAgent: { sipPort: 0 } });
  t.teardown(() => lab.stop());
  const storeFile = join(folder, 'service.db');
  const address = `sip:127.0.0.1:${lab.sipPort};transport=udp`;
  const config = join(folder, 'ringfence.yaml');
  writeFileSync(
    config,
    JSON.stringify({
      gateway: { trunks: [{ name: 'lab', address, callerId: '+12025550100' }] },
      softswitch: { sipPort: 0 },
      http: { port: 0 },
      dialer: { store: { file: storeFile } },
    }),
  );
  const database = await openSqlite({ file: storeFile, nowMs: Date.now });
  t.teardown(() => database.close());
  const settings = loadConfig(undefined, {}).config;
  const trunk = { ...chooseTrunk({ text: address }, settings), name: 'lab' };
  const work = await writeDemoWork({
    ...{ database, trunk, dialing: settings.dialing, nowMs: Date.now() },
    agentUri: `sip:agent@127.0.0.1:${String(lab.aiAgentSipPort)};transport=udp`,
    list: await readContactTasks(join(folder, 'people.csv'), trunk, undefined),
    ...{ mode: 'copilot', representativeUris: [] },
    options: { concurrency: CONCURRENCY, ringTimeoutMs: 15_000 },
  });
  return { lab, config, storeFile, database, work };
}

/** Resolves when no task of the engagement is open; looks whenever the store's log has grown. */
async function untilAllFinal(t: Test, { storeFile, database, work }: Scene): Promise<void> {
  let look: () => void = () => undefined;
  const watcher = watch(`${storeFile}-wal`, () => look());
  t.teardown(() => watcher.close());
  for (;;) {
    const grown = new Promise<void>((resolve) => (look = resolve));
    const { open } = await database.db
      .selectFrom('tasks')
      .select((eb) => eb.fn.countAll<number>().as('open'))
      .where('engagement_id', '=', work.engagementId)
      .where('state', '<>', 'final')
      .executeTakeFirstOrThrow();
    if (open === 0) return;
    await grown;
  }
}

async function explained(id: string, scene: Scene, ...more: string[]): Promise<string> {
  const terminal = new CapturedTerminal();
  const args = ['explain', id, '--store', scene.storeFile, ...more];
  const exitCode = await runProgram(args, terminal);
  if (exitCode !== 0) throw new Error(terminal.stderr);
  return terminal.stdout;
}

/** What an account of each Result must say, besides what all accounts say. */
const SENTENCES: Readonly<Record<string, readonly RegExp[]>> = {
  LiveAnswer: [
    /LiveAnswer: the call was answered, and connected to the AI agent\./,
    /(?:Judged by the sound of it|By what the AI agent returned): \w+\./,
    /Connected to the AI agent \d+ ms after the answer\./,
    /Returned by the AI agent\n {2}customerSpoke = (true|false)/,
  ],
  Undetermined: [/abandoned_by_customer: .*they hung up before anybody spoke to them/],
  BotFailed: [/the AI agent did not take the call/, /The AI agent failed: setup, SIP 503/],
  Busy: [/the line was busy, or the call was declined/],
  NoAnswer: [/NoAnswer \/ absent: nobody answered; the phone was switched off or out of reach/],
  InvalidAddress: [/the network says that the number is not in service/, /SIP 404 Not Found/],
  CallFailed: [/CallFailed \/ (congestion|blocked_by_analytics): the call failed on the way; /],
  Unknown: [
    /Unknown \/ recovered: a call may have been made, and nobody knows how it ended/,
    /The process that worked it had died \(1 in a row\); another took it over\./,
  ],
};

t.test('killed in the middle of dialing, the service goes on where it was', async (t) => {
  const scene = await setScene(t);
  const { lab, database, work, config } = scene;
  const first = new Service(t, config);
  await lab.untilInvites(INVITES_AT_DEATH);
  await first.end('SIGKILL');
  const invitesBefore = lab.invites.length;
  t.ok(invitesBefore < ROWS.length, 'it died before it had dialled everybody');

  const second = new Service(t, config);
  const { ready, resumed } = await second.ready();
  if (!ready) throw new Error(`${second.stdout}${second.stderr}`);
  t.ok((resumed['attemptsOpen'] ?? 0) > 0, 'calls were open when it died');
  await untilAllFinal(t, scene);
  t.equal(await second.end('SIGTERM'), 0, second.stderr);
  t.match(second.stderr, /taken up +\d+ open calls, whose gateway is asked/);

  const { engagementId } = work;
  const { db } = database;
  const finals = await db
    .selectFrom('events')
    .select('stream_id')
    .where('type', '=', 'task.finished')
    .execute();
  t.equal(finals.length, ROWS.length, 'each task has come to its end');
  t.equal(new Set(finals.map((event) => event.stream_id)).size, ROWS.length, 'and to one only');

  const dialled = lab.invites.map(({ number }) => number);
  t.equal(new Set(dialled).size, dialled.length, 'nobody was dialled twice');
  const attempts = await db
    .selectFrom('attempts')
    .select(['id', 'fence', 'result', 'ended_at_ms'])
    .where('engagement_id', '=', engagementId)
    .execute();
  const onRecord = new Set(attempts.map(({ id, fence }) => `${id};fence=${fence}`));
  const unknown = lab.invites.filter(({ attempt }) => !onRecord.has(attempt ?? ''));
  t.same(unknown, [], 'every call that the far end saw is on record');
  t.ok(
    attempts.every(({ ended_at_ms: endedAtMs }) => endedAtMs !== null),
    'no attempt stayed open',
  );

  await t.test('each Result that it left has an account of it', async (t) => {
    const deliveries = await db
      .selectFrom('deliveries')
      .select(['id', 'result'])
      .where('engagement_id', '=', engagementId)
      .orderBy('id')
      .execute();
    for (const [result, sentences] of Object.entries(SENTENCES)) {
      const found = deliveries.filter((one) => one.result === result);
      // The first may be of a call that was up when the process died: of that nothing came back.
      const delivery = result === 'LiveAnswer' ? found.at(-1) : found[0];
      if (delivery === undefined) throw new Error(`no call came out as ${result}`);
      const text = await explained(delivery.id, scene);
      t.match(text, new RegExp(`^A call to \\+1…\\d\\d was started at .* UTC: ${result}, `));
      t.notMatch(text.replaceAll('+12025550100', ''), /\+1\d{10}/, 'numbers are masked');
      t.match(text, /One call to a number at a time\. .*\n.*No earlier call to it is on record\./);
      t.match(text, /Not on the do-not-call list\. .*the number was not on it\./);
      t.match(text, /What was not examined\n {2}No rule of this release looks at: consent/);
      for (const sentence of sentences) t.match(text, sentence);
      const account = JSON.parse(await explained(delivery.id, scene, '--json')) as Account;
      t.match(account, { deliveryId: delivery.id, outcome: { result }, call: { trunk: 'lab' } });
    }
  });
});
