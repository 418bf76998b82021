/** Goal: journeys in numbers are exact, quick with many people, and the same on both databases. */
import { CompiledQuery, sql } from 'kysely';
import t, { type Test } from 'tap';
import { letPeopleIn } from '../../dialer/journeys/entry/let-people-in.ts';
import { findOutcomes } from '../../dialer/journeys/analytics/find-outcomes.ts';
import { personTimeline } from '../../dialer/journeys/analytics/person-timeline.ts';
import { readAnalytics } from '../../dialer/journeys/analytics/version-analytics.ts';
import { variantsOf } from '../../dialer/journeys/analytics/variants.ts';
import { tellRuns } from '../../dialer/journeys/runs/tell-runs.ts';
import { measureJourneys } from '../../dialer/metrics/measure-journeys.ts';
import { PrometheusMeter } from '../../dialer/metrics/prometheus-meter.ts';
import type { Journey } from '../../journey-core/definition/journey.schema.ts';
import type { Json } from '../support/api-rig.ts';
import { JourneyRig } from '../support/journey-rig.ts';
import { silentLog } from '../support/silent-log.ts';
import { storeTargets, type StoreTarget } from '../support/store-target.ts';

t.setTimeout(240_000);

const DAY_MS = 86_400_000;
const ENGAGEMENT = 'Confirm delivery';
const compliance = { profile: 'Deliveries', purpose: 'Slots' };

const STEPS: Journey['steps'] = [
  { id: 'call', type: 'voice', engagement: ENGAGEMENT, compliance, next: 'outcome' },
  {
    ...{ id: 'outcome', type: 'waitFor' },
    on: [
      { step: 'call', is: 'attempted', next: 'reached' },
      { step: 'call', is: 'notAttempted', next: 'done' },
      { step: 'call', is: 'blocked', next: 'done' },
    ],
    timeout: { after: '3d', next: 'done' },
  },
  {
    ...{ id: 'reached', type: 'branch', title: 'Was somebody there?' },
    branches: [
      {
        title: 'a person',
        when: { from: 'call', attribute: 'Result', operator: 'is', value: 'LiveAnswer' },
        next: 'later',
      },
    ],
    otherwise: 'done',
  },
  { id: 'later', type: 'wait', for: '5d', next: 'done' },
  { id: 'done', type: 'exit' },
];
const GOAL: NonNullable<Journey['goal']> = { trigger: 'slotConfirmed', targetPercent: 20 };

async function openRig(t: Test, target: StoreTarget) {
  const rig = await JourneyRig.open(t, target.place(t));
  const purpose = { name: 'Slots', type: 'commercial', enforcement: 'restrictive' };
  await rig.profile('Deliveries', {}, [purpose]);
  const { items } = (await rig.api.get('/v1/consent/purposes?limit=200')).body as { items: Json[] };
  const purposeId = items.find(({ name }) => name === 'Slots')?.['id'];
  const { id: engagementId } = await rig.api.engagement({ name: ENGAGEMENT });
  let phones = 0;
  /** Somebody with a telephone, who wants to be called or has not said so. */
  const person = async (wants: boolean, more: Json = {}): Promise<string> => {
    const address = `+1202555${String((phones += 1)).padStart(4, '0')}`;
    const contactId = await rig.contact({ mobile: address }, more);
    const status = 'optedIn';
    if (wants) {
      const said = { channel: 'voice', address, purposeId, status };
      await rig.api.post('/v1/consent/records', said);
    }
    return contactId;
  };
  const tell = async (runId: string, trigger: string): Promise<void> => {
    const event = { type: 'trigger', id: `${runId}:${trigger}`, trigger } as const;
    await rig.api.database.db
      .transaction()
      .execute((tx) => tellRuns(tx, rig.writer(), [{ runId, id: event.id, event }]));
    await rig.settle();
  };
  return { rig, engagementId, person, tell };
}

