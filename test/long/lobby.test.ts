/**
 * Goal: a representative's leg outlives its customers, and each pair hears each other and nobody else.
 * Proved by what is heard, over SIP and RTP, with the gateway on the embedded switch.
 */
import t, { type Test } from 'tap';
import { RepresentativePhone } from '../../lab/representative-phone.ts';
import type { AttemptEvent } from '../../machines/telephony-events.ts';
import { LobbyStand } from '../support/lobby-stand.ts';

t.setTimeout(110_000);

const CUE_HZ = 880;
const REP_HZ = 500;

t.test('[DM-21] [WS-15] cue first, then both hear each other, within the limits', async (t) => {
  const stand = await LobbyStand.start(t, { representativeHz: REP_HZ });
  const lobby = await stand.openLobby();
  const rep = await stand.representative.nextCall();
  for (const [index, customerHz] of [1_200, 1_400, 1_600].entries()) {
    const customer = await stand.answeredCustomer(customerHz);
    const orderedAtMs = performance.now();
    customer.connect(lobby.id);
    const cueMs = (await rep.heard.until(CUE_HZ, 40, orderedAtMs)) - orderedAtMs;
    const repHearsMs = (await rep.heard.until(customerHz, 60, orderedAtMs)) - orderedAtMs;
    await customer.call.media.hears(REP_HZ);
    const customerHearsMs = performance.now() - orderedAtMs;
    t.comment(`cue ${cueMs} ms, both ways ${repHearsMs} and ${customerHearsMs} ms`);
    t.ok(cueMs <= 150, `${index}: the cue begins after ${cueMs} ms`);
    t.ok(repHearsMs > cueMs, 'the cue comes first');
    t.ok(repHearsMs <= 300 && customerHearsMs <= 400, 'two-way audio');
    t.notOk(customer.call.media.heard(CUE_HZ), 'the customer does not hear the cue');
    customer.call.hangUp();
    await customer.event('attempt.ended');
    t.match(customer.told('attempt.bridgeEnded'), { endedBy: 'far' });
  }
  t.notOk(rep.isOver, 'the leg is there still');
  await stand.closeLobby(lobby);
  t.equal(await rep.ended, 'byeReceived');
});
