/** Sends damaged SIP over UDP and TCP, and asks between whether anybody is still there. */
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { SipStack } from '../../softswitch/sip/sip-stack.ts';
import { realTimerWheel } from '../../softswitch/timers/timer-wheel.ts';
import { CORPUS, mutate, type Random } from './sip-mutation.ts';
import { newRequest } from './sip-text.ts';

const HOST = '127.0.0.1';
const OPTIONS_WITHIN_MS = 1_000;
const TCP_SHARE = 5; // one message in five

export interface BarrageOptions {
  readonly port: number;
  readonly random: Random;
  readonly batches: number;
  readonly batchSize: number;
  readonly protocols: readonly ('udp' | 'tcp')[];
  /** What is damaged. Default: the torture messages and the usual ones. */
  readonly corpus?: readonly Buffer[];
}

/** Each OPTIONS that was not answered by the target itself within a second. */
export async function barrage(options: BarrageOptions): Promise<string[]> {
  const { port, random, batches, batchSize, protocols, corpus = CORPUS } = options;
  const timers = realTimerWheel();
  const listen = protocols.map((protocol) => ({ protocol, host: HOST, port: 0 }));
  const client = await SipStack.open({ timers, listen });
  const udp = createSocket('udp4');
  udp.on('error', () => undefined);
  const faults: string[] = [];
  let sent = 0;
  for (let batch = 0; batch < batches; batch += 1) {
    const tcp = protocols.includes('tcp') ? connect({ host: HOST, port }) : undefined;
    tcp?.on('error', () => undefined);
    for (let index = 0; index < batchSize; index += 1) {
      const original = corpus[sent % corpus.length] ?? Buffer.alloc(0);
      // The first of each kind as it is.
      const bytes = sent < corpus.length ? original : mutate(renewed(original, sent), random);
      sent += 1;
      if (tcp !== undefined && index % TCP_SHARE === 0) tcp.write(bytes);
      else udp.send(bytes.subarray(0, 65_000), port, HOST);
    }
    if (tcp !== undefined) {
      tcp.resume();
      // drachtio-server leaves its half open when we close ours.
      await new Promise<void>((resolve) => tcp.once('close', () => resolve()).end(resolve));
    }
    for (const protocol of protocols) {
      const statusCode = await optionsTo(client, protocol, port);
      if (statusCode !== 200) faults.push(`batch ${batch}: ${statusCode} over ${protocol}`);
    }
    tcp?.destroy();
  }
  udp.close();
  await client.close();
  timers.stop();
  return faults;
}

function optionsTo(
  client: SipStack,
  protocol: 'udp' | 'tcp',
  port: number,
): Promise<string | number> {
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve('nothing within a second'), OPTIONS_WITHIN_MS);
    client.send(
      newRequest('OPTIONS', `sip:${HOST}:${port}`),
      { destination: { protocol, host: HOST, port } },
      {
        onResponse: ({ statusCode }, { source }) => {
          if (statusCode < 200) return;
          clearTimeout(late);
          resolve(source === 'stack' ? `our own ${statusCode}` : statusCode);
        },
      },
    );
  });
}

/** Mostly as a transaction of its own; else it would only be the repetition of another. */
function renewed(original: Buffer, number: number): Buffer {
  if (number % 4 === 0) return original;
  const text = original.toString('latin1').replace(/branch=z9hG4bK[^;,\s]*/i, `$&.${number}`);
  const isNewCall = number % 2 === 0;
  const renamed = isNewCall ? text.replace(/^(?:Call-ID|i)[ \t]*:[ \t]*/im, `$&${number}.`) : text;
  return Buffer.from(renamed, 'latin1');
}
