/**
 * Goal: dialer, gateways and switch in processes of their own, over Redis. Whichever of them dies,
 * and however long Redis is away, each person is called once and no call stays up unattended.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { AiAgent } from '../../lab/ai-agent.ts';
import { decodeWav, encodeWav } from '../../softswitch/media/wav.ts';
import type { Json } from '../support/api-rig.ts';
import { CustomerPhone, type CustomerCall } from '../support/customer-phone.ts';
import { findPlayed, joined, silence, soundEndMs, toneOf } from '../support/recorded-audio.ts';
import type { Failsafe } from '../../machines/telephony-commands.ts';
import type { BusDialerOptions } from '../support/bus-dialer.child.ts';
import { RedisServer } from '../support/redis-server.ts';
import { ServiceProcess } from '../support/service-process.ts';
import { SippFarEnd, type SippMessage } from '../support/sipp.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { TcpRelay } from '../support/tcp-relay.ts';
import { ownScript } from '../support/own-script.ts';

t.setTimeout(300_000);
// They wait for most of their time.
t.jobs = 2;

const CALLS = 8;
const RING_MS = 300;
const WITHIN_MS = 45_000;
const MESSAGE_MS = 1_500;

/** What those heard whom nobody attends to any more. */
const SORRY = speech('agent-greeting');
const HELLO = speech('hello-2');
const AGENT_HZ = 620;
const CUSTOMER_HZ = 1_240;

function speech(name: string): Int16Array {
  return decodeWav(readFileSync(new URL(`../../lab/audio/${name}.wav`, import.meta.url))).pcm;
}

/** Redis is reached through something that can be cut. */
async function processes(t: Test, trunkAddress: string) {
  const redis = await RedisServer.start();
  t.teardown(() => redis.stop());
  const relay = await TcpRelay.to(redis.port);
  t.teardown(() => relay.close());
  const switchProcess = await SwitchProcess.start(t);
  const limits = { channelsMax: 100, callsPerSecondMax: 100 };
  const trunk = { name: 'far', address: trunkAddress, callerId: '+12025550100', ...limits };
  const promptsDir = join(t.testdirName, 'prompts');
  const folder = t.testdir({
    prompts: { 'sorry.wav': encodeWav(SORRY) },
    'ringfence.yaml': JSON.stringify({
      bus: { nodes: [`127.0.0.1:${relay.port}`], heartbeatMs: 300, gatewayLostMs: 3_000 },
      dialer: { stopGraceMs: 0 },
      gateway: { trunks: [trunk], trunkCheckIntervalMs: 0, promptsDir },
    }),
  });
  const start = (only: string, env: Record<string, string>): Promise<ServiceProcess> =>
    ServiceProcess.start(t, {
      args: ['--only', only, '--config', join(folder, 'ringfence.yaml')],
      env: { ...switchProcess.env, ...env },
    });
  return {
    relay,
    gateway: (id: string) => start('gateway', { RINGFENCE_GATEWAY_ID: id }),
    dialer: () => start('dialer', { RINGFENCE_STORE_FILE: join(folder, 'store.db') }),
  };
}

/** With people who answer and say nothing, as many as there are. */
async function install(t: Test, toneMs: number) {
  const scene = { scenario: 'answer', pauseMs: RING_MS, echoRtp: false } as const;
  const farEnd = await SippFarEnd.start(scene);
  t.teardown(() => farEnd.stop());
  const started = await processes(t, farEnd.uri);
  return { ...started, farEnd, engage: (dialer: ServiceProcess) => engage(dialer, toneMs) };
}

