/**
 * What FreeSWITCH is to us, as drachtio-fsmrf 4.1.2 drives it: endpoints, playing, digits, bridges,
 * and how each of them ends. Audio is proved at the far end, which shares no code with the switch.
 */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { SrtpStream } from '../../softswitch/media/srtp/srtp-stream.ts';
import { encodeWav } from '../../softswitch/media/wav.ts';
import { embeddedSwitch, mediaContract, type MediaTarget } from '../support/media-target.ts';
import { byeOf, eventOf, heard, stage } from '../support/media-stage.ts';
import { mediaUnderFire } from '../support/media-under-fire.ts';
import type { Endpoint, EslEvent } from '../support/mrf-client.ts';
import { RtpFarEnd } from '../support/rtp-far-end.ts';
import { SrfClient, type SrfError } from '../support/srf-client.ts';

/** Status of the response an endpoint was refused with. */
async function refusal(endpoint: Promise<Endpoint>): Promise<number | undefined> {
  const error = await endpoint.then(
    () => undefined,
    (reason: unknown) => reason as SrfError,
  );
  return error?.status;
}

/** RFC 8866 §5.2: the version in the o= line. */
function sdpVersion({ local }: Endpoint): number {
  return Number(/^o=\S+ \S+ (\d+)/m.exec(local.sdp)?.[1]);
}

async function toneFile(t: Test, frequencyHz: number, durationMs: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ringfence-media-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const pcm = Int16Array.from({ length: durationMs * 8 }, (_, i) =>
    Math.round(8_000 * Math.sin((2 * Math.PI * frequencyHz * i) / 8_000)),
  );
  const file = join(folder, 'tone.wav');
  await writeFile(file, encodeWav(pcm));
  return file;
}

function connecting(t: Test, target: MediaTarget): void {
  t.test('fsmrf connects and learns where the SIP profile listens', async (t) => {
    const { mrf } = await stage(t, target);
    t.match(mrf.server.sip.ipv4.udp.address, /^\d+\.\d+\.\d+\.\d+:\d+$/);
    t.ok(mrf.server.connected());
  });

  t.test('a wrong password is refused and the connection closed', async (t) => {
    const socket = connect(target.esl.port, target.esl.host);
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      if (text === '') socket.write('auth not-the-password\n\n');
      text += chunk.toString();
    });
    await once(socket, 'close');
    t.match(
      text,
      /^Content-Type: auth\/request\n\nContent-Type: command\/reply\nReply-Text: -ERR invalid\n\n/,
    );
    t.match(text, /text\/disconnect-notice/);
  });

  t.test('API commands: what is unknown and who is not there', async (t) => {
    const { mrf } = await stage(t, target);
    t.equal(await mrf.api('no_such_command'), '-ERR no_such_command Command not found!\n');
    for (const command of ['uuid_kill', 'uuid_break', 'uuid_dump', 'uuid_park']) {
      t.equal(await mrf.api(`${command} 0000`), '-ERR No such channel!\n', command);
    }
    t.equal(await mrf.api('uuid_transfer 0000 park inline'), '-ERR No such channel!\n');
    t.equal(await mrf.api('uuid_bridge 0000 1111'), '-ERR Invalid uuid\n');
    t.equal(await mrf.api('uuid_exists 0000'), 'false');
    t.match(await mrf.api('status'), /FreeSWITCH \(Version 1\.10/);
    t.match(await mrf.api('create_uuid'), /^[0-9a-f]{8}-[0-9a-f-]{27}$/);
  });

  t.test('bgapi reports its job as an event', async (t) => {
    const { mrf } = await stage(t, target);
    const { conn } = mrf.server;
    await new Promise<void>((resolve) => {
      conn.sendRecv('event json BACKGROUND_JOB', () => resolve());
    });
    const job = await new Promise<EslEvent>((resolve) => conn.bgapi('create_uuid', '', resolve));
    t.match(job.getBody(), /^[0-9a-f]{8}-/);
  });
}

