/** Goal: people go through journeys as these are written, on both databases, however many workers run them. */
import t, { type Test } from 'tap';
import type { Journey } from '../../journey-core/definition/journey.schema.ts';
import { stopJourney } from '../../dialer/journeys/lifecycle/end-journey.ts';
import { inTransaction } from '../../dialer/journeys/in-transaction.ts';
import { forgetRuns } from '../../dialer/journeys/runs/forget-runs.ts';
import { tellRuns } from '../../dialer/journeys/runs/tell-runs.ts';
import { JourneyScene, type OutcomeOf, type SceneOptions } from '../support/journey-scene.ts';
import { storeTargets, type StoreTarget } from '../support/store-target.ts';

t.setTimeout(240_000);

type Written = Pick<Journey, 'entry' | 'steps'> & Partial<Journey>;
type Steps = Journey['steps'];

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** A Monday. */
const START_MS = Date.UTC(2026, 10, 23, 9);
const at = (ms: number): string => new Date(ms).toISOString();

async function opened(t: Test, target: StoreTarget, more: Partial<SceneOptions> = {}) {
  const database = await target.place(t).open({ nowMs: () => START_MS });
  return JourneyScene.open({ database, startMs: START_MS, ...more });
}

const end = { id: 'end', type: 'exit' } as const;
const wait = (id: string, duration: string, next: string) =>
  ({ id, type: 'wait', for: duration, next }) as const;
const note = (id: string, next: string, more: object = {}) =>
  ({ id, type: 'activity', activity: 'task', subject: id, next, ...more }) as const;
const call = (id: string, next: string) =>
  ({
    id,
    type: 'voice',
    engagement: 'confirm',
    next,
    compliance: { profile: 'calls', purpose: 'updates' },
  }) as const;
const by = (trigger: string): Journey['entry'] => ({ kind: 'trigger', trigger });
const is = (from: string, attribute: string, value: string) =>
  ({ from, attribute, operator: 'is', value }) as const;

