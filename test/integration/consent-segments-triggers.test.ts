/** Goal: consent, segments and triggers hold what they promise, the same on both databases. */
import fc from 'fast-check';
import { sql } from 'kysely';
import t, { type Test } from 'tap';
import { recordStatements } from '../../dialer/consent/record-statements.ts';
import { decideSending } from '../../dialer/consent/decide-sending.ts';
import {
  countHeld,
  forgetSends,
  holdSend,
  recordSends,
  releaseSends,
} from '../../dialer/consent/sends.ts';
import type { Writer } from '../../dialer/engagements/create-engagement.ts';
import { contactValues, foldedText } from '../../dialer/segments/contact-facets.ts';
import { feedContacts } from '../../dialer/segments/contact-feed.ts';
import { fitting, holdsOf } from '../../dialer/segments/evaluate-segments.ts';
import { runRound, takeDueSegment } from '../../dialer/segments/segment-rounds.ts';
import { appendEvents } from '../../dialer/store/event-log.ts';
import {
  beginProjecting,
  projectInteractions,
} from '../../dialer/triggers/project-interactions.ts';
import {
  consumeOccurrences,
  forgetOccurrences,
  takeOccurrences,
} from '../../dialer/triggers/trigger-inbox.ts';
import { addOccurrences } from '../../dialer/triggers/add-occurrences.ts';
import {
  OPERATORS_OF,
  operandKindOf,
  type Condition,
} from '../../journey-core/definition/condition.schema.ts';
import type { StartConversation } from '../../journey-core/interpreter/effects.ts';
import { judgeCondition } from '../../journey-core/interpreter/judge-condition.ts';
import { ApiRig, type Json } from '../support/api-rig.ts';
import { storeTargets, type StoreTarget } from '../support/store-target.ts';
import { settledEvents } from '../support/settled-events.ts';

t.setTimeout(240_000);

const PHONE = '+12025550143';
const DAY_MS = 86_400_000;

function writerFor(rig: ApiRig): Writer {
  const { database, ids, businessUnitId, clock } = rig;
  return { database, ids, businessUnitId, nowMs: clock.nowMs, actor: 'test' };
}

async function profileOf(rig: ApiRig, more: Json = {}): Promise<string> {
  const body = { name: `Profile ${rig.ids.id()}`, channels: ['voice', 'sms'], ...more };
  return rig.make('/v1/consent/profiles', body);
}

async function purposesOf(rig: ApiRig, profileId: string): Promise<Json[]> {
  const { items } = (await rig.get('/v1/consent/purposes?limit=200')).body as { items: Json[] };
  return items.filter(({ profileIds }) => (profileIds as string[]).includes(profileId));
}

async function firstPurpose(rig: ApiRig, profileId: string, type = 'commercial'): Promise<string> {
  const purpose = (await purposesOf(rig, profileId)).find((one) => one['type'] === type);
  return String(purpose?.['id']);
}

const say = (rig: ApiRig, body: Json) =>
  rig.post('/v1/consent/records', { channel: 'voice', address: PHONE, ...body });
const check = (rig: ApiRig, body: Json) =>
  rig.post('/v1/consent/check', { channel: 'voice', address: PHONE, ...body });
const change = (rig: ApiRig, url: string, version: number, body: Json) =>
  rig.ask({ method: 'PATCH', url, headers: { 'if-match': `"${version}"` }, body });

