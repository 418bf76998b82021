/** Goal: whatever is wrong with a journey is named, at its place, with what to do. */
import fc from 'fast-check';
import t from 'tap';
import { parse } from 'yaml';
import type { Journey } from '../../journey-core/definition/journey.schema.ts';
import { faultLine, JOURNEY_FAULT_CODES } from '../../journey-core/validation/journey-fault.ts';
import { readJourney } from '../../journey-core/validation/read-journey.ts';
import { validateJourney } from '../../journey-core/validation/validate-journey.ts';
import { anyJourney } from '../support/journey-arbitraries.ts';
import { exampleText } from '../support/journey-example.ts';

type Json = Record<string, unknown>;

/** Sets, or with undefined removes, the value at a JSON pointer; `-` appends to a list. */
function changed(value: unknown, changes: Readonly<Record<string, unknown>>): unknown {
  const copy = structuredClone(value);
  for (const [pointer, to] of Object.entries(changes)) {
    const keys = pointer.split('/').slice(1);
    const last = keys.pop() ?? '';
    const holder = keys.reduce<Json>((at, key) => at[key] as Json, copy as Json);
    if (Array.isArray(holder) && last === '-') holder.push(to);
    else if (to !== undefined) holder[last] = to;
    else if (Array.isArray(holder)) holder.splice(Number(last), 1);
    else holder[last] = undefined;
  }
  return JSON.parse(JSON.stringify(copy));
}

interface Row {
  readonly name: string;
  readonly of?: string;
  readonly changes: Readonly<Record<string, unknown>>;
  readonly code: string;
  readonly path: string;
  readonly severity?: string;
}

const extra = (id: string, next: string) => ({ id, type: 'wait', for: '1h', next });
const tests = (count: number) =>
  Array.from({ length: count }, () => ({
    ...{ from: 'entry', attribute: 'amount', operator: 'atLeast', value: 1 },
  }));
const QUIET = '/assets/quietTimes/0/quiet';