/** As many people as calls at once; each hears a tone and is hung up. */
async function engage(dialer: ServiceProcess, toneMs: number): Promise<string> {
  const made = async (path: string, body: Json) => String((await dialer.ask(path, body))['id']);
  const workstreamId = await made('/v1/workstreams', {
    ...{ name: 'Tone', trunk: 'far', number: '+12025550100' },
    settings: { prompts: [`tone_stream://%(${toneMs},0,440)`] },
  });
  const queueId = await made('/v1/queues', { name: 'Always' });
  const mode = { kind: 'copilot', maxConcurrentCalls: CALLS };
  const engagementId = await made('/v1/engagements', {
    ...{ name: 'Live', workstreamId, queueId, config: { mode }, startsSuspended: true },
  });
  for (let n = 0; n < CALLS; n += 1) {
    const phones = { mobile: `+1206555${String(1_000 + n)}` };
    await made('/v1/tasks', { engagementId, contacts: [{ uniqueIdentifier: `P-${n}`, phones }] });
  }
  await dialer.ask(`/v1/engagements/${engagementId}/start`, {});
  return engagementId;
}

t.test('a dialer that is killed is followed by one that finishes its calls', async (t) => {
  const { farEnd, gateway, dialer, engage } = await install(t, 12_000);
  await gateway('gateway-1');
  const first = await dialer();
  await engage(first);
  await farEnd.untilMessages((seen) => withRequest(seen, 'ACK').size === CALLS, WITHIN_MS);
  first.signal('SIGKILL');
  await first.end();
  const second = await dialer();
  t.match(second.said, new RegExp(`${CALLS} open calls, whose gateway is asked`));
  await farEnd.untilMessages((seen) => withRequest(seen, 'BYE').size === CALLS, WITHIN_MS);
  // Who answered as it died, before anything was ordered, heard the gateway: that counts as abandoned.
  const results = new Set(await resultsOf(second, first.key));
  results.delete('LiveAnswer');
  t.strictSame(results, new Set(['Undetermined']), 'none is Unknown');
  eachCalledOnce(t, await farEnd.messages());
});

t.test(
  'without any dialer the gateway says its message to whoever answered, and hangs up',
  async (t) => {
    const { farEnd, relay, gateway } = await install(t, 0);
    await gateway('gateway-1');
    const failsafe: Failsafe = {
      clockFrom: 'answer',
      connectWithinMs: 2_000,
      ceilingAfterAnswerMs: 4_000,
      ...{ promptId: `tone_stream://%(${MESSAGE_MS},0,440)`, optOutDigits: '' },
    };
    const options: BusDialerOptions = {
      ...{ node: `127.0.0.1:${relay.port}`, gatewayId: 'gateway-1', trunk: 'far', failsafe },
      destinations: Array.from({ length: CALLS }, (_, n) => `+1206555${String(1_000 + n)}`),
    };
    const kill = await dialAlone(t, options);
    await kill();
    const messages = await farEnd.untilMessages(
      (seen) => withRequest(seen, 'BYE').size === CALLS,
      WITHIN_MS,
    );
    eachCalledOnce(t, messages);
    for (const lengthMs of lengthsMs(messages)) {
      const leastMs = failsafe.connectWithinMs + MESSAGE_MS;
      t.ok(lengthMs > leastMs - 200 && lengthMs < leastMs + 3_000, `${lengthMs} ms after the ACK`);
    }
  },
);

t.test(
  'a gateway that is killed leaves no call up: another one on its switch ends it',
  async (t) => {
    const { farEnd, gateway, dialer, engage } = await install(t, 60_000);
    const first = await gateway('gateway-1');
    const service = await dialer();
    await engage(service);
    await farEnd.untilMessages((seen) => withRequest(seen, 'ACK').size === CALLS, WITHIN_MS);
    await gateway('gateway-2');
    first.signal('SIGKILL');
    await first.end();
    const messages = await farEnd.untilMessages(
      (seen) => withRequest(seen, 'BYE').size === CALLS,
      WITHIN_MS,
    );
    eachCalledOnce(t, messages);
    const results = await resultsOf(service, service.key);
    t.equal(results.length, CALLS, 'and each has a Result');
  },
);