async function consentTests(t: Test, target: StoreTarget): Promise<void> {
  const rig = await ApiRig.open(t, target.place(t));
  await t.test('[CNS-10] all nine cells, and which record decides each', async (t) => {
    const profileId = await profileOf(rig);
    const cells = [
      ['restrictive', 'optedOut', false],
      ['restrictive', 'notSet', false],
      ['restrictive', 'optedIn', true],
      ['nonRestrictive', 'optedOut', false],
      ['nonRestrictive', 'notSet', true],
      ['nonRestrictive', 'optedIn', true],
      ['disabled', 'optedOut', true],
      ['disabled', 'notSet', true],
      ['disabled', 'optedIn', true],
    ] as const;
    for (const [enforcement, status, passes] of cells) {
      const name = `${enforcement} ${status}`;
      const purpose = { name, type: 'commercial', enforcement, profileIds: [profileId] };
      const purposeId = await rig.make('/v1/consent/purposes', purpose);
      const said = status === 'notSet' ? null : (await say(rig, { purposeId, status })).body;
      t.match(
        await check(rig, { profileId, purposeId }),
        {
          status: 200,
          body: {
            passes,
            cells: [{ enforcement, status, recordId: said?.['id'] ?? null, passes }],
          },
        },
        name,
      );
    }
  });

  await t.test('[CNS-09] [CNS-11] [CNS-15] what a new profile asks for', async (t) => {
    const profileId = await profileOf(rig);
    const purposes = await purposesOf(rig, profileId);
    t.same(purposes.map(({ type }) => type).sort(), ['commercial', 'tracking', 'transactional']);
    const asked = async (type: string, channel: string) => {
      const purposeId = await firstPurpose(rig, profileId, type);
      const address = channel === 'email' ? 'ada@example.com' : PHONE;
      return (await check(rig, { profileId, purposeId, channel, address })).body['passes'];
    };
    t.same(
      [
        await asked('commercial', 'voice'),
        await asked('commercial', 'sms'),
        await asked('commercial', 'email'),
        await asked('transactional', 'voice'),
      ],
      [false, false, true, true],
    );
  });

  await t.test('[CNS-12] [CNS-13] topics need their purpose; points are apart', async (t) => {
    const profileId = await profileOf(rig);
    const purposeId = await firstPurpose(rig, profileId);
    const topicId = await rig.make('/v1/consent/topics', { name: 'Slots', purposeId });
    await say(rig, { purposeId, topicId, status: 'optedIn' });
    await say(rig, { purposeId, status: 'optedOut' });
    t.match((await check(rig, { profileId, purposeId, topicId })).body, {
      ...{ passes: false, reason: 'opted_out' },
      cells: [
        { of: 'purpose', passes: false },
        { of: 'topic', passes: true },
      ],
    });
    const uniqueIdentifier = `C-${rig.ids.id()}`;
    const phones = { mobile: PHONE, home: '+12025550199' };
    const contactId = await rig.make('/v1/contacts', { uniqueIdentifier, phones });
    await say(rig, { purposeId, status: 'optedIn', address: undefined, contactId, field: 'home' });
    const of = async (field: string) => {
      const asked = { profileId, purposeId, address: undefined, contactId, field };
      return (await check(rig, asked)).body['passes'];
    };
    t.same([await of('mobile'), await of('home')], [false, true]);
    t.match(
      await check(rig, { profileId, purposeId, address: undefined, contactId, field: 'email' }),
      {
        status: 400,
        body: { errors: [{ pointer: '/field' }] },
      },
    );
    const kept = (await rig.get(`/v1/contacts/${contactId}/consent`)).body as { records: Json[] };
    t.ok(kept.records.length >= 3, 'all that is known of both numbers');
    t.ok(kept.records.every(({ statements }) => (statements as Json[]).length > 0));
  });

  await t.test('[CNS-16] [CNS-17] [CNS-18] shared, put aside, and accounted for', async (t) => {
    const [one, two] = [await profileOf(rig), await profileOf(rig)];
    const shared = { name: 'Shared', type: 'commercial', enforcement: 'nonRestrictive' };
    const purposeId = await rig.make('/v1/consent/purposes', { ...shared, profileIds: [one, two] });
    const { body: record } = await say(rig, {
      ...{ purposeId, profileId: one, status: 'optedOut', source: 'letter', reason: 'of 2 March' },
    });
    t.match(record, { source: 'letter', reason: 'of 2 March', profileId: one, address: PHONE });
    const url = `/v1/consent/records/${String(record['id'])}`;
    const reader = await rig.key('read');
    t.match((await rig.get(url, reader)).body, { address: '+1…43' }, 'masked');
    t.match(await change(rig, url, 1, { active: false }), { body: { active: false, version: 2 } });
    t.match(await change(rig, url, 1, { active: true }), { status: 412 });
    for (const profileId of [one, two]) {
      t.match((await check(rig, { profileId, purposeId })).body, { passes: false });
    }
    rig.clock.nowMs += 1;
    t.match(await change(rig, url, 2, { status: 'optedIn', source: 'call' }), { status: 200 });
    t.match((await check(rig, { profileId: two, purposeId })).body, { passes: true });
    t.match((await rig.get(`${url}/statements`)).body['items'], [
      { status: 'optedIn', source: 'call', counted: true, recordedBy: /^key:/ },
      { status: 'optedOut', source: 'letter', counted: true },
    ]);
  });

  await t.test('what was said last counts, in whichever order it is heard', async (t) => {
    const purposeId = await firstPurpose(rig, await profileOf(rig));
    const writer = writerFor(rig);
    const base = rig.clock.nowMs - 10 * DAY_MS;
    const statement = (status: 'optedIn' | 'optedOut', day: number) => ({
      ...{ address: { kind: 'phone', value: '+12025550111' } as const, channel: 'voice' as const },
      ...{ purposeId, topicId: null, status, source: 'list', reason: null },
      ...{ profileId: null, contactId: null, statedAtMs: base + day * DAY_MS },
    });
    const record = (...all: ReturnType<typeof statement>[]) =>
      rig.database.db.transaction().execute((tx) => recordStatements(tx, writer, all));
    const [, old] = await record(statement('optedOut', 5), statement('optedIn', 2));
    t.match(old, { recorded: 'outdated', record: { status: 'optedOut' } });
    t.match(await record(statement('optedIn', 5)), [{ recorded: 'outdated' }], 'no wins a tie');
    t.match(await record(statement('optedIn', 2)), [{ recorded: 'known' }], 'heard before');
    t.match(await record(statement('optedIn', 6)), [{ record: { status: 'optedIn' } }]);
    await t.rejects(record(statement('optedIn', 11)), { code: 'REQUEST_INVALID' });
    // Many at once about one point: each is taken down, and the last one said holds.
    await Promise.all(
      [7, 8, 9].map((day) => record(statement(day === 9 ? 'optedOut' : 'optedIn', day))),
    );
    t.match(await record(statement('optedOut', 9)), [
      { recorded: 'known', record: { status: 'optedOut' } },
    ]);
  });

  await t.test('who asked in a call is not called, whatever the purpose', async (t) => {
    const profileId = await profileOf(rig);
    const purposeId = await firstPurpose(rig, profileId, 'transactional');
    const address = '+12025550177';
    await say(rig, { purposeId, address, status: 'optedIn' });
    t.match((await check(rig, { profileId, purposeId, address })).body, { passes: true });
    const id = rig.ids.id();
    const opted = { id, business_unit_id: rig.businessUnitId, number: address, source: 'message' };
    const row = { ...opted, created_at_ms: rig.clock.nowMs, created_by: 'test' };
    await rig.database.db.insertInto('opt_outs').values(row).execute();
    t.match((await check(rig, { profileId, purposeId, address })).body, {
      ...{ passes: false, reason: 'opt_out_list', optOutId: id },
    });
    const sms = { profileId, purposeId, address, channel: 'sms' };
    t.match((await check(rig, sms)).body, { passes: true }, 'it was a call');
  });

  await t.test('a file is taken down as it comes, and twice changes nothing twice', async (t) => {
    const profileId = await profileOf(rig);
    const purposeId = await firstPurpose(rig, profileId);
    const rows = Array.from({ length: 450 }, (_, n) => {
      return `+1202555${String(1_000 + n)},voice,Commercial,optedIn,2026-03-02T00:00:00Z`;
    });
    const head = 'Address,Channel,Purpose,Status,StatedAt';
    const bad = ['12,voice,Commercial,optedOut,', '+12025550100,voice,Commercial,optedIn,'];
    const text = [head, ...rows, ...bad].join('\n');
    const send = (body: string) =>
      rig.ask({
        ...{ method: 'POST', url: `/v1/consent/imports?fileName=a.csv&profileId=${profileId}` },
        ...{ body, headers: { 'content-type': 'text/csv' } },
      });
    t.match(await send(text), {
      status: 201,
      body: {
        ...{ status: 'completedWithErrors', rowsRead: 452, rowsApplied: 450, rowsFailed: 2 },
        faults: [{ line: 452 }, { line: 453, reason: /without StatedAt/ }],
      },
    });
    t.match((await send(text)).body, { rowsApplied: 0, rowsUnchanged: 450 });
    t.match(await check(rig, { profileId, purposeId, address: '+12025551449' }), {
      body: { passes: true },
    });
    t.match(await send('Name\nAda'), { status: 400, body: { code: 'BODY_UNREADABLE' } });
    const said = (...dates: readonly (readonly [string, string])[]) => {
      const all = dates.map(([status, date]) => `+12025558000,voice,Commercial,${status},${date}`);
      return send([head, ...all].join('\n'));
    };
    const guessed = ['02/01/2026', 'list 1', '5 March 2026', '2026-3-5'];
    const refused = await said(...guessed.map((date) => ['optedIn', date] as const));
    t.match(refused.body, { rowsFailed: 4, faults: [{ reason: /as 2026-03-05 or/ }, {}, {}, {}] });
    await said(['optedOut', '2026-02-05'], ['optedIn', '2026-02-05T10:00:00Z']);
    const asked = { profileId, purposeId, address: '+12025558000' };
    t.match(await check(rig, asked), { body: { passes: false } }, 'a yes of the day of a no');
    await said(['optedIn', '2026-02-06T00:00:00']);
    t.match(await check(rig, asked), { body: { passes: true } }, 'in UTC');
    const today = new Date(rig.clock.nowMs).toISOString().slice(0, 10);
    t.match((await said(['optedOut', today])).body, { rowsApplied: 1 });
    t.match(await check(rig, asked), { body: { passes: false } });
  });

  t.test(
    'a no said now counts against a yes that a clock which runs ahead has dated',
    async (t) => {
      const rig = await ApiRig.open(t, target.place(t));
      const profileId = await profileOf(rig);
      const purposeId = await firstPurpose(rig, profileId);
      const address = '+12025558001';
      const statement = (status: string, aheadMs: number) =>
        rig.post('/v1/consent/records', {
          ...{ address, channel: 'voice', profileId, purposeId, status, source: 'form' },
          statedAt: new Date(rig.clock.nowMs + aheadMs).toISOString(),
        });
      t.match(await statement('optedIn', 180_000), { status: 201 });
      await statement('optedOut', 0);
      t.match(await check(rig, { profileId, purposeId, address }), { body: { passes: false } });
    },
  );
}

