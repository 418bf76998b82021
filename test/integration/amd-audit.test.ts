/**
 * Goal: which machine verdicts are audited is decided by nothing that happened in the call, each is drawn
 * once, and what is heard of them is added up as statistics has it. On both databases.
 */
import { sql } from 'kysely';
import t, { type Test } from 'tap';
import { heardByAgent, isInSample } from '../../dialer/amd-audit/amd-sample.ts';
import { answerAmdAudit } from '../../dialer/amd-audit/answer-audit.ts';
import { exactInterval } from '../../dialer/amd-audit/exact-interval.ts';
import {
  falsePositivesOf,
  readAmdSample,
  type AuditCounts,
} from '../../dialer/amd-audit/false-positives.ts';
import { writeReturned } from '../../dialer/ai-agents/returned-results.ts';
import { idSource } from '../../dialer/ids/uuid7.ts';
import { measureAmdAudits } from '../../dialer/metrics/amd-audit-metrics.ts';
import { PrometheusMeter } from '../../dialer/metrics/prometheus-meter.ts';
import type { OpenDatabase } from '../../dialer/store/open-database.ts';
import { ANSWER_VERDICTS, type AnswerVerdict } from '../../machines/telephony-events.ts';
import { ApiRig, type Json } from '../support/api-rig.ts';
import { dyingBefore } from '../support/journey-rig.ts';
import { silentLog } from '../support/silent-log.ts';
import { storeTargets, TEST_NOW_MS, type StoreTarget } from '../support/store-target.ts';
import { WorkScene } from '../support/work-scene.ts';

t.setTimeout(120_000);

const DAY_MS = 86_400_000;
const PATH = '/v1/compliance/amd-audits';

t.test('the sample is a share of the ids, and the same every time', (t) => {
  let nowMs = TEST_NOW_MS;
  let made = 0;
  const ids = idSource(
    () => (nowMs += 7),
    (bytes) => Buffer.alloc(bytes, `${(made += 1)}`),
  );
  const attempts = Array.from({ length: 20_000 }, () => ids.id());
  for (const share of [0.01, 0.1, 0.5]) {
    const drawn = attempts.filter((id) => isInSample(id, share)).length / attempts.length;
    const fiveSigma = 5 * Math.sqrt((share * (1 - share)) / attempts.length);
    t.ok(Math.abs(drawn - share) < fiveSigma, `${share}: ${drawn}`);
  }
  const tenth = attempts.filter((id) => isInSample(id, 0.1));
  t.ok(
    tenth.every((id) => isInSample(id, 0.1) && isInSample(id, 0.2)),
    'a larger share keeps what a smaller one had',
  );
  t.notOk(attempts.some((id) => isInSample(id, 0)));
  t.ok(attempts.every((id) => isInSample(id, 1)));
  // The first 48 bits of the SHA-256 of "amd-audit:" and the id, by sha256sum.
  const known = '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a41';
  const hash = 0xa8220ba872ee / 2 ** 48;
  t.same([isInSample(known, hash), isInSample(known, hash + 1e-9)], [false, true]);
  t.end();
});

/** Clopper and Pearson's, as Newcombe has them: Statistics in Medicine 17, 1998, table I, method 5. */
const PUBLISHED = [
  { hits: 81, n: 263, low: 0.2527, high: 0.3676 },
  { hits: 15, n: 148, low: 0.0578, high: 0.1617 },
  { hits: 0, n: 20, low: 0, high: 0.1684 },
  { hits: 1, n: 29, low: 0.0009, high: 0.1776 },
];

t.test('the interval is Clopper and Pearson’s', (t) => {
  for (const { hits, n, low, high } of PUBLISHED) {
    const interval = exactInterval(hits, n);
    t.ok(Math.abs(interval.low - low) <= 0.00005, `${hits} of ${n}: ${interval.low}`);
    t.ok(Math.abs(interval.high - high) <= 0.00005, `${hits} of ${n}: ${interval.high}`);
    const mirrored = exactInterval(n - hits, n);
    t.ok(Math.abs(mirrored.low - (1 - interval.high)) < 1e-9, 'and of the others its mirror image');
  }
  for (const n of [1, 10, 3_000, 100_000]) {
    const none = 1 - 0.025 ** (1 / n); // where no hit is, it has a closed form
    t.ok(Math.abs(exactInterval(0, n).high - none) < 1e-9, `0 of ${n}`);
  }
  t.same(exactInterval(0, 0), { low: 0, high: 1 });
  t.end();
});