t.test(
  'Redis may be away in the middle of calls: each is called once, and has its BYE',
  async (t) => {
    const { farEnd, relay, gateway, dialer, engage } = await install(t, 2_000);
    await gateway('gateway-1');
    const service = await dialer();
    await engage(service);
    await farEnd.untilMessages((seen) => withRequest(seen, 'ACK').size > 0, WITHIN_MS);
    relay.cut();
    const away = await fetch(`${service.url}/health/ready`);
    t.equal(away.status, 503, 'it says that it is not ready');
    t.match(await away.json(), { status: 'notReady' });
    relay.mend();
    const messages = await farEnd.untilMessages(
      (seen) => withRequest(seen, 'BYE').size === CALLS,
      WITHIN_MS,
    );
    eachCalledOnce(t, messages);
    const results = await resultsOf(service, service.key);
    t.strictSame(
      results,
      Array.from({ length: CALLS }, () => 'Undetermined'),
      'none is Unknown',
    );
    const metrics = await (await fetch(`${service.url}/metrics`)).text();
    t.match(metrics, /^bus_redis_connections_total\{event="lost"\} [1-9]/m);
    t.match(metrics, /^bus_up 1$/m);
  },
);

/** Customers' phones and an AI agent that can be heard. */
async function installPhones(t: Test) {
  const [customers, agent] = await Promise.all([
    CustomerPhone.open(),
    AiAgent.open({ host: '127.0.0.1', sipPort: 0 }),
  ]);
  t.teardown(() => Promise.all([customers.close(), agent.close()]));
  const started = await processes(t, customers.address);
  return { ...started, customers, agent };
}

/** The next calls, by the last digit of the number. */
async function callsTo(phone: CustomerPhone, count: number) {
  const calls = await Promise.all(Array.from({ length: count }, () => phone.nextCall()));
  const byDigit = new Map(calls.map((call) => [call.number.at(-1), call]));
  return (digit: number): CustomerCall => {
    const call = byDigit.get(String(digit));
    if (call === undefined) throw new Error(`nobody called ${digit}`);
    return call;
  };
}

/** Says hello as people do. Resolves with the moment at which the greeting was over. */
async function sayHello({ media }: CustomerCall): Promise<number> {
  const sinceMs = performance.now();
  await media.say(joined(silence(300), HELLO, silence(100)));
  return sinceMs + 300 + soundEndMs(HELLO);
}

/** The message, whole and in time, and then the BYE. */
async function hearsSorry(t: Test, { media, ended }: CustomerCall, sinceMs: number, maxMs = 2_000) {
  t.equal(await ended, 'byeReceived');
  const found = findPlayed(media, SORRY);
  const afterMs = Math.round((found?.fromMs ?? Infinity) - sinceMs);
  t.ok(afterMs <= maxMs, `it begins ${afterMs} ms after the greeting or the agent`);
  t.ok((found?.wholeRatio ?? 0) > 0.95, `${found?.wholeRatio} of it is heard`);
  t.equal(found?.times, 1);
}

