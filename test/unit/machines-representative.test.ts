/** Goal: a representative is invited, held, bridged, blocked and freed as spec I.1 and A.2 say. */
import t from 'tap';
import { createActor, fromCallback } from 'xstate';
import type {
  Invitation,
  RepresentativeOrder,
  WrapUpBlock,
} from '../../machines/representative.events.ts';
import { representativeMachine } from '../../machines/representative.machine.ts';
import { VirtualClock } from '../../machines/virtual-clock.ts';

const TIMES = { lobbyIdleMs: 600_000, lobbyKeepMs: 5_000, lobbyOpenMs: 35_000 };
const INVITATION: Invitation = {
  ...{ id: 'i-1', kind: 'preDial', engagementId: 'e-1', engagementName: 'Renewals' },
  ...{ engagementDescription: 'Policies that end this month', template: 'outbound pre-dial' },
  ...{ isAutoAccepted: true, timeoutMs: 20_000, taskId: null, attemptId: null },
};

function representative() {
  const clock = new VirtualClock();
  const orders: string[] = [];
  const desk = fromCallback<RepresentativeOrder, { representativeId: string }>(({ receive }) => {
    receive((order) => {
      if (order.type !== 'desk.entered') orders.push(order.type);
      else orders.push(order.reason === null ? order.work : `${order.work} (${order.reason})`);
    });
  });
  const actor = createActor(representativeMachine.provide({ actors: { desk } }), {
    clock,
    input: { representativeId: 'r-1', ...TIMES },
  });
  actor.start();
  const invite = (change: Partial<Invitation> = {}, wrapUp: WrapUpBlock = { kind: 'always' }) => {
    actor.send({ type: 'desk.invite', invitation: { ...INVITATION, ...change }, wrapUp });
  };
  return {
    ...{ clock, actor, invite },
    told: (): string[] => orders.splice(0),
    inCall: (wrapUp: WrapUpBlock): void => {
      invite({}, wrapUp);
      actor.send({ type: 'lobby.ready' });
      actor.send({ type: 'call.connected', attemptId: 'a-1' });
      orders.splice(0);
    },
  };
}

t.test('a paced call: into the lobby, bridged, wrap-up, and the leg is kept a while', async (t) => {
  const { actor, clock, invite, told } = representative();
  t.same(told(), ['free']);
  invite();
  t.same(told(), ['invited', 'joining', 'desk.openLobby']);
  actor.send({ type: 'lobby.ready' });
  t.same(told(), ['reserved']);
  actor.send({ type: 'call.connected', attemptId: 'a-1' });
  actor.send({ type: 'call.ended', attemptId: 'a-9' });
  t.same(told(), ['connected'], 'the end of another call is none of theirs');
  actor.send({ type: 'call.ended', attemptId: 'a-1' });
  t.same(told(), ['wrapUp (callOver)']);
  actor.send({ type: 'representative.wrapUpDone' });
  t.same(told(), ['free (callOver)']);
  clock.advanceBy(4_999);
  invite({ id: 'i-2' });
  t.same(told(), ['invited', 'joining', 'reserved'], 'their phone is not rung again');
  actor.send({ type: 'desk.release', reason: 'nothingToDial' });
  t.same(told(), ['free (nothingToDial)']);
  clock.advanceBy(5_000);
  t.same(told(), ['desk.closeLobby'], '[WS-16] with nothing to dial they are let go by themselves');
  invite({ id: 'i-3' });
  t.same(told(), ['invited', 'joining', 'desk.openLobby']);
});

