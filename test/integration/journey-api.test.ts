/** Goal: journeys over the API: checked, published, edited, tried and ended, the same on both databases. */
import { sql, type Transaction } from 'kysely';
import t, { type Test } from 'tap';
import type { DialerError } from '../../machines/errors.ts';
import type { Journey } from '../../journey-core/definition/journey.schema.ts';
import { EntryRounds } from '../../dialer/journeys/entry/entry-rounds.ts';
import { occurrenceRouter } from '../../dialer/journeys/entry/route-occurrences.ts';
import { NO_WEBHOOKS } from '../../dialer/journeys/effects/effect-chores.ts';
import { JourneyWorker } from '../../dialer/journeys/journey-worker.ts';
import { keepingWhatIsNamed } from '../../dialer/journeys/lifecycle/assets-in-use.ts';
import { lifecycleChore } from '../../dialer/journeys/lifecycle/lifecycle-chore.ts';
import { publishJourney } from '../../dialer/journeys/lifecycle/publish-journey.ts';
import { JourneyDefinitions } from '../../dialer/journeys/runs/journey-definitions.ts';
import { RunChore } from '../../dialer/journeys/runs/run-chore.ts';
import { changeSegment } from '../../dialer/segments/segment-settings.ts';
import type { OpenDatabase } from '../../dialer/store/open-database.ts';
import type { Database } from '../../dialer/store/schema/database.ts';
import { ApiRig, type Answered, type Json } from '../support/api-rig.ts';
import { exampleNames, exampleText } from '../support/journey-example.ts';
import { silentLog } from '../support/silent-log.ts';
import { storeTargets, type StorePlace } from '../support/store-target.ts';

t.setTimeout(240_000);

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** An installation with everything that the journeys here name, and a worker that is turned by hand. */
class World {
  readonly rig: ApiRig;
  readonly #worker: JourneyWorker;
  #people = 0;

  constructor(rig: ApiRig) {
    this.rig = rig;
    const { database, ids, clock } = rig;
    const nowMs = (): number => clock.nowMs;
    const parts = {
      ...{ database, ids, nowMs, log: silentLog, definitions: new JourneyDefinitions() },
    };
    const chores = [
      lifecycleChore({ database, nowMs }),
      new EntryRounds(parts),
      occurrenceRouter(parts),
      new RunChore(parts),
    ];
    this.#worker = new JourneyWorker({ chores, log: silentLog, nowMs });
  }

  static async open(t: Test, place: StorePlace): Promise<World> {
    const rig = await ApiRig.open(t, place);
    const { queueId } = await rig.engagement();
    const filed = { intake: 'file', name: 'From a file' };
    await rig.engagement(filed);
    const workstreamId = await rig.make('/v1/workstreams', {
      ...{ name: 'Texts', channel: 'sms', number: '+12025550101' },
    });
    await rig.make('/v1/engagements', {
      ...{ name: 'Slots', channel: 'sms', workstreamId, queueId, config: {} },
    });
    const profile = async (name: string, channels: string[]) =>
      rig.make('/v1/consent/profiles', { name, channels });
    const callsId = await profile('Calls', ['voice']);
    await profile('Writing', ['sms', 'email']);
    const { items } = (await rig.get('/v1/consent/purposes?limit=200')).body as { items: Json[] };
    const commercial = items.find(
      ({ type, profileIds }) => type === 'commercial' && (profileIds as string[]).includes(callsId),
    );
    const offers = { name: 'Offers', type: 'commercial', enforcement: 'disabled' };
    const purposeId = await rig.make('/v1/consent/purposes', { ...offers, profileIds: [callsId] });
    for (const name of ['Slots', 'Prices']) {
      await rig.make('/v1/consent/topics', { name, purposeId });
    }
    if (commercial === undefined) throw new Error('a profile begins with a commercial purpose');
    const types = ['text', 'number', 'boolean', 'dateTime', 'reference'];
    await rig.make('/v1/triggers', {
      ...{ name: 'orderShipped', kind: 'custom', state: 'ready' },
      attributes: types.map((type) => ({ name: `a ${type}`, type })),
    });
    await rig.make('/v1/triggers', { name: 'unfinished', kind: 'custom', state: 'draft' });
    const every = { days: ALL_DAYS, from: '00:00', to: '24:00' };
    await rig.make('/v1/consent/quiet-times', {
      name: 'Sundays',
      quiet: [{ ...every, days: ['sunday'] }],
    });
    await rig.make('/v1/segments', { name: 'Tomorrow', kind: 'static' });
    return new World(rig);
  }

  /** Until nothing is left to do at this time. */
  work(): Promise<number> {
    return this.#worker.turn();
  }

  async contact(): Promise<string> {
    this.#people += 1;
    const uniqueIdentifier = `C-${this.#people}`;
    const phones = { mobile: `+1202555${String(1_000 + this.#people)}` };
    return this.rig.make('/v1/contacts', { uniqueIdentifier, firstName: 'Ada', phones });
  }

  async member(): Promise<string> {
    const contactId = await this.contact();
    const { items } = (await this.rig.get('/v1/segments')).body as { items: Json[] };
    const uniqueIdentifiers = [`C-${this.#people}`];
    const url = `/v1/segments/${String(items[0]?.['id'])}/members`;
    await this.rig.post(url, { uniqueIdentifiers });
    return contactId;
  }

  /** By the trigger that everybody here enters by. */
  async raise(contactId: string, attributes: Json = {}): Promise<void> {
    const { items } = (await this.rig.get('/v1/triggers?limit=200')).body as { items: Json[] };
    const trigger = items.find(({ name }) => name === 'orderShipped');
    const url = `/v1/triggers/${String(trigger?.['id'])}/occurrences`;
    const { status, body } = await this.rig.post(url, { contactId, attributes });
    if (status >= 300) throw new Error(JSON.stringify(body));
  }

  async publish(definition: Json, comment = ''): Promise<string> {
    const id = await this.rig.make('/v1/journeys', definition);
    const { status, body } = await this.order(id, 'publish', { comment });
    if (status !== 200) throw new Error(JSON.stringify(body));
    return id;
  }

  order(id: string, name: string, body: Json = {}): Promise<Answered> {
    return this.rig.post(`/v1/journeys/${id}/${name}`, body);
  }

  async edit(id: string, definition: Json): Promise<Answered> {
    const headers = { 'if-match': await this.tag(id) };
    const url = `/v1/journeys/${id}/draft`;
    return this.rig.ask({ method: 'PUT', url, headers, body: definition });
  }

  async patch(id: string, body: Json): Promise<Answered> {
    const headers = { 'if-match': await this.tag(id) };
    return this.rig.ask({ method: 'PATCH', url: `/v1/journeys/${id}`, headers, body });
  }

  async read(id: string): Promise<Json> {
    return (await this.rig.get(`/v1/journeys/${id}`)).body;
  }

  async tag(id: string): Promise<string> {
    return `"${String((await this.read(id))['version'])}"`;
  }

  async check(definition: Json): Promise<{ isPublishable: unknown; codes: string[] }> {
    const { body } = await this.rig.post('/v1/journeys/check', definition);
    const faults = body['faults'] as Json[];
    const shown = faults.map(({ pointer, code }) => `${String(code)} ${String(pointer)}`);
    return { isPublishable: body['isPublishable'], codes: shown };
  }

  async runs(id: string, query = ''): Promise<Json[]> {
    return (await this.rig.get(`/v1/journeys/${id}/runs${query}`)).body['items'] as Json[];
  }
}