t.test(
  'a dialer that is killed leaves nobody in silence whom an AI agent was to talk with',
  async (t) => {
    const { customers, agent, relay, gateway, dialer } = await installPhones(t);
    await gateway('gateway-1');
    const first = await dialer();
    customers.isEarly = true;
    const [RINGING, JUST_ANSWERED, BREAKS, STAYS, CUT] = [1, 2, 3, 4, 5] as const;
    const dialled = callsTo(customers, 5);
    await engageAgent(first, `sip:agent@127.0.0.1:${agent.sipPort};transport=udp`, [
      {},
      {},
      { labFailure: 'midCall', labGreetingHz: String(AGENT_HZ) },
      { labStay: 'yes', labGreetingHz: String(AGENT_HZ) },
      {},
    ]);
    const to = await dialled;
    const [breaks, stays] = [to(BREAKS), to(STAYS)];
    stays.pickUp();
    await stays.media.hears(AGENT_HZ);
    breaks.pickUp();
    await breaks.media.hears(AGENT_HZ);
    // From here on it does nothing: the answer is told to a process that is as good as dead.
    first.signal('SIGSTOP');
    const justAnswered = to(JUST_ANSWERED);
    justAnswered.pickUp();
    const greetedAtMs = sayHello(justAnswered);
    first.signal('SIGKILL');
    await first.end();
    const agentGoneAtMs = performance.now();
    to(RINGING).pickUp();
    const answeredAtMs = sayHello(to(RINGING));
    await Promise.all([
      hearsSorry(t, justAnswered, await greetedAtMs),
      hearsSorry(t, to(RINGING), await answeredAtMs),
      // The agent greets for a second, at most; then it breaks, and the dialer has its two seconds.
      hearsSorry(t, breaks, agentGoneAtMs, 3_500),
    ]);
    t.notOk(stays.isOver, 'whom the agent talks with goes on');

    const second = await dialer();
    t.match(second.said, /5 open calls, whose gateway is asked/);
    t.notOk(stays.isOver);
    stays.media.speak(CUSTOMER_HZ);
    stays.hangUp();
    relay.cut();
    to(CUT).pickUp();
    await hearsSorry(t, to(CUT), await sayHello(to(CUT)));
    relay.mend();
    await resultsOf(second, first.key, 5);
    const told = await outcomesOf(second, first.key);
    const abandoned = ['LiveAnswer', 'abandoned_by_system', true] as const;
    t.same(told.get(RINGING), abandoned, 'the law counts them, whoever was there');
    t.same(told.get(JUST_ANSWERED), abandoned);
    t.same(told.get(CUT), abandoned);
    t.same(told.get(BREAKS), ['BotFailed', 'agent_lost', false]);
    t.same(told.get(STAYS), ['LiveAnswer', null, false]);
  },
);

/** A process that dials, and is there until it is killed. */
async function dialAlone(t: Test, options: BusDialerOptions): Promise<() => Promise<void>> {
  const script = ownScript(new URL('../support/bus-dialer.child.ts', import.meta.url));
  const words = [...script, JSON.stringify(options)];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  t.strictSame(
    JSON.parse(line),
    options.destinations.map(() => ({ accepted: true })),
  );
  return async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
}

t.test(
  '[DM-27] [DM-32] without a dialer a voicemail text is said whole, and a person hears the message',
  async (t) => {
    const { customers, relay, gateway } = await installPhones(t);
    await gateway('gateway-1');
    customers.isEarly = true;
    const dialled = callsTo(customers, 2);
    const kill = await dialAlone(t, {
      ...{ node: `127.0.0.1:${relay.port}`, gatewayId: 'gateway-1', trunk: 'far' },
      destinations: ['+12065551001', '+12065551002'],
      failsafe: {
        ...{ clockFrom: 'greetingEnd', connectWithinMs: 1_800, ceilingAfterAnswerMs: 8_300 },
        ...{ promptId: 'sorry', optOutDigits: '' },
      },
      detection: { mode: 'beforeConnect', limitMs: 4_000, initialSilenceMs: 2_500 },
      message: 'sorry',
    });
    const to = await dialled;
    const [machine, person] = [to(1), to(2)];
    machine.pickUp();
    const beep = joined(silence(600), toneOf([1_000], 400));
    const beepedAtMs = await machine.media.say(joined(silence(300), speech('voicemail-1'), beep));
    await machine.media.until(() => machine.media.level(5) > 1_000, 'the text');
    await kill();
    const killedAtMs = performance.now();
    person.pickUp();
    await hearsSorry(t, person, await sayHello(person));
    t.equal(await machine.ended, 'byeReceived');
    const text = findPlayed(machine.media, SORRY);
    t.ok((text?.fromMs ?? 0) > beepedAtMs, 'after the beep');
    t.ok((text?.toMs ?? 0) > killedAtMs + 500, 'the dialer died in the middle of it');
    t.ok((text?.wholeRatio ?? 0) > 0.97, `${text?.wholeRatio} of it was recorded`);
    t.equal(text?.times, 1);
  },
);

