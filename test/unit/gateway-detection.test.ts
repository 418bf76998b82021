/**
 * Goal: what is heard of a customer is told and acted on by the gateway alone: who answered, when the
 * greeting is over, that nobody was connected in time, that somebody wants no more calls.
 */
import t from 'tap';
import type { Detection, Failsafe } from '../../machines/telephony-commands.ts';
import type { AnswerVerdict } from '../../machines/telephony-events.ts';
import { AttemptBench, type FakeListening } from '../support/attempt-bench.ts';
import { askInDialog, FAR_SDP } from '../support/fake-srf.ts';

const DETECTION: Detection = { mode: 'beforeConnect', limitMs: 3_000, initialSilenceMs: 2_500 };
const FAILSAFE: Failsafe = {
  ...{ clockFrom: 'greetingEnd', connectWithinMs: 1_800, ceilingAfterAnswerMs: 8_000 },
  ...{ promptId: 'sorry', optOutDigits: '9' },
};
const AGENT = { kind: 'aiAgent', sipUri: 'sip:agent@192.0.2.20', setupTimeoutMs: 4_000 } as const;
const ANSWERED_AT_MS = 5_000;

/** An answered attempt, its clock at the answer. */
class Answered {
  readonly bench: AttemptBench;
  #seq = 1;

  static async start(
    dial: { detection?: Detection; failsafe?: Failsafe } = { detection: DETECTION },
  ): Promise<Answered> {
    const bench = await AttemptBench.start();
    bench.dial(dial);
    bench.invite().echo();
    bench.invite().provisional(180);
    bench.clock.advanceTo(ANSWERED_AT_MS);
    bench.invite().answer();
    await bench.settle();
    return new Answered(bench);
  }

  private constructor(bench: AttemptBench) {
    this.bench = bench;
  }

  get listening(): FakeListening {
    const listening = this.bench.listenings.at(-1);
    if (listening === undefined) throw new Error('nothing is listened for');
    return listening;
  }

  get endpoint() {
    return this.bench.endpoint();
  }

  /** Of the events told since the answer, without `attempt.`. */
  get told(): string[] {
    return this.bench.told.slice(this.bench.told.indexOf('answered') + 1);
  }

  event(type: string) {
    return this.bench.events.findLast((event) => event.type === `attempt.${type}`);
  }

  /** Ms since the answer. */
  async at(ms: number): Promise<void> {
    this.bench.clock.advanceTo(ANSWERED_AT_MS + ms);
    await this.bench.settle();
  }

  classify(verdict: AnswerVerdict, agoMs = 0): void {
    const humanProbability = verdict === 'machine' ? 0.02 : 0.97;
    const evidence = { longestSpeechMs: 640 };
    this.listening.hear({ type: 'classified', agoMs, verdict, humanProbability, evidence });
  }

