/** Goal: every journey of docs/journeys validates, and takes each of its ways when it should. */
import t from 'tap';
import type {
  SimulatedPerson,
  SimulationPlan,
} from '../../journey-core/simulation/simulation-inputs.schema.ts';
import { ADA, exampleNames, stepsOf, tried } from '../support/journey-example.ts';

interface Case {
  readonly name: string;
  readonly plan: SimulationPlan;
  readonly person?: SimulatedPerson;
  readonly steps: string;
  /** `completed` unless it says otherwise. */
  readonly exit?: string;
  readonly took?: string;
}

type Planned = NonNullable<SimulationPlan['outcomes']>[number];
const call = (rest: object): Planned =>
  ({ step: 'call', after: '5m', ...rest }) as unknown as Planned;
const optedIn: SimulatedPerson = {
  ...ADA,
  consents: ['mobile', 'home', 'email'].flatMap((contactPoint) =>
    (['voice', 'sms', 'email'] as const).flatMap((channel) => [
      { contactPoint, channel, purpose: 'offers', status: 'optedIn' as const },
      {
        contactPoint,
        channel,
        purpose: 'offers',
        topic: 'newCustomers',
        status: 'optedIn' as const,
      },
    ]),
  ),
};
const confirm = (rest: object): SimulationPlan => ({
  outcomes: [
    call(rest),
    { step: 'textInstead', result: 'ConversationClosed' },
    { step: 'emailInstead', outcome: 'sent' },
  ],
});
const remind = (rest: object, events: SimulationPlan['events'] = []): SimulationPlan =>
  ({
    entry: { appointmentId: 'A-7', startsAt: '2026-12-01T15:00:00Z' },
    outcomes: [{ step: 'remind', after: '5m', ...rest }],
    events,
  }) as unknown as SimulationPlan;
const invoice = { entry: { amount: 80 } };

