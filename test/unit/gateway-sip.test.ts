/** Goal: nothing sent to drachtio is left unsettled, and no dialog outlives the connection that made it. */
import t from 'tap';
import { GatewayCounters } from '../../gateway/counters.ts';
import { DialogEnder } from '../../gateway/sip/dialog-ender.ts';
import { dialogRecord, recordOfAnswer } from '../../gateway/sip/dialog-record.ts';
import type { InviteFailure } from '../../gateway/sip/outgoing-invite.ts';
import { accountOfFinal } from '../../gateway/sip/sip-final.ts';
import { SipLadder } from '../../gateway/sip/sip-ladder.ts';
import { SipLink } from '../../gateway/sip/sip-link.ts';
import { VirtualClock } from '../../machines/virtual-clock.ts';
import { FakeSrf, fakeResponse } from '../support/fake-srf.ts';
import { silentLog } from '../support/silent-log.ts';

/** Lets promise reactions run; no time passes. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

function linked(isUp = true) {
  const srf = new FakeSrf();
  const clock = new VirtualClock();
  const counters = new GatewayCounters();
  const link = new SipLink({
    ...{ srf, clock, counters, log: silentLog },
    options: {
      ...{ host: 'h', port: 9022, secret: 's', connectTimeoutMs: 1_000 },
      ...{ reconnectDelayMinMs: 100, reconnectDelayMaxMs: 400 },
    },
  });
  const ender = new DialogEnder({ link, clock, counters, log: silentLog });
  link.start();
  if (isUp) srf.up();
  return { srf, clock, counters, link, ender };
}

function inviting(parts: ReturnType<typeof linked>) {
  const told: string[] = [];
  const failures: InviteFailure[] = [];
  const before = parts.srf.invites.length;
  const invite = parts.link.invite(
    'sip:1@far',
    { headers: {}, localSdp: 'v=0' },
    {
      onSent: ({ callId }) => told.push(`sent ${callId}`),
      onProvisional: ({ status }) => told.push(String(status)),
      onAnswered: ({ id }) => told.push(`answered ${id}`),
      onFailed: (failure) => {
        failures.push(failure);
        told.push(`failed ${failure.kind}`);
      },
      onLost: () => told.push('lost'),
    },
  );
  const far = parts.srf.invites.at(-1);
  if (far === undefined || parts.srf.invites.length === before)
    throw new Error('no INVITE was sent');
  return { invite, far, told, failures };
}

t.test('the link reconnects with pauses that double up to their maximum', async (t) => {
  const { srf, clock, link } = linked(false);
  const tries: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    t.equal(srf.connects.length, round + 1);
    tries.push(clock.now());
    srf.emit('error', new Error('connect ECONNREFUSED'));
    srf.down();
    clock.advanceTo(clock.nextDueMs ?? 0);
  }
  t.same(tries, [0, 100, 300, 700, 1_100]);
  t.match(link.problem, { code: 'SWITCH_CONNECT_FAILED', detail: 'connect ECONNREFUSED' });
  srf.up();
  t.ok(link.isUp);
  srf.down();
  clock.advanceTo(1_600);
  t.equal(srf.connects.length, 7, 'after a success the pauses start afresh');
});

t.test('a refused secret is told as such', async (t) => {
  const { srf, link } = linked(false);
  srf.emit('connect', new Error('failed to authenticate to server'));
  srf.down();
  t.match(link.problem, { code: 'SWITCH_AUTH_FAILED' });
  t.notOk(link.isUp);
});

t.test('a connection that hangs is given up, and its late success changes nothing', async (t) => {
  const { srf, clock, link } = linked(false);
  clock.advanceTo(1_000);
  t.equal(srf.abandoned, 1);
  t.match(link.problem, { detail: 'no answer from h:9022 within 1000 ms' });
  clock.advanceTo(1_100);
  t.equal(srf.connects.length, 2);
  link.close();
  clock.advanceTo(60_000);
  t.equal(srf.connects.length, 2, 'a closed link stays closed');
  t.equal(clock.pending, 0);
});

t.test('an INVITE tells what happens to it in order', async (t) => {
  const { far, told } = inviting(linked());
  far.echo().provisional(180).answer();
  t.same(told, ['sent call-1', '180', 'answered call-1;from-tag=our']);
});

t.test('a CANCEL asked for before the switch has echoed the INVITE follows the echo', async (t) => {
  const { invite, far } = inviting(linked());
  invite.cancel();
  t.equal(far.request.cancelled, 0);
  far.echo();
  t.equal(far.request.cancelled, 1);
  invite.cancel();
  t.equal(far.request.cancelled, 1, 'once');
});

const failures = [
  { name: '486', make: fakeResponse(486, 'Busy Here'), kind: 'final' },
  {
    name: '202, which builds no dialog in srf',
    make: fakeResponse(202, 'Accepted'),
    kind: 'unusable2xx',
  },
  { name: '200 without Contact', make: fakeResponse(200, 'OK'), kind: 'unusable2xx' },
];
for (const { name, make, kind } of failures) {
  t.test(`an INVITE met by ${name} has failed as ${kind}`, async (t) => {
    const { far, failures } = inviting(linked());
    far.echo().reject(make);
    t.match(failures, [{ kind }]);
  });
}

t.test(
  'an INVITE that the switch does not send, or that throws in srf, has not been sent',
  async (t) => {
    const { far, failures } = inviting(linked());
    far.refuse('can not send request to myself');
    t.same(failures, [{ kind: 'notSent', problem: 'can not send request to myself' }]);
    const parts = linked();
    parts.srf.createUAC = () => {
      throw new Error('socket is gone');
    };
    const told: InviteFailure[] = [];
    const ignore = (): void => undefined;
    parts.link.invite(
      'sip:1@far',
      { headers: {} },
      {
        ...{
          onSent: ignore,
          onProvisional: ignore,
          onAnswered: ignore,
          onLost: ignore,
        },
        onFailed: (failure) => told.push(failure),
      },
    );
    t.same(told, [{ kind: 'notSent', problem: 'socket is gone' }]);
  },
);

t.test('when the connection drops every INVITE is lost at once, exactly once', async (t) => {
  const parts = linked();
  const { far, told } = inviting(parts);
  far.echo();
  parts.srf.down();
  far.answer();
  t.same(told, ['sent call-1', 'lost']);
  t.throws(() => inviting(parts), { message: 'no INVITE was sent' }, 'none while it is down');
});

t.test('a switch that does not echo an INVITE within 5 s is taken for dead', async (t) => {
  const parts = linked();
  const { told } = inviting(parts);
  parts.clock.advanceTo(5_000);
  t.same(told, ['lost']);
  t.notOk(parts.link.isUp);
  parts.clock.advanceTo(5_100);
  t.equal(parts.srf.connects.length, 2);
});

t.test('requests are settled by an answer, a refusal, the loss, or the time limit', async (t) => {
  const { srf, clock, link } = linked();
  const ask = () => link.request('sip:far', { method: 'OPTIONS' }, { limitMs: 1_000 });
  const answered = ask();
  srf.requests[0]?.respond(fakeResponse(200, 'OK'));
  t.match(await answered, { kind: 'response', response: { status: 200 } });
  const refused = ask();
  srf.requests[1]?.refuse('no');
  t.match(await refused, { kind: 'refused', error: { message: 'no' } });
  const silent = ask();
  clock.advanceTo(1_000);
  t.same(await silent, { kind: 'timeout' });
  const lost = ask();
  srf.down();
  t.same(await lost, { kind: 'lost' });
  t.same(await ask(), { kind: 'lost' });
});

function answeredDialog(parts: ReturnType<typeof linked>) {
  const { far } = inviting(parts);
  far.echo().answer();
  if (far.dialog === undefined) throw new Error('no dialog');
  return dialogRecord(far.dialog);
}

t.test('a BYE goes out by the stored dialog id', async (t) => {
  const parts = linked();
  const end = parts.ender.bye(answeredDialog(parts));
  await settled();
  const [bye] = parts.srf.byes();
  t.match(bye?.options, { method: 'BYE', stackDialogId: 'call-1;from-tag=our' });
  t.equal(parts.ender.inHand, 1);
  bye?.respond(fakeResponse(200, 'OK'));
  t.match(await end, { kind: 'ended', response: { status: 200 } });
  t.equal(parts.ender.inHand, 0);
});

t.test('a BYE asked for while drachtio is away is sent when it is back', async (t) => {
  const parts = linked();
  const record = answeredDialog(parts);
  parts.srf.down();
  const end = parts.ender.bye(record);
  await settled();
  t.equal(parts.srf.byes().length, 0);
  parts.clock.advanceTo(100);
  parts.srf.up();
  await settled();
  parts.srf.byes()[0]?.respond(fakeResponse(200, 'OK'));
  t.match(await end, { kind: 'ended' });
  t.equal(parts.counters.byesRecovered, 1);
});

t.test('a BYE that was on its way when the connection dropped is sent again', async (t) => {
  const parts = linked();
  const end = parts.ender.bye(answeredDialog(parts));
  await settled();
  parts.srf.down();
  parts.clock.advanceTo(100);
  parts.srf.up();
  await settled();
  t.equal(parts.srf.byes().length, 2);
  parts.srf.byes()[1]?.respond(fakeResponse(481, 'Call Does Not Exist'));
  t.match(await end, { kind: 'ended', response: { status: 481 } });
});

t.test('a switch started anew knows no dialog: the BYE is made by hand', async (t) => {
  const parts = linked();
  const record = answeredDialog(parts);
  parts.srf.down();
  const end = parts.ender.bye(record);
  parts.clock.advanceTo(100);
  parts.srf.up();
  await settled();
  parts.srf.byes()[0]?.refuse('unable to find dialog for dialog id provided', 'ENODIALOG');
  await settled();
  const [, byHand] = parts.srf.byes();
  t.equal(byHand?.uri, 'sip:far@192.0.2.9:5070');
  t.match(byHand?.options.headers, {
    ...{ From: '<sip:us@h>;tag=our', To: '<sip:far@h>;tag=far', 'Call-ID': 'call-1' },
    CSeq: '1010 BYE',
  });
  byHand?.respond(fakeResponse(200, 'OK'));
  t.match(await end, { kind: 'ended' });
});

t.test('without a loss, a dialog that is unknown was ended by the far end', async (t) => {
  const parts = linked();
  const end = parts.ender.bye(answeredDialog(parts));
  await settled();
  parts.srf.byes()[0]?.refuse('unable to find dialog', 'ENODIALOG');
  t.same(await end, { kind: 'gone' });
  t.equal(parts.srf.byes().length, 1);
});

t.test(
  'an orphaned INVITE is cancelled by its transaction and its dialog asked for again',
  async (t) => {
    const parts = linked();
    const { invite, far } = inviting(parts);
    far.echo();
    const identity = invite.identity;
    parts.srf.down();
    if (identity === undefined) throw new Error('not echoed');
    const end = parts.ender.endOrphan(identity);
    parts.clock.advanceTo(100);
    parts.srf.up();
    await settled();
    const [cancel, bye] = parts.srf.requests;
    t.match(cancel?.options, { method: 'CANCEL', stackTxnId: 'txn-1' });
    t.match(bye?.options, { method: 'BYE', stackDialogId: 'call-1;from-tag=our' });
    bye?.refuse('unable to find dialog', 'ENODIALOG');
    await settled();
    parts.clock.advanceTo(1_100);
    await settled();
    t.equal(parts.srf.byes().length, 2, 'it may have been answered since');
    parts.srf.byes()[1]?.respond(fakeResponse(200, 'OK'));
    await end;
    t.equal(parts.ender.inHand, 0);
  },
);

t.test('closing lets go of what waits for a switch that never comes back', async (t) => {
  const parts = linked();
  const record = answeredDialog(parts);
  parts.srf.down();
  const end = parts.ender.bye(record);
  parts.ender.close();
  t.match(await end, { kind: 'abandoned' });
});

t.test('what is stored of an answer is enough to reach the far end again', async (t) => {
  const headers = {
    ...{ 'Call-ID': 'c', From: '<sip:a@h>;tag=1', To: '<sip:b@h>;tag=2', CSeq: '7 INVITE' },
    ...{ Contact: '"B" <sip:b@192.0.2.9;transport=tcp>;expires=60' },
    'Record-Route': '<sip:p1;lr>,<sip:p2;lr>',
  };
  const answer = fakeResponse(200, 'OK', { headers, dialogId: 'c;from-tag=1' });
  t.match(recordOfAnswer(answer), {
    dialogId: 'c;from-tag=1',
    remoteTarget: 'sip:b@192.0.2.9;transport=tcp',
    route: '<sip:p2;lr>, <sip:p1;lr>',
    inviteCSeq: 7,
  });
  t.equal(recordOfAnswer(fakeResponse(200, 'OK')), undefined);
});

const accounts = [
  {
    name: 'a 486 of the network',
    given: fakeResponse(486, 'Busy Here'),
    expected: { sip: { statusCode: 486, reasonPhrase: 'Busy Here', origin: 'network' }, q850: [] },
  },
  {
    name: 'a 408 that the stack made up has an empty source address',
    given: fakeResponse(408, 'Request Timeout', { madeUp: true }),
    expected: { sip: { statusCode: 408, origin: 'stack' } },
  },
  {
    name: 'several Reason values, joined as srf joins them',
    given: fakeResponse(480, 'Temporarily Unavailable', {
      headers: { Reason: 'SIP;cause=480,Q.850;cause=19;text="No answer, sorry"' },
    }),
    expected: { q850: [{ cause: 19, text: 'No answer, sorry' }] },
  },
  {
    name: 'a 608 with the card of who blocked it',
    given: fakeResponse(608, 'Rejected', {
      headers: { 'Call-Info': '<https://block.example/card>;purpose=jwscard' },
    }),
    expected: { redress: '<https://block.example/card>;purpose=jwscard' },
  },
  {
    name: 'a 603 with an analytics Reason',
    given: fakeResponse(603, 'Network Blocked', {
      headers: { Reason: 'SIP;cause=603;text="v=analytics1;url=https://block.example"' },
    }),
    expected: { redress: 'url=https://block.example' },
  },
];
for (const { name, given, expected } of accounts) {
  t.test(`the account of a final response: ${name}`, async (t) => {
    t.match(accountOfFinal(given), expected);
  });
}

t.test('a plain 603 names no redress', async (t) => {
  t.notOk('redress' in accountOfFinal(fakeResponse(603, 'Decline')));
});

t.test('the ladder masks numbers unless asked, and is bounded', async (t) => {
  const ladder = new SipLadder(() => 5);
  ladder.out('INVITE sip:+12065550123@192.0.2.9 SIP/2.0');
  ladder.response({ status: 180, reason: 'Ringing' });
  t.same(ladder.lines(), [
    { atMs: 5, direction: 'out', line: 'INVITE sip:+1…23@192.0.2.9 SIP/2.0' },
    { atMs: 5, direction: 'in', line: 'SIP/2.0 180 Ringing' },
  ]);
  t.match(ladder.lines({ showNumbers: true })[0], { line: /\+12065550123/ });
  for (let more = 0; more < 1_000; more += 1) ladder.response({ status: 180, reason: 'Ringing' });
  t.equal(ladder.lines().length, 64);
});