/** On confirm-delivery unless it says otherwise: 0 call, 1 callOutcome, 2 whatCameOfIt, 3 plan ... */
const rows: readonly Row[] = [
  {
    name: 'a list instead of a journey',
    changes: { '/steps': 'call' },
    code: 'TYPE',
    path: '/steps',
  },
  { name: 'no entry', changes: { '/entry': undefined }, code: 'MISSING', path: '/entry' },
  {
    name: 'a mistyped key',
    changes: { '/steps/4/nxt': 'done' },
    code: 'UNKNOWN_KEY',
    path: '/steps/4/nxt',
  },
  {
    name: 'a mistyped type of step',
    changes: { '/steps/4/type': 'wiat' },
    code: 'UNKNOWN_VALUE',
    path: '/steps/4/type',
  },
  {
    name: 'a wait of no duration',
    changes: { '/steps/4/for': 'two hours' },
    code: 'MALFORMED',
    path: '/steps/4/for',
  },
  {
    name: 'a zone that is none',
    changes: { '/timeZone': 'Europe/Amsterdan' },
    code: 'MALFORMED',
    path: '/timeZone',
  },
  {
    name: 'a day that is none',
    changes: { '/entry/opensAt': '2026-02-30' },
    code: 'MALFORMED',
    path: '/entry/opensAt',
  },
  {
    name: 'a branch step without branches',
    changes: { '/steps/2/branches': [] },
    code: 'OUT_OF_BOUNDS',
    path: '/steps/2/branches',
  },
  {
    name: 'a branch step without otherwise',
    changes: { '/steps/2/otherwise': undefined },
    code: 'MISSING',
    path: '/steps/2/otherwise',
  },
  {
    name: 'no time-out',
    changes: { '/steps/1/timeout': undefined },
    code: 'MISSING',
    path: '/steps/1/timeout',
  },
  {
    name: '26 branches',
    of: 'first-testers',
    changes: {
      '/steps/0/branches': Array.from({ length: 26 }, () => ({ count: 1, next: 'done' })),
    },
    code: 'OUT_OF_BOUNDS',
    path: '/steps/0/branches',
  },
  {
    name: '201 steps',
    changes: { '/steps': Array.from({ length: 201 }, (_, at) => ({ id: `s${at}`, type: 'exit' })) },
    code: 'OUT_OF_BOUNDS',
    path: '/steps',
  },
  {
    name: 'two steps of one id',
    changes: { '/steps/5/id': 'twoHours' },
    code: 'DUPLICATE',
    path: '/steps/5/id',
  },
  {
    name: 'a step called contact',
    changes: { '/steps/4/id': 'contact' },
    code: 'RESERVED_NAME',
    path: '/steps/4/id',
  },
  {
    name: 'a step that is not there',
    changes: { '/steps/2/branches/0/next': 'planAnotherDy' },
    code: 'UNKNOWN_STEP',
    path: '/steps/2/branches/0/next',
  },
  {
    name: 'a step nobody comes to',
    changes: { '/steps/-': extra('lonely', 'done') },
    code: 'UNREACHABLE_STEP',
    path: '/steps/9',
  },
  {
    name: 'a way back that is no repeat',
    changes: { '/steps/3/next': 'call' },
    code: 'CYCLE',
    path: '/steps/3/next',
  },
  {
    name: 'a step that leads to itself',
    changes: {
      '/steps/4/next': 'twoHours',
      '/steps/2/branches/1/next': 'callAgain',
      '/steps/3/next': 'twoHours',
    },
    code: 'CYCLE',
    path: '/steps/4/next',
  },
  {
    name: 'a repeat that goes on',
    changes: { '/steps/5/to': 'textInstead' },
    code: 'REPEAT_NOT_BACK',
    path: '/steps/5/to',
  },
  {
    name: 'a hundred repeats and one',
    changes: { '/steps/5/timesMax': 21 },
    code: 'OUT_OF_BOUNDS',
    path: '/steps/5/timesMax',
  },
  {
    name: 'no exit',
    changes: {
      '/steps': [{ id: 'a', type: 'activity', activity: 'task', subject: 's', next: 'a' }],
    },
    code: 'NO_EXIT',
    path: '/steps',
  },
  {
    name: 'shares that make 90',
    of: 'win-back',
    changes: { '/steps/0/branches/1/percent': 80 },
    code: 'PERCENT_SUM',
    path: '/steps/0/branches',
  },
  {
    name: 'shares of variants that make 110',
    of: 'win-back',
    changes: { '/steps/1/variants/1/percent': 60 },
    code: 'PERCENT_SUM',
    path: '/steps/1/variants',
  },
  {
    name: 'a share in a split by number',
    of: 'first-testers',
    changes: { '/steps/0/branches/1/percent': 10 },
    code: 'SPLIT_MIXED',
    path: '/steps/0/branches/1/percent',
  },
  {
    name: 'a split by number that ends nowhere',
    of: 'first-testers',
    changes: { '/steps/0/otherwise': undefined },
    code: 'MISSING',
    path: '/steps/0/otherwise',
  },
  {
    name: 'two variants of one name',
    of: 'win-back',
    changes: { '/steps/1/variants/1/id': 'byCall' },
    code: 'DUPLICATE',
    path: '/steps/1/variants/1/id',
  },
  {
    name: 'a test without a goal',
    of: 'win-back',
    changes: { '/goal': undefined },
    code: 'GOAL_MISSING',
    path: '/steps/1/type',
  },
  {
    name: '[JRN-27] a wait of 91 days',
    changes: { '/steps/4/for': '91d' },
    code: 'WAIT_TOO_LONG',
    path: '/steps/4/for',
  },
  {
    name: '[JRN-27] a time-out of 13 weeks',
    changes: { '/steps/1/timeout/after': '13w' },
    code: 'WAIT_TOO_LONG',
    path: '/steps/1/timeout/after',
  },
  {
    name: 'a time-out of half a minute',
    changes: { '/steps/1/timeout/after': '30s' },
    code: 'WAIT_TOO_SHORT',
    path: '/steps/1/timeout/after',
  },
  {
    name: 'a wait of two kinds',
    changes: { '/steps/4/until': '2026-12-24' },
    code: 'WAIT_UNCLEAR',
    path: '/steps/4',
  },
  {
    name: 'a wait of no kind',
    changes: { '/steps/4/for': undefined },
    code: 'WAIT_UNCLEAR',
    path: '/steps/4',
  },
  {
    name: 'waits for a step that comes later',
    changes: { '/steps/1/on/0/step': 'emailInstead', '/steps/1/on/0/is': 'sent' },
    code: 'WAIT_WITHOUT_STEP',
    path: '/steps/1/on/0/step',
  },
  {
    name: 'waits for a step that sends nothing',
    changes: { '/steps/1/on/0/step': 'twoHours' },
    code: 'UNKNOWN_STEP',
    path: '/steps/1/on/0/step',
  },
  {
    name: 'waits for a call to be opened',
    changes: { '/steps/1/on/0/is': 'opened' },
    code: 'WAIT_OUTCOME',
    path: '/steps/1/on/0/is',
  },
  {
    name: 'waits twice for the same',
    changes: { '/steps/1/on/1/is': 'attempted' },
    code: 'DUPLICATE',
    path: '/steps/1/on/1',
  },
  {
    name: 'does not hear of blocked',
    changes: { '/steps/1/on/2': undefined },
    code: 'WAIT_LACKS_OUTCOME',
    path: '/steps/1/on',
    severity: 'warning',
  },
  {
    name: '[JRN-22] a branch on a call that nobody waited for',
    changes: {
      '/steps/0/next': 'whatCameOfIt',
      '/steps/1': undefined,
      '/steps/-': { id: 'e', type: 'exit' },
      '/steps/2/next': 'e',
    },
    code: 'BRANCH_TOO_EARLY',
    path: '/steps/1/branches/0/when/from',
  },
  {
    name: '[JRN-22] a branch behind the time-out alone',
    changes: {
      '/steps/1/on/0/next': 'done',
      '/steps/1/on/1/next': 'done',
      '/steps/1/timeout/next': 'whatCameOfIt',
      '/steps/2/otherwise': 'emailInstead',
      '/steps/5/next': 'textInstead',
    },
    code: 'BRANCH_TOO_EARLY',
    path: '/steps/2/branches/0/when/from',
  },
  {
    name: '[JRN-36] a text operator on a number',
    of: 'payment-reminder',
    changes: { '/entry/conditions/all/0/operator': 'contains' },
    code: 'OPERATOR_TYPE',
    path: '/entry/conditions/all/0/operator',
  },
  {
    name: '[JRN-36] a number operator on a date',
    of: 'appointment-reminder',
    changes: { '/entry/conditions/operator': 'between' },
    code: 'OPERATOR_TYPE',
    path: '/entry/conditions/operator',
  },
  {
    name: 'a list operator on text',
    changes: { '/steps/2/branches/0/when/operator': 'containsAny' },
    code: 'OPERATOR_TYPE',
    path: '/steps/2/branches/0/when/operator',
  },
  {
    name: 'a number in quotes',
    of: 'payment-reminder',
    changes: { '/entry/conditions/all/0/value': '50' },
    code: 'OPERAND',
    path: '/entry/conditions/all/0/value',
  },
  {
    name: 'a value too many',
    of: 'appointment-reminder',
    changes: { '/steps/3/branches/0/when/all/1/value': true },
    code: 'OPERAND',
    path: '/steps/3/branches/0/when/all/1/value',
  },
  {
    name: 'a value too few',
    changes: { '/steps/2/branches/0/when/value': undefined },
    code: 'OPERAND',
    path: '/steps/2/branches/0/when/value',
  },
  {
    name: 'a range the wrong way round',
    of: 'vip-onboarding',
    changes: { '/steps/2/branches/0/when/any/1/all/0/value': [9, 1] },
    code: 'OPERAND',
    path: '/steps/2/branches/0/when/any/1/all/0/value',
  },
  {
    name: 'a duration that is none',
    of: 'appointment-reminder',
    changes: { '/entry/conditions/value': 60 },
    code: 'OPERAND',
    path: '/entry/conditions/value',
  },
  {
    name: 'a result that there is not',
    changes: { '/steps/2/branches/2/when/value': 'Bussy' },
    code: 'UNKNOWN_VALUE',
    path: '/steps/2/branches/2/when/value',
  },
  {
    name: 'compares a reference with a date',
    of: 'appointment-reminder',
    changes: { '/exits/on/0/conditions/valueFrom/attribute': 'startsAt' },
    code: 'OPERAND',
    path: '/exits/on/0/conditions/valueFrom',
  },
  {
    name: 'an attribute that people do not have',
    of: 'vip-onboarding',
    changes: { '/steps/2/branches/0/when/any/1/all/0/attribute': 'yearlySpent' },
    code: 'UNKNOWN_ATTRIBUTE',
    path: '/steps/2/branches/0/when/any/1/all/0/attribute',
  },
  {
    name: 'an attribute that the agent does not return',
    changes: { '/steps/2/branches/0/when/attribute': 'outcome' },
    code: 'UNKNOWN_ATTRIBUTE',
    path: '/steps/2/branches/0/when/attribute',
  },
  {
    name: 'an input that is nowhere',
    changes: { '/steps/0/inputs/FirstName/attribute': 'frstName' },
    code: 'UNKNOWN_ATTRIBUTE',
    path: '/steps/0/inputs/FirstName',
  },
  {
    name: 'a contact asked when a trigger is judged',
    of: 'appointment-reminder',
    changes: { '/exits/on/0/conditions/from': 'contact' },
    code: 'UNKNOWN_ATTRIBUTE',
    path: '/exits/on/0/conditions/attribute',
  },
  {
    name: 'the entry’s trigger where there is none',
    changes: { '/steps/0/inputs/FirstName/from': 'entry' },
    code: 'NO_TRIGGER_ENTRY',
    path: '/steps/0/inputs/FirstName',
  },
  {
    name: 'a wait until what is no date',
    of: 'appointment-reminder',
    changes: { '/steps/0/untilAttribute/attribute': 'appointmentId' },
    code: 'OPERATOR_TYPE',
    path: '/steps/0/untilAttribute/attribute',
  },
  {
    name: 'an unknown trigger',
    changes: { '/exits/on/0/trigger': 'deliveryCanceled' },
    code: 'UNKNOWN_TRIGGER',
    path: '/exits/on/0/trigger',
  },
  {
    name: 'an unknown segment',
    changes: { '/entry/segment': 'tomorrow' },
    code: 'UNKNOWN_SEGMENT',
    path: '/entry/segment',
  },
  {
    name: 'waits for a list to be joined',
    of: 'vip-onboarding',
    changes: { '/steps/1/on/0/segment': 'vip' },
    code: 'SEGMENT_KIND',
    path: '/steps/1/on/0/segment',
  },
  {
    name: 'an unknown engagement',
    changes: { '/steps/0/engagement': 'confirm' },
    code: 'UNKNOWN_ENGAGEMENT',
    path: '/steps/0/engagement',
  },
  {
    name: '[JRN-04] an SMS engagement on a call',
    changes: { '/steps/0/engagement': 'deliveryBySms' },
    code: 'CHANNEL',
    path: '/steps/0/engagement',
  },
  {
    name: '[JRN-05] a voice engagement on a text conversation',
    changes: { '/steps/6/engagement': 'confirmDelivery' },
    code: 'CHANNEL',
    path: '/steps/6/engagement',
  },
  {
    name: '[JRN-05] an e-mail as the first text message',
    changes: { '/steps/6/message': 'deliveryEmail' },
    code: 'CHANNEL',
    path: '/steps/6/message',
  },
  {
    name: '[JRN-03] a call in a journey of leads',
    changes: { '/audience': 'lead' },
    code: 'CONTACTS_ONLY',
    path: '/steps/0/type',
  },
  {
    name: '[CNS-05] a call without a profile',
    changes: { '/steps/0/compliance': undefined },
    code: 'MISSING',
    path: '/steps/0/compliance',
  },
  {
    name: '[CNS-05] an unknown profile',
    changes: { '/steps/0/compliance/profile': 'delivery' },
    code: 'UNKNOWN_PROFILE',
    path: '/steps/0/compliance/profile',
  },
  {
    name: '[CNS-06] another profile’s purpose',
    changes: { '/steps/0/compliance/purpose': 'offers' },
    code: 'UNKNOWN_PURPOSE',
    path: '/steps/0/compliance/purpose',
  },
  {
    name: '[CNS-06] a topic that the purpose does not have',
    of: 'welcome-call',
    changes: { '/steps/0/compliance/topic': 'newsletter' },
    code: 'UNKNOWN_TOPIC',
    path: '/steps/0/compliance/topic',
  },
  {
    name: '[CNS-06] no topic where there are some',
    of: 'welcome-call',
    changes: { '/steps/0/compliance/topic': undefined },
    code: 'TOPIC_MISSING',
    path: '/steps/0/compliance/topic',
  },
  {
    name: '[CNS-07] a profile on a text conversation',
    changes: { '/steps/6/compliance': { profile: 'deliveries', purpose: 'deliveryUpdates' } },
    code: 'UNKNOWN_KEY',
    path: '/steps/6/compliance',
  },
  {
    name: '[CNS-08] a profile for messages on a call',
    changes: { '/steps/0/compliance/profile': 'deliveryMessages' },
    code: 'CHANNEL',
    path: '/steps/0/compliance/profile',
  },
  {
    name: '[CNS-09] a purpose that only tracks',
    changes: { '/assets/complianceProfiles/0/purposes/0/type': 'tracking' },
    code: 'PURPOSE_TYPE',
    path: '/steps/0/compliance/purpose',
  },
  {
    name: 'an unknown quiet time',
    changes: { '/steps/0/quietTime': 'evening' },
    code: 'UNKNOWN_QUIET_TIME',
    path: '/steps/0/quietTime',
  },
  {
    name: 'a quiet time called none',
    changes: {
      '/assets/quietTimes/0/name': 'none',
      '/assets/complianceProfiles/0/quietTime': 'none',
      '/assets/complianceProfiles/1/quietTime': 'none',
    },
    code: 'RESERVED_NAME',
    path: '/assets/quietTimes/0/name',
  },
  {
    name: 'raises what only happens',
    of: 'sms-appointment',
    changes: { '/steps/3/trigger': 'appointmentAsked', '/steps/3/attributes': undefined },
    code: 'TRIGGER_KIND',
    path: '/steps/3/trigger',
  },
  {
    name: 'raises a trigger with what it does not carry',
    of: 'sms-appointment',
    changes: { '/steps/3/attributes/when': { value: 'x' } },
    code: 'UNKNOWN_ATTRIBUTE',
    path: '/steps/3/attributes/when',
  },
  {
    name: '[JRN-35] thirty conditions on a trigger',
    of: 'payment-reminder',
    changes: { '/entry/conditions': { all: tests(30) } },
    code: 'ENTRY_CONDITIONS_MAX',
    path: '/entry/conditions',
  },
  {
    name: '[JRN-44] a rate on a repeating segment',
    changes: { '/entry/rate': { count: 60, per: 'hour' } },
    code: 'ENTRY_RATE',
    path: '/entry/rate',
  },
  {
    name: 'repeating without an interval',
    changes: { '/entry/every': undefined },
    code: 'MISSING',
    path: '/entry/every',
  },
  {
    name: 'closes before it opens',
    changes: { '/entry/closesAt': '2026-11-01' },
    code: 'ENTRY_WINDOW',
    path: '/entry/closesAt',
  },
  {
    name: 'a re-entry after no delay',
    changes: { '/reentry/allow': 'afterDelay' },
    code: 'MISSING',
    path: '/reentry/delay',
  },
  {
    name: 'a delay that nobody waits',
    changes: { '/reentry/delay': '1d' },
    code: 'REENTRY_DELAY',
    path: '/reentry/delay',
  },
  {
    name: '[JRN-51] a fourth quiet day in a row',
    changes: { [`${QUIET}/-`]: { firstDay: '2026-12-24', lastDay: '2026-12-27' } },
    code: 'QUIET_DAYS_MAX',
    path: `${QUIET}/2`,
  },
  {
    name: '[JRN-51] two days joined to two others',
    of: 'regional-calls',
    changes: { [`${QUIET}/-`]: { firstDay: '2026-12-27', lastDay: '2026-12-27' } },
    code: 'QUIET_DAYS_MAX',
    path: `${QUIET}/2`,
  },
  {
    name: '[JRN-51] four whole days of every week',
    changes: {
      [`${QUIET}/-`]: {
        days: ['friday', 'saturday', 'sunday', 'monday'],
        from: '00:00',
        to: '24:00',
      },
    },
    code: 'QUIET_DAYS_MAX',
    path: `${QUIET}/2`,
  },
  {
    name: 'a night written as one',
    changes: { [`${QUIET}/0/to`]: '08:00' },
    code: 'QUIET_SPAN',
    path: `${QUIET}/0/to`,
  },
  {
    name: 'two triggers of one name',
    changes: { '/assets/triggers/1/name': 'deliveryCancelled', '/goal': undefined },
    code: 'DUPLICATE',
    path: '/assets/triggers/1/name',
  },
  {
    name: '[JRN-53] a draft of a message',
    changes: { '/assets/messages/0/state': 'draft' },
    code: 'ASSET_NOT_READY',
    path: '/steps/6/message',
    severity: 'blocksPublishing',
  },
  {
    name: '[JRN-59] a placeholder for a segment',
    changes: { '/assets/segments/0/state': 'toBeConnected' },
    code: 'ASSET_NOT_READY',
    path: '/entry/segment',
    severity: 'blocksPublishing',
  },
  {
    name: '[JRN-59] a placeholder for an attribute that a call brings back',
    changes: { '/assets/engagements/0/resultAttributes/0/state': 'toBeConnected' },
    code: 'ASSET_NOT_READY',
    path: '/steps/2/branches/0/when/attribute',
    severity: 'blocksPublishing',
  },
  {
    name: '[JRN-59] a placeholder for a date that is waited for',
    of: 'appointment-reminder',
    changes: { '/assets/triggers/0/attributes/1/state': 'toBeConnected' },
    code: 'ASSET_NOT_READY',
    path: '/steps/0/untilAttribute/attribute',
    severity: 'blocksPublishing',
  },
  {
    name: '[JRN-59] a placeholder for a quiet time',
    changes: { '/steps/0/quietTime': 'evenings', '/assets/quietTimes/0/state': 'toBeConnected' },
    code: 'ASSET_NOT_READY',
    path: '/steps/0/quietTime',
    severity: 'blocksPublishing',
  },
];

