/** Goal: no evidence is without exactly one outcome, and no order or repetition changes it. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import type { AttemptEnded } from '../../machines/attempt-ended.ts';
import { emptyEvidence, withEvent, type AttemptEvidence } from '../../machines/attempt-evidence.ts';
import { attemptResult } from '../../machines/attempt-result.ts';
import {
  NOT_IN_PREVIEW,
  OFF_HOOK_RESULTS,
  RESULTS,
  RETRY_CLASSES,
  SUB_REASONS,
} from '../../machines/result.ts';
import { alerting, answered, q850, sent } from '../support/attempt-evidence-samples.ts';
import { REFUSAL_CODES } from '../../machines/command-reply.ts';
import {
  AI_AGENT_FAILURES,
  CONNECT_FAILURES,
  ESCALATED_BY,
} from '../../machines/connect-events.ts';
import { CANCEL_REASONS } from '../../machines/telephony-commands.ts';
import {
  ANSWER_VERDICTS,
  EARLY_MEDIA_VERDICTS,
  PLAY_STATUSES,
  type AttemptEvent,
} from '../../machines/telephony-events.ts';

const ENVELOPE = { attemptId: 'a1', fence: 1, atMs: 0 };

const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
const seq = fc.integer({ min: 1, max: 9 });
const anyReason = fc.oneof(
  fc.constantFrom(
    'SIP;cause=603;text="v=analytics1;url=https://x.example"',
    'Q.850;cause=17',
    'Q.850;cause=1',
    'SIP;cause=608',
  ),
  fc.string(),
);
const anyEnd: fc.Arbitrary<AttemptEnded> = fc.record(
  {
    sip: fc.record({
      statusCode: maybe(fc.integer({ min: 200, max: 699 })),
      reasonPhrase: maybe(fc.constantFrom('OK', 'Network Blocked', '')),
      origin: fc.constantFrom('network' as const, 'stack' as const, 'none' as const),
    }),
    q850: fc.array(
      fc.record({ cause: fc.integer({ min: 0, max: 127 }), text: maybe(fc.string()) }),
      { maxLength: 4 },
    ),
    reasonHeaders: fc.array(anyReason, { maxLength: 3 }),
    endedBy: fc.constantFrom('far', 'dialer', 'gateway', 'switch', 'trunk'),
    cancelReason: maybe(fc.constantFrom(...CANCEL_REASONS, 'something else')),
    answered: fc.boolean(),
    ringMs: fc.constant(null),
    talkMs: fc.constant(null),
    invites: fc.integer({ min: 0, max: 3 }),
    redress: fc.string(),
  },
  {
    requiredKeys: [
      'sip',
      'q850',
      'reasonHeaders',
      'endedBy',
      'cancelReason',
      'answered',
      'ringMs',
      'talkMs',
      'invites',
    ],
  },
);

const anyEvidence: fc.Arbitrary<AttemptEvidence> = fc.record({
  preview: fc.boolean(),
  refused: maybe(fc.record({ code: fc.constantFrom(...REFUSAL_CODES), detail: fc.string() })),
  cancelReason: maybe(fc.constantFrom(...CANCEL_REASONS)),
  hangupReason: fc.constant(null),
  sent: maybe(fc.constant(sent)),
  alerting: maybe(fc.constant(alerting)),
  earlyMedia: maybe(fc.record({ seq, verdict: maybe(fc.constantFrom(...EARLY_MEDIA_VERDICTS)) })),
  answered: maybe(fc.constant(answered)),
  classified: maybe(fc.record({ seq, verdict: fc.constantFrom(...ANSWER_VERDICTS) })),
  agentVerdict: maybe(
    fc.record({
      seq,
      verdict: fc.constantFrom(...ANSWER_VERDICTS),
      messageLeft: fc.boolean(),
    }),
  ),
  engaged: maybe(fc.record({ seq, with: fc.constantFrom('lobby' as const, 'aiAgent' as const) })),
  waitExceeded: fc.boolean(),
  agentFailure: maybe(fc.record({ seq, reason: fc.constantFrom(...AI_AGENT_FAILURES) })),
  escalated: maybe(fc.record({ seq })),
  plays: fc.array(
    fc.record({ seq, playId: fc.constant('p'), status: fc.constantFrom(...PLAY_STATUSES) }),
    { maxLength: 3 },
  ),
  digits: fc.constant([]),
  optOut: fc.constant(null),
  ended: maybe(anyEnd),
  inDoubt: fc.boolean(),
});

t.test('any evidence gives exactly one outcome from the closed lists (property)', async (t) => {
  fc.assert(
    fc.property(anyEvidence, (evidence) => {
      const { row, result, subReason, retryClass } = attemptResult(evidence);
      const isListed = RESULTS.includes(result) && RETRY_CLASSES.includes(retryClass);
      const hasSubReason = subReason === null || SUB_REASONS.includes(subReason);
      return isListed && hasSubReason && row >= 1 && row <= 34;
    }),
    { numRuns: 2_000 },
  );
  t.pass();
});

t.test(
  'preview never gives a Result of detection, not even before the answer (property)',
  async (t) => {
    fc.assert(
      fc.property(anyEvidence, (evidence) => {
        const { row, result } = attemptResult({ ...evidence, preview: true });
        return !NOT_IN_PREVIEW.has(result) && ![8, 9, 10, 15].includes(row);
      }),
      { numRuns: 1_000 },
    );
    t.pass();
  },
);

t.test('a Result off-hook needs an answer, or a greeting before one (property)', async (t) => {
  fc.assert(
    fc.property(anyEvidence, (evidence) => {
      const { result, subReason } = attemptResult(evidence);
      const isAnswered = evidence.answered !== null || evidence.ended?.answered === true;
      return !OFF_HOOK_RESULTS.has(result) || isAnswered || subReason === 'em_vm';
    }),
    { numRuns: 2_000 },
  );
  t.pass();
});

t.test('the order of Reason values does not change the outcome (property)', async (t) => {
  const shuffled = anyEnd.chain((end) =>
    fc.record({
      end: fc.constant({ ...end, q850: [] }),
      causes: fc.uniqueArray(fc.integer({ min: 0, max: 127 }), { maxLength: 5 }),
      seed: fc.array(fc.nat(), { minLength: 5, maxLength: 5 }),
    }),
  );
  fc.assert(
    fc.property(shuffled, ({ end, causes, seed }) => {
      const other = causes
        .map((cause, at) => ({ cause, rank: seed[at] ?? 0 }))
        .sort((a, b) => a.rank - b.rank)
        .map(({ cause }) => cause);
      const of = (given: number[]) =>
        attemptResult({
          ...emptyEvidence(),
          ended: { ...end, reasonHeaders: [], ...q850(...given) },
        });
      const [a, b] = [of(causes), of(other)];
      return a.row === b.row && a.subReason === b.subReason;
    }),
    { numRuns: 1_000 },
  );
  t.pass();
});

const anyBody = fc.oneof(
  fc.constant({ type: 'attempt.sent' as const, callId: 'c', trunk: 'lab', invites: 1 }),
  fc.record({
    type: fc.constant('attempt.alerting' as const),
    statusCode: fc.constantFrom(180, 181, 183),
    afterSentMs: fc.nat(9_000),
  }),
  fc.record({
    type: fc.constant('attempt.earlyMedia' as const),
    statusCode: fc.constant(183),
    afterSentMs: fc.nat(9_000),
    verdict: maybe(fc.constantFrom(...EARLY_MEDIA_VERDICTS)),
  }),
  fc.record({
    type: fc.constant('attempt.answered' as const),
    dialogId: fc.constant('d'),
    channelId: fc.constant('ch'),
    afterSentMs: fc.nat(9_000),
  }),
  fc.record({
    type: fc.constant('attempt.classified' as const),
    verdict: fc.constantFrom(...ANSWER_VERDICTS),
    humanProbability: fc.constant(0.5),
    afterAnswerMs: fc.nat(9_000),
    evidence: fc.constant({}),
  }),
  fc.record({
    type: fc.constant('attempt.connected' as const),
    connectId: fc.constant('k'),
    target: fc.constantFrom('lobby' as const, 'aiAgent' as const),
    afterAnswerMs: fc.nat(9_000),
    afterGreetingEndMs: fc.constant(null),
  }),
  fc.record({
    type: fc.constant('attempt.connectFailed' as const),
    connectId: fc.constant(null),
    reason: fc.constantFrom(...CONNECT_FAILURES),
    detail: fc.constant(''),
  }),
  fc.record({
    type: fc.constant('aiAgent.failed' as const),
    reason: fc.constantFrom(...AI_AGENT_FAILURES),
    statusCode: fc.constant(null),
    detail: fc.constant(''),
  }),
  fc.record({
    type: fc.constant('aiAgent.escalated' as const),
    by: fc.constantFrom(...ESCALATED_BY),
    referTo: fc.constant(null),
    attributes: fc.constant({}),
  }),
  fc.record({
    type: fc.constant('attempt.played' as const),
    playId: fc.constant('p'),
    status: fc.constantFrom(...PLAY_STATUSES),
    playedMs: fc.nat(9_000),
  }),
  fc.record({
    type: fc.constant('attempt.dtmf' as const),
    digit: fc.constantFrom('1', '9', '#'),
    durationMs: fc.constant(100),
    source: fc.constant('rtp'),
  }),
);

t.test(
  'the order and the repetition of events do not change the evidence (property)',
  async (t) => {
    const logs = fc
      .tuple(fc.array(anyBody, { maxLength: 12 }), anyEnd)
      .map(([bodies, end]): AttemptEvent[] =>
        [...bodies, { type: 'attempt.ended' as const, ...end }].map((body, at) => ({
          ...ENVELOPE,
          ...body,
          seq: at + 1,
        })),
      );
    const arrivals = logs.chain((log) =>
      fc.record({
        log: fc.constant(log),
        arrived: fc
          .tuple(fc.shuffledSubarray(log, { minLength: log.length }), fc.subarray(log))
          .map(([all, again]) => [...all, ...again]),
      }),
    );
    const fold = (events: readonly AttemptEvent[]) => events.reduce(withEvent, emptyEvidence());
    fc.assert(
      fc.property(arrivals, ({ log, arrived }) => isDeepStrictEqual(fold(arrived), fold(log))),
      { numRuns: 500 },
    );
    t.pass();
  },
);
