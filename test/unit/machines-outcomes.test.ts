/**
 * Goal: every row of the outcome table is met, its order of evaluation holds, and no evidence is
 * without exactly one Result.
 */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import type { AttemptEnded } from '../../machines/attempt-ended.ts';
import {
  emptyEvidence,
  withEnd,
  withEvent,
  type AttemptEvidence,
} from '../../machines/attempt-evidence.ts';
import { attemptResult } from '../../machines/attempt-result.ts';
import { analyticsBlockOf } from '../../machines/analytics-block.ts';
import { REFUSAL_CODES } from '../../machines/command-reply.ts';
import { AI_AGENT_FAILURES, CONNECT_FAILURES } from '../../machines/connect-events.ts';
import { parseReasonHeaders, q850CausesOf } from '../../machines/reason-header.ts';
import {
  NOT_IN_PREVIEW,
  OFF_HOOK_RESULTS,
  RESULTS,
  RETRY_CLASSES,
  SUB_REASONS,
  reportCategoryOf,
} from '../../machines/result.ts';
import { SIP_DIAGNOSTICS_CHARS_MAX, sipDiagnostics } from '../../machines/sip-diagnostics.ts';
import { CANCEL_REASONS } from '../../machines/telephony-commands.ts';
import {
  ANSWER_VERDICTS,
  EARLY_MEDIA_VERDICTS,
  PLAY_STATUSES,
  type AttemptEvent,
} from '../../machines/telephony-events.ts';

const ENVELOPE = { attemptId: 'a1', fence: 1, atMs: 0 };

function ended(more: Partial<AttemptEnded> = {}): AttemptEnded {
  return {
    sip: { statusCode: null, reasonPhrase: null, origin: 'none' },
    q850: [],
    reasonHeaders: [],
    endedBy: 'far',
    cancelReason: null,
    answered: false,
    ringMs: null,
    talkMs: null,
    invites: 1,
    ...more,
  };
}

function final(statusCode: number, more: Partial<AttemptEnded> = {}, reasonPhrase = 'Phrase') {
  return ended({ sip: { statusCode, reasonPhrase, origin: 'network' }, ...more });
}

function stack(statusCode: number, more: Partial<AttemptEnded> = {}) {
  return ended({ sip: { statusCode, reasonPhrase: null, origin: 'stack' }, ...more });
}

function q850(...causes: number[]): Pick<AttemptEnded, 'q850'> {
  return { q850: causes.map((cause) => ({ cause, text: null })) };
}

const heard = { seq: 1 };
const sent = { ...heard, callId: 'c1', trunk: 'lab' };
const alerting = { ...heard, statusCode: 180, afterSentMs: 80 };
const answered = { ...heard, afterSentMs: 4_000 };
const byFar = final(200, { answered: true, talkMs: 900 });
const byUs = final(200, { answered: true, talkMs: 900, endedBy: 'dialer' });
const done = { ...heard, playId: 'p', status: 'done' as const };
const verdictOf = (verdict: (typeof ANSWER_VERDICTS)[number]) => ({ ...heard, verdict });
const early = (verdict: (typeof EARLY_MEDIA_VERDICTS)[number]) => ({ ...heard, verdict });

interface Case {
  readonly name: string;
  readonly given: Partial<AttemptEvidence>;
  readonly expected: string;
}

/** `expected` is `row Result sub-reason retry-class`. */
function check(cases: readonly Case[], title: string): void {
  t.test(title, async (t) => {
    for (const { name, given, expected } of cases) {
      const { row, result, subReason, retryClass } = attemptResult({
        ...emptyEvidence(),
        ...given,
      });
      t.equal(`${row} ${result} ${subReason ?? '-'} ${retryClass}`, expected, name);
    }
  });
}