async function peopleTests(t: Test, target: StoreTarget): Promise<void> {
  const { rig, engagementId, person, tell } = await openRig(t, target);
  const { api } = rig;
  const journeyId = await rig.journey(STEPS, { name: 'Delivery tomorrow', goal: GOAL });
  const url = `/v1/journeys/${journeyId}`;
  const wanting = [await person(true), await person(true), await person(true)];
  const formula = await person(false, { uniqueIdentifier: '=cmd|"/c calc"!A1' });
  const phoneless = await rig.contact({});
  const runs: string[] = [];
  for (const contactId of [...wanting, formula, phoneless]) {
    runs.push(await rig.enter(journeyId, contactId));
    rig.api.clock.nowMs += 1;
  }
  await rig.settle();
  const results = ['LiveAnswer', 'Busy', 'InvalidAddress'] as const;
  for (const start of await rig.claim(engagementId)) {
    const result = results[wanting.indexOf(start.task.contact_id)] ?? 'Error';
    await rig.end(start, { result, retryClass: 'none' });
  }
  await rig.settle();
  await tell(runs[0] ?? '', 'slotConfirmed');

  await t.test('[JRN-65] [JRN-43] a version in numbers', async (t) => {
    const { body } = await api.get(`${url}/analytics`);
    t.match(body, {
      ...{ version: 1, state: 'live', entered: 5, inside: 1, exited: { completed: 4 } },
      goal: { trigger: 'slotConfirmed', targetPercent: 20, reached: 1, percent: 20, isMet: true },
      conversations: {
        ...{ requested: 3, attempted: 2, notAttempted: 1, blocked: 2, attemptedRate: 2 / 3 },
        blockedBy: { no_consent: 1, no_contact_point: 1 },
      },
    });
    const step = (id: string) => (body['steps'] as Json[]).find((one) => one['id'] === id);
    t.match(step('call'), {
      ...{ type: 'voice', entered: 5, runs: 5, waiting: 0, left: 5, exited: {} },
      sending: {
        ...{ wanted: 5, requested: 3, heldNow: 0, pending: 0, attemptedRate: 2 / 3 },
        outcomes: { attempted: 2, notAttempted: 1, blocked: 2 },
        results: { LiveAnswer: 1, Busy: 1, InvalidAddress: 1 },
        blockedBy: { no_consent: 1, no_contact_point: 1 },
      },
    });
    t.match(step('outcome'), {
      branches: [
        { place: '/on/0/next', label: 'call attempted', next: 'reached', count: 2 },
        { place: '/on/1/next', next: 'done', count: 1 },
        { place: '/on/2/next', next: 'done', count: 2 },
        { place: '/timeout/next', next: 'done', count: 0 },
      ],
    });
    t.match(step('later'), { entered: 1, waiting: 1, left: 0 });
    t.match(step('done'), { entered: 4, waiting: 0, exited: { completed: 4 } });
    t.match(await api.get(`${url}/analytics?version=2`), { status: 404 });
    t.match(await api.get(`/v1/journeys/${api.ids.id()}/analytics`), { status: 404 });
  });

  await t.test('[JRN-63] the flow has its counts on every way', async (t) => {
    const { body } = await api.get(`${url}/flow`);
    t.match(body, {
      ...{ version: 1, entered: 5 },
      nodes: [{ id: 'call', entered: 5, waiting: 0, exited: 0 }, {}, {}, {}, { exited: 4 }],
      edges: [
        { from: 'call', to: 'outcome', count: 5 },
        { from: 'outcome', to: 'reached', label: 'call attempted', count: 2 },
        { from: 'outcome', to: 'done', label: 'call notAttempted', count: 1 },
        { from: 'outcome', to: 'done', label: 'call blocked', count: 2 },
        { from: 'outcome', to: 'done', label: 'after 3d', count: 0 },
        { from: 'reached', to: 'later', label: 'a person', count: 1 },
        { from: 'reached', to: 'done', label: 'otherwise', count: 1 },
        { from: 'later', to: 'done', count: 0 },
      ],
    });
    const mermaid = String(body['mermaid']);
    t.match(mermaid, 'entry(["on begin"]) -->|"5"| s1');
    t.match(mermaid, 's2 -->|"call blocked: 2"| s5');
    t.match(mermaid, 's3 -->|"a person: 1"| s4');
    t.match(mermaid, '1, 1 waiting');
  });

  await t.test('[JRN-64] who was blocked, by reason, page by page and as a file', async (t) => {
    const first = (await api.get(`${url}/blocked?limit=1`)).body as {
      items: Json[];
      nextCursor: string;
    };
    const second = await api.get(`${url}/blocked?limit=1&cursor=${first.nextCursor}`);
    const both = [...first.items, ...(second.body['items'] as Json[])];
    t.equal(second.body['nextCursor'], null);
    t.same(new Set(both.map(({ contactId }) => contactId)), new Set([formula, phoneless]));
    const { body } = await api.get(`${url}/blocked?reason=no_consent`);
    t.match(body, {
      items: [
        {
          ...{ contactId: formula, runId: runs[3], stepId: 'call', visit: 1, version: 1 },
          ...{ reason: 'no_consent', number: '+12025550004', isTest: false },
        },
      ],
    });
    const reader = await api.key('read');
    const masked = await api.get(`${url}/blocked?reason=no_consent`, reader);
    t.match(masked.body['items'], [{ number: '+1…04' }], 'masked for who may not see numbers');
    const file = await api.get(`${url}/blocked.csv`, reader);
    t.match(file.headers, { 'content-disposition': /blocked\.csv/, 'content-type': /text\/csv/ });
    const lines = file.text.split('\r\n');
    t.equal(lines.length, 4, 'a head, two people, and the end');
    const line = lines.find((one) => one.includes('no_consent')) ?? '';
    t.match(line, `"'=cmd|""/c calc""!A1",+1…04,${formula},1,call,1,`, 'no formula, no number');
    t.match(await api.get(`${url}/blocked?cursor=x`), { status: 400 });
    t.match(await api.get(`/v1/journeys/${api.ids.id()}/blocked.csv`), { status: 404 });
  });

  await t.test('[JRN-64] what came of each conversation', async (t) => {
    const { body } = await api.get(`${url}/deliveries?outcome=attempted&result=Busy`);
    t.match(body, {
      ...{ nextCursor: null },
      items: [{ contactId: wanting[1], outcome: 'attempted', result: 'Busy', attempts: 1 }],
    });
    const [item] = body['items'] as Json[];
    const [task] = await rig.tasks(runs[1] ?? '');
    t.equal(item?.['taskId'], task?.id);
    const file = await api.get(`${url}/deliveries.csv?from=2027-03-01T00:00:00Z`);
    t.equal(file.text.split('\r\n').length, 7, 'a head, five outcomes, and the end');
    t.match(file.text, /,notAttempted,InvalidAddress,1,,/);
    const none = await api.get(`${url}/deliveries?before=2027-03-01T00:00:00Z`);
    t.same(none.body, { items: [], nextCursor: null });
  });

  await t.test('a person’s timeline has the verdicts with the records that decided', async (t) => {
    const of = async (contactId: string | undefined, more = '') => {
      const { body } = await api.get(
        `/v1/contacts/${String(contactId)}/journey-timeline?limit=200${more}`,
      );
      return (body['items'] as Json[]).toReversed();
    };
    const timeline = await of(wanting[0]);
    t.same(
      timeline.map(({ kind, stepId, place }) => [kind, stepId, place].filter(Boolean).join(' ')),
      [
        ...['entry', 'step call', 'choice call /next', 'step outcome', 'requested call voice'],
        ...['outcome call attempted', 'choice outcome /on/0/next', 'step reached'],
        ...['choice reached /branches/0/next', 'step later', 'goal'],
      ],
    );
    const requested = timeline.find(({ kind }) => kind === 'requested');
    t.match(requested, {
      ...{ journeyName: 'Delivery tomorrow', version: 1, runId: runs[0] },
      verdict: {
        ...{ decide: 'send', reason: null },
        points: [{ consent: { passes: true, cells: [{ of: 'purpose', recordId: String }] } }],
      },
    });
    const branch = timeline.find(({ stepId, kind }) => stepId === 'reached' && kind === 'choice');
    t.match(branch, { detail: { because: 'a person', findings: [{ holds: true }] } });
    const blocked = (await of(formula)).find(({ kind }) => kind === 'outcome');
    t.match(blocked, {
      ...{ place: 'blocked', code: 'no_consent' },
      verdict: { decide: 'block', points: [{ consent: { passes: false } }] },
    });
    t.same(await of(formula, `&runId=${runs[0]}`), []);
    const { status } = await api.get(`/v1/contacts/${api.ids.id()}/journey-timeline`);
    t.equal(status, 404);
  });

  await t.test('[JRN-54] a new version counts its own people', async (t) => {
    const { db } = api.database;
    const version = await db.selectFrom('journey_versions').selectAll().executeTakeFirstOrThrow();
    const journey = JSON.parse(version.definition) as Journey;
    const second = { ...version, number: 2, published_at_ms: rig.nowMs };
    await db.insertInto('journey_versions').values(second).execute();
    await db.updateTable('journeys').set({ live_version: 2, latest_version: 2 }).execute();
    const contactId = await person(true);
    const by = { trigger: 'begin', attributes: {} };
    await db
      .transaction()
      .execute((tx) =>
        letPeopleIn(
          tx,
          { ids: api.ids, nowMs: rig.nowMs },
          { businessUnitId: api.businessUnitId, journeyId, version: 2, journey },
          [{ contactId, by, atMs: rig.nowMs }],
        ),
      );
    await rig.settle();
    t.match((await api.get(`${url}/analytics`)).body, { version: 2, entered: 1, inside: 1 });
    t.match((await api.get(`${url}/analytics?version=1`)).body, { version: 1, entered: 5 });
    t.match((await api.get(`${url}/analytics/versions`)).body, {
      items: [
        { version: 2, entered: 1, conversations: { requested: 1, attemptedRate: 0 } },
        { version: 1, entered: 5, conversations: { attemptedRate: 2 / 3 } },
      ],
    });
    const page = (await api.get(`${url}/analytics/versions?limit=1`)).body;
    t.match(page, { items: [{ version: 2 }], nextCursor: '2' });
    const rest = await api.get(`${url}/analytics/versions?limit=1&cursor=2`);
    t.match(rest.body, { items: [{ version: 1 }], nextCursor: null });
    t.match((await api.get('/v1/journeys/overview')).body, {
      items: [
        {
          ...{ id: journeyId, name: 'Delivery tomorrow', entered: 6, inside: 2, goals: 1 },
          ...{ requestedBy: { voice: 4 }, attemptedRate: 0.5, exited: { completed: 4 } },
        },
      ],
    });
  });

  await t.test('the same as metrics, by the name of the journey', async (t) => {
    const text = await scrape(rig);
    const J = 'journey="Delivery tomorrow"';
    for (const line of [
      `journey_runs_inside{${J}} 2`,
      `journey_entered_total{${J}} 6`,
      `journey_exited_total{${J},reason="completed"} 4`,
      `journey_goals_total{${J}} 1`,
      `journey_requests_total{${J},channel="voice"} 4`,
      `journey_outcomes_total{${J},outcome="blocked"} 2`,
      `journey_blocked_total{${J},reason="no_consent"} 1`,
      `journey_attempted_ratio{${J}} 0.5`,
      'journey_journeys{state="live"} 1',
      'journey_work_overdue_seconds{work="timers"} 0',
      'journey_effects_failing 0',
    ]) {
      t.match(text, `\n${line}\n`, line);
    }
    t.notMatch(text, new RegExp(journeyId), 'no id');
    rig.api.clock.nowMs += 6 * DAY_MS;
    t.match(await scrape(rig), '\njourney_work_overdue_seconds{work="timers"} 259200\n');
    await rig.settle();
    const over = await scrape(rig);
    t.match(over, '\njourney_work_overdue_seconds{work="timers"} 0\n');
    t.match(over, `\njourney_runs_inside{${J}} 0\n`);
  });
}