const call = (more: Partial<StartConversation> = {}): StartConversation => ({
  ...{ type: 'startConversation', key: 'run/step/1', stepId: 'step', quietTime: 'inherit' },
  ...{ notAfterMs: Number.MAX_SAFE_INTEGER, frequencyCap: 'apply', inputs: {}, channel: 'voice' },
  ...{ engagement: 'E', message: null, compliance: { profile: 'Sending', purpose: 'Commercial' } },
  ...more,
});

/** Until the other transaction is held up by the one that asks, or has not been held up at all. */
async function waitsOrEnds({ database }: ApiRig, other: Promise<unknown>): Promise<void> {
  if (database.kind === 'sqlite') return; // it does not even begin before this one has ended
  const ended = other.then(() => 1);
  for (let count = 0; count === 0;) {
    const waiting = sql<{ waiting: number }>`select count(*) as waiting from pg_stat_activity
      where wait_event_type = 'Lock' and query like '%contact_points%'`.execute(database.db);
    count = await Promise.race([ended, waiting.then(({ rows }) => rows[0]?.waiting ?? 0)]);
  }
}

async function sendingTests(t: Test, target: StoreTarget): Promise<void> {
  const rig = await ApiRig.open(t, target.place(t));
  const { database } = rig;
  const profileId = await profileOf(rig, { name: 'Sending' });
  const purposeId = await firstPurpose(rig, profileId);
  const person = { uniqueIdentifier: 'C-1', phones: { mobile: PHONE }, email: 'Ada@Example.com' };
  const contactId = await rig.make('/v1/contacts', person);
  const decide = (stream: string, sending = call(), beforeCommit = async () => {}) =>
    database.db.transaction().execute(async (tx) => {
      const question = { sending, contactId, timeZone: 'UTC', messages: [], streamId: stream };
      const decision = await decideSending(tx, writerFor(rig), question);
      if (decision.decide !== 'send') return decision;
      const [contactPointId = ''] = decision.contactPointIds;
      const send = { id: stream, contactPointId, contactId, channel: 'voice' as const, purposeId };
      const more = { purposeType: 'commercial' as const, origin: 'journey:1' };
      await recordSends(tx, writerFor(rig), [{ ...send, ...more }]);
      await beforeCommit();
      return decision;
    });

  await t.test('[CNS-14] consent is asked for at the moment of sending', async (t) => {
    t.match(await decide('run:1'), { decide: 'block', reason: 'no_consent' });
    const { body } = await say(rig, { purposeId, status: 'optedIn' });
    const recordId = String(body['id']);
    const sent = await decide('run:2');
    t.match(sent, { decide: 'send', verdicts: [{ consent: { cells: [{ recordId }] } }] });
    rig.clock.nowMs += 1;
    await say(rig, { purposeId, status: 'optedOut' });
    t.match(await decide('run:3'), { decide: 'block', reason: 'no_consent' });
    const told = await database.db
      .selectFrom('events')
      .select('payload')
      .where('stream_id', '=', 'run:3')
      .execute();
    t.match(JSON.parse(told[0]?.payload ?? ''), {
      verdicts: [{ consent: { reason: 'opted_out', cells: [{ recordId }] } }],
    });
    rig.clock.nowMs += 1;
    await say(rig, { purposeId, status: 'optedIn' });
  });

  await t.test(
    '[JRN-46] a cap counts what was started, and two at once find one place',
    async (t) => {
      await database.db.deleteFrom('sends').execute();
      const cap = await rig.ask({
        ...{ method: 'PUT', url: '/v1/consent/frequency-cap', headers: { 'if-match': '"0"' } },
        body: { voice: { perDay: 1 } },
      });
      t.match(cap, { status: 200, body: { version: 1, caps: { voice: { perDay: 1 } } } });
      let second: ReturnType<typeof decide> | undefined;
      const first = await decide('run:a', call(), async () => {
        second = decide('run:b');
        await waitsOrEnds(rig, second);
      });
      t.same([first.decide, (await second)?.decide], ['send', 'block']);
      t.match(await decide('run:c'), { decide: 'block', reason: 'frequency_cap' });
      const bypassing = call({ frequencyCap: 'bypass' });
      t.match(await decide('run:d', bypassing), { decide: 'send' });
      const transactional = { profile: 'Sending', purpose: 'Transactional' };
      t.match(await decide('run:e', call({ compliance: transactional })), { decide: 'send' });
      await database.db.deleteFrom('sends').where('id', 'in', ['run:d', 'run:e']).execute();
      rig.clock.nowMs += DAY_MS - 1;
      t.match(await decide('run:f'), { decide: 'block', reason: 'frequency_cap' });
      rig.clock.nowMs += 1;
      t.match(await decide('run:g'), { decide: 'send' }, 'rolling, to the millisecond');
    },
  );

  await t.test('[JRN-51] quiet time is held to its rules, and holds', async (t) => {
    await database.db.deleteFrom('sends').execute();
    const days = (lastDay: string) => ({ quiet: [{ firstDay: '2026-03-02', lastDay }] });
    const four = await rig.post('/v1/consent/quiet-times', { name: 'Four', ...days('2026-03-05') });
    t.match(four, { status: 400, body: { errors: [{ detail: /more than 3 days/ }] } });
    const quietTimeId = await rig.make('/v1/consent/quiet-times', {
      ...{ name: 'Three', ...days('2026-03-04') },
    });
    const url = `/v1/consent/profiles/${profileId}`;
    t.match(await change(rig, url, 1, { quietTimeId }), { status: 200 });
    const before = rig.clock.nowMs;
    rig.clock.nowMs = Date.UTC(2026, 2, 3, 12);
    const untilMs = Date.UTC(2026, 2, 5);
    t.match(await decide('run:h'), { decide: 'hold', untilMs });
    t.match(await decide('run:i', call({ quietTime: 'none' })), { decide: 'send' });
    const hold = { id: 'run:h', journeyId: 'j', contactId, contactPointId: 'p' };
    const held = { ...hold, channel: 'voice' as const, releaseAtMs: untilMs };
    await database.db.transaction().execute((tx) => holdSend(tx, writerFor(rig), held));
    t.equal(await countHeld(database.db, 'j'), 1);
    const released = (nowMs: number) =>
      database.db.transaction().execute((tx) => releaseSends(database, tx, { nowMs, limit: 9 }));
    t.same(await released(untilMs - 1), []);
    t.match(await released(untilMs), [{ id: 'run:h' }]);
    t.equal(await countHeld(database.db, 'j'), 0);
    rig.clock.nowMs = before;
  });

  await t.test(
    '[JRN-46] caps of 7 and 30 days roll as well, and nothing is forgotten early',
    async (t) => {
      await database.db.deleteFrom('sends').execute();
      const caps = async (voice: Json): Promise<void> => {
        const { version } = (await rig.get('/v1/consent/frequency-cap')).body;
        const set = await rig.ask({
          ...{ method: 'PUT', url: '/v1/consent/frequency-cap' },
          ...{ headers: { 'if-match': `"${String(version)}"` }, body: { voice } },
        });
        t.equal(set.status, 200, set.text);
      };
      let asked = 0;
      const isSent = async (afterMs: number): Promise<boolean> => {
        rig.clock.nowMs += afterMs;
        await forgetSends(database, rig.clock.nowMs);
        const sending = { ...call(), notAfterMs: rig.clock.nowMs + 3_600_000 };
        const { decide: decided } = await decide(`rolling:${(asked += 1)}`, sending);
        return decided === 'send';
      };
      for (const [limit, days] of [
        ['perWeek', 7],
        ['perMonth', 30],
      ] as const) {
        await caps({ [limit]: 2 });
        t.equal(await isSent(0), true, limit);
        t.equal(await isSent(2 * DAY_MS), true, limit);
        t.equal(await isSent((days - 2) * DAY_MS - 1), false, `${limit}: a millisecond before`);
        t.equal(await isSent(1), true, `${limit}: the first one counts no more`);
        t.equal(await isSent(2 * DAY_MS - 1), false, `${limit}: the second one still counts`);
        t.equal(await isSent(1), true, limit);
        await database.db.deleteFrom('sends').execute();
      }
      await caps({ perDay: 1, perWeek: 2, perMonth: 3 });
      t.equal(await isSent(0), true);
      t.equal(await isSent(DAY_MS), true, 'a day has room again');
      t.equal(await isSent(DAY_MS), false, 'and the week has not');
      t.equal(await isSent(5 * DAY_MS), true);
      t.equal(await isSent(8 * DAY_MS), false, 'nor the month, 15 days after the first');
      t.equal(await isSent(15 * DAY_MS), true, '30 days after it');
    },
  );
}

