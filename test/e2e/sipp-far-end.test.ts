/**
 * Goal: whatever an independent far end does, the attempt's events and Result tell the truth about
 * it, and the wire shows what RFC 3261 asks of a caller. SIPp plays the far end; the rest is the
 * production path: machine, gateway, drachtio's and FreeSWITCH's protocols, switch, sockets.
 */
import t, { type Test } from 'tap';
import type { AttemptEnded } from '../../machines/attempt-ended.ts';
import type { Result, SubReason } from '../../machines/result.ts';
import { DialingRig, type DialOptions } from '../support/dialing-rig.ts';
import { FaultRelay, type FaultRelayOptions } from '../support/fault-relay.ts';
import { SippFarEnd, freeUdpPort, type SippMessage, type SippOptions } from '../support/sipp.ts';

t.setTimeout(300_000);

interface Behaviour {
  readonly name: string;
  readonly scenario: string;
  readonly far?: Partial<SippOptions>;
  readonly dial?: Partial<DialOptions>;
  readonly result: Result;
  readonly subReason: SubReason | null;
  readonly ended: {
    readonly statusCode: number | null;
    readonly endedBy: AttemptEnded['endedBy'];
    readonly invites?: number;
  };
  /** Types of the events, in order, without the `attempt.` before each. */
  readonly events: string;
  /** What passed, without retransmissions: `>` towards the far end, `<` from it. */
  readonly wire: string;
}

const ANSWERED = 'sent alerting answered played ended';
const RING_AND_ANSWER = '>INVITE <180 <200 >ACK';
const LONG_TONE = ['tone_stream://%(4000,0,440)'];