t.test('the ratio is of those that somebody could tell', (t) => {
  const counts = { human: 0, machine: 0, unclear: 0, pending: 0 };
  t.equal(falsePositivesOf({ ...counts, unclear: 3, pending: 9 }), undefined, 'not 0');
  const found = falsePositivesOf({ human: 3, machine: 597, unclear: 4, pending: 50 });
  t.match(found, { ratio: 0.005, ...exactInterval(3, 600) });
  t.equal(found?.highIfUnclearHuman, exactInterval(7, 604).high, 'the most that they can hide');
  t.same(ANSWER_VERDICTS.map(heardByAgent), [
    ...['human', 'machine', 'machine', 'machine', 'unclear', 'unclear'],
  ]);
  t.end();
});

let numbers = 0; // none twice in one database

class Stage {
  readonly clock = { nowMs: TEST_NOW_MS };
  readonly database: OpenDatabase;
  readonly scene: WorkScene;

  static async open(database: OpenDatabase, amdAuditShare = 1): Promise<Stage> {
    const clock = { nowMs: TEST_NOW_MS };
    const scene = await WorkScene.open({ database, clock, cap: 500 });
    scene.amdAuditShare = amdAuditShare;
    return new Stage(database, scene, clock);
  }

  private constructor(database: OpenDatabase, scene: WorkScene, clock: { nowMs: number }) {
    this.database = database;
    this.scene = scene;
    this.clock = clock;
  }

  /** So many attempts, begun and not ended. */
  async calls(count: number): Promise<readonly { attemptId: string; deliveryId: string }[]> {
    const phones = (): { mobile: string } => {
      numbers += 1;
      return { mobile: `+1206555${String(numbers).padStart(4, '0')}` };
    };
    await this.scene.add(Array.from({ length: count }, () => ({ phones: phones() })));
    return (await this.scene.claim(count)).starts;
  }

  /** Ends an attempt of which detection said this. */
  end(
    attemptId: string,
    verdict: AnswerVerdict | null = 'machine',
    wasAiHandled = false,
    database?: OpenDatabase,
  ) {
    const end = { result: 'AnsweringMachineHangup', retryClass: 'answeringMachine' } as const;
    return this.scene.record(attemptId, { ...end, wasAiHandled, heard: { verdict } }, database);
  }

  async called(verdict: AnswerVerdict | null = 'machine'): Promise<string> {
    const [{ attemptId } = { attemptId: '' }] = await this.calls(1);
    await this.end(attemptId, verdict);
    return attemptId;
  }

  audits() {
    return this.database.db
      .selectFrom('amd_audits')
      .selectAll()
      .where('business_unit_id', '=', this.scene.writer.businessUnitId)
      .orderBy('id')
      .execute();
  }

  /** An AI agent takes the calls, and talks on with machines, or is cut off. */
  async withAgent(machineAction: 'hangup' | 'continue'): Promise<void> {
    const { workstream_id } = await this.scene.engagement();
    const detection = { enabled: true, timeSeconds: 3, machineAction };
    await this.database.db
      .updateTable('workstreams')
      .set({ ai_agent: JSON.stringify({ sipUri: 'sip:bot@192.0.2.7', detection }) })
      .where('id', '=', workstream_id)
      .execute();
  }

  says(call: { attemptId: string; deliveryId: string }, answeredBy: string): Promise<boolean> {
    const { database, clock, scene } = this;
    const { businessUnitId: business_unit_id } = scene.writer;
    const session = { business_unit_id, expires_at_ms: null };
    return writeReturned(database, {
      session: { ...session, attempt_id: call.attemptId, delivery_id: call.deliveryId },
      ...{ attributes: { answeredBy, mood: 'glad' }, event: 'aiAgent.returned' },
      ...{ nowMs: clock.nowMs, actor: 'test' },
    });
  }
}