/** One line per SIP code or Q.850 cause of a row, each as the only thing known. */
function each(
  expected: string,
  { sip = [], causes = [] }: { sip?: number[]; causes?: number[] },
): Case[] {
  return [
    ...sip.map((code) => ({
      name: `SIP ${code} alone`,
      given: { sent, ended: final(code) },
      expected,
    })),
    ...causes.map((cause) => ({
      name: `Q.850 ${cause} beside a 500`,
      given: { sent, ended: final(500, q850(cause)) },
      expected,
    })),
  ];
}

check(
  [
    {
      name: 'row 1: asked before any INVITE',
      given: { cancelReason: 'cancelled', ended: ended({ invites: 0, endedBy: 'dialer' }) },
      expected: '1 Cancelled cancelled none',
    },
    {
      name: 'row 1: asked, and the gateway refused the dial anyway',
      given: { cancelReason: 'cancelled', refused: { code: 'TRUNK_DOWN', detail: '' } },
      expected: '1 Cancelled cancelled none',
    },
    {
      name: 'row 1: recalled before any INVITE costs no attempt',
      given: { cancelReason: 'dialer_recall', ended: ended({ invites: 0 }) },
      expected: '1 Cancelled dialer_recall untried',
    },
    {
      name: 'row 1: shut down before any INVITE costs no attempt',
      given: { cancelReason: 'shutdown', ended: ended({ invites: 0 }) },
      expected: '1 Cancelled shutdown untried',
    },
    {
      name: 'row 2: CANCEL and 487',
      given: { sent, alerting, cancelReason: 'cancelled', ended: final(487) },
      expected: '2 Cancelled cancelled_ringing none',
    },
    {
      name: 'row 2: stands without a record of the end',
      given: { sent, cancelReason: 'cancelled', inDoubt: true },
      expected: '2 Cancelled cancelled_ringing none',
    },
    {
      name: 'row 3: the representative was lost while it rang',
      given: { sent, alerting, cancelReason: 'dialer_recall', ended: final(487) },
      expected: '3 NoAnswer dialer_recall noAnswer',
    },
    {
      name: 'row 3: shut down while it rang',
      given: { sent, alerting, cancelReason: 'shutdown', ended: final(487) },
      expected: '3 NoAnswer shutdown noAnswer',
    },
    {
      name: 'row 4: our ring timer',
      given: { sent, alerting, cancelReason: 'ring_timeout', ended: final(487) },
      expected: '4 NoAnswer ring_timeout noAnswer',
    },
    {
      name: 'row 4: the ring limit of the gateway',
      given: { sent, alerting, ended: final(487, { cancelReason: 'ring_timeout' }) },
      expected: '4 NoAnswer ring_timeout noAnswer',
    },
    {
      name: 'row 4: a 200 that crossed the CANCEL changes nothing',
      given: { sent, alerting, answered, cancelReason: 'ring_timeout', ended: byUs },
      expected: '4 NoAnswer ring_timeout noAnswer',
    },
    {
      name: 'row 4 before row 17: a 486 that crossed the CANCEL changes nothing',
      given: { sent, alerting, cancelReason: 'ring_timeout', ended: final(486) },
      expected: '4 NoAnswer ring_timeout noAnswer',
    },
    {
      name: 'row 18: the network took the INVITE and never rang',
      given: { sent, cancelReason: 'setup_timeout', ended: final(487) },
      expected: '18 NoAnswer no_response noAnswer',
    },
    {
      name: 'row 17: what came after all says more than our set-up timer',
      given: { sent, cancelReason: 'setup_timeout', ended: final(486) },
      expected: '17 Busy - busy',
    },
    {
      name: 'row 32: nothing at all came before our set-up timer',
      given: { sent, cancelReason: 'setup_timeout', ended: stack(408) },
      expected: '32 CallFailed trunk_timeout failed',
    },
    {
      name: 'row 33: rang out, and then the gateway was lost',
      given: { sent, alerting, cancelReason: 'ring_timeout', inDoubt: true },
      expected: '33 Unknown recovered failed',
    },
  ],
  '[OUT-05] our own cancel is looked at first (rows 1 to 4)',
);

