/** Goal: what the far end wrote is understood, and what is kept of it is true and short. */
import fc from 'fast-check';
import t from 'tap';
import { analyticsBlockOf } from '../../machines/analytics-block.ts';
import type { AttemptEnded } from '../../machines/attempt-ended.ts';
import { emptyEvidence, withEnd } from '../../machines/attempt-evidence.ts';
import { attemptResult } from '../../machines/attempt-result.ts';
import { parseReasonHeaders, q850CausesOf } from '../../machines/reason-header.ts';
import { RESULTS, reportCategoryOf } from '../../machines/result.ts';
import { SIP_DIAGNOSTICS_CHARS_MAX, sipDiagnostics } from '../../machines/sip-diagnostics.ts';
import {
  done,
  alerting,
  answered,
  byUs,
  ended,
  final,
  q850,
  sent,
} from '../support/attempt-evidence-samples.ts';

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
  t.equal(of(16, 102).row, 31, 'a timer that expired says more than normal clearing');
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
  { given: ['Q.850;cause=16;text="6\\" pipe, old"'], causes: [16], texts: ['6" pipe, old'] },
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
    fc.string({ unit: 'binary', maxLength: 1_200 }),
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
    {
      numRuns: 60,
      examples: [[['x'.repeat(5_000)], 'p'.repeat(5_000), 'r'.repeat(5_000), 486, [17]]],
    },
  );
  t.pass();
});
