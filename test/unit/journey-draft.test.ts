/** Goal: plain words become a draft that holds together, and nothing of them is lost in silence. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { parse } from 'yaml';
import type { JourneyAssets } from '../../journey-core/definition/assets.schema.ts';
import { WEEKDAYS } from '../../journey-core/definition/quiet-time.schema.ts';
import { DRAFT_TEXT_MAX, draftJourney } from '../../journey-core/draft/draft-journey.ts';
import { connectAssets } from '../../journey-core/draft/connect-assets.ts';
import { SAMPLE_PROMPTS } from '../../journey-core/draft/sample-prompts.ts';
import { sentencesOf } from '../../journey-core/draft/sentences.ts';
import type { JourneyDraft } from '../../journey-core/draft/draft-answer.ts';
import { faultLine } from '../../journey-core/validation/journey-fault.ts';
import { validateJourney } from '../../journey-core/validation/validate-journey.ts';

/** A Saturday. */
const OPTIONS = { nowMs: Date.parse('2026-11-21T12:00:00Z'), timeZone: 'Europe/Amsterdam' };
const draftOf = (text: string, assets: JourneyAssets = {}) =>
  draftJourney(text, { ...OPTIONS, assets });

/** Everything of `part` is in `whole`; of a list each item is in some item. */
function holds(whole: unknown, part: unknown): boolean {
  if (Array.isArray(part)) {
    return Array.isArray(whole) && part.every((item) => whole.some((one) => holds(one, item)));
  }
  if (typeof part !== 'object' || part === null) return whole === part;
  if (typeof whole !== 'object' || whole === null) return false;
  const found = whole as Record<string, unknown>;
  return Object.entries(part).every(([key, value]) => holds(found[key], value));
}

const told = ({ notUnderstood }: JourneyDraft) =>
  notUnderstood.map(({ text, reason }) => `${text}: ${reason}`);

const DOCUMENT = new URL('../../docs/journeys/drafting.md', import.meta.url);
const examples = [
  ...readFileSync(DOCUMENT, 'utf8').matchAll(/```text\n(.*?)```\n(?:\n```yaml\n(.*?)```)?/gs),
].map(([, text = '', expected]) => ({ text, expected }));

t.test('[JRN-58] every documented sentence pattern gives what the document says', async (t) => {
  t.ok(examples.length > 50, `${examples.length} examples`);
  for (const { text, expected } of examples) {
    const draft = draftOf(text);
    t.same(told(draft), [], text);
    const faults = draft.faults.filter(({ code }) => code !== 'ASSET_NOT_READY');
    t.same(faults.filter(({ severity }) => severity !== 'warning').map(faultLine), [], text);
    if (!t.ok(draft.journey, text)) continue;
    if (expected === undefined) continue;
    const part = parse(expected) as unknown;
    t.ok(holds(draft.journey, part), `${text}\n${JSON.stringify(draft.journey, null, 1)}`);
  }
});

t.test('[JRN-60] six samples, each a draft whose only faults are placeholders', async (t) => {
  t.equal(SAMPLE_PROMPTS.length, 6);
  for (const { id, text } of SAMPLE_PROMPTS) {
    const draft = draftOf(text);
    t.same(told(draft), [], id);
    t.ok(draft.journey, id);
    t.ok((draft.summary?.steps.length ?? 0) >= 3, id);
    t.ok(draft.placeholders.length > 0, id);
    const blocking = draft.faults.filter(({ severity }) => severity === 'blocksPublishing');
    t.ok(blocking.length > 0, id);
    t.same(new Set(draft.faults.map(({ code }) => code)), new Set(['ASSET_NOT_READY']), id);
    t.notOk(validateJourney(draft.journey).isPublishable, id);
  }
});

const KNOWN: JourneyAssets = {
  contactAttributes: [{ name: 'loyaltyPoints', type: 'number' }],
  triggers: [
    {
      ...{ name: 'appointmentBooked', kind: 'business' },
      attributes: [{ name: 'startsAt', type: 'dateTime' }],
    },
    { name: 'appointmentCancelled', kind: 'business' },
  ],
  engagements: [
    {
      ...{ name: 'Appointment reminder', channel: 'voice' },
      resultAttributes: [{ name: 'Coming', type: 'boolean' }],
    },
  ],
  segments: [{ name: 'vip', kind: 'dynamic' }],
  messages: [
    {
      ...{ name: 'reminderEmail', channel: 'email' },
      compliance: { profile: 'mails', purpose: 'reminders' },
    },
  ],
  webhooks: [{ name: 'mailer' }],
  complianceProfiles: [
    {
      name: 'calls',
      channels: ['voice'],
      purposes: [{ name: 'reminders', type: 'transactional' }],
    },
    {
      name: 'mails',
      channels: ['email'],
      purposes: [{ name: 'reminders', type: 'transactional' }],
    },
  ],
};