const PEOPLE: readonly Json[] = [
  { city: 'Utrecht', attributes: { Balance: '120.50', Due: '2026-03-02', Vip: 'TRUE' } },
  {
    city: ' utrecht ',
    attributes: { Balance: '1e2', Due: '2026-03-02T23:59:00+02:00', Vip: 'no' },
  },
  { city: 'ÅRHUS', state: 'WA', attributes: { Balance: '-3', Due: '2026-02-30' } },
  { city: 'århus', attributes: { Balance: ' 7 ', Due: '2026-03-09T15:00:00.250Z', "o'ne": 'x' } },
  { city: 'İzmir', attributes: { Balance: '.5', Due: 'tomorrow', 'a"b.c': '100%' } },
  {
    attributes: { Balance: '', Due: '1970-01-01', Vip: 'false' },
    phones: { home: '+46850551000' },
  },
  { city: '50%_off', attributes: { Balance: '0', Due: '1969-12-31T23:59:59Z' } },
  { city: '-', attributes: { Balance: '9007199254740993', Due: '2026-03-01T15:00:00Z' } },
];
const NAMES = ['city', 'state', 'Balance', 'Due', 'Vip', "o'ne", 'a"b.c', 'missing', 'createdAt'];
const OPERANDS = [
  ...['utrecht', 'Århus', 'å', '%', '_', '', ' ', 'x', '100%', '7', '120.5', '1e2', '-3', 'i̇zmir'],
  ...['2026-03-02', '2026-03-02T15:00:00Z', '1970-01-01', '2026-02-30', '0', 'WA', "'", '+46'],
];
const DURATIONS = ['1d', '7d', '36h', '90d', '1m'];