function endpoints(t: Test, target: MediaTarget): void {
  t.test('an endpoint without SDP: the switch offers, modify brings the far end', async (t) => {
    const { mrf, far } = await stage(t, target);
    const endpoint = await mrf.endpoint();
    t.match(endpoint.local.sdp, /^m=audio \d+ RTP\/AVP 0 8 101/m);
    t.match(endpoint.local.sdp, /^a=rtpmap:101 telephone-event\/8000/m);
    t.equal(Number(endpoint.local.mediaPort) % 2, 0, 'RTP is on an even port');
    t.equal(endpoint.dtmfType, 'rfc2833');
    t.equal(endpoint.sip.callId, endpoint.dialog.sip.callId);
    const end = await far();
    await endpoint.modify(end.sdp());
    await Promise.all([endpoint.play('tone_stream://%(400,0,700)'), end.hears(700)]);
    // Not what `modify` noted: FreeSWITCH answers a re-INVITE before its variables are up to date.
    const after = await endpoint.getChannelVariables(true);
    t.equal(Number(after['variable_remote_media_port']), end.port);
    t.match(after['variable_switch_r_sdp'], new RegExp(`^m=audio ${end.port} `, 'm'));
    await endpoint.destroy();
  });

  t.test('an endpoint with SDP is connected at once', async (t) => {
    const { leg } = await stage(t, target);
    const { endpoint, far } = await leg();
    t.equal(Number(endpoint.remote.mediaPort), far.port);
    t.match(endpoint.local.sdp, /^m=audio \d+ RTP\/AVP 0 101/m, 'the answer has the codec agreed');
    await Promise.all([endpoint.play('tone_stream://%(400,0,500)'), far.hears(500)]);
  });

  t.test('modify moves the audio to another far end, and holds it', async (t) => {
    const { leg, far } = await stage(t, target);
    const { endpoint, far: first } = await leg();
    const second = await far();
    const playing = endpoint.play('tone_stream://%(60000,0,600)');
    await first.hears(600);
    await endpoint.modify(second.sdp());
    await second.hears(600);
    const version = sdpVersion(endpoint);
    const held = eventOf(endpoint, 'CHANNEL_CALLSTATE');
    await endpoint.modify(second.sdp('sendonly'));
    t.equal((await held).getHeader('Channel-Call-State'), 'HELD');
    t.match(endpoint.local.sdp, /^a=recvonly/m);
    t.ok(sdpVersion(endpoint) > version, 'a changed description has a higher version');
    await endpoint.modify(second.sdp());
    second.forget();
    await second.hears(600);
    await endpoint.api('uuid_break', `${endpoint.uuid} all`);
    await playing;
  });

  t.test('a codec nobody has is refused with 488', async (t) => {
    const { mrf, far } = await stage(t, target);
    const sdp = (await far())
      .sdp()
      .replace('RTP/AVP 0 101', 'RTP/AVP 96 101')
      .replace('0 PCMU/8000', '96 NONE/8000');
    t.equal(await refusal(mrf.endpoint(sdp)), 488);
  });

  t.test('destroy ends with the switch’s BYE and gives the cause', async (t) => {
    const { leg, mrf } = await stage(t, target);
    const { endpoint } = await leg();
    const bye = byeOf(endpoint);
    await endpoint.destroy();
    t.match((await bye).get('Reason'), /Q\.850;cause=16;text="NORMAL_CLEARING"/);
    t.equal(await mrf.api(`uuid_exists ${endpoint.uuid}`), 'false');
  });

  t.test('uuid_kill carries its cause into the BYE and into the destroy event', async (t) => {
    const { leg, mrf } = await stage(t, target);
    const { endpoint } = await leg();
    const bye = byeOf(endpoint);
    const destroyed = once(endpoint, 'destroy') as Promise<[{ reason: string }]>;
    t.equal(await mrf.api(`uuid_kill ${endpoint.uuid} CALL_REJECTED`), '+OK\n');
    t.match((await bye).get('Reason'), /cause=21/);
    t.same(await destroyed, [{ reason: 'CALL_REJECTED' }]);
  });

  t.test('a BYE from the other side ends the channel and its event socket', async (t) => {
    const { leg, mrf } = await stage(t, target);
    const { endpoint } = await leg();
    const destroyed = once(endpoint, 'destroy') as Promise<[{ reason: string }]>;
    const ended = new Promise((resolve) => endpoint.conn.once('esl::end', resolve));
    await endpoint.dialog.destroy();
    t.same(await destroyed, [{ reason: 'NORMAL_CLEARING' }]);
    await ended;
    t.equal(await mrf.api(`uuid_exists ${endpoint.uuid}`), 'false');
  });

  t.test('a lost event socket costs the parked channel: the switch says BYE', async (t) => {
    const { leg } = await stage(t, target);
    const { endpoint } = await leg();
    const bye = byeOf(endpoint);
    endpoint.conn.socket?.destroy();
    t.match((await bye).get('Reason'), /cause=16/);
  });

  t.test('sched_hangup ends a call whose gateway never comes back', async (t) => {
    const { leg, mrf } = await stage(t, target);
    const { endpoint } = await leg();
    const bye = byeOf(endpoint);
    t.equal(await mrf.api(`sched_hangup +1 ${endpoint.uuid} ALLOTTED_TIMEOUT`), '+OK\n');
    t.match((await bye).get('Reason'), /^SIP;cause=802;text="ALLOTTED_TIMEOUT"/);
  });

  t.test('variables are set, read and dumped with the media counters', async (t) => {
    const { leg } = await stage(t, target);
    const { endpoint, far } = await leg();
    await endpoint.set({ first: 'one', second: 'a b' });
    await endpoint.set('third', "it's");
    await endpoint.play('tone_stream://%(200,0,440)');
    await far.until(() => far.audioPackets >= 10, '200 ms of audio');
    const variables = await endpoint.getChannelVariables(true);
    t.match(variables, {
      variable_first: 'one',
      variable_second: 'a b',
      variable_third: "it's",
      'Answer-State': 'answered',
    });
    t.ok(Number(variables['variable_rtp_audio_out_packet_count']) >= 10);
  });
}