/** What is stored of each, by the last digit of the number. */
async function outcomesOf(service: ServiceProcess, key: string) {
  const headers = { authorization: `Bearer ${key}` };
  const response = await fetch(`${service.url}/v1/deliveries`, { headers });
  const { items } = (await response.json()) as { items: readonly Json[] };
  return new Map(
    items.map((item) => [
      Number(String(item['toAddress']).at(-1)),
      [item['result'], item['subReason'], item['exceededCustomerWaitThreshold']],
    ]),
  );
}

/** One call for each of those who are to be called, with what their agent is asked to do. */
async function engageAgent(
  dialer: ServiceProcess,
  sipUri: string,
  people: readonly Readonly<Record<string, string>>[],
): Promise<void> {
  const made = async (path: string, body: Json) => String((await dialer.ask(path, body))['id']);
  const workstreamId = await made('/v1/workstreams', {
    ...{ name: 'Agent', trunk: 'far', number: '+12025550100' },
    aiAgent: { sipUri, fallbackPrompts: ['sorry'] },
  });
  const queueId = await made('/v1/queues', { name: 'Always' });
  const mode = { kind: 'copilot', maxConcurrentCalls: people.length };
  const config = { mode, reattempt: { retriesMax: 0 }, ringTimeoutMs: 60_000 };
  const engagementId = await made('/v1/engagements', {
    ...{ name: 'Live', workstreamId, queueId, config },
  });
  for (const [n, inputAttributes] of people.entries()) {
    const phones = { mobile: `+1206555100${n + 1}` };
    const contacts = [{ uniqueIdentifier: `P-${n}`, phones }];
    await made('/v1/tasks', { engagementId, inputAttributes, contacts });
  }
}

/** The Result of each attempt that is recorded, once there are as many as calls. */
async function resultsOf(
  service: ServiceProcess,
  key: string,
  count: number = CALLS,
): Promise<string[]> {
  const endAtMs = Date.now() + WITHIN_MS;
  for (;;) {
    const response = await fetch(`${service.url}/v1/deliveries`, {
      headers: { authorization: `Bearer ${key}` },
    });
    const { items } = (await response.json()) as { items: { result: string | null }[] };
    const results = items.flatMap(({ result }) => (result === null ? [] : [result]));
    if (results.length === count) return results;
    if (Date.now() > endAtMs) throw new Error(`only ${JSON.stringify(items)}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function eachCalledOnce(t: Test, messages: readonly SippMessage[]): void {
  const numbers = messages
    .filter(({ direction, startLine }) => direction === 'received' && /^INVITE /.test(startLine))
    .map(({ startLine, text }) => `${startLine} ${callIdOf(text)}`);
  t.equal(new Set(numbers).size, CALLS, 'one INVITE for each person, and none for anybody twice');
  t.strictSame(withRequest(messages, 'BYE'), withRequest(messages, 'ACK'), 'no call without a BYE');
}

function withRequest(messages: readonly SippMessage[], method: string): Set<string> {
  const received = messages.filter(
    ({ direction, startLine }) => direction === 'received' && startLine.startsWith(`${method} `),
  );
  return new Set(received.map(({ text }) => callIdOf(text)).toSorted());
}

function callIdOf(text: string): string {
  return /^(?:Call-ID|i): *(.+?)\s*$/im.exec(text)?.[1] ?? '';
}

/** From the ACK of each call to its BYE. */
function lengthsMs(messages: readonly SippMessage[]): number[] {
  const received = messages.filter(({ direction }) => direction === 'received');
  return [...withRequest(messages, 'BYE')].map((id) => {
    const ofCall = received.filter(({ text }) => callIdOf(text) === id);
    const at = (method: string): number =>
      ofCall.find(({ startLine }) => startLine.startsWith(`${method} `))?.atMs ?? Number.NaN;
    return at('BYE') - at('ACK');
  });
}
