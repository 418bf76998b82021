/** Goal: every row of the outcome table is met, in its order of evaluation. */
import t from 'tap';
import { emptyEvidence, type AttemptEvidence } from '../../machines/attempt-evidence.ts';
import { attemptResult } from '../../machines/attempt-result.ts';
import { REFUSAL_CODES, type RefusalCode } from '../../machines/command-reply.ts';
import { AI_AGENT_FAILURES } from '../../machines/connect-events.ts';
import {
  alerting,
  answered,
  byFar,
  byUs,
  done,
  early,
  ended,
  final,
  heard,
  q850,
  sent,
  stack,
  verdictOf,
} from '../support/attempt-evidence-samples.ts';

/** What it is, `row Result sub-reason retry-class`, and the evidence. */
type Case = readonly [name: string, expected: string, given: Partial<AttemptEvidence>];

function row(...given: Case): Case {
  return given;
}

function check(cases: readonly Case[], title: string): void {
  t.test(title, async (t) => {
    for (const [name, expected, given] of cases) {
      const found = attemptResult({ ...emptyEvidence(), ...given });
      const { result, subReason, retryClass } = found;
      t.equal(`${found.row} ${result} ${subReason ?? '-'} ${retryClass}`, expected, name);
    }
  });
}

/** One line per SIP code or Q.850 cause of a row, each as the only thing known. */
function each(
  expected: string,
  { sip = [], causes = [] }: { sip?: number[]; causes?: number[] },
): Case[] {
  return [
    ...sip.map((code) => row(`SIP ${code} alone`, expected, { sent, ended: final(code) })),
    ...causes.map((cause) =>
      row(`Q.850 ${cause} beside a 500`, expected, { sent, ended: final(500, q850(cause)) }),
    ),
  ];
}

check(
  [
    row('row 1: asked before any INVITE', '1 Cancelled cancelled none', {
      cancelReason: 'cancelled',
      ended: ended({ invites: 0, endedBy: 'dialer' }),
    }),
    row('row 1: asked, and the gateway refused the dial anyway', '1 Cancelled cancelled none', {
      cancelReason: 'cancelled',
      refused: { code: 'TRUNK_DOWN', detail: '' },
    }),
    row('row 1: recalled before any INVITE costs no attempt', '1 Cancelled dialer_recall untried', {
      cancelReason: 'dialer_recall',
      ended: ended({ invites: 0 }),
    }),
    row('row 1: shut down before any INVITE costs no attempt', '1 Cancelled shutdown untried', {
      cancelReason: 'shutdown',
      ended: ended({ invites: 0 }),
    }),
    row('row 2: CANCEL and 487', '2 Cancelled cancelled_ringing none', {
      sent,
      alerting,
      cancelReason: 'cancelled',
      ended: final(487),
    }),
    row('row 2: stands without a record of the end', '2 Cancelled cancelled_ringing none', {
      sent,
      cancelReason: 'cancelled',
      inDoubt: true,
    }),
    row('row 3: the representative was lost while it rang', '3 NoAnswer dialer_recall noAnswer', {
      sent,
      alerting,
      cancelReason: 'dialer_recall',
      ended: final(487),
    }),
    row('row 3: shut down while it rang', '3 NoAnswer shutdown noAnswer', {
      sent,
      alerting,
      cancelReason: 'shutdown',
      ended: final(487),
    }),
    row('row 4: our ring timer', '4 NoAnswer ring_timeout noAnswer', {
      sent,
      alerting,
      cancelReason: 'ring_timeout',
      ended: final(487),
    }),
    row('row 4: the ring limit of the gateway', '4 NoAnswer ring_timeout noAnswer', {
      sent,
      alerting,
      ended: final(487, { cancelReason: 'ring_timeout' }),
    }),
    row(
      'row 4: a 200 that crossed the CANCEL changes nothing',
      '4 NoAnswer ring_timeout noAnswer',
      { sent, alerting, answered, cancelReason: 'ring_timeout', ended: byUs },
    ),
    row(
      'row 4 before row 17: a 486 that crossed the CANCEL changes nothing',
      '4 NoAnswer ring_timeout noAnswer',
      { sent, alerting, cancelReason: 'ring_timeout', ended: final(486) },
    ),
    row('row 18: the network took the INVITE and never rang', '18 NoAnswer no_response noAnswer', {
      sent,
      cancelReason: 'setup_timeout',
      ended: final(487),
    }),
    row('row 17: what came after all says more than our set-up timer', '17 Busy - busy', {
      sent,
      cancelReason: 'setup_timeout',
      ended: final(486),
    }),
    row(
      'row 32: nothing at all came before our set-up timer',
      '32 CallFailed trunk_timeout failed',
      { sent, cancelReason: 'setup_timeout', ended: stack(408) },
    ),
    row('row 33: rang out, and then the gateway was lost', '33 Unknown recovered failed', {
      sent,
      alerting,
      cancelReason: 'ring_timeout',
      inDoubt: true,
    }),
  ],
  '[OUT-05] our own cancel is looked at first (rows 1 to 4)',
);

