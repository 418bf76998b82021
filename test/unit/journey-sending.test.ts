/** Goal: nothing leaves without consent, in quiet time or above the cap, and every no has its reason. */
import { DateTime } from 'luxon';
import fc from 'fast-check';
import t from 'tap';
import { ENFORCEMENTS, type JourneyAssets } from '../../journey-core/definition/assets.schema.ts';
import type { Journey } from '../../journey-core/definition/journey.schema.ts';
import { WEEKDAYS, type QuietTime } from '../../journey-core/definition/quiet-time.schema.ts';
import { CHANNELS } from '../../journey-core/definition/sending.schema.ts';
import { admit, type EntryRequest } from '../../journey-core/entry/admit.ts';
import { ratePeriodAtMs, roomToEnter, roundsAt } from '../../journey-core/entry/entry-schedule.ts';
import type { StartConversation } from '../../journey-core/interpreter/effects.ts';
import {
  decideConsent,
  defaultEnforcement,
  isConsentEnough,
  type ConsentRecord,
} from '../../journey-core/sending/consent.ts';
import { decideSend, type Recipient } from '../../journey-core/sending/decide-send.ts';
import { decideCap } from '../../journey-core/sending/frequency-cap.ts';
import { openSpans, quietAt, type QuietQuestion } from '../../journey-core/sending/quiet-time.ts';
import { exampleJourney } from '../support/journey-example.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 10, 23, 9); // Monday
const every = [...WEEKDAYS];

const record = (given: Partial<ConsentRecord>): ConsentRecord => ({
  ...{ id: 'c1', contactPointId: 'mobile', channel: 'voice', kind: 'purpose', purpose: 'offers' },
  ...{ topic: null, status: 'optedIn', modifiedAtMs: 1 },
  ...given,
});
const profile = (enforcement?: (typeof ENFORCEMENTS)[number]) => ({
  name: 'calls',
  channels: [...CHANNELS],
  purposes: [
    {
      name: 'offers',
      type: 'commercial' as const,
      topics: ['news'],
      ...(enforcement === undefined ? {} : { enforcement }),
    },
    { name: 'service', type: 'transactional' as const },
  ],
});
const asked = (
  records: readonly ConsentRecord[],
  topic?: string,
  enforcement?: (typeof ENFORCEMENTS)[number],
) =>
  decideConsent({
    profile: profile(enforcement),
    compliance: { profile: 'calls', purpose: 'offers', ...(topic === undefined ? {} : { topic }) },
    ...{ channel: 'voice', contactPointId: 'mobile', records },
  });

t.test('[CNS-10] the nine cells of enforcement and consent', async (t) => {
  const table = {
    restrictive: { optedOut: false, notSet: false, optedIn: true },
    nonRestrictive: { optedOut: false, notSet: true, optedIn: true },
    disabled: { optedOut: true, notSet: true, optedIn: true },
  } as const;
  for (const enforcement of ENFORCEMENTS) {
    for (const status of ['optedOut', 'notSet', 'optedIn'] as const) {
      const expected = table[enforcement][status];
      t.equal(isConsentEnough(enforcement, status), expected, `${enforcement} ${status}`);
      const records = status === 'notSet' ? [] : [record({ status })];
      t.equal(asked(records, undefined, enforcement).passes, expected);
    }
  }
});

t.test(
  '[CNS-11] without a setting commercial calls need an opt-in, transactional ones none',
  async (t) => {
    t.match(asked([]), {
      passes: false,
      reason: 'no_opt_in',
      cells: [{ enforcement: 'restrictive', recordId: null }],
    });
    t.equal(defaultEnforcement('commercial', 'sms'), 'restrictive');
    t.equal(defaultEnforcement('commercial', 'email'), 'nonRestrictive');
    for (const channel of CHANNELS)
      t.equal(defaultEnforcement('transactional', channel), 'disabled');
  },
);

