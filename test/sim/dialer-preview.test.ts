/** Goal: a person looks at each contact first: nobody is rung before somebody has taken them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import t, { type Test } from 'tap';
import { createKeyIn } from '../../dialer/api-keys/api-keys.ts';
import { upsertContacts, type ContactInput } from '../../dialer/contacts/upsert-contacts.ts';
import { makeHttpApp } from '../../dialer/http/http-server.ts';
import { addOptOutIn } from '../../dialer/opt-outs/opt-outs.ts';
import { SHIPPED } from '../../dialer/rule-packs/rule-packs.ts';
import { createApi } from '../../dialer/http/v1/api.ts';
import {
  createRepresentativeIn,
  setPresenceIn,
} from '../../dialer/representatives/write-representative.ts';
import { createTasks, type TaskInput } from '../../dialer/tasks/create-tasks.ts';
import { TRUNKS, type Json } from '../support/api-rig.ts';
import { DialerWorld, MINUTE_MS, type WorldOptions } from '../support/dialer-world.ts';
import { silentLog } from '../support/silent-log.ts';
import type { FarEnd } from '../support/simulated-gateway.ts';

t.setTimeout(120_000);

const PERSON: FarEnd = { does: 'answer', afterMs: 3_000, hangUpAfterMs: 20_000, verdict: 'human' };
const VOICEMAIL: FarEnd = { ...PERSON, verdict: 'machine' };
const RINGS: FarEnd = { does: 'ring' };
const timer = (seconds: number) => ({ kind: 'timer', seconds });

/** Desktops on `/v1`, over the real dialer. */
class PreviewWorld {
  readonly world: DialerWorld;
  readonly app: FastifyInstance;
  readonly key: string;
  engagementId = '';

  private constructor(world: DialerWorld, app: FastifyInstance, key: string) {
    this.world = world;
    this.app = app;
    this.key = key;
  }

  static async open(
    t: Test,
    options: WorldOptions & { readonly callDelay?: Json; readonly config?: Json } = {},
  ): Promise<PreviewWorld> {
    const { callDelay = { kind: 'manual' }, config = {}, ...given } = options;
    const world = await DialerWorld.open(t, { farEnd: () => PERSON, ...given });
    await world.start();
    const { database, ids } = world;
    const folder = mkdtempSync(join(tmpdir(), 'ringfence-preview-'));
    const api = createApi({
      ...{ database, ids, nowMs: () => world.nowMs, log: silentLog, trunks: TRUNKS },
      ...{ requestsPerSecondMax: 100_000, uploadFolder: folder },
      rulePacks: SHIPPED,
      forecast: () => Promise.reject(new Error('nobody asks for one here')),
    });
    const app = makeHttpApp({ plugins: [api.plugin], log: silentLog });
    t.teardown(async () => {
      await app.close();
      rmSync(folder, { recursive: true, force: true });
    });
    await api.attach(world.dialer);
    const input = { name: 'desktop', role: 'operate', showsNumbers: false, origin: 'api' } as const;
    const { key } = await world.db
      .transaction()
      .execute((tx) => createKeyIn(tx, world.writer, input));
    const preview = new PreviewWorld(world, app, key);
    const mode = { kind: 'preview', callDelay };
    preview.engagementId = await world.engagement({ config: { mode, ...config } });
    return preview;
  }

  async tasks(
    contacts: number | readonly ContactInput[],
    more: Partial<TaskInput> = {},
  ): Promise<readonly string[]> {
    const people = typeof contacts === 'number' ? this.world.people(contacts) : contacts;
    const ids = await this.world.tasks(this.engagementId, people, more);
    await this.world.settle();
    return ids;
  }

  async representative(name: string): Promise<string> {
    const { world } = this;
    const { queue_id: queueId } = await world.engagementRow(this.engagementId);
    const id = await world.db.transaction().execute(async (tx) => {
      const input = { name, sipUri: `sip:${name}@127.0.0.1`, queueIds: [queueId] };
      const { id } = await createRepresentativeIn(tx, world.writer, input);
      await setPresenceIn(tx, world.writer, id, 'available');
      return id;
    });
    await world.dialer.desk.changed(id);
    await world.settle();
    return id;
  }

  async ask(method: 'GET' | 'POST', path: string, payload?: Json) {
    const headers = { authorization: `Bearer ${this.key}` };
    const url = `/v1/representatives/${path}`;
    const response = await this.app.inject({
      ...{ method, url, headers },
      ...(payload === undefined ? {} : { payload }),
    });
    await this.world.settle();
    return { status: response.statusCode, body: response.json<Json>() };
  }