function playing(t: Test, target: MediaTarget): void {
  t.test('a WAV file is heard at the far end, 50 packets a second', async (t) => {
    const { leg } = await stage(t, target);
    const { endpoint, far } = await leg();
    const started = once(endpoint, 'playback-start') as Promise<[{ file: string }]>;
    const file = await toneFile(t, 1_000, 600);
    const result = await endpoint.play(file);
    t.same(result, {
      playbackSeconds: '0',
      playbackMilliseconds: '600',
      playbackLastOffsetPos: '4800',
    });
    t.same(await started, [{ file }]);
    await far.until(() => far.audioPackets >= 30, '600 ms of audio');
    t.equal(far.audioPackets, 30);
    t.ok(far.heard(1_000));
    t.notOk(far.heard(1_200));
    const { packets } = far;
    // A busy host may hold the clock up: time then goes on in whole frames, never back.
    const timestampSteps = packets.map(({ timestamp }, i) =>
      i === 0 ? 160 : (timestamp - (packets[i - 1]?.timestamp ?? 0)) >>> 0,
    );
    t.ok(packets[0]?.marker, 'the first packet of a talk spurt is marked (RFC 3551 §4.1)');
    t.ok(
      packets.every(
        ({ sequence, ssrc, payload }, i) =>
          sequence === (((packets[0]?.sequence ?? 0) + i) & 0xffff) &&
          timestampSteps[i] !== 0 &&
          (timestampSteps[i] ?? 0) % 160 === 0 &&
          ssrc === packets[0]?.ssrc &&
          payload.length === 160,
      ),
      'sequence and timestamps have no gap',
    );
  });

  t.test('tones and silence are made on the spot; a list is played in order', async (t) => {
    const { leg } = await stage(t, target);
    const { endpoint, far } = await leg();
    await endpoint.play([
      'tone_stream://%(200,0,400)',
      'silence_stream://100',
      'tone_stream://%(200,0,900)',
    ]);
    await far.until(() => far.audioPackets >= 25, '500 ms of audio');
    t.ok(far.heard(400) && far.heard(900));
    far.forget();
    await endpoint.play('silence_stream://100');
    await far.until(() => far.audioPackets >= 5, '100 ms of silence');
    t.equal(far.level(5), 0);
  });

  t.test('a missing file is an error, and the channel stays', async (t) => {
    const { leg } = await stage(t, target);
    const { endpoint } = await leg();
    await t.rejects(endpoint.play('/no/such/file.wav'), /File Not Found/);
    await endpoint.play('silence_stream://20');
    t.ok(endpoint.connected);
  });

  t.test('uuid_break ends a playback at once', async (t) => {
    const { leg } = await stage(t, target);
    const { endpoint, far } = await leg();
    const stopped = eventOf(endpoint, 'PLAYBACK_STOP');
    const playback = endpoint.play('tone_stream://%(60000,0,440)');
    await far.hears(440);
    await endpoint.api('uuid_break', `${endpoint.uuid} all`);
    const { playbackMilliseconds, playbackLastOffsetPos } = await playback;
    t.ok(Number(playbackMilliseconds) < 10_000);
    t.ok(Number(playbackLastOffsetPos) < 80_000);
    t.equal((await stopped).getHeader('Playback-Status'), 'break');
  });

  t.test('hang-up while playing settles the playback', async (t) => {
    const { leg } = await stage(t, target);
    const { endpoint, far } = await leg();
    const complete = eventOf(endpoint, 'CHANNEL_EXECUTE_COMPLETE');
    void endpoint.play('tone_stream://%(60000,0,440)').catch(() => undefined);
    await far.hears(440);
    await endpoint.dialog.destroy();
    const event = await complete;
    t.equal(event.getHeader('Application'), 'playback');
    t.equal(event.getHeader('Answer-State'), 'hangup');
    t.equal(event.getHeader('Hangup-Cause'), 'NORMAL_CLEARING');
  });

  t.test('a command that comes while audio plays does not wait for its end', async (t) => {
    const { leg } = await stage(t, target);
    const { endpoint, far } = await leg();
    const playback = endpoint.play('tone_stream://%(60000,0,440)');
    await far.hears(440);
    await endpoint.set('mark', 'now');
    far.forget();
    await far.hears(440);
    const bye = byeOf(endpoint);
    await endpoint.destroy();
    await bye;
    await playback.catch(() => undefined);
    t.pass();
  });

  t.test('an unknown application ends the call', async (t) => {
    const { leg } = await stage(t, target);
    const { endpoint } = await leg();
    const bye = byeOf(endpoint);
    void endpoint.execute('no_such_application').catch(() => undefined);
    t.match((await bye).get('Reason'), /cause=27;text="DESTINATION_OUT_OF_ORDER"/);
  });

  t.test('audio from an address that is not in the SDP is not listened to', async (t) => {
    const { leg, far } = await stage(t, target);
    const [a, b] = [await leg(), await leg()];
    await a.endpoint.bridge(b.endpoint);
    const stranger = await far();
    stranger.aim(a.endpoint.local.sdp);
    stranger.speak(1_500);
    a.far.speak(500);
    await b.far.hears(500);
    t.notOk(b.far.heard(1_500));
  });
}