t.test('[CNS-12] a topic needs consent to its purpose too', async (t) => {
  const topicIn = record({ id: 't1', kind: 'topic', topic: 'news' });
  t.match(asked([topicIn, record({ id: 'p1', status: 'optedOut' })], 'news'), {
    passes: false,
    reason: 'opted_out',
    cells: [
      { of: 'purpose', recordId: 'p1', passes: false },
      { of: 'topic', recordId: 't1', passes: true },
    ],
  });
  t.match(asked([record({ id: 'p1' })], 'news'), { passes: false, reason: 'no_opt_in' });
  t.match(asked([topicIn, record({})], 'news'), { passes: true });
  t.match(
    asked(
      [record({ id: 't2', kind: 'topic', topic: 'news', status: 'optedOut' }), record({})],
      'news',
    ),
    { passes: false, reason: 'opted_out' },
  );
});

t.test(
  'of several records the newest decides, and of one moment the one that says no',
  async (t) => {
    t.match(
      asked([
        record({ status: 'optedOut', modifiedAtMs: 5 }),
        record({ id: 'c2', modifiedAtMs: 6 }),
      ]),
      { passes: true, cells: [{ recordId: 'c2' }] },
    );
    t.match(
      asked([
        record({ id: 'no', status: 'optedOut', modifiedAtMs: 6 }),
        record({ modifiedAtMs: 6 }),
      ]),
      { passes: false, cells: [{ recordId: 'no' }] },
    );
    t.match(
      decideConsent({
        profile: undefined,
        compliance: { profile: 'x', purpose: 'y' },
        channel: 'voice',
        contactPointId: 'm',
        records: [],
      }),
      { passes: false, reason: 'unknown_purpose' },
    );
  },
);

const nights: QuietTime = {
  name: 'nights',
  timeZone: 'audience',
  quiet: [
    { channels: ['voice'], days: every, from: '20:00', to: '24:00' },
    { channels: ['voice'], days: every, from: '00:00', to: '08:00' },
  ],
};
const question = (rest: Partial<QuietQuestion> = {}): QuietQuestion => ({
  ...{ setting: nights, channel: 'voice', purposeType: 'commercial', timeZone: 'Europe/Amsterdam' },
  place: { country: null, state: null, phone: null },
  ...rest,
});
const local = (iso: string, zone = 'Europe/Amsterdam'): number =>
  DateTime.fromISO(iso, { zone }).toMillis();
const withQuiet = (quiet: QuietTime['quiet']): QuietTime => ({ name: 'x', quiet });

const quietCases: readonly {
  name: string;
  given?: Partial<QuietQuestion>;
  at: string;
  zone?: string;
  openAt: string | null;
}[] = [
  { name: 'by day it is not quiet', at: '2026-11-23T12:00', openAt: '2026-11-23T12:00' },
  {
    name: 'a night ends in the morning, over midnight',
    at: '2026-11-23T20:00',
    openAt: '2026-11-24T08:00',
  },
  { name: 'the end is not included', at: '2026-11-23T08:00', openAt: '2026-11-23T08:00' },
  { name: 'the last moment is', at: '2026-11-23T07:59:59', openAt: '2026-11-23T08:00' },
  {
    name: 'another channel',
    given: { channel: 'email' },
    at: '2026-11-23T23:00',
    openAt: '2026-11-23T23:00',
  },
  {
    name: 'for commercial purposes alone',
    given: {
      purposeType: 'transactional',
      setting: withQuiet([{ purposes: ['commercial'], days: every, from: '00:00', to: '23:00' }]),
    },
    at: '2026-11-23T12:00',
    openAt: '2026-11-23T12:00',
  },
  {
    name: '[JRN-51] quiet days, the last one included',
    given: { setting: withQuiet([{ firstDay: '2026-12-24', lastDay: '2026-12-26' }]) },
    at: '2026-12-24T00:00',
    openAt: '2026-12-27T00:00',
  },
  {
    name: 'a span that begins in the hour that spring skips begins where it can',
    given: { setting: withQuiet([{ days: ['sunday'], from: '02:30', to: '04:00' }]) },
    at: '2026-03-29T03:30',
    openAt: '2026-03-29T04:00',
  },
  {
    name: 'a span that lies in the skipped hour alone is not there',
    given: { setting: withQuiet([{ days: ['sunday'], from: '02:10', to: '02:50' }]) },
    at: '2026-03-29T03:05',
    openAt: '2026-03-29T03:05',
  },
  {
    name: 'in New York, by their clock',
    given: { timeZone: 'America/New_York' },
    at: '2026-11-23T07:59',
    zone: 'America/New_York',
    openAt: '2026-11-23T08:00',
  },
  {
    name: 'quiet for ever',
    given: { setting: withQuiet([{ days: every, from: '00:00', to: '24:00' }]) },
    at: '2026-11-23T12:00',
    openAt: null,
  },
];
for (const { name, given, at, zone, openAt } of quietCases) {
  t.test(`quietAt: ${name}`, async (t) => {
    const verdict = quietAt(question(given), local(at, zone));
    t.equal(verdict.openAtMs, openAt === null ? null : local(openAt, zone));
    t.equal(verdict.isQuiet, openAt !== at);
  });
}