async function scrape(rig: JourneyRig): Promise<string> {
  const meter = new PrometheusMeter({ log: silentLog });
  const { database } = rig.api;
  measureJourneys({ database, meter, nowMs: () => rig.nowMs, journeysMax: 50 });
  return meter.scrape();
}

async function quietTests(t: Test, target: StoreTarget): Promise<void> {
  await t.test('[JRN-48] what is held is counted while it is held', async (t) => {
    const { rig, engagementId, person } = await openRig(t, target);
    const quiet = [{ firstDay: '2027-03-01', lastDay: '2027-03-02' }];
    await rig.api.make('/v1/consent/quiet-times', { name: 'Holidays', quiet });
    const [call, ...others] = STEPS;
    const held = { ...call, quietTime: 'Holidays', sendWithin: '7d' } as Journey['steps'][number];
    const journeyId = await rig.journey([held, ...others], { name: 'Quiet' });
    await rig.enter(journeyId, await person(true));
    await rig.enter(journeyId, await person(true));
    await rig.settle();
    const url = `/v1/journeys/${journeyId}/analytics`;
    t.match((await rig.api.get(url)).body, {
      ...{ heldNow: 2, conversations: { requested: 0, attemptedRate: null } },
      steps: [{ sending: { wanted: 2, heldNow: 2, held: 2, pending: 2, requested: 0 } }],
    });
    t.match(await scrape(rig), '\njourney_sends_held{journey="Quiet"} 2\n');
    await rig.pass(2 * DAY_MS);
    t.match((await rig.api.get(url)).body, {
      ...{ heldNow: 0, conversations: { requested: 2 } },
      steps: [{ sending: { heldNow: 0, held: 2, pending: 2, requested: 2 } }],
    });
    t.equal((await rig.claim(engagementId)).length, 2, 'both are called');
  });
}

