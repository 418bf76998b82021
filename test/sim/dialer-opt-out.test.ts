/** Goal: whoever asked not to be called is never called again, by any engagement, whatever happens. */
import fc from 'fast-check';
import t from 'tap';
import { addOptOutIn, removeOptOutIn } from '../../dialer/opt-outs/opt-outs.ts';
import type { EventOf } from '../../machines/telephony-events.ts';
import { DialerWorld, HOUR_MS, MINUTE_MS } from '../support/dialer-world.ts';
import type { FarEnd } from '../support/simulated-gateway.ts';

const OPTS_OUT: FarEnd = { does: 'answer', afterMs: 500, optsOutAfterMs: 1_000 };
const BUSY: FarEnd = { does: 'reject', statusCode: 486 };
const RETRIES = { reasons: ['busy', 'noAnswer', 'failed'], retriesMax: 3, waitMinutes: 1 };
const numberOf = (n: number): string => `+1555555${String(n).padStart(4, '0')}`;

const optOutsOf = (world: DialerWorld) => world.db.selectFrom('opt_outs').selectAll().execute();

t.test('[CNS-01] a digit in a message of ours puts the number on the list, for good', async (t) => {
  const farEnd = (number: string): FarEnd => (number === numberOf(100) ? OPTS_OUT : BUSY);
  const world = await DialerWorld.open(t, { farEnd, limits: { numberGapMinMs: 0 } });
  await world.start();
  const first = await world.engagement({ config: { reattempt: RETRIES } });
  const [task = ''] = await world.tasks(first, world.people(1));
  await world.advance(5 * MINUTE_MS);
  t.equal(world.gateway.dialled.length, 1);
  t.match(await optOutsOf(world), [
    { number: numberOf(100), source: 'message', engagement_id: first, removed_at_ms: null },
  ]);
  const second = await world.engagement({ config: { reattempt: RETRIES } });
  const [other = ''] = await world.tasks(second, world.people(1));
  await world.advance(HOUR_MS);
  t.equal(world.gateway.dialled.length, 1, 'no other engagement calls it');
  t.match(await world.task(other), {
    ...{ status: 'Cancelled', last_result: 'Cancelled', last_sub_reason: 'opted_out' },
  });
  t.match(await world.task(task), { state: 'final' });

  const [entry] = await optOutsOf(world);
  await world.db.transaction().execute((tx) => removeOptOutIn(tx, world.writer, entry?.id ?? ''));
  await world.tasks(second, world.people(1));
  await world.advance(MINUTE_MS);
  t.equal(world.gateway.dialled.length, 2, 'until it is taken off the list');
  await world.check();
});

t.test('[CNS-13] another number of the same person is called all the same', async (t) => {
  const world = await DialerWorld.open(t, { farEnd: () => BUSY });
  await world.start();
  const optOut = { number: numberOf(100), source: 'api', detail: null } as const;
  await world.db.transaction().execute((tx) => addOptOutIn(tx, world.writer, optOut));
  const config = { phoneTypes: ['mobile', 'home'] };
  const id = await world.engagement({ config });
  const phones = { mobile: numberOf(100), home: numberOf(200) };
  await world.tasks(id, [{ uniqueIdentifier: 'p', phones }]);
  await world.advance(MINUTE_MS);
  t.same(
    world.gateway.dialled.map(({ destination }) => destination),
    [numberOf(200)],
  );
});

t.test(
  'who calls us back and presses the digit is on the list of who shows the number',
  async (t) => {
    const world = await DialerWorld.open(t, { farEnd: () => BUSY });
    await world.start();
    const id = await world.engagement();
    const about = {
      ...{ gatewayId: 'g1', atMs: 1, inboundId: 'i-1' },
      ...{ callerNumber: numberOf(100), calledNumber: '+15555550199' },
    };
    const optOut = { digit: '9', source: 'rtp' };
    world.gateway.tell({ type: 'inbound.call', seq: 1, ...about });
    world.gateway.tell({ type: 'inbound.optOut', seq: 2, ...about, ...optOut });
    const ended = { gatewayId: 'g1', atMs: 1, seq: 3, inboundId: 'i-1', heldMs: 900 };
    world.gateway.tell({ type: 'inbound.ended', ...ended, endedBy: 'gateway' });
    await world.settle();
    t.match(await optOutsOf(world), [{ number: numberOf(100), source: 'inbound' }]);
    await world.tasks(id, world.people(1));
    await world.advance(MINUTE_MS);
    t.same(world.gateway.dialled, []);
    const logged = await world.db
      .selectFrom('events')
      .select(['type', 'payload'])
      .where('stream_id', '=', 'inbound:i-1')
      .orderBy('stream_seq')
      .execute();
    t.same(
      logged.map(({ type }) => type),
      ['inbound.call', 'inbound.optOut', 'inbound.ended'],
    );
    t.notMatch(JSON.stringify(logged), numberOf(100), 'no number stands in the log');
  },
);