const ALL_DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
const voice = (more: Json = {}): Json => ({
  ...{ id: 'call', type: 'voice', engagement: 'Appointments', next: 'done' },
  ...{ compliance: { profile: 'Calls', purpose: 'Transactional' }, ...more },
});
const sms = (more: Json = {}): Json => ({
  ...{ id: 'text', type: 'sms', engagement: 'Slots', message: 'whichDay', next: 'done', ...more },
});
const exit: Json = { id: 'done', type: 'exit' };
const wait = (length: string): Json => ({ id: 'pause', type: 'wait', for: length, next: 'done' });
const messages = [
  { name: 'whichDay', channel: 'sms', compliance: { profile: 'Writing', purpose: 'Commercial' } },
];
const byTrigger: Json = { kind: 'trigger', trigger: 'orderShipped' };
const bySegment = (frequency: string, more: Json = {}): Json => {
  return { kind: 'segment', segment: 'Tomorrow', frequency, ...more };
};

let names = 0;
const journey = (steps: readonly Json[], more: Json = {}): Json => ({
  ...{ format: 'ringfence-journey/1', name: `Journey ${(names += 1)}`, timeZone: 'UTC' },
  ...{ entry: byTrigger, steps: [...steps, exit], assets: { messages }, ...more },
});

async function definitionTests(t: Test, world: World): Promise<void> {
  const { rig } = world;
  await t.test('[JRN-04] [JRN-05] [JRN-17] [CNS-08] what a step can choose from', async (t) => {
    const { body } = await rig.get('/v1/journeys/assets');
    const { voice: calls, sms: texts } = body as unknown as Record<string, Record<string, Json[]>>;
    const named = (list?: Json[]) => (list ?? []).map(({ name }) => name);
    t.same(named(calls?.['engagements']), ['Appointments'], 'of type voice, and not fed by files');
    t.same(named(texts?.['engagements']), ['Slots']);
    t.same(named(calls?.['complianceProfiles']), ['Calls'], 'voice-capable ones alone');
    t.same(named(texts?.['complianceProfiles']), ['Writing']);
    t.ok((texts?.['results'] as unknown as string[]).includes('ConversationClosed'));
    t.ok((texts?.['results'] as unknown as string[]).includes('ResponseTimeout'));
    t.ok((texts?.['returnCodes'] as unknown as string[]).includes('ConversationCancelled'));
    t.same(body['quietTimes'], ['inherit', 'none', 'Sundays']);
    const settings = {
      ...{ quietTime: 'Sundays', sendWithin: '2h' },
      compliance: { profile: 'Calls', purpose: 'Offers', topic: 'Slots' },
    };
    const id = await rig.make('/v1/journeys', journey([voice(settings)]));
    t.match(
      (await world.read(id))['definition'],
      { steps: [voice(settings), exit] },
      'kept as set',
    );
    t.same((await world.read(id))['faults'], []);
  });

  await t.test('[CNS-06] the topics are those of the purpose', async (t) => {
    const { body } = await rig.get('/v1/journeys/assets');
    const [profile] = (body['voice'] as { complianceProfiles: Json[] }).complianceProfiles;
    const purposes = profile?.['purposes'] as Json[];
    t.match(
      purposes.find(({ name }) => name === 'Offers'),
      { topics: ['Slots', 'Prices'] },
    );
    t.notOk(
      purposes.some(({ name }) => name === 'Tracking'),
      'nothing is sent for tracking',
    );
    const of = async (compliance: Json) =>
      (await world.check(journey([voice({ compliance })]))).codes;
    const offers = { profile: 'Calls', purpose: 'Offers' };
    t.same(await of({ ...offers, topic: 'Slots' }), []);
    t.same(await of(offers), ['TOPIC_MISSING /steps/0/compliance/topic']);
    t.same(await of({ ...offers, topic: 'Weather' }), ['UNKNOWN_TOPIC /steps/0/compliance/topic']);
    t.same(await of({ ...offers, purpose: 'Transactional', topic: 'Slots' }), [
      'UNKNOWN_TOPIC /steps/0/compliance/topic',
    ]);
    t.same(await of({ ...offers, profile: 'Writing' }), [
      'CHANNEL /steps/0/compliance/profile',
      'UNKNOWN_PURPOSE /steps/0/compliance/purpose',
    ]);
  });

  await t.test(
    '[CNS-07] [CNS-09] a text takes its profile and purpose from its message',
    async (t) => {
      const compliance = { profile: 'Writing', purpose: 'Commercial' };
      t.match((await world.check(journey([sms({ compliance })]))).codes, [
        'UNKNOWN_KEY /steps/0/compliance',
      ]);
      t.match(await world.check(journey([sms()])), {
        isPublishable: true,
        codes: ['NO_LIVE_CHANNEL /steps/0'],
      });
      const carrying = (more: Json) => {
        const message = {
          name: 'whichDay',
          channel: 'sms',
          compliance: { ...compliance, ...more },
        };
        return world.check(journey([sms()], { assets: { messages: [message] } }));
      };
      t.match((await carrying({ profile: 'Calls' })).codes[0], /^CHANNEL \/assets\/messages\/0/);
      t.match(
        (await carrying({ purpose: 'None' })).codes[0],
        /^UNKNOWN_PURPOSE \/assets\/messages\/0/,
      );
      const bare = { profile: compliance.profile };
      const message = { name: 'whichDay', channel: 'sms', compliance: bare };
      t.match((await world.check(journey([sms()], { assets: { messages: [message] } }))).codes, [
        'MISSING /assets/messages/0/compliance',
      ]);
    },
  );

  await t.test('[JRN-03] [JRN-07] [JRN-22] [JRN-27] what a designer is refused', async (t) => {
    const codes = async (definition: Json) => (await world.check(definition)).codes;
    t.same(await codes(journey([voice()], { audience: 'lead' })), ['CONTACTS_ONLY /steps/0/type']);
    t.same(await codes(journey([sms()], { audience: 'profile' })), ['CONTACTS_ONLY /steps/0/type']);
    const heard = {
      ...{ id: 'outcome', type: 'waitFor', timeout: { after: '1d', next: 'done' } },
      on: ['attempted', 'notAttempted', 'blocked'].map((is) => ({
        step: 'call',
        is,
        next: 'done',
      })),
    };
    t.same(await codes(journey([voice({ next: 'outcome' }), heard])), []);
    const branch = {
      ...{ id: 'which', type: 'branch', otherwise: 'done' },
      branches: [
        {
          when: { from: 'call', attribute: 'Result', operator: 'is', value: 'Busy' },
          next: 'done',
        },
      ],
    };
    const early = journey([voice({ next: 'which' }), branch]);
    t.same(await codes(early), ['BRANCH_TOO_EARLY /steps/1/branches/0/when/from']);
    t.same(await codes(journey([wait('90d')])), []);
    t.same(await codes(journey([wait('91d')])), ['WAIT_TOO_LONG /steps/0/for']);
  });

  await t.test('[JRN-35] [JRN-36] conditions of a trigger of the store', async (t) => {
    const many = (count: number) =>
      Array.from({ length: count }, () => ({
        ...{ from: 'entry', attribute: 'a number', operator: 'atLeast', value: 3 },
      }));
    const entered = async (conditions: Json) =>
      (await world.check(journey([wait('1h')], { entry: { ...byTrigger, conditions } }))).codes;
    t.same(await entered({ all: many(29) }), []);
    t.same(await entered({ all: many(30) }), ['ENTRY_CONDITIONS_MAX /entry/conditions']);
    const fitting: Readonly<Record<string, Json>> = {
      text: { operator: 'beginsWith', value: 'NL' },
      number: { operator: 'between', value: [1, 5] },
      boolean: { operator: 'isTrue' },
      dateTime: { operator: 'inNext', value: '3d' },
      reference: { operator: 'is', value: 'an id' },
    };
    const types = Object.keys(fitting);
    for (const [index, type] of types.entries()) {
      const test = (of: string): Json => ({
        from: 'entry',
        attribute: `a ${type}`,
        ...fitting[of],
      });
      t.same(await entered(test(type)), [], type);
      const other = types[(index + 1) % types.length] ?? '';
      t.same(await entered(test(other)), ['OPERATOR_TYPE /entry/conditions/operator'], type);
    }
  });

  await t.test('[JRN-29] tests of variants and the best channel ask for the goal', async (t) => {
    const steps = [
      {
        ...{ id: 'which', type: 'abTest' },
        variants: [
          { id: 'a', percent: 50, next: 'best' },
          { id: 'b', percent: 50, next: 'best' },
        ],
      },
      {
        ...{ id: 'best', type: 'bestChannel' },
        variants: [
          { id: 'calls', next: 'done' },
          { id: 'texts', next: 'done' },
        ],
      },
    ];
    const { codes } = await world.check(journey(steps));
    t.same(codes, ['GOAL_MISSING /steps/0/type', 'GOAL_MISSING /steps/1/type']);
    const goal = { trigger: 'orderShipped', targetPercent: 30 };
    t.same((await world.check(journey(steps, { goal }))).codes, []);
  });

  await t.test('a definition as it was written has its faults by line and column', async (t) => {
    const written = [
      'name: Written',
      'format: ringfence-journey/1',
      'timeZone: UTC',
      'entry: { kind: trigger, trigger: orderShiped }',
      'steps:',
      '  - { id: pause, type: wait, for: 91d, nxt: done }',
      '  - { id: done, type: exit }',
    ].join('\n');
    const headers = { 'content-type': 'application/yaml' };
    const made = await rig.post('/v1/journeys?owner=planning', written, headers);
    t.match(made, {
      status: 201,
      body: {
        ...{ state: 'draft', owner: 'planning', draftFaults: 1 },
        faults: [{ code: 'UNKNOWN_KEY', pointer: '/steps/0/nxt', line: 6, column: 40 }],
      },
    });
    const corrected = written.replace('nxt', 'next');
    const checked = await rig.post('/v1/journeys/check', corrected, headers);
    t.match(checked.body['faults'], [
      { code: 'UNKNOWN_TRIGGER', line: 4, column: 34, remedy: /orderShipped/ },
      { code: 'WAIT_TOO_LONG', line: 6, column: 35 },
    ]);
    const json = JSON.stringify(JSON.parse(JSON.stringify({ name: 'J', steps: 3 })), null, 2);
    const own = await rig.post('/v1/journeys/check', json, { 'content-type': 'application/json' });
    t.match(
      (own.body['faults'] as Json[]).find(({ pointer }) => pointer === '/steps'),
      { code: 'TYPE', line: 3, column: 12 },
    );
    for (const body of [
      '{ "name": ',
      '[1]',
      '3',
      '{ "name": "a\\u0000" }',
      '{ "name": "" }',
      '{}',
    ]) {
      const answered = await rig.post('/v1/journeys', body, { 'content-type': 'application/json' });
      t.match(answered, { status: 400, body: { code: 'REQUEST_INVALID' } }, body);
    }
    const twice = await rig.post('/v1/journeys', 'name: a\nname: b', headers);
    t.match(twice, { status: 400, body: { errors: [{ detail: /^line 2, column 1/ }] } });
    t.match(await rig.post('/v1/journeys', 'name: Written', headers), { status: 400 }, 'taken');
    const long = `name: L\ndescription: ${'x'.repeat(131_072)}`;
    t.match(await rig.post('/v1/journeys', long, headers), { status: 413 });
    const longJson = { name: 'L', description: 'x'.repeat(131_072) };
    t.match((await rig.post('/v1/journeys/check', longJson)).body['faults'], [{ line: null }]);
    const deep = `${'['.repeat(60)}${']'.repeat(60)}`;
    t.match(await rig.post('/v1/journeys', `{"name":"d","steps":${deep}}`, headers), {
      status: 400,
    });
  });

  await t.test('what is declared and not here stands for something to be connected', async (t) => {
    const assets = {
      messages,
      segments: [{ name: 'Nobody yet', kind: 'dynamic' }],
      quietTimes: [{ name: 'Broken', quiet: [{ days: ['monday'], from: '20:00', to: '08:00' }] }],
    };
    const entry = { kind: 'segment', segment: 'Nobody yet', frequency: 'ongoing' };
    const { codes } = await world.check(journey([wait('1h')], { entry, assets }));
    t.same(codes, ['QUIET_SPAN /assets/quietTimes/0/quiet/0/to', 'ASSET_NOT_READY /entry/segment']);
  });

  await t.test(
    'each example of the documentation is a draft here that lacks what it names',
    async (t) => {
      const names = exampleNames();
      t.ok(names.length >= 12);
      for (const name of names) {
        const headers = { 'content-type': 'application/yaml' };
        const { body } = await rig.post('/v1/journeys/check', exampleText(name), headers);
        const faults = body['faults'] as Json[];
        const codes = new Set(faults.map(({ code }) => code));
        codes.delete('NO_LIVE_CHANNEL');
        codes.delete('WAIT_LACKS_OUTCOME');
        t.same([...codes], ['ASSET_NOT_READY'], name);
      }
    },
  );

  await t.test('[JRN-16] one request makes both levels behind a text conversation', async (t) => {
    const body = { definition: journey([sms()]), stepId: 'text' };
    const made = await rig.post('/v1/journeys/create-branches', body);
    t.match(made, {
      status: 200,
      body: { addedStepIds: ['textOutcome', 'textResult'], faults: [{ code: 'NO_LIVE_CHANNEL' }] },
    });
    const id = await rig.make('/v1/journeys', made.body['definition']);
    const simulated = await rig.post(`/v1/journeys/${id}/simulate`, {
      contact: { contactPoints: [{ kind: 'mobile', value: '+12025550199' }], consents: [OPTED_IN] },
      plan: { outcomes: [{ step: 'text', result: 'ResponseTimeout' }] },
    });
    const path = simulated.body['path'] as Json[];
    t.same(
      path.map(({ step }) => step),
      ['text', 'textOutcome', 'textResult', 'done'],
    );
    t.match(path[2], { left: { because: /no reply in time/ } });
    const refused = (stepId: string) =>
      rig.post('/v1/journeys/create-branches', { ...body, stepId });
    t.match(await refused('done'), { status: 400, body: { errors: [{ pointer: '/stepId' }] } });
    t.match(await refused('nobody'), { status: 400 });
  });
}

