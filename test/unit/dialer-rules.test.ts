/** Goal: the dialer's pure rules hold at their edges: AI failures, settings, trunk budgets, the gap. */
import fc from 'fast-check';
import t from 'tap';
import { checkConfig } from '../../config/load-config.ts';
import { TrunkBudget } from '../../dialer/actors/trunk-budget.ts';
import { dialerSettings } from '../../dialer/dialer-settings.ts';
import { aiFailureVerdict } from '../../dialer/engagements/ai-failure-rule.ts';
import { storedConfig } from '../../dialer/engagements/complete-config.ts';
import { configWarnings } from '../../dialer/engagements/config-warnings.ts';
import { SHIPPED } from '../../dialer/rule-packs/rule-packs.ts';
import { engagementColumns } from '../../dialer/engagements/create-engagement.ts';
import type { EngagementFacts } from '../../dialer/engagements/engagement-facts.ts';
import {
  detectionOf,
  failsafeOf,
  machinePlanFor,
  planRepresentatives,
} from '../../dialer/tasks/call-answering.ts';
import type { CallToAnswer } from '../../dialer/tasks/plan-after-answer.ts';
import type { DialerError } from '../../machines/errors.ts';

const failures: readonly {
  name: string;
  rule: Parameters<typeof aiFailureVerdict>[0];
  handled: number;
  failed: number;
  suspends: boolean;
}[] = [
  {
    name: '[DM-05] suspend: the first failure is enough, of however few calls',
    rule: { action: 'suspend', ratePercent: 1 },
    ...{ handled: 1, failed: 1, suspends: true },
  },
  {
    name: '[DM-05] suspend: calls that went well suspend nothing',
    rule: { action: 'suspend', ratePercent: 1 },
    ...{ handled: 100, failed: 0, suspends: false },
  },
  {
    name: '[DM-06] 2 %: 2 of 100 reach it',
    rule: { action: 'threshold', ratePercent: 2 },
    ...{ handled: 100, failed: 2, suspends: true },
  },
  {
    name: '[DM-06] 2 %: 1 of 51 does not',
    rule: { action: 'threshold', ratePercent: 2 },
    ...{ handled: 51, failed: 1, suspends: false },
  },
  {
    name: '[DM-06] 2 %: 1 of 50 does',
    rule: { action: 'threshold', ratePercent: 2 },
    ...{ handled: 50, failed: 1, suspends: true },
  },
  {
    name: '[DM-06] 2 %: 19 calls decide nothing, were they all to fail',
    rule: { action: 'threshold', ratePercent: 2 },
    ...{ handled: 19, failed: 19, suspends: false },
  },
  {
    name: '[DM-06] 2 %: the 20th call decides',
    rule: { action: 'threshold', ratePercent: 2 },
    ...{ handled: 20, failed: 1, suspends: true },
  },
  {
    name: '[DM-06] 0 %: without any failure nothing is suspended',
    rule: { action: 'threshold', ratePercent: 0 },
    ...{ handled: 100, failed: 0, suspends: false },
  },
  {
    name: 'none: nothing ever is',
    rule: { action: 'none', ratePercent: 1 },
    ...{ handled: 100, failed: 100, suspends: false },
  },
];

for (const { name, rule, handled, failed, suspends } of failures) {
  t.test(`AI failures, ${name}`, async (t) => {
    t.equal(aiFailureVerdict(rule, { handled, failed }).action, suspends ? 'suspend' : 'goOn');
  });
}

const TRUNK = { name: 'lab', channelsMax: 3, callsPerSecondMax: 10 };

t.test('a trunk grants its channels and no more, and wakes who waits for one', async (t) => {
  const budget = new TrunkBudget({ ...TRUNK, callsPerSecondMax: 1_000 });
  t.strictSame(budget.take(5, 0), { granted: 3 });
  t.strictSame(budget.take(1, 1_000), { granted: 0, atMs: null });
  let woken = 0;
  budget.whenFree(() => (woken += 1));
  budget.free(1);
  budget.free(1);
  t.equal(woken, 1);
  t.strictSame(budget.take(5, 2_000), { granted: 2 });
});

