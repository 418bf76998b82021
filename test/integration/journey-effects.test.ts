/** Goal: what journeys ask of others is decided, sent once and heard, the same on both databases. */
import { stopJourney } from '../../dialer/journeys/lifecycle/end-journey.ts';
import { lifecycleChore } from '../../dialer/journeys/lifecycle/lifecycle-chore.ts';
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { countHeld } from '../../dialer/consent/sends.ts';
import { NO_WEBHOOKS } from '../../dialer/journeys/effects/effect-chores.ts';
import { TaskEventsElsewhere } from '../../dialer/journeys/effects/task-events-elsewhere.ts';
import { signatureOf } from '../../dialer/journeys/effects/webhook.ts';
import { webhookFault } from '../../config/webhook-address.ts';
import type { Journey } from '../../journey-core/definition/journey.schema.ts';
import {
  beginProjecting,
  projectInteractions,
} from '../../dialer/triggers/project-interactions.ts';
import type { Json } from '../support/api-rig.ts';
import { dyingBefore, JourneyRig, type CallEnd } from '../support/journey-rig.ts';
import { silentLog } from '../support/silent-log.ts';
import { storeTargets, type StoreTarget } from '../support/store-target.ts';
import { settledEvents } from '../support/settled-events.ts';

t.setTimeout(240_000);

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const EVERY_DAY = [
  ...['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'],
];
const PHONE = '+12025550143';
const HOME = '+12025550199';

type Steps = Journey['steps'];
type Assets = NonNullable<Journey['assets']>;

const compliance = { profile: 'deliveries', purpose: 'updates' };
const call = {
  id: 'call',
  type: 'voice',
  engagement: 'confirm',
  compliance,
  next: 'heard',
} as const;
const end = { id: 'end', type: 'exit' } as const;
const exit = (id: string) => ({ ...end, id });

/** A call, and one end for each of its outcomes. */
const CALL: Steps = [
  call,
  {
    id: 'heard',
    type: 'waitFor',
    on: [
      { step: 'call', is: 'attempted', next: 'tried' },
      { step: 'call', is: 'notAttempted', next: 'untried' },
      { step: 'call', is: 'blocked', next: 'blocked' },
    ],
    timeout: { after: '30d', next: 'late' },
  },
  ...['tried', 'untried', 'blocked', 'late'].map(exit),
];

interface Scene {
  readonly rig: JourneyRig;
  readonly engagementId: string;
  readonly profileId: string;
}

const RETRY_ONCE = {
  reattempt: { reasons: ['busy'], retriesMax: 1, waitMinutes: 30 },
} as const;

async function open(t: Test, target: StoreTarget, rigMore = {}): Promise<Scene> {
  const rig = await JourneyRig.open(t, target.place(t), rigMore);
  const mode = { kind: 'copilot', maxConcurrentCalls: 50 };
  const config = { mode, phoneTypes: ['mobile', 'home'] };
  const { id: engagementId } = await rig.api.engagement({ name: 'confirm', config });
  const updates = { name: 'updates', type: 'transactional' };
  const offers = { name: 'offers', type: 'commercial', enforcement: 'restrictive' };
  const profileId = await rig.profile('deliveries', {}, [updates, offers]);
  return { rig, engagementId, profileId };
}

async function purposeId({ rig, profileId }: Scene, name: string): Promise<string> {
  const { items } = (await rig.api.get('/v1/consent/purposes?limit=200')).body as { items: Json[] };
  const found = items.find(
    (one) => one['name'] === name && (one['profileIds'] as string[]).includes(profileId),
  );
  return String(found?.['id']);
}

const say = (scene: Scene, contactId: string, field: string, body: Json) =>
  scene.rig.api.post('/v1/consent/records', { channel: 'voice', contactId, field, ...body });

/** A call for the purpose `offers`: nobody is called who has not opted in. */
const OFFER: Steps = CALL.map((step) =>
  step.id === 'call' ? { ...call, compliance: { ...compliance, purpose: 'offers' } } : step,
);

