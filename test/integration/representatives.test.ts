/** Goal: representatives are reserved once, invited, freed and seen over `/v1`, on both databases. */
import { createHash } from 'node:crypto';
import t, { type Test } from 'tap';
import { promoteDue } from '../../dialer/actors/promoter.ts';
import { readEngagementFacts } from '../../dialer/engagements/engagement-facts.ts';
import { decideShown, type ShownNumber } from '../../dialer/preview/decide-shown.ts';
import { giveBackTask, heldTaskIds, holdTasks } from '../../dialer/preview/held-tasks.ts';
import { readOfferedContact } from '../../dialer/preview/offered-contact.ts';
import { planRepresentatives } from '../../dialer/tasks/call-answering.ts';
import { claimNextNumber, type ClaimContext } from '../../dialer/tasks/claim-starts.ts';
import type { RepresentativeDemand } from '../../dialer/representatives/match-representatives.ts';
import type { Offer } from '../../dialer/representatives/offer.ts';
import { LOCK_MS } from '../../dialer/representatives/dial-in-locks.ts';
import { reserve } from '../../dialer/representatives/reservations.ts';
import { StoreDirectory } from '../../dialer/representatives/store-directory.ts';
import type { RepresentativeRules } from '../../dialer/representatives/representative-rules.schema.ts';
import type { LobbyOpen } from '../../machines/lobby-commands.ts';
import { ApiRig, type Json } from '../support/api-rig.ts';
import { storeTargets, type StoreTarget } from '../support/store-target.ts';

t.setTimeout(120_000);

const RULES: RepresentativeRules = {
  skillMatching: 'exact',
  allowedPresences: ['available'],
  wrapUpBlock: 'always',
  capacityUnits: 100,
  preDialTemplate: 'outbound pre-dial',
  agentDialTemplate: 'outbound agent dial',
};

async function scene(t: Test, target: StoreTarget) {
  const rig = await ApiRig.open(t, target.place(t));
  const { id: engagementId, queueId } = await rig.engagement();
  const person = async (name: string, more: Json = {}): Promise<string> => {
    const body = { name, sipUri: `sip:${name}@127.0.0.1:5999`, queueIds: [queueId], ...more };
    const id = await rig.make('/v1/representatives', body);
    await rig.ask({
      ...{ method: 'PUT', url: `/v1/representatives/${id}/presence` },
      body: { presence: 'available' },
    });
    return id;
  };
  const demand = (change: Partial<RepresentativeDemand> = {}): RepresentativeDemand => ({
    ...{ businessUnitId: rig.businessUnitId, queueId, skillIds: [], rules: RULES },
    ...change,
  });
  const offer = (change: Partial<Offer> = {}): Offer => ({
    ...{ kind: 'preDial', engagementId, engagementName: 'Renewals' },
    ...{ engagementDescription: 'Policies that end', isAutoAccepted: true },
    ...{ taskId: null, attemptId: null, rules: RULES, trunk: 'carrier' },
    ...change,
  });
  const read = async (id: string): Promise<Json> => {
    return (await rig.get(`/v1/representatives/${id}`)).body;
  };
  return { rig, engagementId, queueId, person, demand, offer, read, desk: rig.dialer.desk };
}