t.test(
  'who calls us back as a national number is not called as an international one',
  async (t) => {
    const world = await DialerWorld.open(t, { farEnd: () => BUSY });
    await world.start();
    const id = await world.engagement();
    world.gateway.tell({
      ...{ type: 'inbound.optOut', gatewayId: 'g1', seq: 1, atMs: 1, inboundId: 'i-1' },
      ...{ callerNumber: '+2025550144', callerAsReceived: '2025550144' },
      ...{ calledNumber: '+12025550100', digit: '9', source: 'rtp' },
    });
    await world.settle();
    await world.tasks(id, [
      { uniqueIdentifier: 'asked', phones: { mobile: '+12025550144' } },
      { uniqueIdentifier: 'another', phones: { mobile: '+12025550145' } },
    ]);
    await world.advance(MINUTE_MS);
    t.same(
      world.gateway.dialled.map(({ destination }) => destination),
      ['+12025550145'],
    );
  },
);

t.test('[CNS-01] an opted-out number is never dialled again (property)', async (t) => {
  const people = 6;
  const worlds = fc.record({
    /** Whose phone opts out when it is called for the nth time; the others are busy. */
    optsOutAt: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: people, maxLength: people }),
    engagements: fc.integer({ min: 1, max: 3 }),
    /** By the API, while all of it runs: who, and after how many seconds. */
    added: fc.array(fc.tuple(fc.nat(people - 1), fc.integer({ min: 0, max: 200 })), {
      maxLength: 4,
    }),
    killsAt: fc.option(fc.integer({ min: 1, max: 200 })),
  });
  const holds = fc.asyncProperty(worlds, async ({ optsOutAt, engagements, added, killsAt }) => {
    const farEnd = (number: string, nth: number): FarEnd =>
      nth >= (optsOutAt[Number(number.slice(-3)) - 100] ?? 1) ? OPTS_OUT : BUSY;
    const world = await DialerWorld.open(t, { farEnd, limits: { numberGapMinMs: 0 } });
    await world.start();
    for (let n = 0; n < engagements; n += 1) {
      const id = await world.engagement({ cap: 3, config: { reattempt: RETRIES } });
      await world.tasks(id, world.people(people));
    }
    const steps = [...added.map(([, s]) => s), ...(killsAt === null ? [] : [killsAt])];
    let nowS = 0;
    for (const atS of steps.sort((one, other) => one - other)) {
      await world.advance((atS - nowS) * 1_000);
      nowS = atS;
      for (const [who] of added.filter(([, s]) => s === atS)) {
        const optOut = { number: numberOf(100 + who), source: 'api', detail: null } as const;
        await world.db.transaction().execute((tx) => addOptOutIn(tx, world.writer, optOut));
      }
      if (atS !== killsAt) continue;
      world.kill();
      await world.start();
    }
    await world.advance(HOUR_MS);
    const listed = await optOutsOf(world);
    const late = world.gateway.dialled.filter(({ destination, atMs }) =>
      listed.some(({ number, created_at_ms }) => number === destination && atMs > created_at_ms),
    );
    world.kill();
    return late.length === 0 && listed.length > 0;
  });
  await fc.assert(holds, { numRuns: 5 });
  t.pass();
});

t.test('what becomes of a recording stands at its delivery, also when it comes late', async (t) => {
  const farEnd: FarEnd = { does: 'answer', afterMs: 500, hangUpAfterMs: 1_000 };
  const world = await DialerWorld.open(t, { farEnd: () => farEnd });
  await world.start();
  const [task = ''] = await world.tasks(await world.engagement(), world.people(1));
  await world.advance(1_000);
  const [attempt] = await world.attempts(task);
  const { id: attemptId = '', fence = 0 } = attempt ?? {};
  const told = (seq: number) => ({
    attemptId,
    fence,
    seq,
    atMs: world.clock.now(),
    recordingId: 'r',
  });
  world.gateway.tell({ type: 'recording.started', ...told(900) });
  await world.advance(MINUTE_MS);
  t.match(await world.task(task), { state: 'final' }, 'the call is over');
  const file = { location: 'a-r.wav', lengthMs: 1_000 };
  const ended: EventOf<'recording.ended'> = { type: 'recording.ended', ...told(901), ...file };
  world.gateway.tell(ended);
  world.gateway.tell(ended);
  await world.settle();
  const rows = await world.db.selectFrom('recordings').selectAll().execute();
  t.match(rows, [{ delivery_id: attempt?.delivery_id, status: 'ended', location: 'a-r.wav' }]);
});
