/**
 * Goal: whoever was called although they should not have been is found, from what was written down, and
 * nobody else is: on both databases, once, whatever dies in between.
 */
import t, { type Test } from 'tap';
import { auditCalls, beginAudit, type AuditTurn } from '../../dialer/audit/audit-calls.ts';
import { AUDIT_RULES, violationsOf, type SentCall } from '../../dialer/audit/audit-rules.ts';
import { CallAudit } from '../../dialer/audit/call-audit.ts';
import { PrometheusMeter } from '../../dialer/metrics/prometheus-meter.ts';
import { addOptOutIn } from '../../dialer/opt-outs/opt-outs.ts';
import { appendEvents } from '../../dialer/store/event-log.ts';
import type { OpenDatabase } from '../../dialer/store/open-database.ts';
import { ApiRig } from '../support/api-rig.ts';
import { settledEvents } from '../support/settled-events.ts';
import { silentLog } from '../support/silent-log.ts';
import { storeTargets, TEST_NOW_MS } from '../support/store-target.ts';
import { GAP_MS, MINUTE_MS, WorkScene } from '../support/work-scene.ts';

t.setTimeout(120_000);

const CALL: SentCall = {
  ...{ attemptId: 'a', claimedAtMs: 100_000, sentAtMs: 100_500, tries: { count: 1, max: 1 } },
  window: { startMs: 90_000, endMs: 100_501 },
  ...{ optedOutAtMs: null, cancelRequestedAtMs: null, previous: undefined },
};
const ended = (claimedAtMs: number) => ({
  ...{ attemptId: 'b', isOwn: true, claimedAtMs, recordedAtMs: 1 },
});

const judged: readonly [string, Partial<SentCall>, string[]][] = [
  ['all is well', {}, []],
  ['at the end of its window', { sentAtMs: 100_501 }, ['outside_window']],
  ['before its window', { sentAtMs: 89_999 }, ['outside_window']],
  ['when it was sent is not known', { sentAtMs: null, window: { startMs: 0, endMs: 1 } }, []],
  ['its window is not known', { window: null }, []],
  ['opted out long before', { optedOutAtMs: 97_999 }, ['opted_out']],
  ['opted out in that moment', { optedOutAtMs: 98_000 }, []],
  ['cancelled long before', { cancelRequestedAtMs: 0 }, ['cancelled']],
  ['cancelled while it rang', { cancelRequestedAtMs: 100_600 }, []],
  ['one try too many', { tries: { count: 3, max: 2 } }, ['too_often']],
  ['the last try', { tries: { count: 2, max: 2 } }, []],
  ['the call before is up', { previous: { ...ended(1), recordedAtMs: null } }, ['two_at_once']],
  ['too soon', { previous: ended(40_001) }, ['number_gap']],
  ['just not too soon', { previous: ended(40_000) }, []],
  ['the same call on another trunk', { previous: { ...ended(99_000), attemptId: 'a' } }, []],
  ['two at once', { sentAtMs: 1, optedOutAtMs: 1 }, ['outside_window', 'opted_out']],
];

t.test('what is told of a call, and what is not', (t) => {
  for (const [name, more, rules] of judged) {
    const found = violationsOf({ ...CALL, ...more }, { numberGapMinMs: 60_000 });
    t.same(
      found.map(({ rule }) => rule),
      rules,
      name,
    );
  }
  const told = new Set(judged.flatMap(([, , rules]) => rules));
  t.same([...told].sort(), Object.keys(AUDIT_RULES).sort(), 'each rule is among them');
  for (const isOwn of [true, false]) {
    for (const recordedAtMs of [1, null]) {
      const previous = { ...ended(40_001), attemptId: 'theirs', isOwn, recordedAtMs };
      const [found] = violationsOf({ ...CALL, previous }, { numberGapMinMs: 60_000 });
      t.equal(found?.detail.includes('theirs'), isOwn, 'another business unit’s call has no name');
    }
  }
  t.end();
});

class Stage {
  readonly clock = { nowMs: TEST_NOW_MS };
  readonly scene: WorkScene;
  readonly database: OpenDatabase;

  static async open(database: OpenDatabase, config = {}): Promise<Stage> {
    const clock = { nowMs: TEST_NOW_MS };
    const stage = new Stage(database, await WorkScene.open({ database, clock, config }), clock);
    await settledEvents(database);
    await beginAudit(stage.options);
    return stage;
  }

  private constructor(database: OpenDatabase, scene: WorkScene, clock: { nowMs: number }) {
    this.database = database;
    this.scene = scene;
    this.clock = clock;
  }

  get options() {
    const { database, clock, scene } = this;
    const nowMs = () => clock.nowMs;
    return { database, ids: scene.writer.ids, nowMs, numberGapMinMs: GAP_MS };
  }

  /** All that was written until now is in reach of it. */
  async audit(limit = 500): Promise<AuditTurn> {
    await settledEvents(this.database);
    return auditCalls({ ...this.options, limit });
  }

  async rules(): Promise<string[]> {
    return (await this.audit()).violations.map(({ rule }) => rule);
  }