/** Where a comparison turns: chance seldom meets them. */
const EDGES = (
  [
    ...['equals', 'lessThan', 'atMost', 'greaterThan', 'atLeast'].map((operator) => {
      return { attribute: 'Balance', operator, value: 7 };
    }),
    { attribute: 'Balance', operator: 'between', value: [7, 100] },
    { attribute: 'Balance', operator: 'between', value: [-3, 7] },
    ...['before', 'on', 'after'].flatMap((operator) => [
      { attribute: 'Due', operator, value: '2026-03-02' },
      { attribute: 'Due', operator, value: '1970-01-01' },
    ]),
  ] as const
).map((test) => [{ from: 'contact', ...test }] as [Condition]);

/** Any condition that a segment may have, and many that it would be refused for. */
function conditions(): fc.Arbitrary<Condition> {
  const operator = fc.constantFrom(...new Set(Object.values(OPERATORS_OF).flat()));
  const operand = fc.oneof(fc.constantFrom(...OPERANDS), fc.integer({ min: -5, max: 130 }));
  const test = operator.chain((name) => {
    const attribute = fc.constantFrom(...NAMES);
    const common = { from: fc.constant('contact'), attribute, operator: fc.constant(name) };
    const other = fc.record({ from: fc.constant('contact'), attribute: fc.constantFrom(...NAMES) });
    switch (operandKindOf(name)) {
      case 'none':
        return fc.record(common);
      case 'many':
        return fc.record({ ...common, value: fc.array(operand, { minLength: 1, maxLength: 3 }) });
      case 'two':
        return fc.record({ ...common, value: fc.tuple(operand, operand) });
      case 'duration':
        return fc.record({ ...common, value: fc.constantFrom(...DURATIONS) });
      case 'one':
        return fc.oneof(
          fc.record({ ...common, value: operand }),
          fc.record({ ...common, valueFrom: other }),
        );
    }
  });
  const phone = fc.record({
    ...{ from: fc.constant('contact'), attribute: fc.constantFrom('mobile', 'home') },
    operator: fc.constantFrom('is', 'beginsWith', 'contains', 'isNot'),
    value: fc.constantFrom('+1', '+12025550101', '+46850551000', '55'),
  });
  const member = fc.record({
    segment: fc.constant('Some'),
    operator: fc.constantFrom('isMember', 'isNotMember'),
  });
  const one = fc.oneof({ weight: 8, arbitrary: test }, phone, member);
  const several = (part: fc.Arbitrary<unknown>) => fc.array(part, { minLength: 1, maxLength: 3 });
  return fc.oneof(
    one,
    fc.record({ all: several(fc.oneof(one, fc.record({ any: several(one) }))) }),
    fc.record({ any: several(fc.oneof(one, fc.record({ all: several(one) }))) }),
  ) as fc.Arbitrary<Condition>;
}