const OPTED_IN = {
  contactPoint: 'mobile',
  channel: 'sms',
  purpose: 'Commercial',
  status: 'optedIn',
};

async function lifecycleTests(t: Test, world: World): Promise<void> {
  const { rig } = world;
  await t.test(
    '[JRN-53] [CNS-05] publishing needs everything to be ready, and says what is not',
    async (t) => {
      const bare = { id: 'call', type: 'voice', engagement: 'Appointments', next: 'done' };
      const id = await rig.make('/v1/journeys', journey([bare]));
      t.match(await world.order(id, 'publish'), {
        status: 409,
        body: {
          code: 'JOURNEY_NOT_READY',
          errors: [{ pointer: '/steps/0', detail: /compliance/ }],
        },
      });
      t.match(await world.read(id), { state: 'draft', isPublishable: false, latestVersion: 0 });
      const draft = journey([voice(), sms({ id: 'later' })], {
        entry: { kind: 'trigger', trigger: 'unfinished' },
        assets: { messages: messages.map((message) => ({ ...message, state: 'draft' })) },
      });
      const steps = (draft['steps'] as Json[]).map((step) =>
        step['id'] === 'call' ? { ...step, next: 'later' } : step,
      );
      await world.edit(id, { ...draft, steps });
      const refused = await world.order(id, 'publish');
      t.match(refused, {
        status: 409,
        body: {
          errors: [
            { pointer: '/entry/trigger', detail: /is a draft/ },
            { pointer: '/steps/1/message', detail: /is a draft/ },
          ],
        },
      });
      await world.edit(id, journey([voice()]));
      t.match(await world.order(id, 'publish', { comment: 'At last' }), {
        status: 200,
        body: { state: 'live', liveVersion: 1, hasDraft: false },
      });
      t.match(await world.order(id, 'publish'), { status: 409, body: { code: 'JOURNEY_STATE' } });
    },
  );

  await t.test('[JRN-52] only a live journey lets people in', async (t) => {
    const id = await rig.make('/v1/journeys', journey([wait('1d')]));
    const enter = async () => {
      const contactId = await world.contact();
      await world.raise(contactId);
      await world.work();
      return (await world.runs(id, `?contactId=${contactId}`)).length;
    };
    t.equal(await enter(), 0, 'a draft');
    const opensAt = new Date(rig.clock.nowMs + 2 * DAY_MS).toISOString();
    const { name } = (await world.read(id))['definition'] as Journey;
    await world.edit(id, journey([wait('1d')], { name, entry: { ...byTrigger, opensAt } }));
    t.match((await world.order(id, 'publish')).body, { state: 'scheduled', liveVersion: 1 });
    t.equal(await enter(), 0, 'not open yet');
    rig.clock.nowMs += 2 * DAY_MS;
    await world.work();
    t.match(await world.read(id), { state: 'live' });
    t.equal(await enter(), 1);
    t.match((await world.order(id, 'complete')).body, { state: 'completing', liveVersion: null });
    t.equal(await enter(), 0, 'its door is closed');
    t.match(await world.runs(id, '?status=active'), [{ stepId: 'pause', waitsFor: 'time' }]);
    rig.clock.nowMs += DAY_MS + 1;
    await world.work();
    t.match(await world.read(id), { state: 'completed', isEditable: false });
    t.match(
      await world.runs(id),
      [{ status: 'exited', exitReason: 'completed' }],
      'who was inside finished',
    );
    const states = (await rig.get(`/v1/journeys/${id}/versions`)).body['items'];
    t.match(states, [{ number: 1, state: 'done' }]);
    const closesAt = new Date(rig.clock.nowMs + DAY_MS).toISOString();
    const ending = await world.publish(
      journey([wait('1d')], { entry: { ...byTrigger, closesAt } }),
    );
    rig.clock.nowMs += DAY_MS;
    await world.work();
    t.match(await world.read(ending), { state: 'completed' }, 'nobody was inside at its end date');
    const past = await rig.make('/v1/journeys', journey([], { entry: { ...byTrigger, closesAt } }));
    t.match(await world.order(past, 'publish'), {
      body: { errors: [{ pointer: '/entry/closesAt' }] },
    });
  });

  await t.test(
    '[JRN-54] who is inside finishes version 1, who enters later has version 2',
    async (t) => {
      const one = journey([wait('1d')]);
      const id = await world.publish(one, 'First');
      const [early, late] = [await world.contact(), await world.contact()];
      await world.raise(early);
      await world.work();
      const two = journey([{ ...wait('3d'), next: 'call' }, voice()], { name: one['name'] });
      const edited = await world.edit(id, two);
      t.match(edited.body, {
        state: 'live',
        hasDraft: true,
        liveVersion: 1,
        definitionVersion: null,
      });
      await world.raise(await world.contact());
      await world.work();
      t.match(await world.runs(id), [{ version: 1 }, { version: 1 }], 'a draft changes nothing');
      t.match((await world.order(id, 'publish', { comment: 'Calls' })).body, { liveVersion: 2 });
      await world.raise(late);
      await world.work();
      t.match(await world.runs(id, `?contactId=${late}`), [{ version: 2, stepId: 'pause' }]);
      rig.clock.nowMs += DAY_MS + MINUTE_MS;
      await world.work();
      t.match(await world.runs(id, `?contactId=${early}`), [
        { version: 1, status: 'exited', exitReason: 'completed' },
      ]);
      t.match(await world.runs(id, '?version=2&status=active'), [{ contactId: late }]);
      const counted = await rig.database.db
        .selectFrom('journey_counts')
        .select(['version', 'count'])
        .where('journey_id', '=', id)
        .where('place', '=', 'entry')
        .orderBy('version')
        .execute();
      t.match(
        counted,
        [
          { version: 1, count: 2 },
          { version: 2, count: 1 },
        ],
        'each on its own',
      );
      const { items } = (await rig.get(`/v1/journeys/${id}/versions`)).body as { items: Json[] };
      t.match(items, [
        {
          ...{ number: 2, state: 'live', comment: 'Calls' },
          changes: [
            { pointer: '/steps/0/for', change: 'changed', stepId: 'pause' },
            { pointer: '/steps/0/next', change: 'changed', stepId: 'pause' },
            { pointer: '/steps/1', change: 'added', stepId: 'call' },
          ],
        },
        { number: 1, state: 'done', comment: 'First', changes: [] },
      ]);
      const page = (await rig.get(`/v1/journeys/${id}/versions?limit=1`)).body;
      t.equal(page['nextCursor'], '2');
      t.match((await rig.get(`/v1/journeys/${id}/versions?limit=1&cursor=2`)).body, {
        items: [{ number: 1 }],
        nextCursor: null,
      });
      t.match((await rig.get(`/v1/journeys/${id}?number=1`)).body, { definition: one });
      const { text } = await rig.get(`/v1/journeys/${id}/diagram?number=1`);
      t.match(text, /^flowchart TD\n.*wait 1d/s);
      await world.edit(id, one);
      const headers = { 'if-match': await world.tag(id) };
      const url = `/v1/journeys/${id}/draft`;
      t.match((await rig.ask({ method: 'DELETE', url, headers })).body, { hasDraft: false });
      t.match((await world.read(id))['definition'], { steps: [{ for: '3d' }] });
    },
  );

  await t.test('[JRN-55] a name and the percentage of the goal make no version', async (t) => {
    const goal = { trigger: 'orderShipped', targetPercent: 30 };
    const definition = journey([wait('1d')], { goal });
    const id = await world.publish(definition);
    const renamed = await world.patch(id, { name: 'Renamed', goal: { targetPercent: 45 } });
    t.match(renamed, {
      status: 200,
      body: {
        ...{ name: 'Renamed', latestVersion: 1, liveVersion: 1, hasDraft: false },
        definition: { name: 'Renamed', goal: { trigger: 'orderShipped', targetPercent: 45 } },
      },
    });
    const light = { ...definition, name: 'Again', goal: { ...goal, targetPercent: 50 } };
    await world.edit(id, light);
    t.match((await world.order(id, 'publish')).body, { name: 'Again', latestVersion: 1 });
    t.match(await world.read(id), { definition: { name: 'Again', goal: { targetPercent: 50 } } });
    await world.edit(id, { ...light, goal: { ...goal, trigger: 'segmentEntered' } });
    t.match(
      (await world.order(id, 'publish')).body,
      { latestVersion: 2 },
      'another goal is no trifle',
    );
    t.match(await world.patch(id, { steps: [] }), { status: 400 });
    const aimless = await world.publish(journey([wait('1d')]));
    t.match(await world.patch(aimless, { goal: { targetPercent: 4 } }), {
      body: { errors: [{ pointer: '/goal' }] },
    });
    t.match(await world.patch(aimless, { name: 'Again' }), { status: 400 }, 'the name is taken');
  });

  await t.test(
    '[JRN-56] a one-time journey is not edited once it runs, or is about to',
    async (t) => {
      const opensAt = new Date(rig.clock.nowMs + DAY_MS).toISOString();
      const once = journey([wait('2d')], { entry: bySegment('oneTime', { opensAt }) });
      const memberId = await world.member();
      const id = await world.publish(once);
      t.match(await world.read(id), { state: 'scheduled', isEditable: true });
      const changed = { ...once, steps: [wait('1d'), exit] };
      t.match(await world.edit(id, changed), { status: 200 });
      t.match((await world.order(id, 'publish')).body, { liveVersion: 2, state: 'scheduled' });
      rig.clock.nowMs += DAY_MS - 4 * MINUTE_MS;
      t.match(await world.read(id), { isEditable: false, whyNotEditable: /about to begin/ });
      t.match(await world.edit(id, once), { status: 409, body: { code: 'JOURNEY_STATE' } });
      rig.clock.nowMs += 4 * MINUTE_MS;
      await world.work();
      t.match(await world.runs(id, '?status=active'), [{ contactId: memberId, version: 2 }]);
      t.match(await world.read(id), { state: 'completing', isEditable: false });
      t.match(await world.edit(id, once), { status: 409 });
      t.match(await world.patch(id, { name: 'Still mine' }), { status: 200 });
      rig.clock.nowMs += DAY_MS + 1;
      await world.work();
      t.match(
        await world.read(id),
        { state: 'completed' },
        'the round is through, and all have left',
      );
    },
  );

  await t.test('[JRN-57] a journey that is stopped goes on with nobody', async (t) => {
    const id = await world.publish(journey([voice({ next: 'pause' }), wait('1d')]));
    const inside = [await world.contact(), await world.contact(), await world.contact()];
    for (const contactId of inside) await world.raise(contactId);
    await world.work();
    const { db } = rig.database;
    const outbox = () =>
      db.selectFrom('journey_effects').select('state').where('journey_id', '=', id).execute();
    t.same(
      await outbox(),
      inside.map(() => ({ state: 'due' })),
    );
    t.match((await world.order(id, 'stop', { comment: 'Wrong number shown' })).body, {
      ...{ state: 'stopping', liveVersion: null },
    });
    await world.raise(await world.contact());
    await world.work();
    t.match(
      await world.runs(id),
      inside.map(() => ({ status: 'exited', exitReason: 'stopped' })),
    );
    t.equal((await world.runs(id)).length, 3, 'nobody entered');
    t.same(
      await outbox(),
      inside.map(() => ({ state: 'cancelling' })),
      'calls are withdrawn',
    );
    t.match(await world.read(id), { state: 'stopped', isEditable: false });
    t.match(await world.order(id, 'stop'), { status: 409 });
    t.match(await world.edit(id, journey([])), { status: 409 });
    const headers = { 'if-match': await world.tag(id) };
    const gone = await rig.ask({ method: 'DELETE', url: `/v1/journeys/${id}`, headers });
    t.match(gone, { status: 409 }, 'what happened to people is kept');
  });

  await t.test('[JRN-62] a copy is a draft with the same steps', async (t) => {
    const definition = journey([voice()]);
    const id = await world.publish(definition);
    const copy = await world.order(id, 'clone');
    t.match(copy, {
      status: 201,
      body: {
        ...{ name: `${String(definition['name'])} (2)`, state: 'draft', copiedFrom: id },
        definition: { steps: definition['steps'], entry: definition['entry'] },
      },
    });
    t.match((await world.order(id, 'clone')).body, { name: /\(3\)$/ });
    t.match((await world.order(id, 'clone', { name: 'Other' })).body, { name: 'Other' });
    t.match(await world.order(id, 'clone', { name: 'Other' }), { status: 400 });
    const headers = { 'if-match': '"1"' };
    const url = `/v1/journeys/${String(copy.body['id'])}`;
    t.match(await rig.ask({ method: 'DELETE', url, headers }), { status: 200 });
    t.match(await rig.get(url), { status: 404 });
  });

  await t.test('two who edit at once, and one who sends twice', async (t) => {
    const definition = journey([wait('1h')]);
    const headers = { 'idempotency-key': `journey-${names}` };
    const rivals = await Promise.all(
      [1, 2, 3].map(() => rig.post('/v1/journeys', journey([], { name: 'Rivals' }))),
    );
    t.same(rivals.map(({ status }) => status).sort(), [201, 400, 400], 'a name is one journey');
    const [one, two] = [
      await rig.post('/v1/journeys', definition, headers),
      await rig.post('/v1/journeys', definition, headers),
    ];
    t.equal(one.body['id'], two.body['id']);
    const id = String(one.body['id']);
    const url = `/v1/journeys/${id}/draft`;
    const put = (tag: string) =>
      rig.ask({ method: 'PUT', url, headers: { 'if-match': tag }, body: definition });
    t.match(await put('"1"'), { status: 200, headers: { etag: '"2"' } });
    t.match(await put('"1"'), { status: 412 });
    t.match(await rig.ask({ method: 'PUT', url, body: definition }), { status: 428 });
    const stale = await rig.post(`/v1/journeys/${id}/publish`, {}, { 'if-match': '"1"' });
    t.match(stale, { status: 412 }, 'publishes what was seen, or nothing');
    const publish = { 'idempotency-key': `publish-${id}` };
    for (const isReplay of [undefined, 'true']) {
      const answered = await rig.post(`/v1/journeys/${id}/publish`, {}, publish);
      t.match(answered, { status: 200, body: { liveVersion: 1 } });
      t.equal(answered.headers['idempotent-replayed'], isReplay);
    }
    const live = (await rig.get('/v1/journeys?state=live&limit=200')).body['items'] as Json[];
    t.ok(live.some((item) => item['id'] === id));
    t.ok(live.every(({ state }) => state === 'live'));
    const reader = await rig.key('read');
    t.equal(
      (await rig.ask({ method: 'POST', url: '/v1/journeys', body: definition, key: reader }))
        .status,
      403,
    );
    const asked = await rig.get('/v1/journeys?limit=1');
    t.equal((asked.body['items'] as Json[]).length, 1);
    const next = await rig.get(`/v1/journeys?limit=1&cursor=${String(asked.body['nextCursor'])}`);
    t.not((next.body['items'] as Json[])[0]?.['id'], (asked.body['items'] as Json[])[0]?.['id']);
  });
}