async function drawingTests(t: Test, database: OpenDatabase): Promise<void> {
  await t.test('a machine verdict is drawn once, with the end of its attempt', async (t) => {
    const stage = await Stage.open(database);
    const [call] = await stage.calls(1);
    const { attemptId = '', deliveryId = '' } = call ?? {};
    t.same(await stage.audits(), [], 'not before its end');
    await stage.end(attemptId);
    stage.clock.nowMs += 5_000;
    t.equal(await stage.end(attemptId), undefined, 'recorded again');
    t.same(await stage.audits(), [
      {
        ...{ id: attemptId, delivery_id: deliveryId, engagement_id: stage.scene.engagementId },
        business_unit_id: stage.scene.writer.businessUnitId,
        ...{ verdict: 'machine', ended_at_ms: TEST_NOW_MS, agent_listened: 0, agent_heard: null },
        ...{ heard: null, heard_by: null, heard_at_ms: null, version: 1 },
      },
    ]);
  });

  await t.test('no other verdict is drawn, and none outside the share', async (t) => {
    const stage = await Stage.open(database);
    for (const verdict of [...ANSWER_VERDICTS, null]) {
      if (verdict !== 'machine') await stage.called(verdict);
    }
    t.same(await stage.audits(), []);
    const half = await Stage.open(database, 0.5);
    const calls = await half.calls(30);
    for (const { attemptId } of calls) await half.end(attemptId);
    const expected = calls.map(({ attemptId }) => attemptId).filter((id) => isInSample(id, 0.5));
    t.same(
      (await half.audits()).map(({ id }) => id),
      expected.sort(),
    );
  });

  await t.test(
    'a process that dies draws with the end of the attempt, or not at all',
    async (t) => {
      const stage = await Stage.open(database);
      const [{ attemptId } = { attemptId: '' }] = await stage.calls(1);
      const ended = () =>
        database.db
          .selectFrom('attempts')
          .select('id')
          .where('id', '=', attemptId)
          .where('ended_at_ms', 'is not', null)
          .execute();
      let deaths = 0;
      while ((await ended()).length === 0) {
        const dying = dyingBefore(database, deaths + 1);
        await stage.end(attemptId, 'machine', false, dying).catch(() => undefined);
        t.equal(
          (await stage.audits()).length,
          (await ended()).length,
          `after ${deaths} statements`,
        );
        if (!dying.dead()) break;
        deaths += 1;
      }
      t.ok(deaths > 3, `${deaths} deaths`);
      t.match(await stage.audits(), [{ id: attemptId }]);
    },
  );

  await t.test(
    'an agent that talks on has a word, whenever it says it; the last one',
    async (t) => {
      const stage = await Stage.open(database);
      await stage.withAgent('continue');
      const [before, after, twice, never, silent] = await stage.calls(5);
      if (!before || !after || !twice || !never || !silent) throw new Error('not all were claimed');
      await stage.says(before, 'Person');
      await stage.says(twice, 'voicemail');
      for (const { attemptId } of [before, after, twice, never, silent]) {
        await stage.end(attemptId, 'machine', true);
      }
      await stage.says(after, 'answering_machine');
      await stage.says(twice, 'human');
      await stage.says(silent, 'silence');
      const heard = new Map((await stage.audits()).map((row) => [row.id, row.agent_heard]));
      t.same(
        [before, after, twice, never, silent].map(({ attemptId }) => heard.get(attemptId)),
        ['human', 'machine', 'human', null, 'unclear'],
      );
      const { fromMs, beforeMs } = { fromMs: TEST_NOW_MS, beforeMs: TEST_NOW_MS + 1 };
      const { businessUnitId } = stage.scene.writer;
      t.same(await readAmdSample(database, { fromMs, beforeMs, businessUnitId }), {
        auditor: { human: 0, machine: 0, unclear: 0, pending: 5 },
        aiAgent: { human: 2, machine: 1, unclear: 1, pending: 1 },
      });
    },
  );

  await t.test('an agent that the verdict cuts off has none', async (t) => {
    const stage = await Stage.open(database);
    await stage.withAgent('hangup');
    const [call] = await stage.calls(1);
    if (call === undefined) throw new Error('nothing was claimed');
    await stage.says(call, 'human');
    await stage.end(call.attemptId, 'machine', true);
    await stage.says(call, 'person');
    t.match(await stage.audits(), [{ agent_listened: 0, agent_heard: null }]);
    const { businessUnitId } = stage.scene.writer;
    const sample = { fromMs: 0, beforeMs: TEST_NOW_MS + 1, businessUnitId };
    t.match(await readAmdSample(database, sample), { aiAgent: { human: 0, pending: 0 } });
  });
}