async function resultTests(t: Test, target: StoreTarget): Promise<void> {
  const scene = await open(t, target);
  const { rig, engagementId } = scene;
  const journeyId = await rig.journey(CALL);
  const ended = async (wanted: CallEnd): Promise<string> => {
    const runId = await rig.enter(
      journeyId,
      await rig.contact({ mobile: `+1202555${nextFour()}` }),
    );
    await rig.settle();
    const [start] = await rig.claim(engagementId);
    if (start === undefined) throw new Error('nothing was claimed');
    await rig.end(start, wanted);
    await rig.settle();
    return runId;
  };

  await t.test('[JRN-02] the dialer of the same process is found without settings', async (t) => {
    const runId = await rig.enter(journeyId, await rig.contact({ mobile: PHONE }));
    await rig.settle();
    const [task] = await rig.tasks(runId);
    t.match(task, { engagement_id: engagementId, source: 'journey', state: 'ready' });
    t.ok(rig.api.dialer.told.includes(`tasks ${engagementId}`), 'and is told of its task');
    const [start] = await rig.claim(engagementId);
    if (start !== undefined) await rig.end(start, { result: 'LiveAnswer' });
    await rig.settle();
    t.equal((await rig.run(runId)).status, 'exited');
  });

  await t.test('[API-37] the delivery carries the journey and the run', async (t) => {
    const runId = await ended({ result: 'LiveAnswer' });
    const found = await rig.api.get(`/v1/deliveries?journeyId=${journeyId}&journeyRunId=${runId}`);
    t.match(found.body['items'], [{ journeyId, journeyRunId: runId, result: 'LiveAnswer' }]);
    t.equal((found.body['items'] as Json[]).length, 1);
    const [task] = await rig.tasks(runId);
    const shown = await rig.api.get(`/v1/tasks/${task?.id ?? ''}`);
    t.match(shown.body, { journeyId, journeyRunId: runId, source: 'journey', isSettled: true });
  });

  await t.test('[JRN-08] [JRN-09] attempted and not attempted, each told once', async (t) => {
    for (const result of ['LiveAnswer', 'Busy', 'NoAnswer', 'CallFailed'] as const) {
      const runId = await ended({ result });
      t.equal((await rig.steps(runId)).at(-1), 'tried', result);
    }
    const runId = await ended({ result: 'InvalidAddress' });
    t.equal((await rig.steps(runId)).at(-1), 'untried');
    const outcomes = (await rig.path(runId)).filter(({ kind }) => kind === 'outcome');
    t.equal(outcomes.length, 1);
    const { values } = await rig.outcome(runId);
    const [task] = await rig.tasks(runId);
    t.match(values, { Result: 'InvalidAddress', Attempts: 1, DeliveryTaskId: task?.id });
  });

  await t.test('told after all attempts, with what the network said', async (t) => {
    const { id } = await rig.api.engagement({
      ...{
        name: 'again',
        config: { mode: { kind: 'copilot', maxConcurrentCalls: 5 }, ...RETRY_ONCE },
      },
    });
    const steps = CALL.map((step) =>
      step.id === 'call' ? { ...call, engagement: 'again', inputs: { Slot: { value: 10 } } } : step,
    );
    const again = await rig.journey(steps);
    const runId = await rig.enter(again, await rig.contact({ mobile: '+12025550177' }));
    await rig.settle();
    const [first] = await rig.claim(id);
    t.same(JSON.parse(first?.task.input_attributes ?? ''), { Slot: '10' });
    if (first !== undefined) await rig.end(first, { result: 'Busy', retryClass: 'busy' });
    await rig.settle();
    t.same((await rig.steps(runId)).at(-1), 'heard', 'one attempt is left');
    rig.api.clock.nowMs += 31 * MINUTE_MS;
    await promote(rig);
    const [second] = await rig.claim(id);
    if (second !== undefined) await rig.end(second, { result: 'Busy', retryClass: 'busy' });
    await rig.settle();
    const { values } = await rig.outcome(runId);
    t.match(values, {
      Result: 'Busy',
      Attempts: 2,
      ReturnCode: '486',
      DeliveryId: second?.deliveryId,
    });
  });

  await t.test('expired and cancelled tasks are heard of too', async (t) => {
    const short = CALL.map((step) => (step.id === 'call' ? { ...call, sendWithin: '1h' } : step));
    const runId = await rig.enter(await rig.journey(short), await rig.contact({ mobile: HOME }));
    await rig.settle();
    rig.api.clock.nowMs += 2 * HOUR_MS;
    await rig.claim(engagementId);
    await rig.settle();
    t.match(await rig.outcome(runId), { is: 'notAttempted', values: { Result: 'Expired' } });
    const other = await rig.enter(journeyId, await rig.contact({ mobile: '+12025550178' }));
    await rig.settle();
    const [task] = await rig.tasks(other);
    await rig.api.post(`/v1/tasks/${task?.id ?? ''}/cancel`, { reason: 'moved' });
    await rig.settle();
    t.match(await rig.outcome(other), { is: 'notAttempted', values: { Result: 'Cancelled' } });
  });

  await branchTests(t, scene);
  await waitingTests(t, scene);
  await crashTests(t, target, scene);
}

let numbers = 1_000;
function nextFour(): string {
  numbers += 1;
  return String(numbers);
}

async function promote(rig: JourneyRig): Promise<void> {
  await rig.api.database.db
    .updateTable('tasks')
    .set({ state: 'ready' })
    .where('state', '=', 'waiting')
    .where('due_at_ms', '<=', rig.nowMs)
    .execute();
}

/** A person comes by the first branch that holds; each is an exit of its own name. */
async function branchTests(t: Test, { rig, engagementId }: Scene): Promise<void> {
  const of = (attribute: string, operator: string, value: unknown) =>
    ({ from: 'call', attribute, operator, value }) as never;
  const both = {
    all: [of('Result', 'is', 'LiveAnswer'), of('Outcome', 'is', 'Reschedule')],
  };
  const journeyId = await rig.journey([
    call,
    {
      ...{ id: 'heard', type: 'waitFor', timeout: { after: '1d', next: 'late' } },
      on: [{ step: 'call', is: 'attempted', next: 'which' }],
    },
    {
      ...{ id: 'which', type: 'branch', otherwise: 'other' },
      branches: [
        { when: both, next: 'both' },
        { when: of('DispositionCodes', 'containsAny', ['Call back']), next: 'code' },
        { when: of('Result', 'is', 'Busy'), next: 'busy' },
        { when: of('Outcome', 'is', 'Confirmed'), next: 'confirmed' },
      ],
    },
    ...['both', 'code', 'busy', 'confirmed', 'other', 'late'].map(exit),
  ] as Steps);
  const cases: readonly { readonly id: string; readonly goes: string; readonly end: CallEnd }[] = [
    { id: '[JRN-12]', goes: 'code', end: { result: 'LiveAnswer', codes: ['Call back', 'VIP'] } },
    { id: '[JRN-13] [OUT-11]', goes: 'busy', end: { result: 'Busy' } },
    {
      ...{ id: '[JRN-14]', goes: 'confirmed' },
      end: { result: 'LiveAnswer', returned: { Outcome: 'Confirmed' } },
    },
    {
      ...{ id: '[JRN-15]', goes: 'both' },
      end: { result: 'LiveAnswer', returned: { Outcome: 'Reschedule' } },
    },
    {
      ...{ id: '[JRN-15] one of the two', goes: 'other' },
      end: { result: 'NoAnswer', returned: { Outcome: 'Reschedule' } },
    },
  ];
  for (const { id, goes, end: wanted } of cases) {
    await t.test(`${id} what the call did decides the branch: ${goes}`, async (t) => {
      const contactId = await rig.contact({ mobile: `+1202555${nextFour()}` });
      const runId = await rig.enter(journeyId, contactId);
      await rig.settle();
      const [start] = await rig.claim(engagementId);
      if (start !== undefined) await rig.end(start, wanted);
      await rig.settle();
      t.same(await rig.steps(runId), ['call', 'heard', 'which', goes]);
    });
  }
}