/** What journeys name, by the list that it stands in, and the edit that would take it away. */
const RELIED_ON: readonly {
  readonly what: string;
  readonly url: string;
  readonly name: string;
  readonly patch: Json;
  readonly harmless: Json;
  readonly definition: () => Json;
  readonly pointers: readonly string[];
}[] = [
  {
    ...{ what: 'the segment of the entry', url: '/v1/segments', name: 'Tomorrow' },
    ...{ patch: { name: 'The day after' }, harmless: { description: 'Utrecht' } },
    definition: () => journey([wait('1d')], { entry: bySegment('ongoing') }),
    pointers: ['/entry/segment'],
  },
  {
    ...{ what: 'a segment that is asked for', url: '/v1/segments', name: 'Tomorrow' },
    ...{ patch: { name: 'The day after' }, harmless: { description: 'Near Utrecht' } },
    definition: () => {
      const when = { segment: 'Tomorrow', operator: 'isMember' };
      const branches = [{ when, next: 'pause' }];
      const branch = { id: 'ask', type: 'branch', branches, otherwise: 'done' };
      return journey([branch, wait('1d')], { exits: { on: [{ segment: 'Tomorrow' }] } });
    },
    pointers: ['/exits/on/0/segment', '/steps/0/branches/0/when/segment'],
  },
  {
    ...{ what: 'a trigger, retired', url: '/v1/triggers', name: 'orderShipped' },
    ...{ patch: { state: 'retired' }, harmless: { description: 'Sent' } },
    definition: () => journey([wait('1d')]),
    pointers: ['/entry/trigger'],
  },
  {
    ...{ what: 'what a trigger carries', url: '/v1/triggers', name: 'orderShipped' },
    ...{ patch: { attributes: [] }, harmless: { keptDays: 60 } },
    definition: () => {
      const when = { from: 'entry', attribute: 'a number', operator: 'equals', value: 3 };
      const branches = [{ when, next: 'done' }];
      return journey([{ id: 'ask', type: 'branch', branches, otherwise: 'done' }]);
    },
    pointers: ['/steps/0/branches/0/when/attribute'],
  },
  {
    ...{ what: 'an engagement', url: '/v1/engagements', name: 'Appointments' },
    ...{ patch: { name: 'Dates' }, harmless: { description: 'Calls' } },
    definition: () => journey([voice()]),
    pointers: ['/steps/0/engagement'],
  },
  {
    ...{ what: 'a compliance profile', url: '/v1/consent/profiles', name: 'Calls' },
    ...{ patch: { name: 'Telephone' }, harmless: { companyAddress: 'Utrecht' } },
    definition: () => journey([voice()]),
    pointers: ['/steps/0/compliance/profile'],
  },
  {
    ...{ what: 'the profile of a message', url: '/v1/consent/profiles', name: 'Writing' },
    ...{ patch: { channels: ['email'] }, harmless: { companyAddress: 'Utrecht' } },
    definition: () => journey([sms()]),
    pointers: ['/assets/messages/0/compliance/profile'],
  },
  {
    ...{ what: 'a purpose', url: '/v1/consent/purposes', name: 'Offers' },
    ...{ patch: { name: 'Proposals' }, harmless: { enforcement: 'restrictive' } },
    definition: () =>
      journey([voice({ compliance: { profile: 'Calls', purpose: 'Offers', topic: 'Slots' } })]),
    pointers: ['/steps/0/compliance/purpose'],
  },
  {
    ...{ what: 'a topic', url: '/v1/consent/topics', name: 'Slots' },
    ...{ patch: { name: 'Hours' }, harmless: { state: 'inactive' } },
    definition: () =>
      journey([voice({ compliance: { profile: 'Calls', purpose: 'Offers', topic: 'Slots' } })]),
    pointers: ['/steps/0/compliance/topic'],
  },
  {
    ...{ what: 'a quiet time', url: '/v1/consent/quiet-times', name: 'Sundays' },
    ...{ patch: { name: 'Weekends' } },
    harmless: { quiet: [{ days: ['sunday'], from: '00:00', to: '23:00' }] },
    definition: () => journey([voice({ quietTime: 'Sundays' })]),
    pointers: ['/steps/0/quietTime'],
  },
];

