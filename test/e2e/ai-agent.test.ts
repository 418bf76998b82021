/**
 * Goal: an answered call is taken by an AI agent and ends as it should, on real sockets: machines on
 * the gateway, the gateway on the embedded switch, the lab's agent, the desk with its HTTP and store.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { AiAgentDesk } from '../../dialer/ai-agents/ai-agent-desk.ts';
import { startAiAgents, type AiAgents } from '../../dialer/http/start-ai-agents.ts';
import type { OpenDatabase } from '../../dialer/store/open-database.ts';
import { openSqlite } from '../../dialer/store/sqlite/open-sqlite.ts';
import { systemClock } from '../../dialer/clock.ts';
import { writeRecordings } from '../../dialer/recordings/recordings.ts';
import { TranscriptionWork } from '../../dialer/recordings/transcription-work.ts';
import { claimStarts } from '../../dialer/tasks/claim-starts.ts';
import { startLab, type Lab } from '../../lab/start-lab.ts';
import type { AiAgentTarget } from '../../machines/telephony-commands.ts';
import { isAttemptEvent, type EventOf, type EventType } from '../../machines/telephony-events.ts';
import type { TranscriptTurn } from '../../machines/transcription.ts';
import { CustomerPhone, type CustomerCall } from '../support/customer-phone.ts';
import { DialingRig, type DialedAttempt } from '../support/dialing-rig.ts';
import { silentLog } from '../support/silent-log.ts';
import { transcriptionConfig } from '../support/speech-to-text.ts';
import { WorkScene } from '../support/work-scene.ts';

t.setTimeout(120_000);

const GREETING_HZ = 700;
const FALLBACK_HZ = 1_200;
const CUSTOMER_HZ = 440;

/** Writes the pitch of what it hears: zero crossings a second, of the loud samples. */
const PITCH_READER = `
  const wav = require('node:fs').readFileSync(process.argv[1]);
  let [loud, crossings, before] = [0, 0, 0];
  for (let at = 44; at + 1 < wav.length; at += 2) {
    const value = wav.readInt16LE(at);
    if (Math.abs(value) < 300) continue;
    loud += 1;
    if (before !== 0 && value > 0 !== before > 0) crossings += 1;
    before = value;
  }
  console.log(process.argv[2], Math.round((crossings / 2 / loud) * 8000));
`;
const TRANSCRIPTION = transcriptionConfig({
  engine: 'command',
  command: [process.execPath, '-e', PITCH_READER, '{file}', '{language}'],
});

interface CallWish {
  readonly attributes?: Readonly<Record<string, string>>;
  readonly transport?: 'udp' | 'tcp';
  readonly target?: Partial<AiAgentTarget>;
  readonly fallbackPrompts?: readonly string[];
  readonly isRecorded?: boolean;
}

/** One call: what the test does as the customer, and what everybody saw of it. */
interface StandCall {
  readonly attemptId: string;
  readonly deliveryId: string;
  readonly customer: CustomerCall;
  readonly dialed: DialedAttempt;
}

class Stand {
  readonly rig: DialingRig;
  readonly lab: Lab;
  readonly phone: CustomerPhone;
  readonly database: OpenDatabase;
  readonly desk: AiAgentDesk;
  readonly escalated: string[] = [];
  readonly #dialed: Map<string, DialedAttempt>;
  readonly #agents: AiAgents;
  readonly #scene: WorkScene;
  readonly #folder: string;
  #calls = 0;

  static async start(): Promise<Stand> {
    const phone = await CustomerPhone.open();
    const lab = await startLab({ host: '127.0.0.1', sipPort: 0, aiAgent: { sipPort: 0 } });
    const folder = mkdtempSync(join(tmpdir(), 'ringfence-agent-'));
    const rig = await DialingRig.start({
      trunks: [{ name: 'customers', address: phone.address }],
      gateway: { recordingsDir: folder, transcription: TRANSCRIPTION },
    });
    const database = await openSqlite({ file: join(folder, 'store.sqlite'), nowMs: Date.now });
    const clock = { nowMs: Date.now() };
    const scene = await WorkScene.open({ database, clock, cap: 500 });
    const escalated: string[] = [];
    const dialed = new Map<string, DialedAttempt>();
    const agents = await startAiAgents({
      ...{ database, nowMs: Date.now, log: silentLog, actor: 'dialer:test' },
      telephony: rig.gateway,
      onEscalated: ({ attemptId }) => escalated.push(attemptId),
      onVerdict: (attemptId, said) =>
        dialed.get(attemptId)?.tell({ type: 'dialer.agentVerdict', ...said }),
    });
    return new Stand({ rig, lab, phone, database, agents, scene, folder, escalated, dialed });
  }