const VARIANTS: Journey['steps'] = [
  {
    ...{ id: 'test', type: 'abTest' },
    variants: [
      { id: 'short', percent: 50, next: 'stay' },
      { id: 'long', percent: 50, next: 'stay' },
    ],
  },
  { id: 'stay', type: 'wait', for: '1d', next: 'channel' },
  {
    ...{ id: 'channel', type: 'bestChannel' },
    variants: [
      { id: 'voice', next: 'rest' },
      { id: 'email', next: 'rest' },
    ],
  },
  { id: 'rest', type: 'wait', for: '1d', next: 'done' },
  { id: 'done', type: 'exit' },
];

async function variantTests(t: Test, target: StoreTarget): Promise<void> {
  await t.test('[JRN-29] the goal finds the winner, and each person’s best channel', async (t) => {
    const { rig, tell } = await openRig(t, target);
    const { database, businessUnitId } = rig.api;
    const journeyId = await rig.journey(VARIANTS, { name: 'Variants', goal: GOAL });
    const contactId = await rig.contact({ mobile: '+12025550777' });
    const variantIn = async (runId: string, stepId: string) => {
      const path = await rig.path(runId);
      return path.find(({ kind, step_id }) => kind === 'choice' && step_id === stepId)?.code;
    };
    const first = await rig.enter(journeyId, contactId);
    await rig.settle();
    await rig.pass(DAY_MS);
    const channel = await variantIn(first, 'channel');
    t.match(channel, /^(voice|email)$/);
    await tell(first, 'slotConfirmed');
    await rig.pass(DAY_MS);
    const url = `/v1/journeys/${journeyId}/analytics`;
    const steps = (await rig.api.get(url)).body['steps'] as Json[];
    t.match(
      (steps[2]?.['variants'] as Json[]).find(({ id }) => id === channel),
      { runs: 1, goals: 1, goalRate: 1, isWinner: false },
      'no test is decided by channels',
    );

    await rig.pass(1);
    const again = await rig.enter(journeyId, contactId);
    await rig.settle();
    await rig.pass(DAY_MS);
    t.equal(await variantIn(again, 'channel'), channel, 'what led to the goal before');

    // As if many had come: of the short ones 60 in 400 reach the goal, of the long ones 20 in 400.
    const rows = Object.entries({ 'variant:short': 400, 'variant:long': 400, 'goal:short': 60 });
    const key = { journey_id: journeyId, version: 1, step_id: 'test' };
    const add = async (place: string, count: number) => {
      const row = { ...key, place, business_unit_id: businessUnitId, count };
      await database.db
        .insertInto('journey_counts')
        .values(row)
        .onConflict((at) =>
          at.columns(['journey_id', 'version', 'step_id', 'place']).doUpdateSet({ count }),
        )
        .execute();
    };
    for (const [place, count] of rows) await add(place, count);
    await add('goal:long', 55);
    const newcomers = async () => {
      const runs: string[] = [];
      for (let n = 0; n < 12; n += 1) {
        runs.push(await rig.enter(journeyId, await rig.contact({})));
      }
      await rig.settle();
      return Promise.all(runs.map((runId) => variantIn(runId, 'test')));
    };
    t.equal(new Set(await newcomers()).size, 2, 'nobody has won yet');
    await add('goal:long', 20);
    t.same(new Set(await newcomers()), new Set(['short']), 'the winner, for everybody');
    await add('goal:long', 300);
    t.same(new Set(await newcomers()), new Set(['short']), 'once and for all');
    const decided = (await rig.api.get(url)).body['steps'] as Json[];
    t.match(decided[0]?.['variants'], [
      { id: 'short', isWinner: true },
      { id: 'long', isWinner: false },
    ]);
    const version = await database.db
      .selectFrom('journey_versions')
      .select('definition')
      .executeTakeFirstOrThrow();
    const asked = { journeyId, version: 1, businessUnitId, stepIds: ['test', 'channel', 'stay'] };
    const journey = JSON.parse(version.definition) as Journey;
    const variants = await database.db
      .transaction()
      .execute((tx) => variantsOf(tx, rig.nowMs, { ...asked, journey, contactIds: [contactId] }));
    t.same(variants(contactId), { test: 'short', channel });
    t.same(variants('somebody else'), { test: 'short' });
  });
}