async function relianceTests(t: Test, world: World): Promise<void> {
  const { rig } = world;
  const named = async (url: string, name: string): Promise<Json> => {
    const { items } = (await rig.get(`${url}?limit=200`)).body as { items: Json[] };
    const found = items.find((item) => item['name'] === name);
    if (found === undefined) throw new Error(`${url} has no ${name}`);
    return found;
  };
  const patch = async (url: string, { id }: Json, body: Json): Promise<Answered> => {
    const { version } = (await rig.get(`${url}/${String(id)}`)).body;
    const headers = { 'if-match': `"${String(version)}"` };
    return rig.ask({ method: 'PATCH', url: `${url}/${String(id)}`, headers, body });
  };

  for (const { what, url, name, harmless, definition, pointers, ...one } of RELIED_ON) {
    await t.test(`what a live journey names stays: ${what}`, async (t) => {
      const asset = await named(url, name);
      const written = definition();
      const id = await world.publish(written);
      const refused = await patch(url, asset, one.patch);
      t.match(refused, { status: 409, body: { code: 'IN_USE', detail: /stop them/ } });
      const users = refused.body['usedBy'] as Json[];
      const own = users.find((user) => user['id'] === id);
      t.same(own, { kind: 'journey', id, name: written['name'], version: 1, pointers });
      t.equal((await named(url, name))['version'], asset['version'], 'nothing was changed');
      t.match(await patch(url, asset, harmless), { status: 200 }, 'other edits are');
      for (const user of users) await world.order(String(user['id']), 'stop');
      t.match(await patch(url, asset, one.patch), { status: 409 }, 'until it has stopped');
      await world.work();
      const clone = await rig.make(`/v1/journeys/${id}/clone`, {});
      t.equal((await world.read(clone))['isPublishable'], true);
      t.match(await patch(url, asset, one.patch), { status: 200 }, 'a draft is not in the way');
      const { isPublishable, faults } = await world.read(clone);
      t.equal(isPublishable, false, 'and says what it has lost');
      t.match(
        (faults as Json[]).filter(({ severity }) => severity !== 'warning'),
        pointers.map((pointer) => ({ pointer })),
      );
      const before = Object.fromEntries(
        Object.keys({ ...one.patch, ...harmless }).map((key) => [key, asset[key]]),
      );
      t.match(await patch(url, asset, before), { status: 200 });
    });
  }

  await t.test(
    'an earlier version counts while somebody is inside, and so does a test',
    async (t) => {
      const entry = bySegment('ongoing');
      const first = journey([wait('1d')], { entry });
      const contactId = await world.member();
      const id = await world.publish(first);
      await world.work();
      t.match(await world.runs(id, '?status=active'), [{ version: 1 }]);
      await world.edit(id, journey([wait('2d')], { name: first['name'] }));
      t.match(await world.order(id, 'publish'), { status: 200 });
      const segment = await named('/v1/segments', 'Tomorrow');
      const renamed = { name: 'Someday' };
      const usedBy = [{ id, version: 1, pointers: ['/entry/segment'] }];
      t.match(await patch('/v1/segments', segment, renamed), { status: 409, body: { usedBy } });
      rig.clock.nowMs += DAY_MS + 1;
      await world.work();
      await rig.ask({ method: 'PUT', url: `/v1/journeys/test-contacts/${contactId}` });
      const tested = await rig.make('/v1/journeys', journey([wait('1d')], { entry }));
      const { status } = await rig.post(`/v1/journeys/${tested}/test-runs`, { contactId });
      t.equal(status, 201);
      await world.work();
      t.match(await patch('/v1/segments', segment, renamed), {
        ...{ status: 409, body: { usedBy: [{ id: tested, version: -1 }] } },
      });
      rig.clock.nowMs += DAY_MS + 1;
      await world.work();
      t.match(await patch('/v1/segments', segment, renamed), { status: 200 });
      t.match(await patch('/v1/segments', segment, { name: 'Tomorrow' }), { status: 200 });
      await world.order(id, 'stop');
      await world.work();
    },
  );

  await t.test('a segment that asks for another, and engagements of one name', async (t) => {
    const segment = await named('/v1/segments', 'Tomorrow');
    const condition = { all: [{ segment: 'Tomorrow', operator: 'isMember' }] };
    const rule = { kind: 'dynamic', condition, evaluation: 'ongoing' };
    const id = await rig.make('/v1/segments', { ...rule, name: 'Some of them' });
    t.match(await patch('/v1/segments', segment, { name: 'Else' }), {
      status: 409,
      body: { usedBy: [{ kind: 'segment', id, pointers: ['/condition/all/0/segment'] }] },
    });
    const own = await named('/v1/segments', 'Some of them');
    t.match(await patch('/v1/segments', own, { name: 'Few of them' }), { status: 200 });
    const whoever = { all: [{ from: 'contact', attribute: 'city', operator: 'hasValue' }] };
    t.match(await patch('/v1/segments', own, { condition: whoever }), { status: 200 });
    const journeyId = await world.publish(journey([voice()]));
    const { id: another } = await rig.engagement({ name: 'Spare' });
    const taking = await patch('/v1/engagements', { id: another }, { name: 'Appointments' });
    const usedBy = [{ id: journeyId, pointers: ['/steps/0/engagement'] }];
    t.match(taking, { status: 409, body: { usedBy } }, 'a newer one would be meant from now on');
    const profile = await named('/v1/consent/profiles', 'Calls');
    for (const state of ['inactive', 'active']) {
      t.match(
        await patch('/v1/consent/profiles', profile, { state }),
        { status: 200 },
        'enforced all the same',
      );
    }
    await world.order(journeyId, 'stop');
    await world.work();
  });

  await t.test('of a publication and a renaming at once one loses', async (t) => {
    const { database, businessUnitId, ids, clock } = rig;
    const actor = 'test';
    const writer = { database, businessUnitId, ids, nowMs: clock.nowMs, actor };
    const options = { hasConversations: true };
    const row = await named('/v1/segments', 'Tomorrow');
    for (const winner of ['publication', 'renaming'] as const) {
      const entry = bySegment('ongoing');
      const journeyId = await rig.make('/v1/journeys', journey([wait('1d')], { entry }));
      const { version } = await named('/v1/segments', 'Tomorrow');
      const change = { id: String(row['id']), version: Number(version), patch: { name: 'Gone' } };
      const work = {
        publication: async (tx: Transaction<Database>): Promise<unknown> =>
          publishJourney(tx, writer, { id: journeyId }, options),
        renaming: async (tx: Transaction<Database>): Promise<unknown> =>
          keepingWhatIsNamed(tx, writer, () => changeSegment(tx, writer, change)),
      };
      const loser = winner === 'publication' ? 'renaming' : 'publication';
      const done = deferred();
      const letGo = deferred();
      const first = database.db.transaction().execute(async (tx) => {
        await work[winner](tx);
        done.resolve();
        await letGo.promise;
      });
      await done.promise;
      const loserIs = { over: false };
      const second = database.db
        .transaction()
        .execute(work[loser])
        .then(
          () => 'done too',
          (error: unknown) => (error as DialerError).code,
        )
        .finally(() => (loserIs.over = true));
      // SQLite begins no other transaction; PostgreSQL has to be waiting, or done.
      while (database.kind === 'postgres' && !loserIs.over && !(await isAnybodyWaiting(database)));
      letGo.resolve();
      await first;
      t.equal(await second, winner === 'publication' ? 'IN_USE' : 'JOURNEY_NOT_READY');
      if (winner === 'publication') {
        await world.order(journeyId, 'stop');
        await world.work();
      }
    }
  });
}