t.test(
  '[JRN-58] what there is is connected, and the draft can be published as it is',
  async (t) => {
    const draft = draftOf(
      'When an appointment is booked, call them the day before the appointment with the Appointment ' +
        'reminder engagement for the purpose reminders. If coming is false, send a reminder e-mail. ' +
        'If they are in the segment VIP, do nothing. Stop if the appointment is cancelled.',
      KNOWN,
    );
    t.same(told(draft), []);
    t.same(draft.placeholders, []);
    t.ok(validateJourney(draft.journey).isPublishable, draft.faults.map(faultLine).join('\n'));
    t.match(draft.journey, {
      entry: { trigger: 'appointmentBooked' },
      exits: { on: [{ trigger: 'appointmentCancelled' }] },
      steps: [
        { untilAttribute: { from: 'entry', attribute: 'startsAt', before: '1d' } },
        {
          engagement: 'Appointment reminder',
          compliance: { profile: 'calls', purpose: 'reminders' },
        },
      ],
    });
    t.ok(holds(draft.journey, { steps: [{ message: 'reminderEmail', webhook: 'mailer' }] }));
  },
);

t.test(
  '[JRN-59] what is not there is a placeholder with what it could be, and blocks publishing',
  async (t) => {
    const text =
      'For everyone in the segment "gold", call them with engagement "Upsell". ' +
      'If their shoe size is at least 45, send an e-mail "Big feet". If they say later, stop.';
    const { placeholders, journey, faults } = draftOf(text, KNOWN);
    t.match(placeholders, [
      { kind: 'segment', name: 'gold', candidates: ['vip'] },
      {
        kind: 'engagement',
        name: 'Upsell',
        channel: 'voice',
        candidates: ['Appointment reminder'],
      },
      {
        kind: 'complianceProfile',
        name: 'profileToChoose',
        channel: 'voice',
        candidates: ['calls'],
      },
      { kind: 'message', name: 'Big feet', channel: 'email', candidates: ['reminderEmail'] },
      { kind: 'attribute', name: 'shoeSize', of: 'contact' },
    ]);
    const verdict = validateJourney(journey);
    t.notOk(verdict.isPublishable);
    t.ok(verdict.journey);
    const blocking = faults.filter(({ severity }) => severity === 'blocksPublishing');
    t.match(
      blocking.find(({ path }) => path === '/entry/segment'),
      { code: 'ASSET_NOT_READY' },
    );
  },
);

t.test(
  'what is not understood is told with its place and why, and nothing hangs on it',
  async (t) => {
    const text =
      'Call everyone in the segment "vip".\nIf the moon is full and they dance, send an SMS. ' +
      'Otherwise send an e-mail. Then juggle with torches. Wait 100 days. End.';
    const draft = draftOf(text);
    t.match(
      draft.notUnderstood.map(({ text: part, at }) => [part, at.sentence, at.line]),
      [
        [/^If the moon is full.*send an SMS$/, 2, 2],
        ['Otherwise send an e-mail', 3, 2],
        ['juggle with torches', 4, 2],
        [/Wait 100 days/, 5, 2],
      ],
    );
    t.match(draft.notUnderstood.at(-1)?.reason, /90 days/);
    for (const { at, text: part } of draft.notUnderstood) {
      t.equal(text.slice(at.offset, at.offset + at.length).trim(), part);
    }
    t.notOk(holds(draft.journey, { steps: [{ type: 'message' }] }), 'neither message is sent');
  },
);