t.test('both passes of the hour that autumn repeats are quiet', async (t) => {
  const setting = withQuiet([{ days: ['sunday'], from: '02:00', to: '03:00' }]);
  const first = Date.UTC(2026, 9, 25, 0); // 02:00 summer time
  for (const minutes of [0, 59, 60, 119]) {
    const verdict = quietAt(question({ setting }), first + minutes * 60_000);
    t.match(verdict, { isQuiet: true, openAtMs: first + 2 * HOUR }, `${minutes} minutes`);
  }
  t.equal(quietAt(question({ setting }), first + 2 * HOUR).isQuiet, false);
});

t.test(
  '[JRN-50] rules for places: the first that fits, letter for letter, replaces the general one',
  async (t) => {
    const setting: QuietTime = {
      ...nights,
      advanced: [
        {
          where: { country: ['US'], state: ['TX', 'Texas'] },
          quiet: [{ days: every, from: '00:00', to: '12:00' }],
        },
        { where: { phone: ['+1512'] }, quiet: [{ days: every, from: '00:00', to: '11:00' }] },
        { where: { country: ['US'] }, quiet: [] },
      ],
    };
    const at = local('2026-11-23T07:00');
    const place = (rest: Partial<QuietQuestion['place']>) =>
      quietAt(
        question({ setting, place: { country: 'US', state: null, phone: null, ...rest } }),
        at,
      );
    t.match(place({ state: 'TX' }), { rule: 0, openAtMs: local('2026-11-23T12:00') });
    t.match(place({ state: 'tx', phone: '+15125550100' }), {
      rule: 1,
      openAtMs: local('2026-11-23T11:00'),
    });
    t.match(place({ state: 'tx' }), { rule: 2, isQuiet: false });
    t.match(place({ country: null, state: 'TX' }), {
      rule: 'general',
      openAtMs: local('2026-11-23T08:00'),
    });
  },
);

t.test('quietAt and openSpans agree at every moment (property)', async (t) => {
  const time = fc
    .integer({ min: 0, max: 96 })
    .map(
      (quarter) =>
        `${String(Math.floor(quarter / 4)).padStart(2, '0')}:${String((quarter % 4) * 15).padStart(2, '0')}`,
    );
  const entry = fc.record({ days: fc.subarray(every, { minLength: 1 }), from: time, to: time });
  const moment = fc.integer({ min: Date.UTC(2026, 2, 26), max: Date.UTC(2026, 3, 2) });
  fc.assert(
    fc.property(
      fc.array(entry, { maxLength: 4 }),
      moment,
      fc.nat(72 * 60 - 1),
      fc.constantFrom('Europe/Amsterdam', 'America/New_York', 'Asia/Kolkata'),
      (quiet, fromMs, minutes, timeZone) => {
        const asked = question({ setting: withQuiet(quiet), timeZone });
        const untilMs = fromMs + 72 * HOUR;
        const spans = openSpans(asked, fromMs, untilMs);
        const at = fromMs + minutes * 60_000;
        const { isQuiet, openAtMs } = quietAt(asked, at);
        const isOpen = spans.some(({ startMs, endMs }) => startMs <= at && at < endMs);
        if (isOpen === isQuiet) return false;
        return openAtMs === null || !quietAt(asked, openAtMs).isQuiet;
      },
    ),
    { numRuns: 200 },
  );
  t.pass();
});