check(
  [
    {
      name: 'row 5: a person, and the AI agent was connected',
      given: {
        answered,
        classified: verdictOf('human'),
        engaged: { ...heard, with: 'aiAgent' },
        ended: byFar,
      },
      expected: '5 LiveAnswer - connected',
    },
    {
      name: 'row 5: undecided counts as a person once somebody is connected',
      given: {
        answered,
        classified: verdictOf('unknown'),
        engaged: { ...heard, with: 'lobby' },
        ended: byFar,
      },
      expected: '5 LiveAnswer - connected',
    },
    {
      name: 'row 5: no end record is needed for somebody who was reached',
      given: { answered, engaged: { ...heard, with: 'lobby' }, inDoubt: true },
      expected: '5 LiveAnswer - connected',
    },
    {
      name: 'row 5: preview, whatever a detector might say',
      given: { preview: true, answered, classified: verdictOf('machine'), ended: byFar },
      expected: '5 CallEnded - connected',
    },
    {
      name: 'row 6: nobody there in time',
      given: { answered, classified: verdictOf('human'), waitExceeded: true, ended: byFar },
      expected: '6 LiveAnswer abandoned_by_system failed',
    },
    {
      name: 'row 6: a person, and we hung up',
      given: { answered, classified: verdictOf('human'), ended: byUs },
      expected: '6 LiveAnswer abandoned_by_system failed',
    },
    {
      name: 'row 7: a person hung up before anything engaged them',
      given: { answered, classified: verdictOf('human'), ended: byFar },
      expected: '7 Undetermined abandoned_by_customer noAnswer',
    },
    {
      name: 'row 7: so too without a verdict, in the middle of the prompt',
      given: { answered, plays: [{ ...done, status: 'stopped' }], ended: byFar },
      expected: '7 Undetermined abandoned_by_customer noAnswer',
    },
    {
      name: 'row 7: BYE before our ACK, known from the end alone',
      given: { sent, ended: final(200, { answered: true, talkMs: 0 }) },
      expected: '7 Undetermined abandoned_by_customer noAnswer',
    },
    {
      name: 'row 8: machine, message played',
      given: { answered, classified: verdictOf('machine'), plays: [done], ended: byUs },
      expected: '8 AnsweringMachine - answeringMachine',
    },
    {
      name: 'row 9: machine, hung up',
      given: { answered, classified: verdictOf('machine'), ended: byUs },
      expected: '9 AnsweringMachineHangup - answeringMachine',
    },
    {
      name: 'row 9: machine, message cut off',
      given: {
        answered,
        classified: verdictOf('machine'),
        plays: [{ ...done, status: 'stopped' }],
        ended: byFar,
      },
      expected: '9 AnsweringMachineHangup - answeringMachine',
    },
    {
      name: 'row 10: fax',
      given: { answered, classified: verdictOf('fax'), ended: byFar },
      expected: '10 NotAHandset fax permanent',
    },
    {
      name: 'row 10: special information tone',
      given: { answered, classified: verdictOf('sit'), ended: byUs },
      expected: '10 NotAHandset sit permanent',
    },
    {
      name: 'row 11: silence, whoever hung up',
      given: { answered, classified: verdictOf('silence'), ended: byFar },
      expected: '11 Undetermined no_speech noAnswer',
    },
    {
      name: 'row 11: answered without a verdict, the prompt played',
      given: { answered, plays: [done], ended: byUs },
      expected: '11 Undetermined not_classified noAnswer',
    },
    {
      name: 'row 11: a customer who heard it all did not abandon',
      given: { answered, plays: [done], ended: byFar },
      expected: '11 Undetermined not_classified noAnswer',
    },
    ...AI_AGENT_FAILURES.map((reason) => ({
      name: `row 12: the AI agent failed (${reason})`,
      given: {
        answered,
        engaged: { ...heard, with: 'aiAgent' as const },
        agentFailure: { ...heard, reason },
        ended: byFar,
      },
      expected: `12 BotFailed agent_${reason} failed`,
    })),
    {
      name: 'row 5: a representative took over from an agent that failed',
      given: {
        answered,
        engaged: { ...heard, with: 'lobby' },
        agentFailure: { ...heard, reason: 'lost' },
        ended: byFar,
      },
      expected: '5 LiveAnswer - connected',
    },
  ],
  'an answer is looked at next (rows 5 to 12)',
);