  /** Begins the next call, and says that its INVITE has left. */
  async call(afterMs = 500): Promise<string> {
    const { starts } = await this.scene.claim(1);
    const attemptId = starts[0]?.attemptId ?? '';
    await this.sent(attemptId, afterMs);
    return attemptId;
  }

  async sent(attemptId: string, afterMs: number): Promise<void> {
    const atMs = this.clock.nowMs + afterMs;
    await this.database.db.transaction().execute(async (tx) => {
      await tx
        .updateTable('attempts')
        .set({ sent_at_ms: atMs })
        .where('id', '=', attemptId)
        .execute();
      const event = { streamId: `attempt:${attemptId}`, type: 'attempt.sent', actor: 'test' };
      await appendEvents(tx, this.scene.writer.businessUnitId, atMs, [
        { ...event, payload: { atMs } },
      ]);
    });
  }

  async end(attemptId: string, wasTried = true): Promise<void> {
    await this.scene.record(attemptId, { result: 'NoAnswer', retryClass: 'noAnswer', wasTried });
  }
}

const targets = await storeTargets(t);
for (const target of targets) {
  t.test(target.name, async (t) => {
    const database = await target.place(t).open();
    await auditTests(t, database);
  });
}

async function auditTests(t: Test, database: OpenDatabase): Promise<void> {
  const phones = (n: number) => ({ mobile: `+1202555${String(n).padStart(4, '0')}` });

  await t.test('calls that were right are looked at, each once', async (t) => {
    const stage = await Stage.open(database);
    await stage.scene.add([{ phones: phones(1) }, { phones: phones(2) }]);
    const first = await stage.call();
    const second = await stage.call();
    t.match(await stage.audit(), { calls: 2, violations: [] });
    await stage.end(first);
    await stage.end(second);
    t.match(await stage.audit(), { calls: 0, violations: [] });
    t.match(await stage.audit(), { events: 0 });
  });

  await t.test('an INVITE after the window, on another trunk', async (t) => {
    const stage = await Stage.open(database);
    const windows = [{ startMs: TEST_NOW_MS, endMs: TEST_NOW_MS + MINUTE_MS }];
    await stage.scene.add([{ phones: phones(3), windows }]);
    const attemptId = await stage.call();
    t.same(await stage.rules(), []);
    await stage.sent(attemptId, MINUTE_MS);
    const { violations } = await stage.audit();
    t.match(violations, [
      { rule: 'outside_window', attempt_id: attemptId, happened_at_ms: TEST_NOW_MS + MINUTE_MS },
    ]);
    t.match(violations[0]?.detail, /sent at 2026-03-02T15:01:00\.000Z, .* to 2026-03-02T15:01/);
    await stage.sent(attemptId, MINUTE_MS + 1);
    t.same(await stage.rules(), [], 'told once');
    const told = await database.db
      .selectFrom('events')
      .select('payload')
      .where('type', '=', 'compliance.violated')
      .where('stream_id', '=', `violation:${violations[0]?.id ?? ''}`)
      .execute();
    t.equal(told.length, 1, 'and in the log');
  });

  await t.test('who is on the do-not-call list', async (t) => {
    const stage = await Stage.open(database);
    const { writer } = stage.scene;
    await stage.scene.add([{ phones: phones(4) }, { phones: phones(5) }]);
    const { starts } = await stage.scene.claim(2);
    const optOut = (number: string, nowMs: number) =>
      database.db
        .transaction()
        .execute((tx) =>
          addOptOutIn(tx, { ...writer, nowMs }, { number, source: 'api', detail: null }),
        );
    // The claim had been blind: written as if it had been there before.
    await optOut(phones(4).mobile, TEST_NOW_MS - MINUTE_MS);
    await optOut(phones(5).mobile, TEST_NOW_MS + 1);
    for (const { attemptId } of starts) await stage.sent(attemptId, 100);
    const { violations, calls } = await stage.audit();
    t.equal(calls, 2);
    t.match(violations, [{ rule: 'opted_out' }], 'one of two: the other asked while it rang');
  });

  await t.test('one number: two at once, and too soon', async (t) => {
    const stage = await Stage.open(database);
    const other = await WorkScene.open({ database, clock: stage.clock });
    await stage.scene.add([{ phones: phones(6) }]);
    await other.add([{ phones: phones(6) }]);
    const first = await stage.call();
    await forgetNumbers(database);
    const second = (await other.claim(1)).starts[0]?.attemptId ?? '';
    await stage.sent(second, 1_000);
    t.same(await stage.rules(), ['two_at_once'], 'though another business unit called');
    await stage.end(first);
    await other.record(second, { result: 'NoAnswer', retryClass: 'noAnswer' });
    await other.add([{ phones: phones(6) }]);
    stage.clock.nowMs += GAP_MS - 1;
    await forgetNumbers(database);
    const third = (await other.claim(1)).starts[0]?.attemptId ?? '';
    await stage.sent(third, 1);
    t.same(await stage.rules(), ['number_gap']);
  });

  await t.test('a call that nobody saw leave is judged at its end', async (t) => {
    const stage = await Stage.open(database);
    await stage.scene.add([{ phones: phones(7) }, { phones: phones(8) }]);
    const { starts } = await stage.scene.claim(2);
    const [tried = '', untried = ''] = starts.map(({ attemptId }) => attemptId);
    await cancelLongAgo(database, tried);
    await cancelLongAgo(database, untried);
    await stage.end(tried);
    await stage.end(untried, false);
    const turn = await stage.audit();
    t.match(turn, { calls: 1, violations: [{ rule: 'cancelled', attempt_id: tried }] });
  });

  await t.test('a number tried more often than allowed', async (t) => {
    const reattempt = { reasons: ['noAnswer'], retriesMax: 1 };
    const stage = await Stage.open(database, { reattempt });
    const [taskId = ''] = await stage.scene.add([{ phones: phones(9) }]);
    const { progress } = await stage.scene.task(taskId);
    for (const rules of [[], [], ['too_often']]) {
      const attemptId = await stage.call();
      t.same(await stage.rules(), rules);
      await stage.end(attemptId);
      stage.clock.nowMs += GAP_MS;
      // As if the walk had forgotten where it stands.
      await database.db
        .updateTable('tasks')
        .set({ state: 'ready', status: 'Pending', progress, due_at_ms: stage.clock.nowMs })
        .where('id', '=', taskId)
        .execute();
    }
  });

  await t.test('pages, a process that dies, and numbers that are forgotten in time', async (t) => {
    const stage = await Stage.open(database);
    await stage.scene.add([1, 2, 3].map((n) => ({ phones: phones(20 + n) })));
    const attempts = [await stage.call(), await stage.call(), await stage.call()];
    let asked = 0;
    const nowMs = () => {
      asked += 1;
      if (asked > 1) throw new Error('it dies before it is done');
      return stage.clock.nowMs;
    };
    await settledEvents(database);
    await t.rejects(auditCalls({ ...stage.options, nowMs }), /it dies/);
    let calls = 0;
    for (;;) {
      const turn = await stage.audit(1);
      calls += turn.calls;
      if (turn.events === 0) break;
    }
    t.equal(calls, 3, 'each is looked at once');
    for (const attemptId of attempts) await stage.end(attemptId);
    await stage.audit();
    const kept = () =>
      database.db
        .selectFrom('audited_numbers')
        .selectAll()
        .where('number', 'like', '%002_')
        .execute();
    t.equal((await kept()).length, 3);
    stage.clock.nowMs += 2 * 86_400_000;
    await stage.scene.add([{ phones: phones(40) }]);
    await stage.call();
    await stage.audit();
    t.equal((await kept()).length, 0, 'a day after their last calls');
  });
}

