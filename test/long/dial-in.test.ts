/**
 * Goal: a representative who calls the dial-in number and proves who they are has a lobby leg like any
 * other; whoever does not, hears why and has none. Over SIP and RTP, through the embedded switch.
 */
import t, { type Test } from 'tap';
import type { RepresentativeCall } from '../../lab/representative-call.ts';
import { DirectoryInMemory } from '../../gateway/registrar/directory-in-memory.ts';
import type { EventOf, EventType, TelephonyEvent } from '../../machines/telephony-events.ts';
import { LobbyStand } from '../support/lobby-stand.ts';

t.setTimeout(110_000);

const REP_HZ = 500;
const PROMPT_HZ = {
  ...{ number: 600, pin: 700, admitted: 950, wrong: 1_050, inLobby: 1_150, notInvited: 1_250 },
  ...{ locked: 1_350, notSignedOn: 1_450, unavailable: 1_550 },
};

async function dialInStand(t: Test, more: { waitMs?: number } = {}) {
  const directory = new DirectoryInMemory(
    [],
    [{ representativeId: 'rep-1', number: '1001', pin: '730194' }],
  );
  const prompts = Object.fromEntries(
    Object.entries(PROMPT_HZ).map(([name, hz]) => [name, `tone_stream://%(700,0,${hz})`]),
  );
  const dialIn = {
    ...{ numbers: '+12025550177', triesMax: 3, pauseMs: 5_000, patienceMs: 5_000 },
    ...{ waitMs: 60_000, callsMax: 10, prompts, ...more },
  };
  const gateway = { dialIn, inbound: { message: 'tone_stream://%(300,0,440)' } };
  const stand = await LobbyStand.start(t, {
    rig: { gateway, representatives: directory } as object,
  });
  const phone = await stand.openPhone(undefined, { user: '+12065550188' });
  const told = <T extends EventType>(type: T): Extract<TelephonyEvent, EventOf<T>>[] =>
    stand.events.filter(
      (event): event is Extract<TelephonyEvent, EventOf<T>> => event.type === type,
    );
  return {
    ...{ stand, told, phone },
    dial: () => phone.dial(`sip:+12025550177@127.0.0.1:${stand.rig.switch.sipPort}`),
    /** Each in its own way, once its question is heard. */
    enter: async (
      call: RepresentativeCall,
      number: () => Promise<void>,
      pin: () => Promise<void>,
    ) => {
      const fromMs = performance.now();
      await call.heard.until(PROMPT_HZ.number, 60, fromMs);
      await number();
      await call.heard.until(PROMPT_HZ.pin, 60, fromMs);
      await pin();
    },
  };
}

t.test('who dials in and proves it has a lobby leg like any other', async (t) => {
  const { stand, told, dial, enter } = await dialInStand(t);
  const call = await dial();
  await enter(
    call,
    () => call.pressByInfo('1001#'),
    () => call.pressByInfo('730194#'),
  );
  await stand.until(() => told('representative.dialedIn').length === 1, 'dialedIn');
  t.match(told('representative.dialedIn'), [{ representativeId: 'rep-1', gatewayId: 'rig' }]);
  await call.heard.until(PROMPT_HZ.admitted);
  const lobby = await stand.openLobby({ via: 'dialIn', sipUri: '' });
  t.match(told('representative.dialInEnded'), [{ reason: 'lobby' }]);
  call.say(REP_HZ);
  for (const customerHz of [1_700, 1_900]) {
    const customer = await stand.answeredCustomer(customerHz);
    const fromMs = performance.now();
    void customer.connect(lobby.id);
    const cueMs = await call.heard.until(880, 40, fromMs);
    t.ok((await call.heard.until(customerHz, 60, fromMs)) > cueMs, 'the cue first, then they');
    await customer.call.media.hears(REP_HZ);
    await customer.command({ type: 'attempt.hold', prompts: ['tone_stream://%(9000,0,2300)'] });
    await customer.call.media.hears(2_300);
    await customer.command({ type: 'attempt.unhold' });
    await customer.event('attempt.holdChanged', 2);
    await customer.call.media.hears(REP_HZ);
    customer.call.hangUp();
    await customer.event('attempt.ended');
  }
  t.notOk(call.isOver, 'the leg outlives its customers');
  const second = await dial();
  await enter(
    second,
    () => second.press('1001#'),
    () => second.press('730194#'),
  );
  await second.heard.until(PROMPT_HZ.inLobby);
  t.equal(await second.ended, 'byeReceived', 'one leg is enough');
  t.match(told('representative.dialInRefused'), [{ representativeId: 'rep-1', reason: 'inLobby' }]);
  call.hangUp();
  t.match(await lobby.event('lobby.left'), { reason: 'representative' });
});

t.test('keys as tones in the audio, a wrong PIN, and a lobby that waited for them', async (t) => {
  const { stand, told, dial, enter, phone } = await dialInStand(t, { waitMs: 1_500 });
  const ready = stand.openLobby({ via: 'dialIn', sipUri: '' });
  const call = await dial();
  await enter(
    call,
    () => call.pressByTones('1001#'),
    () => call.pressByTones('999999#'),
  );
  await call.heard.until(PROMPT_HZ.wrong);
  await enter(
    call,
    () => call.pressByTones('1001#'),
    () => call.pressByTones('730194#'),
  );
  const lobby = await ready;
  t.match(told('representative.dialInRefused'), [
    { representativeId: 'rep-1', reason: 'wrongPin' },
  ]);
  await stand.closeLobby(lobby);
  await stand.until(() => told('representative.dialedIn').length === 2, 'that it waits again');
  t.notOk(call.isOver, 'who is not wanted any more has done nothing to be hung up for');
  await call.heard.until(PROMPT_HZ.notInvited);
  t.equal(await call.ended, 'byeReceived', 'but nobody waits for ever');
  t.match(told('representative.dialInRefused')[1], { reason: 'notInvited' });
  t.match(
    told('representative.dialInEnded').map(({ reason }) => reason),
    ['lobby', 'notInvited'],
  );

  const stranger = await dial();
  for (let turn = 0; turn < 3; turn += 1) {
    await enter(
      stranger,
      () => stranger.press('2002#'),
      () => stranger.press('1#'),
    );
    await stranger.heard.until(PROMPT_HZ.wrong, 60, performance.now());
  }
  t.equal(await stranger.ended, 'byeReceived', 'three times wrong');
  t.match(told('representative.dialInRefused')[4], {
    ...{ representativeId: null, reason: 'unknownNumber' },
  });
  const late = await stand.openLobby({ via: 'dialIn', sipUri: '', ringLimitMs: 100 }, 'lobby.left');
  t.match(late.told('lobby.left'), { reason: 'notAnswered', detail: /did not dial in/ });

  const silent = await dial();
  await enter(
    silent,
    () => silent.press('1001#'),
    () => silent.press('730194#'),
  );
  await stand.until(() => told('representative.dialedIn').length === 3, 'dialedIn');
  const held = await stand.openLobby({ via: 'dialIn', sipUri: '' });
  phone.vanish();
  t.match(await held.event('lobby.left'), { reason: 'lost' }, 'a phone that lost its network');
});
