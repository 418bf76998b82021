/**
 * Goal: dialer, gateways and switch in processes of their own, over Redis. Whichever of them dies,
 * and however long Redis is away, each person is called once and no call stays up unattended.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import type { Json } from '../support/api-rig.ts';
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

interface Installation {
  readonly farEnd: SippFarEnd;
  readonly relay: TcpRelay;
  readonly switch: SwitchProcess;
  readonly gateway: (id: string) => Promise<ServiceProcess>;
  readonly dialer: () => Promise<ServiceProcess>;
}

/** Redis is reached through something that can be cut. */
async function install(t: Test, toneMs: number): Promise<Installation & { engage: Engage }> {
  const redis = await RedisServer.start();
  t.teardown(() => redis.stop());
  const relay = await TcpRelay.to(redis.port);
  t.teardown(() => relay.close());
  const [farEnd, switchProcess] = await Promise.all([
    SippFarEnd.start({ scenario: 'answer', pauseMs: RING_MS, echoRtp: false }),
    SwitchProcess.start(t),
  ]);
  t.teardown(() => farEnd.stop());
  const limits = { channelsMax: 100, callsPerSecondMax: 100 };
  const trunk = { name: 'far', address: farEnd.uri, callerId: '+12025550100', ...limits };
  const folder = t.testdir({
    'ringfence.yaml': JSON.stringify({
      bus: { nodes: [`127.0.0.1:${relay.port}`], heartbeatMs: 300, gatewayLostMs: 3_000 },
      dialer: { stopGraceMs: 0 },
      gateway: { trunks: [trunk], trunkCheckIntervalMs: 0 },
    }),
  });
  const start = (only: string, env: Record<string, string>): Promise<ServiceProcess> =>
    ServiceProcess.start(t, {
      args: ['--only', only, '--config', join(folder, 'ringfence.yaml')],
      env: { ...switchProcess.env, ...env },
    });
  return {
    ...{ farEnd, relay, switch: switchProcess },
    gateway: (id) => start('gateway', { RINGFENCE_GATEWAY_ID: id }),
    dialer: () => start('dialer', { RINGFENCE_STORE_FILE: join(folder, 'store.db') }),
    engage: (dialer) => engage(dialer, toneMs),
  };
}

type Engage = (dialer: ServiceProcess) => Promise<string>;

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
  const results = await resultsOf(second, first.key);
  t.strictSame(
    results,
    Array.from({ length: CALLS }, () => 'Undetermined'),
    'none is Unknown',
  );
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
    const script = ownScript(new URL('../support/bus-dialer.child.ts', import.meta.url));
    const words = [...script, JSON.stringify(options)];
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    t.teardown(() => child.kill('SIGKILL'));
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    t.strictSame(
      JSON.parse(line),
      Array.from({ length: CALLS }, () => ({ accepted: true })),
    );
    child.kill('SIGKILL');
    await once(child, 'exit');
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

/** The Result of each attempt that is recorded, once there are as many as calls. */
async function resultsOf(service: ServiceProcess, key: string): Promise<string[]> {
  const endAtMs = Date.now() + WITHIN_MS;
  for (;;) {
    const response = await fetch(`${service.url}/v1/deliveries`, {
      headers: { authorization: `Bearer ${key}` },
    });
    const { items } = (await response.json()) as { items: { result: string | null }[] };
    const results = items.flatMap(({ result }) => (result === null ? [] : [result]));
    if (results.length === CALLS) return results;
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