t.test('what the format has no word for is told, with what to write instead', async (t) => {
  const days = /"every Monday at 9" and "every Thursday at 9"/;
  const weekdays = /journey for each day, "every Monday at 9", .* or "every day at 9" and "only/;
  for (const [text, reason] of [
    ['Every weekday at 9, call everyone in the segment vip.', weekdays],
    ['Every business day at 9, call everyone in the segment vip.', weekdays],
    ['Every Monday to Friday at 9, call everyone in the segment vip.', weekdays],
    ['On weekdays at 9, call everyone in the segment vip.', weekdays],
    ['Every Monday and Thursday at 9, call everyone in the segment vip.', days],
    ['Call them. Wait 2 working days, then send an e-mail.', /"2 days" .* or "4 days"/],
    ['Call them. A business day later, send an e-mail.', /"1 day" .* or "3 days"/],
    ['Call them. If they do not answer within 5 working days, e-mail them.', /or "7 days"/],
    ['Call them within 6 business days.', /or "10 days"/],
    ['Call them. Not after 8.', /8 am, 8 pm or 20:00/],
    ['Call them. Only between 9 and 5.', /5 am, 5 pm or 17:00/],
    ['Call them. Only on Mondays.', /every Monday at 9/],
    ['Call them. Not between 22:00 and 6:00 on weekdays.', /each day/],
    ['Call them. Ignore quiet hours. Not after 8 pm.', /'none': put the hours into it/],
    ['Call them. Not after 8 pm. Use the quiet time "evenings".', /one or the other/],
  ] as const) {
    const { notUnderstood } = draftOf(text);
    t.equal(notUnderstood.length, 1, text);
    t.match(notUnderstood[0]?.reason, reason, text);
  }
  for (const text of [
    'Every day at 9, call everyone in the segment vip. Only between 9 and 17 on weekdays.',
    'Call them. Wait 2 days, then send an e-mail. Only between 9 and 17 on weekdays.',
    'Every Monday to Sunday at 9, call everyone in the segment vip.',
  ]) {
    t.same(told(draftOf(text)), [], 'what is to be written instead is understood');
  }
});

t.test('hours are those that were said, and a quiet time that has them is meant', async (t) => {
  const everyDay = { days: [...WEEKDAYS] };
  const night = { ...everyDay, from: '20:00', to: '24:00' };
  const quietOf = (text: string) => draftOf(text).journey?.assets?.quietTimes?.[0]?.quiet;
  const calls = { channels: ['voice'] };
  for (const [text, quiet] of [
    ['Call them. Not after 8 pm.', [night]],
    ['Call them. Not later than 20:00.', [night]],
    ['Call them. Do not call anyone after 8 p.m.', [{ ...calls, ...night }]],
    ['Call them not after 8 pm.', [{ ...calls, ...night }]],
    ['Call everyone in the segment vip not after 20:00.', [{ ...calls, ...night }]],
    ['Call them. No calls past 8 pm.', [{ ...calls, ...night }]],
    ['Call them. Calls are only made until 20:00.', [{ ...calls, ...night }]],
    ['Call them. Only between midnight and 20:00.', [night]],
    [
      'Call them between 2 and 5 pm.',
      [
        { ...calls, ...everyDay, from: '00:00', to: '14:00' },
        { ...calls, ...everyDay, from: '17:00', to: '24:00' },
      ],
    ],
    ['Call them. Not between noon and 2 pm.', [{ ...everyDay, from: '12:00', to: '14:00' }]],
    [
      'Call them. Not between 12:00 and 13:00 or from 12:30 to 14:00.',
      [{ from: '12:00', to: '14:00' }],
    ],
    ['Call them. Not on Sundays before 10 am.', [{ days: ['sunday'], from: '00:00', to: '10:00' }]],
  ] as const) {
    t.same(told(draftOf(text)), [], text);
    t.match(quietOf(text), quiet, text);
    t.equal(quietOf(text)?.length, quiet.length, text);
  }
  for (const text of [
    'Call them no later than 2 days.',
    'Call them. Not after 24 December.',
    'Call them. Only after 3 attempts.',
  ]) {
    t.equal(quietOf(text), undefined, text);
  }
  const known = {
    quietTimes: [
      { name: 'late', timeZone: 'audience' as const, quiet: [night] },
      { name: 'evenings', quiet: [{ to: '24:00', from: '20:00', days: [...WEEKDAYS].reverse() }] },
    ],
  };
  const steps = (text: string) => draftOf(text, known).journey?.steps;
  t.match(steps('Call them. Not after 8 pm.'), [{ quietTime: 'evenings' }]);
  t.match(steps('Call them. Not after 8 pm in their own time zone.'), [{ quietTime: 'late' }]);
  t.match(steps('Call them. Not after 9 pm.'), [{ quietTime: 'Quiet 21:00-24:00' }]);
  const { assumptions } = draftOf('Call them ignoring quiet hours. E-mail them. Not after 8 pm.');
  t.match(assumptions.join(' '), /takes the place of .* 'call' keeps to 'none'/);
  t.match(steps('Call them. No e-mails after 8 pm. Send an e-mail.'), [
    { type: 'voice', quietTime: undefined },
    { type: 'message', quietTime: 'Quiet 20:00-24:00 for email' },
  ]);
});

t.test('a text without anything to do has no journey, and says of each part why', async (t) => {
  for (const text of ['', '   ', '!?', 'Lorem ipsum dolor sit amet.', 'If they answer, stop.']) {
    const draft = draftOf(text);
    t.equal(draft.journey, null, text);
    t.equal(draft.notUnderstood.length > 0, /\p{L}/u.test(text), text);
  }
  const long = draftOf(`Call them. ${'Wait a day. '.repeat(400)}`);
  t.ok(long.notUnderstood.some(({ reason }) => reason.includes(String(DRAFT_TEXT_MAX))));
});