const MANY = 50_000;
/** For each question about them, on a machine that is busy with other tests. ms */
const QUICK_MS = 3_000;

/** How the database goes about each question: by an index, in its order, whatever there is. */
async function plansAreQuick(t: Test, rig: JourneyRig, journeyId: string): Promise<void> {
  const { database, businessUnitId } = rig.api;
  if (database.kind === 'postgres') await sql`analyze`.execute(database.db);
  const asked: CompiledQuery[] = [];
  const executor = database.db.getExecutor();
  const db = database.db.withPlugin({
    transformQuery: ({ node, queryId }) => {
      asked.push(executor.compileQuery(node, queryId));
      return node;
    },
    transformResult: ({ result }) => Promise.resolve(result),
  });
  const page = { journeyId, tests: false, limit: 51 };
  const after = { atMs: rig.nowMs + MANY / 2, runId: contactOf(0), n: 1 };
  await findOutcomes({ db }, { ...page, outcome: 'blocked', after });
  await findOutcomes({ db }, { ...page, after });
  await personTimeline({ db }, { businessUnitId, contactId: contactOf(0), limit: 51 });
  await readAnalytics({ db }, { businessUnitId, journeyId });
  const meter = new PrometheusMeter({ log: silentLog });
  measureJourneys({ database: { db }, meter, nowMs: () => rig.nowMs, journeysMax: 1 });
  await meter.scrape();
  t.ok(asked.length >= 12, `${asked.length} questions`);
  const explain = database.kind === 'postgres' ? 'explain' : 'explain query plan';
  const slow =
    /SCAN (?:path|journey_path|journey_runs|journey_effects)\b(?! USING)|Seq Scan on (?:journey_path|journey_runs)/;
  for (const { sql: text, parameters } of asked) {
    const query = CompiledQuery.raw(`${explain} ${text}`, [...parameters]);
    const plan = JSON.stringify((await database.db.executeQuery(query)).rows);
    t.notMatch(plan, slow, text);
  }
}