async function segmentTests(t: Test, target: StoreTarget, seed: number): Promise<void> {
  const rig = await ApiRig.open(t, target.place(t), { isAttached: false });
  const { database } = rig;
  const contactIds: string[] = [];
  for (const [index, more] of PEOPLE.entries()) {
    const phones = { mobile: `+1202555010${index}`, ...(more['phones'] as Json | undefined) };
    const person = { uniqueIdentifier: `C-${index}`, ...more, phones };
    contactIds.push(await rig.make('/v1/contacts', person));
  }
  const list = await rig.make('/v1/segments', { name: 'Some', kind: 'static' });

  await t.test('a list takes contacts by hand and by file, each once', async (t) => {
    const url = `/v1/segments/${list}/members`;
    const added = await rig.post(url, { uniqueIdentifiers: ['C-1', 'C-2', 'C-2', 'nobody'] });
    t.match(added, { status: 200, body: { added: 2, unknown: ['nobody'] } });
    const headers = { 'content-type': 'text/csv' };
    const file = await rig.post(`${url}/file`, 'UniqueIdentifier\nC-2\nC-3\nC-99\n', headers);
    t.match(file.body, { rowsRead: 3, added: 1, unknown: 1, firstUnknownLines: [4] });
    t.match(await rig.ask({ method: 'DELETE', url: `${url}/${contactIds[2]}` }), { status: 200 });
    t.match(await rig.ask({ method: 'DELETE', url: `${url}/${contactIds[2]}` }), { status: 404 });
    t.match((await rig.get(`/v1/segments/${list}`)).body, { memberCount: 2 });
    t.same(
      ((await rig.get(url)).body['items'] as Json[]).map(({ contactId }) => contactId),
      [contactIds[3], contactIds[1]],
    );
  });

  await t.test('SQL finds whom the interpreter finds, for any condition (property)', async (t) => {
    const writer = writerFor(rig);
    await feedContacts(writer);
    const contacts = await database.db.selectFrom('contacts').selectAll().orderBy('id').execute();
    const points = await database.db.selectFrom('contact_points').selectAll().execute();
    const numberOf = (id: string | null) => points.find((point) => point.id === id)?.value;
    const members = [contactIds[3], contactIds[1]];
    const judged = (condition: Condition): string[] =>
      contacts
        .filter((contact) => {
          const values = contactValues(contact);
          const phones = new Map([
            ['mobile', numberOf(contact.mobile_point_id)],
            ['home', numberOf(contact.home_point_id)],
          ]);
          const known = {
            ...{ nowMs: writer.nowMs, timeZone: 'UTC' },
            valueOf: (_: string, name: string) => phones.get(name) ?? values.get(name),
            isMember: () => members.includes(contact.id),
          };
          return judgeCondition(condition, known).holds;
        })
        .map(({ id }) => id);
    const found = async (condition: Condition): Promise<string[]> => {
      const holds = await holdsOf(database.db, writer, condition);
      const rows = await fitting(database.db, rig.businessUnitId, holds)
        .select('c.id as id')
        .orderBy('c.id')
        .execute();
      return rows.map(({ id }) => id);
    };
    let fits = 0;
    const agrees = fc.asyncProperty(conditions(), async (condition) => {
      const expected = judged(condition);
      if (expected.length > 0 && expected.length < contacts.length) fits += 1;
      const got = await found(condition);
      if (JSON.stringify(got) !== JSON.stringify(expected)) {
        throw new Error(`found ${got.length}, judged ${expected.length}`);
      }
    });
    await fc.assert(agrees, { numRuns: 300, seed, examples: EDGES });
    t.ok(fits > 25, `${fits} conditions told people apart`);
    t.equal(foldedText(' İ '), 'i̇', 'what neither database folds alone');
  });

  await t.test('a condition is refused with every fault of it, and tried before', async (t) => {
    const test = (more: Json) => ({ from: 'contact', attribute: 'city', operator: 'is', ...more });
    const refused = async (condition: unknown, place: string) => {
      const answer = await rig.post('/v1/segments/preview', { condition });
      t.match(answer, { status: 400, body: { errors: [{ pointer: place }] } }, place);
    };
    await refused(test({ value: 'x', operator: 'sounds' }), '/condition/operator');
    await refused(test({ value: 'x', from: 'entry' }), '/condition/from');
    await refused(test({ operator: 'between', value: [1] }), '/condition/value');
    await refused(
      test({ attribute: 'mobile', operator: 'atLeast', value: 1 }),
      '/condition/operator',
    );
    await refused({ all: [{ segment: 'None', operator: 'isMember' }] }, '/condition/all/0/segment');
    const preview = await rig.post('/v1/segments/preview', {
      condition: test({ value: 'utrecht' }),
    });
    t.match(preview, { status: 200, body: { count: 2, isExact: true } });
  });

  await t.test('[JRN-38] one-time, ongoing and repeating find people when they say', async (t) => {
    const condition = { from: 'contact', attribute: 'city', operator: 'is', value: 'Oslo' };
    const make = (name: string, more: Json) =>
      rig.make('/v1/segments', { name, kind: 'dynamic', condition, ...more });
    const once = await make('Once', { evaluation: 'oneTime' });
    const ongoing = await make('Ongoing', { evaluation: 'ongoing' });
    const repeating = await make('Repeating', { evaluation: 'repeating', every: '1h' });
    const members = async (id: string) => (await rig.get(`/v1/segments/${id}`)).body['memberCount'];
    const counts = async () => [
      await members(once),
      await members(ongoing),
      await members(repeating),
    ];
    const turn = async () => {
      const options = { owner: 'a', leaseMs: 1_000, pageSize: 3, nowMs: () => rig.clock.nowMs };
      await feedContacts(writerFor(rig));
      for (;;) {
        const taken = await takeDueSegment(database, options);
        if (taken === undefined) return;
        await runRound(writerFor(rig), taken, options);
      }
    };
    const move = async (index: number, city: string) => {
      rig.clock.nowMs += 1_000;
      const body = { uniqueIdentifier: `C-${index}`, city };
      t.equal((await rig.post('/v1/contacts', body)).status, 200);
    };
    await move(0, 'Oslo');
    await turn();
    t.same(await counts(), [1, 1, 1]);
    await move(1, 'Oslo');
    await move(0, 'Bergen');
    await turn();
    t.same(await counts(), [1, 1, 1], 'one left the ongoing one as another joined');
    t.same(((await rig.get(`/v1/segments/${ongoing}/members`)).body['items'] as Json[]).length, 1);
    await move(4, 'Oslo');
    await turn();
    t.same(await counts(), [1, 2, 1]);
    rig.clock.nowMs += 3_600_000;
    await turn();
    t.same(await counts(), [1, 2, 2], 'the next round');
    const told = await database.db
      .selectFrom('trigger_occurrences')
      .select(['trigger_name', 'contact_id', 'payload'])
      .where('kind', '=', 'segment')
      .orderBy('seq')
      .execute();
    const ofOngoing = told.filter(({ payload }) => payload.includes(ongoing));
    t.same(
      ofOngoing.map(({ trigger_name: name, contact_id: id }) => [name, contactIds.indexOf(id)]),
      [
        ['segmentEntered', 0],
        ['segmentEntered', 1],
        ['segmentLeft', 0],
        ['segmentEntered', 4],
      ],
      'each told once, in order',
    );
  });

  await t.test('a round that breaks off goes on behind its last page', async (t) => {
    const condition = { from: 'contact', attribute: 'city', operator: 'hasValue' };
    const segment = { name: 'Broken off', kind: 'dynamic', condition, evaluation: 'oneTime' };
    const id = await rig.make('/v1/segments', segment);
    const writer = writerFor(rig);
    let pages = 0;
    const nowMs = () => rig.clock.nowMs;
    const first = { owner: 'a', leaseMs: 1_000, pageSize: 2, nowMs, stopped: () => pages++ === 2 };
    const taken = await takeDueSegment(database, first);
    t.equal(taken?.id, id);
    if (taken === undefined) return;
    t.equal(await runRound(writer, taken, first), undefined);
    const second = { owner: 'b', leaseMs: 1_000, pageSize: 2, nowMs };
    t.equal(await takeDueSegment(database, second), undefined, 'it is still leased');
    rig.clock.nowMs += 1_001;
    const again = await takeDueSegment(database, second);
    t.equal(again?.scan_after_id, contactIds[3]);
    if (again === undefined) return;
    t.same(await runRound(writer, taken, first), undefined, 'the first has lost it');
    const moved = await runRound(writer, again, second);
    t.equal(moved?.entered, PEOPLE.filter(({ city }) => city !== undefined).length - 4);
    t.match((await rig.get(`/v1/segments/${id}`)).body, { memberCount: 7, rounds: 1, dueAt: null });
  });
}