function digits(t: Test, target: MediaTarget): void {
  t.test('a digit pressed at the far end is an event, once', async (t) => {
    const { leg } = await stage(t, target);
    const { endpoint, far } = await leg();
    const heardDigits: { dtmf: string; duration: string; source: string }[] = [];
    endpoint.on('dtmf', (digit: (typeof heardDigits)[number]) => heardDigits.push(digit));
    for (const digit of ['5', '#', '5']) {
      const event = eventOf(endpoint, 'DTMF');
      far.press(digit);
      await event;
    }
    await heard(endpoint);
    t.same(
      heardDigits.map(({ dtmf }) => dtmf),
      ['5', '#', '5'],
    );
    t.equal(heardDigits[0]?.source, 'RTP');
    t.ok(Math.abs(Number(heardDigits[0]?.duration) - 800) <= 160, 'in samples: 100 ms');
  });

  t.test('digits are sent as RFC 4733 events, their end three times', async (t) => {
    const { leg } = await stage(t, target);
    const { endpoint, far } = await leg();
    await endpoint.execute('send_dtmf', '7*@120');
    await far.until(() => far.digits.at(1)?.endPackets === 3, 'two digits');
    t.same(
      far.digits.map(({ digit, endPackets }) => ({ digit, endPackets })),
      [
        { digit: '7', endPackets: 3 },
        { digit: '*', endPackets: 3 },
      ],
    );
    t.ok(far.digits.every(({ durationSamples }) => Math.abs(durationSamples - 960) <= 160));
    const { uuid } = endpoint;
    const sent = await endpoint.api('uuid_send_dtmf', `${uuid} 1`);
    t.equal(sent.getBody(), `+OK ${uuid} sent DTMF 1.\n`);
    await far.until(() => far.digits.at(2)?.endPackets === 3, 'a third digit');
  });

  t.test('playCollect takes digits, and the prompt stops at the first', async (t) => {
    const { leg } = await stage(t, target);
    const { endpoint, far } = await leg();
    const started = once(endpoint, 'playback-start');
    const collecting = endpoint.playCollect({
      file: 'tone_stream://%(60000,0,440)',
      min: 1,
      max: 4,
      timeout: 5_000,
      digitTimeout: 5_000,
    });
    await started;
    for (const digit of ['1', '2', '#']) {
      const event = eventOf(endpoint, 'DTMF');
      far.press(digit);
      await event;
    }
    t.match(await collecting, { digits: '12', terminatorUsed: '#' });
  });

  t.test('playCollect without digits ends after its time', async (t) => {
    const { leg } = await stage(t, target);
    const { endpoint } = await leg();
    const { digits: pressed } = await endpoint.playCollect({
      file: 'silence_stream://20',
      min: 1,
      max: 1,
      tries: 1,
      timeout: 1_000,
      invalidFile: 'silence_stream://20',
    });
    t.equal(pressed, null);
  });

  t.test('a star ends a playback, as it does by default', async (t) => {
    const { leg } = await stage(t, target);
    const { endpoint, far } = await leg();
    const playback = endpoint.play('tone_stream://%(60000,0,440)');
    await far.hears(440);
    far.press('*');
    t.ok(Number((await playback).playbackLastOffsetPos) < 80_000);
  });
}