  private constructor(made: {
    rig: DialingRig;
    lab: Lab;
    phone: CustomerPhone;
    database: OpenDatabase;
    agents: AiAgents;
    scene: WorkScene;
    folder: string;
    escalated: string[];
    dialed: Map<string, DialedAttempt>;
  }) {
    this.rig = made.rig;
    this.lab = made.lab;
    this.phone = made.phone;
    this.database = made.database;
    this.desk = made.agents.desk;
    this.escalated = made.escalated;
    this.#dialed = made.dialed;
    this.#agents = made.agents;
    this.#scene = made.scene;
    this.#folder = made.folder;
  }

  /** Claims, dials, and returns when the customer has picked up. */
  async call({ attributes = {}, transport = 'udp', target, ...wish }: CallWish = {}) {
    const { fallbackPrompts = [], isRecorded = false } = wish;
    const scene = this.#scene;
    this.#calls += 1;
    const inputAttributes = { labGreetingHz: String(GREETING_HZ), ...attributes };
    const mobile = `+1206555${1_000 + this.#calls}`;
    await scene.add([{ phones: { mobile }, inputAttributes }]);
    const sipUri = `sip:agent@127.0.0.1:${this.lab.aiAgentSipPort ?? 0};transport=${transport}`;
    const row = await this.database.db
      .updateTable('workstreams')
      .set({ ai_agent: JSON.stringify({ sipUri, fallbackPrompts }) })
      .returningAll()
      .executeTakeFirstOrThrow();
    const { starts } = await claimStarts(
      { ...scene.context(), planAfterAnswer: this.desk.planAfterAnswer(row) },
      {
        ...{ businessUnitId: scene.writer.businessUnitId, engagementId: scene.engagementId },
        ...{ config: scene.config, queue: { kind: 'open' }, startsMax: 1 },
      },
    );
    const [start] = starts;
    if (start === undefined || !('aiAgent' in start.afterAnswer)) throw new Error('no agent');
    const { attemptId, deliveryId } = start;
    const { fallbackPrompts: said } = start.afterAnswer;
    const aiAgent = { ...start.afterAnswer.aiAgent, ...target };
    const answered = this.phone.nextCall();
    const dialed = this.rig.dial({
      ...{ trunk: 'customers', attemptId, aiAgent, fallbackPrompts: said, isRecorded },
    });
    this.#dialed.set(attemptId, dialed);
    return { attemptId, deliveryId, dialed, customer: await answered } satisfies StandCall;
  }

  /** The Result, once everything is over and stored. */
  async outcome({ attemptId, dialed }: StandCall) {
    const output = await dialed.outcome;
    await this.rig.gateway.whenReleased(attemptId);
    await this.desk.settled();
    return output;
  }

  async results({ deliveryId }: StandCall): Promise<Record<string, string>> {
    const rows = await this.database.db
      .selectFrom('delivery_attributes')
      .select(['keyword', 'value'])
      .where('delivery_id', '=', deliveryId)
      .where('type', '=', 'Result')
      .execute();
    return Object.fromEntries(rows.map(({ keyword, value }) => [keyword, value]));
  }

  /** What the agent saw of the last call it had; its record comes after its last words. */
  async agentRecord(count: number) {
    for (;;) {
      const { aiAgentRecords } = await this.lab.report();
      const record = aiAgentRecords[count];
      if (record !== undefined) return record;
    }
  }

  async agentCalls(): Promise<number> {
    return (await this.lab.report()).aiAgentRecords.length;
  }