  command(body: Parameters<AttemptBench['command']>[0]) {
    this.#seq += 1;
    return this.bench.command(body, { seq: this.#seq });
  }

  async play(more: { when?: 'afterGreeting'; optOutDigits?: string; optOutPrompt?: string } = {}) {
    const play = { playId: 'p', prompts: ['message'], ...more };
    const reply = this.command({ type: 'attempt.play', ...play });
    await this.bench.settle();
    return reply;
  }

  get plays(): string[] {
    return this.endpoint.plays.map(({ files }) => files.join().replace(/.*\/|\.wav/g, ''));
  }

  /** The media server has played the last of what it was told to play to its end. */
  async playedToEnd(): Promise<void> {
    this.endpoint.plays.at(-1)?.end({ kind: 'done', value: { getHeader: () => 'FILE PLAYED' } });
    await this.bench.settle();
  }
}

t.test('[OUT-21] who answered is told with its evidence, and when the speech ended', async (t) => {
  const call = await Answered.start();
  t.same(call.listening.ordered, { answer: { limitMs: 3_000, initialSilenceMs: 2_500 } });
  await call.at(400);
  call.listening.hear({ type: 'speechStarted', agoMs: 60 });
  await call.at(1_500);
  call.classify('human', 20);
  call.listening.hear({ type: 'greetingEnded', agoMs: 500 });
  t.same(call.told, ['classified', 'greetingEnded']);
  t.match(call.event('classified'), {
    ...{ verdict: 'human', humanProbability: 0.97, afterAnswerMs: 1_480 },
    speechAfterAnswerMs: 340,
    evidence: { longestSpeechMs: 640 },
  });
  t.match(call.event('greetingEnded'), { afterAnswerMs: 1_000 });
  call.listening.hear({ type: 'beep', agoMs: 300, frequencyHz: 1_000 });
  t.match(call.event('beep'), { afterAnswerMs: 1_200 });
  call.classify('machine');
  t.equal(call.told.filter((type) => type === 'classified').length, 1, 'one verdict');
  call.command({ type: 'attempt.hangup', reason: 'completed' });
  t.ok(call.listening.stopped, 'the tap ends with the call');
  call.listening.hear({ type: 'greetingEnded', agoMs: 0 });
  t.equal(call.told.at(-1), 'ended', 'and nothing is told after it');
});

t.test('nothing is tapped without being asked for', async (t) => {
  const call = await Answered.start({});
  t.equal(call.bench.listenings.length, 0);
});

t.test('a call whose audio cannot be heard is undecided, told after the answer', async (t) => {
  const call = await Answered.start();
  call.listening.hear({ type: 'deaf', problem: 'uuid_record: -ERR' });
  t.match(call.event('classified'), {
    verdict: 'unknown',
    evidence: { problem: 'uuid_record: -ERR' },
  });
  const silent = await Answered.start();
  await silent.at(7_000);
  t.match(silent.event('classified'), { verdict: 'unknown', afterAnswerMs: 7_000 });
  t.match(silent.event('classified'), { evidence: { problem: 'no verdict within 7000 ms' } });
});

t.test('early media is listened to, and its verdicts told until the answer', async (t) => {
  const bench = await AttemptBench.start();
  bench.dial({ detection: DETECTION });
  bench.invite().echo();
  bench.clock.advanceTo(100);
  bench.invite().provisional(183, FAR_SDP);
  await bench.settle();
  const [listening] = bench.listenings;
  t.same(listening?.ordered, { earlyMedia: true });
  bench.clock.advanceTo(2_400);
  listening?.hear(
    { type: 'earlyMedia', verdict: 'ringback' },
    { type: 'earlyMedia', verdict: 'busy' },
  );
  t.same(bench.told, ['sent', 'alerting', 'earlyMedia', 'earlyMedia', 'earlyMedia']);
  t.match(bench.events.at(-1), { statusCode: 183, verdict: 'busy', afterSentMs: 2_400 });
  bench.invite().answer();
  await bench.settle();
  t.equal(bench.listenings.length, 1, 'the same tap goes on');
  t.same(listening?.ordered, { answer: { limitMs: 3_000, initialSilenceMs: 2_500 } });
  listening?.hear({ type: 'earlyMedia', verdict: 'reorder' });
  t.equal(bench.told.at(-1), 'answered', 'too late to matter');

  const deaf = await AttemptBench.start();
  deaf.dial({ detection: DETECTION });
  deaf.invite().echo();
  deaf.invite().provisional(183, FAR_SDP);
  deaf.listenings[0]?.hear({ type: 'deaf', problem: 'no folder' });
  deaf.invite().answer();
  await deaf.settle();
  t.same(deaf.told.slice(-2), ['answered', 'classified'], 'not before the answer was told');
});

t.test('the tap rests once somebody is connected, but not before the verdict', async (t) => {
  const call = await Answered.start({ detection: { ...DETECTION, mode: 'alongside' } });
  const { bench } = call;
  call.command({ type: 'attempt.connect', connectId: 'c', target: AGENT });
  await bench.makeEndpoints();
  bench.invite(1).echo();
  await call.at(300);
  bench.invite(1).answer();
  await bench.settle();
  t.match(call.event('connected'), { afterGreetingEndMs: null });
  t.notOk(call.listening.stopped, 'the verdict is still awaited');
  await call.at(1_500);
  call.classify('human');
  t.ok(call.listening.stopped);

  const later = await Answered.start();
  await later.at(1_000);
  later.classify('human');
  later.listening.hear({ type: 'greetingEnded', agoMs: 400 });
  later.command({ type: 'attempt.connect', connectId: 'c', target: AGENT });
  await later.bench.makeEndpoints();
  later.bench.invite(1).echo();
  await later.at(1_200);
  later.bench.invite(1).answer();
  await later.bench.settle();
  t.match(later.event('connected'), { afterAnswerMs: 1_200, afterGreetingEndMs: 600 });
  t.ok(later.listening.stopped);
});

t.test('[DM-31] [DM-32] nobody connected in time: the message at once, then the end', async (t) => {
  const call = await Answered.start({ detection: DETECTION, failsafe: FAILSAFE });
  await call.at(1_600);
  call.classify('human');
  call.listening.hear({ type: 'greetingEnded', agoMs: 600 });
  await call.at(2_799);
  t.same(call.plays, []);
  await call.at(2_800);
  t.same(call.plays, ['sorry'], '1.8 s after the end of the speech, not after its news');
  t.match(call.event('connectFailed'), { reason: 'failsafe', connectId: null });
  t.match(await call.play(), { accepted: false }, 'nobody else speaks now');
  t.match(
    call.command({ type: 'attempt.connect', connectId: 'c', target: AGENT }),
    { accepted: false },
    'nor is connected',
  );
  await call.at(6_000);
  await call.playedToEnd();
  await call.at(8_999);
  t.notOk(call.bench.ended, 'time to press the digit that was named last');
  await call.at(9_000);
  t.same(call.told.slice(-3), ['connectFailed', 'played', 'ended']);
  t.match(call.event('played'), { playId: 'failsafe', status: 'done', playedMs: 3_200 });
  t.match(call.bench.ended, { endedBy: 'gateway', answered: true });
});

const starts: {
  name: string;
  failsafe?: Partial<Failsafe>;
  verdict?: AnswerVerdict;
  dueMs: number;
}[] = [
  { name: 'from the answer', failsafe: { clockFrom: 'answer' }, dueMs: 1_800 },
  { name: 'silence has no greeting that ends', verdict: 'silence', dueMs: 2_500 + 1_800 },
  { name: 'a greeting without end: the ceiling', verdict: 'unknown', dueMs: 8_000 },
  { name: 'the ceiling, before any verdict', failsafe: { ceilingAfterAnswerMs: 900 }, dueMs: 900 },
];
for (const { name, failsafe, verdict, dueMs } of starts) {
  t.test(`[DM-31] the abandonment clock: ${name}`, async (t) => {
    const call = await Answered.start({
      detection: DETECTION,
      failsafe: { ...FAILSAFE, ...failsafe },
    });
    if (verdict !== undefined) {
      await call.at(2_500);
      call.classify(verdict);
    }
    await call.at(dueMs - 1);
    t.same(call.plays, []);
    await call.at(dueMs);
    t.same(call.plays, ['sorry']);
  });
}

t.test('without detection the clock runs from the answer', async (t) => {
  const call = await Answered.start({ failsafe: FAILSAFE });
  await call.at(1_800);
  t.same(call.plays, ['sorry']);
});

t.test('a connect stops the clock for good; one that is under way is given up', async (t) => {
  const call = await Answered.start({ failsafe: FAILSAFE });
  const { bench } = call;
  call.command({ type: 'attempt.connect', connectId: 'c', target: AGENT });
  await bench.makeEndpoints();
  bench.invite(1).echo();
  bench.invite(1).answer();
  await bench.settle();
  await call.at(9_000);
  t.same(call.told, ['connected']);

  const late = await Answered.start({ failsafe: FAILSAFE });
  late.command({ type: 'attempt.connect', connectId: 'c', target: AGENT });
  await late.bench.makeEndpoints();
  late.bench.invite(1).echo();
  await late.at(1_800);
  t.same(late.told, ['connectFailed']);
  t.match(late.event('connectFailed'), { connectId: 'c', reason: 'failsafe' });
  t.ok(late.bench.invite(1).request.cancelled === 1, 'the agent hears a CANCEL');
  t.same(late.plays, ['sorry']);
});

t.test('what is played when the clock runs out gives way to the message', async (t) => {
  const call = await Answered.start({ failsafe: { ...FAILSAFE, optOutDigits: '' } });
  await call.play();
  await call.at(1_800);
  t.equal(call.endpoint.breaks, 1);
  t.same(call.plays, ['message', 'sorry']);
  t.same(call.told, ['connectFailed', 'played']);
  t.match(call.event('played'), { playId: 'p', status: 'stopped', playedMs: 1_800 });
  await call.playedToEnd();
  t.same(call.told.slice(2), ['played', 'ended'], 'no digit is offered: no time for one');
});

for (const verdict of ['machine', 'fax', 'sit'] as const) {
  t.test(`no message for a ${verdict}: it is hung up at the ceiling`, async (t) => {
    const call = await Answered.start({ detection: DETECTION, failsafe: FAILSAFE });
    await call.at(2_000);
    call.classify(verdict);
    call.listening.hear({ type: 'greetingEnded', agoMs: 500 });
    await call.at(7_999);
    t.same(call.told, ['classified', 'greetingEnded']);
    await call.at(8_000);
    t.same(call.told.slice(2), ['ended']);
    t.match(call.bench.ended, { endedBy: 'gateway' });
    t.same(call.plays, []);
  });
}

t.test('[DM-27] a text begins after the beep and is said whole', async (t) => {
  const call = await Answered.start({ detection: DETECTION, failsafe: FAILSAFE });
  await call.at(2_000);
  call.classify('machine');
  t.match(await call.play({ when: 'afterGreeting' }), { accepted: true });
  t.match(call.listening.ordered, { answer: {}, voice: true }, 'the greeting is followed');
  call.listening.hear({ type: 'voice', speaking: true, agoMs: 60 });
  await call.at(6_000);
  call.listening.hear({ type: 'voice', speaking: false, agoMs: 300 });
  call.listening.hear({ type: 'greetingEnded', agoMs: 600 });
  await call.at(7_200);
  t.same(call.plays, [], 'a beep may come');
  call.listening.hear({ type: 'beep', agoMs: 420, frequencyHz: 1_000 });
  await call.at(7_449);
  t.same(call.plays, []);
  await call.at(7_450);
  t.same(call.plays, ['message'], 'a quarter of a second after it');
  await call.at(12_450);
  t.notOk(call.bench.ended, 'the ceiling cuts no text short');
  await call.playedToEnd();
  t.match(call.event('played'), { playId: 'p', status: 'done', playedMs: 5_000 });
  await call.at(17_449);
  t.notOk(call.bench.ended);
  await call.at(17_450);
  t.match(call.bench.ended, { endedBy: 'gateway' }, 'a dialer that says nothing more is dead');
});

t.test('[DM-27] without a beep it begins after a silence', async (t) => {
  const call = await Answered.start();
  await call.at(4_000);
  call.classify('machine');
  call.listening.hear({ type: 'greetingEnded', agoMs: 600 });
  await call.at(5_000);
  await call.play({ when: 'afterGreeting' });
  await call.at(5_899);
  t.same(call.plays, []);
  await call.at(5_900);
  t.same(call.plays, ['message'], '2.5 s after the end of the speech');
});

t.test('[DM-27] a greeting that goes on begins the text anew', async (t) => {
  const call = await Answered.start();
  call.classify('machine');
  await call.play({ when: 'afterGreeting' });
  call.listening.hear({ type: 'voice', speaking: false, agoMs: 0 });
  await call.at(2_500);
  t.same(call.plays, ['message']);
  call.listening.hear({ type: 'voice', speaking: true, agoMs: 60 });
  await call.at(2_900);
  call.listening.hear({ type: 'voice', speaking: false, agoMs: 300 });
  await call.at(3_500);
  t.equal(call.endpoint.breaks, 0, 'a cough is no greeting');
  call.listening.hear({ type: 'voice', speaking: true, agoMs: 60 });
  await call.at(4_200);
  t.equal(call.endpoint.breaks, 1);
  await call.at(5_000);
  call.listening.hear({ type: 'voice', speaking: false, agoMs: 300 });
  call.listening.hear({ type: 'beep', agoMs: 300, frequencyHz: 1_000 });
  await call.at(5_250);
  t.same(call.plays, ['message', 'message']);
  await call.at(8_250);
  await call.playedToEnd();
  t.match(call.event('played'), { status: 'done', playedMs: 3_000 }, 'of the one that was heard');
  t.equal(call.told.filter((type) => type === 'played').length, 1);
});

t.test('a text for a greeting that never ends, or is never heard, has failed', async (t) => {
  const endless = await Answered.start();
  endless.classify('machine');
  await endless.play({ when: 'afterGreeting' });
  endless.listening.hear({ type: 'voice', speaking: true, agoMs: 0 });
  await endless.at(60_000);
  t.match(endless.event('played'), { status: 'failed', playedMs: 0 });
  const deaf = await Answered.start();
  deaf.classify('machine');
  await deaf.play({ when: 'afterGreeting' });
  deaf.listening.hear({ type: 'deaf', problem: 'gone' });
  await deaf.bench.settle();
  t.match(deaf.event('played'), { status: 'failed', playedMs: 0 });
  const left = await Answered.start();
  left.classify('machine');
  await left.play({ when: 'afterGreeting' });
  await left.at(1_000);
  left.bench.invite().bye();
  await left.bench.settle();
  t.same(left.told, ['classified', 'played', 'ended']);
  t.match(left.event('played'), { status: 'stopped', playedMs: 0 });
});

/** The person presses a key, told by RFC 4733, by INFO, or heard as a tone. */
const PRESSES: Record<string, (call: Answered, digit: string) => void> = {
  rtp: (call, digit) => call.endpoint.onDigit?.({ digit, durationMs: 100, source: 'rtp' }),
  info: (call, digit) => {
    const body = `Signal=${digit}\r\nDuration=100`;
    const headers = { 'Content-Type': 'application/dtmf-relay' };
    askInDialog(call.bench.invite(), 'INFO', { headers, body });
  },
  inband: (call, digit) => call.listening.hear({ type: 'digit', digit, durationMs: 100 }),
};

for (const [source, press] of Object.entries(PRESSES)) {
  t.test(`[DM-32] a digit that opts out ends message and call, by ${source}`, async (t) => {
    const call = await Answered.start({ failsafe: { ...FAILSAFE, optOutPrompt: 'done' } });
    await call.at(1_800);
    t.same(call.listening.ordered, { digits: true }, 'tones are listened for while it is offered');
    await call.at(3_000);
    press(call, '5');
    t.same(call.told, ['connectFailed', 'dtmf'], 'another digit is only told');
    press(call, '9');
    await call.bench.settle();
    t.same(call.told.slice(2), ['dtmf', 'optOut', 'played']);
    t.match(call.event('optOut'), { digit: '9', source, playId: null });
    t.match(call.event('played'), { playId: 'failsafe', status: 'stopped', playedMs: 1_200 });
    t.same(call.plays, ['sorry', 'done']);
    t.equal(call.endpoint.breaks, 1);
    await call.playedToEnd();
    t.same(call.told.slice(5), ['played', 'ended']);
    t.match(call.bench.ended, { endedBy: 'gateway' });
  });
}

t.test('a digit opts out of whatever message offered it, and for a moment after', async (t) => {
  const call = await Answered.start({});
  await call.play({ optOutDigits: '0' });
  PRESSES['rtp']?.(call, '9');
  await call.at(4_000);
  await call.playedToEnd();
  await call.at(6_500);
  t.same(call.told, ['dtmf'], 'not told as played while the digit may still come');
  PRESSES['rtp']?.(call, '0');
  await call.bench.settle();
  t.same(call.told, ['dtmf', 'dtmf', 'optOut', 'played', 'ended']);
  t.match(call.event('optOut'), { playId: 'p' });
  t.match(call.event('played'), { status: 'done', playedMs: 4_000 }, 'it had been heard whole');
});

t.test('one press is told once, whichever ways it comes by', async (t) => {
  const call = await Answered.start({});
  await call.play({ optOutDigits: '*' });
  for (const source of ['rtp', 'inband', 'info']) PRESSES[source]?.(call, '1');
  await call.at(400);
  for (const source of ['info', 'rtp', 'rtp', 'inband']) PRESSES[source]?.(call, '2');
  await call.at(5_000);
  PRESSES['inband']?.(call, '1');
  const digits = call.bench.events.flatMap((event) =>
    event.type === 'attempt.dtmf' ? [`${event.digit} ${event.source}`] : [],
  );
  t.same(digits, ['1 rtp', '2 info', '2 rtp', '1 inband'], 'and twice when pressed twice');
});