function phoneAccessTests(t: Test, target: StoreTarget): void {
  t.test('a phone’s password is taken, kept as hashes, and known to every gateway', async (t) => {
    const { rig, person, read } = await scene(t, target);
    const id = await person('ada', { sipUri: null });
    const url = `/v1/representatives/${id}/phone-credentials`;
    const body = { sipUser: 'ada', password: 'correct horse' };
    const put = (change: Json = {}, at = url) =>
      rig.ask({ method: 'PUT', url: at, body: { ...body, ...change } });
    t.match(await put({ password: 'short' }), { status: 400 });
    const set = await put();
    t.match(set, { status: 200, body: { sipUser: 'ada', phones: [] } });
    t.notMatch(set.text, /correct horse|ha1/i);
    const directory = new StoreDirectory(rig.database, () => rig.clock.nowMs);
    const hash = createHash('sha256').update('ada:phones.example:correct horse').digest('hex');
    t.match(await directory.accountOf({ sipUser: 'ada' }), {
      ...{ representativeId: id, ha1: { 'SHA-256': hash, MD5: /^[0-9a-f]{32}$/ } },
    });
    const events = await rig.database.db
      .selectFrom('events')
      .select(['type', 'payload', 'after'])
      .where('stream_id', '=', `representative:${id}`)
      .execute();
    t.equal(events.at(-1)?.type, 'representative.credentialsSet');
    t.notMatch(JSON.stringify(events), /correct horse|[0-9a-f]{32}/);
    const other = await person('bob', { sipUri: null });
    t.match(await put({}, url.replace(id, other)), { status: 400 }, 'one user name, one person');

    const binding = {
      ...{ contact: 'sip:ada@192.0.2.9', received: null, callId: 'c', cseq: 1 },
      ...{ registeredAtMs: rig.clock.nowMs, expiresAtMs: rig.clock.nowMs + 60_000 },
    };
    const [first, second] = await Promise.all([
      directory.replaceBindings(id, 0, [binding]),
      directory.replaceBindings(id, 0, []),
    ]);
    t.not(first, second, 'of two gateways that write at once one is told to look again');
    const { version } = await directory.bindingsOf(id);
    t.ok(await directory.replaceBindings(id, version, [binding]));
    t.same((await new StoreDirectory(rig.database, Date.now).bindingsOf(id)).bindings, [binding]);
    t.match(await read(id), { phones: [{ contact: 'sip:ada@192.0.2.9' }] });
    await put({ password: 'another horse' });
    t.same((await read(id))['phones'], [], 'what registered with the old password is out');
    await rig.ask({ method: 'DELETE', url });
    t.equal(await directory.accountOf({ sipUser: 'ada' }), undefined);
  });

  t.test('the desk rings what has registered, and waits for who dials in', async (t) => {
    const { rig, person, demand, offer, desk } = await scene(t, target);
    const id = await person('ada', { sipUri: null });
    const put = (what: string, body: Json) =>
      rig.ask({ method: 'PUT', url: `/v1/representatives/${id}/${what}`, body });
    const opened = async () => {
      const count = rig.lobbies.opened();
      t.same(await desk.reserve(demand(), offer(), 1), [id]);
      await desk.settled();
      await until(() => rig.lobbies.opened() > count || desk.get(id)?.work === 'free');
      const opens = rig.lobbies.sent.filter(({ type }) => type === 'lobby.open');
      const command = opens[count];
      desk.releaseOne(id, 'nothingToDial');
      await until(() => desk.get(id)?.isFree === true);
      if (command !== undefined) rig.lobbies.left();
      return command as LobbyOpen | undefined;
    };
    t.equal(await opened(), undefined, 'nobody knows a phone of theirs');
    await put('dial-in', { number: '1001', pin: '730194' });
    t.match(await opened(), { via: 'dialIn', gatewayId: 'g-1' }, 'they may still call');
    await put('phone-credentials', { sipUser: 'ada', password: 'correct horse' });
    const directory = new StoreDirectory(rig.database, () => rig.clock.nowMs);
    const times = { registeredAtMs: 1, expiresAtMs: Date.now() + 600_000 };
    const phone = { contact: 'sip:ada@192.0.2.9', received: null, callId: 'c', cseq: 1 };
    await directory.replaceBindings(id, 0, [{ ...phone, ...times }]);
    t.match(await opened(), { via: 'invite', sipUri: '' }, 'what has registered is called');
    const from = { gatewayId: 'g-2', seq: 1, atMs: 1, representativeId: id, dialInId: 'd' };
    desk.onTelephony({ type: 'representative.dialedIn', ...from });
    t.match(await opened(), { via: 'dialIn', gatewayId: 'g-2' }, 'the leg that waits is taken');
    const elsewhere = await desk.reserve(demand(), offer({ gatewayId: 'g-1' }), 1);
    t.same(elsewhere, [], 'and nothing is offered that is at another gateway');
    desk.onTelephony({ type: 'representative.dialInEnded', ...from, reason: 'caller' });
    t.match(await opened(), { via: 'invite' });
    const nowMs = Date.now();
    await directory.replaceBindings(id, 1, [{ ...phone, ...times, expiresAtMs: nowMs - 1 }]);
    t.match(await opened(), { via: 'dialIn', gatewayId: 'g-1' }, 'a binding lapses');
  });

  t.test('at the dial-in lobby nobody guesses: by number and by caller', async (t) => {
    const { rig, person } = await scene(t, target);
    const id = await person('ada');
    const url = `/v1/representatives/${id}/dial-in`;
    const put = (body: Json) => rig.ask({ method: 'PUT', url, body });
    t.match(await put({ number: '1001', pin: '1234' }), { status: 400 }, 'guessed first');
    const set = await put({ number: '1001', pin: '730194' });
    t.match(set, { status: 200, body: { dialInNumber: '1001' } });
    t.notMatch(set.text, /730194|scrypt/);
    const row = await rig.database.db
      .selectFrom('representatives')
      .select('pin_hash')
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    t.match(row.pin_hash, /^scrypt\$16384\$8\$1\$[0-9a-f]{32}\$[0-9a-f]{64}$/);
    const directory = new StoreDirectory(rig.database, () => rig.clock.nowMs);
    const enter = (pin: string, source = '+12065550100', number = '1001') =>
      directory.admitDialIn({ number, pin, source });
    t.match(await enter('730194'), { admitted: true, representativeId: id });
    const wrong = { admitted: false, reason: 'wrongPin', representativeId: id };
    t.match(await enter('730195'), wrong);
    t.match(await enter('730194'), { admitted: true }, 'one that is right begins anew');
    const guesses = await Promise.all(['1', '2', '3', '4', '5', '6', '7'].map((pin) => enter(pin)));
    const reasons = guesses.map((guess) => (guess.admitted ? 'admitted' : guess.reason)).sort();
    t.same(reasons, [...Array<string>(2).fill('locked'), ...Array<string>(5).fill('wrongPin')]);
    t.match(await enter('730194', '+12065550101'), { reason: 'locked' }, 'whoever calls');
    rig.clock.nowMs += LOCK_MS + 1;
    t.match(await enter('730194'), { admitted: true }, 'for a while');

    for (let number = 2_000; number < 2_010; number += 1) {
      t.match(await enter('1', 'sip:192.0.2.66', String(number)), { reason: 'unknownNumber' });
    }
    t.match(await enter('730194', 'sip:192.0.2.66'), { reason: 'locked' }, 'whatever they try');
    t.match(await enter('730194'), { admitted: true }, 'and nobody else');
    const kept = await rig.database.db.selectFrom('dial_in_failures').selectAll().execute();
    t.notMatch(JSON.stringify(kept), /192\.0\.2|2065550/, 'who called is kept as a hash');
    await rig.ask({
      ...{ method: 'PUT', url: `/v1/representatives/${id}/presence` },
      body: { presence: 'offline' },
    });
    t.match(await enter('730194'), { admitted: false, reason: 'notSignedOn' });
  });
}

