/** Goal: nothing is dialled that nobody has accepted, and every offer that begins is given back or called. */
import fc from 'fast-check';
import t from 'tap';
import { createActor, fromCallback } from 'xstate';
import type {
  OfferDelay,
  PreviewOfferEvent,
  PreviewOfferOrder,
} from '../../machines/preview-offer.events.ts';
import { previewOfferMachine } from '../../machines/preview-offer.machine.ts';
import type { PreviewOrder, PreviewPacerEvent } from '../../machines/preview-pacer.events.ts';
import { previewPacerMachine } from '../../machines/preview-pacer.machine.ts';
import { VirtualClock } from '../../machines/virtual-clock.ts';

const WINDOW_MS = 3_600_000;
const RETRY_MS = 1_000;
const INVITED: PreviewOfferEvent = { type: 'rep.invited', representativeId: 'ada' };
const ACCEPTED: PreviewOfferEvent = { type: 'rep.accepted' };
const SEATED: PreviewOfferEvent = { type: 'rep.seated' };
const START: PreviewOfferEvent = { type: 'rep.start', phoneType: null };
const LEFT: PreviewOfferEvent = { type: 'rep.left' };

function offer(delay: OfferDelay = { kind: 'manual' }, ...events: readonly PreviewOfferEvent[]) {
  const clock = new VirtualClock();
  const asked: PreviewOfferOrder[] = [];
  const desk = fromCallback<PreviewOfferOrder, { taskId: string }>(({ receive }) => {
    receive((order) => asked.push(order));
  });
  const actor = createActor(previewOfferMachine.provide({ actors: { desk } }), {
    clock,
    input: { taskId: 't-1', delay, windowMs: WINDOW_MS, retryMs: RETRY_MS },
  });
  actor.start();
  for (const event of events) actor.send(event);
  const orders = (): string[] => asked.map(({ type }) => type);
  return { clock, asked, actor, orders };
}

t.test('[DM-12] manual: started by hand, once the phone is answered', (t) => {
  const { actor, orders, clock, asked } = offer({ kind: 'manual' }, INVITED, ACCEPTED);
  clock.advanceBy(600_000);
  t.same(orders(), ['offer.accepted']);
  actor.send({ type: 'rep.start', phoneType: 'home' });
  t.same(orders(), ['offer.accepted'], 'their phone is not answered yet');
  actor.send({ type: 'rep.start', phoneType: 'mobile' });
  actor.send(SEATED);
  t.match(
    asked.at(-1),
    { type: 'offer.dial', phoneType: 'home' },
    'pressed twice, the first counts',
  );
  t.equal(orders().length, 2);
  t.end();
});

t.test('[DM-10] [DM-11] timer: at its end, or sooner, and once', (t) => {
  const late = offer({ kind: 'timer', ms: 60_000 }, INVITED, ACCEPTED, SEATED);
  late.clock.advanceBy(59_999);
  t.same(late.orders(), ['offer.accepted']);
  late.clock.advanceBy(1);
  t.same(late.orders(), ['offer.accepted', 'offer.dial']);
  const early = offer({ kind: 'timer', ms: 60_000 }, INVITED, ACCEPTED, SEATED);
  early.clock.advanceBy(30_000);
  early.actor.send(START);
  t.same(early.orders(), ['offer.accepted', 'offer.dial']);
  early.actor.send({ type: 'dial.begun' });
  early.clock.advanceBy(60_000);
  t.equal(early.orders().length, 2);
  t.end();
});

t.test('[DM-14] direct: accepting dials, as soon as there is somebody to hear it', (t) => {
  const { actor, orders } = offer({ kind: 'direct' }, INVITED, ACCEPTED);
  t.same(orders(), ['offer.accepted']);
  actor.send(SEATED);
  t.same(orders(), ['offer.accepted', 'offer.dial']);
  t.end();
});