t.test(
  '[JRN-46] windows of 24 hours, 7 and 30 days roll, and spare what is not commercial',
  async (t) => {
    const ask = (sentAtMs: readonly number[], rest: object = {}) =>
      decideCap(
        {
          cap: { perDay: 2, perWeek: 3, perMonth: 4 },
          purposeType: 'commercial',
          isBypassed: false,
          sentAtMs,
          ...rest,
        },
        NOW,
      );
    const sent = (...agoMs: number[]) => agoMs.map((ago) => NOW - ago);
    t.match(ask(sent(1, HOUR)), {
      passes: false,
      reason: 'capped',
      reached: { limit: 'perDay', max: 2, sent: 2, roomAtMs: NOW - HOUR + DAY },
    });
    t.match(ask(sent(1, DAY - 1)), { passes: false });
    t.match(ask(sent(1, DAY)), { passes: true, reason: 'room' });
    t.match(ask(sent(1, 2 * DAY, 7 * DAY - 1)), {
      reached: { limit: 'perWeek', roomAtMs: NOW + 1 },
    });
    t.match(ask(sent(1, 2 * DAY, 7 * DAY, 8 * DAY)), {
      reached: { limit: 'perMonth', sent: 4, roomAtMs: NOW + 22 * DAY },
    });
    t.match(ask(sent(1, 2), { purposeType: 'transactional' }), {
      passes: true,
      reason: 'not_commercial',
    });
    t.match(ask(sent(1, 2), { isBypassed: true }), { passes: true, reason: 'bypassed' });
    t.match(ask(sent(1, 2), { cap: undefined }), { passes: true, reason: 'no_limit' });
  },
);

const assets: JourneyAssets = {
  complianceProfiles: [{ ...profile(), quietTime: 'nights' }],
  quietTimes: [nights],
  frequencyCap: { voice: { perDay: 1 } },
};
const start: StartConversation = {
  ...{
    type: 'startConversation',
    key: 'r:call:1',
    stepId: 'call',
    channel: 'voice',
    engagement: 'e',
    message: null,
  },
  ...{
    compliance: { profile: 'calls', purpose: 'offers' },
    quietTime: 'inherit',
    notAfterMs: NOW + DAY,
  },
  ...{ frequencyCap: 'apply', inputs: {} },
};
const recipient: Recipient = {
  ...{ isActive: true, timeZone: 'Europe/Amsterdam', country: null, state: null, sent: [] },
  contactPoints: (['mobile', 'home'] as const).map((kind) => ({
    id: kind,
    kind,
    value: '+31',
    timeZone: null,
    isUsable: true,
  })),
  consents: [record({}), record({ id: 'c2', contactPointId: 'home' })],
};
const decide = (sending: Partial<StartConversation>, to: Partial<Recipient> = {}, nowMs = NOW) =>
  decideSend(
    { ...start, ...sending },
    { assets, timeZone: 'UTC', recipient: { ...recipient, ...to } },
    nowMs,
  );

t.test('[CNS-13] consent is the number’s: opted out on the mobile, called at home', async (t) => {
  const consents = [record({ status: 'optedOut' }), record({ id: 'c2', contactPointId: 'home' })];
  t.match(decide({}, { consents }), {
    decide: 'send',
    contactPointIds: ['home'],
    verdicts: [{ contactPointId: 'mobile', consent: { reason: 'opted_out' } }, {}],
  });
});

t.test('[JRN-10] every reason to block, in the order in which it is asked', async (t) => {
  const night = local('2026-11-23T22:00');
  const sent = ['mobile', 'home'].map((contactPointId) => ({
    contactPointId,
    channel: 'voice' as const,
    atMs: NOW - HOUR,
  }));
  const table = [
    { reason: 'asset_missing', sending: { compliance: null, message: 'gone' } },
    { reason: 'contact_inactive', to: { isActive: false } },
    {
      reason: 'no_contact_point',
      to: {
        contactPoints: recipient.contactPoints.map((point) => ({ ...point, isUsable: false })),
      },
    },
    { reason: 'no_consent', to: { consents: [], sent }, nowMs: night },
    { reason: 'quiet_time', sending: { notAfterMs: night + HOUR }, to: { sent }, nowMs: night },
    { reason: 'frequency_cap', to: { sent } },
  ];
  for (const { reason, sending = {}, to = {}, nowMs = NOW } of table) {
    t.match(decide(sending, to, nowMs), { decide: 'block', reason }, reason);
  }
});