/** What is said of a call after it: the run waits for it. */
async function waitingTests(t: Test, { rig, engagementId }: Scene): Promise<void> {
  const journeyId = await rig.journey(CALL);
  const { db } = rig.api.database;
  const begin = async () => {
    const runId = await rig.enter(
      journeyId,
      await rig.contact({ mobile: `+1202555${nextFour()}` }),
    );
    await rig.settle();
    const [start] = await rig.claim(engagementId);
    if (start === undefined) throw new Error('nothing was claimed');
    return { runId, start };
  };
  const last = async (runId: string) => (await rig.steps(runId)).at(-1);

  await t.test('[JRN-12] the wrap-up is waited for, and its codes are told', async (t) => {
    const { runId, start } = await begin();
    await db
      .insertInto('reservations')
      .values({
        ...{ representative_id: start.attemptId, business_unit_id: rig.api.businessUnitId },
        ...{ engagement_id: engagementId, work: 'wrapUp', invitation_id: 'i', lobby_id: null },
        ...{ attempt_id: start.attemptId, fence: 1, reserved_at_ms: 0, work_since_ms: 0 },
        ...{ terms: null, gateway_id: null },
      })
      .execute();
    await rig.end(start, { result: 'LiveAnswer' });
    await rig.settle();
    await rig.pass(10 * MINUTE_MS);
    t.equal(await last(runId), 'heard', 'they still wrap up');
    const codes = { disposition_codes: '"Call back"' };
    await db.updateTable('deliveries').set(codes).where('id', '=', start.deliveryId).execute();
    await rig.pass(2_000);
    t.match(await rig.outcome(runId), { values: { DispositionCodes: ['Call back'] } });
    await db.deleteFrom('reservations').execute();
  });

  await t.test('[JRN-14] what an AI agent returns right after the call is told', async (t) => {
    const { runId, start } = await begin();
    const { businessUnitId: business_unit_id } = rig.api;
    await db
      .insertInto('ai_sessions')
      .values({
        ...{ token_hash: start.attemptId, business_unit_id, attempt_id: start.attemptId },
        ...{ delivery_id: start.deliveryId, expires_at_ms: rig.nowMs + 10_000 },
        created_at_ms: rig.nowMs,
      })
      .execute();
    await rig.end(start, { result: 'LiveAnswer' });
    await rig.pass(9_000);
    t.equal(await last(runId), 'heard');
    await db
      .insertInto('delivery_attributes')
      .values({
        ...{ delivery_id: start.deliveryId, business_unit_id, type: 'Result' },
        ...{ keyword: 'Outcome', value: 'Late' },
      })
      .execute();
    await rig.pass(2_000);
    t.match(await rig.outcome(runId), { is: 'attempted', values: { Outcome: 'Late' } });
  });

  await t.test('[JRN-66] an answered call is kept as an interaction of the contact', async (t) => {
    const { database, ids } = rig.api;
    const options = { database, ids, nowMs: () => rig.nowMs };
    await beginProjecting(options);
    const { start } = await begin();
    await rig.end(start, { result: 'LiveAnswer' });
    await settledEvents(database);
    while ((await projectInteractions(options)) > 0);
    const { contactId } = start.target;
    const { body } = await rig.api.get(`/v1/triggers/occurrences?contactId=${contactId}`);
    t.match(
      (body['items'] as Json[]).filter(({ trigger }) => trigger === 'callEnded'),
      [
        {
          ...{ kind: 'interaction', contactId },
          attributes: { Answered: true, Result: 'LiveAnswer', DeliveryId: start.deliveryId },
        },
      ],
    );
  });
}

async function consentTests(t: Test, target: StoreTarget): Promise<void> {
  const scene = await open(t, target);
  const { rig, engagementId } = scene;
  const journeyId = await rig.journey(OFFER);
  const offers = await purposeId(scene, 'offers');

  await t.test(
    '[JRN-10] without consent it is blocked, and the dialer hears nothing',
    async (t) => {
      const runId = await rig.enter(journeyId, await rig.contact({ mobile: PHONE }));
      await rig.settle();
      t.match(await rig.outcome(runId), { is: 'blocked', values: { Reason: 'no_consent' } });
      t.equal((await rig.steps(runId)).at(-1), 'blocked');
      t.same(await rig.tasks(runId), []);
      t.same((await rig.api.database.db.selectFrom('sends').selectAll().execute()).length, 0);
    },
  );

  await t.test('[CNS-14] an opt-out made after the entry blocks the step', async (t) => {
    const contactId = await rig.contact({ mobile: '+12025550111' });
    await say(scene, contactId, 'mobile', { purposeId: offers, status: 'optedIn' });
    const runId = await rig.enter(journeyId, contactId);
    rig.api.clock.nowMs += 1_000;
    await say(scene, contactId, 'mobile', { purposeId: offers, status: 'optedOut' });
    await rig.settle();
    t.match(await rig.outcome(runId), { is: 'blocked', values: { Reason: 'no_consent' } });
  });

  await t.test(
    '[CNS-14] and one made after the request keeps the call from starting',
    async (t) => {
      const contactId = await rig.contact({ mobile: '+12025550112' });
      await say(scene, contactId, 'mobile', { purposeId: offers, status: 'optedIn' });
      const runId = await rig.enter(journeyId, contactId);
      await rig.settle();
      t.equal((await rig.tasks(runId)).length, 1);
      rig.api.clock.nowMs += 1_000;
      await say(scene, contactId, 'mobile', { purposeId: offers, status: 'optedOut' });
      t.same(await rig.claim(engagementId), []);
      await rig.settle();
      const { is, values } = await rig.outcome(runId);
      t.match({ is, values }, { is: 'notAttempted', values: { Reason: 'opted_out', Attempts: 0 } });
    },
  );

  await t.test('[CNS-13] only the number with consent is dialled, never the other', async (t) => {
    const contactId = await rig.contact({ mobile: '+12025550113', home: '+12025550114' });
    await say(scene, contactId, 'home', { purposeId: offers, status: 'optedIn' });
    const runId = await rig.enter(journeyId, contactId);
    await rig.settle();
    const starts = await rig.claim(engagementId);
    t.same(
      starts.map(({ number }) => number),
      ['+12025550114'],
    );
    for (const start of starts) await rig.end(start, { result: 'NoAnswer' });
    await rig.settle();
    t.same(await rig.claim(engagementId), []);
    t.match(await rig.outcome(runId), { is: 'attempted', values: { Attempts: 1 } });
  });

  await t.test('[JRN-10] what cannot be asked of anybody is blocked with its reason', async (t) => {
    const contactId = await rig.contact({ mobile: '+12025550115' });
    const reasonOf = async (steps: Steps, more: Partial<Journey> = {}): Promise<unknown> => {
      const runId = await rig.enter(await rig.journey(steps, more), contactId);
      await rig.settle();
      const { is, values } = await rig.outcome(runId);
      t.equal(is, 'blocked');
      return values['Reason'];
    };
    const to = (engagement: string) =>
      CALL.map((step) => (step.id === 'call' ? { ...call, engagement } : step));
    t.equal(await reasonOf(to('nobody')), 'engagement_missing');
    const { id } = await rig.api
      .engagement({ name: 'closed', isActive: false })
      .catch(() => ({ id: '' }));
    if (id !== '') {
      const inactive = { status: 'inactive' };
      const { db } = rig.api.database;
      await db.updateTable('engagements').set(inactive).where('id', '=', id).execute();
      t.equal(await reasonOf(to('closed')), 'engagement_closed');
    }
    const sms = { id: 'call', type: 'sms', engagement: 'confirm', message: 'hi', next: 'heard' };
    const messages = [{ name: 'hi', channel: 'sms', compliance }];
    const assets = { messages } as Assets;
    const [, ...rest] = CALL;
    t.equal(await reasonOf([sms, ...rest] as Steps, { assets }), 'no_channel');
    const landline = await rig.contact({ business: '+12025550116' });
    const runId = await rig.enter(await rig.journey(CALL), landline);
    await rig.settle();
    t.match(
      await rig.outcome(runId),
      { values: { Reason: 'no_contact_point' } },
      'of a kind it dials',
    );
  });

  await t.test('nobody is called whose last word was no (law)', async (t) => {
    const phones = ['mobile', 'home'] as const;
    const word = fc.record({
      field: fc.constantFrom(...phones),
      status: fc.constantFrom('optedIn', 'optedOut'),
    });
    const life = fc.array(
      fc.oneof(word, fc.constant('worker' as const), fc.constant('dial' as const)),
      { maxLength: 10 },
    );
    await fc.assert(
      fc.asyncProperty(life, async (moments) => {
        const own = { mobile: `+1202555${nextFour()}`, home: `+1202555${nextFour()}` };
        const contactId = await rig.contact(own);
        await rig.enter(journeyId, contactId);
        const said: Record<string, string> = {};
        for (const moment of [...moments, 'worker', 'dial'] as const) {
          rig.api.clock.nowMs += 1_000;
          if (moment === 'worker') await rig.settle();
          else if (moment === 'dial') {
            for (const start of await rig.claim(engagementId)) {
              const field = phones.find((one) => own[one] === start.number);
              if (field === undefined || said[field] !== 'optedIn') return false;
              await rig.end(start, { result: 'NoAnswer' });
            }
          } else {
            said[moment.field] = moment.status;
            const { field, status } = moment;
            await say(scene, contactId, field, { purposeId: offers, status });
          }
        }
        return true;
      }),
      { numRuns: target.name === 'SQLite' ? 20 : 8, endOnFailure: true },
    );
    t.pass();
  });
  await capTests(t, scene);
}