async function apiTests(t: Test, target: StoreTarget): Promise<void> {
  await t.test('who was there is said over /v1, thought better of, and logged', async (t) => {
    const rig = await ApiRig.open(t, target.place(t), { isAttached: false });
    const stage = await Stage.open(rig.database);
    const ids = [await stage.called(), await stage.called(), await stage.called()];
    const [first = '', second = '', third = ''] = ids;
    const others = await Stage.open(rig.database);
    const foreign = await others.called();
    await ownedBy(rig, stage);
    const shown = async (query = ''): Promise<unknown> => {
      const { body } = await rig.get(`${PATH}${query}`);
      return (body['items'] as Json[]).map(({ id }) => id);
    };
    const say = (id: string, heard: unknown, version?: number, key?: string) =>
      rig.ask({
        ...{ method: 'PUT', url: `${PATH}/${id}`, body: { heard } },
        headers: version === undefined ? {} : { 'if-match': `"${version}"` },
        ...(key === undefined ? {} : { key }),
      });

    t.same(await shown(), [third, second, first], 'newest first, and its own alone');
    const page = await rig.get(`${PATH}?limit=2`);
    t.match(page.body, { nextCursor: second });
    t.same(await shown(`?limit=2&cursor=${second}`), [first]);
    t.match(await rig.get(`${PATH}/${first}`), {
      ...{ status: 200, headers: { etag: '"1"' } },
      body: { state: 'pending', verdict: 'machine', heard: null, heardBy: null, agentHeard: null },
    });

    const human = { heard: 'human', state: 'answered', heardBy: /^key:rf_/, version: 2 };
    const answered = await say(first, 'human', 1);
    t.match(answered, { status: 200, headers: { etag: '"2"' }, body: human });
    t.same((await say(first, 'human', 1)).body, answered.body, 'once more, as its reply was lost');
    t.match(await say(first, 'machine', 1), { status: 412, body: { code: 'VERSION_CONFLICT' } });
    rig.clock.nowMs += 1_000;
    const machine = { heard: 'machine', version: 3 };
    t.match(await say(first, 'machine', 2), { status: 200, body: machine }, 'thought better of');
    t.match(await say(second, 'unclear', 1), { status: 200 });
    const told = await rig.database.db
      .selectFrom('events')
      .select(['before', 'after', 'actor'])
      .where('stream_id', '=', `amdAudit:${first}`)
      .orderBy('stream_seq')
      .execute();
    t.same(
      told.map(({ before, after }) =>
        [before, after].map((text) => JSON.parse(text ?? '') as Json),
      ),
      [
        [{ heard: null }, { heard: 'human' }],
        [{ heard: 'human' }, { heard: 'machine' }],
      ],
      'each answer, and no repeat',
    );
    t.match(told[1]?.actor, /^key:rf_/);

    t.same(await shown('?state=pending'), [third]);
    t.same(await shown('?state=answered'), [second, first]);
    t.same(await shown(`?engagementId=${stage.scene.engagementId}`), [third, second, first]);
    t.same(await shown(`?engagementId=${others.scene.engagementId}`), []);

    t.match(await say(third, 'human'), { status: 428 }, 'without If-Match');
    t.match(await say(third, 'nobody', 1), { status: 400 });
    t.match(await say(third, 'human', 1, await rig.key('deliver')), { status: 403 });
    for (const unknown of [foreign, '019a7c1e-5d2a-7c3b-9f00-2b6d1c8e4a41']) {
      t.match(await say(unknown, 'human', 1), { status: 404, body: { code: 'NOT_FOUND' } });
      t.match(await rig.get(`${PATH}/${unknown}`), { status: 404 });
    }
    t.match(await rig.get(`${PATH}?state=open`), { status: 400 });
    t.match(await rig.get(PATH, null), { status: 401 });
  });

  await t.test('of two who answer at once one is told so', async (t) => {
    const database = await target.place(t).open();
    const stage = await Stage.open(database);
    const id = await stage.called();
    const say = (heard: 'human' | 'machine', then: () => Promise<void>) =>
      database.db.transaction().execute(async (tx) => {
        const { writer } = stage.scene;
        await answerAmdAudit(tx, writer, { id, version: 1, heard });
        await then();
      });
    let second: Promise<void> | undefined;
    const first = say('human', async () => {
      second = say('machine', () => Promise.resolve());
      second.catch(() => undefined); // looked at below
      if (database.kind === 'postgres') await somebodyWaits(database);
    });
    await first;
    await t.rejects(second ?? Promise.resolve(), { code: 'VERSION_CONFLICT' });
    t.match(await stage.audits(), [{ heard: 'human', version: 2 }]);
  });

  await t.test('the agent’s word is shown once somebody else has said theirs', async (t) => {
    const rig = await ApiRig.open(t, target.place(t), { isAttached: false });
    const stage = await Stage.open(rig.database);
    await stage.withAgent('continue');
    const [call] = await stage.calls(1);
    if (call === undefined) throw new Error('nothing was claimed');
    await stage.says(call, 'human');
    await stage.end(call.attemptId, 'machine', true);
    await ownedBy(rig, stage);
    const url = `${PATH}/${call.attemptId}`;
    t.equal((await rig.get(url)).body['agentHeard'], null);
    const headers = { 'if-match': '"1"' };
    const { body } = await rig.ask({ method: 'PUT', url, body: { heard: 'machine' }, headers });
    t.match(body, { heard: 'machine', agentHeard: 'human' });
  });

  await t.test(
    'the summary: counts, ratio and interval, of a time and an engagement',
    async (t) => {
      const rig = await ApiRig.open(t, target.place(t), { isAttached: false });
      const stage = await Stage.open(rig.database);
      const summary = async (query = ''): Promise<Json> => {
        const { status, body } = await rig.get(`${PATH}/summary${query}`);
        t.equal(status, 200, query);
        return body;
      };
      rig.clock.nowMs = TEST_NOW_MS + DAY_MS;
      const nothing = { human: 0, machine: 0, unclear: 0, pending: 0, falsePositives: null };
      t.same(await summary(), {
        ...{ from: '2026-02-01T15:00:00.000Z', before: '2026-03-03T15:00:00.000Z' },
        ...{ engagementId: null, chargedRatio: 0 },
        sources: [
          { source: 'auditor', ...nothing },
          { source: 'aiAgent', ...nothing },
        ],
      });
      await heardOf(stage, { human: 1, machine: 28, unclear: 2, pending: 3 });
      const others = await Stage.open(rig.database);
      await heardOf(others, { human: 5, machine: 0, unclear: 0, pending: 0 });
      await ownedBy(rig, stage);
      const { low, high } = exactInterval(1, 29);
      const whole = { source: 'auditor', human: 1, machine: 28, unclear: 2, pending: 3 };
      const found = { ratio: 1 / 29, low, high, isCharged: false };
      t.match(await summary(), { sources: [{ ...whole, falsePositives: found }] });
      const at = (ms: number): string => new Date(ms).toISOString();
      const of = async (query: string) => (await summary(query))['sources'] as Json[];
      t.match(await of(`?before=${at(TEST_NOW_MS)}`), [nothing], 'ended then: not before it');
      t.match(await of(`?from=${at(TEST_NOW_MS)}`), [whole]);
      t.match(await of(`?from=${at(TEST_NOW_MS + 1)}`), [nothing]);
      t.match(await of(`?engagementId=${stage.scene.engagementId}`), [whole]);
      t.match(await of(`?engagementId=${others.scene.engagementId}`), [nothing]);
      rig.clock.nowMs = TEST_NOW_MS + 30 * DAY_MS + 1;
      t.match(await of(''), [nothing], '30 days later');
      t.match(await rig.get(`${PATH}/summary?from=${at(TEST_NOW_MS)}&before=${at(TEST_NOW_MS)}`), {
        status: 400,
        body: { code: 'REQUEST_INVALID', errors: [{ pointer: '/from' }] },
      });
    },
  );
}