for (const { name, of = 'confirm-delivery', changes, code, path, severity = 'error' } of rows) {
  t.test(`refused: ${name}`, async (t) => {
    const verdict = validateJourney(changed(parse(exampleText(of)), changes));
    const found = verdict.faults.find((item) => item.path === path && item.code === code);
    t.ok(found, verdict.faults.map(faultLine).join('\n') || 'no fault at all');
    t.equal(found?.severity, severity);
    t.ok((found?.problem ?? '') !== '' && (found?.remedy ?? '') !== '');
    t.equal(verdict.journey === null, severity === 'error');
    t.equal(verdict.isPublishable, severity === 'warning');
  });
}

t.test('29 conditions and 90 days are taken', async (t) => {
  const changes = { '/entry/conditions': { all: tests(29) }, '/steps/1/for': '90d' };
  t.same(validateJourney(changed(parse(exampleText('payment-reminder')), changes)).faults, []);
});

t.test('each code of a fault is met by a row, or by a test of its own', async (t) => {
  const met = new Set([
    ...rows.map(({ code }) => code),
    'NOT_YAML',
    'UNKNOWN_MESSAGE',
    'UNKNOWN_WEBHOOK',
  ]);
  t.same(
    JOURNEY_FAULT_CODES.filter((code) => !met.has(code)),
    [],
  );
  for (const [key, code] of [
    ['message', 'UNKNOWN_MESSAGE'],
    ['webhook', 'UNKNOWN_WEBHOOK'],
  ]) {
    const given = changed(parse(exampleText('confirm-delivery')), {
      [`/steps/7/${key ?? ''}`]: 'zzz',
    });
    t.match(validateJourney(given).faults, [{ code, path: `/steps/7/${key ?? ''}` }]);
  }
});

