/**
 * Goal: representatives' phones register and are called where they are, and who calls a shown number
 * back hears who we are and can opt out. Over SIP and RTP, through the embedded switch.
 */
import { createHash } from 'node:crypto';
import t from 'tap';
import { DirectoryInMemory } from '../../gateway/registrar/directory-in-memory.ts';
import type { RepresentativeAccount } from '../../machines/representative-directory.port.ts';
import { headerOf } from '../../softswitch/sip/message.ts';
import { LobbyStand } from '../support/lobby-stand.ts';

t.setTimeout(110_000);

const REALM = 'phones.example';
const MESSAGE_HZ = 600;
const THANKS_HZ = 1_100;
const REP_HZ = 500;

function account(representativeId: string, sipUser: string, password: string) {
  const ha1 = (algorithm: string): string =>
    createHash(algorithm).update(`${sipUser}:${REALM}:${password}`).digest('hex');
  const both = { MD5: ha1('md5'), 'SHA-256': ha1('sha256') };
  return { representativeId, sipUser, ha1: both } satisfies RepresentativeAccount;
}

t.test('a phone registers, is called where it is, and is forgotten when it leaves', async (t) => {
  const directory = new DirectoryInMemory([account('rep-1', 'alice', 'secret')]);
  const registrar = { realm: REALM };
  const stand = await LobbyStand.start(t, {
    rig: { gateway: { registrar }, representatives: directory } as object,
  });
  const phone = await stand.openPhone(REP_HZ, { user: 'alice' });
  const registration = {
    ...{ registrar: `sip:127.0.0.1:${stand.rig.switch.sipPort}`, realm: REALM },
    ...{ username: 'alice', password: 'secret' },
  };
  const refused = await phone.register({ ...registration, password: 'wrong' });
  t.equal(refused.statusCode, 401);
  t.same((await directory.bindingsOf('rep-1')).bindings, []);
  const accepted = await phone.register({ ...registration, expiresS: 120 });
  t.equal(accepted.statusCode, 200);
  t.match(headerOf(accepted, 'Contact'), `<${phone.address}>;expires=120`);
  t.equal((await phone.register({ ...registration, expiresS: 5 })).statusCode, 423);

  const lobby = await stand.openLobby({ sipUri: `sip:alice@${REALM}` });
  const rep = await phone.nextCall();
  t.notOk(rep.isOver, 'the registered phone was called');
  await stand.closeLobby(lobby);
  const byId = await stand.openLobby({ sipUri: '' });
  await phone.nextCall();
  await stand.closeLobby(byId);

  await phone.register({ ...registration, expiresS: 0 });
  const gone = await stand.openLobby({ sipUri: `sip:alice@${REALM}` }, 'lobby.left');
  t.match(gone.told('lobby.left'), { reason: 'notAnswered', detail: 'no phone is registered' });
});

t.test('who calls a shown number back hears the message and opts out by a digit', async (t) => {
  const tone = (hz: number, ms: number): string => `tone_stream://%(${ms},0,${hz})`;
  const inbound = {
    ...{ message: tone(MESSAGE_HZ, 4_000), optOutDigits: '9', callsMax: 1, listenMs: 200 },
    ...{ optOutMessage: tone(THANKS_HZ, 400) },
  };
  const stand = await LobbyStand.start(t, { rig: { gateway: { inbound } } as object });
  const caller = await stand.openPhone(undefined, { user: '+12065550188' });
  const shown = `sip:+12025550100@127.0.0.1:${stand.rig.switch.sipPort}`;
  const call = await caller.dial(shown);
  await call.heard.until(MESSAGE_HZ, 100);
  await t.rejects(caller.dial(shown), /486/, 'one at a time, as configured');
  await call.press('5');
  await call.press('9');
  await call.heard.until(THANKS_HZ, 60);
  t.equal(await call.ended, 'byeReceived');
  const told = stand.events.filter(({ type }) => type.startsWith('inbound.'));
  t.match(told, [
    { type: 'inbound.call', callerNumber: '+12065550188', calledNumber: '+12025550100' },
    { type: 'inbound.optOut', callerAsReceived: '+12065550188', digit: '9' },
    { type: 'inbound.ended', endedBy: 'gateway' },
  ]);
  t.equal(told.length, 3, 'another digit is none');
  await t.rejects(caller.dial(shown.replace('0100', '0199')), /404/, 'not a number of ours');
  const byTone = await caller.dial(shown);
  await byTone.heard.until(MESSAGE_HZ, 100);
  await byTone.pressByTones('9');
  t.equal(await byTone.ended, 'byeReceived', 'a tone in the audio is a key too');
  t.match(
    stand.events.find((event) => event.type === 'inbound.optOut' && event.source === 'inband'),
    { digit: '9' },
  );
  const second = await caller.dial(shown);
  second.hangUp();
  await stand.until(
    () => stand.events.filter(({ type }) => type === 'inbound.ended').length === 3,
    'the second call ends',
  );
  t.match(stand.events.at(-1), { type: 'inbound.ended', endedBy: 'caller' });
});