function bridges(t: Test, target: MediaTarget): void {
  t.test('bridged legs hear each other, and nothing after unbridge', async (t) => {
    const { leg } = await stage(t, target);
    const [a, b] = [await leg(), await leg()];
    await a.endpoint.bridge(b.endpoint);
    a.far.speak(500);
    b.far.speak(900);
    await Promise.all([a.far.hears(900), b.far.hears(500)]);
    t.notOk(a.far.heard(500), 'nobody hears himself');
    const parked = [eventOf(a.endpoint, 'CHANNEL_EXECUTE'), eventOf(b.endpoint, 'CHANNEL_EXECUTE')];
    await a.endpoint.unbridge();
    for (const event of await Promise.all(parked)) t.equal(event.getHeader('Application'), 'park');
    a.far.forget();
    b.far.forget();
    await Promise.all([
      a.endpoint.play('tone_stream://%(300,0,700)'),
      b.endpoint.play('tone_stream://%(300,0,1100)'),
    ]);
    t.ok(a.far.heard(700) && b.far.heard(1_100), 'both legs are usable again');
    t.notOk(a.far.heard(900) || b.far.heard(500));
  });

  t.test('digits pass through a bridge and are reported on the leg they came from', async (t) => {
    const { leg } = await stage(t, target);
    const [a, b] = [await leg(), await leg()];
    await a.endpoint.bridge(b.endpoint);
    a.far.speak(500);
    await b.far.hears(500);
    const event = eventOf(a.endpoint, 'DTMF');
    a.far.press('4');
    t.equal((await event).getHeader('DTMF-Digit'), '4');
    await b.far.until(() => b.far.digits.length > 0, 'the digit on the other leg');
    t.equal(b.far.digits[0]?.digit, '4');
  });

  t.test('mute silences a leg for the other one', async (t) => {
    const { leg } = await stage(t, target);
    const [a, b] = [await leg(), await leg()];
    await a.endpoint.bridge(b.endpoint);
    a.far.speak(500);
    await b.far.hears(500);
    await a.endpoint.mute();
    b.far.forget();
    await b.far.until(() => b.far.audioPackets > 10 && b.far.level(5) === 0, 'silence');
    await a.endpoint.unmute();
    await b.far.hears(500);
  });

  const rules = [
    { title: 'without park_after_bridge the other leg is hung up', value: 'false', stays: false },
    {
      title: 'with park_after_bridge the other leg stays and can be played to',
      value: 'true',
      stays: true,
    },
  ];
  for (const { title, value, stays } of rules) {
    t.test(title, async (t) => {
      const { leg, mrf } = await stage(t, target);
      const [a, b] = [await leg(), await leg()];
      await a.endpoint.set('park_after_bridge', value);
      await a.endpoint.bridge(b.endpoint);
      b.far.speak(500);
      await a.far.hears(500);
      const bye = stays ? undefined : byeOf(a.endpoint);
      const gone = once(b.endpoint, 'destroy');
      await b.endpoint.dialog.destroy();
      await gone;
      if (stays) {
        t.equal(await mrf.api(`uuid_exists ${a.endpoint.uuid}`), 'true');
        await Promise.all([a.endpoint.play('tone_stream://%(400,0,700)'), a.far.hears(700)]);
      } else t.match((await bye)?.get('Reason'), /cause=16/);
    });
  }

  t.test('a bridge to a channel that is gone is refused', async (t) => {
    const { leg } = await stage(t, target);
    const [a, b] = [await leg(), await leg()];
    await b.endpoint.destroy();
    await t.rejects(a.endpoint.bridge(b.endpoint), /Invalid uuid/);
    await a.endpoint.play('silence_stream://20');
  });
}