async function triggerTests(t: Test, target: StoreTarget): Promise<void> {
  const rig = await ApiRig.open(t, target.place(t), { isAttached: false });
  const { database } = rig;
  const contactId = await rig.make('/v1/contacts', { uniqueIdentifier: 'C-1' });
  const other = await rig.make('/v1/contacts', { uniqueIdentifier: 'C-2' });
  const types = ['text', 'number', 'boolean', 'dateTime', 'reference'];
  const attributes = types.map((type) => ({ name: type, type }));
  const fits = { text: 'a', number: 1.5, boolean: true, dateTime: '2026-03-02', reference: 'r-1' };

  await t.test('[JRN-36] five types of attributes, and only what fits them', async (t) => {
    const trigger = { name: 'ordered', kind: 'business', attributes };
    const id = await rig.make('/v1/triggers', trigger);
    const url = `/v1/triggers/${id}/occurrences`;
    t.match(await rig.post(url, { contactId }), { status: 409, body: { code: 'NOT_CHANGEABLE' } });
    t.match(await change(rig, `/v1/triggers/${id}`, 1, { state: 'ready' }), { status: 200 });
    t.match(await rig.post(url, { contactId, attributes: fits }), {
      ...{ status: 202, body: { recorded: true } },
    });
    const wrong = { text: 1, number: '1', boolean: 'true', dateTime: '2026-02-30', reference: 2 };
    for (const [name, value] of Object.entries({ ...wrong, texts: 'a' })) {
      t.match(
        await rig.post(url, { contactId, attributes: { [name]: value } }),
        { status: 400, body: { errors: [{ pointer: `/attributes/${name}` }] } },
        name,
      );
    }
    t.match(await rig.post(url, { contactId: rig.ids.id() }), { status: 404 });
    for (const type of types as (keyof typeof OPERATORS_OF)[]) {
      const [own = ''] = OPERATORS_OF[type];
      const strange = ['beginsWith', 'atLeast', 'isTrue', 'before', 'containsAny'].find(
        (operator) => !(OPERATORS_OF[type] as readonly string[]).includes(operator),
      );
      const made = (operator: string) => {
        const value = { isTrue: undefined, equals: 1, before: '2026-03-02' }[operator];
        const test = { from: 'trigger', attribute: type, operator, value: value ?? 'a' };
        const conditions = operator === 'isTrue' ? { ...test, value: undefined } : test;
        return rig.post('/v1/triggers', { ...trigger, name: `${type} ${operator}`, conditions });
      };
      t.match(await made(own), { status: 201 }, `${own} is for ${type}`);
      t.match(await made(strange ?? ''), {
        ...{ status: 400, body: { errors: [{ pointer: '/conditions/operator' }] } },
      });
    }
    t.match((await rig.get(`/v1/triggers/occurrences?contactId=${contactId}`)).body['items'], [
      { trigger: 'ordered', kind: 'business', attributes: fits, consumedAt: null },
    ]);
  });

  await t.test('[JRN-35] 29 conditions, not 30; what does not meet them is not kept', async (t) => {
    const test = { from: 'trigger', attribute: 'number', operator: 'atLeast', value: 10 };
    const of = (count: number) => ({ all: Array.from({ length: count }, () => test) });
    const trigger = { kind: 'custom', state: 'ready', attributes };
    const many = await rig.post('/v1/triggers', { ...trigger, name: 'a', conditions: of(30) });
    t.match(many, { status: 400, body: { errors: [{ pointer: '/conditions' }] } });
    const id = await rig.make('/v1/triggers', { ...trigger, name: 'b', conditions: of(29) });
    const raise = (number: number, headers = {}) =>
      rig.post(`/v1/triggers/${id}/occurrences`, { contactId, attributes: { number } }, headers);
    t.match((await raise(9)).body, { recorded: false });
    const headers = { 'idempotency-key': 'once' };
    const [first, second] = [await raise(10, headers), await raise(10, headers)];
    t.same([first.body, second.headers['idempotent-replayed']], [second.body, 'true']);
    const rows = await database.db
      .selectFrom('trigger_occurrences')
      .select('id')
      .where('trigger_name', '=', 'b')
      .execute();
    t.same(rows, [{ id: first.body['id'] }]);
    const own = await rig.post('/v1/triggers', { ...trigger, name: 'callEnded' });
    t.match(own, { status: 400, body: { errors: [{ pointer: '/name' }] } });
  });

  await t.test('each person’s are taken in order, by one worker at a time', async (t) => {
    await database.db.deleteFrom('trigger_occurrences').execute();
    const order = [contactId, contactId, other, contactId, other];
    for (const [n, id] of order.entries()) {
      await database.db
        .transaction()
        .execute((tx) =>
          addOccurrences(tx, writerFor(rig), [
            { trigger: 'x', kind: 'custom', contactId: id, payload: { n } },
          ]),
        );
    }
    const seen: number[] = [];
    const take = () =>
      database.db.transaction().execute(async (tx) => {
        const taken = await takeOccurrences(database, tx, 1);
        for (const { payload } of taken) seen.push((JSON.parse(payload) as { n: number }).n);
        await consumeOccurrences(tx, taken, rig.clock.nowMs);
        return taken.length;
      });
    const broken = database.db.transaction().execute(async (tx) => {
      await consumeOccurrences(tx, await takeOccurrences(database, tx, 2), 1);
      throw new Error('died');
    });
    await t.rejects(broken, /died/);
    const worker = async () => {
      while (seen.length < order.length) await take();
    };
    await Promise.all([worker(), worker(), worker()]);
    const of = (id: string) => seen.filter((n) => order[n] === id);
    t.same(
      [of(contactId), of(other)],
      [
        [0, 1, 3],
        [2, 4],
      ],
    );
    t.equal(await forgetOccurrences(database, rig.clock.nowMs + 30 * DAY_MS), 0);
    t.equal(await forgetOccurrences(database, rig.clock.nowMs + 30 * DAY_MS + 1), 5);
  });

  await t.test('[JRN-66] calls become triggers once each, with what came of them', async (t) => {
    const options = { database, ids: rig.ids, nowMs: () => rig.clock.nowMs, limit: 2 };
    await beginProjecting(options);
    const { id: engagementId } = await rig.engagement();
    const contact = { uniqueIdentifier: 'C-1', phones: { mobile: PHONE } };
    const taskId = await rig.make('/v1/tasks', { engagementId, contacts: [contact] });
    const deliveryId = await endedCall(rig, { engagementId, taskId, contactId });
    await settledEvents(database);
    let looked = 0;
    for (let count = 1; count > 0; looked += count) count = await projectInteractions(options);
    t.ok(looked > 5, `${looked} events in pages of 2`);
    t.equal(await projectInteractions(options), 0, 'and once');
    const rows = await database.db
      .selectFrom('trigger_occurrences')
      .selectAll()
      .orderBy('seq')
      .execute();
    const ids = { DeliveryId: deliveryId, DeliveryTaskId: taskId, EngagementId: engagementId };
    t.ok(rows.every((row) => row.contact_id === contactId && row.kind === 'interaction'));
    t.same(
      rows.map(({ trigger_name: name, payload }) => [name, JSON.parse(payload) as unknown]),
      [
        ['callEnded', { ...ids, Result: 'LiveAnswer', Answered: true }],
        ['dispositionsRecorded', { ...ids, DispositionCodes: ['Call "back"', 'Sold'] }],
        ['attributesReturned', { ...ids, Outcome: 'Reschedule' }],
        [
          'deliveryTaskEnded',
          {
            ...ids,
            ...{ Outcome: 'Reschedule', Attempted: true, Result: 'LiveAnswer', Attempts: 1 },
            DispositionCodes: ['Call "back"', 'Sold'],
          },
        ],
      ],
    );
  });
}