t.test('a fault has the line and column where it was written, in YAML and in JSON', async (t) => {
  const text = exampleText('confirm-delivery').replace('for: 2h', 'for: 91d');
  const line = text.split('\n').findIndex((item) => item.includes('for: 91d')) + 1;
  const [found] = readJourney('x.yaml', text).faults;
  t.equal(found?.where, `x.yaml:${line}:10`);
  t.equal(
    faultLine(found as never),
    `x.yaml:${line}:10: /steps/4/for: is 91d, longer than 90d; wait 90 days at most`,
  );
  const json = JSON.stringify(parse(text), null, 2);
  t.match(readJourney('x.json', json).faults[0]?.where, /^x\.json:\d+:14$/);
  const twice = readJourney('x.json', '{"format": 1,\n "format": 2}').faults;
  t.match(twice, [{ code: 'NOT_YAML', where: 'x.json:2:2' }]);
  t.match(readJourney('x.yaml', 'steps: [').faults[0], { code: 'NOT_YAML' });
});

t.test(
  'random journeys validate, and one slip in any of 1,000 is named with its path',
  async (t) => {
    let slips = 0;
    const slipped = fc.property(anyJourney, slip, (journey, make) => {
      const { faults } = validateJourney(journey);
      const errors = faults.filter(({ severity }) => severity === 'error');
      if (errors.length > 0) throw new Error(errors.map(faultLine).join('\n'));
      const broken = make(structuredClone(journey));
      if (broken === null) return;
      slips += 1;
      const verdict = validateJourney(broken.value);
      const isTold = verdict.faults.some(
        ({ path, severity, problem, remedy }) =>
          severity === 'error' && path.startsWith(broken.under) && problem !== '' && remedy !== '',
      );
      if (!isTold || verdict.journey !== null) {
        throw new Error(`${broken.under}: ${verdict.faults.map(faultLine).join('\n')}`);
      }
    });
    fc.assert(slipped, { numRuns: 1_350 });
    t.ok(slips >= 1_000, `${slips} slips`);
  },
);