async function waitTests(t: Test, target: StoreTarget): Promise<void> {
  const scene = await opened(t, target);
  for (const name of ['start', 'paid']) await scene.trigger(name, 'custom', ['when', 'plan']);
  const vip = { id: await scene.segment('vip'), name: 'vip' };

  const waiting: Written = {
    entry: by('start'),
    steps: [
      {
        ...{ id: 'hears', type: 'waitFor' },
        on: [
          { trigger: 'paid', next: 'thanks' },
          { segment: 'vip', next: 'greets' },
        ],
        timeout: { after: '1h', next: 'reminds' },
      },
      ...[note('thanks', 'end'), note('greets', 'end'), note('reminds', 'end'), end],
    ],
  };

  await t.test(
    '[JRN-18] [JRN-19] [JRN-20] a wait ends by what comes first, else at its limit',
    async (t) => {
      const id = await scene.publish(waiting);
      const [paid, joined, silent, late, member] = (await scene.contacts(5)) as [
        ...[string, string, string, string, string],
      ];
      await scene.join(vip, [member]);
      await scene.settle();
      for (const one of [paid, joined, silent, late, member]) await scene.raise('start', one);
      await scene.settle();
      t.equal(
        await scene.path(id, member),
        '> hears greets completed.',
        'who is a member need not wait',
      );
      scene.clock.nowMs += 10 * MINUTE_MS;
      await scene.raise('paid', paid);
      await scene.join(vip, [joined]);
      await scene.settle();
      t.equal(await scene.path(id, paid), '> hears thanks completed.', 'at once');
      t.equal(await scene.path(id, joined), '> hears greets completed.', 'at once');
      await scene.until(START_MS + HOUR_MS - 1);
      t.equal(await scene.path(id, silent), '> hears', 'not before the limit');
      await scene.until(START_MS + HOUR_MS);
      await scene.raise('paid', late);
      await scene.settle();
      t.equal(await scene.path(id, silent), '> hears reminds completed.', 'at the limit');
      t.equal(await scene.path(id, late), '> hears reminds completed.', 'after it is too late');
    },
  );

  await t.test(
    '[JRN-18] what came before the limit counts, though nobody worked meanwhile',
    async (t) => {
      const id = await scene.publish(waiting);
      const [before, after] = (await scene.contacts(2)) as [string, string];
      const startMs = scene.nowMs;
      for (const one of [before, after]) await scene.raise('start', one);
      await scene.settle();
      scene.clock.nowMs = startMs + HOUR_MS - 1;
      await scene.raise('paid', before);
      scene.clock.nowMs = startMs + HOUR_MS;
      await scene.raise('paid', after);
      scene.clock.nowMs = startMs + 3 * HOUR_MS;
      await scene.settle();
      t.equal(await scene.path(id, before), '> hears thanks completed.');
      t.equal(await scene.path(id, after), '> hears reminds completed.');
    },
  );

  await t.test(
    '[JRN-21] [JRN-24] a branch is judged on arrival; after a merge steps run once',
    async (t) => {
      const id = await scene.publish({
        entry: by('start'),
        steps: [
          wait('rests', '1h', 'asks'),
          {
            ...{ id: 'asks', type: 'branch', otherwise: 'standard' },
            branches: [{ when: is('contact', 'plan', 'gold'), next: 'gold' }],
          },
          ...[note('gold', 'both'), note('standard', 'both'), note('both', 'last')],
          ...[wait('last', '1h', 'end'), end],
        ],
      });
      const [gold, turned] = (await scene.contacts(2, { plan: 'Gold' })) as [string, string];
      const plain = await scene.contact({ plan: 'basic' });
      const startMs = scene.nowMs;
      for (const one of [gold, turned, plain]) await scene.raise('start', one);
      await scene.settle();
      await scene.change(turned, { plan: 'basic' });
      await scene.until(startMs + HOUR_MS);
      scene.clock.nowMs += MINUTE_MS;
      for (const one of [gold, turned]) await scene.change(one, { plan: 'gold' });
      await scene.change(gold, { plan: 'basic' });
      await scene.until(startMs + 3 * HOUR_MS);
      t.equal(await scene.path(id, gold), '> rests asks gold both last completed.');
      t.equal(await scene.path(id, turned), '> rests asks standard both last completed.');
      t.equal(await scene.path(id, plain), '> rests asks standard both last completed.');
      t.equal(await scene.count(id, 'step', 'both'), 3, 'once per person');
      t.equal(await scene.count(id, 'choice:/otherwise', 'asks'), 2);
    },
  );

  await t.test(
    '[JRN-25] [JRN-26] an amount of time, a date, a date that a trigger carried',
    async (t) => {
      const startMs = scene.nowMs;
      const id = await scene.publish({
        entry: by('start'),
        steps: [
          { id: 'past', type: 'wait', until: at(startMs - DAY_MS), next: 'amount' },
          wait('amount', '2h', 'date'),
          { id: 'date', type: 'wait', until: at(startMs + 5 * HOUR_MS), next: 'before' },
          {
            ...{ id: 'before', type: 'wait', next: 'end' },
            untilAttribute: { from: 'entry', attribute: 'when', before: '1d', otherwise: 'none' },
          },
          ...[note('none', 'end'), end],
        ],
      });
      const [dated, undated] = (await scene.contacts(2)) as [string, string];
      await scene.raise('start', dated, { when: at(startMs + 3 * DAY_MS) });
      await scene.raise('start', undated);
      await scene.settle();
      t.equal(
        await scene.path(id, dated),
        '> past amount',
        'a date that has passed holds up nobody',
      );
      await scene.until(startMs + 2 * HOUR_MS - 1);
      t.equal(await scene.path(id, dated), '> past amount');
      await scene.until(startMs + 2 * HOUR_MS);
      t.equal(await scene.path(id, dated), '> past amount date');
      await scene.until(startMs + 5 * HOUR_MS);
      t.equal(await scene.path(id, undated), '> past amount date before none completed.');
      await scene.until(startMs + 2 * DAY_MS - 1);
      t.equal(await scene.path(id, dated), '> past amount date before');
      await scene.until(startMs + 2 * DAY_MS);
      t.equal(await scene.path(id, dated), '> past amount date before completed.');
    },
  );

  await t.test('[JRN-28] shares by percent and by number', async (t) => {
    const id = await scene.publish({
      entry: by('start'),
      steps: [
        {
          ...{ id: 'half', type: 'split', by: 'percent' },
          branches: [
            { percent: 50, next: 'number' },
            { percent: 50, next: 'other' },
          ],
        },
        {
          ...{ id: 'number', type: 'split', by: 'number', otherwise: 'rest' },
          branches: [
            { count: 2, next: 'first' },
            { count: 3, next: 'second' },
          ],
        },
        { ...note('other', 'number') },
        ...[note('first', 'end'), note('second', 'end'), note('rest', 'end'), end],
      ] as Steps,
    });
    const people = await scene.contacts(40);
    for (const one of people) await scene.raise('start', one);
    await scene.settle(3);
    t.equal(await scene.count(id, 'step', 'first'), 2);
    t.equal(await scene.count(id, 'step', 'second'), 3);
    t.equal(await scene.count(id, 'step', 'rest'), 35);
    const other = await scene.count(id, 'step', 'other');
    t.ok(other > 5 && other < 35, `${other} of 40 went the other way`);
  });
}