check(
  [
    {
      name: 'row 13: busy tone',
      given: { earlyMedia: early('busy'), ended: final(480) },
      expected: '13 Busy em_busy busy',
    },
    {
      name: 'row 14: SIT, no such number, before any Q.850 cause',
      given: { earlyMedia: early('sit_vacant'), ended: final(480, q850(17)) },
      expected: '14 InvalidAddress em_sit permanent',
    },
    {
      name: 'row 15: voicemail without an answer',
      given: { earlyMedia: early('voicemail'), ended: final(487) },
      expected: '15 AnsweringMachine em_vm answeringMachine',
    },
    {
      name: 'row 16: reorder tone',
      given: { earlyMedia: early('reorder'), ended: final(486) },
      expected: '16 CallFailed em_reorder failed',
    },
    {
      name: 'row 16: SIT, no circuit',
      given: { earlyMedia: early('sit_no_circuit'), ended: final(404) },
      expected: '16 CallFailed em_reorder failed',
    },
    {
      name: 'ringback decides nothing',
      given: { earlyMedia: early('ringback'), ended: final(486) },
      expected: '17 Busy - busy',
    },
    {
      name: 'an answer makes early media irrelevant',
      given: { earlyMedia: early('busy'), answered, ended: byFar },
      expected: '7 Undetermined abandoned_by_customer noAnswer',
    },
  ],
  'early media comes before the final response (rows 13 to 16)',
);

check(
  [
    ...each('17 Busy - busy', { sip: [486, 600], causes: [17] }),
    ...each('18 NoAnswer no_response noAnswer', { sip: [408], causes: [18, 19] }),
    ...each('18 NoAnswer absent noAnswer', { sip: [480], causes: [20] }),
    ...each('19 InvalidAddress unallocated permanent', { sip: [404, 604], causes: [1] }),
    ...each('19 InvalidAddress number_changed permanent', { sip: [410], causes: [22] }),
    ...each('19 InvalidAddress incomplete permanent', { sip: [416, 484], causes: [28] }),
    ...each('19 InvalidAddress ambiguous permanent', { sip: [485] }),
    ...each('20 CallFailed no_route failed', { causes: [2, 3] }),
    ...each('21 Busy declined busy', { sip: [603], causes: [21] }),
    ...each('22 CallFailed unwanted permanent', { sip: [607] }),
    ...each('23 CallFailed blocked_by_analytics failed', { sip: [608] }),
    ...each('24 CallFailed forbidden none', { sip: [403], causes: [57, 87] }),
    ...each('25 Error trunk_auth none', { sip: [401, 402, 407] }),
    ...each('26 CallFailed media_incompatible failed', {
      sip: [415, 488, 606],
      causes: [65, 79, 88],
    }),
    ...each('27 CallFailed network failed', { sip: [500, 502, 504, 580], causes: [27, 38, 41] }),
    ...each('27 CallFailed congestion failed', { sip: [503], causes: [34, 42, 44, 47] }),
    ...each('28 NoAnswer cleared noAnswer', { sip: [487], causes: [16, 31] }),
    ...each('29 InvalidAddress redirected permanent', { sip: [300, 301, 302, 305, 380] }),
    ...each('30 CallFailed sip_4xx failed', {
      sip: [400, 405, 406, 420, 423, 429, 439, 440, 481, 482, 483, 491, 494],
    }),
    ...each('31 CallFailed sip_other failed', {
      sip: [501, 505, 513, 555, 601, 699],
      causes: [102, 111, 127],
    }),
    {
      name: 'row 26: a 200 without SDP is no answer',
      given: { sent, alerting, ended: final(200, { endedBy: 'gateway' }) },
      expected: '26 CallFailed media_incompatible failed',
    },
    {
      name: 'a cause without a row (29 facility rejected) leaves it to the SIP code',
      given: { ended: final(486, q850(29)) },
      expected: '17 Busy - busy',
    },
  ],
  '[OUT-05] Q.850 cause, then SIP code (rows 17 to 31)',
);