async function metricTests(t: Test, database: OpenDatabase): Promise<void> {
  await t.test('metrics tell the interval; nothing while nothing was audited', async (t) => {
    await database.db.deleteFrom('amd_audits').execute();
    const stage = await Stage.open(database);
    const meter = new PrometheusMeter({ log: silentLog });
    const nowMs = () => stage.clock.nowMs;
    measureAmdAudits({ database, meter, nowMs, chargedRatio: 0.01 });
    const scraped = async (): Promise<string[]> => {
      stage.clock.nowMs += 30_000; // what was read is told again for so long
      return (await meter.scrape()).split('\n').filter((line) => line.startsWith('dialer_amd'));
    };
    await heardOf(stage, { human: 0, machine: 0, unclear: 1, pending: 2 });
    const before = await scraped();
    t.ok(before.includes('dialer_amd_audits{source="auditor",heard="pending"} 2'));
    t.ok(before.includes('dialer_amd_fp_charged_ratio 0.01'));
    t.notOk(before.some((line) => line.startsWith('dialer_amd_audit_fp_ratio')));
    await heardOf(stage, { human: 1, machine: 28, unclear: 0, pending: 0 });
    const lines = await scraped();
    const { low, high } = exactInterval(1, 29);
    for (const [bound, share] of Object.entries({ lower: low, point: 1 / 29, upper: high })) {
      const line = `dialer_amd_audit_fp_ratio{source="auditor",bound="${bound}"} ${share}`;
      t.ok(lines.includes(line), line);
    }
    t.ok(lines.includes('dialer_amd_audits{source="auditor",heard="human"} 1'));
    t.notOk(lines.some((line) => line.includes('fp_ratio{source="aiAgent"')));
    stage.clock.nowMs += 30 * DAY_MS;
    t.notOk((await scraped()).some((line) => line.startsWith('dialer_amd_audit_fp_ratio')));
  });
}

