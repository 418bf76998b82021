/**
 * Goal: a representative's leg outlives its customers, and each pair hears each other and nobody else.
 * Proved by what is heard, over SIP and RTP, with the gateway on the embedded switch.
 */
import t from 'tap';
import type { RepresentativeCall } from '../../lab/representative-call.ts';
import { LobbyStand, type StandCustomer, type StandLobby } from '../support/lobby-stand.ts';
import type { RtpFarEnd } from '../support/rtp-far-end.ts';

t.setTimeout(110_000);

const CUE_HZ = 880;
const REP_HZ = 500;
const EARLY_HZ = 650;
/** `hears` wants 100 ms of a tone, most of which it has heard by then. */
const HEARD_AFTER_MS = 80;

t.test('[DM-21] [WS-15] cue first, then both hear each other, within the limits', async (t) => {
  const stand = await LobbyStand.start(t, { representativeHz: REP_HZ });
  const lobby = await stand.openLobby();
  const rep = await stand.representative.nextCall();
  const took: { cueMs: number; repHearsMs: number; customerHearsMs: number }[] = [];
  for (const customerHz of [1_200, 1_400, 1_600, 1_800, 2_000]) {
    const customer = await stand.answeredCustomer(customerHz);
    const orderedAtMs = performance.now();
    void customer.connect(lobby.id);
    const cueMs = (await rep.heard.until(CUE_HZ, 40, orderedAtMs)) - orderedAtMs;
    const repHearsMs = (await rep.heard.until(customerHz, 60, orderedAtMs)) - orderedAtMs;
    await customer.call.media.hears(REP_HZ);
    const customerHearsMs = performance.now() - orderedAtMs - HEARD_AFTER_MS;
    took.push({ cueMs, repHearsMs, customerHearsMs });
    t.ok(repHearsMs > cueMs, 'the cue comes first');
    t.notOk(customer.call.media.heard(CUE_HZ), 'the customer does not hear the cue');
    t.ok(customer.told('attempt.connected'), 'and it is told');
    customer.call.hangUp();
    await customer.event('attempt.ended');
    t.match(customer.told('attempt.bridgeEnded'), { endedBy: 'far' });
  }
  t.comment(took.map((each) => Object.values(each).map(Math.round).join('/')).join(' '));
  // On a host that does other work too, each can be late: what can be proved is that it can be met.
  t.ok(Math.min(...took.map(({ cueMs }) => cueMs)) <= 150, 'the cue within 150 ms');
  t.ok(Math.min(...took.map(({ repHearsMs }) => repHearsMs)) <= 300, 'the customer within 300');
  t.ok(Math.min(...took.map((each) => each.customerHearsMs)) <= 300, 'and the representative');
  t.notOk(rep.isOver, 'the leg is there still');
  await stand.closeLobby(lobby);
  t.equal(await rep.ended, 'byeReceived');
});

/** Customers of before whose phones go on sending. */
const STRAYS_MAX = 6;

t.test(
  '50 customers in a row: the leg survives every BYE, and nobody hears the one before',
  async (t) => {
    // Few ports that hardly rest: whoever calls soon gets a port to which another is sending still.
    const stand = await LobbyStand.start(t, {
      representativeHz: REP_HZ,
      rig: {
        gateway: { endpointsWarm: 2 },
        media: { rtpPortMin: 30_000, rtpPortMax: 30_014, rtpQuarantineMs: 100 },
      },
    });
    const ports = new Map<number, number>();
    const lobby = await stand.openLobby();
    const rep = await stand.representative.nextCall();
    const strays: { media: RtpFarEnd; hz: number }[] = [];
    let callMs = 0;
    for (let index = 0; index < 50; index += 1) {
      const hz = 1_000 + (index % 7) * 200;
      const customer = await stand.answeredCustomer(hz);
      const fromMs = performance.now();
      void customer.connect(lobby.id);
      // Before that the phone plays out what its jitter buffer has of the call before.
      const togetherMs = await rep.heard.until(hz, 100, fromMs);
      await customer.call.media.hears(REP_HZ);
      callMs += performance.now() - fromMs;
      const { switchPort, media } = customer.call;
      ports.set(switchPort, (ports.get(switchPort) ?? 0) + 1);
      for (const stray of strays) {
        if (stray.hz === hz) continue;
        t.equal(rep.heard.toneMs(stray.hz, togetherMs), 0, `${index}: nothing of one before`);
        t.notOk(media.heard(stray.hz), 'nor does the customer hear it');
      }
      // Hung up by the customer and by us in turn; their RTP goes on to where it went.
      if (index % 2 === 0) customer.call.hangUp();
      else await customer.command({ type: 'attempt.hangup', reason: 'completed' });
      await Promise.all([customer.event('attempt.ended'), customer.call.ended]);
      media.speak(hz);
      strays.push({ media, hz });
      if (strays.length > STRAYS_MAX) strays.shift()?.media.hush();
    }
    for (const { media } of strays) media.hush();
    const reused = [...ports.values()].filter((calls) => calls > 1).length;
    const isSeen = `${reused} ports served several customers while one before was sending to them`;
    // Named servers choose among ports of their own.
    if (stand.rig.switch.isEmbedded) t.ok(reused > 3, isSeen);
    else t.comment(isSeen);
    t.comment(`command to both ways: ${Math.round(callMs / 50)} ms on average`);
    t.notOk(rep.isOver, 'the leg is there still');
    t.equal(stand.representative.calls.length, 1, 'and was called once');
    await stand.closeLobby(lobby);
  },
);