async function activityTests(t: Test, target: StoreTarget): Promise<void> {
  const scene = await opened(t, target);
  for (const name of ['start', 'shipped']) await scene.trigger(name, 'custom', ['order']);

  await t.test('[JRN-30] activities are made and assigned', async (t) => {
    const id = await scene.publish({
      entry: by('start'),
      steps: [
        note('plans', 'phones', { assignTo: 'planning', dueIn: '1d', description: 'in full' }),
        { id: 'phones', type: 'activity', activity: 'phoneCall', subject: 'Ring', next: 'end' },
        end,
      ],
    });
    const person = await scene.contact();
    await scene.raise('start', person);
    await scene.settle();
    const made = await scene.database.db
      .selectFrom('journey_activities')
      .selectAll()
      .where('journey_id', '=', id)
      .orderBy('kind', 'desc')
      .execute();
    t.match(made, [
      {
        ...{ kind: 'task', subject: 'plans', assigned_to: 'planning', contact_id: person },
        ...{ state: 'open', description: 'in full', due_at_ms: scene.nowMs + DAY_MS },
      },
      { kind: 'phoneCall', subject: 'Ring', assigned_to: 'owner', due_at_ms: null },
    ]);
  });

  await t.test('[JRN-31] another journey starts with what was passed on', async (t) => {
    const second = await scene.publish({
      entry: by('shipped'),
      steps: [
        {
          ...{ id: 'asks', type: 'branch', otherwise: 'end' },
          branches: [{ when: is('entry', 'order', 'A-7'), next: 'knows' }],
        },
        ...[note('knows', 'end'), end],
      ],
    });
    const first = await scene.publish({
      entry: by('start'),
      steps: [
        {
          ...{ id: 'tells', type: 'activateTrigger', trigger: 'shipped', next: 'end' },
          attributes: { order: { from: 'entry', attribute: 'order' } },
        },
        end,
      ],
    });
    const person = await scene.contact();
    await scene.raise('start', person, { order: 'A-7' });
    await scene.settle();
    t.equal(await scene.path(first, person), '> tells completed.');
    t.equal(await scene.path(second, person), '> asks knows completed.');
  });
}