t.test(
  '[WS-17] declined, or lost after accepting: the next is asked, with a countdown of theirs',
  (t) => {
    const { actor, orders, clock } = offer({ kind: 'timer', ms: 60_000 }, INVITED, LEFT);
    t.ok(actor.getSnapshot().matches({ open: 'seeking' }));
    for (const event of [INVITED, ACCEPTED, SEATED]) actor.send(event);
    clock.advanceBy(50_000);
    actor.send(LEFT);
    for (const event of [INVITED, ACCEPTED, SEATED]) actor.send(event);
    clock.advanceBy(59_999);
    t.same(orders(), ['offer.accepted', 'offer.accepted']);
    clock.advanceBy(1);
    t.equal(orders().at(-1), 'offer.dial');
    t.end();
  },
);

t.test('[DM-16] the window ends an offer, and says whether anybody had accepted it', (t) => {
  const shown = offer({ kind: 'manual' }, INVITED);
  shown.clock.advanceBy(WINDOW_MS);
  t.match(shown.asked.at(-1), { type: 'offer.close', end: 'windowOver', wasAccepted: false });
  const taken = offer({ kind: 'manual' }, INVITED, ACCEPTED, SEATED);
  taken.clock.advanceBy(WINDOW_MS);
  t.match(taken.asked.at(-1), { type: 'offer.close', end: 'windowOver', wasAccepted: true });
  taken.actor.send({ type: 'store.failed' });
  taken.clock.advanceBy(RETRY_MS);
  t.equal(taken.orders().filter((type) => type === 'offer.close').length, 2, 'until it is written');
  taken.actor.send({ type: 'offer.closed' });
  t.equal(taken.actor.getSnapshot().status, 'done');
  t.end();
});

t.test(
  '[WS-19] called off: before, while the start is written, while it rings, and not later',
  (t) => {
    const cancel: PreviewOfferEvent = { type: 'rep.cancel', keepTask: false };
    const before = offer({ kind: 'timer', ms: 60_000 }, INVITED, ACCEPTED, SEATED, cancel);
    t.match(before.asked.at(-1), { type: 'offer.close', end: 'cancelled' });
    before.clock.advanceBy(60_000);
    t.notOk(before.orders().includes('offer.dial'));
    const writing = offer({ kind: 'manual' }, INVITED, ACCEPTED, SEATED, START, cancel);
    t.equal(writing.orders().at(-1), 'offer.dial');
    writing.actor.send({ type: 'dial.begun' });
    t.match(writing.asked.at(-1), { type: 'offer.hangUp', keepTask: false });
    const later = offer({ kind: 'manual' }, INVITED, ACCEPTED, SEATED, START, cancel);
    later.actor.send({ type: 'dial.later' });
    t.match(later.asked.at(-1), { type: 'offer.close', end: 'cancelled' });
    const ringing = offer({ kind: 'manual' }, INVITED, ACCEPTED, SEATED, START);
    ringing.actor.send({ type: 'dial.begun' });
    ringing.actor.send({ type: 'rep.cancel', keepTask: true });
    t.match(ringing.asked.at(-1), { type: 'offer.hangUp', keepTask: true });
    const talking = offer({ kind: 'manual' }, INVITED, ACCEPTED, SEATED, START);
    for (const type of ['dial.begun', 'call.answered'] as const) talking.actor.send({ type });
    talking.actor.send(cancel);
    t.equal(talking.orders().at(-1), 'offer.dial');
    t.end();
  },
);

t.test('no line is free: asked for again; a representative lost meanwhile gives it back', (t) => {
  const { actor, clock, orders, asked } = offer(
    { kind: 'manual' },
    INVITED,
    ACCEPTED,
    SEATED,
    START,
  );
  actor.send({ type: 'dial.later' });
  clock.advanceBy(RETRY_MS);
  t.equal(orders().filter((type) => type === 'offer.dial').length, 2);
  actor.send(LEFT);
  actor.send({ type: 'dial.later' });
  t.match(asked.at(-1), { type: 'offer.close', end: 'withdrawn', wasAccepted: true });
  const lost = offer({ kind: 'manual' }, INVITED, ACCEPTED, SEATED, START, LEFT);
  lost.actor.send({ type: 'dial.begun' });
  t.equal(lost.orders().at(-1), 'offer.recall', 'claimed all the same: nobody would hear it');
  t.end();
});