async function quietTests(t: Test, target: StoreTarget): Promise<void> {
  const scene = await open(t, target);
  const { rig, engagementId, profileId } = scene;
  const { api } = rig;
  const quietTime = async (name: string, from: string, to: string, more: Json = {}) =>
    api.make('/v1/consent/quiet-times', {
      ...{ name, quiet: [{ channels: ['voice', 'email'], days: EVERY_DAY, from, to }], ...more },
    });
  await quietTime('afternoon', '14:00', '17:30');
  const days = ['monday', 'tuesday', 'wednesday'];
  await quietTime('always', '00:00', '24:00', {
    quiet: [{ channels: ['voice'], days, from: '00:00', to: '24:00' }],
  });
  await quietTime('theirs', '14:00', '17:30', { timeZone: 'audience' });
  await quietTime('texas', '00:00', '00:30', {
    quiet: [{ channels: ['voice'], days: EVERY_DAY, from: '15:00', to: '15:30' }],
    advanced: [
      {
        where: { state: ['TX'] },
        quiet: [{ channels: ['voice'], days: EVERY_DAY, from: '14:00', to: '19:00' }],
      },
    ],
  });
  const journeyWith = (quiet: string) =>
    rig.journey(
      CALL.map((step) =>
        step.id === 'call' ? { ...call, quietTime: quiet, sendWithin: '12h' } : step,
      ),
    );

  await t.test('[JRN-48] quiet time holds and releases; how many is seen', async (t) => {
    const journeyId = await journeyWith('afternoon');
    const runId = await rig.enter(journeyId, await rig.contact({ mobile: PHONE }));
    await rig.settle();
    t.match(await rig.effects(runId), [{ state: 'held', due_at_ms: rig.nowMs + 2.5 * HOUR_MS }]);
    t.equal(await countHeld(api.database.db, journeyId), 1);
    t.same((await rig.path(runId)).filter(({ kind }) => kind === 'held').length, 1);
    await rig.pass(2.5 * HOUR_MS - 1);
    t.same(await rig.tasks(runId), [], 'not before');
    await rig.pass(1);
    const [task] = await rig.tasks(runId);
    t.equal(task?.state, 'ready', 'at its end');
    t.equal(await countHeld(api.database.db, journeyId), 0);
    const { request } = JSON.parse(task?.windows ?? '') as { request: { endMs: number }[] };
    t.equal(request.at(-1)?.endMs, rig.nowMs + 9.5 * HOUR_MS, 'no later than its time limit');
    const [start] = await rig.claim(engagementId);
    if (start !== undefined) await rig.end(start, { result: 'LiveAnswer' });
    await rig.settle();
    rig.api.clock.nowMs += DAY_MS - 2.5 * HOUR_MS; // 15:00 again
  });

  await t.test('[JRN-06] a step that does not apply it sends at once', async (t) => {
    const profile = await api.get(`/v1/consent/profiles/${profileId}`);
    const quietTimes = (await api.get('/v1/consent/quiet-times?limit=200')).body['items'] as Json[];
    const afternoon = quietTimes.find(({ name }) => name === 'afternoon');
    await api.ask({
      ...{ method: 'PATCH', url: `/v1/consent/profiles/${profileId}` },
      headers: { 'if-match': `"${String(profile.body['version'])}"` },
      body: { quietTimeId: afternoon?.['id'] },
    });
    const [inherits, none] = [await journeyWith('inherit'), await journeyWith('none')];
    const held = await rig.enter(inherits, await rig.contact({ mobile: '+12025550121' }));
    const sent = await rig.enter(none, await rig.contact({ mobile: '+12025550122' }));
    await rig.settle();
    t.match(await rig.effects(held), [{ state: 'held' }]);
    t.match(await rig.effects(sent), [{ state: 'asked' }]);
    t.match(await rig.tasks(sent), [{ state: 'ready' }]);
  });

  await t.test('[JRN-11] with no hour that is not quiet it is blocked', async (t) => {
    const runId = await rig.enter(await journeyWith('always'), await rig.contact({ mobile: HOME }));
    await rig.settle();
    t.match(await rig.outcome(runId), { is: 'blocked', values: { Reason: 'quiet_time' } });
    t.equal((await rig.steps(runId)).at(-1), 'blocked');
  });

  await t.test('[JRN-49] [JRN-50] by the person’s clock, and by where they are', async (t) => {
    const dueOf = async (quiet: string, more: Json): Promise<string> => {
      const contactId = await rig.contact({ mobile: `+1202555${nextFour()}` }, more);
      const runId = await rig.enter(await journeyWith(quiet), contactId);
      await rig.settle();
      const [effect] = await rig.effects(runId);
      const { state = '', due_at_ms: dueAtMs = 0 } = effect ?? {};
      return state === 'held' ? new Date(dueAtMs ?? 0).toISOString().slice(11, 16) : state;
    };
    t.equal(await dueOf('theirs', { timeZone: 'Europe/Amsterdam' }), '16:30');
    t.equal(await dueOf('theirs', { timeZone: 'Europe/London' }), '17:30');
    t.equal(await dueOf('theirs', { timeZone: 'America/Los_Angeles' }), 'asked');
    t.equal(await dueOf('texas', { state: 'TX', country: 'US' }), '19:00');
    t.equal(await dueOf('texas', { state: 'WA', country: 'US' }), '15:30');
  });

  await t.test('a run that ends takes back what is held, and what was asked', async (t) => {
    const gone: Partial<Journey> = { exits: { on: [{ trigger: 'gone' }] } };
    const steps = (quiet: string) =>
      CALL.map((step) => (step.id === 'call' ? { ...call, quietTime: quiet } : step));
    const held = await rig.journey(steps('afternoon'), gone);
    const asked = await rig.journey(steps('none'), gone);
    const contactId = await rig.contact({ mobile: '+12025550131' });
    const runs = [await rig.enter(held, contactId), await rig.enter(asked, contactId)];
    await rig.settle();
    for (const runId of runs) {
      const event = { type: 'trigger', id: `gone:${runId}`, trigger: 'gone' };
      await api.database.db
        .insertInto('journey_run_events')
        .values({
          ...{ id: event.id, business_unit_id: api.businessUnitId, run_id: runId },
          ...{ event: JSON.stringify(event), created_at_ms: rig.nowMs },
        })
        .execute();
    }
    await rig.settle();
    t.match(await rig.effects(runs[0] ?? ''), [{ state: 'cancelled', task_id: null }]);
    t.match(await rig.effects(runs[1] ?? ''), [{ state: 'settled' }]);
    t.match(await rig.tasks(runs[1] ?? ''), [{ state: 'final', status: 'Cancelled' }]);
    t.equal(await countHeld(api.database.db, held), 0);
  });

  await t.test('a journey that is being stopped sends nothing more', async (t) => {
    const journeyId = await journeyWith('afternoon');
    const runId = await rig.enter(journeyId, await rig.contact({ mobile: '+12025550132' }));
    await rig.settle();
    const { db } = api.database;
    await db
      .updateTable('journeys')
      .set({ state: 'stopping' })
      .where('id', '=', journeyId)
      .execute();
    await rig.pass(3 * HOUR_MS);
    t.match(await rig.effects(runId), [{ state: 'cancelled' }]);
    t.same(await rig.tasks(runId), []);
  });

  await t.test(
    'one that is stopped calls nobody, also those who are through it already',
    async (t) => {
      const { database } = api;
      const chore = lifecycleChore({ database, nowMs: () => rig.nowMs });
      const through = (quietTime: string) =>
        rig.journey([{ ...call, quietTime, next: 'end' }, end] as Steps);
      const [held, asked, idle] = [
        await through('afternoon'),
        await through('none'),
        await through('none'),
      ];
      const runs: string[] = [];
      for (const [index, id] of [held, asked].entries()) {
        const contactId = await rig.contact({ mobile: `+1202555014${index}` });
        runs.push(await rig.enter(id, contactId));
      }
      await rig.settle();
      await chore.turn();
      const stateOf = async (id: string) => {
        const query = database.db.selectFrom('journeys').select('state').where('id', '=', id);
        return (await query.executeTakeFirst())?.state;
      };
      // Everybody is through: one has ended by itself since.
      for (const id of [held, idle]) {
        await database.db
          .updateTable('journeys')
          .set({ state: 'completed' })
          .where('id', '=', id)
          .execute();
      }
      const stop = (id: string) =>
        database.db.transaction().execute((tx) => stopJourney(tx, rig.writer(), { id }));
      await t.rejects(stop(idle), /there is nothing to stop/);
      for (const id of [held, asked]) {
        await stop(id);
        await chore.turn();
        t.equal(await stateOf(id), 'stopped');
      }
      for (const afterMs of [0, 20 * HOUR_MS]) {
        await rig.pass(afterMs);
        for (const runId of runs) {
          const open = (await rig.effects(runId)).filter(
            ({ state }) => state !== 'cancelled' && state !== 'settled',
          );
          t.same(open, []);
          for (const task of await rig.tasks(runId)) {
            t.match(task, { state: 'final', status: 'Cancelled' });
          }
        }
      }
      t.equal((await rig.tasks(runs[1] ?? '')).length, 1, 'one had been asked for');
    },
  );
}

