/** A call under fire: damaged packets from its far end, damaged commands about its channel. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eslBarrage, rtpBarrage } from './media-barrage.ts';
import type { Stage } from './media-stage.ts';
import type { EslTarget } from './mrf-client.ts';
import { randomOf } from './sip-mutation.ts';

/**
 * Sends `count` of each to one call of its own and hangs it up. Resolves with how long the slowest
 * command asked meanwhile and afterwards took, in ms; rejects when there is no answer at all.
 */
export async function mediaUnderFire(
  { mrf, far }: Stage,
  esl: EslTarget,
  { count, seed }: { count: number; seed: number },
): Promise<number> {
  const end = await far();
  const endpoint = await mrf.endpoint();
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const folder = await mkdtemp(join(tmpdir(), 'ringfence-under-fire-'));
  const recorded = { channelId: endpoint.uuid, file: join(folder, 'call.wav') };
  try {
    // Its packets are what the leg expects: they are not dropped for their address.
    await endpoint.modify(
      end.sdp().replace(`m=audio ${end.port}`, `m=audio ${socket.address().port}`),
    );
    const to = { host: endpoint.local.mediaIp, port: Number(endpoint.local.mediaPort) };
    let slowestMs = 0;
    const ask = async (): Promise<void> => {
      const askedAt = performance.now();
      await mrf.api('status');
      slowestMs = Math.max(slowestMs, performance.now() - askedAt);
    };
    const [answers] = await Promise.all([
      eslBarrage(esl, recorded, count, randomOf(seed + 1)),
      rtpBarrage(socket, to, count, randomOf(seed)),
      ask(),
    ]);
    if (answers < count / 4) throw new Error(`only ${answers} answers to ${count} commands`);
    await ask();
    return slowestMs;
  } finally {
    socket.close();
    await mrf.api(`uuid_kill ${endpoint.uuid}`);
    await endpoint.dialog.destroy().catch(() => undefined); // the switch's BYE may be here already
    await rm(folder, { recursive: true, force: true });
  }
}