const cases: Readonly<Record<string, readonly Case[]>> = {
  'confirm-delivery': [
    {
      name: '[JRN-14] another day: a task',
      plan: confirm({ result: 'LiveAnswer', attributes: { Outcome: 'Reschedule' } }),
      steps: 'call callOutcome whatCameOfIt planAnotherDay done',
      took: '5m',
    },
    {
      name: '[JRN-13] reached: the end',
      plan: confirm({ result: 'LiveAnswer' }),
      steps: 'call callOutcome whatCameOfIt done',
    },
    {
      name: '[JRN-12] [JRN-24] call back: two hours, once, then a text',
      plan: confirm({ result: 'LiveAnswer', dispositionCodes: ['Call back'] }),
      steps:
        'call callOutcome whatCameOfIt twoHours callAgain call callOutcome whatCameOfIt twoHours callAgain textInstead done',
      took: '4h10m',
    },
    {
      name: '[JRN-08] busy is attempted: a text',
      plan: confirm({ result: 'Busy' }),
      steps: 'call callOutcome whatCameOfIt textInstead done',
    },
    {
      name: '[JRN-09] a dead number is not attempted: an e-mail',
      plan: confirm({ result: 'InvalidAddress' }),
      steps: 'call callOutcome emailInstead done',
    },
    {
      name: 'no phone: blocked',
      plan: confirm({ result: 'LiveAnswer' }),
      person: { id: 'x' },
      steps: 'call callOutcome done',
      took: '0s',
    },
    {
      name: '[JRN-18] nothing came back: the time-out, after a day',
      plan: {},
      steps: 'call callOutcome emailInstead done',
      took: '1d',
    },
    {
      name: '[JRN-40] the delivery is cancelled while waiting',
      plan: { events: [{ after: '2h', trigger: 'deliveryCancelled' }] },
      steps: 'call callOutcome',
      exit: 'trigger',
      took: '2h',
    },
  ],
  'appointment-reminder': [
    {
      name: '[JRN-26] called a day before, and cannot come',
      plan: remind({ result: 'LiveAnswer', attributes: { Coming: 'false' } }),
      steps: 'dayBefore remind outcome whatTheySaid callBack done',
      took: '7d6h5m',
    },
    {
      name: '[JRN-15] reached and coming',
      plan: remind({ result: 'LiveAnswer', attributes: { Coming: 'true' } }),
      steps: 'dayBefore remind outcome whatTheySaid done',
    },
    {
      name: 'no answer: a text',
      plan: remind({ result: 'NoAnswer' }),
      steps: 'dayBefore remind outcome whatTheySaid textThem done',
    },
    {
      name: 'another appointment is cancelled: no exit',
      plan: remind({ result: 'LiveAnswer' }, [
        { after: '1d', trigger: 'appointmentCancelled', attributes: { appointmentId: 'A-8' } },
      ]),
      steps: 'dayBefore remind outcome whatTheySaid done',
    },
    {
      name: 'this appointment is cancelled',
      plan: remind({ result: 'LiveAnswer' }, [
        { after: '1d', trigger: 'appointmentCancelled', attributes: { appointmentId: 'a-7' } },
      ]),
      steps: 'dayBefore',
      exit: 'trigger',
      took: '1d',
    },
    {
      name: '[JRN-25] tomorrow morning: a date gone by goes on at once',
      plan: { ...remind({ result: 'LiveAnswer' }), entry: { startsAt: '2026-11-23T20:00:00Z' } },
      steps: 'dayBefore remind outcome whatTheySaid done',
      took: '5m',
    },
    {
      name: 'a date too far for the entry',
      plan: { entry: { startsAt: '2027-06-01' } },
      steps: '',
      exit: 'conditions',
    },
  ],
  'payment-reminder': [
    {
      name: 'promised, and did not pay',
      plan: {
        ...invoice,
        outcomes: [call({ result: 'LiveAnswer', dispositionCodes: ['promise to pay'] })],
      },
      person: { ...ADA, segments: ['germanSpeaking'] },
      steps: 'email fiveDays call outcome agreed twoWeeks letter done',
      took: '19d5m',
    },
    {
      name: 'disputes it',
      plan: {
        ...invoice,
        outcomes: [call({ result: 'LiveAnswer', dispositionCodes: ['Disputed'] })],
      },
      person: { ...ADA, attributes: { country: 'AT' } },
      steps: 'email fiveDays call outcome agreed dispute done',
    },
    {
      name: 'pays before the call',
      plan: { ...invoice, events: [{ after: '3d', trigger: 'invoicePaid' }] },
      person: { ...ADA, attributes: { country: 'DE' } },
      steps: 'email fiveDays',
      exit: 'trigger',
      took: '3d',
    },
    {
      name: '[JRN-41] a dispute is opened elsewhere',
      plan: { ...invoice, events: [{ after: '4d', joins: 'inDispute' }] },
      person: { ...ADA, attributes: { country: 'DE' } },
      steps: 'email fiveDays',
      exit: 'segment',
      took: '4d',
    },
    {
      name: '[JRN-39] the exclusion segment never enters',
      plan: invoice,
      person: { ...ADA, segments: ['inDispute', 'germanSpeaking'] },
      steps: '',
      exit: 'excluded',
    },
    {
      name: 'too little to call for',
      plan: { entry: { amount: 49 } },
      person: { ...ADA, segments: ['germanSpeaking'] },
      steps: '',
      exit: 'conditions',
    },
    {
      name: '[JRN-37] again too soon',
      plan: invoice,
      person: { ...ADA, segments: ['germanSpeaking'], lastEnteredAt: '2026-11-01' },
      steps: '',
      exit: 'reentry_delay',
    },
  ],
  'welcome-call': [
    {
      name: 'no opt-in: blocked, and the run goes on',
      plan: { outcomes: [{ step: 'email', outcome: 'sent' }] },
      steps: 'call outcome whyBlocked email done',
      took: '0s',
    },
    {
      name: 'capped: a week later by e-mail',
      plan: {},
      person: {
        ...optedIn,
        sent: [
          { contactPoint: 'mobile', channel: 'voice', at: '2026-11-22T12:00' },
          { contactPoint: 'home', channel: 'voice', at: '2026-11-22T12:00' },
        ],
      },
      steps: 'call outcome whyBlocked aWeek email done',
      took: '7d',
    },
    {
      name: 'interested: an offer',
      plan: {
        outcomes: [call({ result: 'LiveAnswer', attributes: { Interest: '8' } })],
      },
      person: optedIn,
      steps: 'call outcome talked offer done',
    },
    {
      name: 'not interested',
      plan: {
        outcomes: [call({ result: 'LiveAnswer', attributes: { Interest: '6' } })],
      },
      person: optedIn,
      steps: 'call outcome talked done',
    },
  ],
  'sms-appointment': [
    {
      name: '[JRN-17] conversation closed: booked',
      plan: {
        outcomes: [
          {
            step: 'chat',
            after: '20m',
            result: 'ConversationClosed',
            attributes: { Day: '2026-12-01' },
          },
        ],
      },
      steps: 'chat replied howItEnded booked done',
      took: '20m',
    },
    {
      name: '[JRN-17] response timeout: a call',
      plan: { outcomes: [{ step: 'chat', result: 'ResponseTimeout' }] },
      steps: 'chat replied howItEnded callThem done',
    },
    {
      name: '[JRN-17] return code conversation cancelled',
      plan: {
        outcomes: [
          { step: 'chat', result: 'ConversationClosed', returnCode: 'ConversationCancelled' },
        ],
      },
      steps: 'chat replied howItEnded done',
    },
    {
      name: 'an address that is no good: not attempted',
      plan: { outcomes: [{ step: 'chat', result: 'NotDelivered', returnCode: 'InvalidAddress' }] },
      steps: 'chat replied callThem done',
    },
    {
      name: 'no mobile: blocked',
      plan: {},
      person: { contactPoints: [{ kind: 'home', value: '+12025550124' }] },
      steps: 'chat replied done',
    },
    { name: 'silence: the time-out', plan: {}, steps: 'chat replied callThem done', took: '2d' },
  ],
  'win-back': [
    {
      name: '[JRN-29] the winner takes all: by call',
      plan: { startAt: '2026-12-01T10:00', runId: 'r4', variants: { callOrText: 'byCall' } },
      person: optedIn,
      steps: 'control callOrText call twoWeeks done',
      took: '14d',
    },
    {
      name: '[JRN-29] the winner takes all: by text',
      plan: { startAt: '2026-12-01T10:00', runId: 'r4', variants: { callOrText: 'byText' } },
      person: optedIn,
      steps: 'control callOrText text twoWeeks done',
    },
    {
      name: 'an order ends it',
      plan: {
        startAt: '2026-12-01T10:00',
        runId: 'r4',
        events: [{ after: '1d', trigger: 'orderPlaced' }],
        variants: { callOrText: 'byCall' },
      },
      person: optedIn,
      steps: 'control callOrText call twoWeeks',
      exit: 'trigger',
    },
    { name: 'before the start nobody enters', plan: {}, steps: '', exit: 'not_open_yet' },
  ],
  'first-testers': [
    {
      name: '[JRN-28] the tenth is called',
      plan: { numbers: { places: 10 } },
      steps: 'places call done',
    },
    {
      name: '[JRN-28] the eleventh is written to',
      plan: { numbers: { places: 11 } },
      steps: 'places email done',
    },
    {
      name: '[JRN-28] the fifty-first waits',
      plan: { numbers: { places: 51 } },
      steps: 'places waitingList done',
    },
  ],
  'service-survey': [
    {
      name: 'three times, then a call',
      plan: { outcomes: [{ step: 'ask', outcome: 'sent' }] },
      steps: 'ask heard again ask heard again ask heard again call done',
      took: '6d',
    },
    {
      name: 'clicked and answered',
      plan: {
        outcomes: [{ step: 'ask', after: '1h', interaction: 'clicked' }],
        events: [{ after: '2h', trigger: 'surveyAnswered' }],
      },
      steps: 'ask heard patience',
      exit: 'trigger',
      took: '2h',
    },
    {
      name: 'clicked and not answered',
      plan: { outcomes: [{ step: 'ask', after: '1h', interaction: 'clicked' }] },
      steps: 'ask heard patience call done',
      took: '1d1h',
    },
    {
      name: 'could not be sent',
      plan: { outcomes: [{ step: 'ask', outcome: 'notSent' }] },
      steps: 'ask heard call done',
    },
  ],
  'storm-notice': [
    {
      name: '[JRN-06] at night all the same',
      plan: {
        startAt: '2026-11-23T02:00',
        outcomes: [call({ result: 'AnsweringMachine' })],
      },
      steps: 'call outcome heardIt done',
      took: '5m',
    },
    {
      name: 'nobody there: a text',
      plan: { outcomes: [call({ result: 'NoAnswer' })] },
      steps: 'call outcome heardIt text done',
    },
    {
      name: 'the power is back',
      plan: { events: [{ after: '10m', trigger: 'powerRestored' }] },
      steps: 'call outcome',
      exit: 'trigger',
      took: '10m',
    },
  ],
  'vip-onboarding': [
    {
      name: '[JRN-20] joining the segment releases the wait',
      plan: { events: [{ after: '20d', joins: 'activeCustomers' }] },
      person: { ...ADA, segments: ['vip'] },
      steps: 'greet firstOrder who call done',
      took: '20d',
    },
    {
      name: 'not important',
      plan: { events: [{ after: '20d', joins: 'activeCustomers' }] },
      steps: 'greet firstOrder who done',
    },
    {
      name: 'important by what they spend',
      plan: { events: [{ after: '1d', joins: 'activeCustomers' }] },
      person: { ...ADA, attributes: { yearlySpend: 5000, city: 'Basel' } },
      steps: 'greet firstOrder who call done',
    },
    {
      name: 'a complaint',
      plan: { events: [{ after: '1d', trigger: 'complaintMade' }] },
      steps: 'greet firstOrder worry done',
      took: '1d',
    },
    {
      name: 'twelve weeks of nothing',
      plan: {},
      steps: 'greet firstOrder worry done',
      took: '84d',
    },
  ],
  'contract-renewal': [
    {
      name: '[JRN-29] the person’s best channel',
      plan: {
        entry: { contract: 'C-1', endsAt: '2027-01-01T00:00:00Z' },
        variants: { way: 'email' },
        events: [{ after: '15d', trigger: 'contractRenewed', attributes: { years: 2 } }],
      },
      steps: 'beforeTheEnd way email renewed thanks done',
      took: '15d',
    },
    {
      name: '[JRN-31] lost: another journey hears of it',
      plan: { entry: { contract: 'C-1', endsAt: '2027-01-01' }, variants: { way: 'call' } },
      steps: 'beforeTheEnd way call renewed lost done',
    },
    {
      name: 'renewed for nothing: not what the wait asks',
      plan: {
        entry: { endsAt: '2027-01-01' },
        variants: { way: 'text' },
        events: [{ after: '15d', trigger: 'contractRenewed', attributes: { years: 0 } }],
      },
      steps: 'beforeTheEnd way text renewed lost done',
    },
    { name: 'no date', plan: {}, steps: 'beforeTheEnd noDate done', took: '0s' },
    {
      name: 'a date more than 90 days ahead',
      plan: { entry: { endsAt: '2027-12-01' } },
      steps: 'beforeTheEnd noDate done',
      took: '0s',
    },
  ],
  'regional-calls': [
    {
      name: 'reached',
      plan: { outcomes: [call({ result: 'LiveAnswer' })] },
      steps: 'call outcome done',
      took: '4h5m',
    },
    {
      name: '[JRN-50] in Texas the morning is longer',
      plan: { outcomes: [call({ result: 'LiveAnswer' })] },
      person: { ...ADA, state: 'TX', timeZone: 'America/Chicago' },
      steps: 'call outcome done',
      took: '6h5m',
    },
    {
      name: '[JRN-11] quiet days leave no room: blocked',
      plan: { startAt: '2026-12-24T00:00' },
      steps: 'call outcome letter done',
      took: '0s',
    },
  ],
  'payment-plan': [
    {
      name: 'the text ends before the call: heard all the same',
      plan: {
        outcomes: [
          {
            step: 'text',
            after: '1m',
            result: 'ConversationClosed',
            attributes: { Agreed: 'true' },
          },
          call({ after: '3h', result: 'NoAnswer' }),
        ],
      },
      steps: 'text call callOutcome textOutcome anyYes contract done',
      took: '3h',
    },
    {
      name: 'neither agreed',
      plan: {
        outcomes: [
          { step: 'text', result: 'ResponseTimeout' },
          call({ result: 'LiveAnswer', attributes: { Agreed: false } }),
        ],
      },
      steps: 'text call callOutcome textOutcome anyYes done',
    },
    {
      name: 'accepted elsewhere: both are withdrawn',
      plan: { events: [{ after: '1h', trigger: 'planAccepted' }] },
      steps: 'text call callOutcome',
      exit: 'trigger',
    },
  ],
};