check(
  [
    {
      name: 'silent peer: 408 of the stack',
      given: { sent, ended: stack(408) },
      expected: '32 CallFailed trunk_timeout failed',
    },
    {
      name: 'closed port: 503 of the stack',
      given: { sent, ended: stack(503) },
      expected: '32 CallFailed trunk_timeout failed',
    },
    {
      name: 'a 408 from the network is no answer',
      given: { sent, ended: final(408) },
      expected: '18 NoAnswer no_response noAnswer',
    },
    {
      name: 'a 503 from the network is congestion',
      given: { sent, ended: final(503) },
      expected: '27 CallFailed congestion failed',
    },
    {
      name: 'no response and no transport',
      given: { sent, ended: ended({ endedBy: 'trunk' }) },
      expected: '32 CallFailed trunk_timeout failed',
    },
    {
      name: 'media lost while ringing, CANCELled by the gateway',
      given: { sent, alerting, ended: final(487, { endedBy: 'switch' }) },
      expected: '32 CallFailed switch_lost failed',
    },
    {
      name: 'switch lost before the INVITE',
      given: { ended: ended({ endedBy: 'switch', invites: 0 }) },
      expected: '32 CallFailed switch_lost untried',
    },
    {
      name: 'row 33: switch lost with an INVITE out: the phone may have rung',
      given: { sent, alerting, ended: ended({ endedBy: 'switch' }) },
      expected: '33 Unknown switch_lost failed',
    },
    {
      name: 'row 33: crash, no record of the end',
      given: { sent, alerting, inDoubt: true },
      expected: '33 Unknown recovered failed',
    },
    {
      name: 'row 33: answered, no record of the end, nobody engaged',
      given: { sent, answered, inDoubt: true },
      expected: '33 Unknown recovered failed',
    },
    { name: 'row 33: nothing known at all', given: {}, expected: '33 Unknown recovered failed' },
    ...(
      [
        'UNKNOWN_TRUNK',
        'INVALID_DESTINATION',
        'WRONG_GATEWAY',
        'BAD_STATE',
        'UNKNOWN_ATTEMPT',
      ] as const
    ).map((code) => ({
      name: `row 34: ${code}`,
      given: { refused: { code, detail: '' } },
      expected: '34 Error config none',
    })),
    {
      name: 'refused: no channel',
      given: { refused: { code: 'TRUNK_CHANNELS_EXHAUSTED', detail: '' } },
      expected: '27 CallFailed congestion untried',
    },
    {
      name: 'refused: too many per second',
      given: { refused: { code: 'TRUNK_RATE_LIMITED', detail: '' } },
      expected: '27 CallFailed congestion untried',
    },
    {
      name: 'refused: trunk down',
      given: { refused: { code: 'TRUNK_DOWN', detail: '' } },
      expected: '32 CallFailed trunk_down untried',
    },
    {
      name: 'refused: switch down',
      given: { refused: { code: 'SWITCH_DOWN', detail: '' } },
      expected: '32 CallFailed switch_lost untried',
    },
    {
      name: 'refused: too late',
      given: { refused: { code: 'TOO_LATE', detail: '' } },
      expected: '34 Expired too_late untried',
    },
    {
      name: 'refused: another owner',
      given: { refused: { code: 'STALE_FENCE', detail: '' } },
      expected: '33 Unknown stale_fence none',
    },
  ],
  '[OUT-06] a trunk that times out, a crash and a refusal (rows 32 to 34)',
);

