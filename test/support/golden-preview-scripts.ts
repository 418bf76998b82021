/** The preview pacer, and the offer of one contact to representatives. */
import type { OfferDelay } from '../../machines/preview-offer.events.ts';
import type { GoldenScript, Teller, Told } from './golden-log.ts';

const say =
  (by: Teller) =>
  (atMs: number, type: string, more: object = {}): Told => {
    return { atMs, by, event: { type, ...more } };
  };
const owner = say('owner');
const starter = say('starter');
const desk = say('desk');

const suspension = { type: 'adminAction', reason: 'the script is wrong' } as const;

function pacer(...told: readonly Told[]): GoldenScript {
  const input = {
    ...{ engagementId: 'e1', claimSizeMax: 3, suspended: null, isOpen: true },
    storeRetryMs: 1_000,
  };
  return { machine: 'previewPacer', input, told };
}

const allotted = (atMs: number, representatives: number): Told => {
  return owner(atMs, 'pacer.allotted', { representatives });
};
const offered = (atMs: number, made: number): Told => starter(atMs, 'starter.offered', { made });

const pacers: Readonly<Record<string, GoldenScript>> = {
  'one-contact-for-each-representative': pacer(
    allotted(10, 5),
    offered(20, 3),
    allotted(30, 2),
    offered(40, 0),
    { atMs: 5_000 },
  ),
  'a-share-told-meanwhile-is-asked-for-anew': pacer(
    allotted(10, 1),
    allotted(15, 2),
    offered(20, 0),
    allotted(30, 0),
  ),
  'suspended-and-resumed': pacer(
    owner(10, 'engagement.suspended', { suspension }),
    allotted(20, 2),
    owner(5_000, 'engagement.resumed'),
    allotted(5_010, 2),
    offered(5_020, 2),
  ),
  'queue-closes-and-opens': pacer(
    owner(10, 'queue.closed'),
    allotted(20, 2),
    owner(60_000, 'queue.opened'),
    allotted(60_010, 1),
  ),
  'store-fails-for-a-while-and-it-stops': pacer(
    allotted(10, 1),
    starter(20, 'starter.failed', { detail: 'no space' }),
    { atMs: 1_500 },
    owner(2_000, 'pacer.stop'),
    allotted(3_000, 1),
  ),
};

const MANUAL: OfferDelay = { kind: 'manual' };

function offer(delay: OfferDelay, ...told: readonly Told[]): GoldenScript {
  const input = { taskId: 't1', delay, windowMs: 600_000, retryMs: 1_000 };
  return { machine: 'previewOffer', input, told };
}

const invited = (atMs: number, representativeId = 'r1'): Told => {
  return owner(atMs, 'rep.invited', { representativeId });
};
const accepted = (atMs: number): readonly Told[] => [
  owner(atMs, 'rep.accepted'),
  owner(atMs + 500, 'rep.seated'),
];
const started = (atMs: number, phoneType: string | null = null): Told => {
  return owner(atMs, 'rep.start', { phoneType });
};
const talked = (atMs: number): readonly Told[] => [
  desk(atMs, 'dial.begun'),
  owner(atMs + 8_000, 'call.answered'),
  owner(atMs + 60_000, 'call.ended'),
];

const offers: Readonly<Record<string, GoldenScript>> = {
  'taken-and-started-by-hand': offer(
    MANUAL,
    invited(10),
    ...accepted(3_000),
    started(9_000, 'mobile'),
    ...talked(9_050),
  ),
  'starts-by-itself-after-its-countdown': offer(
    { kind: 'timer', ms: 60_000 },
    invited(10),
    ...accepted(3_000),
    { atMs: 63_100 },
    ...talked(63_150),
  ),
  'started-sooner-than-its-countdown': offer(
    { kind: 'timer', ms: 60_000 },
    invited(10),
    ...accepted(3_000),
    started(10_000),
    ...talked(10_050),
    { atMs: 200_000 },
  ),
  'dialled-with-the-acceptance': offer(
    { kind: 'direct' },
    invited(10),
    ...accepted(3_000),
    ...talked(3_550),
  ),
  'declined-and-taken-by-the-next': offer(
    MANUAL,
    invited(10),
    owner(5_000, 'rep.left'),
    invited(5_010, 'r2'),
    ...accepted(8_000),
    started(9_000),
    ...talked(9_050),
  ),
  'nobody-takes-it': offer(
    MANUAL,
    invited(10),
    owner(20_010, 'rep.left'),
    owner(20_020, 'desk.nobody'),
    desk(20_030, 'offer.closed'),
  ),
  'its-window-ends-unseen': offer(
    MANUAL,
    invited(10),
    { atMs: 600_000 },
    desk(600_010, 'store.failed'),
    { atMs: 601_010 },
    desk(601_020, 'offer.closed'),
  ),
  'called-off-before-the-call': offer(
    MANUAL,
    invited(10),
    ...accepted(3_000),
    owner(6_000, 'rep.cancel', { keepTask: false }),
    desk(6_010, 'offer.closed'),
  ),
  'called-off-while-it-rings': offer(
    MANUAL,
    invited(10),
    ...accepted(3_000),
    started(4_000),
    desk(4_050, 'dial.begun'),
    owner(6_000, 'rep.cancel', { keepTask: true }),
    owner(6_200, 'call.ended'),
  ),
  'called-off-while-the-start-is-written': offer(
    MANUAL,
    invited(10),
    ...accepted(3_000),
    started(4_000),
    owner(4_010, 'rep.cancel', { keepTask: true }),
    desk(4_050, 'dial.begun'),
    owner(4_300, 'call.ended'),
  ),
  'no-channel-for-a-while-then-refused': offer(
    MANUAL,
    invited(10),
    ...accepted(3_000),
    started(4_000),
    desk(4_050, 'dial.later'),
    { atMs: 5_060 },
    desk(5_100, 'dial.refused'),
  ),
  'representative-lost-while-it-rings': offer(
    MANUAL,
    invited(10),
    ...accepted(3_000),
    started(4_000),
    desk(4_050, 'dial.begun'),
    owner(5_000, 'rep.left'),
    owner(5_200, 'call.ended'),
  ),
  'withdrawn-by-a-suspension': offer(
    MANUAL,
    invited(10),
    owner(2_000, 'offer.withdraw'),
    desk(2_010, 'offer.closed'),
  ),
};

export const PREVIEW_SCRIPTS = { previewPacer: pacers, previewOffer: offers };
