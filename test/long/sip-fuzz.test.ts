/**
 * Goal: whatever comes in over SIP, both halves of the switch live on: 10,000 damaged messages each,
 * the next OPTIONS answered within a second, nothing left behind and memory flat.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t, { type Test } from 'tap';
import { startSignalling } from '../../softswitch/control/start-signalling.ts';
import { startMediaServer } from '../../softswitch/esl/start-media-server.ts';
import { SipStack } from '../../softswitch/sip/sip-stack.ts';
import { UserAgent } from '../../softswitch/sip/user-agent.ts';
import { realTimerWheel } from '../../softswitch/timers/timer-wheel.ts';
import { barrage } from '../support/sip-barrage.ts';
import { CORPUS, ENDPOINT_INVITES, randomOf } from '../support/sip-mutation.ts';
import { SrfClient } from '../support/srf-client.ts';

t.setTimeout(600_000);

const BATCH = 100;
const BATCHES = 100;
/** Caches, compiled code and tables have their size by then. */
const WARM_AFTER = 30;
const HEAP_GROWTH_BYTES_MAX = 6 * 1024 * 1024;
/** Transactions end after 64 of these. */
const T1_MS = 10;

const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 2 ** 31);
t.comment(`seed ${seed}: replay with TEST_SEED=${seed}`);

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function heapBytes(): number {
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** Resolves when `isClean` holds; fails the test after a minute. */
async function settles(t: Test, isClean: () => boolean, state: () => unknown): Promise<void> {
  const endAtMs = performance.now() + 60_000;
  while (!isClean() && performance.now() < endAtMs) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  t.ok(isClean(), `nothing is left: ${JSON.stringify(state())}`);
}

interface Target {
  readonly port: number;
  readonly protocols: readonly ('udp' | 'tcp')[];
  readonly corpus?: readonly Buffer[];
  isClean(): boolean;
  state(): unknown;
}

async function underFire(t: Test, target: Target): Promise<void> {
  const { port, protocols } = target;
  const random = randomOf(seed);
  const half = { port, protocols, corpus: target.corpus ?? CORPUS, random, batchSize: BATCH };
  const faults = await barrage({ ...half, batches: WARM_AFTER });
  await settles(
    t,
    () => target.isClean(),
    () => target.state(),
  );
  const before = heapBytes();
  faults.push(...(await barrage({ ...half, batches: BATCHES - WARM_AFTER })));
  t.same(faults, [], 'every OPTIONS was answered in time');
  await settles(
    t,
    () => target.isClean(),
    () => target.state(),
  );
  const grownBytes = heapBytes() - before;
  t.ok(grownBytes < HEAP_GROWTH_BYTES_MAX, `the heap grew by ${grownBytes} bytes`);
}

t.test('10,000 damaged messages for the signalling half and its client', async (t) => {
  const secret = 'fuzz-secret';
  const signalling = await startSignalling({
    host: '127.0.0.1',
    sip: { port: 0, protocols: ['udp', 'tcp'] },
    control: { port: 0, secret },
    dnsServers: ['127.0.0.1:9'], // names in damaged URIs are nobody's business
    t1Ms: T1_MS,
  });
  t.teardown(() => signalling.close());
  const { controlPort, sipPort } = signalling;
  const client = await SrfClient.connect({ host: '127.0.0.1', port: controlPort, secret });
  t.teardown(() => client.close());
  const random = randomOf(seed + 1);
  let asked = 0;
  for (const method of ['invite', 'options', 'bye', 'info', 'update', 'prack', 'refer', 'notify']) {
    client.srf.use(method, (_request, response) => {
      asked += 1;
      const isCall = method === 'invite' && random(2) === 0;
      response.send(method === 'invite' && !isCall ? 486 : 200, isCall ? { body: 'v=0\r\n' } : {});
    });
  }
  await client.heard();
  const left = (): number[] => {
    const { dialogs = 0, requestsAwaitingClient = 0, invitesOut = 0 } = signalling.stats();
    return [dialogs, requestsAwaitingClient, invitesOut];
  };
  const isClean = (): boolean => left().every((count) => count === 0);
  const state = (): unknown => signalling.stats();
  await underFire(t, { port: sipPort, protocols: ['udp', 'tcp'], isClean, state });
  const { malformed = 0, requestsReceived = 0 } = signalling.stats();
  t.comment(JSON.stringify(signalling.stats()));
  t.ok(malformed > 1_000, `the mutations do damage: ${malformed} refused`);
  t.ok(requestsReceived > 2_000, `and leave enough alive: ${requestsReceived} taken`);
  t.ok(asked > 500, `some of it down to the application: ${asked}`);
});

t.test('10,000 damaged messages for a user agent that answers anybody', async (t) => {
  const timers = realTimerWheel();
  const stack = await SipStack.open({
    timers,
    listen: (['udp', 'tcp'] as const).map((protocol) => ({ protocol, host: '127.0.0.1', port: 0 })),
    settings: { t1Ms: T1_MS, t2Ms: 8 * T1_MS, t4Ms: 10 * T1_MS, timerDMs: 64 * T1_MS },
  });
  t.teardown(async () => {
    await stack.close();
    timers.stop();
  });
  const agent = new UserAgent(stack, { timers, supported: ['100rel', 'timer'] });
  const random = randomOf(seed + 1);
  agent.onInvite = (call) => {
    call.provisional(183, { sdp: 'v=0\r\n' });
    if (random(2) === 0) call.answer({ sdp: 'v=0\r\n' });
    else call.reject(486);
  };
  const port = stack.listening[0]?.port ?? 0;
  const state = () => ({ calls: agent.calls, ...stack.transactionCounts });
  const isClean = (): boolean => Object.values(state()).every((count) => count === 0);
  await underFire(t, { port, protocols: ['udp', 'tcp'], isClean, state });
});

t.test('10,000 damaged messages for the media half, calls that it takes among them', async (t) => {
  const server = await startMediaServer({
    host: '127.0.0.1',
    media: { sipPort: 0, rtpPortMin: 20_000, rtpPortMax: 29_998, rtpQuarantineMs: 0 },
    esl: { port: 0, password: 'fuzz-password' },
  });
  t.teardown(() => server.close());
  const isClean = (): boolean => {
    const { channels = 0, rtpPortsTaken = 0 } = server.stats();
    return channels + rtpPortsTaken === 0;
  };
  const corpus = [...CORPUS, ...Array.from({ length: 12 }, () => ENDPOINT_INVITES).flat()];
  const state = (): unknown => server.stats();
  const port = server.mediaSipPort;
  await underFire(t, { port, protocols: ['udp', 'tcp'], corpus, isClean, state });
  const { channelsTotal = 0 } = server.stats();
  t.ok(channelsTotal > 100, `${channelsTotal} calls were taken`);
});