/** A second transaction wants what the first has changed. */
async function somebodyWaits({ db }: OpenDatabase): Promise<void> {
  for (;;) {
    const { rows } = await sql`select 1 from pg_locks where not granted`.execute(db);
    if (rows.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The rows of the stage belong to the business unit whose keys the rig has. */
async function ownedBy({ database, businessUnitId }: ApiRig, { scene }: Stage): Promise<void> {
  await database.db
    .updateTable('amd_audits')
    .set({ business_unit_id: businessUnitId })
    .where('business_unit_id', '=', scene.writer.businessUnitId)
    .execute();
}

/** So many more machine verdicts were audited, with this outcome. */
async function heardOf(stage: Stage, counts: AuditCounts): Promise<void> {
  const { database, scene } = stage;
  const { ids, businessUnitId } = scene.writer;
  const rows = Object.entries(counts).flatMap(([heard, count]) =>
    Array.from({ length: count }, () => ({
      ...{ id: ids.id(), delivery_id: ids.id(), engagement_id: scene.engagementId },
      ...{ business_unit_id: businessUnitId, verdict: 'machine', ended_at_ms: stage.clock.nowMs },
      ...{ agent_listened: 0, agent_heard: null, version: 1 },
      ...{ heard: heard === 'pending' ? null : heard, heard_by: 'test', heard_at_ms: 1 },
    })),
  );
  await database.db.insertInto('amd_audits').values(rows).execute();
}

const targets = await storeTargets(t);
for (const target of targets) {
  t.test(target.name, async (t) => {
    const database = await target.place(t).open();
    await drawingTests(t, database);
    await metricTests(t, database);
    await apiTests(t, target);
  });
}