const behaviours: readonly Behaviour[] = [
  {
    name: 'who answers and listens to the end is answered, without a verdict as yet',
    scenario: 'answer',
    far: { pauseMs: 100 },
    result: 'Undetermined',
    subReason: 'not_classified',
    ended: { statusCode: 200, endedBy: 'dialer' },
    events: ANSWERED,
    wire: `${RING_AND_ANSWER} >BYE <200`,
  },
  {
    name: 'who answers over TCP is answered alike',
    scenario: 'answer',
    far: { protocol: 'tcp' },
    result: 'Undetermined',
    subReason: 'not_classified',
    ended: { statusCode: 200, endedBy: 'dialer' },
    events: ANSWERED,
    wire: `${RING_AND_ANSWER} >BYE <200`,
  },
  {
    name: 'who hangs up before the prompt is over has abandoned it',
    scenario: 'answer-then-bye',
    far: { pauseMs: 300 },
    dial: { prompts: LONG_TONE },
    result: 'Undetermined',
    subReason: 'abandoned_by_customer',
    ended: { statusCode: 200, endedBy: 'far' },
    events: ANSWERED,
    wire: `${RING_AND_ANSWER} <BYE >200`,
  },
  {
    name: 'a BYE that overtakes our ACK ends the call, and is answered',
    scenario: 'bye-before-ack',
    dial: { prompts: LONG_TONE },
    result: 'Undetermined',
    subReason: 'abandoned_by_customer',
    ended: { statusCode: 200, endedBy: 'far' },
    events: 'sent alerting answered *ended',
    wire: '>INVITE <180 <200 <BYE *>200',
  },
  {
    name: 'a late BYE that crosses ours on the wire changes nothing',
    scenario: 'late-bye',
    result: 'Undetermined',
    subReason: 'not_classified',
    ended: { statusCode: 200, endedBy: 'dialer' },
    events: ANSWERED,
    wire: `${RING_AND_ANSWER} >BYE <BYE >* <200`,
  },
  {
    name: 'busy',
    scenario: 'busy-486',
    result: 'Busy',
    subReason: null,
    ended: { statusCode: 486, endedBy: 'far' },
    events: 'sent ended',
    wire: '>INVITE <486 >ACK',
  },
  {
    name: 'busy after ringing',
    scenario: 'busy-486-after-ringing',
    far: { pauseMs: 100 },
    result: 'Busy',
    subReason: null,
    ended: { statusCode: 486, endedBy: 'far' },
    events: 'sent alerting ended',
    wire: '>INVITE <180 <486 >ACK',
  },
  {
    name: 'busy as a gateway says it: 480 with cause 17 in Reason',
    scenario: 'reason-q850-17',
    result: 'Busy',
    subReason: null,
    ended: { statusCode: 480, endedBy: 'far' },
    events: 'sent ended',
    wire: '>INVITE <480 >ACK',
  },
  {
    name: 'no answer within our ring time is taken back by CANCEL',
    scenario: 'no-answer-until-cancel',
    dial: { ringTimeoutMs: 300 },
    result: 'NoAnswer',
    subReason: 'ring_timeout',
    ended: { statusCode: 487, endedBy: 'dialer' },
    events: 'sent alerting ended',
    wire: '>INVITE <180 >CANCEL <200 <487 >ACK',
  },
  {
    name: 'an answer that crosses our CANCEL is acknowledged and ended, and stays no answer',
    scenario: 'cancel-crossing-200',
    dial: { ringTimeoutMs: 300 },
    result: 'NoAnswer',
    subReason: 'ring_timeout',
    ended: { statusCode: 200, endedBy: 'dialer' },
    events: 'sent alerting answered ended',
    wire: '>INVITE <180 >CANCEL <200 <200 >ACK >BYE <200',
  },
  {
    name: 'nobody to be reached',
    scenario: 'reject-480',
    result: 'NoAnswer',
    subReason: 'absent',
    ended: { statusCode: 480, endedBy: 'far' },
    events: 'sent ended',
    wire: '>INVITE <480 >ACK',
  },
  {
    name: 'no such number',
    scenario: 'reject-404',
    result: 'InvalidAddress',
    subReason: 'unallocated',
    ended: { statusCode: 404, endedBy: 'far' },
    events: 'sent ended',
    wire: '>INVITE <404 >ACK',
  },
  {
    name: 'a 503 of the network is the network, not our trunk timing out',
    scenario: 'reject-503',
    result: 'CallFailed',
    subReason: 'congestion',
    ended: { statusCode: 503, endedBy: 'far' },
    events: 'sent ended',
    wire: '>INVITE <503 >ACK',
  },
  {
    name: 'declined by a person',
    scenario: 'reject-603',
    result: 'Busy',
    subReason: 'declined',
    ended: { statusCode: 603, endedBy: 'far' },
    events: 'sent ended',
    wire: '>INVITE <603 >ACK',
  },
  {
    name: 'blocked by analytics, said as a 603 with the phrase Network Blocked',
    scenario: 'network-blocked-603',
    result: 'CallFailed',
    subReason: 'blocked_by_analytics',
    ended: { statusCode: 603, endedBy: 'far' },
    events: 'sent ended',
    wire: '>INVITE <603 >ACK',
  },
  {
    name: 'unwanted, says the person',
    scenario: 'reject-607',
    result: 'CallFailed',
    subReason: 'unwanted',
    ended: { statusCode: 607, endedBy: 'far' },
    events: 'sent ended',
    wire: '>INVITE <607 >ACK',
  },
  {
    name: 'blocked by analytics, said as 608',
    scenario: 'reject-608',
    result: 'CallFailed',
    subReason: 'blocked_by_analytics',
    ended: { statusCode: 608, endedBy: 'far' },
    events: 'sent ended',
    wire: '>INVITE <608 >ACK',
  },
  ...([401, 407] as const).map((statusCode) => ({
    name: `challenged by ${statusCode}, the INVITE goes out again with a digest, in one attempt`,
    scenario: `challenge-${statusCode}`,
    result: 'Undetermined' as const,
    subReason: 'not_classified' as const,
    ended: { statusCode: 200, endedBy: 'dialer' as const, invites: 2 },
    events: ANSWERED,
    wire: `>INVITE <${statusCode} >ACK ${RING_AND_ANSWER} >BYE <200`,
  })),
  {
    name: 'audio before the answer is told apart from ringing',
    scenario: 'early-media-183',
    far: { pauseMs: 200 },
    result: 'Undetermined',
    subReason: 'not_classified',
    ended: { statusCode: 200, endedBy: 'dialer' },
    events: 'sent alerting earlyMedia answered played ended',
    wire: '>INVITE <183 <200 >ACK >BYE <200',
  },
  {
    name: 'a second 180 changes nothing',
    scenario: 'second-180',
    far: { pauseMs: 100 },
    result: 'Undetermined',
    subReason: 'not_classified',
    ended: { statusCode: 200, endedBy: 'dialer' },
    events: ANSWERED,
    wire: '>INVITE <180 <200 >ACK >BYE <200',
  },
  {
    name: 'a 200 without SDP is no answer: it is acknowledged and ended',
    scenario: 'answer-without-sdp',
    result: 'CallFailed',
    subReason: 'media_incompatible',
    ended: { statusCode: 200, endedBy: 'gateway' },
    events: 'sent alerting ended',
    wire: `${RING_AND_ANSWER} >BYE <200`,
  },
];

