/**
 * Goal: whatever comes in over RTP, RTCP and the event socket, the media half lives on: 10,000 damaged
 * inputs of each kind, the next command answered within a second, nothing left behind, memory flat.
 */
import t from 'tap';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { startSignalling } from '../../softswitch/control/start-signalling.ts';
import { startMediaServer } from '../../softswitch/esl/start-media-server.ts';
import { mediaUnderFire } from '../support/media-under-fire.ts';
import { stage } from '../support/media-stage.ts';

t.setTimeout(600_000);

const BATCH = 500;
/** Caches, compiled code and tables have their size by then. */
const WARM_BATCHES = 6;
const BATCHES = 20;
/** SIP keeps what it knows of each batch's call for 32 s (RFC 3261 §17): about 70 kB of it. */
const HEAP_GROWTH_BYTES_MAX = 4 * 1024 * 1024;

const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 2 ** 31);
t.comment(`seed ${seed}: replay with TEST_SEED=${seed}`);
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function heapBytes(): number {
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

t.test('10,000 damaged packets and 10,000 damaged commands', async (t) => {
  const host = '127.0.0.1';
  const [secret, password] = ['fuzz-secret', 'fuzz-password'];
  // In this process, so that its memory can be read.
  const signalling = await startSignalling({
    host,
    sip: { port: 0, protocols: ['udp'] },
    control: { port: 0, secret },
  });
  const media = await startMediaServer({
    host,
    media: { sipPort: 0, rtpPortMin: 40_100, rtpPortMax: 40_999, rtpQuarantineMs: 0 },
    esl: { port: 0, password },
  });
  t.teardown(async () => {
    await media.close();
    await signalling.close();
  });
  const target = {
    control: { host, port: signalling.controlPort, secret },
    esl: { host, port: media.eslPort, password },
  };
  const scene = await stage(t, target);
  let before = 0;
  for (let batch = 0; batch < BATCHES; batch += 1) {
    if (batch === WARM_BATCHES) before = heapBytes();
    const slowestMs = await mediaUnderFire(scene, target.esl, { count: BATCH, seed: seed + batch });
    if (slowestMs >= 1_000) t.fail(`batch ${batch}: answered after ${slowestMs} ms`);
  }
  const grownBytes = heapBytes() - before;
  t.ok(grownBytes < HEAP_GROWTH_BYTES_MAX, `the heap grew by ${grownBytes} bytes`);
  t.equal(await scene.mrf.api('show channels count'), '\n0 total.\n', 'no channel is left');
  t.equal(media.stats()['eventSockets'], 1, 'and no connection but ours');
});