t.test(
  '[JRN-48] [JRN-49] quiet: held until their own morning, then sent, with the hours that are left',
  async (t) => {
    const night = local('2026-11-23T22:00');
    t.match(decide({ notAfterMs: night + DAY }, {}, night), {
      decide: 'hold',
      untilMs: local('2026-11-24T08:00'),
    });
    const newYork = { timeZone: 'America/New_York' };
    t.match(decide({}, newYork), {
      decide: 'hold',
      untilMs: local('2026-11-23T08:00', 'America/New_York'),
    });
    const lateInUtc = local('2026-11-23T23:00', 'UTC');
    t.match(
      decide({ notAfterMs: lateInUtc + DAY }, { timeZone: 'Pacific Standard Time' }, lateInUtc),
      { decide: 'hold', untilMs: local('2026-11-24T08:00', 'UTC') },
      'a zone that nobody knows is none: the journey’s holds',
    );
    const morning = local('2026-11-24T08:00');
    t.match(decide({ notAfterMs: morning + DAY }, {}, morning), {
      decide: 'send',
      windows: [{ startMs: morning, endMs: morning + 12 * HOUR }],
    });
  },
);

t.test('[JRN-06] [JRN-47] none sends at night, and a bypass above the cap', async (t) => {
  const night = local('2026-11-23T22:00');
  t.match(decide({ quietTime: 'none' }, {}, night), {
    decide: 'send',
    verdicts: [{ quiet: 'not_applied' }, {}],
  });
  const sent = ['mobile', 'home'].map((contactPointId) => ({
    contactPointId,
    channel: 'voice' as const,
    atMs: NOW - HOUR,
  }));
  t.match(decide({ frequencyCap: 'bypass' }, { sent }), {
    decide: 'send',
    verdicts: [{ cap: { reason: 'bypassed' } }, {}],
  });
  t.match(
    decide({ quietTime: 'nights' }, { timeZone: null }, night),
    { decide: 'hold' },
    'the journey’s zone where none is known',
  );
});

const member: EntryRequest = {
  by: { segment: 'lapsed' },
  facts: { attributes: {}, segments: [], variants: {} },
  isInside: false,
  lastEnteredAtMs: null,
};
const winBack = exampleJourney('win-back');
const opened = local('2026-12-01T10:00', 'Europe/Madrid');

t.test('who may enter, and why not', async (t) => {
  const journey = (rest: object): Journey => ({ ...winBack, ...rest });
  const entry = winBack.entry;
  const table: readonly [string, Journey, Partial<EntryRequest>, number, string | null][] = [
    ['a member at the start', winBack, {}, opened, null],
    ['before the start', winBack, {}, opened - 1, 'not_open_yet'],
    [
      '[JRN-42] from the end on',
      journey({ entry: { ...entry, closesAt: '2026-12-02T10:00' } }),
      {},
      opened + DAY,
      'closed',
    ],
    ['by another segment', winBack, { by: { segment: 'x' } }, opened, 'other_entry'],
    ['by a trigger', winBack, { by: { trigger: 'lapsed', attributes: {} } }, opened, 'other_entry'],
    [
      'who is inside',
      journey({ reentry: { allow: 'always' } }),
      { isInside: true },
      opened,
      'already_inside',
    ],
    [
      '[JRN-39] an excluded member',
      journey({ entry: { ...entry, exclude: 'staff' } }),
      { facts: { ...member.facts, segments: ['staff'] } },
      opened,
      'excluded',
    ],
    [
      'a member of what takes people out',
      journey({ exits: { on: [{ segment: 'gone' }] } }),
      { facts: { ...member.facts, segments: ['gone'] } },
      opened,
      'exit_segment',
    ],
    [
      'a second time by a one-time segment',
      journey({ reentry: { allow: 'always' } }),
      { lastEnteredAtMs: opened },
      opened + DAY,
      'no_reentry',
    ],
    [
      '[JRN-38] in the next round',
      journey({ entry: { ...entry, frequency: 'repeating', every: '1d' } }),
      { lastEnteredAtMs: opened, roundAtMs: opened + DAY },
      opened + DAY,
      null,
    ],
    [
      '[JRN-38] twice in one round',
      journey({ entry: { ...entry, frequency: 'repeating', every: '1d' } }),
      { lastEnteredAtMs: opened + 1, roundAtMs: opened },
      opened + 2,
      'no_reentry',
    ],
  ];
  for (const [name, definition, request, nowMs, reason] of table) {
    const admission = admit(definition, { ...member, ...request }, nowMs);
    t.match(admission, reason === null ? { admit: true } : { admit: false, reason }, name);
  }
});