  async answer(id: string, how: 'accept' | 'reject'): Promise<void> {
    const invitation = this.world.dialer.desk.get(id)?.invitation;
    assert(invitation, `${id} is not invited`);
    const { status, body } = await this.ask('POST', `${id}/invitations/${invitation.id}/${how}`);
    assert.equal(status, 200, JSON.stringify(body));
  }

  shown(id: string) {
    return this.ask('GET', `${id}/preview`);
  }

  work(id: string): string | undefined {
    return this.world.dialer.desk.get(id)?.work;
  }

  /** Ends the wrap-up of whoever is in it, as soon as they are. */
  wrapUpAtOnce(): void {
    const { desk } = this.world.dialer;
    desk.subscribe(({ work, representativeId }) => {
      if (work === 'wrapUp') desk.wrapUpDone(representativeId);
    });
  }
}

t.test(
  '[DM-08] [DM-12] [WS-17] [WS-05] [OUT-08] [OUT-09] declined, taken by another, started by hand',
  async (t) => {
    const preview = await PreviewWorld.open(t, { farEnd: () => VOICEMAIL });
    const { world } = preview;
    const [task = ''] = await preview.tasks(1);
    const ada = await preview.representative('ada');
    t.equal(preview.work(ada), 'invited');
    t.match(world.dialer.desk.get(ada)?.invitation, {
      ...{ kind: 'agentDial', template: 'outbound agent dial', taskId: task },
    });
    t.match((await preview.shown(ada)).body, { state: 'invited', taskId: task });
    t.match(await world.task(task), { state: 'working', status: 'Pending' });
    const bob = await preview.representative('bob');
    t.equal(preview.work(bob), 'free', 'one contact is shown to one at a time');
    await preview.answer(ada, 'reject');
    t.equal(preview.work(bob), 'invited', 'who declines passes it on');
    t.equal(preview.work(ada), 'free');
    t.match(await preview.ask('POST', `${bob}/preview/start`, {}), { status: 409 });
    await preview.answer(bob, 'accept');
    await world.advance(5 * MINUTE_MS);
    t.equal(world.gateway.dialled.length, 0, 'it is the representative’s to start');
    t.match((await preview.shown(bob)).body, { state: 'accepted', startsAt: null });
    t.match(await preview.ask('POST', `${bob}/preview/start`, {}), { status: 200 });
    await world.advance(10);
    t.equal(world.gateway.dialled.length, 1);
    await world.advance(10_000);
    t.match((await preview.shown(bob)).body, { state: 'talking' });
    t.match(await preview.ask('POST', `${bob}/preview/cancel`, {}), { status: 409 });
    await world.advance(MINUTE_MS);
    t.match(await world.attempts(task), [{ result: 'CallEnded', sub_reason: null }]);
    t.match(await world.task(task), { status: 'Complete', last_result: 'CallEnded' });
    t.equal(preview.work(bob), 'wrapUp');
    t.match(await preview.shown(bob), { status: 404 });
    const told = await world.told(`representative:${bob}`);
    t.same(
      told.filter((type) => type.startsWith('preview.')),
      ['preview.offered', 'preview.accepted', 'preview.started'],
    );
    await world.check();
  },
);

t.test('[DM-09] two representatives are never shown or given three', async (t) => {
  const preview = await PreviewWorld.open(t, { callDelay: timer(60) });
  const { world } = preview;
  preview.wrapUpAtOnce();
  const tasks = await preview.tasks(9);
  const people = [await preview.representative('ada'), await preview.representative('bob')];
  let most = 0;
  for (let step = 0; step < 120; step += 1) {
    const atWork = people.filter((id) => preview.work(id) !== 'free').length;
    const working = (await world.engagementRow(preview.engagementId)).tasks_working;
    t.ok(working <= 2, `${working} contacts are held`);
    most = Math.max(most, atWork, world.gateway.inFlight);
    for (const id of people) if (preview.work(id) === 'invited') await preview.answer(id, 'accept');
    await world.advance(5_000);
  }
  t.equal(most, 2);
  t.equal(world.gateway.inFlightMax, 2);
  for (const task of tasks) t.match(await world.task(task), { last_result: 'CallEnded' });
  await world.check();
});