t.test(
  'a suspended trunk is claimed nothing for until it opens, and then wakes who waits',
  async (t) => {
    const budget = new TrunkBudget(TRUNK);
    budget.close();
    t.strictSame(budget.take(1, 0), { granted: 0, atMs: null });
    t.strictSame(budget.take(1, 10_000_000), { granted: 0, atMs: null }, 'however long it takes');
    let woken = 0;
    budget.whenFree(() => (woken += 1));
    budget.works();
    t.equal(woken, 0, 'a call of before it that ends well changes nothing');
    budget.open();
    t.equal(woken, 1);
    t.strictSame(budget.take(1, 10_000_000), { granted: 1 });
  },
);

t.test('starts that were granted and not made do not use up the rate', async (t) => {
  const budget = new TrunkBudget({ ...TRUNK, channelsMax: 100 });
  t.strictSame(budget.take(5, 0), { granted: 2 });
  t.match(budget.take(1, 0), { granted: 0, atMs: 5 });
  budget.giveBack(2);
  t.strictSame(budget.take(5, 0), { granted: 2 });
});

t.test('a trunk set to no channels or no calls grants nothing', async (t) => {
  for (const limit of [{ channelsMax: 0 }, { callsPerSecondMax: 0 }]) {
    const budget = new TrunkBudget({ ...TRUNK, ...limit });
    t.strictSame(budget.take(1, 0), { granted: 0, atMs: null });
    budget.countStart(0);
    budget.giveBack(0);
    t.strictSame(budget.take(1, 5_000), { granted: 0, atMs: null });
  }
});

t.test(
  'a trunk that refuses is asked by one call, after pauses that grow to a minute',
  async (t) => {
    const budget = new TrunkBudget({ ...TRUNK, callsPerSecondMax: 1_000 });
    let nowMs = 0;
    const pauses: number[] = [];
    for (let refusals = 0; refusals < 9; refusals += 1) {
      budget.refused(nowMs);
      budget.refused(nowMs); // another of the same batch
      const grant = budget.take(3, nowMs);
      const atMs = 'atMs' in grant ? (grant.atMs ?? 0) : 0;
      pauses.push(atMs - nowMs);
      nowMs = atMs;
      t.strictSame(budget.take(3, nowMs), { granted: 1 });
      budget.free(1);
    }
    t.strictSame(
      pauses,
      [1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1_000),
    );
    let woken = false;
    budget.whenFree(() => (woken = true));
    budget.works();
    t.ok(woken);
    t.strictSame(budget.take(3, nowMs + 1_000), { granted: 3 });
  },
);

t.test(
  'no second passes more calls than the trunk takes, 200 ms ahead of it (property)',
  async (t) => {
    const asks = fc.array(
      fc.record({
        afterMs: fc.integer({ min: 0, max: 400 }),
        wanted: fc.integer({ min: 1, max: 50 }),
      }),
      { minLength: 1, maxLength: 60 },
    );
    const rates = fc.integer({ min: 1, max: 200 });
    fc.assert(
      fc.property(rates, asks, (callsPerSecondMax, given) => {
        const budget = new TrunkBudget({ name: 'x', channelsMax: 1e6, callsPerSecondMax });
        let nowMs = 0;
        let granted = 0;
        return given.every(({ afterMs, wanted }) => {
          nowMs += afterMs;
          granted += budget.take(wanted, nowMs).granted;
          return granted <= ((nowMs + 200) / 1_000) * callsPerSecondMax + 1;
        });
      }),
    );
    t.pass();
  },
);

const trunkAt = (address: string): string =>
  `gateway: { trunks: [{ name: a, address: '${address}', callerId: '+12025550100' }] }\n`;

t.test(
  'the gap between two calls to one number is 15 minutes, in the lab what is set',
  async (t) => {
    const read = (text: string) => dialerSettings(checkConfig('x.yaml', text, {}).config);
    t.equal(read('').limits.numberGapMinMs, 15 * 60_000);
    const lab = `dialer: { labNumberGapMinMs: 0 }\n${trunkAt('sip:127.0.0.1:5070')}`;
    t.equal(read(lab).limits.numberGapMinMs, 0);
  },
);

t.test('the share of audits is what is set, and none by default', async (t) => {
  const read = (text: string) => dialerSettings(checkConfig('x.yaml', text, {}).config);
  t.equal(read('').amdAuditShare, 0);
  t.equal(read('abandonment: { amdAuditShare: 0.05 }').amdAuditShare, 0.05);
  t.throws(() => read('abandonment: { amdAuditShare: 5 }'), /amdAuditShare/);
});