await mediaContract(async (t, target) => {
  for (const part of [connecting, endpoints, playing, digits, bridges]) {
    await t.test(part.name, async (t) => part(t, target));
  }
});

t.test('a port rests after its call: another call gets another port, or none', async (t) => {
  const { target, softswitch } = await embeddedSwitch({
    rtpPorts: { min: 40_000, max: 40_003 },
    rtpQuarantineMs: 60_000,
  });
  t.teardown(() => softswitch.stop());
  const { mrf } = await stage(t, target);
  const first = await mrf.endpoint();
  const firstPort = first.local.mediaPort;
  await first.destroy();
  const second = await mrf.endpoint();
  t.not(second.local.mediaPort, firstPort);
  t.equal(await refusal(mrf.endpoint()), 503, 'the other port is still resting');
  await second.destroy();
});

t.test('above sessions-per-second new calls are refused with 503', async (t) => {
  const { target, softswitch } = await embeddedSwitch({ sessionsPerSecondMax: 1 });
  t.teardown(() => softswitch.stop());
  const { mrf } = await stage(t, target);
  const asked = Array.from({ length: 6 }, () => mrf.endpoint());
  const outcomes = await Promise.allSettled(asked);
  const refused = outcomes.filter(
    (outcome) =>
      outcome.status === 'rejected' && (outcome.reason as { status?: number }).status === 503,
  );
  t.ok(refused.length >= 4, 'a burst touches two seconds at most');
  t.ok(refused.length < 6, 'the limit is one, not none');
});

t.test('a call that is not fsmrf’s finds no route', async (t) => {
  const { target, softswitch } = await embeddedSwitch();
  t.teardown(() => softswitch.stop());
  const client = await SrfClient.connect(target.control, 'stranger');
  t.teardown(() => client.close());
  const far = await RtpFarEnd.open();
  t.teardown(() => far.close());
  const uri = `sip:drachtio@127.0.0.1:${softswitch.mediaSipPort}`;
  const error = await client.call(uri, { localSdp: far.sdp() }).failure();
  t.equal(error.status, 404);
  const { response } = await client.request(uri, { method: 'OPTIONS' });
  t.equal(response.status, 200);
});