t.test('[DM-10] [DM-11] [DM-15] the countdown dials at its end, or sooner when told', async (t) => {
  const preview = await PreviewWorld.open(t, { callDelay: timer(120) });
  const { world } = preview;
  await preview.tasks(2);
  const ada = await preview.representative('ada');
  await world.advance(7_000);
  await preview.answer(ada, 'accept');
  const acceptedAtMs = world.nowMs;
  t.match((await preview.shown(ada)).body, {
    startsAt: new Date(acceptedAtMs + 120_000).toISOString(),
  });
  await world.advance(119_999);
  t.equal(world.gateway.dialled.length, 0);
  await world.advance(1);
  t.match(world.gateway.dialled, [{ atMs: acceptedAtMs + 120_000 }]);
  const lobbyId = world.gateway.lobbyOf(ada)?.lobbyId;
  t.equal(world.gateway.dialled[0]?.lobbyId, lobbyId, 'on the media server of their phone');
  await world.advance(1_000);
  const connect = world.gateway.commands.find(({ type }) => type === 'attempt.connect');
  t.match(connect, { target: { kind: 'lobby', lobbyId } }, 'joined while it rings');
  await world.advance(MINUTE_MS);
  world.dialer.desk.wrapUpDone(ada);
  await world.settle();
  const bob = await preview.representative('bob');
  const second = preview.work(ada) === 'invited' ? ada : bob;
  await preview.answer(second, 'accept');
  await world.advance(60_000);
  const startedAtMs = world.nowMs;
  await preview.ask('POST', `${second}/preview/start`, {});
  await world.advance(0);
  t.match(world.gateway.dialled[1], { atMs: startedAtMs });
  await world.advance(5 * MINUTE_MS);
  t.equal(world.gateway.dialled.length, 2, 'and not once more at the countdown’s end');
  await world.check();
});

t.test(
  '[WS-19] called off in the countdown nothing is dialled, and the task is over',
  async (t) => {
    const preview = await PreviewWorld.open(t, { callDelay: timer(300) });
    const { world } = preview;
    const [task = ''] = await preview.tasks(1);
    const ada = await preview.representative('ada');
    t.match(await preview.ask('POST', `${ada}/preview/cancel`, {}), { status: 409 });
    await preview.answer(ada, 'accept');
    await world.advance(MINUTE_MS);
    t.match(await preview.ask('POST', `${ada}/preview/cancel`, { keepTask: true }), {
      status: 200,
    });
    t.match(
      await world.task(task),
      { state: 'working', status: 'Pending' },
      'and is offered again',
    );
    t.equal(preview.work(ada), 'invited');
    await preview.answer(ada, 'accept');
    await preview.ask('POST', `${ada}/preview/cancel`, {});
    t.match(await world.task(task), { status: 'Cancelled', last_result: 'Cancelled' });
    t.equal(preview.work(ada), 'free');
    await world.advance(10 * MINUTE_MS);
    t.equal(world.gateway.dialled.length, 0);
    const told = await world.told(`representative:${ada}`);
    t.equal(told.filter((type) => type === 'preview.cancelled').length, 2);
    await world.check();
  },
);

t.test('called off while it rings: the call is ended, and so is the task', async (t) => {
  const preview = await PreviewWorld.open(t, { farEnd: () => RINGS });
  const { world } = preview;
  const [task = ''] = await preview.tasks(1);
  const ada = await preview.representative('ada');
  await preview.answer(ada, 'accept');
  await world.advance(2_000);
  await preview.ask('POST', `${ada}/preview/start`, {});
  await world.advance(5_000);
  t.match((await preview.shown(ada)).body, { state: 'ringing' });
  await preview.ask('POST', `${ada}/preview/cancel`, {});
  await world.advance(1_000);
  t.equal(world.gateway.inFlight, 0);
  t.match(await world.attempts(task), [{ result: 'Cancelled' }]);
  t.match(await world.task(task), { status: 'Cancelled' });
  await world.check();
});

t.test('a representative who hangs up while it rings: nobody is rung for nobody', async (t) => {
  const slow: FarEnd = { does: 'answer', afterMs: 20_000, hangUpAfterMs: 20_000 };
  const preview = await PreviewWorld.open(t, { farEnd: () => slow });
  const { world } = preview;
  const [task = ''] = await preview.tasks(1);
  const ada = await preview.representative('ada');
  await preview.answer(ada, 'accept');
  await world.advance(2_000);
  await preview.ask('POST', `${ada}/preview/start`, {});
  await world.advance(5_000);
  world.gateway.lobbyLeaves(world.gateway.lobbyOf(ada)?.lobbyId ?? '', 'representative');
  await world.advance(2_000);
  t.equal(world.gateway.inFlight, 0);
  t.match(await world.attempts(task), [{ result: 'NoAnswer', sub_reason: 'dialer_recall' }]);
  await world.check();
});

