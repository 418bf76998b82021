/** Goal: the bad network of other tests is itself trustworthy: replayable, and honest in its counts. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { FaultRelay, type FaultRelayOptions } from '../support/fault-relay.ts';

async function socketFor(t: Test): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.teardown(() => socket.close());
  return socket;
}

/** A target that answers every datagram with `re:` and the same text. */
async function relayToEcho(t: Test, options: Omit<FaultRelayOptions, 'target'>) {
  const target = await socketFor(t);
  const heard: string[] = [];
  target.on('message', (datagram, from) => {
    heard.push(datagram.toString());
    target.send(`re:${datagram.toString()}`, from.port, from.address);
  });
  const relay = await FaultRelay.open({
    ...options,
    target: { host: '127.0.0.1', port: target.address().port },
  });
  t.teardown(() => relay.close());
  return { relay, heard };
}

/** Sends `count` numbered datagrams, then marks until one mark has come all the way back. */
async function exchange(t: Test, relay: FaultRelay, count: number): Promise<string[]> {
  const client = await socketFor(t);
  const answers: string[] = [];
  for (let n = 0; n < count; n += 1) client.send(`d${n}`, relay.port, relay.host);
  const done = new Promise<void>((resolve) => {
    client.on('message', (datagram) => {
      const text = datagram.toString();
      if (text === 're:mark') resolve();
      else answers.push(text);
    });
  });
  const marks = setInterval(() => client.send('mark', relay.port, relay.host), 5);
  t.teardown(() => clearInterval(marks));
  await done;
  clearInterval(marks);
  return answers;
}

t.test('fault relay: without faults every datagram passes in both directions', async (t) => {
  const { relay, heard } = await relayToEcho(t, { seed: 1 });
  const answers = await exchange(t, relay, 50);
  t.equal(heard.filter((text) => text !== 'mark').length, 50);
  t.equal(answers.length, 50);
  t.equal(relay.counters.toTarget.dropped, 0);
});

t.test('fault relay: one seed gives one pattern of loss, another seed another', async (t) => {
  const lost = async (seed: number): Promise<string> => {
    const { relay, heard } = await relayToEcho(t, { seed, toTarget: { lossRatio: 0.2 } });
    await exchange(t, relay, 200);
    return Array.from({ length: 200 }, (_, n) => (heard.includes(`d${n}`) ? '.' : 'x')).join('');
  };
  const first = await lost(7);
  const dropped = first.split('x').length - 1;
  t.ok(dropped > 20 && dropped < 60, `${dropped} of 200 lost at a loss ratio of 0.2`);
  t.equal(await lost(7), first);
  t.not(await lost(8), first);
});

t.test('fault relay: duplicates arrive twice and are counted', async (t) => {
  const { relay, heard } = await relayToEcho(t, { seed: 3, toTarget: { duplicateRatio: 1 } });
  await exchange(t, relay, 10);
  t.equal(heard.filter((text) => text === 'd4').length, 2);
  t.ok(relay.counters.toTarget.duplicated >= 10);
});

t.test('fault relay: an aimed drop takes the datagram it names and no other', async (t) => {
  const { relay, heard } = await relayToEcho(t, {
    seed: 1,
    toTarget: { drop: (_, index) => index === 2 },
  });
  await exchange(t, relay, 5);
  t.same(
    heard.filter((text) => text !== 'mark'),
    ['d0', 'd1', 'd3', 'd4'],
  );
});

t.test('fault relay: a delay holds datagrams back and closing drops what is held', async (t) => {
  const { relay, heard } = await relayToEcho(t, { seed: 1, toTarget: { delayMinMs: 60_000 } });
  const client = await socketFor(t);
  client.send('held', relay.port, relay.host);
  await new Promise<void>((resolve) => {
    const poll = setInterval(() => {
      if (relay.counters.toTarget.received === 0) return;
      clearInterval(poll);
      resolve();
    }, 1);
  });
  await relay.close();
  t.same(heard, []);
  t.equal(relay.counters.toTarget.forwarded, 0);
});