async function until(isSo: () => boolean): Promise<void> {
  const endMs = performance.now() + 20_000;
  while (!isSo()) {
    if (performance.now() > endMs) throw new Error('it never came to be');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** What a dialer does with the tasks of a preview engagement, as claims of its queue group. */
async function previews(rig: ApiRig, engagementId: string) {
  const { database } = rig;
  const facts = await readEngagementFacts(database, engagementId);
  if (facts === undefined) throw new Error('the engagement is gone');
  const context = (afterMs = 0): ClaimContext => ({
    ...{ database, ids: rig.ids, nowMs: rig.clock.nowMs + afterMs, leaseName: 'queue-group:all' },
    ...{ fence: 1, gatewayId: 'g-1', trunk: 'carrier', fromAddress: '+12025550100' },
    ...{ numberGapMinMs: 900_000, actor: 'dialer:rig', machineVersion: 'm@1' },
    planAfterAnswer: planRepresentatives(facts),
  });
  const request = (startsMax: number) => ({
    ...{ businessUnitId: rig.businessUnitId, engagementId, config: facts.config, startsMax },
    queue: { kind: 'open' as const },
  });
  const taskOf = (taskId: string) =>
    database.db.selectFrom('tasks').selectAll().where('id', '=', taskId).executeTakeFirst();
  return { database, context, request, taskOf };
}

/** Of the contact that the task shows. */
async function numberOf(rig: ApiRig, taskId: string, number: string): Promise<ShownNumber> {
  const shown = await readOfferedContact(rig.database.db, rig.businessUnitId, taskId, null);
  const found = shown?.numbers.find((one) => one.number === number);
  if (shown === undefined || found === undefined) throw new Error(`${number} is not offered`);
  return { contactId: shown.contact.id, contactPointId: found.contactPointId };
}

/** One task: Anna at …0101 and …0201, and behind her Ben at …0102. */
async function annaAndBen(t: Test, target: StoreTarget) {
  const { rig } = await scene(t, target);
  const config = { mode: { kind: 'preview' }, phoneTypes: ['mobile', 'home'] };
  const { id: engagementId } = await rig.engagement({ config });
  const contacts = [
    {
      ...{ uniqueIdentifier: 'anna', firstName: 'Anna' },
      phones: { mobile: '+12025550101', home: '+12025550201' },
    },
    { uniqueIdentifier: 'ben', firstName: 'Ben', phones: { mobile: '+12025550102' } },
  ];
  const taskId = await rig.make('/v1/tasks', { engagementId, contacts });
  const held = await previews(rig, engagementId);
  const hold = async () => {
    const [task] = (await holdTasks(held.context(), held.request(1))).tasks;
    if (task === undefined) throw new Error('nothing is held');
    return task.target;
  };
  const shown = async (next: ShownNumber | null) => {
    const offered = await readOfferedContact(rig.database.db, rig.businessUnitId, taskId, next);
    const numbers = offered?.numbers.map(({ number, isNext }) => [number, isNext]);
    return { name: offered?.contact.first_name, numbers };
  };
  const claim = (number: ShownNumber) => {
    const asked = { ...held.request(1), taskId, decide: decideShown(number) };
    return claimNextNumber(held.context(), asked);
  };
  const optOut = async (number: string) => {
    t.match(await rig.post('/v1/opt-outs', { number }), { status: 201 });
  };
  const counts = () =>
    rig.database.db
      .selectFrom('engagements')
      .selectAll()
      .where('id', '=', engagementId)
      .executeTakeFirstOrThrow();
  return { ...{ rig, taskId, ...held, hold, shown, claim, optOut, counts } };
}

const NOT_AS_SHOWN = { starts: [], changes: [{ kind: 'postponed', reason: 'not_as_shown' }] };

function shownTests(t: Test, target: StoreTarget): void {
  t.test('who is shown is whom the walk has come to, past those who opted out', async (t) => {
    const { optOut, hold, shown, claim, taskId, taskOf } = await annaAndBen(t, target);
    await optOut('+12025550101');
    const home = await hold();
    t.same(await shown(home), { name: 'Anna', numbers: [['+12025550201', true]] });
    t.same(await shown(null), await shown(home), 'as it is stored');
    await optOut('+12025550201');
    t.same(await shown(home), { name: 'Anna', numbers: [] }, 'also from one moment to the next');
    t.match(await claim(home), NOT_AS_SHOWN, 'and nobody else is rung in her place');
    t.match(await taskOf(taskId), { state: 'ready', status: 'Pending', owner_epoch: null });
    const ben = await hold();
    t.same(await shown(ben), { name: 'Ben', numbers: [['+12025550102', true]] });
    t.match((await taskOf(taskId))?.progress, /"contactIndex":1/);
    t.match(await claim(ben), { starts: [{ number: '+12025550102', target: ben }] });
  });

  t.test('whose consent is withdrawn is not shown', async (t) => {
    const { rig, taskId, hold, shown, claim, taskOf } = await annaAndBen(t, target);
    const profileId = await rig.make('/v1/consent/profiles', {
      ...{ name: 'Ours', channels: ['voice'] },
    });
    const purposeId = await rig.make('/v1/consent/purposes', {
      ...{ name: 'Renewals', type: 'commercial', profileIds: [profileId] },
      enforcement: 'restrictive',
    });
    const points = await rig.database.db.selectFrom('contact_points').selectAll().execute();
    const [ben] = points.filter(({ value }) => value === '+12025550102');
    const restrictions = JSON.stringify({
      contactPointIds: points.map(({ id }) => id),
      consent: { purposeId, topicId: null },
    });
    await rig.database.db.updateTable('tasks').set({ restrictions }).execute();
    const body = { purposeId, channel: 'voice', address: ben?.value, status: 'optedIn' };
    const said = { ...body, source: 'form' };
    t.match(await rig.post('/v1/consent/records', said), { status: 201 });
    const first = await hold();
    t.equal(first.contactPointId, ben?.id);
    t.same(await shown(first), { name: 'Ben', numbers: [['+12025550102', true]] });
    await rig.post('/v1/consent/records', { ...said, status: 'optedOut' });
    t.same(await shown(first), { name: 'Ben', numbers: [] }, 'also from one moment to the next');
    t.match(await claim(first), { starts: [], changes: [{ kind: 'finished' }] });
    t.match(await taskOf(taskId), { state: 'final', last_sub_reason: 'opted_out' });
  });

  t.test('a chosen number that opts out is nobody else’s call, nor the task’s end', async (t) => {
    const { rig, hold, shown, claim, optOut, taskId, taskOf, counts } = await annaAndBen(t, target);
    const mobile = await hold();
    const both = [
      ['+12025550101', true],
      ['+12025550201', false],
    ];
    t.same(await shown(mobile), { name: 'Anna', numbers: both });
    const home = await numberOf(rig, taskId, '+12025550201');
    await optOut('+12025550102');
    await optOut('+12025550201');
    t.match(await claim(home), NOT_AS_SHOWN, 'nobody is left behind it');
    t.match(await taskOf(taskId), { state: 'ready', last_result: null });
    t.match(await counts(), { tasks_ready: 1, tasks_working: 0, attempts_total: 0, in_flight: 0 });
    t.same(await hold(), mobile, 'her other number is not passed over for it');
    t.same(await shown(mobile), { name: 'Anna', numbers: [['+12025550101', true]] });
    const elsewhere = { ...mobile, contactId: rig.ids.id() };
    t.match(await claim(elsewhere), NOT_AS_SHOWN, 'the number of somebody else');
    t.same(await hold(), mobile);
    t.match(await claim(mobile), { starts: [{ number: '+12025550101' }] });
  });

  t.test('a number that was put in the place of the one that was shown is not rung', async (t) => {
    const { rig, hold, shown, claim } = await annaAndBen(t, target);
    const before = await hold();
    const edited = await rig.post('/v1/contacts', {
      ...{ uniqueIdentifier: 'anna', firstName: 'Anna' },
      phones: { mobile: '+12025550301', home: '+12025550201' },
    });
    t.match(edited, { status: 200, body: { id: before.contactId } });
    t.same((await shown(before)).numbers?.[0], ['+12025550301', false]);
    t.match(await claim(before), NOT_AS_SHOWN);
    t.match((await claim(await hold())).starts, [{ number: '+12025550301' }]);
  });
}

function representativeTests(t: Test, target: StoreTarget): void {
  t.test('[CFG-10] [WS-09] [WS-11] who is asked, by queue, skills and presence', async (t) => {
    const { rig, person, demand, offer, desk } = await scene(t, target);
    const spanish = await rig.make('/v1/skills', { name: 'Spanish' });
    const claims = await rig.make('/v1/skills', { name: 'Claims' });
    const skillIds = [spanish, claims];
    const both = await person('both', { skills: skillIds.map((skillId) => ({ skillId })) });
    const one = await person('one', { skills: [{ skillId: spanish, proficiency: 9 }] });
    const none = await person('none');
    const elsewhere = await person('elsewhere', { queueIds: [] });
    t.same(desk.headcount(demand({ skillIds })), { present: 1, free: 1, wrappingUp: 0 });
    const closest = demand({ skillIds, rules: { ...RULES, skillMatching: 'closest' } });
    t.equal(desk.headcount(closest).free, 3);
    t.same(await desk.reserve(closest, offer(), 2), [both, one], 'most skills first');
    t.same(await desk.reserve(demand({ skillIds }), offer(), 5), [], 'exact: nobody is left');
    const indifferent = demand({ skillIds, rules: { ...RULES, skillMatching: 'none' } });
    const url = `/v1/representatives/${none}/presence`;
    await rig.ask({ method: 'PUT', url, body: { presence: 'lunch' } });
    t.same(await desk.reserve(indifferent, offer(), 5), [], 'lunch is not an allowed presence');
    await rig.ask({ method: 'PUT', url, body: { presence: 'available' } });
    t.same(await desk.reserve(indifferent, offer(), 5), [none]);
    t.equal(desk.get(elsewhere)?.work, 'free');
  });

  t.test('[WS-14] one has them: reserved, in the lobby, and free again', async (t) => {
    const { rig, person, demand, offer, read, desk, ...first } = await scene(t, target);
    const ada = await person('ada');
    const { id: second } = await rig.engagement();
    const asked = await Promise.all([
      desk.reserve(demand(), offer(), 1),
      desk.reserve(demand(), offer({ engagementId: second }), 1),
    ]);
    const engagementId = desk.held(second).length > 0 ? second : first.engagementId;
    t.same(asked.flat(), [ada], 'two at once: one of them has her');
    await desk.settled();
    t.match(await read(ada), { work: 'reserved', reservation: { engagementId } });
    t.match(desk.held(engagementId), [{ representativeId: ada, mediaServerId: 'm-1' }]);
    const another = { database: rig.database, nowMs: 1, leaseName: 'queue-group:all', fence: 1 };
    const { businessUnitId } = rig;
    const wanted = { representativeId: ada, businessUnitId, engagementId, terms: '{}' };
    const none = await reserve({ ...another, actor: 'x' }, [
      { ...wanted, invitationId: rig.ids.id(), attemptId: null },
    ]);
    t.equal(none.size, 0, 'another process finds her taken');
    await t.rejects(
      reserve({ ...another, fence: 2, actor: 'x' }, [
        { ...wanted, invitationId: 'i', attemptId: null },
      ]),
      {
        code: 'LEASE_LOST',
      },
    );
    t.equal(desk.release(engagementId, 'nothingToDial'), 1);
    await desk.settled();
    t.match(await read(ada), { work: 'free', reservation: null });
  });

  t.test(
    '[WS-13] [WS-15] a desktop takes an invitation, sees the customer, ends the wrap-up',
    async (t) => {
      const { rig, person, demand, offer, read, desk } = await scene(t, target);
      const ada = await person('ada');
      const bob = await person('bob');
      const { attemptId, deliveryId } = await callOf(rig);
      const asked = offer({ kind: 'escalation', isAutoAccepted: false, attemptId });
      t.same(await desk.reserve(demand(), asked, 1), [ada]);
      await desk.settled();
      const invited = await rig.database.db
        .selectFrom('events')
        .select('payload')
        .where('stream_id', '=', `representative:${ada}`)
        .where('type', '=', 'representative.invited')
        .executeTakeFirstOrThrow();
      t.match(JSON.parse(invited.payload), {
        ...{ engagementName: 'Renewals', engagementDescription: 'Policies that end' },
        ...{ template: 'outbound pre-dial', kind: 'escalation', attemptId },
      });
      const invitationId = String(desk.get(ada)?.invitation?.id);
      const invitations = `/v1/representatives/${ada}/invitations`;
      t.match(await rig.post(`${invitations}/${rig.ids.id()}/accept`, undefined), {
        status: 409,
        body: { code: 'NOT_CHANGEABLE' },
      });
      t.match(await rig.post(`${invitations}/${invitationId}/reject`, undefined), {
        status: 200,
        body: { work: 'free' },
      });
      t.same(await desk.reserve(demand(), { ...asked, except: new Set([ada]) }, 1), [bob]);
      const second = String(desk.get(bob)?.invitation?.id);
      await rig.post(`/v1/representatives/${bob}/invitations/${second}/accept`, undefined);
      await desk.settled();
      t.match(await read(bob), { work: 'reserved' });
      const call = `/v1/representatives/${bob}/call`;
      t.match(await rig.get(call), { status: 404 }, 'nobody is on the line yet');
      const bridgedAtMs = performance.now();
      rig.lobbies.attempt(attemptId, {
        type: 'attempt.connected',
        target: 'lobby',
        connectId: 'c',
      });
      await desk.settled();
      const screen = {
        ...{ attemptId, deliveryId, work: 'connected', number: '+12025550143', endedAt: null },
        contact: { uniqueIdentifier: 'C-1', firstName: 'Ada', attributes: { Slot: '10:00' } },
        inputAttributes: { policy: 'P-17' },
        returnedAttributes: { wishes: 'call back' },
      };
      t.match(await rig.get(call), { status: 200, body: screen });
      t.ok(performance.now() - bridgedAtMs < 1_000, 'the screen has them within a second');
      t.match(await read(bob), { work: 'connected', reservation: { attemptId } });
      const done = `/v1/representatives/${bob}/wrap-up/end`;
      t.match(await rig.post(done, {}), { status: 409 }, 'still talking');
      rig.lobbies.attempt(attemptId, { type: 'attempt.ended' });
      t.match(await rig.get(call), { body: { work: 'wrapUp', contact: screen.contact } });
      const codes = { dispositionCodes: ['Appointment made'] };
      t.match(await rig.post(done, codes), { status: 200, body: { work: 'free' } });
      const delivery = await rig.database.db
        .selectFrom('deliveries')
        .select('disposition_codes')
        .where('id', '=', deliveryId)
        .executeTakeFirstOrThrow();
      t.equal(delivery.disposition_codes, '"Appointment made"');
      t.match(await rig.get(call), { status: 404 }, 'and none are shown after it');
      const foreign = rig.ids.id();
      t.match(await rig.post(`/v1/representatives/${foreign}/wrap-up/end`, {}), { status: 404 });
    },
  );

  t.test('[DM-16] a task that is shown is held, dialled as chosen, or put back', async (t) => {
    const { rig } = await scene(t, target);
    const config = { mode: { kind: 'preview' }, phoneTypes: ['mobile', 'home'] };
    const { id: engagementId } = await rig.engagement({ config });
    const people = [1, 2, 3].map((n) => ({
      uniqueIdentifier: `P-${n}`,
      phones: { mobile: `+1202555010${n}`, home: `+1202555020${n}` },
    }));
    const ids: string[] = [];
    for (const contact of people) {
      ids.push(await rig.make('/v1/tasks', { engagementId, contacts: [contact] }));
    }
    const { database, context, request, taskOf } = await previews(rig, engagementId);
    const { tasks } = await holdTasks(context(), request(2));
    t.same(tasks.map(({ taskId }) => taskId).sort(), ids.slice(0, 2).sort());
    const [first = '', second = ''] = ids;
    t.match(await taskOf(first), { state: 'working', status: 'Pending', owner_epoch: 1 });
    t.same([...(await heldTaskIds(context(), engagementId))].sort(), ids.slice(0, 2).sort());
    t.same((await holdTasks(context(), request(5))).tasks.length, 1, 'nobody is shown them too');
    const { target: shown } = tasks.find(({ taskId }) => taskId === first) ?? {};
    const chosen = await numberOf(rig, first, '+12025550201');
    t.match(chosen, { contactId: shown?.contactId });
    const asked = { ...request(1), taskId: first, decide: decideShown(chosen) };
    t.match((await claimNextNumber(context(), asked)).starts, [{ number: '+12025550201' }]);
    t.match(await taskOf(first), { status: 'InProcess' });
    const back = { taskId: second, wasAccepted: false, notBeforeMs: rig.clock.nowMs + 60_000 };
    t.match(await giveBackTask(context(), request(0), back), { reason: 'not_accepted' });
    t.match(await taskOf(second), { state: 'waiting', due_at_ms: back.notBeforeMs });
    t.equal(await giveBackTask(context(), request(0), back), undefined, 'once');
    const third = { ...back, taskId: ids[2] ?? '', notBeforeMs: 0 };
    await giveBackTask(context(), request(0), third);
    t.match(await taskOf(third.taskId), { state: 'ready', status: 'Pending', owner_epoch: null });
    const late = 48 * 3_600_000;
    const again = await holdTasks(context(1), request(1));
    t.match(again.tasks, [{ taskId: third.taskId }]);
    t.match(await giveBackTask(context(late), request(0), third), { result: 'Terminated' });
    const nowMs = rig.clock.nowMs + late;
    await promoteDue({ database, nowMs, actor: 'dialer:rig', batchMax: 50 });
    t.match(await taskOf(second), { status: 'Expired', last_result: 'Terminated' });
    const row = await database.db
      .selectFrom('engagements')
      .selectAll()
      .where('id', '=', engagementId)
      .executeTakeFirstOrThrow();
    t.match(row, { tasks_ready: 0, tasks_waiting: 0, tasks_working: 1, tasks_final: 2 });
  });

  shownTests(t, target);

  t.test('what a dead dialer held is gone on with, or let go', async (t) => {
    const { rig, person, demand, offer, desk, read } = await scene(t, target);
    const { attemptId } = await callOf(rig);
    const one = async (change: Partial<Offer> = {}) => {
      const [id = ''] = await desk.reserve(demand(), offer(change), 1);
      await desk.settled();
      return id;
    };
    for (const name of ['ada', 'bob', 'eve', 'joe']) await person(name);
    const asked = await one({ kind: 'escalation', isAutoAccepted: false, attemptId });
    const waiting = await one();
    const lobbyOfWaiting = rig.lobbies.lobbyId;
    const talking = await one();
    const lobbyOfTalking = rig.lobbies.lobbyId;
    const orphan = await one({ engagementId: rig.ids.id() });
    const lobbyOfOrphan = rig.lobbies.lobbyId;
    desk.releaseOne(asked, 'withdrawn');
    await desk.settled();
    const invited = await one({ kind: 'escalation', isAutoAccepted: false, attemptId: 'gone' });
    t.equal(invited, asked);
    t.ok(desk.assign(talking, attemptId));
    rig.lobbies.attempt(attemptId, { type: 'attempt.connected', target: 'lobby' });
    await desk.settled();
    t.match(await read(talking), { work: 'connected', reservation: { attemptId } });
    desk.stop();

    const from = rig.lobbies.sent.length;
    const next = await rig.openDesk(t);
    await next.settled();
    const sent = rig.lobbies.sent.slice(from);
    t.match(
      sent.filter(({ type }) => type === 'lobby.close'),
      [{ lobbyId: lobbyOfOrphan, fence: 2, gatewayId: 'g-1' }],
      'one leg is closed',
    );
    t.same(
      sent
        .flatMap((one) => (one.type === 'lobby.open' ? [[one.lobbyId, one.takesOver]] : []))
        .sort(),
      [
        [lobbyOfTalking, true],
        [lobbyOfWaiting, true],
      ].sort(),
    );
    for (const id of [invited, orphan]) {
      t.match(await read(id), { work: 'free', reservation: null });
      const told = await rig.database.db
        .selectFrom('events')
        .select('type')
        .where('stream_id', '=', `representative:${id}`)
        .orderBy('stream_seq', 'desc')
        .executeTakeFirst();
      t.equal(told?.type, 'representative.released', 'a desktop hears of it');
    }
    t.match(await read(waiting), { work: 'reserved', reservation: { attemptId: null } });
    t.match(await read(talking), { work: 'connected', reservation: { attemptId } });
    t.match(next.get(talking), {
      work: 'connected',
      lobbyId: lobbyOfTalking,
      mediaServerId: 'm-1',
    });
    t.equal(next.assign(talking, 'another'), false);

    rig.lobbies.attempt(attemptId, { type: 'attempt.ended' });
    await next.settled();
    t.match(await read(talking), { work: 'wrapUp' });
    next.wrapUpDone(talking);
    await next.settled();
    const rest = await next.reserve(demand(), offer(), 4);
    t.same([...rest].sort(), [invited, orphan, talking].sort(), 'all but the one who waits');
  });

  t.test('what is wrong with a representative is said, and nothing is changed', async (t) => {
    const { rig, person, queueId } = await scene(t, target);
    const ada = await person('ada');
    const url = `/v1/representatives/${ada}`;
    for (const [body, status] of [
      [{ name: '' }, 400],
      [{ name: 'X', sipUri: 'ada' }, 400],
      [{ name: 'X', queueIds: [rig.ids.id()] }, 404],
      [{ name: 'X', skills: [{ skillId: rig.ids.id() }] }, 404],
      [{ name: 'X', password: 'secret' }, 400],
    ] as const) {
      t.match(await rig.post('/v1/representatives', body), { status }, JSON.stringify(body));
    }
    t.match(await rig.ask({ method: 'PATCH', url, body: { name: 'Eve' } }), { status: 428 });
    const headers = { 'if-match': '"1"' };
    const changed = await rig.ask({ method: 'PATCH', url, body: { queueIds: [] }, headers });
    t.match(changed, { status: 200, body: { queueIds: [], name: 'ada', version: 2 } });
    const again = await rig.ask({ method: 'PATCH', url, body: { queueIds: [queueId] }, headers });
    t.match(again, { status: 412 });
    const presence = { method: 'PUT', url: `${url}/presence`, body: { presence: 'Out!' } } as const;
    t.match(await rig.ask(presence), { status: 400 });
    t.match((await rig.get('/v1/representatives?limit=1')).body, { items: [{ id: ada }] });
    t.match(await rig.post('/v1/skills', { name: 'A' }), { status: 201 });
    t.match(await rig.post('/v1/skills', { name: 'A' }), { status: 400 });
    t.match((await rig.get('/v1/skills')).body, { items: [{ name: 'A' }] });
    t.match(await rig.get(`${url}/preview`), { status: 404, body: { code: 'NOT_FOUND' } });
    t.match(await rig.post(`${url}/preview/start`, { phoneType: 'fax' }), { status: 400 });
    t.match(await rig.post(`${url}/preview/cancel`, { keepTask: true }), { status: 404 });
    const reader = await rig.key('read');
    const start = { method: 'POST', url: `${url}/preview/start`, body: {}, key: reader } as const;
    t.match(await rig.ask(start), { status: 403 });
  });
}

/** A call in the store that a representative may be asked for. */
async function callOf(rig: ApiRig): Promise<{ attemptId: string; deliveryId: string }> {
  const { id: engagementId, queueId } = await rig.engagement();
  const contact = {
    ...{ uniqueIdentifier: 'C-1', firstName: 'Ada', phones: { mobile: '+12025550143' } },
    attributes: { Slot: '10:00' },
  };
  const inputAttributes = { policy: 'P-17' };
  const request = { engagementId, contacts: [contact], inputAttributes };
  const taskId = await rig.make('/v1/tasks', request);
  const { db } = rig.database;
  const { id, mobile_point_id: point } = await db
    .selectFrom('contacts')
    .selectAll()
    .executeTakeFirstOrThrow();
  const [attemptId, deliveryId] = [rig.ids.id(), rig.ids.id()];
  const atMs = rig.clock.nowMs;
  const common = { business_unit_id: rig.businessUnitId, engagement_id: engagementId };
  await db
    .insertInto('deliveries')
    .values({
      ...{ ...common, id: deliveryId, task_id: taskId, contact_id: id, contact_point_id: point },
      ...{ seq_no: 1, channel: 'voice', status: 'InProcess', dial_mode: 'copilot' },
      ...{ queue_id: queueId, speech_detected: 0, exceeded_customer_wait_threshold: 0 },
      ...{ created_at_ms: atMs, updated_at_ms: atMs },
    })
    .execute();
  await db
    .insertInto('attempts')
    .values({
      ...{ ...common, id: attemptId, task_id: taskId, delivery_id: deliveryId },
      ...{ contact_point_id: point ?? '', fence: 1, gateway_id: 'g-1', trunk: 'carrier' },
      ...{ phase: 'answered', invites: 1, ai_handled: 0, created_at_ms: atMs },
      machine_version: 'm@1',
    })
    .execute();
  const returned = { type: 'Result', keyword: 'wishes', value: 'call back' };
  await db
    .insertInto('delivery_attributes')
    .values({ delivery_id: deliveryId, business_unit_id: rig.businessUnitId, ...returned })
    .execute();
  return { attemptId, deliveryId };
}

for (const target of await storeTargets(t)) {
  void t.test(target.name, async (t) => {
    phoneAccessTests(t, target);
    representativeTests(t, target);
  });
}