async function entryTests(t: Test, target: StoreTarget): Promise<void> {
  const scene = await opened(t, target);
  await scene.trigger('start', 'custom', ['plan']);
  await scene.trigger('changed', 'business');
  await scene.trigger('leave');
  const staff = { id: await scene.segment('staff'), name: 'staff' };

  await t.test(
    '[JRN-32] [JRN-34] [JRN-39] three kinds of triggers start, go on with and stop',
    async (t) => {
      const steps: Steps = [
        {
          ...{ id: 'hears', type: 'waitFor' },
          on: [{ trigger: 'changed', next: 'next' }],
          timeout: { after: '1d', next: 'end' },
        },
        ...[wait('next', '1d', 'end'), end],
      ];
      const more = { steps, exits: { on: [{ trigger: 'optedOut' }] } };
      const custom = await scene.publish({
        ...{
          ...more,
          entry: { ...by('start'), exclude: 'staff', conditions: is('entry', 'plan', 'gold') },
        },
      } as Written);
      const business = await scene.publish({ ...more, entry: by('changed') });
      const interaction = await scene.publish({ ...more, entry: by('callEnded') });
      const [person, wrong, colleague] = (await scene.contacts(3)) as [string, string, string];
      await scene.join(staff, [colleague]);
      await scene.settle();
      const interact = async (trigger: string): Promise<void> => {
        const { addOccurrences } = await import('../../dialer/triggers/add-occurrences.ts');
        const occurrence = {
          trigger,
          kind: 'interaction',
          contactId: person,
          payload: {},
        } as const;
        await inTransaction(scene.database, (tx) => addOccurrences(tx, scene.writer, [occurrence]));
        await scene.settle();
      };
      await scene.raise('start', person, { plan: 'gold' });
      await scene.raise('start', wrong, { plan: 'basic' });
      await scene.raise('start', colleague, { plan: 'gold' });
      await interact('callEnded');
      t.equal(await scene.path(custom, person), '> hears');
      t.equal(await scene.path(interaction, person), '> hears');
      t.equal(await scene.path(custom, wrong), '', 'the conditions do not hold');
      t.equal(await scene.path(custom, colleague), '', 'excluded');
      scene.clock.nowMs += 1;
      await scene.raise('changed', person);
      await scene.settle();
      t.equal(await scene.path(custom, person), '> hears next', 'went on');
      t.equal(await scene.path(business, person), '> hears', 'started');
      await interact('optedOut');
      t.equal(await scene.path(custom, person), '> hears next trigger.', 'stopped');
      t.equal(await scene.path(business, person), '> hears trigger.', 'stopped');
    },
  );

  await t.test(
    '[JRN-33] [JRN-39] [JRN-42] members enter at the start; the end closes the door only',
    async (t) => {
      const [inside, excluded, later] = (await scene.contacts(3)) as [string, string, string];
      const segment = { name: 'invited', id: await scene.segment('invited', [inside, excluded]) };
      await scene.join(staff, [excluded]);
      const startMs = scene.nowMs;
      const id = await scene.publish({
        entry: {
          ...{ kind: 'segment', segment: 'invited', frequency: 'ongoing', exclude: 'staff' },
          ...{ opensAt: at(startMs + HOUR_MS), closesAt: at(startMs + 2 * HOUR_MS) },
        },
        steps: [wait('rests', '1d', 'end'), end],
      });
      const byTrigger = await scene.publish({
        entry: { ...by('start'), closesAt: at(startMs + 2 * HOUR_MS) },
        steps: [wait('rests', '1d', 'end'), end],
      });
      const stateOf = async (journeyId: string): Promise<string> => {
        const { db } = scene.database;
        const row = await db
          .selectFrom('journeys')
          .select('state')
          .where('id', '=', journeyId)
          .execute();
        return row[0]?.state ?? '';
      };
      await scene.raise('start', later, { plan: '' });
      await scene.until(startMs + HOUR_MS - 1);
      t.same(
        [await scene.inside(id), await stateOf(id)],
        [0, 'scheduled'],
        'nobody before the start',
      );
      await scene.until(startMs + HOUR_MS);
      t.same([await scene.inside(id), await stateOf(id)], [1, 'live']);
      await scene.until(startMs + 2 * HOUR_MS);
      await scene.join(segment, [later]);
      await scene.raise('start', inside, { plan: '' });
      await scene.settle();
      t.same(
        [await scene.inside(id), await stateOf(id)],
        [1, 'completing'],
        'nobody enters any more',
      );
      t.same([await scene.inside(byTrigger), await stateOf(byTrigger)], [1, 'completing']);
      await scene.until(startMs + 26 * HOUR_MS);
      t.equal(await scene.path(id, inside), '> rests completed.', 'who is inside finishes');
      t.equal(await stateOf(id), 'completed');
    },
  );

  await t.test('[JRN-37] again only as the rule has it, and never twice at one time', async (t) => {
    const steps: Steps = [wait('rests', '1h', 'end'), end];
    const never = await scene.publish({ entry: by('start'), steps });
    const always = await scene.publish({ entry: by('start'), steps, reentry: { allow: 'always' } });
    const delayed = await scene.publish({
      ...{ entry: by('start'), steps, reentry: { allow: 'afterDelay', delay: '1d' } },
    });
    const person = await scene.contact();
    const startMs = scene.nowMs;
    const come = async (): Promise<void> => {
      await scene.raise('start', person);
      await scene.raise('start', person);
      await scene.settle(2);
    };
    await come();
    const inside = [never, always, delayed].map((id) => scene.inside(id));
    t.same(await Promise.all(inside), [1, 1, 1], 'once');
    await scene.until(startMs + 2 * HOUR_MS);
    await come();
    t.equal(await scene.path(never, person), '> rests completed.');
    t.equal(await scene.path(always, person), '> rests completed. > rests');
    t.equal(await scene.path(delayed, person), '> rests completed.');
    await scene.until(startMs + DAY_MS);
    await come();
    t.equal(await scene.path(delayed, person), '> rests completed. > rests');
    t.equal(await scene.count(never, 'entry'), 1);
  });

  await t.test('[JRN-38] ongoing: at once; repeating: at the next round', async (t) => {
    const [early, joiner] = (await scene.contacts(2)) as [string, string];
    const segment = { name: 'readers', id: await scene.segment('readers', [early]) };
    const startMs = scene.nowMs;
    const steps: Steps = [wait('rests', '1h', 'end'), end];
    const entry = { kind: 'segment', segment: 'readers' } as const;
    const ongoing = await scene.publish({ entry: { ...entry, frequency: 'ongoing' }, steps });
    const repeating = await scene.publish({
      ...{ entry: { ...entry, frequency: 'repeating', every: '1d' }, steps },
    });
    await scene.settle();
    scene.clock.nowMs += 2 * HOUR_MS;
    await scene.join(segment, [joiner]);
    await scene.settle();
    t.equal(await scene.path(ongoing, joiner), '> rests', 'at once');
    t.equal(await scene.path(repeating, joiner), '', 'not in the middle of a round');
    await scene.until(startMs + DAY_MS);
    t.equal(await scene.path(repeating, joiner), '> rests', 'at the next round');
    t.equal(
      await scene.path(repeating, early),
      '> rests completed. > rests',
      'and all others again',
    );
    t.equal(await scene.path(ongoing, early), '> rests completed.', 'once each');
    await scene.leave(segment, [joiner]);
    await scene.join(segment, [joiner]);
    await scene.until(startMs + 2 * DAY_MS);
    t.equal(
      await scene.path(ongoing, joiner),
      '> rests completed.',
      'once each, who comes back too',
    );
    t.equal(await scene.count(repeating, 'entry'), 6 - 1);
  });

  await t.test('[JRN-44] sixty an hour lets sixty in per hour', async (t) => {
    const many = { name: 'many', id: await scene.segment('many', await scene.contacts(150)) };
    const startMs = scene.nowMs;
    const id = await scene.publish({
      entry: {
        ...{ kind: 'segment', segment: 'many', frequency: 'oneTime' },
        rate: { count: 60, per: 'hour' },
      },
      steps: [wait('rests', '10d', 'end'), end],
    });
    const entered: number[] = [];
    for (const ms of [0, HOUR_MS - 1, HOUR_MS, 2 * HOUR_MS - 1, 2 * HOUR_MS, 5 * HOUR_MS]) {
      await scene.until(startMs + ms, 2);
      entered.push(await scene.inside(id));
      // Who joins while the round is under way was no member when it began.
      scene.clock.nowMs += 1;
      await scene.join(many, await scene.contacts(1));
    }
    t.same(entered, [60, 60, 120, 120, 150, 150]);
  });
}