t.test('[WS-17] an invitation is taken, declined, or runs out after 20 s', async (t) => {
  const { actor, clock, invite, told } = representative();
  invite({ kind: 'agentDial', isAutoAccepted: false });
  actor.send({ type: 'representative.accept', invitationId: 'i-other' });
  t.same(told(), ['free', 'invited'], 'another invitation is not theirs to take');
  actor.send({ type: 'representative.reject', invitationId: 'i-1' });
  t.same(told(), ['free (rejected)']);
  invite({ id: 'i-2', isAutoAccepted: false });
  clock.advanceBy(19_999);
  t.same(told(), ['invited']);
  clock.advanceBy(1);
  t.same(told(), ['free (notAnswered)']);
  invite({ id: 'i-3', isAutoAccepted: false });
  actor.send({ type: 'representative.accept', invitationId: 'i-3' });
  t.same(told(), ['invited', 'joining', 'desk.openLobby']);
});

t.test(
  '[WS-10] wrap-up blocks until it ends, for its minutes at most, or not at all',
  async (t) => {
    const always = representative();
    always.inCall({ kind: 'always' });
    always.actor.send({ type: 'call.ended', attemptId: 'a-1' });
    always.clock.advanceBy(86_400_000);
    t.same(always.told(), ['wrapUp (callOver)'], 'always: until they say so');

    const minutes = representative();
    minutes.inCall({ kind: 'minutes', minutes: 2 });
    minutes.actor.send({ type: 'call.ended', attemptId: 'a-1' });
    minutes.clock.advanceBy(119_999);
    t.same(minutes.told(), ['wrapUp (callOver)']);
    minutes.clock.advanceBy(1);
    t.same(minutes.told(), ['free (callOver)']);

    const never = representative();
    never.inCall({ kind: 'never' });
    never.actor.send({ type: 'call.ended', attemptId: 'a-1' });
    t.same(never.told(), ['wrapUp (callOver)', 'free (callOver)']);
  },
);

t.test('a phone that does not answer, is lost, or comes too late', async (t) => {
  const silent = representative();
  silent.invite();
  silent.clock.advanceBy(35_000);
  t.same(silent.told().slice(-2), ['desk.closeLobby', 'free (lobbyFailed)']);

  const refused = representative();
  refused.invite();
  refused.actor.send({ type: 'lobby.left' });
  t.same(refused.told().at(-1), 'free (lobbyFailed)');

  const lost = representative();
  lost.invite();
  lost.actor.send({ type: 'lobby.ready' });
  lost.actor.send({ type: 'lobby.left' });
  t.same(lost.told().slice(-2), ['reserved', 'free (lobbyLost)']);

  const idle = representative();
  idle.invite();
  idle.actor.send({ type: 'lobby.ready' });
  idle.clock.advanceBy(600_000);
  t.same(idle.told().at(-1), 'free (idle)');

  const late = representative();
  late.invite();
  late.actor.send({ type: 'desk.release', reason: 'withdrawn' });
  late.actor.send({ type: 'lobby.ready' });
  late.clock.advanceBy(5_000);
  t.same(late.told().slice(-3), ['desk.closeLobby', 'free (withdrawn)', 'desk.closeLobby']);
});

t.test('signing off: at once when free or waiting, after the call when on one', async (t) => {
  const waiting = representative();
  waiting.invite();
  waiting.actor.send({ type: 'lobby.ready' });
  waiting.actor.send({ type: 'desk.leave', reason: 'signedOff' });
  t.same(waiting.told().slice(-2), ['free (signedOff)', 'desk.closeLobby']);

  const busy = representative();
  busy.inCall({ kind: 'never' });
  busy.actor.send({ type: 'desk.leave', reason: 'signedOff' });
  t.same(busy.told(), []);
  busy.actor.send({ type: 'call.ended', attemptId: 'a-1' });
  t.same(busy.told(), ['wrapUp (callOver)', 'free (callOver)', 'desk.closeLobby']);

  const lostInCall = representative();
  lostInCall.inCall({ kind: 'never' });
  lostInCall.actor.send({ type: 'lobby.left' });
  lostInCall.actor.send({ type: 'call.ended', attemptId: 'a-1' });
  t.same(lostInCall.told(), ['wrapUp (callOver)', 'free (callOver)'], 'no leg to close');
});
