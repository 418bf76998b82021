/**
 * What the gateway asks of FreeSWITCH for a representative's leg: it outlives its customers, is played
 * a cue, is bridged at once whatever is being played, supervised and muted. Asked of the embedded
 * switch and of a real FreeSWITCH.
 */
import type { Test } from 'tap';
import { mediaContract, type MediaTarget } from '../support/media-target.ts';
import { byeOf, eventOf, stage, type Leg, type Stage } from '../support/media-stage.ts';

const NOISE = 'silence_stream://60000,1400';
const CUE = 'tone_stream://v=-14;%(100,0,880)';

async function bridge({ mrf }: Stage, one: Leg, other: Leg): Promise<void> {
  for (const { endpoint } of [one, other]) {
    await mrf.api(`uuid_setvar ${endpoint.uuid} park_after_bridge true`);
  }
  const said = await mrf.api(`uuid_bridge ${one.endpoint.uuid} ${other.endpoint.uuid}`);
  if (!said.startsWith('+OK')) throw new Error(said);
}

async function spared({ far }: Leg, frequencyHz: number): Promise<boolean> {
  far.forget();
  await far.until(() => far.audioPackets >= 13, 'a quarter of a second');
  return !far.heard(frequencyHz);
}

function lobby(t: Test, target: MediaTarget): void {
  t.test(
    '[DM-21] a leg outlives its customers, each after a cue nested into its noise',
    async (t) => {
      const scene = await stage(t, target);
      const rep = await scene.leg();
      rep.endpoint.conn.subscribe('CHANNEL_PARK');
      rep.far.speak(500);
      for (const hz of [1_000, 1_400, 1_800]) {
        const customer = await scene.leg();
        customer.far.speak(hz);
        const noise = rep.endpoint.execute('playback', NOISE);
        await rep.endpoint.execute('playback', CUE);
        await rep.far.hears(880);
        await bridge(scene, customer, rep);
        await Promise.all([rep.far.hears(hz), customer.far.hears(500)]);
        t.equal((await noise).getHeader('Application'), 'playback', 'the bridge has ended it');
        const parked = eventOf(rep.endpoint, 'CHANNEL_PARK');
        await customer.endpoint.dialog.destroy();
        await parked;
        rep.far.forget();
      }
      const bye = byeOf(rep.endpoint);
      t.equal(await scene.mrf.api(`uuid_kill ${rep.endpoint.uuid}`), '+OK\n');
      t.equal((await bye).method, 'BYE');
    },
  );

  t.test('what has been begun is ended by a bridge at once', async (t) => {
    const scene = await stage(t, target);
    const [rep, other] = [await scene.leg(), await scene.leg()];
    other.far.speak(1_000);
    const noise = rep.endpoint.execute('playback', NOISE);
    // Without it FreeSWITCH plays the whole minute before it bridges.
    await rep.endpoint.execute('set', 'ringfence_settled=true');
    await bridge(scene, rep, other);
    await rep.far.hears(1_000);
    t.equal((await noise).getHeader('Application-Response'), 'PLAYBACK ERROR', 'as broken off');
  });

  t.test('the RTP time of a leg goes on from a cue to a bridge and to the next cue', async (t) => {
    const scene = await stage(t, target);
    const rep = await scene.leg();
    rep.endpoint.conn.subscribe('CHANNEL_PARK');
    rep.far.speak(500);
    for (const hz of [1_000, 1_400]) {
      const customer = await scene.leg();
      customer.far.speak(hz);
      await rep.endpoint.execute('playback', CUE);
      await bridge(scene, customer, rep);
      await Promise.all([rep.far.hears(hz), customer.far.hears(500)]);
      const parked = eventOf(rep.endpoint, 'CHANNEL_PARK');
      await customer.endpoint.dialog.destroy();
      await parked;
    }
    const { packets } = rep.far;
    const sources = new Set(packets.map(({ ssrc }) => ssrc)).size;
    t.equal(sources, 1, 'one stream');
    const jumpsMs = packets.slice(1).map(({ timestamp, atMs }, before) => {
      const last = packets[before] ?? { timestamp, atMs };
      return ((timestamp - last.timestamp) | 0) / 8 - (atMs - last.atMs);
    });
    const most = Math.max(...jumpsMs.map(Math.abs));
    t.ok(most < 250, `off the clock by ${Math.round(most)} ms at the most`);
  });

  t.test('a supervisor hears both, whispers to one and speaks to both', async (t) => {
    const scene = await stage(t, target);
    const [rep, customer, chief] = [await scene.leg(), await scene.leg(), await scene.leg()];
    rep.far.speak(500);
    customer.far.speak(1_000);
    await bridge(scene, customer, rep);
    await rep.far.hears(1_000);
    const { uuid } = chief.endpoint;
    for (const mode of ['listen', 'whisper', 'barge'] as const) {
      await scene.mrf.api(`uuid_setvar ${uuid} eavesdrop_enable_dtmf false`);
      await scene.mrf.api(`uuid_setvar ${uuid} eavesdrop_whisper_bleg ${mode !== 'listen'}`);
      await scene.mrf.api(`uuid_setvar ${uuid} eavesdrop_whisper_aleg ${mode === 'barge'}`);
      chief.far.hush();
      const over = chief.endpoint.execute('eavesdrop', rep.endpoint.uuid);
      // One at a time: in a mix of two neither is the loudest.
      customer.far.hush();
      await chief.far.hears(500);
      rep.far.hush();
      customer.far.speak(1_000);
      chief.far.forget();
      await chief.far.hears(1_000);
      customer.far.hush();
      chief.far.speak(1_800);
      if (mode !== 'listen') await rep.far.hears(1_800);
      else t.ok(await spared(rep, 1_800), 'who listens is not heard');
      if (mode === 'barge') await customer.far.hears(1_800);
      else t.ok(await spared(customer, 1_800), `${mode}: not by the customer`);
      rep.far.forget();
      customer.far.forget();
      rep.far.speak(500);
      t.match(await scene.mrf.api(`uuid_transfer ${uuid} park inline`), /^\+OK/);
      await over;
    }
  });

  t.test('muted, keys sent, and what was received is counted', async (t) => {
    const scene = await stage(t, target);
    const [rep, customer] = [await scene.leg(), await scene.leg()];
    rep.far.speak(500);
    await bridge(scene, customer, rep);
    await customer.far.hears(500);
    await rep.endpoint.execute('set_mute', 'read true');
    t.ok(await spared(customer, 500));
    await rep.endpoint.execute('set_mute', 'read false');
    await customer.far.hears(500);
    t.match(await scene.mrf.api(`uuid_send_dtmf ${customer.endpoint.uuid} 1#@100`), /^\+OK/);
    await customer.far.until(() => customer.far.digits.length === 2, 'two digits');
    t.equal(customer.far.digits.map(({ digit }) => digit).join(''), '1#');
    t.match(await scene.mrf.api(`uuid_set_media_stats ${rep.endpoint.uuid}`), /^\+OK/);
    const counted = async (name: string): Promise<number> =>
      Number(await scene.mrf.api(`uuid_getvar ${rep.endpoint.uuid} rtp_audio_in_${name}`));
    t.ok((await counted('media_packet_count')) > 10);
    t.ok((await counted('quality_percentage')) > 50);
    t.ok((await counted('jitter_max_variance')) >= 0);
  });
}

await mediaContract(async (t, target) => {
  await t.test(lobby.name, async (t) => lobby(t, target));
});