t.test('the lab’s gap is refused while any trunk leads outside', async (t) => {
  const text = `dialer: { labNumberGapMinMs: 0 }\n${trunkAt('sip:198.51.100.7:5060')}`;
  t.throws(() => checkConfig('x.yaml', text, {}), /labNumberGapMinMs.*not on loopback: a/);
  const short = 'dialer: { numberGapMinMs: 1000 }\n';
  t.throws(() => checkConfig('x.yaml', short, {}), /numberGapMinMs/);
});

type Config = Readonly<Record<string, unknown>>;
const COPILOT = { kind: 'copilot', maxConcurrentCalls: 5 };
const ANSWERING = { abandonedMessage: { text: 'This is Example Ltd.' } };

function engagementOf(config: Config) {
  return { name: 'e', channel: 'voice', workstreamId: 'w', queueId: 'q', config };
}

/** What the engagement would dial by. */
function completed(config: Config) {
  return storedConfig(engagementColumns(engagementOf(config)).columns.config);
}

/** Where the configuration is at fault; empty when it is taken. */
function faultyPlaces(config: Config): readonly string[] {
  try {
    engagementColumns(engagementOf(config));
    return [];
  } catch (error) {
    return (error as DialerError).faults.map(({ pointer }) => pointer);
  }
}