const EVENTS: readonly PreviewOfferEvent[] = [
  ...[INVITED, ACCEPTED, SEATED, START, LEFT],
  ...[true, false].map((keepTask) => ({ type: 'rep.cancel', keepTask }) as const),
  ...(
    [
      ...['desk.nobody', 'offer.withdraw', 'dial.begun', 'dial.later', 'dial.refused'],
      ...['call.answered', 'call.ended', 'offer.closed', 'store.failed'],
    ] as const
  ).map((type) => ({ type })),
];

t.test('[DM-08] whatever happens, nothing is dialled that nobody has accepted', (t) => {
  const delay = fc.constantFrom<OfferDelay>(
    { kind: 'manual' },
    { kind: 'direct' },
    { kind: 'timer', ms: 60_000 },
  );
  const step = fc.oneof(
    fc.constantFrom(...EVENTS),
    fc.integer({ min: 1, max: 100_000 }).map((ms) => ({ type: 'time', ms }) as const),
  );
  fc.assert(
    fc.property(delay, fc.array(step, { maxLength: 60 }), (given, steps) => {
      const { actor, asked, clock } = offer(given);
      let isTaken = false;
      for (const event of steps) {
        const before = asked.length;
        const wasShown = actor.getSnapshot().matches({ open: 'invited' });
        if (event.type === 'time') clock.advanceBy(event.ms);
        else actor.send(event);
        if (event.type === 'rep.accepted' && wasShown) isTaken = true;
        const dials = asked.slice(before).filter(({ type }) => type === 'offer.dial');
        if (dials.length > 1 && event.type !== 'time') return false;
        if (dials.length > 0 && !isTaken) return false;
        if (actor.getSnapshot().matches({ open: 'seeking' })) isTaken = false;
      }
      return true;
    }),
    { numRuns: 400 },
  );
  t.end();
});

function pacer(...events: readonly PreviewPacerEvent[]) {
  const clock = new VirtualClock();
  const asked: PreviewOrder[] = [];
  const starter = fromCallback<PreviewOrder, { engagementId: string }>(({ receive }) => {
    receive((order) => asked.push(order));
  });
  const actor = createActor(previewPacerMachine.provide({ actors: { starter } }), {
    clock,
    input: {
      ...{ engagementId: 'e-1', claimSizeMax: 5, suspended: null, isOpen: true },
      storeRetryMs: RETRY_MS,
    },
  });
  actor.start();
  for (const event of events) actor.send(event);
  return { clock, asked, actor };
}

t.test('[DM-09] the pacer asks for one contact for each representative whom it is given', (t) => {
  const many: PreviewPacerEvent = { type: 'pacer.allotted', representatives: 9 };
  const two: PreviewPacerEvent = { type: 'pacer.allotted', representatives: 2 };
  t.same(pacer(two).asked, [{ type: 'pacer.offer', representatives: 2 }]);
  t.same(pacer(many).asked, [{ type: 'pacer.offer', representatives: 5 }], 'not all in one go');
  const busy = pacer(two, two);
  t.equal(busy.asked.length, 1, 'those told of meanwhile may be the same two');
  busy.actor.send({ type: 'starter.offered', made: 0 });
  t.same(busy.asked.at(-1), { type: 'pacer.askForShare' }, 'so it is asked anew who is left');
  const idle = pacer(two, { type: 'starter.offered', made: 0 });
  t.equal(idle.asked.length, 1, 'nothing to offer: nothing is asked until somebody tells');
  const suspension = { type: 'apiAction', reason: 'lunch' } as const;
  const suspended = pacer({ type: 'engagement.suspended', suspension }, two);
  t.equal(suspended.asked.length, 0);
  suspended.actor.send({ type: 'engagement.resumed' });
  t.same(suspended.asked, [{ type: 'pacer.askForShare' }]);
  t.equal(pacer({ type: 'queue.closed' }, two).asked.length, 0);
  const failed = pacer(two, { type: 'starter.failed', detail: 'disk full' });
  failed.actor.send(two);
  t.equal(failed.asked.length, 1);
  failed.clock.advanceBy(RETRY_MS);
  t.same(failed.asked.at(-1), { type: 'pacer.askForShare' });
  t.end();
});