const EVENT_KEY = (key: string) => ({ type: 'conversationResult', key }) as const;
const reached: OutcomeOf = ({ key }) => ({
  ...{ afterMs: HOUR_MS, event: { ...EVENT_KEY(key), result: 'LiveAnswer' } },
});

async function exitTests(t: Test, target: StoreTarget): Promise<void> {
  const scene = await opened(t, target, { outcomeOf: reached });
  for (const name of ['start', 'bought', 'booked']) await scene.trigger(name);
  const suppressed = { name: 'suppressed', id: await scene.segment('suppressed') };
  const calling: Written = {
    entry: by('start'),
    exits: { on: [{ trigger: 'bought' }, { segment: 'suppressed' }] },
    goal: { trigger: 'booked', targetPercent: 50 },
    steps: [
      call('calls', 'hears'),
      {
        ...{ id: 'hears', type: 'waitFor' },
        on: [{ step: 'calls', is: 'attempted', next: 'rests' }],
        timeout: { after: '1d', next: 'end' },
      },
      ...[wait('rests', '1h', 'again'), call('again', 'end'), end],
    ],
  };
  const effects = (journeyId: string) =>
    scene.database.db
      .selectFrom('journey_effects')
      .select(['state', 'step_id', 'contact_id'])
      .where('journey_id', '=', journeyId)
      .orderBy('created_at_ms')
      .execute();

  await t.test(
    '[JRN-40] [JRN-41] [JRN-43] exits end a run anywhere, and withdraw what it asked for',
    async (t) => {
      const id = await scene.publish(calling);
      const [early, late, both, none] = (await scene.contacts(4)) as [
        string,
        string,
        string,
        string,
      ];
      const startMs = scene.nowMs;
      for (const one of [early, late, both, none]) await scene.raise('start', one);
      await scene.settle();
      scene.clock.nowMs += MINUTE_MS;
      await scene.raise('bought', early);
      await scene.raise('booked', none);
      await scene.settle();
      t.match(
        (await effects(id)).filter((one) => one.contact_id === early),
        [{ state: 'cancelled', step_id: 'calls' }],
        'what was not done yet is withdrawn',
      );
      await scene.until(startMs + HOUR_MS);
      await scene.join(suppressed, [late]);
      await scene.raise('booked', both);
      await scene.raise('bought', both);
      await scene.until(startMs + DAY_MS);
      t.match(await scene.path(id, early), /^> calls hears trigger\. \(notAttempted\)$/);
      t.equal(await scene.path(id, late), '> calls hears (attempted) rests segment.');
      t.equal(await scene.path(id, both), '> calls hears (attempted) rests ! trigger.');
      t.equal(
        await scene.path(id, none),
        '> calls hears ! (attempted) rests again end completed. (attempted)'.replace(' end', ''),
      );
      const again = (await effects(id)).filter(({ step_id: step }) => step === 'again');
      t.same(
        again.map((one) => one.contact_id),
        [none],
        'no later message',
      );
      t.equal(await scene.count(id, 'goal'), 2, 'the goal ends nothing, and is counted');
      t.equal(await scene.count(id, 'entry'), 4);
    },
  );

  await t.test(
    '[JRN-54] who is inside finishes the first version, who comes enters the second',
    async (t) => {
      const steps = (name: string): Steps => [wait('rests', '1h', name), note(name, 'end'), end];
      const id = await scene.publish({ entry: by('start'), steps: steps('old') });
      const [old, fresh] = (await scene.contacts(2)) as [string, string];
      const startMs = scene.nowMs;
      await scene.raise('start', old);
      await scene.settle();
      await scene.publish({ entry: by('start'), steps: steps('new') }, id);
      await scene.raise('start', fresh);
      await scene.raise('start', old);
      await scene.until(startMs + 2 * HOUR_MS);
      t.equal(await scene.path(id, old), '> rests old completed.');
      t.equal(await scene.path(id, fresh), '> rests new completed.');
      t.same(
        [await scene.count(id, 'entry', '', 1), await scene.count(id, 'entry', '', 2)],
        [1, 1],
      );
      const versions = await scene.database.db
        .selectFrom('journey_versions')
        .select('state')
        .where('journey_id', '=', id)
        .orderBy('number')
        .execute();
      t.same(versions, [{ state: 'done' }, { state: 'live' }]);
    },
  );

  await t.test('[JRN-57] a journey that is stopped sends nothing more', async (t) => {
    const keeps = { on: [{ trigger: 'bought' }], cancelConversations: false };
    const id = await scene.publish({ ...calling, exits: keeps });
    const people = await scene.contacts(30);
    for (const one of people) await scene.raise('start', one);
    await scene.settle();
    const sent = (await effects(id)).length;
    // Timers are due, outcomes are told, and one cannot be read any more: nobody goes on.
    const [broken = ''] = people;
    await scene.database.db
      .updateTable('journey_runs')
      .set({ state: '{' })
      .where('contact_id', '=', broken)
      .where('journey_id', '=', id)
      .execute();
    await inTransaction(scene.database, (tx) => stopJourney(tx, scene.writer, { id }));
    await scene.raise('start', await scene.contact());
    scene.clock.nowMs += 3 * DAY_MS;
    await scene.settle();
    t.equal(await scene.inside(id), 0);
    const states = new Set((await effects(id)).map(({ state }) => state));
    t.same([...states], ['cancelled'], 'all that was asked for is withdrawn');
    t.equal((await effects(id)).length, sent);
    t.equal(await scene.count(id, 'exit:stopped', 'hears'), 30);
    const { db } = scene.database;
    const row = await db.selectFrom('journeys').select('state').where('id', '=', id).execute();
    t.same(row, [{ state: 'stopped' }]);
  });

  await t.test('a run with a fault holds up no other, and is tried again', async (t) => {
    const id = await scene.publish({
      entry: by('start'),
      steps: [wait('rests', '1h', 'end'), end],
    });
    const people = await scene.contacts(5);
    for (const one of people) await scene.raise('start', one);
    await scene.settle();
    const { db } = scene.database;
    const runs = await db
      .selectFrom('journey_runs')
      .selectAll()
      .where('journey_id', '=', id)
      .orderBy('id')
      .execute();
    const [unreadable, refused, ...well] = runs;
    if (unreadable === undefined || refused === undefined) throw new Error('nobody entered');
    await db
      .updateTable('journey_runs')
      .set({ state: '[' })
      .where('id', '=', unreadable.id)
      .execute();
    // Somebody has written its path ahead: the store refuses its next row, and so the whole batch.
    const state = refused.state.replace('"visits":{"rests":1}', '"visits":{"rests":1.5}');
    t.not(state, refused.state);
    await db
      .updateTable('journey_runs')
      .set({ state: state.replace('"stepId":"rests"', '"stepId":7') })
      .where('id', '=', refused.id)
      .execute();
    scene.clock.nowMs += HOUR_MS;
    await scene.settle(2);
    const after = await db
      .selectFrom('journey_runs')
      .select(['id', 'status', 'fault', 'exit_reason'])
      .where('journey_id', '=', id)
      .orderBy('id')
      .execute();
    t.match(after[0], { status: 'active', fault: /JSON/ });
    t.match(after[1], { status: 'exited', exit_reason: 'error' }, 'a step that is not there');
    t.same(
      after.slice(2).map(({ status }) => status),
      well.map(() => 'exited'),
    );
    await db
      .updateTable('journey_runs')
      .set({ state: unreadable.state })
      .where('id', '=', unreadable.id)
      .execute();
    scene.clock.nowMs += HOUR_MS;
    await scene.settle();
    t.match(
      await db.selectFrom('journey_runs').selectAll().where('id', '=', unreadable.id).execute(),
      [{ status: 'exited', fault: null, exit_reason: 'completed' }],
    );
  });

  await t.test('what is told twice is heard once; of strangers nothing is kept', async (t) => {
    const id = await scene.publish({
      entry: by('start'),
      steps: [
        {
          ...{ id: 'hears', type: 'waitFor' },
          on: [{ trigger: 'bought', next: 'twice' }],
          timeout: { after: '1d', next: 'end' },
        },
        {
          ...{ id: 'twice', type: 'waitFor' },
          on: [{ trigger: 'bought', next: 'end' }],
          timeout: { after: '1d', next: 'end' },
        },
        end,
      ],
    });
    const person = await scene.contact();
    await scene.raise('start', person);
    await scene.settle();
    const { db } = scene.database;
    const { id: runId } = await db
      .selectFrom('journey_runs')
      .select('id')
      .where('journey_id', '=', id)
      .executeTakeFirstOrThrow();
    const tell = (told: string, run = runId) =>
      inTransaction(scene.database, (tx) =>
        tellRuns(tx, scene.writer, [
          { runId: run, id: told, event: { type: 'trigger', id: 'b-1', trigger: 'bought' } },
        ]),
      );
    await tell('one');
    await tell('one');
    await scene.settle();
    await tell('another telling of the same');
    await tell('to a stranger', 'nobody');
    await scene.settle();
    t.equal(await scene.path(id, person), '> hears twice');
    t.same(await db.selectFrom('journey_run_events').selectAll().execute(), []);
  });

  await t.test('what ended long ago is forgotten, and nothing else', async (t) => {
    const id = await scene.publish({
      entry: by('start'),
      steps: [note('makes', 'rests'), wait('rests', '90d', 'end'), end],
    });
    const person = await scene.contact();
    await scene.raise('start', person);
    await scene.settle();
    const { db } = scene.database;
    const runs = () => db.selectFrom('journey_runs').select(['id', 'status']).execute();
    const remembered = async () => (await runs()).filter((run) => run.status !== 'forgotten');
    const before = await runs();
    const inside = before.filter(({ status }) => status === 'active').map((run) => run.id);
    t.ok(inside.length < before.length);
    t.equal(await forgetRuns(scene.database, scene.nowMs + 300 * DAY_MS, 365), 0);
    const gone = await forgetRuns(scene.database, scene.nowMs + 400 * DAY_MS, 365);
    t.equal(gone, before.length - inside.length);
    const left = (await remembered()).map((run) => run.id);
    t.same(left.sort(), inside.sort());
    for (const table of ['journey_path', 'journey_effects', 'journey_activities'] as const) {
      const rows = await db.selectFrom(table).select('run_id').execute();
      t.ok(
        rows.every(({ run_id: run }) => inside.includes(run)),
        table,
      );
    }
    t.match(await scene.path(id, person), '> makes rests');
    t.equal(await forgetRuns(scene.database, scene.nowMs + 400 * DAY_MS, 365), 0, 'once');
    t.equal(
      (await runs()).length,
      before.length,
      'that they entered is known: nobody enters again',
    );
  });
}