  async stop(): Promise<void> {
    await this.rig.stop();
    await Promise.all([this.lab.stop(), this.phone.close(), this.#agents.stop()]);
    await this.database.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const stand = await Stand.start();
t.teardown(() => stand.stop());

/** The call's events of one type. */
function told<T extends EventType>({ dialed }: StandCall, type: T): EventOf<T>[] {
  return dialed.events.filter((event) => event.type === type) as unknown as EventOf<T>[];
}

/** One test is one call of the agent's, beginning with how many it had. */
function test(name: string, run: (t: Test, nth: number) => Promise<void>): void {
  void t.test(name, async (t) => run(t, await stand.agentCalls()));
}

for (const transport of ['udp', 'tcp'] as const) {
  test(`[DM-02] over ${transport} the agent speaks first, and no rep is there`, async (t, nth) => {
    const call = await stand.call({ transport });
    await call.customer.media.hears(GREETING_HZ);
    call.customer.media.speak(CUSTOMER_HZ);
    await call.customer.media.until(() => call.customer.media.audioPackets > 60, 'the greeting');
    call.customer.media.hush();
    const { result, subReason } = await stand.outcome(call);
    t.same([result, subReason], ['LiveAnswer', null]);
    t.same(
      call.dialed.events.map(({ type }) => type).filter((type) => type !== 'attempt.alerting'),
      [
        ...['attempt.sent', 'attempt.answered', 'attempt.connected', 'aiAgent.firstUtterance'],
        ...['aiAgent.returned', 'attempt.bridgeEnded', 'attempt.ended'],
      ],
    );
    const [utterance] = told(call, 'aiAgent.firstUtterance');
    t.ok(utterance !== undefined && utterance.afterConnectMs < 2_000, 'its delay was measured');
    t.match(told(call, 'attempt.connected'), [{ target: 'aiAgent', afterGreetingEndMs: null }]);
    t.match(told(call, 'attempt.bridgeEnded'), [{ endedBy: 'target' }]);
    t.equal(await call.customer.ended, 'byeReceived');
    const record = await stand.agentRecord(nth);
    t.match(record, { transport, contextBy: 'inline', endedBy: 'agent' });
    t.ok(record.heardVoiceMs > 0, 'and the agent heard the customer');
    t.match(await stand.results(call), { customerSpoke: 'true' });
  });
}

for (const { size, note } of [
  { size: 'small', note: 'Grüße' },
  { size: 'large', note: 'x'.repeat(900) },
] as const) {
  test(`[OUT-20] a ${size} context is there at the agent's first turn`, async (t, nth) => {
    const call = await stand.call({ attributes: { Note: note, note: 'other' }, transport: 'tcp' });
    await call.customer.media.hears(GREETING_HZ);
    call.customer.hangUp();
    await stand.outcome(call);
    const record = await stand.agentRecord(nth);
    t.equal(record.contextBy, size === 'small' ? 'inline' : 'url');
    t.match(record.attributesAtFirstTurn, { Note: note, note: 'other' }, 'case and script kept');
  });
}

for (const by of ['info', 'bye', 'post'] as const) {
  test(`[OUT-19] [DM-30] the agent hangs up: attributes arrive by ${by}`, async (t, nth) => {
    const call = await stand.call({ attributes: { labReturnBy: by } });
    // It heard nobody, and says so.
    t.match(await stand.outcome(call), { result: 'Undetermined', subReason: 'no_speech' });
    t.match(await stand.results(call), { customerSpoke: 'false' });
    const { returnStatus } = await stand.agentRecord(nth);
    t.equal(returnStatus, by === 'post' ? 204 : 200);
  });
}

for (const by of ['bye', 'post'] as const) {
  test(`[OUT-19] the customer hangs up: attributes arrive by ${by}`, async (t, nth) => {
    const call = await stand.call({ attributes: { labReturnBy: by, labStay: '1' } });
    await call.customer.media.hears(GREETING_HZ);
    call.customer.hangUp();
    t.match(await stand.outcome(call), {
      result: 'LiveAnswer',
      evidence: { ended: { endedBy: 'far' } },
    });
    t.match(told(call, 'attempt.bridgeEnded'), [{ endedBy: 'far' }]);
    t.match(await stand.agentRecord(nth), { endedBy: 'caller' });
    await stand.desk.settled();
    t.match(await stand.results(call), { customerSpoke: 'false' });
  });

  test(`[OUT-19] the agent breaks off: attributes arrive by ${by}`, async (t) => {
    const call = await stand.call({ attributes: { labReturnBy: by, labFailure: 'midCall' } });
    t.match(await stand.outcome(call), { result: 'BotFailed', subReason: 'agent_lost' });
    t.match(await stand.results(call), { customerSpoke: 'false' });
  });
}

test('[OUT-07] an agent that dies mid-call is BotFailed; the customer hears why', async (t) => {
  const fallbackPrompts = [`tone_stream://v=-10;%(600,0,${FALLBACK_HZ})`];
  const call = await stand.call({ attributes: { labFailure: 'midCall' }, fallbackPrompts });
  await call.customer.media.hears(GREETING_HZ);
  await call.customer.media.hears(FALLBACK_HZ);
  t.match(await stand.outcome(call), { result: 'BotFailed', subReason: 'agent_lost', row: 12 });
  t.match(told(call, 'aiAgent.failed'), [{ reason: 'lost', detail: /500 model failure/ }]);
  t.match(told(call, 'attempt.played'), [{ playId: 'fallback', status: 'done' }]);
  t.equal(await call.customer.ended, 'byeReceived');
});

const broken = [
  { name: 'refuses', wish: { attributes: { labFailure: 'setup' } }, reason: 'setup', code: 503 },
  {
    name: 'never says a word',
    wish: { attributes: { labFailure: 'silent' }, target: { firstAudioTimeoutMs: 300 } },
    ...{ reason: 'media', code: null },
  },
  {
    name: 'sends no more audio',
    wish: { attributes: { labFailure: 'vanish' }, target: { audioTimeoutMs: 1_000 } },
    ...{ reason: 'media', code: null },
  },
  {
    name: 'is not there',
    wish: { target: { sipUri: 'sip:agent@127.0.0.1:9;transport=tcp' } },
    ...{ reason: 'setup', code: 503 },
  },
] as const;
for (const { name, wish, reason, code } of broken) {
  test(`[OUT-07] an agent that ${name} is BotFailed, and nobody waits for it`, async (t) => {
    const call = await stand.call(wish);
    t.match(await stand.outcome(call), { result: 'BotFailed', subReason: `agent_${reason}` });
    t.match(told(call, 'aiAgent.failed'), [{ reason, statusCode: code }]);
    t.equal(await call.customer.ended, 'byeReceived');
  });
}

test('escalation by REFER is taken, told, and answered by NOTIFY', async (t, nth) => {
  const call = await stand.call({ attributes: { labEscalate: 'refer' }, transport: 'tcp' });
  const isTold = () => told(call, 'aiAgent.escalated').length > 0;
  await call.customer.media.until(isTold, 'the escalation');
  t.match(told(call, 'aiAgent.escalated'), [
    { by: 'refer', referTo: '<sip:human@ringfence.invalid>' },
  ]);
  call.customer.hangUp();
  t.match(await stand.outcome(call), { result: 'LiveAnswer', evidence: { escalated: {} } });
  t.match(await stand.agentRecord(nth), {
    escalationStatus: 202,
    notified: ['SIP/2.0 100 Trying', 'SIP/2.0 487 Request Terminated'],
  });
});

test('escalation by POST reaches the dialer', async (t, nth) => {
  const call = await stand.call({ attributes: { labEscalate: 'post' } });
  const isTold = () => stand.escalated.includes(call.attemptId);
  await call.customer.media.until(isTold, 'the escalation');
  call.customer.hangUp();
  t.match(await stand.outcome(call), { result: 'LiveAnswer' });
  t.match(await stand.results(call), { reason: 'the customer asked for a human' });
  t.match(await stand.agentRecord(nth), { escalationStatus: 202 });
});

test('[WS-03] a recorded call is transcribed, side by side', async (t) => {
  const { database, rig } = stand;
  await database.db
    .updateTable('workstreams')
    .set({ language: 'de-AT', settings: JSON.stringify({ recording: true, transcription: true }) })
    .execute();
  const work = new TranscriptionWork({
    ...{ database, telephony: rig.gateway, settings: TRANSCRIPTION, clock: systemClock },
    ...{ log: silentLog, actor: 'dialer:test', storeRetryMs: 20, lookEveryMs: 10 },
  });
  t.teardown(() => work.stop());
  work.start();
  const told = new Promise<void>((resolve) => {
    const stop = rig.gateway.subscribe(({ type }) => {
      if (type === 'recording.transcribed') resolve();
    });
    t.teardown(stop);
  });
  t.teardown(
    rig.gateway.subscribe((event) => {
      if (!isAttemptEvent(event)) return;
      void database.db.transaction().execute((tx) => writeRecordings(tx, [event]));
    }),
  );
  const call = await stand.call({ isRecorded: true });
  await database.db
    .updateTable('attempts')
    .set({ gateway_id: 'rig' })
    .where('id', '=', call.attemptId)
    .execute();
  await call.customer.media.hears(GREETING_HZ);
  call.customer.media.speak(CUSTOMER_HZ);
  await call.customer.media.until(() => call.customer.media.audioPackets > 60, 'the greeting');
  call.customer.hangUp();
  await stand.outcome(call);
  await told;
  await work.stop();
  const row = await database.db
    .selectFrom('recordings')
    .selectAll()
    .where('attempt_id', '=', call.attemptId)
    .executeTakeFirstOrThrow();
  t.match(row, { transcription: 'done', transcription_tries: 1, language: 'de-AT' });
  const turns = JSON.parse(row.transcript ?? '') as TranscriptTurn[];
  t.match(turns, [
    { speaker: 'customer', startMs: 0, text: /^de-AT \d+$/ },
    { speaker: 'representative', startMs: 0, text: /^de-AT \d+$/ },
  ]);
  const pitches = turns.map(({ text }) => Number(text.split(' ')[1]));
  for (const [at, hz] of [CUSTOMER_HZ, GREETING_HZ].entries()) {
    const heardHz = pitches[at] ?? 0;
    t.ok(heardHz > hz * 0.9 && heardHz < hz * 1.1, `${heardHz} Hz of ${hz}`);
  }
  for (const { endMs } of turns) t.equal(endMs, row.length_ms);
});

t.test('nothing is left of all these calls', async (t) => {
  t.match(stand.rig.gateway.gauges, {
    ...{ attemptsInFlight: 0, attemptsReleasing: 0, dialogsEnding: 0, endpointsInCalls: 0 },
  });
});