const contactOf = (n: number): string => `00000000-0000-7000-9000-${100_000_000_000 + n}`;

/** By the databases themselves, which is quicker than to write them there. */
async function fill(rig: JourneyRig, journeyId: string): Promise<void> {
  const { database, businessUnitId } = rig.api;
  const id = (group: string) =>
    sql`${sql.lit(`00000000-0000-7000-${group}-`)} || cast(100000000000 + n as text)`;
  const people = sql`with recursive people(n) as (
    select 0 union all select n + 1 from people where n < ${sql.lit(MANY - 1)})`;
  const of = sql`${sql.lit(businessUnitId)}, ${sql.lit(journeyId)}, 1`;
  const [atMs, dueMs] = [sql.lit(rig.nowMs), sql.lit(rig.nowMs + 10 * DAY_MS)];
  await sql`insert into journey_runs (id, contact_id, business_unit_id, journey_id, version,
      is_test, status, step_id, waits_for, state, wake_at_ms, entered_at_ms, revision)
    ${people} select ${id('8000')}, ${id('9000')}, ${of},
      0, 'active', 'outcome', 'events', '{}', ${dueMs} + n, ${atMs}, 1 from people
  `.execute(database.db);
  const path = sql`insert into journey_path (run_id, contact_id, business_unit_id, journey_id, version,
    is_test, detail, n, kind, step_id, visit, place, code, at_ms)
    ${people} select ${id('8000')}, ${id('9000')}, ${of}, 0, '{}'`;
  await sql`${path}, 1, 'entry', null, null, null, null, ${atMs} + n from people
  `.execute(database.db);
  await sql`${path}, 2, 'outcome', 'call', 1,
    case when n % 1000 = 7 then 'blocked' else 'attempted' end,
    case when n % 1000 = 7 then 'no_consent' else 'Busy' end, ${atMs} + n from people
  `.execute(database.db);
}