t.test('[OUT-05] 486, ring timeout and 404 give Busy, NoAnswer and InvalidAddress', async (t) => {
  const rang = { ...emptyEvidence(), sent, alerting };
  t.equal(attemptResult(withEnd(rang, final(486))).result, 'Busy');
  t.equal(
    attemptResult(withEnd({ ...rang, cancelReason: 'ring_timeout' }, final(487))).result,
    'NoAnswer',
  );
  t.equal(attemptResult(withEnd(rang, final(404))).result, 'InvalidAddress');
});

t.test('generic causes 16, 31 and 127 never override a code that says more', async (t) => {
  for (const code of [404, 410, 484, 486, 600, 603, 604, 607, 608]) {
    const alone = attemptResult({ ...emptyEvidence(), ended: final(code) });
    for (const cause of [16, 31, 127]) {
      const beside = attemptResult({ ...emptyEvidence(), ended: final(code, q850(cause)) });
      t.match(beside, { row: alone.row, result: alone.result }, `${code} beside ${cause}`);
    }
    if (code < 607) {
      const specific = attemptResult({ ...emptyEvidence(), ended: final(code, q850(16, 34)) });
      t.equal(specific.row, 27, `a cause that says something still overrides ${code}`);
    }
  }
  t.equal(attemptResult({ ...emptyEvidence(), ended: final(480, q850(16)) }).subReason, 'cleared');
});

t.test('of several Q.850 causes, the one that says something and writes nobody off', async (t) => {
  const of = (...causes: number[]) =>
    attemptResult({ ...emptyEvidence(), ended: final(500, q850(...causes)) });
  t.match(of(16, 17), { row: 17, warnings: [] });
  t.match(of(17, 16), { row: 17, warnings: [] });
  t.match(of(1, 17), { row: 17, warnings: ['causes_disagree'] });
  t.match(of(17, 1), { row: 17, warnings: ['causes_disagree'] });
  t.equal(of(16, 127).row, 28);
  const written = attemptResult({
    ...emptyEvidence(),
    ended: final(480, { reasonHeaders: ['SIP;cause=480, Q.850;cause=17;text="User, busy"'] }),
  });
  t.equal(written.row, 17, 'a cause that is only in the raw header counts too');
});

t.test('603 is a person declining, unless analytics blocked the call', async (t) => {
  const of = (more: Partial<AttemptEnded>, phrase = 'Decline') =>
    attemptResult({ ...emptyEvidence(), ended: final(603, more, phrase) });
  const reason = 'SIP;cause=603;text="v=analytics1;url=https://block.example/r;tel=+15555550100"';

  t.match(of({}), { row: 21, subReason: 'declined', redress: null, advice: [] });
  t.match(of({}, 'Network Blocked'), { row: 23, redress: null });
  t.match(of({}, 'network blocked'), { row: 23 }, 'in any case');
  t.match(of({ reasonHeaders: [`${reason};location=RLN`] }), {
    row: 23,
    subReason: 'blocked_by_analytics',
    redress: 'url=https://block.example/r;tel=+15555550100',
    advice: ['otherCallerId', 'reputationAlert'],
  });
  t.match(
    of({ reasonHeaders: ['Q.850;cause=21;text="v=analytics1;email=x@block.example"'] }),
    { row: 23, redress: 'email=x@block.example' },
    'in a Q.850 value, whose cause 21 would otherwise mean declined',
  );
  t.match(
    of({ reasonHeaders: ['SIP;cause=603;v=analytics1;url="https://b.example"'] }),
    { row: 23, redress: 'url=https://b.example' },
    'the tag as a parameter',
  );
  t.match(of({ reasonHeaders: ['SIP;cause=608'] }), { row: 23 }, 'a 608 behind the 603');
  t.match(of({ reasonHeaders: ['SIP;cause=603;text="no analytics1 here"'] }), { row: 21 });
  t.match(
    of({ reasonHeaders: [reason], redress: 'https://call-info.example' }),
    { redress: 'https://call-info.example' },
    'a contact from Call-Info comes first',
  );
  t.equal(
    analyticsBlockOf(final(486, { reasonHeaders: [reason] })),
    undefined,
    'the tag means nothing beside another code',
  );
});