/** Every kind of step, a loop, an exit, and things that happen to people in between. */
const BUSY: Written = {
  entry: by('start'),
  exits: { on: [{ trigger: 'leave' }] },
  goal: { trigger: 'bought', targetPercent: 10 },
  steps: [
    call('calls', 'hears'),
    {
      ...{ id: 'hears', type: 'waitFor' },
      on: [
        { step: 'calls', is: 'attempted', next: 'asks' },
        { step: 'calls', is: 'notAttempted', next: 'half' },
        { trigger: 'bought', next: 'merged' },
      ],
      timeout: { after: '3h', next: 'half' },
    },
    {
      ...{ id: 'asks', type: 'branch', otherwise: 'merged' },
      branches: [
        { when: is('calls', 'Result', 'Busy'), next: 'loop' },
        { when: is('contact', 'plan', 'gold'), next: 'merged' },
      ],
    },
    { id: 'loop', type: 'repeat', to: 'calls', timesMax: 2, next: 'half' },
    {
      ...{ id: 'half', type: 'branch', otherwise: 'rests' },
      branches: [{ when: is('contact', 'plan', 'gold'), next: 'merged' }],
    },
    ...[wait('rests', '30m', 'merged'), note('merged', 'end'), end],
  ],
};

/** By what is theirs alone: the same whoever works, and in whatever order. */
function outcomesOf(numberOf: ReadonlyMap<string, number>): OutcomeOf {
  return ({ key, contact_id: contactId }) => {
    const n = (numberOf.get(contactId) ?? 0) + Number(key.slice(-1)) * 3;
    if (n % 7 === 0) return undefined;
    const result = (['Busy', 'LiveAnswer', 'InvalidAddress', 'NoAnswer'] as const)[n % 4];
    return {
      afterMs: ((n % 5) + 1) * 10 * MINUTE_MS,
      event: { ...EVENT_KEY(key), result: result ?? 'Busy' },
    };
  };
}