t.test('no JSON value at all makes the validator throw, or passes by chance', async (t) => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      const { faults, journey } = validateJourney(value);
      return journey === null && faults.length > 0;
    }),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(anyJourney, fc.jsonValue(), fc.nat(), (journey, value, at) => {
      const steps = [...journey.steps];
      steps[at % steps.length] = value as never;
      validateJourney({ ...journey, steps });
    }),
    { numRuns: 300 },
  );
  t.pass();
});

type Slippery = Omit<Journey, 'steps'> & { steps: Json[] };
type Slip = (journey: Slippery) => { value: unknown; under: string } | null;

/** Ways to spoil a journey that was right; null where it does not have what would be spoilt. */
const slip: fc.Arbitrary<Slip> = fc.oneof(
  ...[
    (pick: number): Slip =>
      (journey) => {
        const keys = ['format', 'name', 'timeZone', 'entry', 'steps'] as const;
        const key = keys[pick % keys.length] ?? 'name';
        return { value: changed(journey, { [`/${key}`]: undefined }), under: `/${key}` };
      },
    (pick: number): Slip =>
      (journey) => {
        const at = pick % journey.steps.length;
        const keys = Object.keys(journey.steps[at] ?? {}).filter(
          (key) => key !== 'attributes' && key !== 'otherwise',
        );
        const key = keys[pick % keys.length] ?? 'id';
        return { value: changed(journey, { [`/steps/${at}/${key}`]: undefined }), under: '/' };
      },
    (pick: number): Slip =>
      (journey) => {
        const at = pick % journey.steps.length;
        return {
          value: changed(journey, { [`/steps/${at}/tpye`]: 'x' }),
          under: `/steps/${at}/tpye`,
        };
      },
    (pick: number): Slip =>
      (journey) => {
        const at = pick % journey.steps.length;
        const keys = Object.keys(journey.steps[at] ?? {});
        const key = keys[pick % keys.length] ?? 'id';
        return {
          value: changed(journey, { [`/steps/${at}/${key}`]: { no: [1] } }),
          under: `/steps/${at}/${key}`,
        };
      },
    (pick: number): Slip =>
      (journey) => {
        const at = journey.steps.findIndex((step) => typeof step['next'] === 'string');
        if (at < 0) return null;
        return {
          value: changed(journey, { [`/steps/${at}/next`]: `nowhere${pick}` }),
          under: `/steps/${at}/next`,
        };
      },
    (pick: number): Slip =>
      (journey) => {
        const at = pick % journey.steps.length;
        return {
          value: changed(journey, { '/steps/-': journey.steps[at] }),
          under: `/steps/${journey.steps.length}/id`,
        };
      },
    (pick: number): Slip =>
      (journey) => {
        const path = `/steps/${journey.steps.length}`;
        return {
          value: changed(journey, { '/steps/-': { id: `lonely${pick}`, type: 'exit' } }),
          under: path,
        };
      },
    (pick: number): Slip =>
      (journey) => {
        const at = journey.steps.findIndex(({ type }) => type === 'wait' || type === 'waitFor');
        if (at < 0) return null;
        const under =
          journey.steps[at]?.['type'] === 'wait'
            ? `/steps/${at}/for`
            : `/steps/${at}/timeout/after`;
        return { value: changed(journey, { [under]: `${91 + (pick % 900)}d` }), under };
      },
    (): Slip => (journey) => {
      const at = journey.steps.findIndex(({ type }) => type === 'voice');
      if (at < 0) return null;
      return {
        value: changed(journey, { [`/steps/${at}/engagement`]: 'texts' }),
        under: `/steps/${at}/engagement`,
      };
    },
    (): Slip => (journey) => {
      const at = journey.steps.findIndex(({ type, by }) => type === 'split' && by === 'percent');
      if (at < 0) return null;
      return {
        value: changed(journey, { [`/steps/${at}/branches/0/percent`]: 99.5 }),
        under: `/steps/${at}/branches`,
      };
    },
    (): Slip => (journey) => {
      const at = journey.steps.findIndex(({ type }) => type === 'activity');
      if (at < 0) return null;
      const first = journey.steps[0]?.['id'];
      return { value: changed(journey, { [`/steps/${at}/next`]: first }), under: '/steps' };
    },
    (): Slip => (journey) => {
      const ends = journey.steps.map((step) =>
        step['type'] === 'exit' ? { ...step, type: 'wait', for: '1h', next: 'end' } : step,
      );
      return { value: { ...journey, steps: ends }, under: '/steps' };
    },
  ].map((make) => fc.nat(10_000).map(make)),
);
