/**
 * Goal: hold, mute, transfer, supervision and recording do what they say, proved by what each party
 * hears: every party speaks at a tone of its own.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { RepresentativeCall } from '../../lab/representative-call.ts';
import { LobbyStand, type StandCustomer, type StandLobby } from '../support/lobby-stand.ts';

t.setTimeout(110_000);

const REP_HZ = 500;
const CUSTOMER_HZ = 1_000;
const MUSIC_HZ = 1_500;
const OTHER_HZ = 2_000;

interface Pair {
  readonly lobby: StandLobby;
  readonly rep: RepresentativeCall;
  readonly customer: StandCustomer;
}

async function talking(stand: LobbyStand, lobby?: StandLobby): Promise<Pair> {
  const opened = lobby ?? (await stand.openLobby());
  const rep = await stand.representative.nextCall();
  const customer = await stand.answeredCustomer(CUSTOMER_HZ);
  await customer.connect(opened.id);
  await customer.event('attempt.connected');
  await rep.heard.until(CUSTOMER_HZ, 60);
  await customer.call.media.hears(REP_HZ);
  return { lobby: opened, rep, customer };
}

t.test('hold, music and unhold; mute and unmute; keys', async (t) => {
  const stand = await LobbyStand.start(t, { representativeHz: REP_HZ });
  const { rep, customer } = await talking(stand);
  const { media } = customer.call;

  await customer.command({ type: 'attempt.hold', prompts: [`tone_stream://%(400,0,${MUSIC_HZ})`] });
  t.match(await customer.event('attempt.holdChanged'), { held: true });
  const heldMs = performance.now();
  await media.hears(MUSIC_HZ);
  media.forget();
  await media.until(() => media.audioPackets > 60, 'more than one turn of the music');
  t.ok(media.heard(MUSIC_HZ), 'the music goes on');
  t.notOk(media.heard(REP_HZ), 'and not the representative');
  await rep.heard.untilLevels((level) => level(CUSTOMER_HZ) < 0.002);
  t.equal(rep.heard.toneMs(MUSIC_HZ, heldMs), 0, 'who hears no music either');

  await customer.command({ type: 'attempt.unhold' });
  t.match(await customer.event('attempt.holdChanged', 2), { held: false });
  await rep.heard.until(CUSTOMER_HZ, 60, performance.now());
  await media.hears(REP_HZ);

  await customer.command({ type: 'attempt.mute' });
  t.match(await customer.event('attempt.muteChanged'), { muted: true });
  media.forget();
  await media.until(() => media.audioPackets > 25, 'half a second muted');
  t.ok(media.level(20) < 300, 'the customer hears nothing');
  await rep.heard.until(CUSTOMER_HZ, 60, performance.now());
  await customer.command({ type: 'attempt.unmute' });
  t.match(await customer.event('attempt.muteChanged', 2), { muted: false });
  await media.hears(REP_HZ);

  await customer.command({ type: 'attempt.sendDtmf', digits: '12#', toneMs: 100 });
  await media.until(() => media.digits.length === 3, 'three digits');
  t.equal(media.digits.map(({ digit }) => digit).join(''), '12#');
  media.press('7');
  t.match(await customer.event('attempt.dtmf'), { digit: '7' });

  t.match(await customer.command({ type: 'attempt.completeTransfer', transferId: 'x' }), {
    code: 'BAD_STATE',
  });
  await customer.command({ type: 'attempt.mute' });
  await customer.event('attempt.muteChanged', 3);
  customer.call.hangUp();
  await customer.event('attempt.ended');
  const next = await stand.answeredCustomer(OTHER_HZ);
  await next.connect('lobby-1');
  await rep.heard.until(OTHER_HZ, 60);
  await next.call.media.hears(REP_HZ);
  t.pass('the next customer hears a representative who was muted for the one before');
});

t.test('blind transfer: the representative is free at once, and takes the next', async (t) => {
  const stand = await LobbyStand.start(t, { representativeHz: REP_HZ });
  const colleague = await stand.openPhone(OTHER_HZ);
  const busy = await stand.openPhone(undefined, { rejectWith: 486 });
  const { lobby, rep, customer } = await talking(stand);
  const { media } = customer.call;
  const transfer = { type: 'attempt.transfer', mode: 'blind' } as const;
  await customer.command({ ...transfer, transferId: 't1', destination: colleague.address });
  await customer.event('attempt.transferred');
  t.match(await customer.event('attempt.bridgeEnded'), { endedBy: 'dialer' });
  const other = await colleague.nextCall();
  await other.heard.until(CUSTOMER_HZ, 100);
  await media.hears(OTHER_HZ);
  const nextCustomer = await stand.answeredCustomer(1_300);
  await nextCustomer.connect(lobby.id);
  await rep.heard.until(1_300, 100);
  t.equal(other.heard.toneMs(1_300), 0, 'the colleague has the first customer alone');
  other.hangUp();
  t.match(await customer.event('attempt.ended'), { endedBy: 'gateway' });

  await nextCustomer.command({ ...transfer, transferId: 't2', destination: busy.address });
  t.match(await nextCustomer.event('attempt.transferFailed'), {
    reason: 'refused',
    statusCode: 486,
  });
  await nextCustomer.connect(lobby.id);
  await nextCustomer.event('attempt.connected', 2);
  await nextCustomer.call.media.hears(REP_HZ);
  t.pass('the customer is back with the representative');
  await nextCustomer.command({ ...transfer, transferId: 't3', destination: '911' });
  t.match(await nextCustomer.event('attempt.transferFailed', 2), { reason: 'not_sent' });
});

t.test('attended transfer: completed, cancelled, and by a number on the trunk', async (t) => {
  const stand = await LobbyStand.start(t, { representativeHz: REP_HZ });
  const colleague = await stand.openPhone(OTHER_HZ);
  const { rep, customer } = await talking(stand);
  const { media } = customer.call;
  const transfer = { type: 'attempt.transfer', mode: 'attended' } as const;
  const prompts = [`tone_stream://%(400,0,${MUSIC_HZ})`];

  await customer.command({
    ...{ ...transfer, transferId: 't1', prompts },
    destination: colleague.address,
  });
  await customer.event('attempt.transferAnswered');
  const consulted = await colleague.nextCall();
  await consulted.heard.until(REP_HZ, 100);
  await rep.heard.until(OTHER_HZ, 100);
  await media.hears(MUSIC_HZ);
  t.equal(consulted.heard.toneMs(CUSTOMER_HZ), 0, 'the customer is not heard meanwhile');
  await customer.command({ type: 'attempt.cancelTransfer', transferId: 't1' });
  t.match(await customer.event('attempt.transferFailed'), { reason: 'cancelled' });
  t.equal(await consulted.ended, 'byeReceived');
  await rep.heard.until(CUSTOMER_HZ, 100, performance.now());
  await media.hears(REP_HZ);

  // By a number: the trunk's own customers' phone answers it.
  const picked = stand.phone.nextCall();
  await customer.command({
    ...{ ...transfer, transferId: 't2', prompts },
    destination: '+12065550177',
  });
  const third = await picked;
  third.media.speak(1_800);
  await customer.event('attempt.transferAnswered', 2);
  await third.media.hears(REP_HZ);
  await customer.command({ type: 'attempt.completeTransfer', transferId: 't2' });
  await customer.event('attempt.transferred');
  await third.media.hears(CUSTOMER_HZ);
  await media.hears(1_800);
  await rep.heard.untilLevels((level) => level(CUSTOMER_HZ) < 0.002 && level(1_800) < 0.002);
  t.notOk(rep.isOver, 'the representative is free for the next');
  customer.call.hangUp();
  await customer.event('attempt.ended');
  await third.ended;
  t.pass('the destination is let go with the customer');
});

t.test('a supervisor listens, whispers and barges, over several customers', async (t) => {
  const stand = await LobbyStand.start(t, { representativeHz: REP_HZ });
  const supervisor = await stand.openPhone(OTHER_HZ);
  const { lobby, rep, customer } = await talking(stand);
  const { media } = customer.call;
  const monitor = { type: 'lobby.monitor', monitorId: 'm1', sipUri: supervisor.address } as const;
  await lobby.command({ ...monitor, mode: 'listen' });
  await lobby.event('lobby.monitoring');
  const ear = await supervisor.nextCall();
  await ear.heard.untilLevels((level) => level(REP_HZ) > 0.05 && level(CUSTOMER_HZ) > 0.05);
  t.equal(rep.heard.levelOf(OTHER_HZ) < 0.002, true, 'who listens is not heard');

  await lobby.command({ ...monitor, mode: 'whisper' });
  await lobby.event('lobby.monitoring', 2);
  await rep.heard.untilLevels((level) => level(OTHER_HZ) > 0.05 && level(CUSTOMER_HZ) > 0.05);
  media.forget();
  await media.until(() => media.audioPackets > 25, 'half a second');
  await media.hears(REP_HZ);
  t.notOk(media.heard(OTHER_HZ), 'the customer hears the representative alone');
  await ear.heard.untilLevels((level) => level(REP_HZ) > 0.05 && level(OTHER_HZ) < 0.002);

  await lobby.command({ ...monitor, mode: 'barge' });
  await lobby.event('lobby.monitoring', 3);
  await media.hears2(REP_HZ, OTHER_HZ);
  await rep.heard.untilLevels((level) => level(OTHER_HZ) > 0.05);

  customer.call.hangUp();
  await customer.event('attempt.ended');
  const next = await stand.answeredCustomer(1_300);
  await next.connect(lobby.id);
  await ear.heard.untilLevels((level) => level(REP_HZ) > 0.05 && level(1_300) > 0.05);
  await next.call.media.hears2(REP_HZ, OTHER_HZ);
  await lobby.command({ type: 'lobby.unmonitor', monitorId: 'm1' });
  t.match(await lobby.event('lobby.monitorEnded'), { reason: 'stopped' });
  t.equal(await ear.ended, 'byeReceived');
  await next.call.media.hears(REP_HZ);
  t.match(await lobby.command({ type: 'lobby.unmonitor', monitorId: 'm1' }), { code: 'BAD_STATE' });
});

t.test('[WS-03] a stereo recording with a pause, delivered over HTTP', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-recordings-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const stand = await LobbyStand.start(t, {
    representativeHz: REP_HZ,
    rig: { gateway: { recordingsDir: folder } },
  });
  const { customer } = await talking(stand);
  const about = { recordingId: 'r1' };
  const { media } = customer.call;
  const forFrames = async (count: number): Promise<void> => {
    media.forget();
    await media.until(() => media.audioPackets >= count, `${count} frames`);
  };
  await customer.command({
    ...{ type: 'recording.start', ...about, channels: 'stereo', lengthMaxMs: 60_000 },
  });
  await customer.event('recording.started');
  await forFrames(50);
  await customer.command({ type: 'recording.pause', ...about });
  await forFrames(50);
  await customer.command({ type: 'recording.resume', ...about });
  await forFrames(50);
  await customer.command({ type: 'recording.stop', ...about });
  const ended = await customer.event('recording.ended');
  t.ok(ended.lengthMs > 2_500 && ended.lengthMs < 4_500, `${ended.lengthMs} ms`);
  const { left, right } = channelsOf(readFileSync(join(folder, ended.location)));
  const third = Math.floor(left.length / 3);
  for (const [from, to] of [
    [0, third * 0.8],
    [left.length - third * 0.8, left.length],
  ] as const) {
    t.ok(shareOf(CUSTOMER_HZ, left.subarray(from, to)) > 0.5, 'the customer is on the left');
    t.ok(shareOf(REP_HZ, right.subarray(from, to)) > 0.5, 'the representative on the right');
    t.equal(shareOf(REP_HZ, left.subarray(from, to)), 0, 'and neither on the other side');
    t.equal(shareOf(CUSTOMER_HZ, right.subarray(from, to)), 0);
  }
  const middle = [left, right].map((side) => side.subarray(third * 1.3, third * 1.7));
  t.ok(
    middle.every((side) => side.every((sample) => sample === 0)),
    'silence while paused',
  );

  // Hung up while it records: the file comes all the same.
  await customer.command({
    ...{ type: 'recording.start', recordingId: 'r2', channels: 'mixed', lengthMaxMs: 60_000 },
  });
  await customer.event('recording.started', 2);
  await forFrames(40);
  customer.call.hangUp();
  const second = await customer.event('recording.ended', 2);
  t.ok(second.lengthMs > 600, `${second.lengthMs} ms`);
  t.match(await customer.command({ type: 'recording.stop', recordingId: 'r2' }), {
    accepted: false,
  });
});

/** 16 bits, two channels, after the 44 bytes of a plain header. */
function channelsOf(wav: Buffer): { left: Int16Array; right: Int16Array } {
  const frames = Math.floor((wav.length - 44) / 4);
  const read = (offset: number) =>
    Int16Array.from({ length: frames }, (_, index) => wav.readInt16LE(44 + index * 4 + offset));
  return { left: read(0), right: read(2) };
}

/** Of the frames of 20 ms those that are that tone. */
function shareOf(hz: number, pcm: Int16Array): number {
  const count = Math.floor(pcm.length / 160);
  const frames = Array.from({ length: count }, (_, at) => pcm.subarray(at * 160, at * 160 + 160));
  return frames.filter((frame) => isTone(frame, hz)).length / count;
}

function isTone(pcm: Int16Array, hz: number): boolean {
  const omega = (2 * Math.PI * hz) / 8_000;
  let [previous, before, energy] = [0, 0, 0];
  for (const sample of pcm) {
    [before, previous] = [previous, sample + 2 * Math.cos(omega) * previous - before];
    energy += sample * sample;
  }
  const power = previous ** 2 + before ** 2 - 2 * Math.cos(omega) * previous * before;
  return energy > pcm.length * 10_000 && (2 * power) / (pcm.length * energy) > 0.8;
}
