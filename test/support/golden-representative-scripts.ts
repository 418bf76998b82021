/** Representatives: invited, in the lobby, on calls, wrapping up. */
import type { Invitation, WrapUpBlock } from '../../machines/representative.events.ts';
import type { GoldenScript, Told } from './golden-log.ts';

const INPUT = {
  representativeId: 'r1',
  lobbyIdleMs: 600_000,
  lobbyKeepMs: 5_000,
  lobbyOpenMs: 35_000,
};

const INVITATION: Invitation = {
  id: 'i1',
  kind: 'agentDial',
  engagementId: 'e1',
  engagementName: 'Winter reminders',
  engagementDescription: 'Who has not been for two years.',
  template: 'outbound agent dial',
  isAutoAccepted: false,
  timeoutMs: 20_000,
  taskId: 't1',
  attemptId: null,
};
const ASKED = INVITATION;
const TAKEN: Invitation = { ...INVITATION, kind: 'preDial', isAutoAccepted: true, taskId: null };

const told = (atMs: number, type: string, more: object = {}): Told => {
  return { atMs, by: 'owner', event: { type, ...more } };
};
const invite = (
  atMs: number,
  invitation: Invitation,
  wrapUp: WrapUpBlock = { kind: 'always' },
): Told => told(atMs, 'desk.invite', { invitation, wrapUp });
const accept = (atMs: number, invitationId = 'i1'): Told => {
  return told(atMs, 'representative.accept', { invitationId });
};
const ready = (atMs: number): Told => told(atMs, 'lobby.ready');
const left = (atMs: number): Told => told(atMs, 'lobby.left');
const call = (atMs: number, attemptId: string, untilMs: number): readonly Told[] => [
  told(atMs, 'call.connected', { attemptId }),
  told(untilMs, 'call.ended', { attemptId }),
];
const done = (atMs: number): Told => told(atMs, 'representative.wrapUpDone');

function script(...all: readonly Told[]): GoldenScript {
  return { machine: 'representative', input: INPUT, told: all };
}

export const REPRESENTATIVE_SCRIPTS: Readonly<Record<string, GoldenScript>> = {
  'two-calls-on-one-phone-leg': script(
    invite(10, TAKEN),
    ready(4_000),
    ...call(9_000, 'a1', 60_000),
    done(65_000),
    invite(66_000, { ...TAKEN, id: 'i2' }),
    ...call(70_000, 'a2', 90_000),
    done(91_000),
    { atMs: 100_000 },
  ),
  'asked-and-accepts': script(invite(10, ASKED), accept(6_000), ready(9_000)),
  'rejects-another-invitation-changes-nothing': script(
    invite(10, ASKED),
    told(1_000, 'representative.reject', { invitationId: 'older' }),
    told(2_000, 'representative.reject', { invitationId: 'i1' }),
  ),
  'does-not-answer-the-invitation': script(invite(10, ASKED), { atMs: 20_010 }, accept(21_000)),
  'what-they-were-invited-for-is-gone': script(
    invite(10, ASKED),
    told(3_000, 'desk.release', { reason: 'withdrawn' }),
  ),
  'phone-does-not-answer': script(invite(10, TAKEN), left(30_000)),
  'gateway-says-nothing-of-the-phone': script(invite(10, TAKEN), { atMs: 40_000 }, ready(41_000)),
  'released-while-the-phone-rings': script(
    invite(10, TAKEN),
    told(3_000, 'desk.release', { reason: 'nothingToDial' }),
    left(3_100),
  ),
  'hangs-up-in-the-lobby': script(invite(10, TAKEN), ready(4_000), left(9_000)),
  'nothing-is-bridged-for-too-long': script(invite(10, TAKEN), ready(4_000), { atMs: 620_000 }),
  'phone-lost-in-the-call': script(
    invite(10, TAKEN),
    ready(4_000),
    told(9_000, 'call.connected', { attemptId: 'a1' }),
    left(20_000),
    told(20_500, 'call.ended', { attemptId: 'a1' }),
    done(25_000),
    invite(26_000, { ...TAKEN, id: 'i2' }),
  ),
  'end-of-another-call-changes-nothing': script(
    invite(10, TAKEN),
    ready(4_000),
    told(9_000, 'call.connected', { attemptId: 'a1' }),
    told(10_000, 'call.ended', { attemptId: 'a0' }),
    told(20_000, 'call.ended', { attemptId: 'a1' }),
  ),
  'blocked-for-minutes-after-the-call': script(
    invite(10, TAKEN, { kind: 'minutes', minutes: 2 }),
    ready(4_000),
    ...call(9_000, 'a1', 20_000),
    { atMs: 141_000 },
  ),
  'never-blocked-after-the-call': script(
    invite(10, TAKEN, { kind: 'never' }),
    ready(4_000),
    ...call(9_000, 'a1', 20_000),
  ),
  'signs-off-in-the-call-and-comes-back': script(
    invite(10, TAKEN),
    ready(4_000),
    told(9_000, 'call.connected', { attemptId: 'a1' }),
    told(10_000, 'desk.leave', { reason: 'signedOff' }),
    told(20_000, 'call.ended', { attemptId: 'a1' }),
    done(21_000),
    told(30_000, 'desk.return'),
    invite(31_000, { ...TAKEN, id: 'i2' }),
  ),
  'signs-off-in-the-lobby': script(
    invite(10, TAKEN),
    ready(4_000),
    told(5_000, 'desk.leave', { reason: 'signedOff' }),
    { atMs: 20_000 },
  ),
  'signs-off-while-invited': script(
    invite(10, ASKED),
    told(2_000, 'desk.leave', { reason: 'signedOff' }),
  ),
};