t.test('[DM-14] where a start cannot be held back, accepting dials', async (t) => {
  const preview = await PreviewWorld.open(t, { callDelay: timer(600), delaysStarts: false });
  const { world } = preview;
  await preview.tasks(1);
  const ada = await preview.representative('ada');
  await world.advance(3_000);
  t.equal(world.gateway.dialled.length, 0);
  await preview.answer(ada, 'accept');
  await world.advance(1_500);
  t.equal(world.gateway.dialled.length, 1, 'as soon as their phone is answered');
  t.match((await preview.shown(ada)).body, { callDelay: 'direct', startsAt: null });
});

t.test('[DM-16] [OUT-01] accepted by nobody until the window ends: Terminated', async (t) => {
  const preview = await PreviewWorld.open(t);
  const { world } = preview;
  const windows = [{ startMs: world.nowMs, endMs: world.nowMs + 10 * MINUTE_MS }];
  const [refused = ''] = await preview.tasks(1, { windows });
  const ada = await preview.representative('ada');
  for (let asked = 0; asked < 3; asked += 1) {
    t.equal(preview.work(ada), 'invited', `asked for the ${asked + 1}. time`);
    await preview.answer(ada, 'reject');
    t.equal(preview.work(ada), 'free', 'not at once again');
    await world.advance(MINUTE_MS);
  }
  await world.advance(10 * MINUTE_MS);
  t.match(await world.task(refused), { status: 'Expired', last_result: 'Terminated' });
  t.equal(preview.work(ada), 'free', 'nobody is asked for it any more');

  const soon = [{ startMs: world.nowMs, endMs: world.nowMs + 10_000 }];
  const [shown = ''] = await preview.tasks(world.people(1, 300), { windows: soon });
  t.equal(preview.work(ada), 'invited');
  await world.advance(10_000);
  t.match(await world.task(shown), { status: 'Expired', last_result: 'Terminated' });
  t.equal(preview.work(ada), 'free', 'the invitation went with the window');
  t.ok((await world.told(`representative:${ada}`)).includes('preview.terminated'));

  await world.db.transaction().execute((tx) => setPresenceIn(tx, world.writer, ada, 'offline'));
  await world.dialer.desk.changed(ada);
  const later = [{ startMs: world.nowMs, endMs: world.nowMs + MINUTE_MS }];
  const [alone = ''] = await preview.tasks(world.people(1, 400), { windows: later });
  await world.advance(2 * MINUTE_MS);
  t.match(await world.task(alone), { status: 'Expired', last_result: 'Terminated' });
  t.equal(world.gateway.dialled.length, 0);
  await world.check();
});

t.test(
  '[WS-13] [WS-18] [WS-21] [API-25] the contact as it came, and the number that is chosen',
  async (t) => {
    const farEnd = (destination: string): FarEnd =>
      destination.endsWith('2') ? { does: 'reject', statusCode: 486 } : PERSON;
    const preview = await PreviewWorld.open(t, { farEnd });
    const { world } = preview;
    const phones = { mobile: '+15555550101', business: '+15555550102', home: '+15555550103' };
    const columns = { 'Shoe size': '38' };
    const contact = { uniqueIdentifier: 'C-7', firstName: 'Ada', phones };
    const known = { ...contact, externalAttributes: columns };
    const [task = ''] = await preview.tasks([known], { inputAttributes: { policy: 'P-17' } });
    const about = { description: 'Policies that end this month' };
    await world.db.updateTable('engagements').set(about).execute();
    const { name, description } = await world.engagementRow(preview.engagementId);
    const ada = await preview.representative('ada');
    const { body } = await preview.shown(ada);
    const seen = {
      contact: { uniqueIdentifier: 'C-7', firstName: 'Ada', attributes: columns },
      inputAttributes: { policy: 'P-17' },
      ...{ engagementName: name, engagementDescription: description },
    };
    const numbers = [
      { phoneType: 'mobile', isNext: true },
      { phoneType: 'business', isNext: false },
      { phoneType: 'home', isNext: false },
    ];
    t.match(body, { ...seen, numbers });
    t.notMatch(JSON.stringify(body), '+15555550101', 'masked: the key may not see numbers');
    await preview.answer(ada, 'accept');
    await world.advance(2_000);
    const start = (phoneType: string) => {
      return preview.ask('POST', `${ada}/preview/start`, { phoneType });
    };
    t.match(await start('fax'), { status: 400 });
    await start('business');
    await world.advance(5_000);
    t.match(world.gateway.dialled, [{ destination: '+15555550102' }]);
    t.match(await world.deliveries(task), [{ phone_type: 'business', result: 'Busy' }]);
    if (preview.work(ada) === 'wrapUp') world.dialer.desk.wrapUpDone(ada);
    await world.settle();
    t.equal(preview.work(ada), 'invited', 'the next number is offered, and not dialled by itself');
    t.match((await preview.shown(ada)).body, {
      numbers: [{ isNext: false }, { isNext: false }, { phoneType: 'home', isNext: true }],
    });
    await world.advance(15_000);
    t.equal(world.gateway.dialled.length, 1);
    await preview.answer(ada, 'accept');
    await world.advance(2_000);
    await start('home');
    await world.advance(5_000);
    t.match((await preview.shown(ada)).body, { state: 'talking', ...seen }, 'also during the call');
    await world.check();
  },
);