async function manyTests(t: Test, target: StoreTarget): Promise<void> {
  await t.test(`${MANY} people change nothing about how long an answer takes`, async (t) => {
    const { rig } = await openRig(t, target);
    const { database, businessUnitId } = rig.api;
    const journeyId = await rig.journey(STEPS, { name: 'Many', goal: GOAL });
    await fill(rig, journeyId);
    const contactId = contactOf(0);
    await database.db
      .updateTable('contacts')
      .set({ id: contactId })
      .where('id', '=', await rig.contact({ mobile: '+12025550888' }))
      .execute();
    const blocked = MANY / 1_000;
    const counts = [
      ...[['', 'entry', MANY] as const, ['call', 'step', MANY] as const],
      ...[['call', 'choice:/next', MANY] as const, ['outcome', 'step', MANY] as const],
      ...[['call', 'outcome:blocked', blocked] as const],
      ...[['call', 'outcome:attempted', MANY - blocked] as const],
    ].map(([step_id, place, count]) => {
      const of = { journey_id: journeyId, version: 1, business_unit_id: businessUnitId };
      return { ...of, step_id, place, count };
    });
    await database.db.insertInto('journey_counts').values(counts).execute();
    const url = `/v1/journeys/${journeyId}`;
    const questions: readonly (readonly [string, (body: Json, text: string) => void])[] = [
      [
        `${url}/analytics`,
        (body) =>
          t.match(body, {
            entered: MANY,
            ...{ inside: MANY, conversations: { attempted: MANY - blocked, blocked } },
            steps: [{ waiting: 0, sending: { pending: 0 } }, { waiting: MANY }],
          }),
      ],
      [`${url}/flow`, (body) => t.match(body, { entered: MANY })],
      [`${url}/blocked`, (body) => t.equal((body['items'] as Json[]).length, blocked)],
      [`${url}/blocked.csv`, (_, text) => t.equal(text.split('\r\n').length, blocked + 2)],
      [`${url}/deliveries`, (body) => t.equal((body['items'] as Json[]).length, 50)],
      ['/v1/journeys/overview', (body) => t.match(body, { items: [{ entered: MANY }] })],
      [
        `/v1/contacts/${contactId}/journey-timeline`,
        (body) => t.equal((body['items'] as Json[]).length, 2),
      ],
    ];
    for (const [question, holds] of questions) {
      const beganMs = performance.now();
      const { status, body, text } = await rig.api.get(question);
      const tookMs = performance.now() - beganMs;
      t.equal(status, 200, question);
      holds(body, text);
      t.ok(tookMs < QUICK_MS, `${question}: ${tookMs.toFixed(0)} ms`);
    }
    t.match(await scrape(rig), `journey_entered_total{journey="Many"} ${MANY}`);
    await plansAreQuick(t, rig, journeyId);
  });
}

for (const target of await storeTargets(t)) {
  await t.test(target.name, async (t) => {
    await peopleTests(t, target);
    await quietTests(t, target);
    await variantTests(t, target);
    await manyTests(t, target);
  });
}