t.test('a 607 raises an opt-out review even when it crossed our CANCEL', async (t) => {
  const crossed = attemptResult({
    ...emptyEvidence(),
    sent,
    alerting,
    cancelReason: 'ring_timeout',
    ended: final(607),
  });
  t.match(crossed, {
    result: 'NoAnswer',
    advice: ['optOutReview'],
    warnings: ['final_crossed_cancel'],
  });
  t.same(attemptResult({ ...emptyEvidence(), ended: final(607, q850(21)) }).advice, [
    'optOutReview',
  ]);
});

t.test('warnings tell what the Result alone would hide', async (t) => {
  const late = { ...emptyEvidence(), sent, alerting, answered };
  t.same(attemptResult({ ...late, cancelReason: 'cancelled', ended: byUs }).warnings, [
    'answered_late',
  ]);
  const failed = { ...done, status: 'notFound' as const };
  t.same(attemptResult({ ...late, plays: [failed], ended: byUs }).warnings, ['prompt_failed']);
  t.same(attemptResult({ ...late, inDoubt: true }).warnings, ['no_end_record']);
});

t.test('every Result has a report category, and abandoned calls are counted as such', async (t) => {
  for (const result of RESULTS) t.ok(reportCategoryOf(result, null), result);
  t.equal(reportCategoryOf('LiveAnswer', null), 'Connected');
  t.equal(reportCategoryOf('LiveAnswer', 'abandoned_by_system'), 'Abandoned');
  t.equal(reportCategoryOf('Undetermined', 'abandoned_by_customer'), 'Abandoned');
  t.equal(reportCategoryOf('Undetermined', 'not_classified'), 'Connected, no engagement');
  t.equal(reportCategoryOf('Error', 'config'), 'Failed (config)');
  t.equal(RESULTS.length, 16);
});

const reasonCases = [
  { given: ['Q.850;cause=16;text="Normal, clearing"'], causes: [16], texts: ['Normal, clearing'] },
  { given: ['Q.850 ; cause = 17 ; text = "a;b"'], causes: [17], texts: ['a;b'] },
  { given: ['q.850;CAUSE=34'], causes: [34], texts: [null] },
  { given: ['Q850;cause=34'], causes: [34], texts: [null] },
  { given: ['SIP;cause=200;text="elsewhere", Q.850;cause=26'], causes: [26], texts: [null] },
  { given: ['Q.850;cause=16', 'Q.850;cause=31'], causes: [16, 31], texts: [null, null] },
  { given: ['Q.850;cause="17"'], causes: [17], texts: [null] },
  { given: ['Q.850;cause=0016;text=""'], causes: [16], texts: [''] },
  { given: ['Q.850;cause=busy'], causes: [], texts: [] },
  {
    given: ['Q.850;cause=-1', 'Q.850;cause=1e1', 'Q.850;cause=200', 'Q.850'],
    causes: [],
    texts: [],
  },
  { given: ['Q.850;cause=1;cause=17'], causes: [1], texts: [null] },
  { given: ['Q.850;cause=16;text="say \\"hi\\", you"'], causes: [16], texts: ['say "hi", you'] },
  {
    given: ['Q.850;cause=16;text="never closed, Q.850;cause=17'],
    causes: [16],
    texts: ['never closed, Q.850;cause=17'],
  },
  { given: ['', ' , ,', ';cause=16', '@;cause=3'], causes: [], texts: [] },
];