t.test(
  'who opts out while they are shown is not rung, and nobody else in their place',
  async (t) => {
    const preview = await PreviewWorld.open(t, { callDelay: timer(60) });
    const { world } = preview;
    const [anna, ben] = world.people(2);
    assert(anna && ben);
    const ada = await preview.representative('ada');
    const ids = await world.db.transaction().execute(async (tx) => {
      const people = await upsertContacts(tx, world.writer, [anna, ben]);
      const contactIds = people.map(({ id }) => id);
      const input: TaskInput = { contactIds, source: 'api' };
      return createTasks(tx, world.writer, { id: preview.engagementId }, [input]);
    });
    world.dialer.tasksWritten(preview.engagementId);
    await world.settle();
    const [task = ''] = ids;
    await preview.answer(ada, 'accept');
    await world.advance(30_000);
    const who = async () => {
      const { contact, numbers } = (await preview.shown(ada)).body;
      return { contact, numbers };
    };
    t.match(await who(), {
      ...{ contact: { uniqueIdentifier: anna.uniqueIdentifier }, numbers: [{ isNext: true }] },
    });
    const number = String(anna.phones?.mobile);
    const optOut = { number, source: 'api', detail: null } as const;
    await world.db.transaction().execute((tx) => addOptOutIn(tx, world.writer, optOut));
    t.same((await who()).numbers, [], 'it is not offered any more');
    t.match(await preview.ask('POST', `${ada}/preview/start`, { phoneType: 'mobile' }), {
      status: 400,
    });
    await world.advance(40_000);
    t.equal(world.gateway.dialled.length, 0, 'at the countdown’s end nobody is rung');
    t.equal(preview.work(ada), 'invited');
    t.match(await who(), {
      ...{ contact: { uniqueIdentifier: ben.uniqueIdentifier }, numbers: [{ isNext: true }] },
    });
    const told = await world.db
      .selectFrom('events')
      .select('payload')
      .where('stream_id', '=', `representative:${ada}`)
      .where('type', '=', 'preview.cancelled')
      .execute();
    t.match(
      told.map(({ payload }) => JSON.parse(payload) as Json),
      [{ taskId: task, reason: 'not_as_shown' }],
    );
    await preview.answer(ada, 'accept');
    await world.advance(2_000);
    await preview.ask('POST', `${ada}/preview/start`, {});
    await world.advance(5_000);
    t.match(world.gateway.dialled, [{ destination: ben.phones?.mobile }]);
    await world.check();
  },
);

t.test('an invitation that is not answered goes to the next', async (t) => {
  const preview = await PreviewWorld.open(t);
  const { world } = preview;
  const [task = ''] = await preview.tasks(1);
  const ada = await preview.representative('ada');
  const bob = await preview.representative('bob');
  await world.advance(19_999);
  t.same([preview.work(ada), preview.work(bob)], ['invited', 'free']);
  await world.advance(1);
  t.same([preview.work(ada), preview.work(bob)], ['free', 'invited']);
  t.match((await preview.shown(bob)).body, { taskId: task });
});