t.test('[WS-14] a BYE is told within a second, silent loss within five', async (t) => {
  const stand = await LobbyStand.start(t, { representativeHz: REP_HZ });
  const left = async (
    how: (rep: RepresentativeCall) => void,
    lobby: StandLobby,
    customer?: StandCustomer,
  ) => {
    const rep = await stand.representative.nextCall();
    if (customer !== undefined) {
      void customer.connect(lobby.id);
      await customer.event('attempt.connected');
    }
    const fromMs = performance.now();
    how(rep);
    const event = await lobby.event('lobby.left');
    return { ...event, afterMs: performance.now() - fromMs };
  };
  const bye = await left((rep) => rep.hangUp(), await stand.openLobby());
  t.equal(bye.reason, 'representative');
  t.ok(bye.afterMs < 1_000, `BYE: ${bye.afterMs} ms`);

  const customer = await stand.answeredCustomer(1_000);
  const during = await left((rep) => rep.hangUp(), await stand.openLobby(), customer);
  t.equal(during.reason, 'representative');
  t.match(await customer.event('attempt.bridgeEnded'), { endedBy: 'target' });
  t.equal(customer.told('attempt.ended'), undefined, 'the customer is there still');

  // Silent by itself: hold, voice activity detection. It answers OPTIONS and stays.
  const lobby = await stand.openLobby();
  const silent = await stand.representative.nextCall();
  silent.fallSilent();
  await stand.untilOptions(3);
  t.equal(lobby.told('lobby.left'), undefined, 'a phone that is only silent is not given up');
  await stand.closeLobby(lobby);

  const gone = await left(() => stand.representative.vanish(), await stand.openLobby());
  t.equal(gone.reason, 'lost');
  t.ok(gone.afterMs < 5_000, `silent loss: ${gone.afterMs} ms`);
  t.comment(`BYE ${Math.round(bye.afterMs)} ms, silent loss ${Math.round(gone.afterMs)} ms`);
});

t.test(
  'an idle lobby is released, a refused one never ready, a second customer refused',
  async (t) => {
    const stand = await LobbyStand.start(t, { representativeHz: REP_HZ });
    const idle = await stand.openLobby({ idleLimitMs: 300 }, 'lobby.left');
    await stand.representative.nextCall();
    t.match(idle.told('lobby.left'), { reason: 'idle' });
    t.ok((idle.told('lobby.left')?.heldMs ?? 0) >= 300);
    const busy = await stand.openPhone(undefined, { rejectWith: 486 });
    const refused = await stand.openLobby({ sipUri: busy.address }, 'lobby.left');
    t.match(refused.told('lobby.left'), { reason: 'notAnswered', statusCode: 486 });
    t.equal(refused.told('lobby.ready'), undefined);
    t.match(await refused.command({ type: 'lobby.close', reason: 'released' }), {
      code: 'LOBBY_GONE',
    });

    const lobby = await stand.openLobby();
    const rep = await stand.representative.nextCall();
    const one = await stand.answeredCustomer(1_000, { lobbyId: lobby.id });
    const other = await stand.answeredCustomer(1_600);
    void one.connect(lobby.id);
    await one.event('attempt.connected');
    void other.connect(lobby.id);
    t.match(await other.event('attempt.connectFailed'), { reason: 'target_refused' });
    await rep.heard.until(1_000, 100);
    t.equal(rep.heard.toneMs(1_600), 0, 'the other one is not heard');
    const unknown = stand.dial({ lobbyId: 'nobody' });
    t.match(await unknown.reply, { code: 'LOBBY_GONE' });
  },
);