t.test('every journey of docs/journeys is tried, and there are at least twelve', async (t) => {
  t.same(exampleNames().sort(), Object.keys(cases).sort());
  t.ok(exampleNames().length >= 12);
});

for (const [name, ways] of Object.entries(cases)) {
  for (const { name: title, plan, person, steps, exit = 'completed', took } of ways) {
    t.test(`${name}: ${title}`, async (t) => {
      const path = tried(name, plan, person);
      t.equal(stepsOf(path), steps);
      t.equal(path.refusal ?? path.exit?.reason, exit);
      if (took !== undefined) t.equal(path.took, took);
      for (const { type, decisions, outcome } of path.path) {
        const isConversation = type === 'voice' || type === 'sms';
        if (isConversation) t.ok(decisions.length > 0, 'every verdict is in the path');
        if (exit === 'trigger' && isConversation) t.equal(outcome?.is, 'notAttempted');
      }
    });
  }
}

t.test(
  '[JRN-48] a held call waits for the end of quiet time, and says by which rule',
  async (t) => {
    const plan = { outcomes: [{ step: 'call', result: 'LiveAnswer' as const }] };
    const { path } = tried('regional-calls', plan);
    const [held, sent] = path[0]?.decisions ?? [];
    t.match(held, {
      decide: 'hold',
      untilMs: Date.UTC(2026, 10, 23, 13),
      at: '2026-11-23T04:00:00-05:00',
    });
    t.match(sent, {
      decide: 'send',
      at: '2026-11-23T08:00:00-05:00',
      contactPointIds: ['mobile', 'home'],
    });
  },
);
