/** Goal: what is stored tells everything that somebody who answers for a call must know. */
import t from 'tap';
import { explain } from '../../dialer/explain/explain.ts';
import { renderAccount } from '../../dialer/explain/render-account.ts';
import { pauseInWords, timeInWords } from '../../dialer/explain/words.ts';
import { DialerWorld, HOUR_MS, MINUTE_MS } from '../support/dialer-world.ts';
import type { FarEnd } from '../support/simulated-gateway.ts';

async function accountOf(world: DialerWorld, taskId: string, nth = 0) {
  const delivery = (await world.deliveries(taskId))[nth];
  const account = await explain(world.database, delivery?.id ?? taskId);
  if (account === undefined) throw new Error('there is no account');
  return { account, text: renderAccount(account) };
}

/** A number in the clear anywhere in an account is one too many. */
const DIALLED = /\+1555555\d{4}/;

t.test(
  'the account of a second call says why it was made, when, and what came of it',
  async (t) => {
    const world = await DialerWorld.open(t, {
      farEnd: (_, nth) => (nth === 1 ? { does: 'reject', statusCode: 486 } : { does: 'answer' }),
    });
    await world.start();
    const reattempt = { reasons: ['busy'], retriesMax: 1, waitMinutes: 30, priority: 'lower' };
    const id = await world.engagement({ cap: 4, config: { reattempt } });
    const ann = {
      ...{ uniqueIdentifier: 'A-1', firstName: 'Ann', lastName: 'Lee' },
      ...{ timeZone: 'America/New_York', phones: { mobile: '+15555550123' } },
    };
    const inputAttributes = { dueDate: '2026-03-09' };
    const [task = ''] = await world.tasks(id, [ann], { inputAttributes });
    await world.advance(HOUR_MS);
    const { account, text } = await accountOf(world, task, 1);
    t.match(account, {
      person: { uniqueIdentifier: 'A-1', name: 'Ann Lee', timeZone: 'America/New_York' },
      call: { number: '+1…23', phoneType: 'mobile', fromNumber: '+15555550199', trunk: 'lab' },
      outcome: { result: 'Undetermined', rule: { row: 11 }, category: 'Connected, no engagement' },
      attributes: { input: { dueDate: '2026-03-09' } },
      task: { status: 'Complete', attempts: 2 },
    });
    t.equal(text.replaceAll(account.call?.fromNumber ?? '', '').match(DIALLED), null);
    for (const sentence of [
      /^A call to \+1…23 was started at 2026-03-02 15:30:\S+ UTC: Undetermined, the call was answered/,
      /Ann Lee, contact A-1\./,
      /at 2026-03-02 15:30:\S+ UTC \(Mon.? 10:30 in America\/New_York\)/,
      /Number shown to them: \+15555550199\./,
      /Result of the call: Busy\. The next call is due after 30 minutes, at 2026-03-02 15:30/,
      /Inside a window of the request\. Open from 2026-03-02 15:00/,
      /At least 15 minutes between two calls to a number\. It was last called 30 minutes before/,
      /One call to a number at a time\. No call to this number was in flight from any engagement/,
      /A free place\. 0 of at most 4 calls of the engagement were in flight\./,
      /Its turn: the task whose window ends first goes first\. It was call 2 of the task, to the mobile number, in loop 2: a retry, behind new deliveries\./,
      /\+0\.005 s {2}INVITE sent on trunk lab \(Call-ID call-/,
      /\+0\.100 s {2}Ringing: 180 after 100 ms\./,
      /\+3\.000 s {2}Answered: 200 after 3 seconds\./,
      /Announcement played: done, 2 seconds of it\./,
      /Hung up by us, 2 seconds after the answer\./,
      /No rule of this release looks at: consent for a purpose, unless a journey asked for the call;/,
      /Whether a person or a machine had answered was not examined\./,
      /On record: SIP 200, ended by us, 1 INVITE\./,
      /By row 11 of docs\/outcomes\.md: answered, silence or no verdict\./,
      /The task ended with Undetermined: the call was answered\./,
      /dueDate = 2026-03-09/,
    ]) {
      t.match(text, sentence);
    }
  },
);

t.test('each entry tells its own Result, and the rule that gave it', async (t) => {
  const farEnds: Readonly<Record<string, FarEnd>> = {
    '+15555550100': { does: 'reject', statusCode: 486 },
    '+15555550101': { does: 'ring' },
    '+15555550102': { does: 'reject', statusCode: 404 },
    '+15555550103': { does: 'reject', statusCode: 503 },
    '+15555550104': { does: 'answer', hangUpAfterMs: 200 },
    '+15555550105': { does: 'reject', statusCode: 603 },
    '+15555550106': { does: 'refuse', code: 'UNKNOWN_TRUNK' },
    '+15555550107': { does: 'reject', statusCode: 607 },
    '+15555550108': { does: 'answer', verdict: 'machine' },
    '+15555550109': { does: 'answer', verdict: 'machine', hangUpAfterMs: 200 },
    '+15555550110': { does: 'answer', verdict: 'fax' },
    '+15555550111': { does: 'ignore' },
  };
  const world = await DialerWorld.open(t, { farEnd: (to) => farEnds[to] ?? { does: 'answer' } });
  await world.start();
  const ids = await world.tasks(await world.engagement(), world.people(12));
  await world.advance(HOUR_MS);
  const expected = [
    ['Busy', /By row 17 of docs\/outcomes\.md: Q\.850 17; SIP 486, 600\./],
    [
      'NoAnswer',
      /given up because it had rung until our own time limit[^]*By row 4 of docs\/outcomes\.md: rang until the ring/,
    ],
    ['InvalidAddress', /there is no such number[^]*By row 19/],
    ['CallFailed', /SIP 503 from the network[^]*By row 27/],
    ['Undetermined', /they hung up before anybody spoke to them[^]*Counted as “Abandoned”/],
    ['Busy', /Busy \/ declined: the line was busy, or the call was declined[^]*By row 21/],
    [
      'Error',
      /^No call was made to [^]* no INVITE left: Error[^]*Number it was to show them[^]*Refused by the gateway before any INVITE: UNKNOWN_TRUNK[^]*the configuration or the data do not allow it[^]*dial refused: .*UNKNOWN_TRUNK/,
    ],
    ['CallFailed', /reports the call as unwanted[^]*To be done by people: find out whether this/],
    [
      'AnsweringMachine',
      /Judged machine 0[^]*Heard: speech start [^]*the message was left[^]*Judged by the sound of it: machine\.[^]*By row 8/,
    ],
    ['AnsweringMachineHangup', /without a message[^]*By row 9/],
    ['NotAHandset', /a fax machine answered[^]*By row 10/],
    ['CallFailed', /the trunk did not answer[^]*our own SIP stack noted 408[^]*By row 32/],
  ] as const;
  for (const [index, [result, sentence]] of expected.entries()) {
    const { account, text } = await accountOf(world, ids[index] ?? '');
    t.equal(account.outcome?.result, result);
    t.match(text, sentence);
    t.match(text, account.outcome?.subReason ?? result);
  }
});

t.test(
  'an AI agent’s call: its conversation, or its failure and the suspension it led to',
  async (t) => {
    const world = await DialerWorld.open(t, { withAgent: true });
    await world.start();
    const id = await world.engagement({ cap: 1 });
    const [spoken = '', failed = ''] = await world.tasks(id, world.people(2));
    await world.advance(10_000);
    world.gateway.agent = { does: 'fail', afterMs: 100 };
    await world.advance(MINUTE_MS);
    const talk = await accountOf(world, spoken);
    t.match(
      talk.text,
      /LiveAnswer: the call was answered, and connected to the AI agent\. Counted as “Connected”/,
    );
    t.match(talk.text, /Connected to the AI agent 300 ms after the answer\./);
    t.match(
      talk.text,
      /The conversation ended after 5 seconds, by the agent or the representative\./,
    );
    const failure = await accountOf(world, failed);
    t.match(failure.text, /The AI agent failed: setup, SIP 503/);
    t.match(
      failure.text,
      /The engagement was suspended by \S+: the AI agent failed\. Nothing of it starts until/,
    );
  },
);

t.test('a task of which no call was made says why', async (t) => {
  const world = await DialerWorld.open(t);
  await world.start();
  const hours = { tuesday: [{ from: '09:00', to: '10:00' }] };
  const [first = ''] = await world.tasks(await world.engagement(), world.people(1));
  await world.advance(1_000);
  const windows = [{ startMs: world.nowMs, endMs: world.nowMs + 5 * MINUTE_MS }];
  const [second = ''] = await world.tasks(await world.engagement(), world.people(1), { windows });
  const closed = await world.engagement({ queue: { hours } });
  const [third = ''] = await world.tasks(closed, world.people(1, 200), { windows });
  await world.advance(HOUR_MS);
  t.equal((await explain(world.database, first))?.task.status, 'Complete');
  const gap = await accountOf(world, second);
  t.match(gap.text, /^No call was made\. The task is Expired\./);
  t.match(gap.text, /ended with Expired: its last window ends before the next call could start/);
  const { text } = await accountOf(world, third);
  t.match(text, /The task ended with Expired: its last window had passed\./);
  t.equal(await explain(world.database, 'nothing'), undefined);
});

t.test('what was withdrawn, and what a suspension outlived, say who did that', async (t) => {
  const world = await DialerWorld.open(t, { farEnd: () => ({ does: 'ring' }) });
  await world.start();
  const { businessUnitId } = world;
  const asked = { businessUnitId, actor: 'operator:ann', reason: 'no longer due' };
  const engagementId = await world.engagement({ cap: 1 });
  const [ringing = '', queued = '', kept = ''] = await world.tasks(engagementId, world.people(3));
  await world.advance(1_000);
  await world.dialer.cancelTask({ ...asked, taskId: ringing });
  await world.dialer.cancelTask({ ...asked, taskId: queued });
  const suspension = { type: 'adminAction', reason: 'a fault in the script' } as const;
  await world.dialer.suspend({ engagementId, actor: 'operator:bob', suspension });
  await world.advance(25 * HOUR_MS);
  const called = await accountOf(world, ringing);
  t.match(
    called.text,
    /Cancelled \/ cancelled_ringing: it was withdrawn; on request, while the phone/,
  );
  t.match(called.text, /given up because its cancellation was asked for[^]*By row 2 /);
  t.match(called.text, /Cancellation asked for by operator:ann: no longer due\./);
  const never = await accountOf(world, queued);
  t.match(never.text, /^No call was made\. The task is Cancelled\.[^]*on request: no longer due/);
  const late = await accountOf(world, kept);
  t.match(late.text, /^No call was made\. The task is Expired\./);
  t.match(late.text, /suspended by operator:bob: a fault in the script\.[^]*its last window had/);
});

t.test('a call that a dead process left is told as such', async (t) => {
  const world = await DialerWorld.open(t);
  await world.start();
  const [task = ''] = await world.tasks(await world.engagement(), world.people(1));
  await world.advance(1_000);
  const open = await accountOf(world, task);
  t.match(open.text, /was started at .* and goes on\./);
  world.kill();
  world.gateway.forget();
  await world.start();
  await world.advance(MINUTE_MS);
  const { text } = await accountOf(world, task);
  t.match(text, /Unknown \/ recovered: a call may have been made, and nobody knows how it ended/);
  t.match(text, /The process that worked it had died \(1 in a row\); another took it over\./);
});

t.test('times and pauses read as people say them', async (t) => {
  t.equal(timeInWords(0), '1970-01-01 00:00:00.000 UTC');
  t.equal(timeInWords(0, 'Not/AZone'), '1970-01-01 00:00:00.000 UTC');
  t.strictSame(
    [250, 1_000, 1_560, 90_000, 4 * HOUR_MS, 86_400_000 + 3_600_000 + 1].map(pauseInWords),
    [...['250 ms', '1 second', '1.5 seconds', '1 minute 30 seconds', '4 hours', '1 day 1 hour']],
  );
});

t.test('what an AI agent returns after the recorded end is told in its place', async (t) => {
  const world = await DialerWorld.open(t, { withAgent: true });
  world.gateway.agent = { does: 'talk', forMs: 5_000, returnsAfterMs: 8_000 };
  await world.start();
  const [task = ''] = await world.tasks(await world.engagement(), world.people(1));
  await world.advance(MINUTE_MS);
  const [attempt] = await world.attempts(task);
  const told = await world.told(`attempt:${attempt?.id ?? ''}`);
  t.strictSame(told.slice(-2), ['attempt.ended', 'aiAgent.returned']);
  const { text } = await accountOf(world, task);
  t.match(text, /Hung up by us.*[\s\S]*\+16\.\d+ s {2}The AI agent returned what it had learnt\./);
});