check(
  [
    row('row 5: a person, and the AI agent was connected', '5 LiveAnswer - connected', {
      answered,
      classified: verdictOf('human'),
      engaged: { ...heard, with: 'aiAgent' },
      ended: byFar,
    }),
    row(
      'row 5: undecided counts as a person once somebody is connected',
      '5 LiveAnswer - connected',
      {
        answered,
        classified: verdictOf('unknown'),
        engaged: { ...heard, with: 'lobby' },
        ended: byFar,
      },
    ),
    row('row 5: no end record is needed for somebody who was reached', '5 LiveAnswer - connected', {
      answered,
      engaged: { ...heard, with: 'lobby' },
      inDoubt: true,
    }),
    row('row 5: preview, whatever a detector might say', '5 CallEnded - connected', {
      preview: true,
      answered,
      classified: verdictOf('machine'),
      ended: byFar,
    }),
    row('row 6: nobody there in time', '6 LiveAnswer abandoned_by_system failed', {
      answered,
      classified: verdictOf('human'),
      waitExceeded: true,
      ended: byFar,
    }),
    row('row 6: a person, and we hung up', '6 LiveAnswer abandoned_by_system failed', {
      answered,
      classified: verdictOf('human'),
      ended: byUs,
    }),
    row(
      'row 7: a person hung up before anything engaged them',
      '7 Undetermined abandoned_by_customer noAnswer',
      { answered, classified: verdictOf('human'), ended: byFar },
    ),
    row(
      'row 7: so too without a verdict, in the middle of the prompt',
      '7 Undetermined abandoned_by_customer noAnswer',
      { answered, plays: [{ ...done, status: 'stopped' }], ended: byFar },
    ),
    row(
      'row 7: BYE before our ACK, known from the end alone',
      '7 Undetermined abandoned_by_customer noAnswer',
      { sent, ended: final(200, { answered: true, talkMs: 0 }) },
    ),
    row('row 8: machine, message played', '8 AnsweringMachine - answeringMachine', {
      answered,
      classified: verdictOf('machine'),
      plays: [done],
      ended: byUs,
    }),
    row('row 9: machine, hung up', '9 AnsweringMachineHangup - answeringMachine', {
      answered,
      classified: verdictOf('machine'),
      ended: byUs,
    }),
    row('row 9: machine, message cut off', '9 AnsweringMachineHangup - answeringMachine', {
      answered,
      classified: verdictOf('machine'),
      plays: [{ ...done, status: 'stopped' }],
      ended: byFar,
    }),
    row('row 10: fax', '10 NotAHandset fax permanent', {
      answered,
      classified: verdictOf('fax'),
      ended: byFar,
    }),
    row('row 10: special information tone', '10 NotAHandset sit permanent', {
      answered,
      classified: verdictOf('sit'),
      ended: byUs,
    }),
    row('row 11: silence, whoever hung up', '11 Undetermined no_speech noAnswer', {
      answered,
      classified: verdictOf('silence'),
      ended: byFar,
    }),
    row(
      'row 11: answered without a verdict, the prompt played',
      '11 Undetermined not_classified noAnswer',
      { answered, plays: [done], ended: byUs },
    ),
    row(
      'row 11: a customer who heard it all did not abandon',
      '11 Undetermined not_classified noAnswer',
      { answered, plays: [done], ended: byFar },
    ),
    ...AI_AGENT_FAILURES.map((reason) =>
      row(`row 12: the AI agent failed (${reason})`, `12 BotFailed agent_${reason} failed`, {
        answered,
        engaged: { ...heard, with: 'aiAgent' },
        agentFailure: { ...heard, reason },
        ended: byFar,
      }),
    ),
    row('row 5: a representative took over from an agent that failed', '5 LiveAnswer - connected', {
      answered,
      engaged: { ...heard, with: 'lobby' },
      agentFailure: { ...heard, reason: 'lost' },
      ended: byFar,
    }),
  ],
  'an answer is looked at next (rows 5 to 12)',
);