async function capTests(t: Test, scene: Scene): Promise<void> {
  const { rig } = scene;
  const offers = await purposeId(scene, 'offers');
  const { body: cap } = await rig.api.get('/v1/consent/frequency-cap');
  const set = await rig.api.ask({
    ...{ method: 'PUT', url: '/v1/consent/frequency-cap' },
    ...{ headers: { 'if-match': `"${String(cap['version'])}"` } },
    body: { voice: { perDay: 1 } },
  });
  t.equal(set.status, 200, set.text);
  const [offer, bypassing] = [
    await rig.journey(OFFER),
    await rig.journey(OFFER, { frequencyCap: 'bypass' }),
  ];
  const update = await rig.journey(CALL);
  const contactId = await rig.contact({ mobile: PHONE });
  await say(scene, contactId, 'mobile', { purposeId: offers, status: 'optedIn' });
  const sentBy = async (journeyId: string): Promise<string> => {
    const runId = await rig.enter(journeyId, contactId);
    await rig.settle();
    const [effect] = await rig.effects(runId);
    if (effect?.state !== 'asked') return String((await rig.outcome(runId)).values['Reason']);
    const [task] = await rig.tasks(runId);
    await rig.api.post(`/v1/tasks/${task?.id ?? ''}/cancel`, {});
    await rig.settle();
    return 'sent';
  };

  await t.test('[JRN-45] [JRN-46] [JRN-47] the cap counts, rolls, and is passed by', async (t) => {
    t.equal(await sentBy(offer), 'sent');
    t.equal(await sentBy(offer), 'frequency_cap', 'and the run went on');
    t.equal(await sentBy(update), 'sent', 'transactional is never capped');
    t.equal(await sentBy(bypassing), 'sent');
    rig.api.clock.nowMs += DAY_MS - MINUTE_MS;
    t.equal(await sentBy(offer), 'frequency_cap');
    rig.api.clock.nowMs += MINUTE_MS + 1_000;
    t.equal(await sentBy(offer), 'sent', '24 hours after');
  });
}