const contradictions: readonly { name: string; config: Config; at: readonly string[] }[] = [
  {
    name: '[CFG-06] AI-led excludes preview',
    config: { engagementType: 'aiLed', mode: { kind: 'preview' } },
    at: ['/config/mode/kind'],
  },
  {
    name: '[CFG-06] rep-led excludes Copilot',
    config: { engagementType: 'repLed', mode: COPILOT },
    at: ['/config/mode/kind'],
  },
  { name: '[CFG-06] preview is rep-led unsaid', config: { mode: { kind: 'preview' } }, at: [] },
  ...['progressive', 'predictive'].flatMap((kind) => [
    { name: `[CFG-06] ${kind} may be AI-led`, config: { mode: { kind } }, at: [] },
    {
      name: `[CFG-06] ${kind} may be rep-led`,
      config: { engagementType: 'repLed', mode: { kind }, answering: ANSWERING },
      at: [],
    },
    {
      name: `[DM-07] AI-led ${kind} has an AI-failure rule`,
      config: { mode: { kind }, aiFailure: { action: 'threshold', ratePercent: 5 } },
      at: [],
    },
    {
      name: `[DM-07] rep-led ${kind} has none`,
      config: {
        ...{ engagementType: 'repLed', mode: { kind }, answering: ANSWERING },
        aiFailure: { action: 'suspend' },
      },
      at: ['/config/aiFailure'],
    },
    {
      name: `[DM-30] AI-led ${kind} takes no AMD setting`,
      config: { mode: { kind }, answering: ANSWERING },
      at: ['/config/answering'],
    },
    {
      name: `rep-led ${kind} has to say what people hear`,
      config: { engagementType: 'repLed', mode: { kind } },
      at: ['/config/answering'],
    },
  ]),
  {
    name: '[DM-07] preview has no AI-failure rule',
    config: { mode: { kind: 'preview' }, aiFailure: { action: 'none' } },
    at: ['/config/aiFailure'],
  },
  {
    name: '[DM-30] Copilot takes no AMD setting',
    config: { mode: COPILOT, answering: ANSWERING },
    at: ['/config/answering'],
  },
  {
    name: 'nothing is detected in preview',
    config: { mode: { kind: 'preview' }, answering: ANSWERING },
    at: ['/config/answering'],
  },
  {
    name: '[DM-27] a message to leave needs its text',
    config: answeringOf({ amdAction: 'leaveMessage' }),
    at: ['/config/answering/amdMessage'],
  },
  {
    name: '[DM-26] a hang-up has no text',
    config: answeringOf({ amdAction: 'hangup', amdMessage: 'Hello' }),
    at: ['/config/answering/amdMessage'],
  },
  {
    name: 'an abandoned message needs its text, unless it is off',
    config: answeringOf({ abandonedMessage: {} }),
    at: ['/config/answering/abandonedMessage/text'],
  },
  {
    name: 'without the message nobody can press a digit in it',
    config: answeringOf({ abandonedMessage: { enabled: false, optOutDigits: '9' } }),
    at: ['/config/answering/abandonedMessage/optOutDigits'],
  },
  ...[0, 8].map((amdTimeSeconds) => ({
    name: `[DM-29] an AMD time of ${amdTimeSeconds} s is refused`,
    config: answeringOf({ amdTimeSeconds }),
    at: ['/config/answering/amdTimeSeconds'],
  })),
  ...[59, 7_081].map((seconds) => ({
    name: `[DM-13] a call delay of ${seconds} s is refused`,
    config: { mode: { kind: 'preview', callDelay: { kind: 'timer', seconds } } },
    at: ['/config/mode/callDelay/seconds'],
  })),
  ...[60, 7_080].map((seconds) => ({
    name: `[DM-13] a call delay of ${seconds} s is taken`,
    config: { mode: { kind: 'preview', callDelay: { kind: 'timer', seconds } } },
    at: [],
  })),
  ...[0, 6].map((maxCallsPerRep) => ({
    name: `[DM-18] ${maxCallsPerRep} calls for each representative are refused`,
    config: { mode: { kind: 'progressive', maxCallsPerRep } },
    at: ['/config/mode/maxCallsPerRep'],
  })),
  {
    name: '[DM-18] rep-led it is always one call',
    config: { ...answeringOf({}), mode: { kind: 'progressive', maxCallsPerRep: 2 } },
    at: ['/config/mode/maxCallsPerRep'],
  },
  {
    name: 'AI-led progressive holds no share of a queue',
    config: { mode: { kind: 'progressive', queueAllotmentPercent: 50 } },
    at: ['/config/mode/queueAllotmentPercent'],
  },
  {
    name: 'an unknown mode is one fault, not one for each mode',
    config: { mode: { kind: 'power' } },
    at: ['/config/mode/kind'],
  },
  ...['abandonmentRate', 'averageWaitTime'].flatMap((metric) =>
    [COPILOT, { kind: 'progressive' }, { kind: 'predictive' }].map((mode) => ({
      name: `[DM-36] [DM-37] ${metric} can be chosen in ${mode.kind}`,
      config: { mode, throttle: { rules: [ruleOf(metric)] } },
      at: [],
    })),
  ),
  ...['escalationCount', 'openEscalations'].flatMap((metric) => [
    {
      name: `[DM-38] [DM-39] ${metric} can be chosen in copilot`,
      config: { mode: COPILOT, throttle: { rules: [ruleOf(metric)] } },
      at: [],
    },
    ...['progressive', 'predictive'].map((kind) => ({
      name: `[DM-38] [DM-39] ${metric} cannot be chosen in ${kind}`,
      config: { mode: { kind }, throttle: { rules: [ruleOf(metric)] } },
      at: ['/config/throttle/rules/0/metric'],
    })),
  ]),
  {
    name: '[DM-36] rep-led engagements have no throttle',
    config: { ...answeringOf({}), throttle: { rules: [ruleOf('abandonmentRate')] } },
    at: ['/config/throttle'],
  },
  {
    name: '[DM-41] two rules of one metric need two periods',
    config: {
      mode: COPILOT,
      throttle: { rules: [ruleOf('escalationCount'), ruleOf('escalationCount')] },
    },
    at: ['/config/throttle/rules/1'],
  },
  {
    name: '[DM-41] a third rule is refused',
    config: {
      mode: COPILOT,
      throttle: { rules: [1, 2, 3].map((minutes) => ruleOf('escalationCount', minutes)) },
    },
    at: ['/config/throttle/rules'],
  },
  {
    name: 'every contradiction is told at once',
    config: {
      engagementType: 'aiLed',
      mode: { kind: 'preview' },
      answering: ANSWERING,
      throttle: { rules: [ruleOf('abandonmentRate')] },
    },
    at: ['/config/answering', '/config/mode/kind', '/config/throttle/rules/0/metric'],
  },
];

function answeringOf(more: Config): Config {
  const answering = { ...ANSWERING, ...more };
  return { engagementType: 'repLed', mode: { kind: 'progressive' }, answering };
}

function ruleOf(metric: string, periodMinutes = 5) {
  return { metric, threshold: 10, periodMinutes };
}

for (const { name, config, at } of contradictions) {
  t.test(name, async (t) => t.same(faultyPlaces(config), at));
}