check(
  [
    row('row 13: busy tone', '13 Busy em_busy busy', {
      earlyMedia: early('busy'),
      ended: final(480),
    }),
    row(
      'row 14: SIT, no such number, before any Q.850 cause',
      '14 InvalidAddress em_sit permanent',
      { earlyMedia: early('sit_vacant'), ended: final(480, q850(17)) },
    ),
    row('row 15: voicemail without an answer', '15 AnsweringMachine em_vm answeringMachine', {
      earlyMedia: early('voicemail'),
      ended: final(487),
    }),
    row('row 16: reorder tone', '16 CallFailed em_reorder failed', {
      earlyMedia: early('reorder'),
      ended: final(486),
    }),
    row('row 16: SIT, no circuit', '16 CallFailed em_reorder failed', {
      earlyMedia: early('sit_no_circuit'),
      ended: final(404),
    }),
    row('ringback decides nothing', '17 Busy - busy', {
      earlyMedia: early('ringback'),
      ended: final(486),
    }),
    row('an answer makes early media irrelevant', '7 Undetermined abandoned_by_customer noAnswer', {
      earlyMedia: early('busy'),
      answered,
      ended: byFar,
    }),
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
    row('row 26: a 200 without SDP is no answer', '26 CallFailed media_incompatible failed', {
      sent,
      alerting,
      ended: final(200, { endedBy: 'gateway' }),
    }),
    row(
      'a cause without a row (29 facility rejected) leaves it to the SIP code',
      '17 Busy - busy',
      { ended: final(486, q850(29)) },
    ),
  ],
  '[OUT-05] Q.850 cause, then SIP code (rows 17 to 31)',
);

const REFUSED: Readonly<Record<RefusalCode, string>> = {
  STALE_FENCE: '33 Unknown stale_fence none',
  UNKNOWN_ATTEMPT: '34 Error config none',
  UNKNOWN_TRUNK: '34 Error config none',
  TOO_LATE: '34 Expired too_late untried',
  WRONG_GATEWAY: '34 Error config none',
  TRUNK_CHANNELS_EXHAUSTED: '27 CallFailed congestion untried',
  TRUNK_RATE_LIMITED: '27 CallFailed congestion untried',
  TRUNK_DOWN: '32 CallFailed trunk_down untried',
  TRUNK_AUTH_FAILED: '25 Error trunk_auth untried',
  TRUNK_SUSPENDED: '32 CallFailed trunk_down untried',
  SWITCH_DOWN: '32 CallFailed switch_lost untried',
  BAD_STATE: '34 Error config none',
  INVALID_DESTINATION: '34 Error config none',
  DESTINATION_REFUSED: '34 Error destination_refused none',
  LOBBY_GONE: '32 CallFailed lobby_gone untried',
};

check(
  [
    row('silent peer: 408 of the stack', '32 CallFailed trunk_timeout failed', {
      sent,
      ended: stack(408),
    }),
    row('closed port: 503 of the stack', '32 CallFailed trunk_timeout failed', {
      sent,
      ended: stack(503),
    }),
    row('a 408 from the network is no answer', '18 NoAnswer no_response noAnswer', {
      sent,
      ended: final(408),
    }),
    row('a 503 from the network is congestion', '27 CallFailed congestion failed', {
      sent,
      ended: final(503),
    }),
    row('no response and no transport', '32 CallFailed trunk_timeout failed', {
      sent,
      ended: ended({ endedBy: 'trunk' }),
    }),
    row('media lost while ringing, CANCELled by the gateway', '32 CallFailed switch_lost failed', {
      sent,
      alerting,
      ended: final(487, { endedBy: 'switch' }),
    }),
    row('switch lost before the INVITE', '32 CallFailed switch_lost untried', {
      ended: ended({ endedBy: 'switch', invites: 0 }),
    }),
    row(
      'row 33: switch lost with an INVITE out: the phone may have rung',
      '33 Unknown switch_lost failed',
      { sent, alerting, ended: ended({ endedBy: 'switch' }) },
    ),
    row('row 33: crash, no record of the end', '33 Unknown recovered failed', {
      sent,
      alerting,
      inDoubt: true,
    }),
    row('row 33: answered, no record of the end, nobody engaged', '33 Unknown recovered failed', {
      sent,
      answered,
      inDoubt: true,
    }),
    row('row 33: nothing known at all', '33 Unknown recovered failed', {}),
    ...REFUSAL_CODES.map((code) =>
      row(`a dial refused with ${code}`, REFUSED[code], { refused: { code, detail: '' } }),
    ),
  ],
  '[OUT-06] a trunk that times out, a crash and a refusal (rows 32 to 34)',
);