function deferred() {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((resolved) => (resolve = resolved));
  return { promise, resolve: () => resolve() };
}

async function isAnybodyWaiting({ db }: OpenDatabase): Promise<boolean> {
  const { rows } = await sql`select 1 from pg_locks where not granted`.execute(db);
  return rows.length > 0;
}

async function trialTests(t: Test, world: World): Promise<void> {
  const { rig } = world;
  await t.test('[JRN-06] [JRN-61] a draft is tried on a contact of the store', async (t) => {
    const quiet = { name: 'Always', quiet: [{ firstDay: '2026-03-02', lastDay: '2026-03-04' }] };
    await rig.make('/v1/consent/quiet-times', quiet);
    const outcome = {
      ...{ id: 'outcome', type: 'waitFor', timeout: { after: '2d', next: 'done' } },
      on: [
        { step: 'call', is: 'attempted', next: 'done' },
        { step: 'call', is: 'notAttempted', next: 'done' },
        { step: 'call', is: 'blocked', next: 'done' },
      ],
    };
    const trying = async (quietTime: string, compliance: Json = {}) => {
      const call = voice({ quietTime, next: 'outcome', sendWithin: '7d' });
      const step = { ...call, compliance: { ...(call['compliance'] as Json), ...compliance } };
      const id = await rig.make('/v1/journeys', journey([step, outcome]));
      const contactId = await world.contact();
      const plan = {
        startAt: '2026-03-03T10:00',
        outcomes: [{ step: 'call', after: '4m', result: 'Busy' }],
      };
      const { body } = await rig.post(`/v1/journeys/${id}/simulate`, { contactId, plan });
      return { body, path: body['path'] as Json[], id };
    };
    const atOnce = await trying('none');
    t.match(atOnce.path, [
      {
        step: 'call',
        at: '2026-03-03T10:00:00Z',
        decisions: [{ decide: 'send', contactPointIds: ['mobile'] }],
        outcome: { is: 'attempted', at: '2026-03-03T10:04:00Z', values: { Result: 'Busy' } },
      },
      { step: 'outcome', left: { next: 'done', because: /attempted/ } },
      { step: 'done' },
    ]);
    t.same(await world.runs(atOnce.id), [], 'nothing was kept');
    const held = await trying('Always');
    t.match(held.path[0]?.['decisions'], [
      { decide: 'hold', until: '2026-03-05T00:00:00Z' },
      { decide: 'send' },
    ]);
    const blocked = await trying('none', { purpose: 'Commercial' });
    t.match(blocked.path[0], { decisions: [{ decide: 'block', reason: 'no_consent' }] });
    const { id } = atOnce;
    const both = { contactId: rig.ids.id(), contact: {} };
    t.match(await rig.post(`/v1/journeys/${id}/simulate`, both), { status: 400 });
    t.match(await rig.post(`/v1/journeys/${id}/simulate`, {}), { status: 400 });
    t.match(await rig.post(`/v1/journeys/${id}/simulate`, { contact: { phone: 1 } }), {
      body: { errors: [{ pointer: '/contact/phone' }] },
    });
    const faulty = await rig.make('/v1/journeys', { name: 'Faulty' });
    t.match(await rig.post(`/v1/journeys/${faulty}/simulate`, { contact: {} }), {
      body: { code: 'JOURNEY_NOT_READY' },
    });
    t.match(await rig.get(`/v1/journeys/${faulty}/diagram`), { status: 409 });
    const reader = await rig.key('read');
    const looking = {
      ...{ id: 'looks', type: 'branch', otherwise: 'done' },
      branches: [
        { when: { from: 'contact', attribute: 'mobile', operator: 'hasValue' }, next: 'done' },
      ],
    };
    const shy = await rig.make('/v1/journeys', journey([looking]));
    const url = `/v1/journeys/${shy}/simulate`;
    const contactId = await world.contact();
    const asked = { method: 'POST', url, body: { contactId } } as const;
    t.match((await rig.ask(asked)).text, /\+1202555\d{4}/);
    t.notMatch((await rig.ask({ ...asked, key: reader })).text, /\+1202555\d{4}/, 'masked');
  });

  await t.test('[JRN-61] a test contact goes through a draft before it is published', async (t) => {
    const draft = journey([voice({ next: 'pause' }), wait('1d')]);
    const id = await rig.make('/v1/journeys', draft);
    const contactId = await world.contact();
    const start = () => world.order(id, 'test-runs', { contactId, attributes: { 'a text': 'x' } });
    t.match(await start(), { status: 400, body: { errors: [{ pointer: '/contactId' }] } });
    const url = `/v1/journeys/test-contacts/${contactId}`;
    t.match(await rig.ask({ method: 'PUT', url }), { status: 200, body: { contactId } });
    t.match(await rig.ask({ method: 'PUT', url }), { status: 200 });
    t.match((await rig.get('/v1/journeys/test-contacts')).body, { items: [{ contactId }] });
    const run = await start();
    t.match(run, { status: 201, body: { isTest: true, version: -1, status: 'active' } });
    t.match(await start(), { status: 409 }, 'once at a time');
    await world.work();
    const inside = await rig.get(`/v1/journeys/${id}/runs/${String(run.body['id'])}`);
    t.match(inside.body, {
      ...{ stepId: 'pause', waitsFor: 'time', visits: { call: 1, pause: 1 } },
      sendings: [{ stepId: 'call', outcome: null }],
    });
    const { db } = rig.database;
    const asked = await db
      .selectFrom('journey_effects')
      .selectAll()
      .where('journey_id', '=', id)
      .execute();
    t.match(asked, [{ type: 'startConversation', is_test: 1, state: 'due' }], 'a real call');
    t.match(await world.read(id), { state: 'draft', latestVersion: 0 });
    // The draft goes on being written: who is inside keeps what it began with.
    await world.edit(id, { ...draft, steps: [exit] });
    rig.clock.nowMs += DAY_MS + 1;
    await world.work();
    t.match(await world.runs(id, '?isTest=true'), [{ exitReason: 'completed', version: -1 }]);
    t.match((await start()).body, { version: -2 });
    await world.work();
    t.match((await rig.get(`/v1/journeys/${id}/versions`)).body, { items: [] }, 'no versions');
    const counts = await db
      .selectFrom('journey_counts')
      .select('count')
      .where('journey_id', '=', id)
      .execute();
    t.same(counts, [], 'no report counts it');
    t.match(await rig.ask({ method: 'DELETE', url }), { status: 200 });
    t.match(await rig.ask({ method: 'DELETE', url }), { status: 404 });
    const headers = { 'if-match': await world.tag(id) };
    t.match(await rig.ask({ method: 'DELETE', url: `/v1/journeys/${id}`, headers }), {
      status: 200,
    });
    const left = await db
      .selectFrom('journey_runs')
      .select('id')
      .where('journey_id', '=', id)
      .execute();
    t.same(left, []);
  });

  await t.test('one person is taken out where they stand', async (t) => {
    const id = await world.publish(journey([wait('3d')]));
    for (let n = 0; n < 2; n += 1) await world.raise(await world.contact());
    await world.work();
    const [run, other] = await world.runs(id);
    const url = `/v1/journeys/${id}/runs/${String(run?.['id'])}`;
    t.match(await rig.post(`${url}/exit`, { reason: 'Asked by telephone' }), { status: 200 });
    t.match(await rig.post(`${url}/exit`), { status: 200 }, 'not taken in yet');
    await world.work();
    t.match((await rig.get(url)).body, {
      status: 'exited',
      exitReason: 'stopped',
      stepId: 'pause',
    });
    t.match(await rig.post(`${url}/exit`), { status: 409 });
    t.match(await world.runs(id, '?status=active'), [{ id: other?.['id'] }]);
    t.match(await world.runs(id, '?stepId=pause&limit=1'), [{ id: run?.['id'] }]);
    const foreign = await world.publish(journey([wait('3d')]));
    t.match(await rig.get(url.replace(id, foreign)), { status: 404 });
  });

  await t.test('[JRN-30] an activity is made, assigned, listed and done', async (t) => {
    const steps = [
      {
        id: 'plan',
        type: 'activity',
        activity: 'task',
        subject: 'Plan',
        dueIn: '4h',
        next: 'ring',
      },
      {
        id: 'ring',
        type: 'activity',
        activity: 'phoneCall',
        subject: 'Ring',
        assignTo: 'desk',
        next: 'done',
      },
    ];
    const made = await rig.post('/v1/journeys?owner=planning', journey(steps));
    const id = String(made.body['id']);
    await world.order(id, 'publish');
    const contactId = await world.contact();
    await world.raise(contactId);
    await world.work();
    const list = async (query: string) =>
      (await rig.get(`/v1/journeys/activities?journeyId=${id}&${query}`)).body['items'] as Json[];
    const dueAt = new Date(rig.clock.nowMs + 4 * 60 * MINUTE_MS).toISOString();
    t.match(await list('assignedTo=planning'), [
      { kind: 'task', subject: 'Plan', contactId, state: 'open', dueAt },
    ]);
    const [ring] = await list('assignedTo=desk');
    t.match(ring, { kind: 'phoneCall', dueAt: null });
    const url = `/v1/journeys/activities/${String(ring?.['id'])}`;
    t.match((await rig.post(`${url}/complete`, { comment: 'Reached' })).body, {
      state: 'done',
      version: 2,
    });
    t.match((await rig.post(`${url}/complete`)).body, { state: 'done', version: 2 });
    t.match(await list('state=open'), [{ subject: 'Plan' }]);
    t.equal((await list('state=open')).length, 1);
    const page = await rig.get(`/v1/journeys/activities?journeyId=${id}&limit=1`);
    const cursor = encodeURIComponent(String(page.body['nextCursor']));
    t.equal((await list(`limit=1&cursor=${cursor}`)).length, 1);
    t.match(await rig.get(url.replace(':ring', ':none')), { status: 404 });
  });
}