t.test(
  '[DM-29] the AMD time is a third of the wait, from 1 to 7 s, unless it is given',
  async (t) => {
    const amdTime = (customerWaitThresholdSeconds: number, more: Config = {}) =>
      completed(answeringOf({ customerWaitThresholdSeconds, ...more })).answering?.amdTimeSeconds;
    t.same(
      [0, 2, 4, 5, 9, 21, 60].map((wait) => amdTime(wait)),
      [1, 1, 1, 2, 3, 7, 7],
    );
    t.equal(amdTime(9, { amdTimeSeconds: 7 }), 7);
  },
);

t.test(
  '[DM-07] AI-led engagements have the rule of AI failures, whatever was written',
  async (t) => {
    const rule = { action: 'suspend', ratePercent: 1 };
    for (const mode of [COPILOT, { kind: 'progressive' }, { kind: 'predictive' }]) {
      t.same(completed({ mode }).aiFailure, rule, mode.kind);
    }
    for (const config of [answeringOf({}), { mode: { kind: 'preview' } }]) {
      t.notOk(Object.hasOwn(completed(config), 'aiFailure'));
    }
  },
);

t.test('what the first release stored reads as it dialled', async (t) => {
  const stored = {
    ...{ engagementType: 'repLed', mode: { ...COPILOT, ignoreQueueHours: true } },
    ...{ priority: 'high', callOrder: 'firstInFirstOut', phoneTypes: ['home'], skillIds: [] },
    reattempt: {
      ...{ reasons: ['busy'], retriesMax: 1, waitMinutes: 5, priority: 'same' },
      ...{ delayBetweenNumbersMinutes: 0, delayBetweenContactsMinutes: 0 },
    },
    aiFailure: { action: 'threshold', ratePercent: 2 },
    ...{ uniqueIdentifier: 'contactid', ringTimeoutMs: 20_000 },
  };
  t.same(storedConfig(JSON.stringify(stored)), {
    ...{ ...stored, engagementType: 'aiLed' },
    throttle: { rules: [], adjustPercent: 10 },
  });
});