/** The rows and events of a call that reached somebody, as the dialer writes them. */
async function endedCall(
  rig: ApiRig,
  ids: { engagementId: string; taskId: string; contactId: string },
): Promise<string> {
  const { businessUnitId: business_unit_id, clock } = rig;
  const [deliveryId, attemptId] = [rig.ids.id(), rig.ids.id()];
  const at = { created_at_ms: clock.nowMs, updated_at_ms: clock.nowMs };
  const common = { business_unit_id, engagement_id: ids.engagementId, task_id: ids.taskId };
  await rig.database.db.transaction().execute(async (tx) => {
    const delivery = {
      ...{ id: deliveryId, ...common, contact_id: ids.contactId, seq_no: 1, channel: 'voice' },
      ...{ status: 'Complete', dial_mode: 'copilot', queue_id: 'q', result: 'LiveAnswer' },
      ...{ customer_connected_at_ms: clock.nowMs, disposition_codes: '"Call \\"back\\"","Sold"' },
      ...{ exceeded_customer_wait_threshold: 0, speech_detected: 1, ...at },
    };
    await tx.insertInto('deliveries').values(delivery).execute();
    const attempt = {
      ...{ id: attemptId, ...common, delivery_id: deliveryId, contact_point_id: 'p', fence: 1 },
      ...{ gateway_id: 'g', trunk: 'carrier', phase: 'ended', invites: 1, ai_handled: 1 },
      ...{ created_at_ms: clock.nowMs, machine_version: '1' },
    };
    await tx.insertInto('attempts').values(attempt).execute();
    const returned = { type: 'Result', keyword: 'Outcome', value: 'Reschedule' };
    const attribute = { delivery_id: deliveryId, business_unit_id, ...returned };
    await tx.insertInto('delivery_attributes').values(attribute).execute();
    await tx
      .updateTable('tasks')
      .set({ state: 'final', status: 'Complete', attempt_count: 1, last_result: 'LiveAnswer' })
      .where('id', '=', ids.taskId)
      .execute();
    const streamId = `task:${ids.taskId}`;
    const actor = 'test';
    await appendEvents(tx, business_unit_id, clock.nowMs, [
      {
        ...{ streamId, type: 'attempt.recorded', actor },
        payload: { attemptId, deliveryId, result: 'LiveAnswer', subReason: null, wasTried: true },
      },
      {
        ...{ streamId, type: 'delivery.dispositionsRecorded', actor },
        payload: { deliveryId, codes: ['Call "back"', 'Sold'] },
      },
      { streamId: `attempt:${attemptId}`, type: 'aiAgent.returned', actor, payload: {} },
      {
        ...{ streamId, type: 'task.finished', actor },
        payload: { result: 'LiveAnswer', subReason: null },
      },
    ]);
  });
  return deliveryId;
}

const targets = await storeTargets(t);
for (const [index, target] of targets.entries()) {
  void t.test(target.name, async (t) => {
    await t.test('consent', (t) => consentTests(t, target));
    await t.test('sending', (t) => sendingTests(t, target));
    await t.test('segments', (t) => segmentTests(t, target, 20_260_302 + index));
    await t.test('triggers', (t) => triggerTests(t, target));
  });
}