/** Rows of docs/features.md that these results prove. */
const ID_OF_RESULT: Readonly<Partial<Record<Result, string>>> = {
  Busy: '[OUT-05] ',
  NoAnswer: '[OUT-05] ',
  InvalidAddress: '[OUT-05] ',
};

/** The ladder of a trace, each message once: a retransmission is the same bytes again. */
function ladderOf(messages: readonly SippMessage[]): string {
  const seen = new Set<string>();
  const steps: string[] = [];
  for (const { direction, startLine, text } of messages) {
    const key = `${direction} ${text}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const [first = '', second = ''] = startLine.split(' ');
    steps.push(`${direction === 'received' ? '>' : '<'}${first === 'SIP/2.0' ? second : first}`);
  }
  return steps.join(' ');
}

/** `*` stands for anything, also for nothing. */
function pattern(text: string): RegExp {
  const escaped = text.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${escaped.join('.*')}$`);
}

function eventTypes(events: readonly { readonly type: string }[]): string {
  return events.map(({ type }) => type.replace('attempt.', '')).join(' ');
}

/**
 * Fails unless, soon after an attempt's end, nothing of any attempt is left in the gateway. An
 * endpoint is freed when its BYE is answered, so this is awaited, not looked at once.
 */
async function endsAtRest(t: Test, rig: DialingRig, withinMs = 3_000): Promise<void> {
  const endAtMs = performance.now() + withinMs;
  for (;;) {
    const { attemptsInFlight, attemptsReleasing, dialogsEnding, endpointsInCalls } =
      rig.gateway.gauges;
    const left = { attemptsInFlight, attemptsReleasing, dialogsEnding, endpointsInCalls };
    const isAtRest = Object.values(left).every((count) => count === 0);
    if (isAtRest || performance.now() > endAtMs) {
      t.ok(isAtRest, `nothing is left: ${JSON.stringify(left)}`);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function startFarEnd(t: Test, options: SippOptions): Promise<SippFarEnd> {
  const farEnd = await SippFarEnd.start(options);
  t.teardown(() => farEnd.stop());
  return farEnd;
}

t.test('an independent far end', async (t) => {
  const farEnds = await Promise.all(
    behaviours.map(({ scenario, far }) => startFarEnd(t, { scenario, ...far })),
  );
  const rig = await DialingRig.start({
    trunks: behaviours.map(({ far }, index) => ({
      name: `far-end-${index}`,
      address: `${farEnds[index]?.uri ?? ''};transport=${far?.protocol ?? 'udp'}`,
      username: 'ringfence',
      password: 'open sesame',
    })),
  });
  t.teardown(() => rig.stop());

  for (const [index, behaviour] of behaviours.entries()) {
    const { name, dial, ended } = behaviour;
    const id = ID_OF_RESULT[behaviour.result];
    await t.test(`${id ?? ''}${name}`, async (t) => {
      const farEnd = farEnds[index];
      if (farEnd === undefined) throw new Error('no far end');
      const outcome = await rig.dialToEnd({ trunk: `far-end-${index}`, ...dial });
      const wire = pattern(behaviour.wire);
      const trace = await farEnd
        .untilMessages((messages) => wire.test(ladderOf(messages)), 5_000)
        .catch(() => farEnd.messages());

      t.equal(outcome.result, behaviour.result);
      t.equal(outcome.subReason, behaviour.subReason);
      t.match(eventTypes(outcome.events), pattern(behaviour.events));
      t.match(ladderOf(trace), wire);
      t.match(outcome.evidence.ended, {
        sip: { statusCode: ended.statusCode, origin: 'network' },
        endedBy: ended.endedBy,
        invites: ended.invites ?? 1,
      });
      t.equal((await farEnd.callIds()).size, 1, 'one Call-ID for one attempt');
      await endsAtRest(t, rig);
      if (!t.passing()) t.comment(JSON.stringify({ ...outcome, farEnd: await farEnd.errors() }));
    });
  }

  await t.test('the redress of a block is kept from either form', async (t) => {
    for (const scenario of ['network-blocked-603', 'reject-608']) {
      const index = behaviours.findIndex((behaviour) => behaviour.scenario === scenario);
      const outcome = await rig.dialToEnd({ trunk: `far-end-${index}` });
      t.match(outcome.redress, /block\.example\.test/, scenario);
    }
  });

  await t.test('an answer that crossed our CANCEL is noted as late', async (t) => {
    const index = behaviours.findIndex(({ scenario }) => scenario === 'cancel-crossing-200');
    const outcome = await rig.dialToEnd({ trunk: `far-end-${index}`, ringTimeoutMs: 300 });
    t.same(outcome.warnings, ['answered_late']);
  });
});

/** A far end behind a relay; its Contact names the relay, so that ACK and BYE take that way too. */
async function startBehindRelay(
  t: Test,
  relayOptions: Omit<FaultRelayOptions, 'target'>,
  far: SippOptions,
): Promise<{ farEnd: SippFarEnd; relay: FaultRelay; address: string }> {
  const relay = await FaultRelay.open(relayOptions);
  t.teardown(() => relay.close());
  const farEnd = await startFarEnd(t, { ...far, advertisedPort: relay.port });
  relay.setTarget(farEnd);
  return { farEnd, relay, address: `sip:${relay.host}:${relay.port}` };
}

/** For a relay's `drop`: the first datagram that starts like this and names this CSeq method. */
function firstOf(start: string, cseqMethod: string): (datagram: Buffer) => boolean {
  let isDropped = false;
  return (datagram) => {
    const text = datagram.toString('latin1');
    if (isDropped || !text.startsWith(start)) return false;
    isDropped = new RegExp(`^CSeq: *\\d+ ${cseqMethod}\\r?$`, 'm').test(text);
    return isDropped;
  };
}

t.test('what is lost or doubled on the wire', async (t) => {
  const lostAck = await startBehindRelay(
    t,
    { seed: 1, toTarget: { drop: firstOf('ACK ', 'ACK') } },
    { scenario: 'answer' },
  );
  const lost200 = await startBehindRelay(
    t,
    { seed: 1, toClient: { drop: firstOf('SIP/2.0 200', 'INVITE') } },
    { scenario: 'answer' },
  );
  const forked = await startFarEnd(t, { scenario: 'forked-answer' });
  const rig = await DialingRig.start({
    trunks: [
      { name: 'lost-ack', address: lostAck.address },
      { name: 'lost-200', address: lost200.address },
      { name: 'forked', address: forked.uri },
    ],
  });
  t.teardown(() => rig.stop());
  const outlastingT1 = ['tone_stream://%(1500,0,440)'];

  await t.test('a lost ACK: the repeated 200 is acknowledged again', async (t) => {
    const outcome = await rig.dialToEnd({ trunk: 'lost-ack', prompts: outlastingT1 });
    const trace = await lostAck.farEnd.messages();
    const answers = trace.filter(
      ({ startLine, text }) => startLine === 'SIP/2.0 200 OK' && /^CSeq: \d+ INVITE/m.test(text),
    );
    t.equal(lostAck.relay.counters.toTarget.dropped, 1);
    t.ok(answers.length >= 2, 'the far end repeated its 200');
    t.equal(ladderOf(trace), `${RING_AND_ANSWER} >BYE <200`);
    t.equal(outcome.subReason, 'not_classified');
    t.equal(eventTypes(outcome.events), ANSWERED, 'one answer, however often it was said');
  });

  await t.test('a lost 200: the repeated one is the answer', async (t) => {
    const outcome = await rig.dialToEnd({ trunk: 'lost-200' });
    t.equal(lost200.relay.counters.toClient.dropped, 1);
    t.equal(ladderOf(await lost200.farEnd.messages()), `${RING_AND_ANSWER} >BYE <200`);
    t.equal(outcome.subReason, 'not_classified');
    const answered = outcome.events.find(({ type }) => type === 'attempt.answered');
    t.match(answered, { afterSentMs: Number });
    t.ok(Number(answered && 'afterSentMs' in answered && answered.afterSentMs) >= 400, 'after T1');
  });

  await t.test('of two forked answers one is kept and the other ended', async (t) => {
    const outcome = await rig.dialToEnd({ trunk: 'forked' });
    const tags = (await forked.messages())
      .filter(({ startLine }) => startLine.startsWith('BYE '))
      .map(({ text }) => /^To:.*tag=(first|second)/im.exec(text)?.[1]);
    // drachtio-server acknowledges a second answer as if it were the first, and ends neither.
    if (rig.switch.isEmbedded) t.same(new Set(tags), new Set(['first', 'second']));
    else t.same(new Set(tags), new Set(['first']));
    t.equal(outcome.subReason, 'not_classified');
    t.equal(outcome.events.filter(({ type }) => type === 'attempt.answered').length, 1);
  });

  await endsAtRest(t, rig);
});

t.test('20 % of the datagrams lost in each direction, 50 attempts', async (t) => {
  const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 2 ** 31);
  t.comment(`seed ${seed}: replay with TEST_SEED=${seed}`);
  const { farEnd, relay, address } = await startBehindRelay(
    t,
    { seed, toTarget: { lossRatio: 0.2 }, toClient: { lossRatio: 0.2 } },
    { scenario: 'answer-over-loss', ignoreUnexpected: true, pauseMs: 200 },
  );
  const rig = await DialingRig.start({
    t1Ms: 100, // repeats come sooner than on a real wire, and timer B after 6.4 s
    trunks: [{ name: 'lossy', address }],
  });
  t.teardown(() => rig.stop());
  const outcomes = await Promise.all(
    Array.from({ length: 50 }, () => rig.dialToEnd({ trunk: 'lossy', setupTimeoutMs: 20_000 })),
  );
  const trace = await farEnd.messages();
  /** Call-IDs that the far end saw a message of, by its own trace. */
  const seenIn = (start: RegExp): Set<string> =>
    new Set(
      trace
        .filter(({ text }) => start.test(text))
        .map(({ text }) => /^Call-ID: *(.+?)\s*$/im.exec(text)?.[1] ?? ''),
    );
  const rung = seenIn(/^INVITE /);
  const acknowledged = seenIn(/^ACK /);
  for (const { attemptId, result, subReason, evidence } of outcomes) {
    const callId = evidence.sent?.callId ?? '';
    const said = `${attemptId} of seed ${seed}: ${result}/${subReason ?? ''}`;
    if (evidence.answered === null) {
      const heardNothing = evidence.alerting === null;
      t.equal(subReason, heardNothing ? 'trunk_timeout' : 'ring_timeout', said);
      t.notOk(acknowledged.has(callId), `${said}, and no ACK reached the far end`);
    } else {
      t.equal(subReason, 'not_classified', said);
      t.ok(rung.has(callId), `${said}, and it rang there`);
    }
    t.equal(evidence.ended?.invites, 1, said);
  }
  const answered = outcomes.filter(({ evidence }) => evidence.answered !== null);
  t.ok(answered.length >= 45, `${answered.length} of 50 answered in spite of the loss`);
  t.ok(relay.counters.toTarget.dropped > 10 && relay.counters.toClient.dropped > 10);
  t.ok((await farEnd.callIds()).size <= 50, 'no attempt was dialled twice');
  await endsAtRest(t, rig, 15_000);
});

t.test('a trunk that is not there', async (t) => {
  // T1 of 50 ms: timer B is 3.2 s instead of 32 s, and everything else is as it is.
  const silent = await startFarEnd(t, { scenario: 'silent' });
  const closedPort = await freeUdpPort();
  const rig = await DialingRig.start({
    t1Ms: 50,
    trunks: [
      { name: 'silent', address: silent.uri },
      { name: 'closed', address: `sip:127.0.0.1:${closedPort}` },
      { name: 'closed-tcp', address: `sip:127.0.0.1:${closedPort};transport=tcp` },
    ],
  });
  t.teardown(() => rig.stop());

  await t.test('[OUT-06] a silent peer is a trunk that timed out, not no answer', async (t) => {
    const outcome = await rig.dialToEnd({ trunk: 'silent' });
    t.equal(outcome.result, 'CallFailed');
    t.equal(outcome.subReason, 'trunk_timeout');
    t.match(outcome.evidence.ended?.sip, { statusCode: 408, origin: 'stack' });
    t.equal(eventTypes(outcome.events), 'sent ended');
    const received = (await silent.messages()).length;
    // Seven by RFC 3261 §17.1.1.2; on a busy machine the last falls together with timer B.
    t.ok(received === 6 || received === 7, `${received} INVITEs`);
  });

  for (const trunk of ['closed', 'closed-tcp']) {
    await t.test(`[OUT-06] nobody listening is the same (${trunk})`, async (t) => {
      const startedAtMs = performance.now();
      const outcome = await rig.dialToEnd({ trunk });
      t.equal(outcome.result, 'CallFailed');
      t.equal(outcome.subReason, 'trunk_timeout');
      t.match(outcome.evidence.ended?.sip, { statusCode: 503, origin: 'stack' });
      t.ok(performance.now() - startedAtMs < 1_000, 'known at once, not after timer B');
    });
  }

  await endsAtRest(t, rig);
});