t.test('a switch that carriers reach keeps its control ports on loopback', async (t) => {
  const { target, softswitch } = await embeddedSwitch({ host: '127.0.0.2' });
  t.teardown(() => softswitch.stop());
  for (const port of [softswitch.controlPort, softswitch.eslPort, softswitch.mediaSipPort]) {
    const socket = connect(port, '127.0.0.2');
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    t.equal(error.code, 'ECONNREFUSED', `port ${port} is not open on the outer address`);
  }
  const { mrf } = await stage(t, target);
  const endpoint = await mrf.endpoint();
  t.equal(endpoint.local.mediaIp, '127.0.0.2', 'RTP is where carriers reach it');
  await endpoint.destroy();
});

t.test('a far end that goes by a host name is looked up, then heard and sent to', async (t) => {
  const { target, softswitch } = await embeddedSwitch();
  t.teardown(() => softswitch.stop());
  const { mrf, far } = await stage(t, target);
  const end = await far();
  const endpoint = await mrf.endpoint(end.sdp('sendrecv', 'localhost'));
  const heard = end.hears(700);
  const playing = endpoint.play('tone_stream://%(2000,0,700)');
  await heard;
  await endpoint.destroy();
  await playing.catch(() => undefined);
  const lost = await mrf.endpoint(end.sdp());
  const bye = byeOf(lost);
  lost.modify(end.sdp('sendrecv', 'no-such-host.invalid')).catch(() => undefined);
  t.match((await bye).get('Reason'), /cause=27;text="DESTINATION_OUT_OF_ORDER"/);
});

t.test('where SRTP is mandatory, no call is ever in clear', async (t) => {
  const { target, softswitch } = await embeddedSwitch({ secureMedia: 'mandatory' });
  t.teardown(() => softswitch.stop());
  const { mrf, far } = await stage(t, target);
  const end = await far();
  t.equal(await refusal(mrf.endpoint(end.sdp())), 488, 'plain RTP is refused');
  const refused = await mrf.endpoint();
  await t.rejects(refused.modify(end.sdp()), 'nor does a re-INVITE bring it back');
  await refused.dialog.destroy(); // srf sends no other re-INVITE after one that was refused
  const endpoint = await mrf.endpoint();
  t.match(endpoint.local.sdp, /^m=audio \d+ RTP\/SAVP /m);
  t.notMatch(endpoint.local.sdp, /RTP\/AVP/);
  const master = Buffer.alloc(30, 7);
  const crypto = `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${master.toString('base64')}`;
  await endpoint.modify(
    end.sdp().replace('RTP/AVP', 'RTP/SAVP').replace('a=sendrecv', `${crypto}\r\na=sendrecv`),
  );
  const key = /^a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:(\S+)/m.exec(endpoint.local.sdp)?.[1];
  const ours = new SrtpStream('AES_CM_128_HMAC_SHA1_80', master);
  const theirs = new SrtpStream('AES_CM_128_HMAC_SHA1_80', Buffer.from(key ?? '', 'base64'));
  end.secure({
    protect: (bytes) => ours.protect(bytes),
    unprotect: (bytes) => theirs.unprotect(bytes),
  });
  end.aim(endpoint.local.sdp);
  await Promise.all([endpoint.play('tone_stream://%(400,0,700)'), end.hears(700)]);
  t.equal(theirs.refused, 0, 'every packet was encrypted');
  const digit = eventOf(endpoint, 'DTMF');
  end.press('7');
  t.equal((await digit).getHeader('DTMF-Digit'), '7', 'and ours are understood');
  await endpoint.destroy();
});

t.test(
  '1,000 damaged packets and commands: the next one is answered within a second',
  async (t) => {
    const { target, softswitch } = await embeddedSwitch();
    t.teardown(() => softswitch.stop());
    const scene = await stage(t, target);
    const slowestMs = await mediaUnderFire(scene, target.esl, { count: 500, seed: 4_711 });
    t.ok(slowestMs < 1_000, `after ${slowestMs} ms`);
    const { endpoint, far } = await scene.leg();
    await Promise.all([endpoint.play('tone_stream://%(400,0,700)'), far.hears(700)]);
  },
);