t.test('[DM-43] suspended: what was shown is put back, and shown anew after it', async (t) => {
  const preview = await PreviewWorld.open(t, { callDelay: timer(60) });
  const { world } = preview;
  const tasks = await preview.tasks(2);
  const ada = await preview.representative('ada');
  const bob = await preview.representative('bob');
  await preview.answer(ada, 'accept');
  const { businessUnitId } = world;
  const request = { engagementId: preview.engagementId, businessUnitId, actor: 'operator' };
  await world.dialer.suspend({ ...request, suspension: { type: 'apiAction', reason: 'lunch' } });
  await world.settle();
  t.same([preview.work(ada), preview.work(bob)], ['free', 'free']);
  for (const task of tasks) t.match(await world.task(task), { state: 'ready', status: 'Pending' });
  await world.advance(5 * MINUTE_MS);
  t.equal(world.gateway.dialled.length, 0);
  await world.dialer.resume(request);
  await world.settle();
  t.same([preview.work(ada), preview.work(bob)], ['invited', 'invited']);
  await world.check();
});

t.test('a hold whose answer is lost is found again, and shown', async (t) => {
  const preview = await PreviewWorld.open(t);
  const { world } = preview;
  const ada = await preview.representative('ada');
  world.loseAnswerOf('events');
  const [task = ''] = await preview.tasks(1);
  t.equal(preview.work(ada), 'free');
  t.match(await world.task(task), { state: 'working', status: 'Pending' }, 'held by nobody');
  await world.advance(5_000);
  t.equal(preview.work(ada), 'invited');
  t.match((await preview.shown(ada)).body, { taskId: task });
  await world.check();
});

t.test('a more urgent engagement of the queue is served before contacts are shown', async (t) => {
  const preview = await PreviewWorld.open(t);
  const { world } = preview;
  await preview.tasks(3);
  const { queue_id: queueId } = await world.engagementRow(preview.engagementId);
  const config = {
    ...{ engagementType: 'repLed', mode: { kind: 'progressive' }, priority: 'critical' },
    answering: {
      ...{ amdAction: 'hangup', customerWaitThresholdSeconds: 6 },
      abandonedMessage: { text: 'Nobody was free.' },
    },
  };
  const urgent = await world.engagement({ config });
  await world.db
    .updateTable('engagements')
    .set((eb) => ({ queue_id: queueId, version: eb('version', '+', 1) }))
    .where('id', '=', urgent)
    .execute();
  await world.dialer.engagementChanged(urgent);
  await world.tasks(urgent, world.people(1, 700));
  const ada = await preview.representative('ada');
  await world.advance(3_000);
  t.equal(world.dialer.desk.get(ada)?.invitation?.engagementId, urgent);
  await world.advance(MINUTE_MS);
  world.dialer.desk.wrapUpDone(ada);
  await world.advance(1_000);
  t.equal(preview.work(ada), 'invited', 'with nothing urgent left she is shown a contact');
  t.equal(world.dialer.desk.get(ada)?.invitation?.engagementId, preview.engagementId);
  await world.check();
});

t.test('cancelled by somebody else, it is taken from the desktop', async (t) => {
  const preview = await PreviewWorld.open(t);
  const { world } = preview;
  const [task = ''] = await preview.tasks(1);
  const ada = await preview.representative('ada');
  await preview.answer(ada, 'accept');
  const { businessUnitId } = world;
  const request = { taskId: task, businessUnitId, actor: 'operator', reason: 'a mistake' };
  t.equal(await world.dialer.cancelTask(request), 'ending');
  await world.settle();
  t.match(await world.task(task), { status: 'Cancelled' });
  t.equal(preview.work(ada), 'free');
  await world.check();
});

t.test(
  'a process that dies: held tasks are nobody’s fault; calls that ring are ended',
  async (t) => {
    const preview = await PreviewWorld.open(t, { farEnd: () => RINGS });
    const { world } = preview;
    const tasks = await preview.tasks(2);
    const ada = await preview.representative('ada');
    await preview.representative('bob');
    await preview.answer(ada, 'accept');
    await world.advance(2_000);
    await preview.ask('POST', `${ada}/preview/start`, {});
    await world.advance(3_000);
    for (let crash = 0; crash < 2; crash += 1) {
      world.kill();
      await world.start();
      await world.advance(2_000);
    }
    t.equal(world.gateway.inFlight, 0);
    const [rung, held] = await Promise.all(tasks.map((task) => world.task(task)));
    t.match(await world.attempts(rung?.id ?? ''), [
      { result: 'NoAnswer', sub_reason: 'dialer_recall' },
    ]);
    t.match(held, { quarantined: 0, crash_count: 0, last_result: null });
    await world.check();
  },
);