async function worldOf(t: Test, target: StoreTarget, workers: number) {
  const numberOf = new Map<string, number>();
  const scene = await opened(t, target, { outcomeOf: outcomesOf(numberOf), limit: 7 });
  for (const name of ['start', 'leave', 'bought']) await scene.trigger(name);
  const id = await scene.publish(BUSY);
  const people = [...(await scene.contacts(20)), ...(await scene.contacts(20, { plan: 'gold' }))];
  for (const [n, one] of people.entries()) numberOf.set(one, n);
  for (const one of people) await scene.raise('start', one);
  for (let step = 1; step <= 8; step += 1) {
    await scene.until(START_MS + step * 33 * MINUTE_MS, workers);
    for (const [n, one] of people.entries()) {
      if ((n + step) % 13 === 0) await scene.raise('bought', one);
      if ((n + step) % 29 === 0) await scene.raise('leave', one);
      if ((n + step) % 11 === 0) await scene.raise('start', one);
    }
  }
  await scene.until(START_MS + 3 * DAY_MS, workers);
  const paths = await scene.paths(id);
  return { scene, id, paths: people.map((one) => paths.get(one) ?? '') };
}

async function propertyTests(t: Test, target: StoreTarget): Promise<void> {
  await t.test('several workers at once change nobody’s path', async (t) => {
    const one = await worldOf(t, target, 1);
    const three = await worldOf(t, target, 3);
    t.same(three.paths, one.paths);
    t.ok(new Set(one.paths).size > 8, 'they went many ways');
    for (const { scene, id } of [one, three]) {
      t.equal(await scene.inside(id), 0, 'everybody came out');
      const { db } = scene.database;
      const path = await db
        .selectFrom('journey_path')
        .select(['run_id', 'n', 'kind', 'step_id', 'visit'])
        .where('journey_id', '=', id)
        .orderBy('run_id')
        .orderBy('n')
        .execute();
      const once = (kind: string): number => {
        const keys = path
          .filter((row) => row.kind === kind)
          .map((row) => `${row.run_id}/${row.step_id}/${row.visit}`);
        return keys.length - new Set(keys).size;
      };
      t.same([once('step'), once('choice'), once('outcome'), once('entry')], [0, 0, 0, 0]);
      const counted = path.filter(({ kind }) => kind === 'step').length;
      const counts = await db
        .selectFrom('journey_counts')
        .select('count')
        .where('journey_id', '=', id)
        .where('place', '=', 'step')
        .execute();
      t.equal(
        counts.reduce((sum, { count }) => sum + count, 0),
        counted,
        'counts are of the path',
      );
    }
  });
}

for (const target of await storeTargets(t)) {
  t.test(`waits, ${target.name}`, (t) => waitTests(t, target));
  t.test(`activities, ${target.name}`, (t) => activityTests(t, target));
  t.test(`entry, ${target.name}`, (t) => entryTests(t, target));
  t.test(`exits, ${target.name}`, (t) => exitTests(t, target));
  t.test(`properties, ${target.name}`, (t) => propertyTests(t, target));
}