t.test('[DM-44] rep-led progressive and predictive warn of the time to connect', async (t) => {
  const codes = (config: Config): readonly string[] => {
    const complete = completed(config);
    return configWarnings(complete, SHIPPED.of(complete.rulePacks)).map(({ code }) => code);
  };
  const lawful = answeringOf({
    ...{ customerWaitThresholdSeconds: 2, waitFrom: 'greetingEnd' },
    abandonedMessage: { text: 'Press 9 to opt out.', optOutDigits: '9' },
  });
  t.same(codes(lawful), ['CONNECT_TIME']);
  t.same(codes({ ...lawful, mode: { kind: 'predictive' } }), ['CONNECT_TIME']);
  t.match(configWarnings(completed(lawful), SHIPPED.of(undefined)), [
    { pointer: '/config/mode/kind', detail: /TCPA/ },
  ]);
  t.same(codes(answeringOf({ abandonedMessage: { enabled: false }, stopRule: { percent: 4 } })), [
    'CONNECT_TIME',
    'WAIT_THRESHOLD',
    'ABANDONED_MESSAGE_OFF',
    'ABANDONMENT_LIMIT',
  ]);
  t.same(codes(answeringOf({})), ['CONNECT_TIME', 'WAIT_THRESHOLD', 'ABANDONED_OPT_OUT']);
  t.same(codes({ mode: { kind: 'preview' } }), []);
  t.same(codes({ mode: COPILOT }), ['AI_DISCLOSURE']);
  // Held against the rules that it is paced by.
  const four = answeringOf({ abandonedMessage: { enabled: false }, stopRule: { percent: 4 } });
  t.same(codes({ ...four, rulePacks: ['ca'] }), ['CONNECT_TIME', 'WAIT_THRESHOLD']);
  t.same(codes({ ...lawful, rulePacks: ['uk', 'mars'] }), ['CONNECT_TIME', 'RULE_PACK_UNKNOWN']);
  const [, wait] = configWarnings(completed(four), SHIPPED.of(['it']));
  t.match(wait?.detail, /it \(Garante.* 3 s from the answer/);
});

/** What a call of it is planned by. */
function factsOf(config: Config, aiAgent: object | null = null, settings: object = {}) {
  const ai_agent = aiAgent === null ? null : JSON.stringify(aiAgent);
  return {
    config: completed(config),
    workstream: { language: 'de-AT', ai_agent, settings: JSON.stringify(settings) },
  } as unknown as EngagementFacts;
}

t.test(
  '[DM-29] [DM-31] [WS-03] the settings reach the dial, in the workstream’s language',
  async (t) => {
    const text = 'Rufen Sie zurück.';
    const facts = factsOf(
      answeringOf({
        customerWaitThresholdSeconds: 9,
        abandonedMessage: { text, optOutDigits: '9' },
      }),
    );
    t.same(detectionOf(facts), { mode: 'beforeConnect', limitMs: 3_000, initialSilenceMs: 2_500 });
    t.same(failsafeOf(facts), {
      ...{ clockFrom: 'answer', connectWithinMs: 9_000, ceilingAfterAnswerMs: 9_000 },
      ...{ promptId: `say:de-AT:${text}`, optOutDigits: '9' },
    });
    const afterGreeting = factsOf(
      answeringOf({
        ...{ customerWaitThresholdSeconds: 2, waitFrom: 'greetingEnd' },
        abandonedMessage: { enabled: false },
      }),
    );
    t.match(failsafeOf(afterGreeting), {
      ...{ clockFrom: 'greetingEnd', connectWithinMs: 2_000, ceilingAfterAnswerMs: 5_500 },
      promptId: '',
    });
    const preview = factsOf({ mode: { kind: 'preview' } });
    t.same([detectionOf(preview), failsafeOf(preview)], [undefined, undefined]);
  },
);

t.test(
  'a dialer that dies at the answer leaves nobody in silence, whoever was to talk',
  async (t) => {
    const own = { clockFrom: 'answer', optOutDigits: '', orderStops: true };
    const sipUri = 'sip:agent@192.0.2.1';
    const agent = { sipUri, setupTimeoutMs: 4_000, fallbackPrompts: ['sorry', 'try-later'] };
    t.same(failsafeOf(factsOf({ mode: COPILOT }, agent)), {
      ...{ ...own, promptId: 'sorry', morePrompts: ['try-later'] },
      ...{ connectWithinMs: 2_000, ceilingAfterAnswerMs: 2_000 },
    });
    const prompts = factsOf({ mode: COPILOT }, null, { prompts: ['welcome', 'news'] });
    t.equal(detectionOf(prompts), undefined);
    t.same(failsafeOf(prompts), {
      ...{ ...own, promptId: 'welcome', morePrompts: ['news'] },
      ...{ connectWithinMs: 2_000, ceilingAfterAnswerMs: 2_000 },
    });
    t.match(failsafeOf(factsOf({ mode: COPILOT }, { sipUri })), { promptId: '' });
  },
);

t.test('[DM-30] of an AI-led engagement detection is what its agent says', async (t) => {
  const agent = (detection: object) => ({ sipUri: 'sip:agent@192.0.2.1', detection });
  const detected = (detection: object) => detectionOf(factsOf({ mode: COPILOT }, agent(detection)));
  t.equal(detected({}), undefined, 'nobody listens unless the agent is set so');
  t.same(detected({ enabled: true, timeSeconds: 5 }), {
    ...{ mode: 'alongside', limitMs: 5_000, initialSilenceMs: 2_500 },
  });
});

t.test('[DM-26] [DM-27] [DM-28] what is left on a machine, and when', async (t) => {
  const plan = (amdAction: string, isLast: boolean) => {
    const message = amdAction === 'hangup' ? {} : { amdMessage: 'Bitte' };
    const { answering } = completed(answeringOf({ amdAction, ...message }));
    return answering && machinePlanFor(answering, 'de', isLast);
  };
  const left = { action: 'leaveMessage', prompts: ['say:de:Bitte'] };
  for (const isLast of [false, true]) {
    t.same(plan('hangup', isLast), { action: 'hangup' });
    t.same(plan('leaveMessage', isLast), left);
  }
  t.same(plan('leaveMessageOnLastAttemptOnly', false), { action: 'hangup' });
  t.same(plan('leaveMessageOnLastAttemptOnly', true), left);
  const facts = factsOf(
    answeringOf({ amdAction: 'leaveMessageOnLastAttemptOnly', amdMessage: 'Bitte' }),
  );
  const calls = [false, true].map((isLastAttempt) => ({ isLastAttempt }) as CallToAnswer);
  const plans = await planRepresentatives(facts)(undefined as never, calls);
  t.match(plans, [
    { representative: { lobbyId: null }, machine: { action: 'hangup' } },
    { representative: { lobbyId: null }, machine: { action: 'leaveMessage' } },
  ]);
});