t.test('sentences end where a reader would say so', async (t) => {
  const text =
    'Call at 9.30 a.m. tomorrow. Send "Hi. You!" now; then\nwait\n- Stop here\n1. End.\n\nDone';
  t.same(
    sentencesOf(text).map(({ start, end }) => text.slice(start, end)),
    ['Call at 9.30 a.m. tomorrow', 'Send "Hi. You!" now', 'then\nwait', 'Stop here', 'End', 'Done'],
  );
});

t.test('[JRN-59] a journey that somebody else wrote is connected the same way', async (t) => {
  const { journey, placeholders } = connectAssets(
    {
      ...{ format: 'ringfence-journey/1', name: 'x', timeZone: 'UTC' },
      entry: { kind: 'segment', segment: 'nobody', frequency: 'oneTime' },
      steps: [
        {
          ...{ id: 'call', type: 'voice', engagement: 'Appointment reminder' },
          ...{ compliance: { profile: 'calls', purpose: 'reminders' }, next: 'done' },
        },
        { id: 'done', type: 'exit' },
      ],
    },
    KNOWN,
  );
  t.match(placeholders, [{ kind: 'segment', name: 'nobody' }]);
  t.same(
    validateJourney(journey).faults.map(({ code, path }) => `${code} ${path}`),
    ['ASSET_NOT_READY /entry/segment'],
  );
});

/** Clauses of the documented patterns, of each other's beginnings, and of nothing at all. */
const documented = examples.flatMap(({ text }) => text.split(/(?<=[.!?])\s+|, /));
const piece = fc.oneof(
  { arbitrary: fc.constantFrom(...documented), weight: 6 },
  {
    arbitrary: fc.constantFrom(...documented.map((text) => text.split(' ').slice(0, 4).join(' '))),
    weight: 2,
  },
  { arbitrary: fc.string({ maxLength: 20 }), weight: 1 },
  { arbitrary: fc.string({ unit: 'binary', maxLength: 6 }), weight: 1 },
);
const anyText = fc
  .array(
    fc.tuple(piece, fc.constantFrom('. ', ', ', ' and ', ' then ', '. Otherwise ', '\n', ' if ')),
    {
      maxLength: 14,
    },
  )
  .map((parts) => parts.map(([text, end]) => text + end).join(''));

t.test(
  '[JRN-58] any text: a draft that holds but for placeholders, or a clear answer',
  async () => {
    fc.assert(
      fc.property(anyText, fc.constantFrom({}, KNOWN), (text, assets) => {
        const draft = draftOf(text, assets);
        const errors = draft.faults.filter(({ severity }) => severity === 'error');
        if (draft.journey !== null) {
          if (errors.length > 0) throw new Error(errors.map(faultLine).join('\n'));
          const again = validateJourney(structuredClone(draft.journey));
          if (again.journey === null) throw new Error('it does not hold by itself');
          for (const { code, severity } of draft.faults) {
            if (severity === 'blocksPublishing' && code !== 'ASSET_NOT_READY')
              throw new Error(code);
          }
        } else if (errors.length > 0) {
          throw new Error(
            `${errors.map(faultLine).join('\n')}\n${JSON.stringify(draft.understood)}`,
          );
        } else if (
          /\p{L}{3}/u.test(text) &&
          draft.notUnderstood.length + draft.understood.length === 0
        ) {
          throw new Error('nothing is said of it');
        }
        for (const { at } of [...draft.understood, ...draft.notUnderstood]) {
          if (at.offset < 0 || at.offset + at.length > text.length) throw new Error('misplaced');
        }
      }),
      { numRuns: 600 },
    );
  },
);

t.test('[JRN-58] of a purpose with topics that nobody knows yet each step has one', (t) => {
  const text =
    'Call everyone in the segment "vip". Call everyone in the topic "time slot". E-mail them.';
  const { journey, faults } = draftOf(text);
  t.same(
    faults.filter(({ severity }) => severity === 'error'),
    [],
  );
  t.match(journey?.steps, [
    { compliance: { topic: 'topicToChoose' } },
    { compliance: { topic: 'time slot' } },
  ]);
  t.match(journey?.assets?.messages, [{ compliance: { topic: 'topicToChoose' } }]);
  t.end();
});

t.test('[JRN-58] the same text gives the same draft', async () => {
  fc.assert(
    fc.property(anyText, (text) => {
      return JSON.stringify(draftOf(text)) === JSON.stringify(draftOf(text));
    }),
    { numRuns: 100 },
  );
});