async function switchTests(t: Test, place: () => StorePlace): Promise<void> {
  await t.test('[CFG-02] journeys are a source only where they are switched on', async (t) => {
    const on = await ApiRig.open(t, place());
    t.match((await on.get('/v1/capabilities')).body, {
      engagementSources: ['api', 'file', 'journeys'],
      journeys: { enabled: true, conversations: { voice: true, sms: false } },
    });
    const { id } = await on.engagement({ intake: 'journeys' });
    t.match((await on.get(`/v1/engagements/${id}`)).body, { intake: 'journeys' });
    const contacts = [{ uniqueIdentifier: 'C-1', phones: { mobile: '+12025550143' } }];
    t.match(await on.post('/v1/tasks', { engagementId: id, contacts }), {
      body: { code: 'INTAKE_NOT_ALLOWED' },
    });
    const journeys = { isEnabled: false, hasConversations: false };
    const off = await ApiRig.open(t, place(), { journeys });
    t.match((await off.get('/v1/capabilities')).body, {
      engagementSources: ['api', 'file'],
      journeys: { enabled: false, conversations: { voice: false } },
    });
    await t.rejects(off.engagement({ intake: 'journeys' }), { message: /journeys.enabled/ });
    await off.engagement();
    t.match(await off.post('/v1/journeys', { name: 'N' }), { body: { code: 'JOURNEYS_OFF' } });
  });

  await t.test('[JRN-01] conversations appear only while they are switched on', async (t) => {
    const journeys = { isEnabled: true, hasConversations: false };
    const rig = await ApiRig.open(t, place(), { journeys });
    await rig.engagement();
    await rig.make('/v1/consent/profiles', { name: 'Calls', channels: ['voice'] });
    await rig.make('/v1/triggers', { name: 'orderShipped', kind: 'custom', state: 'ready' });
    const { body } = await rig.get('/v1/journeys/assets');
    const types = body['stepTypes'] as string[];
    t.notOk(types.includes('voice') || types.includes('sms'));
    t.ok(types.includes('message') && types.includes('branch'));
    t.match(body['voice'], { engagements: [] });
    const id = await rig.make('/v1/journeys', journey([voice()], { assets: {} }));
    t.match(await rig.post(`/v1/journeys/${id}/publish`), {
      body: { errors: [{ pointer: '/steps/0', detail: /journeys\.conversations/ }] },
    });
    const on = await ApiRig.open(t, place());
    const shown = (await on.get('/v1/journeys/assets')).body['stepTypes'] as string[];
    t.ok(shown.includes('voice') && shown.includes('sms'));
  });

  await t.test('a message goes by a webhook that is configured', async (t) => {
    const url = 'https://mail.example.com/';
    const webhooks = {
      ...NO_WEBHOOKS,
      targets: [{ name: 'mailer', url, secret: 'x'.repeat(32) }],
    };
    const journeys = { isEnabled: true, hasConversations: true, sending: { webhooks } };
    const rig = await ApiRig.open(t, place(), { journeys });
    await rig.make('/v1/consent/profiles', { name: 'Writing', channels: ['sms', 'email'] });
    await rig.make('/v1/triggers', { name: 'orderShipped', kind: 'custom', state: 'ready' });
    t.match((await rig.get('/v1/journeys/assets')).body, { webhooks: ['mailer'] });
    const compliance = { profile: 'Writing', purpose: 'Commercial' };
    const assets = {
      messages: [{ name: 'news', channel: 'email', compliance }],
      webhooks: [{ name: 'other' }],
    };
    const faultsOf = async (webhook: string) => {
      const step = { id: 'mail', type: 'message', message: 'news', webhook, next: 'done' };
      const { body } = await rig.post('/v1/journeys/check', journey([step], { assets }));
      return (body['faults'] as Json[]).map(({ code }) => code);
    };
    t.same(await faultsOf('mailer'), []);
    t.same(await faultsOf('other'), ['ASSET_NOT_READY'], 'declared, and not configured');
    t.same(await faultsOf('mailr'), ['UNKNOWN_WEBHOOK']);
  });
}

const targets = await storeTargets(t);
for (const [index, target] of targets.entries()) {
  void t.test(target.name, async (t) => {
    const world = await World.open(t, target.place(t));
    await t.test('definitions', (t) => definitionTests(t, world));
    await t.test('lifecycle', (t) => lifecycleTests(t, world));
    await t.test('trials', (t) => trialTests(t, world));
    await t.test('reliance', (t) => relianceTests(t, world));
    // Of the configuration: the database has no part in it.
    if (index === 0) await t.test('switches', (t) => switchTests(t, () => target.place(t)));
  });
}