t.test('the service looks by itself; /v1 and the metrics tell', async (t) => {
  const rig = await ApiRig.open(t, targets[0].place(t), { isAttached: false });
  const stage = await Stage.open(rig.database);
  const meter = new PrometheusMeter({ log: silentLog });
  const audit = new CallAudit({ ...stage.options, meter, log: silentLog, pollMs: 20 });
  audit.start();
  t.teardown(() => audit.stop());
  const scraped = async (line: string) => (await meter.scrape()).includes(line);
  const until = async (line: string) => {
    while (!(await scraped(line))) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  await until('dialer_compliance_violations_total{rule="opted_out"} 0');
  await stage.scene.add([{ phones: { mobile: '+12025550150' } }]);
  const { starts } = await stage.scene.claim(1);
  const attemptId = starts[0]?.attemptId ?? '';
  await cancelLongAgo(rig.database, attemptId);
  await stage.sent(attemptId, 10);
  await until('dialer_compliance_violations_total{rule="cancelled"} 1');
  t.ok(await scraped('dialer_compliance_calls_audited_total 1'));
  t.ok(await scraped('dialer_compliance_audit_age_seconds 0'));
  await rig.database.db
    .updateTable('compliance_violations')
    .set({ business_unit_id: rig.businessUnitId })
    .execute();
  const list = (query: string) => rig.get(`/v1/compliance/violations${query}`);
  t.match(await list(''), {
    status: 200,
    body: { items: [{ rule: 'cancelled', attemptId, detail: /cancelled at/ }], nextCursor: null },
  });
  t.match(await list('?rule=opted_out'), { status: 200, body: { items: [] } });
  t.match(await list('?rule=unheard'), { status: 400 });
});

/** As if nobody had guarded them. */
async function forgetNumbers({ db }: OpenDatabase): Promise<void> {
  await db.deleteFrom('number_guards').execute();
}

async function cancelLongAgo({ db }: OpenDatabase, attemptId: string): Promise<void> {
  await db
    .updateTable('tasks')
    .set({ cancel_requested_at_ms: TEST_NOW_MS - MINUTE_MS })
    .where('id', 'in', (eb) =>
      eb.selectFrom('attempts').select('task_id').where('id', '=', attemptId),
    )
    .execute();
}