t.test('[JRN-37] again: always, never, or after a delay', async (t) => {
  const survey = exampleJourney('service-survey');
  const again = (reentry: object | undefined, agoMs: number) =>
    admit(
      { ...survey, ...(reentry === undefined ? {} : { reentry }) } as Journey,
      { ...member, by: { trigger: 'serviceDone', attributes: {} }, lastEnteredAtMs: NOW - agoMs },
      NOW,
    );
  t.match(again({ allow: 'always' }, 1), { admit: true });
  t.match(again({ allow: 'never' }, DAY), { admit: false, reason: 'no_reentry' });
  t.match(again({ allow: 'afterDelay', delay: '2d' }, DAY), {
    admit: false,
    reason: 'reentry_delay',
    againAtMs: NOW + DAY,
  });
  t.match(again({ allow: 'afterDelay', delay: '2d' }, 2 * DAY), { admit: true });
});

t.test('[JRN-44] sixty an hour lets sixty in per hour, on the days that are named', async (t) => {
  const rate = {
    count: 60,
    per: 'hour' as const,
    weekdays: ['monday' as const, 'tuesday' as const],
  };
  const monday = local('2026-11-23T10:00');
  const entered: number[] = [];
  const roomAt = (atMs: number) => {
    const from = ratePeriodAtMs(rate, monday, atMs);
    const inPeriod = entered.filter((one) => one >= from && one <= atMs).length;
    return roomToEnter(rate, 'Europe/Amsterdam', monday, inPeriod, atMs);
  };
  let nowMs = monday;
  for (let hour = 0; hour < 3; hour += 1) {
    const room = roomAt(nowMs);
    t.match(room, { count: 60, nextAtMs: nowMs });
    entered.push(...Array.from({ length: 60 }, (_, at) => nowMs + at));
    const full = roomAt(nowMs + 100);
    t.match(full, { count: 0, nextAtMs: nowMs + HOUR });
    nowMs = full.nextAtMs;
  }
  t.match(roomAt(local('2026-11-25T09:00')), {
    count: 0,
    nextAtMs: local('2026-11-30T00:00'),
  });
  t.match(roomAt(monday - 5), {
    count: 0,
    nextAtMs: monday,
  });
});

t.test('[JRN-38] rounds follow one another from the start to the end date', async (t) => {
  const journey = exampleJourney('confirm-delivery');
  const first = local('2026-11-23T09:00');
  t.match(roundsAt(journey, 0, first - 1), { currentAtMs: null, nextAtMs: first });
  t.match(roundsAt(journey, 0, first + 2.5 * DAY), {
    currentAtMs: first + 2 * DAY,
    nextAtMs: first + 3 * DAY,
  });
  const ending = {
    ...journey,
    entry: { ...journey.entry, closesAt: '2026-11-25T00:00' },
  } as Journey;
  t.match(roundsAt(ending, 0, first + DAY), { currentAtMs: first + DAY, nextAtMs: null });
  t.match(roundsAt(winBack, 0, opened + DAY), { currentAtMs: opened, nextAtMs: null });
});