/** On SQLite before every statement; a server takes longer, and sees every eighth. */
function strideOn({ name }: StoreTarget): number {
  return name === 'SQLite' ? 1 : 8;
}

async function crashTests(t: Test, target: StoreTarget, { rig }: Scene): Promise<void> {
  const journeyId = await rig.journey(CALL);
  await t.test('dying between any two steps of a sending makes one task of it', async (t) => {
    let crashes = 0;
    for (let nth = 1, died = true; died; nth += strideOn(target)) {
      const runId = await rig.enter(
        journeyId,
        await rig.contact({ mobile: `+1202555${nextFour()}` }),
      );
      const dying = dyingBefore(rig.api.database, nth);
      await rig.workerOn(dying).turn();
      died = dying.dead();
      crashes += died ? 1 : 0;
      rig.api.clock.nowMs += MINUTE_MS;
      await rig.settle();
      const [effect] = await rig.effects(runId);
      const sends = await rig.api.database.db
        .selectFrom('sends')
        .select('id')
        .where('id', 'like', `${effect?.key ?? ''}%`)
        .execute();
      const requested = (await rig.path(runId)).filter(({ kind }) => kind === 'requested');
      const tasks = await rig.tasks(runId);
      t.same(
        [tasks.length, sends.length, requested.length, effect?.state, effect?.task_id],
        [1, 1, 1, 'asked', tasks[0]?.id],
        `before statement ${nth}`,
      );
    }
    t.ok(crashes * strideOn(target) > 30, `${crashes} places to die at`);
  });

  await t.test('two workers at once make one task', async (t) => {
    const runs: string[] = [];
    for (let n = 0; n < 12; n += 1) {
      runs.push(await rig.enter(journeyId, await rig.contact({ mobile: `+1202555${nextFour()}` })));
    }
    const workers = [rig.workerOn(rig.api.database), rig.workerOn(rig.api.database)];
    await Promise.all(workers.map((worker) => worker.turn()));
    await rig.settle();
    for (const runId of runs) t.equal((await rig.tasks(runId)).length, 1);
  });
}

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Reply {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers by `reply`; undefined: the connection breaks. */
async function receiver(t: Test, reply: () => Reply | undefined) {
  const received: Received[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      received.push({ headers: request.headers, body: Buffer.concat(parts).toString() });
      const answer = reply();
      if (answer === undefined) request.socket.destroy();
      else response.writeHead(answer.status, answer.headers).end(answer.body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return { received, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` };
}

const SECRET = 'a-secret-of-at-least-thirty-two-signs';
const MAIL: Steps = [
  { id: 'mail', type: 'message', message: 'moved', webhook: 'provider', next: 'heard' },
  {
    id: 'heard',
    type: 'waitFor',
    on: [
      { step: 'mail', is: 'opened', next: 'opened' },
      { step: 'mail', is: 'notSent', next: 'notSent' },
      { step: 'mail', is: 'blocked', next: 'blocked' },
    ],
    timeout: { after: '5d', next: 'late' },
  },
  ...['opened', 'notSent', 'blocked', 'late'].map(exit),
];
const MAIL_ASSETS = {
  messages: [{ name: 'moved', channel: 'email', compliance }],
} as Assets;

async function messageTests(t: Test, target: StoreTarget): Promise<void> {
  let reply: Reply | undefined = { status: 200 };
  const { received, url } = await receiver(t, () => reply);
  const targets = [{ name: 'provider', url, secret: SECRET }];
  const webhooks = { ...NO_WEBHOOKS, targets, onLoopback: true, timeoutMs: 2_000, triesMax: 3 };
  const scene = await open(t, target, { sending: { webhooks } });
  const { rig } = scene;
  const journeyId = await rig.journey(MAIL, { assets: MAIL_ASSETS });
  let people = 0;
  const send = async (): Promise<{ runId: string; key: string }> => {
    people += 1;
    received.length = 0;
    const contactId = await rig.contact({ mobile: PHONE }, { email: `p${people}@example.com` });
    const runId = await rig.enter(journeyId, contactId);
    await rig.settle();
    const [effect] = await rig.effects(runId);
    return { runId, key: effect?.key ?? '' };
  };
  const tell = (key: string, what: string, body: Json) =>
    rig.api.post(`/v1/journeys/messages/${encodeURIComponent(key)}/${what}`, body);

  await t.test('a message is posted once, signed; its sender tells what came of it', async (t) => {
    reply = { status: 202 };
    const { runId, key } = await send();
    const [one] = received;
    t.equal(received.length, 1);
    const timestamp = Number(one?.headers['ringfence-timestamp']);
    t.equal(one?.headers['ringfence-signature'], signatureOf(SECRET, timestamp, one?.body ?? ''));
    t.equal(timestamp, Math.floor(rig.nowMs / 1_000));
    t.equal(one?.headers['idempotency-key'], key);
    t.match(JSON.parse(one?.body ?? ''), {
      ...{ key, message: 'moved', channel: 'email' },
      to: { kind: 'email', address: `p${people}@example.com` },
      journey: { id: journeyId, runId, stepId: 'mail', isTest: false },
    });
    t.match(await rig.effects(runId), [{ state: 'asked' }]);
    t.match(await tell(key, 'result', { outcome: 'sent' }), { body: { recorded: true } });
    t.match(await tell(key, 'result', { outcome: 'notSent' }), { body: { recorded: false } });
    const opened = { id: 'evt-1', interaction: 'opened' };
    t.match(await tell(key, 'interactions', opened), { body: { recorded: true } });
    t.match(await tell(key, 'interactions', opened), { body: { recorded: false } }, 'once');
    await rig.settle();
    t.equal((await rig.steps(runId)).at(-1), 'opened');
    t.match(await tell('nobody:mail:1', 'result', { outcome: 'sent' }), { status: 404 });
    const reader = await rig.api.key('read');
    const asked = { method: 'POST', url: `/v1/journeys/messages/${key}/result` } as const;
    t.match(await rig.api.ask({ ...asked, body: { outcome: 'sent' }, key: reader }), {
      status: 403,
    });
  });

  await t.test('no answer: tried again, later and later, and then not sent', async (t) => {
    reply = undefined;
    const { runId } = await send();
    t.match(await rig.effects(runId), [{ state: 'sending', tries: 1, fault: 'unreachable' }]);
    await rig.pass(1_000);
    t.equal(received.length, 1, 'not at once');
    await rig.pass(10 * MINUTE_MS);
    await rig.pass(10 * MINUTE_MS);
    t.equal(received.length, 3);
    t.equal(new Set(received.map(({ headers }) => headers['idempotency-key'])).size, 1);
    t.equal((await rig.steps(runId)).at(-1), 'notSent');
    const sends = await rig.api.database.db.selectFrom('sends').select('id').execute();
    t.equal(sends.length, people, 'counted once');
  });

  await t.test('a receiver that is busy says when; one that refuses is believed', async (t) => {
    reply = { status: 429, headers: { 'retry-after': '600' } };
    const { runId } = await send();
    await rig.pass(9 * MINUTE_MS);
    t.equal(received.length, 1);
    reply = { status: 200, body: JSON.stringify({ outcome: 'notSent', reason: 'mailbox_full' }) };
    await rig.pass(2 * MINUTE_MS);
    t.match(await rig.outcome(runId), { is: 'notSent', values: { Reason: 'mailbox_full' } });
    reply = { status: 302, headers: { location: 'http://127.0.0.1:1/' } };
    const { runId: redirected } = await send();
    t.match(await rig.outcome(redirected), { is: 'notSent', values: { Reason: 'http_302' } });
    t.equal(received.length, 1, 'nobody is led elsewhere');
  });

  await t.test('[CNS-14] each try asks for consent anew', async (t) => {
    reply = { status: 503 };
    const strict = { name: 'news', type: 'commercial', enforcement: 'nonRestrictive' };
    await rig.api.make('/v1/consent/purposes', { ...strict, profileIds: [scene.profileId] });
    const message = { profile: 'deliveries', purpose: 'news' };
    const assets = {
      messages: [{ name: 'moved', channel: 'email', compliance: message }],
    } as Assets;
    const news = await rig.journey(MAIL, { assets });
    const contactId = await rig.contact({ mobile: PHONE }, { email: 'later@example.com' });
    const runId = await rig.enter(news, contactId);
    received.length = 0;
    await rig.settle();
    t.equal(received.length, 1);
    const news1 = await purposeId(scene, 'news');
    rig.api.clock.nowMs += 1_000;
    const no = { purposeId: news1, status: 'optedOut', channel: 'email' };
    t.equal((await say(scene, contactId, 'email', no)).status, 201);
    await rig.pass(10 * MINUTE_MS);
    t.equal(received.length, 1);
    t.equal((await rig.steps(runId)).at(-1), 'blocked');
  });

  await t.test('a worker that dies after the request sends it again under one key', async (t) => {
    reply = { status: 200 };
    let dies = true;
    for (let nth = 1; dies; nth += 3 * strideOn(target)) {
      people += 1;
      received.length = 0;
      const contactId = await rig.contact({}, { email: `p${people}@example.com` });
      const runId = await rig.enter(journeyId, contactId);
      const dying = dyingBefore(rig.api.database, nth);
      await rig.workerOn(dying).turn();
      dies = dying.dead();
      await rig.pass(10 * MINUTE_MS);
      const keys = new Set(received.map(({ headers }) => headers['idempotency-key']));
      t.equal(keys.size, 1, `before statement ${nth}`);
      t.ok(received.length <= 2);
      t.match(await rig.effects(runId), [{ state: 'settled' }]);
      t.match(await rig.outcome(runId), { is: 'sent' });
    }
  });
}

/** The dialer of another installation, over its `/v1`. */
async function elsewhereTests(t: Test, target: StoreTarget): Promise<void> {
  const there = await open(t, target);
  await there.rig.api.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = there.rig.api.app.server.address() as AddressInfo;
  const key = await there.rig.api.key('deliver');
  const elsewhere = { url: `http://127.0.0.1:${port}`, key, timeoutMs: 5_000 };
  const { rig } = await open(t, target, { sending: { elsewhere, webhooks: NO_WEBHOOKS } });
  const journeyId = await rig.journey(CALL);
  const tasksOf = async (runId: string): Promise<Json[]> => {
    const { body } = await there.rig.api.get('/v1/tasks?limit=200');
    return (body['items'] as Json[]).filter((task) => task['journeyRunId'] === runId);
  };

  await t.test('a call is asked of another installation, and its end comes back', async (t) => {
    const person = { uniqueIdentifier: 'person-1', phones: { mobile: PHONE, home: HOME } };
    await there.rig.api.make('/v1/contacts', person);
    const runId = await rig.enter(journeyId, await rig.contact({ mobile: PHONE }));
    await rig.settle();
    t.same(await rig.tasks(runId), [], 'nothing is dialled here');
    t.match(await tasksOf(runId), [{ source: 'journey', journeyId, journeyRunId: runId }]);
    const [start, ...more] = await there.rig.claim(there.engagementId);
    t.same([start?.number, more.length], [PHONE, 0]);
    await rig.pass(6_000);
    t.match(await rig.effects(runId), [{ state: 'asked' }], 'it is still being called');
    const wanted = {
      result: 'LiveAnswer',
      codes: ['VIP'],
      returned: { Outcome: 'Moved' },
    } as const;
    if (start !== undefined) await there.rig.end(start, wanted);
    t.same(await there.rig.claim(there.engagementId), [], 'the other number is not dialled');
    await rig.pass(6_000);
    t.match(await rig.outcome(runId), {
      is: 'attempted',
      values: { Result: 'LiveAnswer', Outcome: 'Moved', DispositionCodes: ['VIP'], Attempts: 1 },
    });
  });

  await t.test(
    'its end is heard of as it comes, and asked for while nothing is heard',
    async (t) => {
      const asked = async (runId: string): Promise<Json> =>
        rig.api.database.db
          .selectFrom('journey_effects')
          .selectAll()
          .where('run_id', '=', runId)
          .executeTakeFirstOrThrow();
      there.rig.api.clock.nowMs = rig.nowMs;
      const runId = await rig.enter(
        journeyId,
        await rig.contact({ mobile: `+1202555${nextFour()}` }),
      );
      await rig.settle();
      const worker = rig.workerOn(rig.api.database);
      worker.start();
      t.teardown(() => worker.stop());
      const inAMinute = (): number => rig.nowMs + 60_000;
      for (;;) {
        // By the clock of the test it is asked for: in a minute, once the stream is open.
        if (Number((await asked(runId))['due_at_ms']) === inAMinute()) break;
        rig.api.clock.nowMs += 6_000;
        worker.wake();
        await new Promise((resolve) => setImmediate(resolve));
        while (Number((await asked(runId))['due_at_ms']) <= rig.nowMs);
      }
      const [start] = await there.rig.claim(there.engagementId);
      if (start === undefined) throw new Error('nothing was claimed');
      await there.rig.end(start, { result: 'LiveAnswer' });
      // The clock stands still: nobody asks by it.
      while ((await asked(runId))['state'] !== 'settled');
      await worker.stop();
      await rig.settle();
      t.match(await rig.outcome(runId), { is: 'attempted', values: { Result: 'LiveAnswer' } });
    },
  );

  await t.test('a stream that breaks is taken up where it ended', async (t) => {
    const heard: string[] = [];
    let tell = (): void => undefined;
    const onTask = (taskId: string): void => {
      heard.push(taskId);
      tell();
    };
    const options = { ...elsewhere, log: silentLog, onTask, retryMs: 20 };
    const events = new TaskEventsElsewhere(options);
    const told = async (taskId: string): Promise<void> => {
      while (!heard.includes(taskId)) await new Promise<void>((resolve) => (tell = resolve));
    };
    const cancelled = async (): Promise<string> => {
      const person = { uniqueIdentifier: `S-${nextFour()}`, phones: { mobile: PHONE } };
      const { engagementId } = there;
      const id = await there.rig.api.make('/v1/tasks', { engagementId, contacts: [person] });
      await there.rig.api.post(`/v1/tasks/${id}/cancel`);
      return id;
    };
    t.equal(events.isHeard, false);
    events.start();
    t.teardown(() => events.stop());
    while (!events.isHeard) await new Promise((resolve) => setImmediate(resolve));
    await told(await cancelled());
    const missed: string[] = [];
    for (let times = 0; times < 3; times += 1) {
      there.rig.api.app.server.closeAllConnections();
      missed.push(await cancelled());
    }
    for (const id of missed) await told(id);
    t.equal(events.isHeard, true);
    await events.stop();
    t.equal(events.isHeard, false);
    const warnings = new Set<unknown>();
    const log = { ...silentLog, warn: (context: unknown) => warnings.add(context) };
    const unheard = new TaskEventsElsewhere({ ...options, log, key: 'rf_no-key-of-theirs' });
    unheard.start();
    while (warnings.size === 0) await new Promise((resolve) => setImmediate(resolve));
    await unheard.stop();
    t.match([...warnings], [{ error: /HTTP 401/ }]);
    t.equal(unheard.isHeard, false);
  });

  await t.test('an answer that is lost makes no second task', async (t) => {
    let dies = true;
    for (let nth = 1; dies; nth += 6) {
      const runId = await rig.enter(
        journeyId,
        await rig.contact({ mobile: `+1202555${nextFour()}` }),
      );
      const dying = dyingBefore(rig.api.database, nth);
      await rig.workerOn(dying).turn();
      dies = dying.dead();
      for (let n = 0; n < 3; n += 1) await rig.pass(MINUTE_MS);
      t.equal((await tasksOf(runId)).length, 1, `before statement ${nth}`);
      t.match(await rig.effects(runId), [{ state: 'asked' }]);
    }
  });

  await t.test('taken back, and asked of nobody', async (t) => {
    const contactId = await rig.contact({ mobile: `+1202555${nextFour()}` });
    const runId = await rig.enter(journeyId, contactId);
    await rig.settle();
    await rig.api.database.db
      .updateTable('journey_effects')
      .set({ state: 'cancelling', due_at_ms: rig.nowMs })
      .where('run_id', '=', runId)
      .execute();
    await rig.pass(6_000);
    t.match(await tasksOf(runId), [{ status: 'Cancelled' }]);
    t.match(await rig.outcome(runId), { is: 'notAttempted', values: { Result: 'Cancelled' } });
    const steps = CALL.map((step) => (step.id === 'call' ? { ...call, engagement: 'none' } : step));
    const other = await rig.enter(await rig.journey(steps), contactId);
    await rig.settle();
    t.match(await rig.outcome(other), { is: 'blocked', values: { Reason: 'engagement_missing' } });
  });
}

t.test('A webhook is where it may be', async (t) => {
  const nowhere = { onLoopback: false, allowInsecure: false };
  const cases: readonly (readonly [string, Partial<typeof nowhere>, boolean])[] = [
    ['https://mail.example.com/hook', {}, true],
    ['http://mail.example.com/hook', {}, false],
    ['http://mail.example.com/hook', { allowInsecure: true }, true],
    ['http://127.0.0.1:9/hook', {}, false],
    ['http://127.0.0.1:9/hook', { allowInsecure: true }, false],
    ['http://127.0.0.1:9/hook', { onLoopback: true }, true],
    ['http://[::1]/', {}, false],
    ['http://[::ffff:127.0.0.1]/', { allowInsecure: true }, false],
    ['http://0x7f000001/', { allowInsecure: true }, false],
    ['http://localhost/', {}, false],
    ['https://169.254.169.254/latest', { onLoopback: true, allowInsecure: true }, false],
    ['https://ann:pw@mail.example.com/', {}, false],
    ['file:///etc/passwd', { onLoopback: true, allowInsecure: true }, false],
    ['gopher://mail.example.com/', { onLoopback: true, allowInsecure: true }, false],
  ];
  for (const [url, more, isAllowed] of cases) {
    t.equal(webhookFault(url, { ...nowhere, ...more }) === undefined, isAllowed, url);
  }
});

const targets = await storeTargets(t);
await t.test('a dialer elsewhere', (t) => elsewhereTests(t, targets[0]));
for (const target of targets) {
  await t.test(`${target.name}: results`, (t) => resultTests(t, target));
  await t.test(`${target.name}: consent`, (t) => consentTests(t, target));
  await t.test(`${target.name}: quiet time`, (t) => quietTests(t, target));
  await t.test(`${target.name}: messages`, (t) => messageTests(t, target));
}