t.test('Reason headers are read with every degree of care in their writing', async (t) => {
  for (const { given, causes, texts } of reasonCases) {
    const found = q850CausesOf(parseReasonHeaders(given));
    t.same(
      found.map(({ cause }) => cause),
      causes,
      given.join(' | '),
    );
    t.same(
      found.map(({ text }) => text),
      texts,
      given.join(' | '),
    );
  }
  const [value] = parseReasonHeaders(['X-vendor;cause=7;Location=RLN;flag;text=plain']);
  t.same(value, {
    protocol: 'X-vendor',
    cause: 7,
    text: 'plain',
    params: { location: 'RLN', flag: '' },
  });
  const hostile = parseReasonHeaders(['SIP;__proto__=x;constructor=y']);
  t.equal(Object.getPrototypeOf(hostile[0]?.params), Object.prototype, 'names are only names');
});

t.test('[OUT-10] diagnostics hold the SIP code and the Q.850 cause as JSON', async (t) => {
  const evidence = {
    ...emptyEvidence(),
    sent,
    ended: ended({
      sip: { statusCode: 503, reasonPhrase: 'Service Unavailable', origin: 'network' },
      q850: [
        { cause: 16, text: null },
        { cause: 34, text: 'No circuit' },
      ],
      reasonHeaders: ['Q.850;cause=16', 'Q.850;cause=34;text="No circuit"'],
    }),
  };
  t.match(JSON.parse(sipDiagnostics(evidence, attemptResult(evidence))), {
    sipCode: 503,
    sipReason: 'Service Unavailable',
    origin: 'network',
    q850: 34,
    q850Text: 'No circuit',
    q850All: [16, 34],
    earlyMedia: null,
    row: 27,
  });
  const none = emptyEvidence();
  t.match(JSON.parse(sipDiagnostics(none, attemptResult(none))), { sipCode: null, q850: null });
});

t.test('[OUT-10] diagnostics stay valid JSON of at most 1000 characters (property)', async (t) => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 3_000 }),
    fc.constant('\u0000'.repeat(900)),
    fc.constant('\u{1f4de}'.repeat(700)),
    fc.constant('\\"'.repeat(800)),
  );
  fc.assert(
    fc.property(
      fc.array(text, { maxLength: 6 }),
      text,
      text,
      fc.integer({ min: 300, max: 699 }),
      fc.array(fc.integer({ min: 0, max: 127 }), { maxLength: 20 }),
      (reasonHeaders, phrase, redress, code, causes) => {
        const end = final(code, { reasonHeaders, redress }, phrase);
        const given = { ...end, q850: causes.map((cause) => ({ cause, text: phrase })) };
        const evidence = { ...emptyEvidence(), ended: given };
        const json = sipDiagnostics(evidence, attemptResult(evidence));
        const read = JSON.parse(json) as Record<string, unknown>;
        return json.length <= SIP_DIAGNOSTICS_CHARS_MAX && read['sipCode'] === code;
      },
    ),
    { examples: [[['x'.repeat(5_000)], 'p'.repeat(5_000), 'r'.repeat(5_000), 486, [17]]] },
  );
  t.pass();
});

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
  engaged: maybe(fc.record({ seq, with: fc.constantFrom('lobby' as const, 'aiAgent' as const) })),
  waitExceeded: fc.boolean(),
  agentFailure: maybe(fc.record({ seq, reason: fc.constantFrom(...AI_AGENT_FAILURES) })),
  plays: fc.array(
    fc.record({ seq, playId: fc.constant('p'), status: fc.constantFrom(...PLAY_STATUSES) }),
    { maxLength: 3 },
  ),
  digits: fc.constant([]),
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
