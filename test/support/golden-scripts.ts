/** The scripts from which the golden logs of a new machine version are written. */
import { emptyEvidence } from '../../machines/attempt-evidence.ts';
import { ATTEMPT_INPUT, body, endedBody, type EventBody } from './attempt-under-test.ts';
import type { GoldenMachine, GoldenScript, Told } from './golden-log.ts';
import { PACED_SCRIPTS } from './golden-paced-scripts.ts';
import { PREVIEW_SCRIPTS } from './golden-preview-scripts.ts';
import { REPRESENTATIVE_SCRIPTS } from './golden-representative-scripts.ts';

const accepted = { accepted: true } as const;

/** The gateway's part in one attempt: replies to the last order of a type, events in sequence. */
class Gateway {
  readonly told: Told[] = [];
  #seq = 0;
  #commands = 0;
  readonly #attemptId: string;

  constructor(attemptId = ATTEMPT_INPUT.attemptId) {
    this.#attemptId = attemptId;
  }

  reply(atMs: number, command: string, reply: object = accepted): this {
    this.#commands += 1;
    const event = { type: 'telephony.reply', command, seq: this.#commands, reply };
    this.told.push({ atMs, by: 'telephony', event });
    return this;
  }

  /** `seq` only for one that overtakes, or comes late. */
  event(atMs: number, given: EventBody, seq = this.#seq + 1): this {
    this.#seq = seq;
    const { fence } = ATTEMPT_INPUT;
    const envelope = { attemptId: this.#attemptId, fence, seq, atMs };
    this.told.push({ atMs, by: 'telephony', event: { ...given, ...envelope } });
    return this;
  }

  owner(atMs: number, event: { readonly type: string; readonly reason?: string }): this {
    this.told.push({ atMs, by: 'owner', event });
    return this;
  }

  dialled(atMs = 5): this {
    return this.reply(atMs, 'attempt.dial').event(atMs + 20, body('sent'));
  }

  answered(atMs = 4_000): this {
    return this.dialled().event(100, body('alerting')).event(atMs, body('answered'));
  }

  lost(atMs: number): this {
    this.told.push({ atMs, by: 'telephony', event: LOST });
    return this;
  }

  wait(atMs: number): this {
    this.told.push({ atMs });
    return this;
  }
}

const LOST = { type: 'telephony.lost', detail: 'the connection ended' } as const;
const ANSWERED_BY_US = { answered: true, endedBy: 'dialer', talkMs: 5_000 } as const;

const AGENT_INPUT = {
  ...ATTEMPT_INPUT,
  afterAnswer: {
    aiAgent: { kind: 'aiAgent', sipUri: 'sip:agent@192.0.2.9', setupTimeoutMs: 8_000 },
    fallbackPrompts: ['sorry'],
  },
};
const connected: EventBody = {
  ...{ type: 'attempt.connected', connectId: 'afterAnswer', target: 'aiAgent' },
  ...{ afterAnswerMs: 300, afterGreetingEndMs: null },
};
const agentLeft: EventBody = {
  ...{ type: 'attempt.bridgeEnded', connectId: 'afterAnswer' },
  ...{ endedBy: 'target', bridgedMs: 5_000 },
};
const agentFailed: EventBody = {
  ...{ type: 'aiAgent.failed', reason: 'setup', statusCode: 503 },
  detail: 'the agent answered 503',
};
const apologised: EventBody = {
  ...{ type: 'attempt.played', playId: 'fallback' },
  ...{ status: 'done', playedMs: 2_000 },
};
const ringing = {
  accepted: true,
  state: { attemptId: 'a1', fence: ATTEMPT_INPUT.fence, phase: 'alerting' },
};
const unknown = {
  accepted: true,
  state: { attemptId: 'a1', fence: ATTEMPT_INPUT.fence, phase: 'unknown' },
};

const detection = (mode: 'beforeConnect' | 'alongside') => {
  return { mode, limitMs: 3_000, initialSilenceMs: 2_500 };
};
const REP_INPUT = {
  ...ATTEMPT_INPUT,
  dial: {
    ...{ ...ATTEMPT_INPUT.dial, lobbyId: 'l1', detection: detection('beforeConnect') },
    failsafe: {
      ...{ clockFrom: 'answer', connectWithinMs: 6_000, ceilingAfterAnswerMs: 6_000 },
      ...{ promptId: 'say:en:Nobody is free.', optOutDigits: '9' },
    },
  },
  afterAnswer: {
    representative: { lobbyId: 'l1' },
    machine: { action: 'leaveMessage', prompts: ['say:en:Please call us back.'] },
  },
};
const classified = (verdict: 'human' | 'machine' | 'unknown'): EventBody => ({
  ...{ type: 'attempt.classified', verdict, humanProbability: 0.5, afterAnswerMs: 1_000 },
  evidence: { speechStartMs: 300 },
});
const heardBefore = (verdict: 'busy'): EventBody => {
  return { type: 'attempt.earlyMedia', statusCode: 183, afterSentMs: 1_100, verdict };
};
const notConnected: EventBody = {
  ...{ type: 'attempt.connectFailed', connectId: null, reason: 'failsafe' },
  detail: 'nobody was connected within 6000 ms',
};

function attempt(gateway: Gateway, input: object = ATTEMPT_INPUT): GoldenScript {
  return { machine: 'callAttempt', input, told: gateway.told };
}

const cancelled = { type: 'dialer.cancel', reason: 'cancelled' } as const;

const attempts: Readonly<Record<string, GoldenScript>> = {
  busy: attempt(new Gateway().dialled().event(200, body('alerting')).event(900, endedBody(486))),
  'no-answer': attempt(
    new Gateway()
      .dialled()
      .event(100, body('alerting'))
      .reply(30_200, 'attempt.cancel')
      .event(30_300, endedBody(487, { endedBy: 'dialer', cancelReason: 'ring_timeout' })),
  ),
  'answered-with-prompt': attempt(
    new Gateway()
      .answered()
      .reply(4_010, 'attempt.play')
      .event(7_000, body('played'))
      .reply(7_010, 'attempt.hangup')
      .event(7_100, endedBody(200, ANSWERED_BY_US)),
  ),
  'answered-with-agent': attempt(
    new Gateway()
      .answered()
      .reply(4_010, 'attempt.connect')
      .event(4_300, connected)
      .event(9_300, agentLeft)
      .reply(9_310, 'attempt.hangup')
      .event(9_400, endedBody(200, ANSWERED_BY_US)),
    AGENT_INPUT,
  ),
  'agent-failed': attempt(
    new Gateway()
      .answered()
      .reply(4_010, 'attempt.connect')
      .event(4_900, agentFailed)
      .reply(4_910, 'attempt.play')
      .event(6_900, apologised)
      .reply(6_910, 'attempt.hangup')
      .event(7_000, endedBody(200, ANSWERED_BY_US)),
    AGENT_INPUT,
  ),
  'cancel-crosses-200': attempt(
    new Gateway()
      .dialled()
      .event(100, body('alerting'))
      .owner(3_999, cancelled)
      .event(4_000, body('answered'))
      .reply(4_010, 'attempt.cancel')
      .reply(4_020, 'attempt.hangup')
      .event(4_100, endedBody(200, { ...ANSWERED_BY_US, talkMs: 100 })),
  ),
  'end-overtakes-an-event': attempt(
    new Gateway().dialled().event(8_000, endedBody(480), 3).event(8_200, body('alerting'), 2),
  ),
  'end-with-an-event-lost': attempt(
    new Gateway().dialled().event(8_000, endedBody(480), 3).wait(10_000),
  ),
  'taken-over-while-it-rings': attempt(
    new Gateway()
      .reply(10, 'attempt.query', ringing)
      .event(2_000, body('answered'))
      .reply(2_010, 'attempt.play')
      .event(5_000, body('played'))
      .reply(5_010, 'attempt.hangup')
      .event(5_100, endedBody(200, ANSWERED_BY_US)),
    { ...ATTEMPT_INPUT, recovery: { evidence: emptyEvidence(), lastSeq: 2 } },
  ),
  'forgotten-by-its-gateway': attempt(
    new Gateway().answered().lost(4_500).reply(4_510, 'attempt.query', unknown),
  ),
  'gateway-silent-for-good': attempt(new Gateway().wait(120_000)),
  'busy-tone-before-the-answer': attempt(
    new Gateway()
      .dialled()
      .event(1_200, heardBefore('busy'))
      .reply(1_210, 'attempt.cancel')
      .event(1_300, endedBody(487, { endedBy: 'dialer', cancelReason: 'early_media' })),
  ),
  'person-joined-with-a-representative': attempt(
    new Gateway()
      .answered()
      .event(5_100, classified('human'))
      .reply(5_110, 'attempt.connect')
      .event(5_200, { ...connected, target: 'lobby' })
      .event(10_200, agentLeft)
      .reply(10_210, 'attempt.hangup')
      .event(10_300, endedBody(200, ANSWERED_BY_US)),
    REP_INPUT,
  ),
  'machine-left-a-message': attempt(
    new Gateway()
      .answered()
      .event(6_000, classified('machine'))
      .reply(6_010, 'attempt.play')
      .event(22_000, { ...apologised, playId: 'message' })
      .reply(22_010, 'attempt.hangup')
      .event(22_100, endedBody(200, ANSWERED_BY_US)),
    REP_INPUT,
  ),
  'person-abandoned': attempt(
    new Gateway()
      .answered()
      .event(5_000, classified('unknown'))
      .reply(5_010, 'attempt.connect')
      .event(5_500, { ...notConnected, connectId: 'afterAnswer', reason: 'target_gone' })
      .event(10_000, notConnected)
      .event(13_000, endedBody(200, { answered: true, endedBy: 'gateway', talkMs: 9_000 })),
    REP_INPUT,
  ),
  'machine-heard-beside-the-agent': attempt(
    new Gateway()
      .answered()
      .reply(4_010, 'attempt.connect')
      .event(4_300, connected)
      .event(6_800, classified('machine'))
      .reply(6_810, 'attempt.hangup')
      .event(6_900, endedBody(200, ANSWERED_BY_US)),
    {
      ...{ ...AGENT_INPUT, dial: { ...ATTEMPT_INPUT.dial, detection: detection('alongside') } },
      afterAnswer: { ...AGENT_INPUT.afterAnswer, machine: { action: 'hangup' } },
    },
  ),
};

const CHAIN_INPUT = {
  taskId: 't1',
  storeRetryMs: 1_000,
  start: { deliveryId: 'd1', attempt: ATTEMPT_INPUT },
};
const SECOND_START = {
  deliveryId: 'd2',
  attempt: { ...ATTEMPT_INPUT, attemptId: 'a2' },
};

const store = (atMs: number, event: { readonly type: string; readonly [key: string]: unknown }) =>
  ({ atMs, by: 'store', event }) as const;
const recorded = (atMs: number, next: object) => store(atMs, { type: 'store.recorded', next });

function chain(...parts: readonly (readonly Told[])[]): GoldenScript {
  return { machine: 'contactChain', input: CHAIN_INPUT, told: parts.flat() };
}

const busyFirst = new Gateway().dialled().event(900, endedBody(486)).told;
const busySecond = new Gateway('a2')
  .reply(1_005, 'attempt.dial')
  .event(1_025, body('sent'))
  .event(1_900, endedBody(486)).told;

const chains: Readonly<Record<string, GoldenScript>> = {
  'waits-for-its-next-loop': chain(busyFirst, [
    recorded(910, { kind: 'wait', dueAtMs: 1_800_000 }),
  ]),
  'goes-on-to-its-next-number': chain(
    busyFirst,
    [recorded(910, { kind: 'goOn' }), store(1_000, { type: 'store.claimed', start: SECOND_START })],
    busySecond,
    [recorded(1_910, { kind: 'finish', status: 'Complete' })],
  ),
  'next-number-may-not-start': chain(busyFirst, [
    recorded(910, { kind: 'goOn' }),
    store(1_000, { type: 'store.notClaimed' }),
  ]),
  'store-fails-for-a-while': chain(busyFirst, [
    store(910, { type: 'store.failed', detail: 'no space' }),
    store(1_950, { type: 'store.failed', detail: 'no space' }),
    recorded(3_000, { kind: 'finish', status: 'Complete' }),
  ]),
  'cancelled-in-its-call': chain(
    new Gateway()
      .dialled()
      .event(100, body('alerting'))
      .owner(2_000, { type: 'chain.cancel', reason: 'cancelled' })
      .reply(2_010, 'attempt.cancel')
      .event(2_100, endedBody(487, { endedBy: 'dialer', cancelReason: 'cancelled' })).told,
    [recorded(2_110, { kind: 'finish', status: 'Cancelled' })],
  ),
  'cancelled-between-two-numbers': chain(
    busyFirst,
    [recorded(910, { kind: 'goOn' })],
    new Gateway().owner(950, { type: 'chain.cancel', reason: 'cancelled' }).told,
    [
      store(1_000, { type: 'store.claimed', start: SECOND_START }),
      recorded(1_010, { kind: 'finish', status: 'Cancelled' }),
    ],
  ),
};

const PACER_INPUT = {
  engagementId: 'e1',
  maxConcurrentCalls: 3,
  claimSizeMax: 2,
  inFlight: 0,
  suspended: null,
  isOpen: true,
  storeRetryMs: 1_000,
  idleRecheckMs: 60_000,
};

const starter = (atMs: number, event: { readonly type: string; readonly [key: string]: unknown }) =>
  ({ atMs, by: 'starter', event }) as const;
const claimed = (atMs: number, started: number, moreReady: boolean) =>
  starter(atMs, { type: 'starter.claimed', started, moreReady });
const told = (atMs: number, event: { readonly type: string; readonly [key: string]: unknown }) =>
  ({ atMs, by: 'owner', event }) as const;

function pacer(...parts: readonly Told[]): GoldenScript {
  return { machine: 'copilotPacer', input: PACER_INPUT, told: parts };
}

const filled = [claimed(10, 2, true), claimed(20, 1, true)];

const pacers: Readonly<Record<string, GoldenScript>> = {
  'fills-its-cap-and-refills': pacer(
    ...filled,
    told(5_000, { type: 'call.ended' }),
    claimed(5_010, 1, false),
    told(6_000, { type: 'call.ended' }),
    told(7_000, { type: 'tasks.ready' }),
  ),
  'suspended-and-resumed': pacer(
    ...filled,
    told(1_000, {
      type: 'engagement.suspended',
      suspension: { type: 'adminAction', reason: 'the script is wrong' },
    }),
    told(5_000, { type: 'call.ended' }),
    told(5_100, { type: 'tasks.ready' }),
    told(9_000, { type: 'engagement.resumed' }),
    claimed(9_010, 1, true),
  ),
  'cap-raised-and-lowered': pacer(
    ...filled,
    told(1_000, { type: 'engagement.capChanged', maxConcurrentCalls: 5 }),
    claimed(1_010, 2, true),
    told(2_000, { type: 'engagement.capChanged', maxConcurrentCalls: 1 }),
    ...[3_000, 3_100, 3_200, 3_300].map((atMs) => told(atMs, { type: 'call.ended' })),
    told(3_400, { type: 'call.ended' }),
    claimed(3_410, 1, false),
  ),
  'queue-closes-and-opens': pacer(
    claimed(10, 1, true),
    told(15, { type: 'queue.closed' }),
    claimed(20, 1, true),
    told(5_000, { type: 'call.ended' }),
    told(60_000, { type: 'queue.opened' }),
    claimed(60_010, 2, true),
  ),
  'store-fails-for-a-while': pacer(
    starter(10, { type: 'starter.failed', detail: 'no space' }),
    starter(1_020, { type: 'starter.failed', detail: 'no space' }),
    claimed(2_040, 2, false),
  ),
  'looks-again-by-itself-and-stops': pacer(
    claimed(10, 0, false),
    { atMs: 60_020 },
    claimed(60_030, 0, false),
    told(61_000, { type: 'pacer.stop' }),
  ),
};

export const GOLDEN_SCRIPTS: Readonly<
  Record<GoldenMachine, Readonly<Record<string, GoldenScript>>>
> = {
  ...{ callAttempt: attempts, contactChain: chains, copilotPacer: pacers },
  ...PACED_SCRIPTS,
  ...PREVIEW_SCRIPTS,
  representative: REPRESENTATIVE_SCRIPTS,
};