t.test(
  '[DM-15] connected before the answer, a representative hears what the line says',
  async (t) => {
    const stand = await LobbyStand.start(t, { representativeHz: REP_HZ });
    stand.phone.isEarly = true;
    const lobby = await stand.openLobby();
    const rep = await stand.representative.nextCall();
    for (const isAnswered of [true, false]) {
      const ringing = stand.phone.nextCall();
      const attempt = stand.dial({ lobbyId: lobby.id });
      await attempt.event('attempt.sent');
      const fromMs = performance.now();
      t.match(await attempt.connect(lobby.id), { accepted: true }, 'before anything is heard');
      const call = await ringing;
      call.media.speak(EARLY_HZ);
      await rep.heard.until(EARLY_HZ, 100, fromMs);
      t.equal(attempt.told('attempt.answered'), undefined, 'nobody has answered');
      t.match(attempt.told('attempt.connected'), { target: 'lobby', afterAnswerMs: 0 });
      if (isAnswered) {
        call.pickUp();
        await attempt.event('attempt.answered');
        call.media.speak(1_000);
        await rep.heard.until(1_000, 100, fromMs);
        await call.media.hears(REP_HZ);
        t.match(await attempt.command({ type: 'attempt.query' }), { state: { connected: true } });
        call.hangUp();
      } else call.decline(486);
      await attempt.event('attempt.ended');
      t.match(attempt.told('attempt.bridgeEnded'), { endedBy: 'far' });
      t.match(attempt.told('attempt.ended'), { answered: isAnswered });
    }
    t.notOk(rep.isOver, 'the leg is there still');
  },
);

/** What an AI agent says, told apart from everybody else. */
const AGENT_HZ = 700;
/** A tone's frame is far above comfort noise. */
const QUIET = 1_000;

t.test('[DM-19] an agent hands over: the customer is with somebody all the time', async (t) => {
  const stand = await LobbyStand.start(t, { representativeHz: REP_HZ });
  const agent = await stand.openPhone(AGENT_HZ);
  const lobby = await stand.openLobby();
  const rep = await stand.representative.nextCall();
  const gaps: number[] = [];
  for (const customerHz of [1_200, 1_400, 1_600]) {
    const customer = await stand.answeredCustomer(customerHz);
    const talks = agent.nextCall();
    const target = { kind: 'aiAgent', sipUri: agent.address, setupTimeoutMs: 6_000 } as const;
    await customer.command({ type: 'attempt.connect', connectId: 'agent', target });
    await customer.event('attempt.connected');
    const bot = await talks;
    const { media } = customer.call;
    await media.hears(AGENT_HZ);
    media.forget();
    await media.hears(AGENT_HZ);
    const fromMs = performance.now();
    t.match(await customer.connect(lobby.id), { accepted: true }, 'while the agent talks');
    await media.hears(REP_HZ);
    await rep.heard.until(customerHz, 60, fromMs);
    gaps.push(longestQuietMs(media));
    t.equal(await bot.ended, 'byeReceived', 'the agent is let go');
    t.same(
      stand.events
        .filter((event) => 'connectId' in event && event.attemptId === customer.id)
        .map((event) => event.type),
      ['attempt.connected', 'attempt.bridgeEnded', 'attempt.connected'],
    );
    customer.call.hangUp();
    await customer.event('attempt.ended');
  }
  t.comment(`longest silence at the customer: ${gaps.join(', ')} ms`);
  // On a host that does other work too, one of them may be late.
  t.ok((gaps.sort((a, b) => a - b)[1] ?? Infinity) <= 300, 'nobody waits in silence');
  t.notOk(rep.isOver, 'the representative is there for the next');
});

/** In what was received: by its packets, and by what is in them. */
function longestQuietMs(media: RtpFarEnd): number {
  const { pcm, frameAtMs } = media.heardAudio;
  let longestMs = 0;
  let lastLoudMs = frameAtMs[0] ?? 0;
  for (const [index, atMs] of frameAtMs.entries()) {
    const frame = pcm.subarray(index * 160, (index + 1) * 160);
    if (!frame.some((sample) => Math.abs(sample) > QUIET)) continue;
    longestMs = Math.max(longestMs, atMs - lastLoudMs);
    lastLoudMs = atMs;
  }
  return Math.round(longestMs);
}
